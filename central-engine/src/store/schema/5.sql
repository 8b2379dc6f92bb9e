-- After how long without a request a browser session of this account is over (`timeout` of users_and_groups.ini); none: it lasts.
ALTER TABLE account ADD COLUMN idle BIGINT;
-- When a session was last used, written down now and then; none: not since it was opened.
ALTER TABLE session ADD COLUMN used BIGINT;
