"""The one place where the parts meet. It names no kind of control plane."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.build import Installed, build_backends, build_context
from bot.core.card import Card, Line, Tone
from bot.core.errors import Problem
from bot.core.intent import Intent, Place
from bot.core.ports.services import Clock, Ids, Presenter
from bot.core.records import Outgoing
from bot.features.access.policy_reload import PolicyReloader
from bot.features.approvals import pick_up
from bot.features.home import HOMES_EVERY, redraw
from bot.features.housekeeping import prune, publish_head, warn_of_credentials
from bot.features.replies.channel_freeze import tell_frozen
from bot.http_client.errors import cause_of
from bot.http_client.transport import open_session
from bot.intents.intake import Intake
from bot.intents.recovery import recover
from bot.operations.watcher import follow_due
from bot.runtime import gc_tuning
from bot.runtime.clock import SystemClock, SystemIds
from bot.runtime.context import Context
from bot.runtime.metrics import Metrics
from bot.runtime.scheduler import HEALTH_EVERY, PRUNE_EVERY, Scheduler
from bot.runtime.spool import FileSpool
from bot.runtime.stalls import Stalls
from bot.runtime.task_queue import TaskQueue
from bot.slack.app import SlackApp
from bot.slack.client import web_client
from bot.slack.directory import SlackDirectory
from bot.slack.error_table import Remedy
from bot.slack.errors import TRANSPORT, read
from bot.slack.files import Attachments, Uploads
from bot.slack.http import HttpServer
from bot.slack.http_guard import descriptors, limits
from bot.slack.installation import Installation, installation
from bot.slack.message_sender import MessageSender
from bot.slack.payload import Stamp
from bot.slack.response_url import Responder
from bot.slack.store_watch import StoreWatch
from bot.slack.token_rotation import RotationKeys, TokenRotation
from bot.store.sqlite.store import Store
from bot.store.target_cache import StoreTargetCache

FOLLOW_EVERY = 1.0
RULES_EVERY = 1.0
PICK_UP_EVERY = 30.0
TOKENS_EVERY = 60.0
NAMES_EVERY = 600.0
STOP_WITHIN = 10.0
LAST_MESSAGES_WITHIN = 3.0
FOR_EVER = "9999"  # later than every stamp
MOST_WAITING = 100_000

_log = logging.getLogger("signalbox")


def slack_fault(error: BaseException, token: str, api_url: str) -> str:
    """What is wrong when Slack can't be asked: the network, Slack itself, or the token. `token` names it."""
    trouble = read(error)
    if not isinstance(error, SlackApiError):
        host = urlsplit(api_url).hostname
        return f"can't reach {host} ({cause_of(error)}); check the network and `[network] proxy`"
    if trouble.remedy is Remedy.FATAL:
        return f"Slack refuses the {token} ({trouble.code}); install the app again and copy its token"
    return f"Slack's answer can't be used ({trouble.code}); check `api_url`, and try again later"


class Bot:
    """The running program. `start` joins Slack, `run` waits for a signal, `close` finishes running requests."""

    def __init__(
        self,
        settings: config.Settings,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self.settings = settings
        self.clock, self.ids = clock or SystemClock(), ids or SystemIds()
        self.rules = PolicyReloader(
            settings.policy_path, self.clock, self.ids, settings.slack.team, settings.slack.security_channel
        )
        self.store = Store.open(str(settings.store_path), exclusive=True)
        try:
            self.target_cache = StoreTargetCache(self.store, self.clock)
            self.built = build_backends(settings, self.clock, self.ids, self.target_cache, environ)
            self.store.secrets = self.built.secrets
        except BaseException:
            self.store.close_sync()
            raise
        self.tasks = TaskQueue()
        self.stopping = asyncio.Event()
        self._sockets: list[AsyncSocketModeHandler] = []
        self._session: aiohttp.ClientSession | None = None
        self._running: set[str] = set()
        self.joined = False
        self.metrics = Metrics(self._numbers)

    async def start(self) -> None:
        """Start everything, in an order in which no request is accepted before it can be handled."""
        gc_tuning.share()
        await self.rules.settle()
        slack = self.settings.slack
        self._session = open_session(self.settings.proxies, self.settings.ca_file)
        client = web_client(slack.token, slack.api_url, self._session)
        keys = RotationKeys(*slack.rotation) if slack.rotation else None
        self.rotation = TokenRotation(self.store, self.clock, keys, client, secrets=self.built.secrets)
        me = await self._who_am_i(client)
        left = await self.store.due_messages(FOR_EVER, MOST_WAITING)
        self.sender = MessageSender(
            self.store,
            client,
            Responder(self._session, slack.response_hosts),
            uploads := Uploads(client, self._session),
            self.clock,
            team_id=slack.team,
            fatal=self._fatal,
            security_channel=slack.security_channel,
            secrets=self.built.secrets,
            left=left,
        )
        self.rotation.follow(self.sender.client, uploads.client)
        directory = SlackDirectory(client, self.store, self.clock, slack.team)
        self.ctx = self._context(client, directory, self.sender, self._spool(left), me.url)
        self.pipeline = Intake(self.ctx)
        await self.rules.registered(self.store)
        stalls = Stalls(self.clock)
        slack_app = SlackApp(
            self.pipeline,
            Stamp(self.clock, self.ids, stalls.held_up),
            command=slack.command,
            installation=me,
            channel_event=self._channel_event(directory),
            tell=self._tell(client),
            acked=self.metrics.acked,
        )
        bolt = slack_app.build(client)
        self.tasks.serve(stalls.run(), "stalls")
        self.tasks.serve(self.sender.run(), "outbox")
        await recover(self.ctx)
        self.timers = Scheduler(self.store, self.clock, self.ids, self.pipeline.submit, slack.team, self._jobs())
        self.tasks.serve(self.timers.run(), "timers")
        await self._listen(bolt)

    def _spool(self, left: Sequence[Outgoing]) -> FileSpool:
        """The spool, emptied except for files that an earlier run could not upload."""
        spool = FileSpool(self.settings.store_path.with_suffix(".spool"))
        spool.prepare(self.sender.files_of(left))
        return spool

    def _context(
        self, client: AsyncWebClient, directory: SlackDirectory, presenter: Presenter, spool: FileSpool, url: str
    ) -> Context:
        session = self._session
        if session is None:
            raise RuntimeError("start makes the session first")
        return build_context(
            self.built,
            Installed.of(self.settings),
            clock=self.clock,
            ids=self.ids,
            store=self.store,
            target_cache=self.target_cache,
            directory=directory,
            presenter=presenter,
            files=Attachments(client, session),
            spool=spool,
            tasks=self.tasks,
            policy=lambda: self.rules.now,
            workspace_url=url,
        )

    async def _who_am_i(self, client: AsyncWebClient) -> Installation:
        """The installation that the tokens belong to. Raises ConfigProblem when they do not fit the configured workspace."""
        slack = self.settings.slack
        app_token = slack.app_token.get_secret_value() if slack.mode == "socket" and slack.app_token else None
        try:
            await self.rotation.begin()
            me = await installation(client, app_token)
        except (SlackApiError, *TRANSPORT) as error:
            which = "refresh token" if client.token is None else "bot token"
            raise config.ConfigProblem(f"[slack] {slack_fault(error, which, slack.api_url)}") from None
        unusable = me.unusable(slack.team)
        if unusable is not None:
            raise config.ConfigProblem(f"[slack] {unusable}")
        return me

    def _channel_event(self, directory: SlackDirectory) -> Callable[[Mapping[str, Any]], Awaitable[None]]:
        async def on_event(body: Mapping[str, Any]) -> None:
            event = body.get("event")
            if not isinstance(event, Mapping):
                return
            for name in ("channel", "new_channel_id", "old_channel_id"):
                channel = event.get(name)
                if not isinstance(channel, str) or event.get("type") == "channel_unshared":
                    continue
                if await directory.freeze(channel):
                    await tell_frozen(self.ctx, channel, str(event.get("type")))

        return on_event

    def _tell(self, client: AsyncWebClient) -> Callable[[Intent, str], None]:
        """Send a sentence to the requester without the store, for the time when nothing can be stored."""

        async def send(intent: Intent, text: str) -> None:
            actor, place = intent.actor, intent.place.aside
            if intent.reply.step_id is not None:
                await self.sender.step(intent.reply.step_id, ok=False, text=text)
                return
            try:
                if place.channel_id:
                    await client.chat_postEphemeral(
                        channel=place.channel_id, user=actor.user_id, thread_ts=place.thread_ts, text=text
                    )
                else:
                    await client.chat_postMessage(channel=actor.user_id, text=text)
            except (SlackApiError, *TRANSPORT) as error:
                _log.warning("request %s: its person could not be told: %s", intent.request_id, read(error).code)

        def tell(intent: Intent, text: str) -> None:
            if intent.actor.user_id:
                self.tasks.start(send(intent, text), f"tell {intent.request_id}")

        return tell

    def _jobs(self) -> tuple[tuple[float, Callable[[], Awaitable[object]]], ...]:
        slack, beside = self.settings.slack, self._beside
        return (
            (FOLLOW_EVERY, beside("follow", lambda: follow_due(self.ctx))),
            (RULES_EVERY, beside("rules", lambda: self.rules.look(self.store, self.sender, self.built.secrets))),
            (RULES_EVERY, beside("store", StoreWatch(self.store, self.sender.client, slack.security_channel).look)),
            (TOKENS_EVERY, beside("tokens", self._keep_tokens)),
            (PICK_UP_EVERY, beside("approvals", lambda: pick_up(self.ctx))),
            (HEALTH_EVERY, beside("health", lambda: warn_of_credentials(self.ctx))),
            (HOMES_EVERY, beside("homes", lambda: redraw(self.ctx))),
            (NAMES_EVERY, beside("targets", self.ctx.listings.refresh)),
            (PRUNE_EVERY, beside("prune", lambda: prune(self.ctx))),
            (PRUNE_EVERY, beside("head", lambda: publish_head(self.ctx))),
        )

    async def _renew_or_stop(self) -> None:
        """Exchange an expired token. Without a new one the bot stops."""
        trouble = await self.rotation.keep_fresh(expired=True)
        if trouble is not None:
            self._fatal(trouble.code)

    async def _keep_tokens(self) -> None:
        """Exchange a rotating token in time; when Slack refuses that, the security channel is told once a day."""
        trouble = await self.rotation.keep_fresh()
        channel = self.settings.slack.security_channel
        if trouble is None or channel is None:
            return
        card = Card(
            key=f"token:{self.clock.now():%Y-%m-%d}",
            place=Place(team_id=self.settings.slack.team, channel_id=channel),
            title="Slack refuses to renew the bot token",
            tone=Tone.BAD,
            status=f"Slack answers {trouble.code}. The bot stops when its token expires, within 4 hours",
            lines=(Line(heading="What to do", text="Install the app again and replace the refresh token."),),
        )
        if await self.store.message(card.key) is None:
            await self.sender.show(card)

    def _beside(self, name: str, job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        """A job that runs as its own task, never twice at once. After an error it is tried again at the next beat."""

        async def work() -> None:
            try:
                await job()
            except Problem as problem:
                _log.error("%s: %s", name, problem.code)
            finally:
                self._running.discard(name)

        async def begin() -> None:
            if name not in self._running:
                self._running.add(name)
                if not self.tasks.start(work(), name):
                    self._running.discard(name)

        return begin

    async def _listen(self, bolt: AsyncApp) -> None:
        slack = self.settings.slack
        self.http = HttpServer(slack.address, self.clock, ready=lambda: self.joined, limits=limits(descriptors()))
        if slack.mode == "http":
            self.http.serve_slack(bolt, slack.signing_secret)
        self.address = await self._bound("listen", slack.listen, self.http.start())
        if slack.metrics_address is not None:
            started = self.http.start_metrics(slack.metrics_address, self.metrics.page)
            self.metrics_address = await self._bound("metrics_listen", slack.metrics_listen, started)
        if slack.mode == "socket" and slack.app_token is not None:
            for _ in range(slack.connections):
                await self._join(bolt, slack.app_token.get_secret_value())
        self.joined = True

    async def _bound(self, key: str, written: str, listening: Awaitable[tuple[str, int]]) -> tuple[str, int]:
        """The address that is listened on; raises ConfigProblem."""
        try:
            return await listening
        except OSError as error:
            raise config.ConfigProblem(f"[slack] {key}: cannot listen on {written}: {error.strerror}") from None

    async def _join(self, bolt: AsyncApp, app_token: str) -> None:
        """One Socket Mode connection; raises ConfigProblem when Slack gives no address for one.

        The SDK's own `connect` asks for an address every ten seconds without end, whatever Slack answers.
        """
        handler = AsyncSocketModeHandler(bolt, app_token, web_client=bolt.client)
        self._sockets.append(handler)
        await handler.client.aiohttp_client_session.close()
        handler.client.aiohttp_client_session = open_session(self.settings.proxies, self.settings.ca_file)
        handler.client.proxy = None
        ask = handler.client.issue_new_wss_url

        async def address() -> str:
            try:
                return await ask()
            except SlackApiError as error:
                if read(error).remedy is Remedy.FATAL:
                    self._fatal(read(error).code)
                raise

        handler.client.issue_new_wss_url = address  # type: ignore[method-assign]
        try:
            handler.client.wss_uri = await address()
        except (SlackApiError, *TRANSPORT) as error:
            fault = slack_fault(error, "app token", self.settings.slack.api_url)
            raise config.ConfigProblem(f"[slack] {fault}") from None
        await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped

    def _numbers(self) -> Mapping[str, float]:
        """Numbers for /metrics."""
        return {
            "requests_accepted": self.pipeline.accepted,
            "requests_repeated": self.pipeline.repeated,
            "tasks": len(self.tasks),
            "messages_sent": self.sender.sent,
            "messages_troubles": self.sender.troubles,
            "messages_undelivered": self.sender.lost,
            "http_connections": self.http.connections,
        }

    async def _last_messages(self) -> None:
        """Send the remaining messages within the time limit; the rest is sent after the next start."""
        try:
            async with asyncio.timeout(LAST_MESSAGES_WITHIN):
                await self.sender.stop()
                while (wait := await self.sender.flush()) is not None:
                    await self.clock.sleep(wait)
        except (TimeoutError, Problem):
            _log.warning("some messages wait for the next start")

    def _fatal(self, code: str) -> None:
        if code == "token_expired" and self.settings.slack.rotation is not None:
            self.tasks.start(self._renew_or_stop(), "tokens")
            return
        _log.critical("Slack refuses the token (%s); stopping", code)
        self.stopping.set()

    async def run(self) -> None:
        """Until SIGINT or SIGTERM."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self.stopping.set)
        await self.stopping.wait()

    async def close(self) -> None:
        """Accept nothing new, finish running requests, send the remaining messages, close everything."""
        self.joined = False
        if hasattr(self, "http"):
            await self.http.close()
        for handler in self._sockets:
            await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
        await self.tasks.close(STOP_WITHIN)
        if hasattr(self, "sender"):
            await self._last_messages()
        await self.tasks.stop_services()
        for backend in self.built.backends.values():
            await backend.close()
        if self._session is not None:
            await self._session.close()
        await self.store.close()
