"""`signalbox audit search|export|verify`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bot.core.audit import AuditEntry, Event
from bot.core.errors import Problem
from bot.core.records import Filters, stamp
from bot.runtime.clock import SystemClock, SystemIds
from bot.store.sqlite.store import Store
from bot.store.sqlite.tables.audit_verify import HEAD_FORM

_REQUEST = re.compile(r"r-[0-9a-z]{14}")
Print = Callable[[str], None]
WELL, FAILED, MISUSED = 0, 1, 2


def audit_command(where: tuple[Path, str], arguments: argparse.Namespace, say: Print) -> int:
    """0 well, 1 refused or failed, 2 misused."""
    path, team = where
    head = arguments.head if arguments.action == "verify" else None
    if head is not None and HEAD_FORM.fullmatch(head.strip()) is None:
        print("signalbox: --head is written SEQ:HASH, a number and 64 hex digits, as it was published", file=sys.stderr)  # noqa: T201
        return MISUSED
    if not path.exists():
        print(f"signalbox: {path}: there is no audit log there", file=sys.stderr)  # noqa: T201
        return FAILED
    try:
        store = Store.open(str(path))
    except Problem as problem:
        print(f"signalbox: {problem.summary} {problem.hint}", file=sys.stderr)  # noqa: T201
        return FAILED
    try:
        return _ACTIONS[arguments.action](store, team, arguments, say)
    finally:
        store.close_sync()


def _search(store: Store, team: str, arguments: argparse.Namespace, say: Print) -> int:
    if arguments.event is not None and arguments.event not in set(Event):
        print(f"signalbox: no event is called {arguments.event}; there are {', '.join(Event)}", file=sys.stderr)  # noqa: T201
        return MISUSED
    words = " ".join(arguments.text)
    named = _REQUEST.fullmatch(words)
    filters = Filters(request_id=words) if named else Filters(text=words or None)
    found = store.search_sync(replace(filters, event=arguments.event), limit=max(1, min(arguments.count, 500)))
    if not found:
        print("signalbox: no row holds that", file=sys.stderr)  # noqa: T201
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
    return WELL


def _export(store: Store, team: str, arguments: argparse.Namespace, say: Print) -> int:
    clock = SystemClock()
    detail = f"{arguments.format} to {Path(arguments.output).name}"
    store.append_sync(
        AuditEntry(
            at=stamp(clock.now()),
            request_id=SystemIds().request(),
            event=Event.EXPORTED,
            team_id=team or None,
            source="terminal",
            detail=detail,
        )
    )
    try:
        count = store.export_sync(str(arguments.output), arguments.format)
    except OSError as error:
        print(f"signalbox: {arguments.output}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return FAILED
    say(f"{count} rows to {arguments.output}")
    return WELL


def _verify(store: Store, team: str, arguments: argparse.Namespace, say: Print) -> int:
    verdict = store.verify_sync(arguments.head)
    if not verdict.ok:
        where = "" if verdict.first_bad_seq is None else f" at row {verdict.first_bad_seq}"
        say(f"BROKEN{where}: {verdict.why}")
        return FAILED
    say(f"{verdict.rows} rows, chain whole, head {verdict.head or 'none'}")
    if not verdict.tail_checked:
        say("Without --head SEQ:HASH from the security channel a cut tail cannot be seen.")
    return WELL


_ACTIONS = {"search": _search, "export": _export, "verify": _verify}
