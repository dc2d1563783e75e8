"""One file per source: turns a payload into an Intent. No decisions here."""
