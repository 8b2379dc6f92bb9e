-- Addresses from which calendars read what is booked, by the hash of their secret.
CREATE TABLE calendar_feed (id BIGINT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, body TEXT NOT NULL,
    created BIGINT NOT NULL, used BIGINT);
