"""What is special about PostgreSQL's SQL: the full-text index, the guards of the audit log, and the check of its chain."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bot.core.audit import HASHED_COLUMNS, ZERO_HASH
from bot.core.value import canonical
from bot.store.database import Dialect, Term, Tx
from bot.store.tables.audit import FTS_COLUMNS
from bot.store.tables.audit_query import words

_LAST_POSITION: Final = 16_383
_MOST_PLACES: Final = 255
_LONGEST_WORD: Final = 500
_GAP: Final = 10  # no phrase reaches from one column into the next

# Name, body and event of each guard. A trigger has its function's name.
_GUARDS: Final = {
    "audit_no_change": (
        "RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';",
        "BEFORE UPDATE OR DELETE ON audit FOR EACH ROW",
    ),
    "audit_no_truncate": (
        "RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'integrity_constraint_violation';",
        "BEFORE TRUNCATE ON audit FOR EACH STATEMENT",
    ),
    "audit_next_only": (
        (
            "IF NEW.seq IS DISTINCT FROM 1 + coalesce((SELECT max(seq) FROM audit), 0) OR NEW.prev_hash IS DISTINCT FROM "
            f"coalesce((SELECT hash FROM audit WHERE seq = NEW.seq - 1), '{ZERO_HASH}') THEN "
            "RAISE EXCEPTION 'the audit log takes the next row of its chain only' "
            "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW;"
        ),
        "BEFORE INSERT ON audit FOR EACH ROW",
    ),
}
GUARDS: Final = tuple(
    statement
    for name, (body, event) in _GUARDS.items()
    for statement in (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$",
        f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION {name}()",
        f"ALTER TABLE audit ENABLE ALWAYS TRIGGER {name}",
    )
)
_PRESENT: Final = """
    SELECT t.tgname, p.prosrc, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = 'audit'::regclass AND t.tgenabled = 'A'"""


class PostgresDialect(Dialect):
    """PostgreSQL with a `tsvector` that this program fills."""

    json_list = "SELECT value FROM json_array_elements_text(CAST(? AS json))"
    no_index = ""
    searched = ("audit r", "r.seq", "r.words @@ CAST(? AS tsquery)")

    def json_text(self, column: str, *path: str) -> str:
        """An expression for the text at a path in a JSON column; NULL if there is none."""
        return f"(CAST({column} AS json) #>> '{{{','.join(path)}}}')"

    def search_query(self, terms: Sequence[Term]) -> str:
        """The value of a search for entries that contain all terms. Words have letters and digits only."""
        return " & ".join(f"({_phrase(term)})" for term in terms)

    def chained(self, tx: Tx, after: int, limit: int) -> Iterable[tuple[int, str, str, bytes | None]]:
        """Sequence number, hashes and hashed bytes of the next entries, in order. No bytes for an unknown version."""
        rows = tx.execute(_CHAINED, (after, limit))
        for seq, prev, digest, version, *values in rows:
            entry = dict(zip(_EVERY, values, strict=True))
            names = HASHED_COLUMNS.get(version, ())
            body = (prev + canonical({name: entry[name] for name in names})).encode() if names else None
            yield seq, prev, digest, body

    def missing_guards(self, tx: Tx) -> list[str]:
        """Names of the triggers that are missing, switched off or different."""
        present = {name: (source, made) for name, source, made in tx.execute(_PRESENT)}
        return [
            name
            for name, (body, event) in _GUARDS.items()
            if present.get(name, ("", ""))[0] != f"BEGIN {body} END" or not _same(present[name][1], event)
        ]


_EVERY: Final = tuple(sorted({name for names in HASHED_COLUMNS.values() for name in names}))
_CHAINED: Final = f"SELECT seq, prev_hash, hash, v, {', '.join(_EVERY)} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"


def _same(made: str, event: str) -> bool:
    """Whether a trigger's definition is on that event; PostgreSQL names the events in its own order, and the schema."""
    words_of = {word.rpartition(".")[2] for word in made.split()}
    return set(event.split()) <= words_of


def _phrase(term: Term) -> str:
    marks = ("*" if term.prefix else "") + ("A" if term.verb else "")
    parts = [f"'{word[:_LONGEST_WORD]}'" + (":A" if term.verb else "") for word in term.words[:-1]]
    return " <-> ".join([*parts, f"'{term.words[-1][:_LONGEST_WORD]}'" + (f":{marks}" if marks else "")])


def search_vector(entry: Mapping[str, Any]) -> str:
    """The words of an entry with their positions, as a `tsvector`. Words of the verb have the weight A."""
    places: dict[str, list[str]] = {}
    position = 0
    for column in FTS_COLUMNS:
        weight = "A" if column == "verb" else ""
        for word in words(entry[column] or ""):
            position = min(position + 1, _LAST_POSITION)
            places.setdefault(word[:_LONGEST_WORD], []).append(f"{position}{weight}")
        position = min(position + _GAP, _LAST_POSITION)
    return " ".join(f"'{word}':{','.join(found[:_MOST_PLACES])}" for word, found in places.items())
