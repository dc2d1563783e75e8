"""One file a source: a payload becomes an Intent. Nothing here decides anything."""
