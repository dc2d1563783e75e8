"""`datasette FILE`: opens it as SQLite, read-only, counts the rows of its tables, and goes on until it is ended."""

import signal
import sqlite3
import sys
from pathlib import Path

(name,) = sys.argv[1:]
connection = sqlite3.connect(f"{Path(name).resolve(strict=True).as_uri()}?mode=ro", uri=True)
for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").fetchall():
    connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
print("Uvicorn running on http://127.0.0.1:8001", flush=True)  # noqa: T201  as the real one
signal.pause()
