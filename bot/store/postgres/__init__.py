"""The store in PostgreSQL, for several replicas."""
