"""The real program on the real store, in an outside world of plain values.

Nothing of the program is replaced but its ports. Requests come in by `Intake.submit`, as the readers of payloads build
them, and a press carries the id of a button that was shown.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from bot.build import Built, Installed, build_context
from bot.core.card import Card
from bot.core.command.catalog import Catalog
from bot.core.command.parser import parse
from bot.core.intent import Actor, Command, Due, Form, Intent, Payload, Place, Press, Receipt, Reply, Source
from bot.core.masking.redact import SecretList
from bot.core.policy.decide import Policy, parse_policy
from bot.core.ports.services import Backend
from bot.intents.intake import Intake
from bot.intents.recovery import recover
from bot.runtime.context import ActivePolicy
from bot.runtime.task_queue import TaskQueue
from bot.store.sqlite.database import SqliteDatabase
from bot.store.store import Store, StoreTargetCache
from bot.store.tables.sql import found
from tests.proof.memory import Gate, MemoryDatabase, TurnLocks
from tests.proof.outside import (
    DECIDING,
    HOME,
    ROOM,
    ROWS,
    START,
    CountedIds,
    NoFiles,
    Outside,
    OutsideBackend,
    OutsideClock,
    OutsideDirectory,
    OutsideSlack,
)


@cache
def read_policy(text: str) -> Policy:
    """Policies are values: each text is read once."""
    return parse_policy(text)


@cache
def read_card(text: str) -> Card:
    """Cards too."""
    return Card.model_validate_json(text)


CATALOG = Catalog({"box": ROWS})


class Program:
    """A process on its store, in its outside world."""

    def __init__(self, outside: Outside, database: SqliteDatabase | None = None) -> None:
        self.outside = outside
        self.memory = MemoryDatabase()
        self.database = database or self.memory
        self.boot()

    def boot(self, gate: Gate | None = None) -> None:
        """New objects on the same store, as after a start; `recover` is not part of it."""
        self.gate = self.memory.gate = gate or Gate()
        self.store = Store(self.database)
        clock = OutsideClock(self.outside)
        backends: dict[str, Backend] = {"box": OutsideBackend(self.outside, self.gate)}
        self.tasks = TaskQueue()
        built = build_context(
            Built(backends, CATALOG, SecretList()),
            Installed(HOME, zone="Europe/Berlin"),
            clock=clock,
            ids=CountedIds(self.outside),
            store=self.store,
            target_cache=StoreTargetCache(self.store, clock),
            directory=OutsideDirectory(self.outside),
            presenter=OutsideSlack(self.store, self.outside),
            files=NoFiles(),
            spool=NoFiles(),
            tasks=self.tasks,
            policy=lambda: ActivePolicy.of(read_policy(self.outside.policy), START),
        )
        self.ctx = replace(built, locks=TurnLocks(self.gate))
        self.intake = Intake(self.ctx)

    def close(self) -> None:
        """Forget it."""
        self.database.close_sync()

    async def settle(self) -> None:
        """Let everything that is under way come to its end."""
        while len(self.tasks):  # noqa: ASYNC110  nothing here waits for real time
            await asyncio.sleep(0)

    async def ended(self, intent: Intent) -> None:
        """Wait for the end of this one request."""
        while tasks := [task for task in self.tasks._tasks if task.get_name() == intent.request_id]:
            await asyncio.wait(tasks)

    async def restart(self) -> None:
        """The process dies where it is, and the next one starts on the same store."""
        await self.tasks.close(0)
        self.boot()
        await recover(self.ctx)
        await self.settle()

    async def enter(
        self, user: str, ask: Payload, place: Place, *, source: Source, team: str = "", trigger: str | None = None
    ) -> tuple[Intent, Receipt | None]:
        """The receipt of a request; None when the process died while it was stored."""
        outside = self.outside
        outside.asked += 1
        number = outside.asked
        intent = Intent(
            request_id=self.ctx.ids.request(),
            dedupe_key=f"source:{number}",
            actor=Actor(user_id=user, team_id=team or self._team(user)),
            place=place,
            source=source,
            at=outside.now,
            payload=ask,
            reply=Reply(trigger_id=trigger),
        )
        receipt = None
        with suppress(asyncio.CancelledError):
            receipt = await self.intake.submit(intent)
        return intent, receipt

    def _team(self, user: str) -> str:
        account = self.outside.people.get(user)
        return account.team if account is not None else HOME

    async def asks(self, user: str, reason: str = "it is dark") -> Intent:
        """Ask for light."""
        return await self.says(user, f"start box:lamp -- {reason}")

    async def says(self, user: str, words: str) -> Intent:
        """Type these words."""
        ask = parse(words, self.ctx.catalog)
        assert isinstance(ask, Command), ask
        intent, _ = await self.enter(user, ask, Place(team_id=HOME, channel_id=ROOM), source=Source.COMMAND)
        await self.ended(intent)
        return intent

    async def presses(self, user: str, button: str, card: str, action: str = "approve") -> Intent:
        """Press a button by its id, on that card, and wait for what comes of it."""
        channel = DECIDING if card.startswith("approval:") else ROOM
        place = Place(team_id=HOME, channel_id=channel, message_ts=f"ts-{card}")
        trigger = f"{user}.{self.outside.asked}"
        intent, _ = await self.enter(
            user, Press(action=action, button=button), place, source=Source.BUTTON, trigger=trigger
        )
        await self.ended(intent)
        return intent

    async def submits(self, user: str, reason: str) -> Intent:
        """Send the modal that this person has open."""
        form, token = self.outside.forms.pop(user)
        ask = Form(form=form, token=token, values={"reason": reason})
        intent, _ = await self.enter(user, ask, Place(team_id=HOME, channel_id=""), source=Source.MODAL)
        await self.ended(intent)
        return intent

    async def beats(self) -> None:
        """What the timers do: everything whose time has come is said once."""
        with suppress(asyncio.CancelledError):
            await self._everything_due()

    async def _everything_due(self) -> None:
        now = self.outside.now
        for pending in await self.store.due_pending(now):
            await self._comes("pending", pending.id, pending.intent.actor.user_id)
        for pending in await self.store.remind_pending(now):
            await self._comes("remind", pending.id, pending.intent.actor.user_id, pending.remind_at)
        for pause in await self.store.due_pauses(now):
            await self._comes("pause", pause.id, pause.user_id)
        for grant in await self.store.due_grants(now):
            await self._comes("grant", grant.id, grant.user_id)

    async def _comes(self, what: str, row: str, user: str | None, turn: str | None = None) -> None:
        intent = Intent(
            request_id=self.ctx.ids.request(),
            dedupe_key=f"due:{what}:{row}:{turn}" if turn else f"due:{what}:{row}",
            actor=Actor(user_id=user or "", team_id=HOME),
            place=Place(team_id=HOME, channel_id=ROOM),
            source=Source.TIMER,
            at=self.outside.now,
            payload=Due(what=what, row=row),
        )
        await self.intake.submit(intent)
        await self.ended(intent)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """A look into the file."""
        return self.database.read_sync(lambda db: found(db, sql, values))

    def card(self, key: str) -> Card | None:
        """What Slack should show under that key now."""
        found = self.rows("SELECT body FROM messages WHERE key = ?", key)
        return read_card(found[0]["body"]) if found else None
