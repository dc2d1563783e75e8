"""Compares what the replicas wrote with what the control plane and Slack saw. Every broken promise is one line."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import psycopg

from bot.core.records import Filters, StoredEntry
from bot.playground.workspace.receipt import Receipt
from tests.faults.replicas import Cluster, outcomes
from tests.faults.voters import GUARDED, PEOPLE
from tests.world import shown

WORKING = "⏳"  # on a card that does not show an outcome yet
# The database's clock, so that a replica's wrong one does not matter.
_SENT = """
    SELECT request_id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM signalbox.audit WHERE event = 'sent'"""

_PRIVATE = "SELECT key, body FROM signalbox.messages WHERE key LIKE 'say:%' AND have >= want"


@dataclass
class Findings:
    """What the histories contain. `broken` lists broken promises."""

    ends: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    twice: int = 0  # requests with a second card, which a replica posted that was being replaced
    broken: list[str] = field(default_factory=list)

    def expect(self, promise: object, broken: str) -> None:
        """Note it when it is not kept."""
        if not promise:
            self.broken.append(f"BROKEN: {broken}")


class Told(Enum):
    """What the person got from Slack at once."""

    TAKEN = "an ack"
    REFUSED = "an ack that says that nothing is done"
    NOTHING = "an error of Slack, or an ack with other words"

    @classmethod
    def of(cls, receipt: Receipt) -> Told:
        """Which of them it was."""
        if not receipt.acked or (receipt.body and "othing was done" not in str(receipt.body)):
            return cls.NOTHING
        return cls.REFUSED if receipt.body else cls.TAKEN


def check(group: Cluster, typed: Mapping[str, Told], pressed: int = 0) -> Findings:
    """`typed` says of the value of each start what its person was told at once; that many presses were acknowledged."""
    found = Findings()
    every = every_entry(group)
    requests = requests_of(every)
    _check_decisions(found, every, pressed)
    calls, sent, cards = runs_by_value(group), sent_times(group), cards_of(group)
    found.calls = sum(len(runs) for runs in calls.values())
    stored, claimed = set[str](), Counter[str]()
    for request_id, entries in requests.items():
        ends = outcomes(entries) + [str(entry.event) for entry in entries if entry.event == "rejected"]
        asked = next((entry for entry in entries if entry.event == "requested"), None)
        value = value_of(asked.params) if asked is not None else ""
        stored.add(value)
        found.ends.update(ends)
        found.expect(
            len(ends) == 1, f"{request_id} has the outcomes {ends} in {[str(entry.event) for entry in entries]}"
        )
        mine = calls.get(value, [])
        found.expect(len(mine) <= 1, f"{request_id} was sent {len(mine)} times")
        found.expect(
            all(any(at <= call for at in sent[request_id]) for call in mine), f"{request_id}: a call before its entry"
        )
        happened = set(ends) & {"done", "reconciled"}
        found.expect(bool(mine) or not happened, f"{request_id} is told as {ends}, but was never sent")
        found.expect(
            not mine or set(ends) & {"done", "reconciled", "abandoned"}, f"{request_id} was sent, but is {ends}"
        )
        claimed.update(entry.backend_ref for entry in entries if entry.event in happened and entry.backend_ref)
        answer = typed.get(value, Told.NOTHING)
        if answer is Told.REFUSED:
            found.expect(not mine, f"{request_id} was told in the ack as not done, but is {ends}")
        if answer is Told.TAKEN or cards[request_id]:
            _check_card(found, request_id, cards[request_id], happened=bool(happened))
    for ref, number in claimed.items():
        found.expect(number == 1, f"{number} requests claim the run {ref}")
    for value, answer in typed.items():
        found.expect(answer is not Told.TAKEN or value in stored, f"the acked start {value} is lost")
    found.expect(group.store.verify_sync(group.store.head_sync()).ok, "the chain is broken")
    return found


def _check_decisions(found: Findings, entries: Iterable[StoredEntry], pressed: int) -> None:
    """Each approval has one winner, only what was approved before is sent, and no press is lost."""
    decided: dict[str | None, list[StoredEntry]] = defaultdict(list)
    presses = 0
    for entry in entries:
        presses += entry.event == "requested" and entry.source == "button"
        if entry.event in ("approved", "rejected"):
            decided[entry.approval_id].append(entry)
        if entry.event == "sent" and (entry.target_name or "").endswith(GUARDED):
            by = [one.user_id for one in decided[entry.approval_id] if entry.approval_id and one.event == "approved"]
            found.expect(set(by) & set(PEOPLE), f"{entry.request_id} was sent without an approval")
    for approval, entries_of in decided.items():
        found.decisions.update(str(entry.event) for entry in entries_of)
        found.expect(len(entries_of) <= 1, f"{approval} was decided {len(entries_of)} times")
    found.expect(pressed <= presses, f"{pressed} presses were acknowledged, but {presses} are stored")


def _check_card(found: Findings, request_id: str, cards: list[str], *, happened: bool) -> None:
    """The card shows the end; for a start, the end of its run."""
    found.expect(cards, f"{request_id} has no card")
    found.twice += len(cards) > 1
    found.expect(
        not any(WORKING in card for card in cards), f"{request_id} has a card that still shows work in progress"
    )
    shows_run = any("Succeeded" in card for card in cards)
    found.expect(shows_run == happened, f"the card of {request_id} shows {cards}")


def is_settled(group: Cluster) -> bool:
    """Whether no card shows work in progress."""
    return not any(WORKING in shown(message) for message in group.ws.person("U0ANA").messages("C0CRAWL"))


def requests_of(entries: Iterable[StoredEntry]) -> dict[str, list[StoredEntry]]:
    """The audit entries of each start, oldest first."""
    found: dict[str, list[StoredEntry]] = {}
    for entry in entries:
        if entry.verb == "start" or entry.request_id in found:
            found.setdefault(entry.request_id, []).append(entry)
    return found


def every_entry(group: Cluster) -> list[StoredEntry]:
    """The whole audit log, oldest first."""
    found: list[StoredEntry] = []
    before: int | None = None
    while page := group.store.search_sync(Filters(), before_seq=before, limit=500):
        found += page
        before = page[-1].seq
    return list(reversed(found))


def sent_times(group: Cluster) -> dict[str, list[float]]:
    """When the database committed the `sent` entries of each request."""
    found: dict[str, list[float]] = defaultdict(list)
    with psycopg.connect(group.database, autocommit=True) as connection:
        for request_id, at in connection.execute(_SENT):
            found[request_id].append(at)
    return found


def value_of(text: str) -> str:
    """The value that a command gave, which tells its run apart."""
    found = re.search(r"\bn[0-9]+\b", text)
    return found.group() if found else ""


def runs_by_value(group: Cluster) -> dict[str, list[float]]:
    """When the control plane started a run, by the value that the command gave."""
    world = group.acc.world
    found: dict[str, list[float]] = {}
    for effect in group.acc.effects:
        if effect.action == "start":
            run: Any = world.runs.get(effect.ref) or world.jobs.get(effect.ref)
            found.setdefault(value_of(str(run.options.parameters)), []).append(effect.at)
    return found


def cards_of(group: Cluster) -> dict[str, list[str]]:
    """The messages in the channel that name each request. Not every private answer does, so what Slack has of those is in the
    store."""
    found: dict[str, list[str]] = defaultdict(list)
    with psycopg.connect(group.database, autocommit=True) as connection:
        for key, body in connection.execute(_PRIVATE):
            found[key.partition(":")[2]].append(body)
    for message in group.ws.person("U0ANA").messages("C0CRAWL"):
        text = "" if message["ephemeral"] else shown(message)
        for request_id in set(re.findall(r"\br-[0-9a-z]{14}\b", text)):
            found[request_id].append(text)
    return found
