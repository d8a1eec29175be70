"""The ledger: one SQLite file, one writer, read-only readers, queries by subject."""
