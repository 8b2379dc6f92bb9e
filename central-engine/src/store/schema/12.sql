-- Links that open one report without an account, by the hash of their secret.
CREATE TABLE share (id BIGINT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, report TEXT NOT NULL, given TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL, used BIGINT);
-- Views of reports that people keep under a name.
CREATE TABLE report_view (owner TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (owner, name));
