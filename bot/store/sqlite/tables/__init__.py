"""One module a table: plain functions on an open database, which never call each other."""
