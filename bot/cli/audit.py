"""`signalbox audit search|export|verify`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from bot import config
from bot.cli.exit_codes import CliError, Exit
from bot.core.audit import AuditEntry, Event
from bot.core.ports.store import StoreAddress
from bot.core.records import Filters, stamp
from bot.runtime.clock import SystemClock, SystemIds
from bot.store.open import is_there, open_store
from bot.store.store import Store
from bot.store.tables.audit_verify import HEAD_FORM

_REQUEST = re.compile(r"r-[0-9a-z]{14}")
Print = Callable[[str], None]


@contextmanager
def _opened(address: StoreAddress) -> Iterator[Store]:
    if not is_there(address):
        raise CliError(Exit.NOT_DONE, f"{address.url}: no audit log found")
    store = open_store(address)
    try:
        yield store
    finally:
        store.close_sync()


def search(config_path: Path, words: str, event: str | None, incident: str | None, count: int, say: Print) -> int:
    """Print entries, newest first."""
    if event is not None and event not in set(Event):
        raise CliError(Exit.MISUSED, f"unknown event {event}; the events are {', '.join(Event)}")
    named = _REQUEST.fullmatch(words)
    filters = Filters(request_id=words) if named else Filters(text=words or None)
    with _opened(config.audit_log_of(config_path)[0]) as store:
        found = store.search_sync(replace(filters, event=event, incident=incident), limit=max(1, min(count, 500)))
    if not found:
        click.echo("signalbox: no matching audit entries", err=True)
    for entry in found:
        parts = (
            entry.verb,
            entry.target_name,
            entry.params if entry.params != "{}" else None,
            entry.code,
            entry.detail,
        )
        words = " ".join(part for part in parts if part)
        say(f"{entry.seq}  {entry.at}  {entry.user_id or '-'}  {entry.channel_id or '-'}  {entry.event}  {words}")
    return Exit.DONE


def export(config_path: Path, form: str, output: Path, say: Print) -> int:
    """Write every entry to a file. The export itself is recorded as an entry."""
    address, team = config.audit_log_of(config_path)
    with _opened(address) as store:
        store.append_sync(
            AuditEntry(
                at=stamp(SystemClock().now()),
                request_id=SystemIds().request(),
                event=Event.EXPORTED,
                team_id=team or None,
                source="terminal",
                detail=f"{form} to {output.name}",
            )
        )
        try:
            count = store.export_sync(str(output), form)
        except OSError as error:
            raise CliError(Exit.NOT_DONE, f"{output}: {error.strerror}") from None
    say(f"{count} entries to {output}")
    return Exit.DONE


def verify(config_path: Path, head: str | None, say: Print) -> int:
    """Check the hash chain, and the published head if there is one."""
    if head is not None and HEAD_FORM.fullmatch(head.strip()) is None:
        raise CliError(Exit.MISUSED, "--head takes SEQ:HASH as published: a number and 64 hex digits")
    with _opened(config.audit_log_of(config_path)[0]) as store:
        verdict = store.verify_sync(head)
    if not verdict.ok:
        where = "" if verdict.first_bad_seq is None else f" at entry {verdict.first_bad_seq}"
        say(f"BROKEN{where}: {verdict.why}")
        return Exit.NOT_DONE
    say(f"{verdict.rows} entries, the chain is intact, head {verdict.head or 'none'}")
    if not verdict.tail_checked:
        say("To detect entries missing at the end, pass --head SEQ:HASH from the security channel.")
    return Exit.DONE
