"""`signalbox audit search|export|verify`."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click
from tzlocal import get_localzone

from bot import config
from bot.cli.exit_codes import CliError, Exit
from bot.core.audit import SAID, AuditEntry, Event
from bot.core.audit_search import OPENINGS, asked_in, asks_for_questions, called, is_question, searches
from bot.core.command.params import BadParam, duration_seconds
from bot.core.ports.store import StoreAddress
from bot.core.records import (
    NAME_KEY,
    Filters,
    StoredEntry,
    newest_of,
    of_timer,
    stamp,
    what_of,
    whose,
)
from bot.core.text import utc_text
from bot.render.text_format import NOTHING, aligned, one_line
from bot.render.zones import in_zone
from bot.runtime.clock import SystemClock, SystemIds
from bot.store.open import is_there, open_store
from bot.store.store import Store
from bot.store.tables.audit_verify import HEAD_FORM

_REQUEST = re.compile(r"r-[0-9a-z]{14}")
_USER = re.compile(r"[UW][A-Z0-9]{1,30}")
_ID = re.compile(r"<(?P<mark>[@#])(?P<named>[CUW][A-Z0-9]{1,30})(?:\|[^>]*)?>|\b[CUW][A-Z0-9]{2,30}\b")
_COLUMNS = ("Seq", "When", "Who", "Where", "Event", "What", "Detail")
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


def search(
    config_path: Path,
    words: str,
    event: str | None,
    incident: str | None,
    count: int,
    say: Print,
    *,
    user: str | None = None,
    since: str | None = None,
) -> int:
    """Print entries, newest first, with times in the terminal's zone and the names that the bot has seen."""
    if event is not None and event not in {*Event, *SAID}:
        raise CliError(Exit.MISUSED, f"unknown event {event}; the events are {', '.join(Event)}")
    words = "" if words.strip() == "*" else words
    seconds = seconds_of(since) if since is not None else None
    with _opened(config.audit_log_of(config_path)[0]) as store:
        kept = store.values_sync(NAME_KEY)
        names = {known: [str(one) for one in names] for known, names in kept.items() if isinstance(names, list)}
        asked = asked_in(words.split(), {} if user else names)
        named = _REQUEST.fullmatch(asked.text)
        filters = Filters(request_id=asked.text) if named else Filters(text=asked.text or None)
        if back := seconds or asked.since:
            filters = replace(filters, since=stamp(SystemClock().now() - timedelta(seconds=back)))
        opened = store.search_sync(OPENINGS, limit=500) if filters.text or incident else ()
        called = {str(entry.incident) for entry in opened}
        if incident and incident not in called:  # written in another case
            incident = next((name for name in called if name.casefold() == incident.casefold()), incident)
        filters = replace(filters, event=event, incident=incident, user_id=_person(user, names) if user else asked.user)
        most = max(1, min(count, 500))
        found = newest_of([store.search_sync(one, limit=most) for one in searches(filters, opened)], most)
        if not asks_for_questions(filters):
            pages = [store.search_sync(one, limit=500) for one in searches(filters, opened)]
            answers = [[entry for entry in page if not is_question(entry)] for page in pages]
            found = newest_of(answers, most) or found
        older = found[-1].seq if len(found) == most else 0
        more = (
            any(store.search_sync(one, before_seq=older, limit=1) for one in searches(filters, opened))
            if older
            else False
        )
    if not found:
        since_when = f" since {utc_text(filters.since)}" if filters.since else ""
        sought = (
            f" for {' '.join(filter(None, (filters.text, filters.event, filters.incident)))}" if filters.text else ""
        )
        click.echo(f"signalbox: no matching audit entries{sought}{since_when}", err=True)
        return Exit.DONE
    first = Counter(one for one, *_ in names.values())
    shown = {  # two people of one name stay apart
        known: one if first[one] == 1 else f"{one} ({known})" for known, (one, *_) in names.items()
    }
    for line in aligned([_COLUMNS, *(_cells(entry, shown) for entry in found)]):
        say(line)
    if more:
        where = f"--count {min(2 * most, 500)}" if most < 500 else "`signalbox audit export`"
        click.echo(f"signalbox: older entries match too; see them with {where}", err=True)
    return Exit.DONE


def seconds_of(since: str) -> int:
    """The seconds of the option `--since`. Raises CliError."""
    try:
        return duration_seconds({"today": "1d", "yesterday": "2d"}.get(since.casefold(), since))
    except BadParam as problem:
        raise CliError(Exit.MISUSED, f"--since: {problem}") from None


def _person(written: str, names: Mapping[str, Sequence[str]]) -> str:
    """The id of a person: as it is, from a mention, or from a name that the bot has seen."""
    text = written.strip().strip("<>").removeprefix("@").partition("|")[0]
    if _USER.fullmatch(text):
        return text
    ids = called(text, names)
    if len(ids) == 1:
        return ids[0]
    what = f"several people are called {text}: {', '.join(ids)}" if ids else f"the bot has seen no person called {text}"
    raise CliError(Exit.MISUSED, f"{what}. Pass the id, U..., which the person's profile in Slack shows")


def _cells(entry: StoredEntry, names: Mapping[str, str]) -> tuple[str, ...]:
    """The entry for a person to read; `audit export` has the exact values."""
    entry = of_timer(entry)
    what = f"{what_of(entry)} {entry.given}".rstrip()
    parts = (entry.reason, entry.detail or entry.code)  # of a request, the detail are the words before the reason
    detail = ". ".join(part for part in (parts[::-1] if entry.event is Event.REQUESTED else parts) if part)
    at, detail = (in_zone(text, get_localzone()) for text in (utc_text(entry.at, seconds=True), detail))
    what, named = (_ID.sub(lambda found: _name(found, names), text) for text in (what, detail))
    who, where = (names.get(one or "", one or "") for one in (entry.user_id, entry.channel_id))
    who = whose(entry, who) or NOTHING
    cells = (str(entry.seq), at, who, where or NOTHING, str(entry.event), what, named)
    return tuple(one_line(cell) for cell in cells)


def _name(found: re.Match[str], names: Mapping[str, str]) -> str:
    """`@Ana` for a mention, and the name for an id; the id itself when the bot has seen no name."""
    known = found["named"] or found[0]
    return (found["mark"] or "") + names.get(known, known)


def export(config_path: Path, form: str, output: Path, say: Print) -> int:
    """Write every entry to a file. The export itself is recorded as an entry."""
    address, team = config.audit_log_of(config_path)
    with _opened(address) as store:
        entry = AuditEntry(
            at=stamp(SystemClock().now()),
            request_id=SystemIds().request(),
            event=Event.EXPORTED,
            team_id=team or None,
            source="terminal",
            detail=f"{form} to {output.name}",
        )
        earlier = output.exists()
        try:
            count = store.export_sync(str(output), form, entry)
        except OSError as error:
            raise CliError(Exit.NOT_DONE, f"{output}: {error.strerror}") from None
    say(f"{count} entries to {output}{', in place of the earlier file' if earlier else ''}")
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
