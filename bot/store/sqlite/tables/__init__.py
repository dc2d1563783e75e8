"""One module per table: plain functions on an open database, which never call each other."""
