"""What survives a restart: the register, the inbox, the outbox and everything that waits, in one SQLite file."""
