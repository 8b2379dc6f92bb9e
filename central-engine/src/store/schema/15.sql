-- The run whose tests that did not pass a run runs again.
ALTER TABLE run ADD COLUMN retry_of BIGINT;
CREATE INDEX run_retry ON run (retry_of);
