-- Who had which right when is told from the ledger: grants that ended with their guest are among the entries of operations.
CREATE INDEX ledger_of_grants_with_guests ON ledger (kind, seq) WHERE kind = 'grant-removed' AND operation IS NOT NULL;
