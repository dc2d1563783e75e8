"""The terminal door: the same Intent, the same pipeline, cards as text."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.app import build_backends
from bot.core.card import Button, Card, Delivery, FormView, HomeView, Tone
from bot.core.command.parser import parse
from bot.core.intent import Actor, Intent, ParseError, Payload, Place, Press, Reply, Source
from bot.features.access.policy_reload import PolicyReloader
from bot.intents.intake import Intake
from bot.render.terminal import render_text
from bot.runtime.clock import SystemClock, SystemIds
from bot.runtime.context import Context
from bot.runtime.health import HealthBoard
from bot.runtime.spool import FileSpool
from bot.runtime.task_queue import TaskQueue
from bot.slack.directory import SlackDirectory
from bot.slack.files import Attachments
from bot.store.sqlite.store import Store
from bot.store.sqlite.target_names import StoreNames

Print = Callable[[str], None]
GOOD = frozenset({Tone.PLAIN, Tone.GOOD, Tone.WORKING})


class TerminalPresenter:
    """Keeps the newest card of every key and prints it; files go to the current folder."""

    def __init__(self, say: Print) -> None:
        self._say = say
        self.last: Card | None = None

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        """Print the card, but not the ones that only say that work is under way."""
        if card.tone is not Tone.WORKING or not card.status.startswith("Working"):
            self._say(render_text(card))
        self.last = card

    async def deliver(self, delivery: Delivery) -> None:
        """Move the files here."""
        for file in delivery.files:
            path = Path(Path(file.name).name)
            shutil.move(file.path, path)
            self._say(f"saved {path} ({file.size} bytes)")

    async def open_form(self, trigger_id: str, form: FormView) -> bool:
        """A terminal has no modals."""
        return False

    async def home(self, view: HomeView) -> None:
        """Nor a Home tab."""

    async def step(self, step_id: str, *, ok: bool, text: str) -> None:
        """Nor workflows."""


async def do(
    settings: config.Settings,
    environ: Mapping[str, str],
    text: str,
    channel: str,
    user: str,
    *,
    yes: bool,
    say: Print,
) -> int:
    """Run one command as that person in that channel; 0 well, 1 refused or failed, 2 not understood."""
    clock, ids = SystemClock(), SystemIds()
    slack = settings.slack
    rules = PolicyReloader(settings.policy_path, clock, ids, slack.team, slack.security_channel)
    await rules.settle()
    store = await asyncio.to_thread(Store.open, str(settings.store_path))
    presenter = TerminalPresenter(say)
    tasks = TaskQueue()
    async with aiohttp.ClientSession(trust_env=False) as session:
        client = AsyncWebClient(
            token=slack.bot_token.get_secret_value(), base_url=slack.api_url, session=session, timeout=20
        )
        names = StoreNames(store, clock)
        built = build_backends(settings, clock, ids, names, environ)
        spool = FileSpool(settings.store_path.with_suffix(".cli.spool"))
        spool.prepare()
        ctx = Context(
            clock=clock,
            ids=ids,
            catalog=built.catalog,
            backends=built.backends,
            store=store,
            names=names,
            directory=SlackDirectory(client, store, clock, slack.team),
            presenter=presenter,
            files=Attachments(client, session, slack.bot_token.get_secret_value(), slack.api_url),
            spool=spool,
            tasks=tasks,
            policy=lambda: rules.now,
            health=HealthBoard(built.backends, clock),
            home_team=slack.team,
            zone=settings.zone,
            command=slack.command,
            security_channel=slack.security_channel,
            incident_channel=slack.incident_channel,
            secrets=built.secrets,
        )
        pipeline = Intake(ctx)
        place = Place(team_id=slack.team, channel_id=channel)
        actor = Actor(user_id=user, team_id=slack.team)

        async def ask(what: Payload) -> int:
            intent = Intent(
                request_id=ids.request(),
                dedupe_key=f"terminal:{ids.secret()}",
                actor=actor,
                place=place,
                source=Source.TERMINAL,
                at=clock.now(),
                payload=what,
                typed=text,
            )
            receipt = await pipeline.submit(intent)
            if receipt.say:
                say(receipt.say)
                return 1
            while len(tasks):
                await clock.sleep(0.02)
            return 0

        read = parse(text, built.catalog)
        code = await ask(read)
        run_it = _button(presenter.last, "Run it")
        if run_it is not None and yes:
            code = await ask(Press(action="run_it", button=run_it.id))
        elif run_it is not None:
            say("Nothing was done. Say --yes to run it.")
            code = 1
        await tasks.close(1.0)
        for backend in built.backends.values():
            await backend.close()
        await store.close()
    if isinstance(read, ParseError):
        return 2
    return code or (0 if presenter.last is not None and presenter.last.tone in GOOD else 1)


def _button(card: Card | None, label: str) -> Button | None:
    buttons = card.buttons if card is not None else ()
    return next((button for button in buttons if button.label == label), None)
