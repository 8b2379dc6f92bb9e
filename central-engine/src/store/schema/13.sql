-- What edits of the resource tree did, by the version that each led to, and what undoes them.
CREATE TABLE edit (version BIGINT PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
    undone BIGINT, bytes BIGINT NOT NULL, body TEXT NOT NULL);
CREATE INDEX edit_of ON edit (who, version);
CREATE INDEX edit_large ON edit (version) WHERE bytes > 65536;
