"""A bot without Slack and control planes: real intake, rules and audit log, and around them answers that cost nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.build import Built, Installed, build_context
from bot.core.card import Card, Delivery, FormView, HomeView
from bot.core.command.capability import Capability, KindSpec, Risk, TargetKind
from bot.core.command.catalog import Catalog
from bot.core.command.params import Param, ParamType
from bot.core.command.target_ref import TargetRef
from bot.core.errors import BadRequest
from bot.core.intent import Actor, Place, Reply
from bot.core.masking.redact import SecretList
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Health, LookBack, Named, Phase, RecentRun, Refused, RunView
from bot.core.policy.decide import parse_policy
from bot.core.policy.match import Member, Reach, Subject, Where
from bot.core.ports.services import Call, FormResult, SlackFile
from bot.core.records import Watch, stamp
from bot.intents.intake import Intake
from bot.operations.watcher import SLOW
from bot.runtime import event_loop
from bot.runtime.clock import SystemClock, SystemIds
from bot.runtime.context import ActivePolicy, Context
from bot.runtime.spool import FileSpool
from bot.runtime.task_queue import TaskQueue
from bot.slack.app import SlackApp
from bot.slack.http import HttpServer
from bot.slack.installation import Installation
from bot.slack.payload import Stamp
from bot.store.database import Tx
from bot.store.open import open_store
from bot.store.store import Store, StoreTargetCache
from bot.store.tables import watches
from tests.crowd import CHANNEL, PEOPLE, SIGNING_SECRET, TEAM

COMMAND: Final = "start box:shop/prices level=2 -- the monthly check"
_KIND: Final = "bench"
RUNS_AN_AGENT: Final = 100


def rows_of(capabilities: int) -> KindSpec:
    """A control plane that declares that many verbs; `start` is the last of them."""
    level = Param(name="level", type=ParamType.INTEGER, help="how loud", default=1, minimum=0, maximum=3)
    names = [f"verb{number}" for number in range(capabilities - 1)] + ["start"]
    return KindSpec(
        kind=_KIND,
        title="Benchmark",
        targets=(TargetKind(name="agent", prefix=None, help="an agent", example="shop/prices", selects=True),),
        capabilities=tuple(
            Capability(
                verb=name,
                target="agent",
                risk=Risk.CHANGE,
                idempotent=False,
                timeout=10.0,
                help=f"{name} an agent",
                example=f"{name} box:shop/prices",
                params=(level,),
            )
            for name in names
        ),
    )


def rules_of(rules: int) -> str:
    """A policy of that many allow rules, of which the last one decides."""
    text = f'version = 1\n[[channel]]\nid = "{CHANNEL}"\n'
    for number in range(rules - 1):
        text += f'[[channel.allow]]\nverbs = ["start"]\ntargets = ["box:other/{number}/*"]\nwho = ["U0OTHER"]\n'
    return text + f'[[channel.allow]]\nverbs = ["*"]\ntargets = ["box:*"]\nwho = {json.dumps(PEOPLE)}\n'


class Box:
    """The control plane: knows every target and does everything at once. `polls` is how often it was asked about runs."""

    def __init__(self, rows: KindSpec) -> None:
        self.name = "box"
        self.rows = rows
        self.polls = 0

    async def resolve(self, ref: TargetRef, kind: str | None) -> Target:
        """Whatever was named."""
        return Target(backend=self.name, kind="agent", id=ref.path, name=ref.path, scope=f"{self.name}:{ref.path}")

    async def run(self, operation: Operation, call: Call) -> Done:
        """Done."""
        return Done(summary="done")

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """Every one of them is under way; of each group one has got on since."""
        self.polls += 1
        moving = self.polls % len(runs)
        return {
            run.id: RunView(
                state="Running", phase=Phase.ACTIVE, done=self.polls if number == moving else 0, total=9_000
            )
            for number, run in enumerate(runs)
        }

    async def look_back(
        self, operation: Operation, sent_at: datetime, claimed: Collection[str] = frozenset()
    ) -> LookBack:
        """Nothing is ever lost here."""
        return LookBack(absent=True)

    async def check(self, operation: Operation) -> Refused | None:
        """Everything can be sent."""
        return None

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        """Nothing to know."""
        return ()

    async def form(self, target: Target) -> tuple[Param, ...]:
        return ()

    async def state_of(self, target: Target) -> str:
        """Always the same."""
        return ""

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """None that ended."""
        return ()

    async def health(self) -> Health:
        """Well."""
        return Health(ok=True, summary="well")

    async def targets(self) -> Sequence[Named]:
        """None that could be listed."""
        return ()

    async def close(self) -> None:
        """Nothing is open."""


class People:
    """Slack's answers about people and places, there at once: everybody is a full member."""

    async def subject(self, actor: Actor, groups: Collection[str], *, max_age: float) -> Subject:
        """A full member of every group."""
        members = dict.fromkeys(groups, Member.YES)
        return Subject(user_id=actor.user_id, team_id=actor.team_id, known=True, groups=members)

    async def where(self, place: Place, *, max_age: float) -> Where:
        """A channel of the workspace."""
        return Where(team_id=place.team_id, channel_id=place.channel_id, known=True)

    async def is_member(self, channel_id: str, user_id: str, *, max_age: float) -> bool:
        """Everybody is."""
        return True

    async def members(self, group: str, *, max_age: float) -> tuple[str, ...] | None:
        """Nobody."""
        return ()

    def zone(self, user_id: str | None) -> ZoneInfo | None:
        """Not known."""
        return None

    async def reach(self, channel_id: str) -> Reach:
        """It can be written to."""
        return Reach()


class Nowhere:
    """A presenter that shows nothing."""

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        """Not shown."""

    async def show_again(self, key: str) -> None:
        """Not shown."""

    async def deliver(self, delivery: Delivery) -> None:
        """Not delivered."""

    async def open_form(self, trigger_id: str, form: FormView) -> FormResult:
        """Not opened."""
        return FormResult.OPENED

    async def update_form(self, view_id: str, view_hash: str, form: FormView) -> bool:
        """Not updated."""
        return True

    async def home(self, view: HomeView) -> None:
        """Not published."""

    async def step(self, step_id: str, *, ok: bool, text: str) -> None:
        """Not told."""


class NoFiles:
    """Nobody attaches anything."""

    async def open(self, file_id: str, channel_id: str, user_id: str) -> SlackFile:
        """Raises BadRequest."""
        raise BadRequest("There are no files here.")


@dataclass(frozen=True, slots=True)
class Station:
    """A running bot: its port, its store, the tasks behind the acks, its control plane, and its context."""

    port: int
    store: Store
    tasks: TaskQueue
    box: Box
    ctx: Context

    async def rest(self) -> None:
        """Until everything that was asked for is done."""
        clock = SystemClock()
        while len(self.tasks):
            await clock.sleep(0.001)


async def _no_channel_event(_: Mapping[str, object]) -> None:
    """Nothing is shared here."""


@asynccontextmanager
async def station(folder: Path, *, capabilities: int = 5, rules: int = 1) -> AsyncIterator[Station]:
    """A bot in HTTP mode on a free loopback port, with its audit log in `folder`."""
    event_loop.share()
    clock, ids, tasks = SystemClock(), SystemIds(), TaskQueue()
    store = await asyncio.to_thread(open_store, str(folder / "signalbox.db"), exclusive=True)
    rows = rows_of(capabilities)
    box = Box(rows)
    backends = {"box": box}
    policy = ActivePolicy.of(parse_policy(rules_of(rules)), clock.now())
    ctx = build_context(
        Built(backends, Catalog({"box": rows}), SecretList()),
        Installed(TEAM),
        clock=clock,
        ids=ids,
        store=store,
        target_cache=StoreTargetCache(store, clock),
        directory=People(),
        presenter=Nowhere(),
        files=NoFiles(),
        spool=FileSpool(folder / "spool"),
        tasks=tasks,
        policy=lambda: policy,
    )
    slack_app = SlackApp(
        Intake(ctx),
        Stamp(clock, ids),
        command="/ops",
        installation=Installation(bot_user_id="U0SELF", team_id=TEAM, app_id="A0BENCH"),
        channel_event=_no_channel_event,
        tell=lambda intent, text: None,
    )
    server = HttpServer(("127.0.0.1", 0), clock, ready=lambda: True)
    server.serve_slack(slack_app.build(AsyncWebClient()), (SecretStr(SIGNING_SECRET),))
    try:
        _, port = await server.start()
        yield Station(port, store, tasks, box, ctx)
    finally:
        await server.close()
        await tasks.close(10.0)
        await store.close()


def fill(db: Tx, runs: int, now: datetime) -> None:
    """The times of the next look of one agent's runs are spread over the pace, as they are when people start them one by one."""
    for number in range(runs):
        agent = f"shop/agent-{number // RUNS_AN_AGENT}"
        due = now + SLOW * (number * 7 % RUNS_AN_AGENT) / RUNS_AN_AGENT
        name = f"run-{number}"
        target = Target(backend="box", kind="run", id=name, name=name, group=agent, scope=f"box:{agent}")
        watches.add(
            db,
            Watch(
                id=f"w-{number}",
                request_id=f"r-{number}",
                backend="box",
                group_key=agent,
                target=target,
                channel_id=CHANNEL,
                user_id=PEOPLE[0],
                due_at=stamp(due),
                made_at=stamp(now - timedelta(hours=1)),
            ),
        )
