-- Reports that come again are known by their attempts.
ALTER TABLE ep DROP COLUMN acked;
