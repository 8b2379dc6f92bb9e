-- The times in which a run was paused, as JSON: its time limits do not count them.
ALTER TABLE run ADD COLUMN pauses TEXT;
