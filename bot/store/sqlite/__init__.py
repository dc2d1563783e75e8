"""What survives a restart: the audit log, the inbox, the outbox and everything that waits, in one SQLite file."""
