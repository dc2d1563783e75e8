"""The world outside the program as plain values: Slack and its people, a control plane with one lamp, the clock, the ids."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.core.card import Card, Delivery, FormView, HomeView
from bot.core.command.capability import KindSpec, TargetKind
from bot.core.command.params import Param, ParamType
from bot.core.command.target_ref import TargetRef
from bot.core.errors import NoSuchTarget
from bot.core.intent import Actor, Place, Reply
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Health, LookBack, Named, RecentRun, Refused, RunView
from bot.core.policy.decide import Member, Subject, Where
from bot.core.policy.match import Reach
from bot.core.ports.services import Call, FormResult
from bot.core.records import Outgoing, StoredButton, stamp
from bot.store.store import Store
from tests.proof.memory import Gate
from tests.rows import row

HOME: Final = "T0ACME"
ELSEWHERE: Final = "T0OTHER"
ROOM: Final = "C0ROOM"
DECIDING: Final = "C0APPR"
GROUP: Final = "S0DECIDE"
START: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIFE: Final = timedelta(minutes=10)
ROWS: Final = KindSpec(
    kind="box",
    title="Box",
    targets=(TargetKind(name="lamp", prefix=None, help="A lamp", example="box:lamp"),),
    capabilities=(
        row("start", "lamp", idempotent=False, help="Light it", example="start box:lamp", effect="The lamp burns."),
        row(
            "pause",
            "lamp",
            help="Dim it for a time",
            example="pause box:lamp until=07:00",
            params=(
                Param(name="for", type=ParamType.DURATION, help="For so long"),
                Param(name="until", type=ParamType.UNTIL, help="Until then"),
            ),
            pausable=True,
            resumes="resume",
        ),
        row("resume", "lamp", help="Light it again", example="resume box:lamp"),
    ),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as Slack has it. `flags` are those of a Subject; `team` is the person's own workspace."""

    flags: tuple[str, ...] = ()
    team: str = HOME
    known: bool = True


@dataclass(slots=True)
class Outside:
    """Everything that survives the process: Slack's people and groups, the control plane, the clock, the ids given out."""

    people: dict[str, Account]
    groups: dict[str, tuple[str, ...] | None]
    policy: str
    now: datetime = START
    ids: int = 0
    asked: int = 0
    lamp: str = "lamp-1"
    lamp_state: str = "dark"
    calls: list[str] = field(default_factory=list)
    forms: dict[str, tuple[str, str]] = field(default_factory=dict)
    channel: dict[str, bool] = field(default_factory=dict)

    def copy(self) -> Outside:
        """One that can change alone."""
        return replace(
            self, people=dict(self.people), groups=dict(self.groups), calls=list(self.calls), forms=dict(self.forms)
        )


class OutsideClock:
    """A clock that stands until a test moves it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def now(self) -> datetime:
        return self._outside.now

    def monotonic(self) -> float:
        return (self._outside.now - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class CountedIds:
    """Ids that count up, so that a history can be told again."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def request(self) -> str:
        return f"r-{self._next():014d}"

    def secret(self) -> str:
        return f"s{self._next():025d}"

    def guid(self) -> str:
        return f"00000000-0000-4000-8000-{self._next():012d}"

    def _next(self) -> int:
        self._outside.ids += 1
        return self._outside.ids


class OutsideDirectory:
    """What Slack says of people, groups and the one channel; always read anew."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def subject(self, actor: Actor, groups: Collection[str], *, max_age: float) -> Subject:
        account = self._outside.people.get(actor.user_id, Account(known=False))
        members = {group: self._member(group, actor.user_id) for group in groups}
        flags: dict[str, Any] = dict.fromkeys(account.flags, True)
        known = account.known and actor.team_id in ("", account.team, HOME)
        return Subject(user_id=actor.user_id, team_id=account.team, known=known, groups=members, **flags)

    async def names(self, user_ids: Collection[str]) -> dict[str, str]:
        return {}

    def _member(self, group: str, user: str) -> Member:
        members = self._outside.groups.get(group)
        if members is None:
            return Member.UNREADABLE
        return Member.YES if user in members else Member.NO

    async def where(self, place: Place, *, max_age: float) -> Where:
        flags = {"known": True} | (self._outside.channel if place.channel_id != DECIDING else {})
        return Where(team_id=place.team_id, channel_id=place.channel_id, **flags)

    async def is_member(self, channel_id: str, user_id: str, *, max_age: float) -> bool:
        return False

    async def members(self, group: str, *, max_age: float) -> tuple[str, ...] | None:
        return self._outside.groups.get(group)

    def zone(self, user_id: str | None) -> ZoneInfo | None:
        return None

    async def reach(self, channel_id: str) -> Reach:
        return Reach()


class OutsideBackend:
    """A control plane with one lamp. It does what it is told, and cannot say afterwards what it was told."""

    name = "box"
    rows = ROWS

    def __init__(self, outside: Outside, gate: Gate) -> None:
        self._outside = outside
        self._gate = gate

    async def resolve(self, ref: TargetRef, kind: str | None) -> Target:
        if ref.path != "lamp":
            raise NoSuchTarget("There is no such lamp.")
        return Target(backend="box", kind="lamp", id=self._outside.lamp, name="lamp", scope="box:lamp")

    async def run(self, operation: Operation, call: Call) -> Done:
        if "for" in operation.given or "until" in operation.given:
            await call.note_enabled([operation.target])
        await self._gate.enter()
        self._outside.calls.append(operation.target.id if operation.verb == "start" else operation.verb)
        self._gate.leave()
        return Done(summary="It burns.")

    async def form(self, target: Target) -> Sequence[Param]:
        return ()

    async def state_of(self, target: Target) -> str:
        return self._outside.lamp_state

    async def check(self, operation: Operation) -> Refused | None:
        """Everything can be sent."""
        return None

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        return ()

    async def look_back(
        self, operation: Operation, sent_at: datetime, claimed: Collection[str] = frozenset()
    ) -> LookBack:
        return LookBack(evidence="A lamp keeps no record.")

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        return {}

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        return ()

    async def health(self) -> Health:
        return Health(ok=True, summary="here")

    async def targets(self) -> Sequence[Named]:
        return ()

    def configured(self) -> Sequence[Named]:
        return ()

    async def close(self) -> None:
        return None


class OutsideSlack:
    """The presenter: a message is stored as what it should be, as the outbox does, and is posted at once."""

    def __init__(self, store: Store, outside: Outside) -> None:
        self._store = store
        self._outside = outside

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        made = stamp(self._outside.now)
        outgoing = Outgoing(
            key=card.key,
            kind="message" if card.only_for is None else "ephemeral",
            team_id=card.place.team_id,
            channel_id=card.place.channel_id,
            thread_ts=card.place.thread_ts,
            user_id=card.only_for,
            ts=f"ts-{card.key}" if card.only_for is None else None,
            body=card.model_dump(mode="json"),
            due_at=made,
        )
        buttons = [
            StoredButton(id=b.id, message_key=card.key, payload=b.means, only_user=b.only_user, made_at=made)
            for b in card.buttons
        ]
        await self._store.show(outgoing, buttons)

    async def show_again(self, key: str) -> None:
        """Here Slack has every state at once."""

    async def open_form(self, trigger_id: str, form: FormView) -> FormResult:
        self._outside.forms[trigger_id.partition(".")[0]] = (form.form, form.token)
        return FormResult.OPENED

    async def update_form(self, view_id: str, view_hash: str, form: FormView) -> bool:
        return True

    async def deliver(self, delivery: Delivery) -> None:
        return None

    async def home(self, view: HomeView) -> None:
        return None

    async def step(self, step_id: str, *, ok: bool, text: str) -> None:
        return None


class NoFiles:
    """Nothing is attached and nothing is spooled here."""

    async def open(self, file_id: str, channel_id: str, user_id: str) -> Any:
        raise AssertionError("no files here")

    def create(self, suffix: str) -> Any:
        raise AssertionError("no files here")
