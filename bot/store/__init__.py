"""The store. Everything that survives a restart."""
