"""One SQLite file with the audit log, the inbox, the outbox and everything that waits."""
