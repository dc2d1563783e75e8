"""One file a door: a payload becomes an Intent. Nothing here decides anything."""
