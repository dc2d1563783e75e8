"""`signalbox do` and `why`: the same intent and execution path as in Slack, with cards as text."""

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from pathlib import Path

from tzlocal import get_localzone

from bot import config
from bot.build import Installed, build_backends, build_context
from bot.cli.exit_codes import Exit
from bot.cli.offline import client_of, directory_of
from bot.core.audit import Event
from bot.core.card import Card, Delivery, FormView, HomeView, Tone, operation_key
from bot.core.command.parser import parse
from bot.core.intent import Actor, Intent, ParseError, Place, Reply, Source
from bot.core.masking.redact import SecretList
from bot.core.ports.services import FormResult
from bot.core.records import NAME_KEY, Filters
from bot.core.value import Json
from bot.features.access.policy_reload import PolicyReloader
from bot.http_client.transport import open_session
from bot.intents.intake import Intake
from bot.leader import FOR_EVER, MOST_WAITING
from bot.render.terminal import render_text
from bot.render.text_format import one_line
from bot.render.zones import in_zone
from bot.runtime.clock import SystemClock, SystemIds
from bot.runtime.leadership import AlwaysLeader, OwnRequests
from bot.runtime.spool import FileSpool, spool_folder
from bot.runtime.task_queue import TaskQueue
from bot.slack.files import Attachments, Uploads
from bot.slack.message_delivery import Responder
from bot.slack.message_sender import MessageSender
from bot.store.open import open_leadership, open_store
from bot.store.store import StoreTargetCache

Print = Callable[[str], None]
GOOD = frozenset({Tone.PLAIN, Tone.GOOD, Tone.WORKING})
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,30})(?:\|[^<>]{0,80})?>")
_CHANNEL = re.compile(r"<#(\w+)>")
_FOR = re.compile(r"(?m)^For: ([UW][A-Z0-9]+(?: [UW][A-Z0-9]+)*)$")
_MOST_NAMED = 20
DONE = frozenset({Event.DONE, Event.RECONCILED})


class TerminalPresenter:
    """Prints cards and saves files to the current folder.

    The card of the command with the key `own` is for the terminal alone, and so are answers for one person. Every other card is
    for people in Slack: an approval, a grant, an incident and its report, or an earlier card that changes. It goes to the outbox
    too, with its files. The bot that runs on this store sends it.
    """

    def __init__(
        self,
        say: Print,
        channel: str,
        slack: MessageSender,
        secrets: SecretList,
        names: Callable[[Collection[str]], Awaitable[Mapping[str, str]]],
        kept: Callable[[str], Awaitable[Json]],
        *,
        own: str,
        verbose: bool = False,
    ) -> None:
        self._say = say
        self._own = own
        self._names = names
        self._kept = kept
        self._secrets = secrets
        self._verbose = verbose
        self._channel = channel
        self._slack = slack
        self.last: Card | None = None

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        """Print the card, unless it only says that work is in progress."""
        if card.passing:
            return
        elsewhere = card.place.channel_id != self._channel
        if card.only_for is None and card.key != self._own:
            await self._slack.show(card)
            if elsewhere:
                return
        if card.tone is not Tone.WORKING or not card.status.startswith("Working"):
            # Before it is cut to the terminal's columns: half a secret isn't recognised.
            card = Card.model_validate(self._secrets.hide_in(card.model_dump(mode="json")))
            text = in_zone(render_text(card, verbose=self._verbose), get_localzone())
            self._say(await self._named(text))
        self.last = card

    async def _named(self, text: str) -> str:
        """The text with the names of people as Slack tells them and of channels as the bot has seen them; otherwise ids."""
        rooms = {room: await self._kept(f"{NAME_KEY}{room}") for room in dict.fromkeys(_CHANNEL.findall(text))}
        seen = {room: str(names[0]) for room, names in rooms.items() if isinstance(names, list) and names}
        text = _CHANNEL.sub(lambda at: f"#{one_line(seen.get(at[1], at[1]))}", text)
        text = _FOR.sub(lambda at: "For: " + " ".join(f"<@{user}>" for user in at[1].split()), text)
        known = await self._names(tuple(dict.fromkeys(_MENTION.findall(text)))[:_MOST_NAMED])
        return _MENTION.sub(lambda at: f"@{one_line(known.get(at[1], at[1]))}", text)

    async def show_again(self, key: str) -> None:
        """A terminal keeps what was written to it."""

    async def deliver(self, delivery: Delivery) -> None:
        """Save the files here, and post those of a card that is for Slack."""
        posted = delivery.under not in (None, self._own)
        for file in delivery.files:
            path = Path(self._secrets.hide(Path(file.name).name))
            (shutil.copy if posted else shutil.move)(file.path, path)
            self._say(f"saved {path} ({file.size} bytes)")
        if posted:
            await self._slack.deliver(delivery)

    # A terminal has no modals, no Home tab and no workflows.
    async def open_form(self, trigger_id: str, form: FormView) -> FormResult:
        return FormResult.REFUSED

    async def update_form(self, view_id: str, view_hash: str, form: FormView) -> bool:
        return False

    async def home(self, view: HomeView) -> None: ...

    async def step(self, step_id: str, *, ok: bool, text: str) -> None: ...


async def _nothing() -> None:
    """A command in the terminal never leads."""


async def _replaced(tasks: TaskQueue, say: Print) -> None:
    """The database was away for so long that the bot has taken over."""
    await tasks.abandon()
    say("The database was away for too long. The bot continues this: see the card in the channel.")


async def do(
    settings: config.Settings,
    environ: Mapping[str, str],
    text: str,
    channel: str,
    user: str,
    *,
    yes: bool,
    verbose: bool = False,
    say: Print,
) -> int:
    """Run one command as that person in that channel. Returns 0 if done, 2 if the command isn't understood, 1 otherwise.

    With `yes` a dangerous command runs without the pre-flight question; with `verbose` the details of cards are printed.
    A command that waits for approval returns 1.
    """
    clock, ids = SystemClock(), SystemIds()
    slack = settings.slack
    rules = PolicyReloader(settings.policy_path, clock, ids, slack.team, slack.security_channel)
    await rules.settle()
    store = await asyncio.to_thread(open_store, settings.store)
    tasks = TaskQueue()
    replica = open_leadership(store, settings.store, clock, slack.team, may_lead=False)
    leadership = AlwaysLeader() if replica is None else OwnRequests(replica)
    async with open_session(settings.proxies, settings.ca_file) as session:
        client = await client_of(slack, session, store, clock)
        target_cache = StoreTargetCache(store, clock)
        built = build_backends(settings, clock, ids, target_cache, environ, leadership.surely)
        store.secrets = built.secrets

        def tell(text: str) -> None:
            say(built.secrets.hide(text))

        directory = directory_of(slack, client, store, clock, tell)
        sender = MessageSender(  # stores messages only: the bot that runs on this store sends them
            store,
            client,
            Responder(session, slack.response_hosts),
            Uploads(client, session),
            clock,
            team_id=slack.team,
            fatal=lambda code: None,
            secrets=built.secrets,
            names=directory.names,
        )
        request_id = ids.request()
        presenter = TerminalPresenter(
            tell,
            channel,
            sender,
            built.secrets,
            directory.names,
            store.value,
            own=operation_key(request_id),
            verbose=verbose,
        )
        spool = FileSpool(spool_folder(settings.folder, settings.store, terminal=True))
        spool.prepare(sender.files_of(await store.due_messages(FOR_EVER, MOST_WAITING)))
        ctx = build_context(
            built,
            Installed.of(settings),
            clock=clock,
            ids=ids,
            store=store,
            target_cache=target_cache,
            directory=directory,
            presenter=presenter,
            files=Attachments(client, session),
            spool=spool,
            tasks=tasks,
            policy=lambda: rules.now,
            leadership=leadership,
        )
        if replica is not None:
            await replica.join(_nothing, partial(_replaced, tasks, tell), tasks.serve)
        intake = Intake(ctx)
        read = parse(text, built.catalog)
        intent = Intent(
            request_id=request_id,
            dedupe_key=f"terminal:{ids.secret()}",
            actor=Actor(user_id=user, team_id=slack.team),
            place=Place(team_id=slack.team, channel_id=channel),
            source=Source.TERMINAL,
            at=clock.now(),
            payload=read,
            typed=text,
            confirmed=yes,
        )
        receipt = await intake.submit(intent)
        if receipt.say:
            tell(receipt.say)
        while len(tasks):
            await clock.sleep(0.02)
        await tasks.close(1.0)
        if replica is not None:
            await replica.leave()
        await tasks.stop_services()
        entries = await store.search(Filters(request_id=intent.request_id), limit=50)
        for backend in built.backends.values():
            await backend.close()
        await store.close()
    if ParseError in (type(read), type(parse(text.removeprefix("why "), built.catalog))):
        return Exit.MISUSED
    # The outcome of an operation counts, not the colour of its card: a run that was stopped is shown in amber.
    # Of `grant`, `breakglass` and `incident` the card is for the channel, and a warning although it is done.
    done = any(
        entry.event in DONE and (entry.target_id or built.catalog.changes(entry.verb or "")) for entry in entries
    )
    given_up = any(entry.event is Event.ABANDONED for entry in entries)  # it waits for the approval of the same request
    answered = presenter.last is not None and presenter.last.tone in GOOD and not receipt.say and not given_up
    return Exit.DONE if done or answered else Exit.NOT_DONE
