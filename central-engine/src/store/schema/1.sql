-- Runs and what belongs to them.
CREATE TABLE run (
    id BIGINT PRIMARY KEY, project TEXT NOT NULL, owner TEXT NOT NULL, tests BIGINT NOT NULL,
    temporary BIGINT NOT NULL, is_open BIGINT NOT NULL, state TEXT NOT NULL, submitted BIGINT NOT NULL,
    started BIGINT, ended BIGINT, stopped TEXT, pre TEXT, post TEXT, seq BIGINT NOT NULL, counts TEXT
);
CREATE INDEX run_open ON run (is_open, id);
CREATE TABLE plan (run BIGINT PRIMARY KEY, body BYTES NOT NULL);
CREATE TABLE queued (run BIGINT, first_test BIGINT, body BYTES NOT NULL, PRIMARY KEY (run, first_test));
CREATE TABLE part (
    run BIGINT, part BIGINT, suites TEXT NOT NULL, ep TEXT, lane BIGINT, is_ended BIGINT NOT NULL,
    PRIMARY KEY (run, part)
);
CREATE TABLE attempt (
    run BIGINT, test BIGINT, attempt BIGINT, state BIGINT NOT NULL, verdict TEXT, ep TEXT,
    assigned BIGINT NOT NULL, started BIGINT, elapsed BIGINT NOT NULL, outcome TEXT, facts TEXT,
    PRIMARY KEY (run, test, attempt)
);
CREATE TABLE artifact (
    run BIGINT, test BIGINT, attempt BIGINT, name TEXT, hash TEXT NOT NULL, PRIMARY KEY (run, test, attempt, name)
);
CREATE TABLE event (run BIGINT, seq BIGINT, at BIGINT NOT NULL, fact TEXT NOT NULL, PRIMARY KEY (run, seq));
CREATE TABLE submission (owner TEXT, client_key TEXT, run BIGINT NOT NULL, PRIMARY KEY (owner, client_key));

-- The lab.
CREATE TABLE ep (
    name TEXT PRIMARY KEY, epoch BIGINT NOT NULL, offer TEXT NOT NULL, drained BIGINT NOT NULL, gone BIGINT,
    acked BIGINT NOT NULL DEFAULT 0, seen BIGINT NOT NULL DEFAULT 0, host TEXT, software TEXT
);
CREATE TABLE lease (id BIGINT PRIMARY KEY, what TEXT NOT NULL, run BIGINT NOT NULL, since BIGINT NOT NULL);
CREATE TABLE resource (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE sut (name TEXT PRIMARY KEY, version BIGINT NOT NULL, body TEXT NOT NULL);
CREATE TABLE global (owner TEXT, path TEXT, value TEXT NOT NULL, PRIMARY KEY (owner, path));

-- People.
CREATE TABLE account (
    name TEXT PRIMARY KEY, password TEXT NOT NULL, in_groups TEXT NOT NULL, roles TEXT NOT NULL,
    is_disabled BIGINT NOT NULL, created BIGINT NOT NULL
);
CREATE TABLE account_group (name TEXT PRIMARY KEY, roles TEXT NOT NULL);
CREATE TABLE session (
    hash TEXT PRIMARY KEY, owner TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL
);
CREATE TABLE token (
    id BIGINT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, name TEXT NOT NULL, scope TEXT NOT NULL,
    created BIGINT NOT NULL, expires BIGINT, used BIGINT
);
CREATE TABLE audit (
    id BIGINT PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    detail TEXT NOT NULL
);

-- Work for later, and numbers that only grow.
CREATE TABLE job (
    id BIGINT PRIMARY KEY, run BIGINT NOT NULL, body TEXT NOT NULL, tries BIGINT NOT NULL, due BIGINT,
    error TEXT NOT NULL
);
CREATE TABLE saved (run BIGINT PRIMARY KEY, state TEXT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
