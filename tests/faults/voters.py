"""People who decide about requests while replicas are hit, each press through a random replica."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.faults.replicas import Cluster
from tests.world import GROUPS, labels

CHANNEL = "C0APPR"
PEOPLE = ("U0LEE", "U0ROOT")
GUARDED = "news/feed"  # the target whose starts need an approval
POLICY = f"""\
{GROUPS}
[[channel]]
id = "C0CRAWL"
[[channel.allow]]
verbs = ["start"]
targets = ["acc:{GUARDED}"]
who = ["crawl"]
approvals = {{ count = 1, from = ["leads", "admins"], expires = "8h", in = "{CHANNEL}" }}
[[channel.allow]]
verbs = ["*"]
targets = ["*"]
who = ["crawl", "leads", "admins"]
[administrators]
who = ["admins"]
"""
NOT_RECORDED = "The audit log "  # "... can't be written", "... did not answer in time"
_EVERY = 0.6  # seconds
_MODAL_WITHIN = 3.0
_OLDEST = 3  # cards, one of which is decided next
_TOGETHER = 0.5  # the share of rounds in which both people press at once
_DENIES = 0.2  # the share of presses that deny
_PATIENCE = 45.0  # seconds after which a person who pressed presses the card again, if it looks undecided
_AGAIN = 0.2  # the share of rounds in which a person presses the same card once more


@dataclass
class Voters:
    """Press `Approve` and `Deny` until `over`. A card that still has its buttons long after a press is pressed again.

    Slack takes about one message per second and channel, so a decided card may keep its buttons for a while.
    """

    group: Cluster
    chance: random.Random
    acked: Counter[str] = field(default_factory=Counter)
    pressed: list[Any] = field(default_factory=list)
    not_before: dict[str, float] = field(default_factory=dict)  # when a card, by its ts, is pressed again
    over: bool = False

    def recorded(self) -> int:
        """How many acked presses the person may take as recorded. The ack of a press has no words: that nothing was done, or that
        nobody knows it, is told beside the card."""
        told = [one for user in PEOPLE for one in self.group.ws.person(user).messages(CHANNEL)]
        return self.acked.total() - sum(str(one.get("text")).startswith(NOT_RECORDED) for one in told)

    async def run(self) -> None:
        """One round after the other."""
        while not self.over:
            await asyncio.sleep(_EVERY)
            now = time.monotonic()
            cards = [
                card
                for card in self.group.ws.person(PEOPLE[0]).messages(CHANNEL)
                if "Approve" in labels(card) and self.not_before.get(card["ts"], now) <= now
            ]
            if self.pressed and self.chance.random() < _AGAIN:
                await self._press_all(self.chance.choice(self.pressed[-5:][:_OLDEST]))
            elif cards:
                card = self.chance.choice(cards[:_OLDEST])
                self.pressed.append(card)
                self.not_before[card["ts"]] = time.monotonic() + _PATIENCE
                await self._press_all(card)

    async def _press_all(self, card: Any) -> None:
        """One or both press what they saw then. Each press goes through a replica of its own."""
        people = PEOPLE if self.chance.random() < _TOGETHER else (self.chance.choice(PEOPLE),)
        presses: list[asyncio.Future[None]] = []
        for user in people:
            ready = [replica for replica in self.group.replicas if await self.group.ready(replica)]
            if ready:
                self.group.through(self.chance.choice(ready))
                presses.append(asyncio.ensure_future(self._press(user, card)))
                await asyncio.sleep(0)
        await asyncio.gather(*presses)

    async def _press(self, user: str, card: Any) -> None:
        person, label = self.group.ws.person(user), "Deny" if self.chance.random() < _DENIES else "Approve"
        receipt = await person.press_label(CHANNEL, card["ts"], label, seen=card)
        self.acked[label] += receipt.acked and not receipt.body
        if label == "Deny" and receipt.acked:
            with suppress(AssertionError):  # a replica that was hit opens no modal
                await person.wait_for(lambda who: who.modal(), timeout=_MODAL_WITHIN)
                await person.submit("modal", {"reason": "not today"})
