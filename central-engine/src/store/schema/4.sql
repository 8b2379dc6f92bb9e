-- Starts of this engine, in their order, each with the last run before it: what an EP holds of a life that is not here,
-- or of a run that its life did not give out, was given out by another engine, or after the backup this store is from.
CREATE TABLE life (number BIGINT PRIMARY KEY, word TEXT NOT NULL, started BIGINT NOT NULL, last_run BIGINT NOT NULL);
-- The kind of a job, so that each kind has places of its own.
ALTER TABLE job ADD COLUMN kind TEXT NOT NULL DEFAULT '';
UPDATE job SET kind = CASE
    WHEN body LIKE '{"job":"run_hook"%' THEN 'hook'
    WHEN body LIKE '{"job":"save_run"%' THEN 'save'
    WHEN body LIKE '{"job":"mail_run"%' THEN 'mail'
    ELSE 'finish' END;
CREATE INDEX job_due ON job (kind, due);
