-- How far the inserts of a run into each of the lab's databases are.
CREATE TABLE saving (run BIGINT NOT NULL, section BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, section));
