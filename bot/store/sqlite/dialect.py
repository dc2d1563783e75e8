"""What is special about SQLite's SQL: the full-text index, the guards of the audit log, and the check of its chain."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from collections.abc import Iterable, Sequence
from typing import Final

from bot.core.audit import HASHED_COLUMNS, ZERO_HASH
from bot.store.database import Dialect, Term, Tx
from bot.store.errors import UnreadableError
from bot.store.sqlite.driver import sqlite3
from bot.store.tables.audit import FTS_COLUMNS

GUARDS: Final = {
    "audit_no_update": """
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    "audit_no_delete": """
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    # Also refuses gaps, and INSERT OR REPLACE, whose deletions fire no trigger while recursive_triggers is off.
    "audit_next_only": f"""
        CREATE TRIGGER audit_next_only BEFORE INSERT ON audit
        WHEN NEW.seq IS NOT 1 + coalesce((SELECT max(seq) FROM audit), 0)
          OR NEW.prev_hash IS NOT coalesce((SELECT hash FROM audit WHERE seq = NEW.seq - 1), '{ZERO_HASH}')
        BEGIN SELECT RAISE(ABORT, 'the audit log takes the next row of its chain only'); END""",
    "audit_search": f"""
        CREATE TRIGGER audit_search AFTER INSERT ON audit
        BEGIN INSERT INTO audit_fts (rowid, {", ".join(FTS_COLUMNS)})
              VALUES (NEW.seq, {", ".join(f"NEW.{name}" for name in FTS_COLUMNS)}); END""",
}
# No columnsize: it serves ranking only, and results are newest first.
FULL_TEXT: Final = (
    f"CREATE VIRTUAL TABLE audit_fts USING fts5({', '.join(FTS_COLUMNS)}, "
    "content='audit', content_rowid='seq', columnsize=0)"
)


def _canonical(names: Sequence[str]) -> str:
    """SQLite's `json_object` escapes as `core.value.canonical` does, so that Python only hashes; a test compares them."""
    pairs = ", ".join(f"'{name}', {name}" for name in sorted(names))
    return f"json_object({pairs})"


_FORMS: Final = " ".join(f"WHEN {version} THEN {_canonical(names)}" for version, names in HASHED_COLUMNS.items())
_CHAINED: Final = (
    f"SELECT seq, prev_hash, hash, CAST(prev_hash || CASE v {_FORMS} END AS BLOB) "
    "FROM audit NOT INDEXED WHERE seq > ? ORDER BY seq LIMIT ?"
)


class SqliteDialect(Dialect):
    """SQLite with FTS5."""

    json_list = "SELECT value FROM json_each(?)"
    no_index = "+"
    searched = ("audit_fts f CROSS JOIN audit r ON r.seq = f.rowid", "f.rowid", "audit_fts MATCH ?")

    def json_text(self, column: str, *path: str) -> str:
        """An expression for the text at a path in a JSON column; NULL if there is none."""
        return f"json_extract({column}, '$.{'.'.join(path)}')"

    def search_query(self, terms: Sequence[Term]) -> str:
        """The value of a search for entries that contain all terms."""
        return " AND ".join(f'{"verb : " * term.verb}"{" ".join(term.words)}"{" *" * term.prefix}' for term in terms)

    def chained(self, tx: Tx, after: int, limit: int) -> Iterable[tuple[int, str, str, bytes | None]]:
        """Sequence number, hashes and hashed bytes of the next entries. One that SQLite's JSON can't represent was changed."""
        try:
            yield from tx.execute(_CHAINED, (after, limit))
        except sqlite3.Error as error:
            raise UnreadableError(str(error)) from error

    def missing_guards(self, tx: Tx) -> list[str]:
        """Names of the triggers that are missing or different. Blanks may differ."""
        present = dict(tx.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        return [name for name, sql in GUARDS.items() if present.get(name, "").split() != sql.split()]
