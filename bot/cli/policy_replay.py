"""`signalbox policy replay`: decide recent requests again with a new policy file, and show who gains and who loses.

People and user groups are read from Slack as they are now. Times, commands and targets come from the audit log.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bot import config, plugins
from bot.cli.audit import seconds_of
from bot.cli.exit_codes import CliError, Exit
from bot.cli.offline import client_of, directory_of
from bot.core.audit import Event
from bot.core.command.capability import Capability, Risk
from bot.core.command.catalog import Catalog
from bot.core.errors import Problem
from bot.core.intent import Actor
from bot.core.operation import Target
from bot.core.policy.decide import Member, Policy, Subject, Where, decide_in
from bot.core.policy.match import Situation
from bot.core.policy.visibility import decision_word
from bot.core.ports.services import Directory
from bot.core.records import Filters, StoredEntry, stamp
from bot.features.approvals.exception_request import RULE as ASK_RULE
from bot.http_client.transport import open_session
from bot.runtime.clock import SystemClock
from bot.store.open import is_there, open_store
from bot.store.store import Store

Print = Callable[[str], None]
_UNASKABLE: Final = frozenset({"no_approvers", "not_showable"})
_RANK: Final = {"denied": 0, "needs approval": 1, "allowed": 2}
_PAGE: Final = 500
_PEOPLE_MAX_AGE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Past:
    """A request from the audit log: the entry that names its target, and the decision of that time."""

    entry: StoredEntry
    was: str


class Change(NamedTuple):
    """Equal requests whose decision changes; `kind` is gains, loses or unclear."""

    kind: str
    user: str
    channel: str
    words: str
    was: str
    now: str
    by: str


def replay(settings: config.Settings, policy: Policy, since: str, say: Print) -> int:
    """Decide the requests of the last `since` again."""
    seconds = seconds_of(since)
    if not is_there(settings.store):
        raise CliError(Exit.NOT_DONE, f"{settings.store.name}: no audit log found")
    return asyncio.run(_replay(settings, policy, seconds, since, say))


async def _replay(settings: config.Settings, policy: Policy, seconds: int, since: str, say: Print) -> int:
    clock = SystemClock()
    store = await asyncio.to_thread(open_store, settings.store)
    try:
        begin = stamp(clock.now() - timedelta(seconds=seconds))
        past = await asyncio.to_thread(decided, store, begin)
        catalog = Catalog({t["name"]: plugins.load(t["kind"]).spec for t in settings.backends})
        async with open_session(settings.proxies, settings.ca_file) as session:
            slack = settings.slack
            client = await client_of(slack, session, store, clock)
            directory = directory_of(slack, client, store, clock, say)
            people = await _people(directory, policy, {one.entry.user_id or "" for one in past}, slack.team)
        found = [
            (one, await _change(policy, catalog, store, one, people, slack.team))
            for one in past
            if _capability_of(one.entry, catalog) is not None
        ]
    finally:
        await store.close()
    _tell(say, since, past, [change for _, change in found if change is not None], len(found))
    return 0


def decided(store: Store, since: str) -> list[Past]:
    """Every request since then that rules of the file decided, oldest first. Grants and break-glass are left out."""
    entries: dict[str, list[StoredEntry]] = {}
    before: int | None = None
    while page := store.search_sync(Filters(since=since), before_seq=before, limit=_PAGE):
        before = page[-1].seq
        for entry in page:
            entries.setdefault(entry.request_id, []).append(entry)
    past = [_past(found) for found in reversed(entries.values())]
    return [one for one in past if one is not None]


def _past(entries: Sequence[StoredEntry]) -> Past | None:
    first = next(
        (entry for entry in reversed(entries) if entry.target_kind and entry.policy_version and entry.user_id), None
    )
    if first is None or any((entry.rule or "").startswith("grant ") for entry in entries):
        return None
    decision = _decision_in(entries)
    return Past(first, decision) if decision is not None else None


def _decision_in(entries: Sequence[StoredEntry]) -> str | None:
    """The decision about a request, from its entries, newest first. None if it ended before any of that.

    Refused presses on its card and a lack of approvers are entries too, but not decisions of the rules.
    """
    by_event = {entry.event: entry for entry in entries}
    asked, denied = by_event.get(Event.APPROVAL_REQUESTED), by_event.get(Event.DENIED)
    demanded = asked or (denied if denied is not None and denied.code in _UNASKABLE else None)
    if demanded is not None:
        return "denied" if demanded.rule == ASK_RULE else "needs approval"
    if denied is not None:
        return "denied"
    failed = by_event.get(Event.FAILED)
    refused = failed is not None and failed.risk != str(Risk.READ)  # before anyone was asked
    unasked = refused or Event.ABANDONED in by_event or Event.EXPIRED in by_event
    return None if unasked and Event.SENT not in by_event else "allowed"


def _capability_of(entry: StoredEntry, catalog: Catalog) -> Capability | None:
    return catalog.capability(entry.backend or "", entry.verb or "", entry.target_kind or "")


async def _people(directory: Directory, policy: Policy, users: Iterable[str], team: str) -> Mapping[str, Subject]:
    found = {}
    for user in sorted(users):
        actor = Actor(user_id=user, team_id=team)
        found[user] = await directory.subject(actor, policy.user_groups, max_age=_PEOPLE_MAX_AGE)
    return found


async def _change(
    policy: Policy, catalog: Catalog, store: Store, one: Past, people: Mapping[str, Subject], team: str
) -> Change | None:
    """None if the new file gives the same answer."""
    entry, capability = one.entry, _capability_of(one.entry, catalog)
    subject = people[entry.user_id or ""]
    if capability is None:
        return None
    channel = entry.channel_id or ""
    words = f"{entry.verb} {entry.target_name}"
    if not subject.known:
        return Change("unclear", subject.user_id, channel, words, one.was, "unclear", "Slack doesn't say who this is")
    where = Where(team_id=team, channel_id=channel, is_dm=channel.startswith("D"), known=True)

    # A request that was denied before its target was looked up has no parameters in the audit log: use the defaults.
    params = capability.defaults | json.loads(entry.params)
    now, then = Situation(policy, subject, where, (), team), datetime.fromisoformat(entry.at)
    decisions = [decide_in(now, capability, target, params, then) for target in await _targets(store, catalog, entry)]
    answers = {decision_word(decision) for decision in decisions}
    unread = [group for group, member in subject.groups.items() if member is Member.UNREADABLE]
    if unread and answers != {one.was}:
        why = f"Slack doesn't say who is in {', '.join(sorted(unread))}"
        return Change("unclear", subject.user_id, channel, words, one.was, "unclear", why)
    if len(answers) > 1:
        return Change("unclear", subject.user_id, channel, words, one.was, "unclear", "its path is unknown")
    (answer,) = answers
    if answer == one.was:
        return None
    kind = "gains" if _RANK[answer] > _RANK[one.was] else "loses"
    return Change(kind, subject.user_id, channel, words, one.was, answer, decisions[0].rule)


async def _targets(store: Store, catalog: Catalog, entry: StoredEntry) -> list[Target]:
    """The target from the store. Otherwise the possible ones: under the name in the audit log, or without a path."""
    backend, kind = entry.backend or "", entry.target_kind or ""
    key = entry.target_id or catalog.split_path(backend, (entry.target_name or "").removeprefix(f"{backend}:"))[1]
    try:
        known = await store.by_id(backend, kind, key)
    except Problem:
        known = None
    if known is not None and known.scope is not None:
        return [known]
    name = entry.target_name or f"{backend}:{key}"
    path = name.removeprefix(f"{backend}:")
    named = Target(
        backend=backend, kind=kind, id=key, name=path, scope=name if name.startswith(f"{backend}:") else None
    )
    if kind == catalog.backends[backend].default_target.name and (path != key or entry.target_id is None):
        return [named]
    return [named, named.model_copy(update={"scope": None})]


def _tell(say: Print, since: str, past: Sequence[Past], changes: Sequence[Change], judged: int) -> None:
    say(f"{judged} requests of the last {since} decided again. Those under a grant or break-glass are left out.")
    if left := len(past) - judged:
        say(f"{left} skipped: their control plane or verb no longer exists.")
    counted = Counter(changes)
    for kind in ("gains", "loses", "unclear"):
        for change, count in sorted(counted.items()):
            if change.kind == kind:
                often = f", {count} times" if count > 1 else ""
                say(
                    f"{kind:<8}{change.user} in {change.channel}: {change.words}: "
                    f"{change.was} -> {change.now} by {change.by}{often}"
                )
    by_kind = Counter(change.kind for change in changes)
    say(f"{by_kind['gains']} gain, {by_kind['loses']} lose, {by_kind['unclear']} unclear.")
