"""What the scenarios of approvals, grants and break-glass share: rules, a clock that can be moved, and short ways to press."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.features.access.policy_reload import SETTLED, read_rules
from bot.playground.planes.demo import demo_planes
from bot.playground.workspace import Receipt
from bot.runtime.clock import SystemClock
from tests.world import Planes, World, labels, shown, world

CRAWL = "C0CRAWL"
APPROVERS = "C0APPR"
SECURITY = "C0SEC"
INCIDENT = "C0INC"

RULES = """\
version = 1
[groups]
crawl = ["S0CRAWL"]
leads = ["S0LEADS"]
pair = ["U0LEE", "U0ROOT", "U0ANA"]
lonely = ["U0ANA"]
admins = ["U0ROOT", "U0LEE"]

[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["risk:read", "logs"]
  targets = ["*"]
  who = ["*"]
  [[channel.allow]]
  verbs = ["start"]
  targets = ["acc:shop/*"]
  who = ["crawl"]
  approvals = { count = 1, from = ["leads"], expires = "30m", in = "C0APPR" }
  [[channel.allow]]
  verbs = ["mark"]
  targets = ["acc:*"]
  who = ["crawl"]
  approvals = { count = 2, from = ["pair", "leads"], expires = "1h" }
  [[channel.allow]]
  verbs = ["schedule off"]
  targets = ["acc:*"]
  who = ["crawl"]
  approvals = { count = 1, from = ["lonely"] }
  [[channel.allow]]
  verbs = ["schedule delete"]
  targets = ["acc:*"]
  who = ["crawl"]
  approvals = { count = 1, from = ["leads"], in = "C0APPR" }
  [[channel.allow]]
  verbs = ["schedule on"]
  targets = ["acc:shop/*"]
  who = ["U0RUI"]
  [[channel.deny]]
  verbs = ["agent approve"]
  targets = ["acc:labs/*"]
  because = "The labs are approved elsewhere."

[[channel]]
id = "C0INC"
  [[channel.allow]]
  verbs = ["risk:read"]
  targets = ["*"]
  who = ["*"]

[breakglass]
who = ["admins", "U0RUI"]
max = "1h"
review_within = "72h"

[administrators]
who = ["admins"]
"""
NO_REVIEWER = RULES.replace('["admins", "U0RUI"]', '["admins"]')  # Rui decides nothing and reviews nothing


class ShiftedClock(SystemClock):
    """The machine's clock, ahead by as much as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """The wall time, shifted."""
        return super().now() + self.ahead

    def monotonic(self) -> float:
        """Seconds, shifted by as much."""
        return super().monotonic() + self.ahead.total_seconds()


class Team:
    """A world with rules that demand approvals, and its clock."""

    def __init__(self, env: World, clock: ShiftedClock) -> None:
        self.env = env
        self.clock = clock
        self.forgeries = 0

    def later(self, **span: float) -> None:
        """Let time pass for the program and for Slack."""
        self.clock.ahead += timedelta(**span)
        self.env.ws.clock.advance(timedelta(**span).total_seconds())

    def regroup(self, group: str, users: list[str]) -> None:
        """Change a user group's members, and let the time pass for which a list of groups is kept."""
        self.env.ws.edit_group(group, users)
        self.later(seconds=4)

    def now(self) -> datetime:
        """The program's time."""
        return self.clock.now().astimezone(UTC)

    async def sees(self, *parts: str, user: str = "U0LEE", channel: str = APPROVERS) -> dict[str, Any]:
        """The newest message of the approvers' channel with all parts."""
        return await self.env.sees(*parts, user=user, channel=channel)

    async def card(self, *parts: str, user: str = "U0LEE", channel: str = APPROVERS) -> dict[str, Any]:
        """The newest card there that can still be decided."""

        def look(person: Any) -> dict[str, Any] | None:
            for message in reversed(person.messages(channel)):
                if "Approve" in labels(message) and all(part in shown(message) for part in parts):
                    return message
            return None

        return await self.env.person(user).wait_for(look)

    async def press(
        self, message: dict[str, Any], label: str, *, user: str = "U0LEE", channel: str = APPROVERS
    ) -> Receipt:
        """Press a button of this message as it was seen."""
        receipt = await self.env.person(user).press_label(channel, message["ts"], label, seen=message)
        assert receipt.acked, receipt
        return receipt

    async def forged(
        self, message: dict[str, Any], *, user: str = "U0LEE", channel: str = APPROVERS, ts: str | None = None
    ) -> None:
        """A press on Approve that claims to come from another place than the message's own."""
        value = next(
            found["value"]
            for block in message["blocks"]
            for found in block.get("elements", ())
            if found.get("type") == "button" and found["text"]["text"] == "Approve"
        )
        where = {"channel_id": channel, "message_ts": message["ts"] if ts is None else ts}
        self.forgeries += 1
        payload = {
            "type": "block_actions",
            "user": {"id": user, "team_id": self.env.ws.team_id},
            "team": {"id": self.env.ws.team_id},
            "api_app_id": self.env.ws.app_id,
            "trigger_id": f"forged.{self.forgeries}",
            "container": {"type": "message", **where},
            "channel": {"id": channel},
            "actions": [
                {"type": "button", "action_id": "approve", "value": value, "action_ts": self.env.ws.clock.next_ts()}
            ],
        }
        receipt = await self.env.ws.deliver("interactive", payload)
        assert receipt.acked, receipt

    async def deny(
        self, message: dict[str, Any], reason: str, *, user: str = "U0LEE", channel: str = APPROVERS
    ) -> None:
        """Press Deny, fill the reason in, submit."""
        await self.press(message, "Deny", user=user, channel=channel)
        person = self.env.person(user)
        await person.wait_for(lambda p: p.modal())
        receipt = await person.submit("modal", {"reason": reason})
        assert not receipt.errors, receipt

    async def sees_in_thread(self, *parts: str, user: str = "U0ANA", channel: str = CRAWL) -> dict[str, Any]:
        """A message in a thread of that channel with all parts, seen by this person."""

        def look(person: Any) -> dict[str, Any] | None:
            for parent in person.messages(channel):
                for message in person.messages(channel, parent["ts"])[1:]:
                    if all(part in shown(message) for part in parts):
                        return message
            return None

        return await self.env.person(user).wait_for(look)

    def effects(self, action: str = "start") -> list[Any]:
        """What the ACC did."""
        return [effect for effect in self.env.acc.effects if effect.action == action]

    def events(self, request: str) -> list[str]:
        """The events of one request, oldest first."""
        return [str(entry.event) for entry in self.env.audit(request_id=request)]

    async def event(self, name: str, request: str | None = None) -> Any:
        """The newest row of that event, once there is one."""

        def found() -> Any:
            rows = self.env.audit(event=name, **({"request_id": request} if request else {}))
            return rows[-1] if rows else None

        return await self.env.until(found)

    def rules(self, text: str) -> None:
        """Write other rules; they are in force within seconds."""
        (self.env.folder / "policy.toml").write_text(text, encoding="utf-8")

    async def settled(self) -> None:
        """Wait until the program has seen the rules file as it is, and let the time pass in which it has to stay the same."""
        found = read_rules(self.env.folder / "policy.toml")
        await self.env.until(lambda: self.env.bot.rules._seen[0] == found)
        self.later(seconds=SETTLED)

    async def new_rules(self, text: str) -> None:
        """Write other rules and wait until they are in force."""
        before = self.env.bot.rules.now.policy.version
        self.rules(text)
        await self.settled()
        await self.env.until(lambda: self.env.bot.rules.now.policy.version != before)


@asynccontextmanager
async def deciding(
    folder: Path,
    patch: pytest.MonkeyPatch,
    rules: str = RULES,
    *,
    planes: Planes = demo_planes,
    only: Sequence[str] = ("acc",),
) -> AsyncIterator[Team]:
    """The world with these rules; every start of the program goes by one clock."""
    clock = ShiftedClock()
    patch.setattr("bot.app.SystemClock", lambda: clock)
    async with world(folder, policy=rules, planes=planes, only=only) as env:
        yield Team(env, clock)
