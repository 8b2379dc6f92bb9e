-- Reports that come again are known by their attempts.
ALTER TABLE ep DROP COLUMN acked;
-- Files of people that were taken over once, as they were then.
CREATE TABLE taken (name TEXT PRIMARY KEY, body TEXT NOT NULL);
