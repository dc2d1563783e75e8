"""The schema's migrations. A released migration never changes: add a new one at the end.

A migration only adds, so that the previous version of the program can still work beside this one. What it leaves over is
removed by a later one, when no replica of that version runs anymore.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import psycopg

from bot.core.audit import ZERO_HASH
from bot.store.errors import StoreProblem
from bot.store.postgres.dialect import GUARDS
from bot.store.tables import TABLES, audit
from bot.store.tables.audit import operations_sql

SCHEMA: Final = "signalbox"
_LOCK: Final = 0x53674278  # the ASCII letters "SgBx": one migration at a time
_TEXT: Final = 'text COLLATE "C"'
_ARRIVAL: Final = "rowid bigint GENERATED ALWAYS AS IDENTITY"


def _first() -> Iterator[str]:
    """The tables of the first release."""
    for table in TABLES:
        yield from table.create(_TEXT, "bigint", "" if table is audit.TABLE else _ARRIVAL)
    yield "CREATE INDEX watches_arrival ON watches (rowid)"
    yield "ALTER TABLE audit ADD COLUMN words tsvector NOT NULL"
    yield "CREATE INDEX audit_words ON audit USING gin (words)"
    yield from GUARDS
    yield f"CREATE VIEW operations AS {operations_sql('string_agg(user_id, chr(44))')}"
    # The head of the chain: locked first by every transaction that writes, so that they run one after the other.
    yield (
        f"CREATE TABLE chain (id bigint PRIMARY KEY CHECK (id = 1), seq bigint NOT NULL, hash {_TEXT} NOT NULL) "
        "WITH (fillfactor = 50)"
    )
    yield f"INSERT INTO chain VALUES (1, 0, '{ZERO_HASH}')"  # noqa: S608  a constant
    yield "CREATE SEQUENCE epochs"
    yield (
        f"CREATE TABLE replicas (id {_TEXT} PRIMARY KEY, epoch bigint, state {_TEXT} NOT NULL, beat_at timestamptz NOT NULL, "
        f"name {_TEXT}, sockets integer NOT NULL DEFAULT 0)"
    )
    yield (
        f"CREATE TABLE leaders (team_id {_TEXT} PRIMARY KEY, epoch bigint NOT NULL, replica {_TEXT} NOT NULL, "
        "beat_at timestamptz NOT NULL)"
    )
    yield "ALTER TABLE requests ADD COLUMN owner_epoch bigint"
    yield from _OWNER
    yield (
        f"CREATE TABLE blobs (id {_TEXT}, n bigint, body bytea NOT NULL, made_at timestamptz NOT NULL DEFAULT now(), "
        "PRIMARY KEY (id, n))"
    )
    yield "ALTER TABLE blobs ALTER COLUMN body SET STORAGE EXTERNAL"
    yield "REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON audit FROM CURRENT_USER"


# The replica that works on a request is the one that set its state: its epoch is in the name of its session.
_OWNER: Final = (
    """CREATE FUNCTION request_owner() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        NEW.owner_epoch := CASE WHEN NEW.state IN ('working', 'sending') THEN
            CAST(substring(current_setting('application_name') FROM '^signalbox/([0-9]+)$') AS bigint) END;
        RETURN NEW;
    END$$""",
    "CREATE TRIGGER request_owner BEFORE INSERT OR UPDATE OF state ON requests FOR EACH ROW EXECUTE FUNCTION request_owner()",
)


def _commits() -> Iterator[str]:
    """The number of the last transaction of each writer, by which a commit is found whose answer was lost."""
    yield (
        f"CREATE TABLE commits (writer {_TEXT} PRIMARY KEY, n bigint NOT NULL, at timestamptz NOT NULL) "
        "WITH (fillfactor = 50)"
    )


MIGRATIONS: Final = {"m001_schema": _first, "m002_commits": _commits}


def prepare(connection: psycopg.Connection) -> list[str]:
    """Apply the missing migrations in one transaction. Returns their names. Raises StoreProblem (store_newer).

    Without a missing migration it needs no right to make tables.
    """
    missing = _missing(connection)
    if not missing:
        return []
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS migrations (name {_TEXT} PRIMARY KEY, at timestamptz NOT NULL)".encode()
        )
        missing = _missing(connection)
        for name in missing:
            for statement in MIGRATIONS[name]():
                connection.execute(statement.encode())
            connection.execute("INSERT INTO migrations VALUES (%s, now())", (name,))
    return missing


def _missing(connection: psycopg.Connection) -> list[str]:
    """The migrations that this database still needs."""
    found = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.migrations",)).fetchone()
    if found is None or found[0] is None:
        return list(MIGRATIONS)
    applied = [name for (name,) in connection.execute("SELECT name FROM migrations ORDER BY name")]
    unknown = [name for name in applied if name not in MIGRATIONS]
    if unknown:
        raise StoreProblem(
            f"A newer signalbox changed this database (it has {', '.join(unknown)}).",
            "Install that version again, or restore the backup that was made before the upgrade.",
            "store_newer",
        )
    return [name for name in MIGRATIONS if name not in applied]
