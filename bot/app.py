"""The one place where the parts meet. It names no kind of control plane."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.build import Installed, build_backends, build_context
from bot.connections import Connections, installed_as
from bot.core.errors import Problem
from bot.core.intent import Intent
from bot.core.ports.services import Clock, Ids
from bot.core.ports.store import Leadership
from bot.features.access.policy_reload import PolicyReloader
from bot.features.replies.channel_freeze import tell_frozen
from bot.http_client.transport import open_session
from bot.intents.intake import Intake
from bot.leader import RULES_EVERY, TOKENS_EVERY, Leader
from bot.runtime import event_loop
from bot.runtime.clock import SystemClock, SystemIds
from bot.runtime.event_loop import Stalls
from bot.runtime.leadership import AlwaysLeader
from bot.runtime.metrics import Metrics
from bot.runtime.spool import FileSpool, spool_folder
from bot.runtime.task_queue import TaskQueue
from bot.slack.app import SlackApp
from bot.slack.client import web_client
from bot.slack.directory import SlackDirectory
from bot.slack.errors import TRANSPORT, read
from bot.slack.files import Attachments, Uploads
from bot.slack.message_delivery import Responder
from bot.slack.message_sender import MessageSender
from bot.slack.payload import Stamp
from bot.slack.published_head import published_head
from bot.slack.token_rotation import RotationKeys, TokenRotation
from bot.store.open import open_leadership, open_store
from bot.store.store import StoreTargetCache

STOP_WITHIN = 10.0
NAMES_WITHIN = 1.0
SOCKETS = 2  # Socket Mode connections, so that one can be renewed while the other works

_log = logging.getLogger("signalbox")


class Bot:
    """The running program. `start` joins Slack, `stopping` is set when it must end, `close` finishes running requests."""

    def __init__(
        self, settings: config.Settings, environ: Mapping[str, str], clock: Clock | None = None, ids: Ids | None = None
    ) -> None:
        self.settings = settings
        self.clock, self.ids = clock or SystemClock(), ids or SystemIds()
        self.rules = PolicyReloader(
            settings.policy_path, self.clock, self.ids, settings.slack.team, settings.slack.security_channel
        )
        self.store = open_store(settings.store, exclusive=True)
        try:
            self.target_cache = StoreTargetCache(self.store, self.clock)
            self.leadership: Leadership = (
                open_leadership(self.store, settings.store, self.clock, settings.slack.team) or AlwaysLeader()
            )
            self.built = build_backends(
                settings, self.clock, self.ids, self.target_cache, environ, self.leadership.surely
            )
            self.store.secrets = self.built.secrets
        except BaseException:
            self.store.close_sync()
            raise
        self.tasks = TaskQueue()
        self.stopping = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self.metrics = Metrics(self._numbers)
        self.connections = Connections(settings, self.clock, self.metrics, may_take=self._may_take, fatal=self._fatal)
        self.leader: Leader | None = None

    def _may_take(self) -> bool:
        """Whether a request can be stored now: on this replica, in a database that is still there."""
        try:
            self.store.check_file()
        except Problem:
            return False
        return self.leadership.surely() and self.store.able()

    async def start(self) -> None:
        """Start everything, in an order in which no request is accepted before it can be handled."""
        event_loop.share()
        await self.rules.settle()
        slack = self.settings.slack
        self._session = session = open_session(self.settings.proxies, self.settings.ca_file)
        client = web_client(slack.token, slack.api_url, session)
        keys = RotationKeys(*slack.rotation) if slack.rotation else None
        self.rotation = TokenRotation(self.store, self.clock, keys, client, secrets=self.built.secrets)
        me = await installed_as(slack, client, self.rotation)
        directory = SlackDirectory(client, self.store, self.clock, slack.team)
        zone = ZoneInfo(self.settings.zone)

        async def names_soon(user_ids: Collection[str]) -> Mapping[str, str]:
            """A card is not late because Slack is; what Slack tells later is on the next card."""
            found = await self.tasks.wait(directory.names(user_ids), NAMES_WITHIN)
            return found.result() if found.done() else {}

        self.sender = MessageSender(
            self.store,
            client,
            Responder(session, slack.response_hosts),
            uploads := Uploads(client, session),
            self.clock,
            team_id=slack.team,
            fatal=self._fatal,
            security_channel=slack.security_channel,
            secrets=self.built.secrets,
            may_send=self.leadership.surely,
            zone_of=lambda user: directory.zone(user) or zone,
            names=names_soon,
        )
        self.rotation.follow(self.sender.client, uploads.client)
        where = self.settings.store
        spool = FileSpool(spool_folder(self.settings.folder, where), shared=where.shared and bool(where.files))
        looking = await self.tasks.wait(published_head(client, slack.security_channel), 0)
        self.ctx = build_context(
            self.built,
            Installed.of(self.settings),
            clock=self.clock,
            ids=self.ids,
            store=self.store,
            target_cache=self.target_cache,
            directory=directory,
            presenter=self.sender,
            files=Attachments(client, session),
            spool=spool,
            tasks=self.tasks,
            policy=lambda: self.rules.now,
            workspace_url=me.url,
            published_head=lambda: asyncio.shield(looking),
            leadership=self.leadership,
        )
        self.intake = Intake(self.ctx)
        stalls = Stalls(self.clock)
        slack_app = SlackApp(
            self.intake,
            Stamp(self.clock, self.ids, stalls.held_up),
            command=slack.command,
            installation=me,
            channel_event=self._channel_event(directory),
            tell=self._tell(client),
            acked=self.metrics.acked,
        )
        self.tasks.serve(stalls.run(), "stalls")
        self.leader = Leader(
            self.ctx, self.store, self.sender, spool, self.rules, self.rotation, self.intake.submit, slack
        )
        await self.leadership.join(self.leader.start, self.leader.abandon, self.tasks.serve)
        if self.store.shared:
            self.tasks.serve(self._follow(), "follow")
        most = SOCKETS if slack.connections == "auto" else slack.connections
        sockets = await self.leadership.claim_sockets(most) if slack.mode == "socket" else 0
        await self.connections.open(slack_app.build(client), sockets)

    async def _follow(self) -> None:
        """What a replica keeps up to date that doesn't lead: the rules for its own answers, its token, and the messages that
        it sent when another one took over."""
        beats = 0
        while True:
            await self.clock.sleep(RULES_EVERY)
            try:
                await self.sender.delivery.repair()
            except Problem as problem:
                _log.warning("messages from before the takeover wait: %s", problem.code)
            if self.leadership.leads:
                continue
            self.rules.follow()
            beats += 1
            if beats % TOKENS_EVERY == 0:
                try:
                    await self.rotation.begin()
                except (Problem, SlackApiError, *TRANSPORT) as error:
                    _log.warning("the bot token can't be read again: %s", type(error).__name__)

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

    async def _renew_or_stop(self) -> None:
        """Exchange an expired token. Without a new one the bot stops."""
        trouble = await self.rotation.keep_fresh(expired=True)
        if trouble is not None:
            self._fatal(trouble.code)

    def _numbers(self) -> Mapping[str, float]:
        """Numbers for /metrics."""
        return {
            "requests_accepted": self.intake.accepted,
            "requests_repeated": self.intake.repeated,
            "tasks": len(self.tasks),
            "messages_sent": self.sender.sent,
            "messages_troubles": self.sender.troubles,
            "messages_undelivered": self.sender.lost,
            "leader": self.leadership.leads,
            "http_connections": self.connections.http_connections,
        }

    def _fatal(self, code: str) -> None:
        if code == "token_expired" and self.settings.slack.rotation is not None:
            self.tasks.start(self._renew_or_stop(), "tokens")
            return
        _log.critical("Slack answers %s; stopping", code)
        self.stopping.set()

    async def close(self) -> None:
        """Accept nothing new, finish running requests, send the remaining messages, close everything."""
        await self.connections.close()
        if self.leader is not None:
            await self.leadership.resign(self.leader.hand_over)
        await self.tasks.close(STOP_WITHIN)
        if self.leader is not None and self.leadership.leads:
            await self.leader.stop()
        await self.leadership.leave()
        await self.tasks.stop_services()
        for backend in self.built.backends.values():
            await backend.close()
        if self._session is not None:
            await self._session.close()
        await self.store.close()
