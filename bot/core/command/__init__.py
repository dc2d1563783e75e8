"""The command grammar, its parameters, and the catalog of verbs. Pure."""
