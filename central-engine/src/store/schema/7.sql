-- Runs that stay, whatever the lab's rules for old runs say.
ALTER TABLE run ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
-- Who gave an EP no further work; none: nobody did, or it was not written down.
ALTER TABLE ep ADD COLUMN drained_by TEXT;
