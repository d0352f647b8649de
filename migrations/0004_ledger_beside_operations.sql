-- The newest entry of a kind that belongs to no operation, such as the settings last recorded, is found at once among
-- the entries of a million operations.
CREATE INDEX ledger_beside_operations ON ledger (kind, seq) WHERE operation IS NULL;
