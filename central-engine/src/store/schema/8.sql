-- A lease as the book of leases writes it; none in rows of before, which are those of runs.
ALTER TABLE lease ADD COLUMN body TEXT;
-- Since when it is over; none: it is not.
ALTER TABLE lease ADD COLUMN ended BIGINT;
CREATE INDEX lease_open ON lease (id) WHERE ended IS NULL;
CREATE INDEX lease_ended ON lease (ended);
CREATE INDEX lease_run ON lease (run);
-- Numbers of leases only grow, whatever is deleted.
INSERT INTO counter (name, value) SELECT 'lease', COALESCE(MAX(id), 0) FROM lease;
