"""`signalbox audit search|export|verify`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bot import config
from bot.clock import SystemClock, SystemIds
from bot.core.problems import Problem
from bot.core.register import Event, Row
from bot.core.rows import Filters, stamp
from bot.store.unit import Store

Print = Callable[[str], None]
WELL, FAILED, MISUSED = 0, 1, 2


def audit_command(settings: config.Settings, arguments: argparse.Namespace, say: Print) -> int:
    """0 well, 1 refused or failed, 2 misused."""
    if not settings.store_path.exists():
        print(f"signalbox: {settings.store_path}: there is no register yet", file=sys.stderr)  # noqa: T201
        return FAILED
    try:
        store = Store.open(str(settings.store_path))
    except Problem as problem:
        print(f"signalbox: {problem.summary} {problem.hint}", file=sys.stderr)  # noqa: T201
        return FAILED
    try:
        return _ACTIONS[arguments.action](store, settings, arguments, say)
    finally:
        store.close_sync()


def _search(store: Store, settings: config.Settings, arguments: argparse.Namespace, say: Print) -> int:
    filters = Filters(text=" ".join(arguments.text) or None)
    for entry in store.search_sync(filters, limit=max(1, min(arguments.count, 500))):
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


def _export(store: Store, settings: config.Settings, arguments: argparse.Namespace, say: Print) -> int:
    if arguments.output is None:
        print("signalbox: audit export needs --output FILE", file=sys.stderr)  # noqa: T201
        return MISUSED
    clock = SystemClock()
    detail = f"{arguments.format} to {Path(arguments.output).name}"
    store.append_sync(
        Row(
            at=stamp(clock.now()),
            request_id=SystemIds().request(),
            event=Event.EXPORTED,
            team_id=settings.slack.team,
            door="terminal",
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


def _verify(store: Store, settings: config.Settings, arguments: argparse.Namespace, say: Print) -> int:
    verdict = store.verify_sync(arguments.head)
    if not verdict.ok:
        say(f"BROKEN at row {verdict.first_bad_seq}: {verdict.why}")
        return FAILED
    say(f"{verdict.rows} rows, chain whole, head {verdict.head or 'none'}")
    if not verdict.tail_checked:
        say("Without --head SEQ:HASH from the security channel a cut tail cannot be seen.")
    return WELL


_ACTIONS = {"search": _search, "export": _export, "verify": _verify}
