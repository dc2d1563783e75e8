"""The schema's migrations; see bot/store/migrations.py. A released migration never changes: add a new one at the end."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import psycopg

from bot.core.audit import ZERO_HASH
from bot.store.migrations import contracts, refuse_unreadable
from bot.store.postgres.dialect import GUARDS
from bot.store.tables import TABLES, audit
from bot.store.tables.audit import operations_sql

SCHEMA: Final = "signalbox"
_log = logging.getLogger("signalbox.store")
MIGRATING: Final = 0x53674278  # the ASCII letters "SgBx": one migration at a time
_TEXT: Final = 'text COLLATE "C"'
_ARRIVAL: Final = "rowid bigint GENERATED ALWAYS AS IDENTITY"


def _operations() -> Iterator[str]:
    """The view of requests: since the second version, the verb of one from a form is what it asked for."""
    yield f"CREATE OR REPLACE VIEW operations AS {operations_sql('string_agg(user_id, chr(44))')}"


def _first() -> Iterator[str]:
    """The tables of the first release."""
    for table in TABLES:
        yield from table.create(_TEXT, "bigint", "" if table is audit.TABLE else _ARRIVAL)
    yield "CREATE INDEX watches_arrival ON watches (rowid)"
    yield "ALTER TABLE audit ADD COLUMN words tsvector NOT NULL"
    yield "CREATE INDEX audit_words ON audit USING gin (words)"
    yield from GUARDS
    yield from _operations()
    # The head of the chain: locked first by every transaction that writes, so that they run one after the other.
    yield (
        f"CREATE TABLE chain (id bigint PRIMARY KEY CHECK (id = 1), seq bigint NOT NULL, hash {_TEXT} NOT NULL) "
        "WITH (fillfactor = 50)"
    )
    yield f"INSERT INTO chain VALUES (1, 0, '{ZERO_HASH}')"  # noqa: S608  a constant
    yield "CREATE SEQUENCE epochs"
    yield (
        f"CREATE TABLE replicas (id {_TEXT} PRIMARY KEY, epoch bigint, state {_TEXT} NOT NULL, beat_at timestamptz NOT NULL, "
        f"name {_TEXT}, sockets integer NOT NULL DEFAULT 0, knows {_TEXT})"  # the last migration that its program knows
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
    # The number of the last transaction of each writer, by which a commit is found whose answer was lost.
    yield (
        f"CREATE TABLE commits (writer {_TEXT} PRIMARY KEY, n bigint NOT NULL, at timestamptz NOT NULL) "
        "WITH (fillfactor = 50)"
    )
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


Migrations = Mapping[str, Callable[[], Iterable[str]]]
MIGRATIONS: Final[Migrations] = {"m001_first_release": _first, "m002_operations_of_forms": _operations}
KNOWS: Final = max(MIGRATIONS)
_OLDER: Final = b"""
    SELECT count(*) FROM replicas WHERE state = 'live' AND beat_at > clock_timestamp() - interval '1 minute'
    AND coalesce(knows, '') < %s"""


def prepare(connection: psycopg.Connection, migrations: Migrations = MIGRATIONS) -> list[str]:
    """Apply the missing migrations in one transaction. Returns their names. Raises StoreProblem (store_newer).

    Without a missing migration it needs no right to make tables. One that contracts, and those after it, wait for a later start
    while a replica of an older version is live.
    """
    done = list[str]()
    if not _missing(connection, migrations):
        return done
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS migrations (name {_TEXT} PRIMARY KEY, at timestamptz NOT NULL)".encode()
        )
        for name in _missing(connection, migrations):
            if contracts(name) and connection.execute(_OLDER, (name,)).fetchone() != (0,):
                _log.info("the migration %s waits until no replica of an older version runs", name)
                break
            for statement in migrations[name]():
                connection.execute(statement.encode())
            connection.execute("INSERT INTO migrations VALUES (%s, now())", (name,))
            done.append(name)
    return done


def _missing(connection: psycopg.Connection, migrations: Migrations) -> list[str]:
    """The migrations that this database still needs."""
    found = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.migrations",)).fetchone()
    if found is None or found[0] is None:
        return list(migrations)
    applied = [name for (name,) in connection.execute("SELECT name FROM migrations ORDER BY name")]
    refuse_unreadable(applied, list(migrations))
    return [name for name in migrations if name not in applied]
