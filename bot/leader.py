"""What the leader of a workspace does, beside taking requests: it executes them, delivers messages, follows runs, runs timers,
and reloads the rules. Taking over from another replica is the same as starting again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from bot import config
from bot.all_of import all_of
from bot.core.card import Card, Line, Tone
from bot.core.errors import Problem
from bot.core.intent import Place
from bot.features import target_watch
from bot.features.access.policy_reload import PolicyReloader
from bot.features.approvals import pick_up
from bot.features.home import HOMES_EVERY, redraw
from bot.features.housekeeping import prune, publish_head, warn_of_credentials
from bot.intents.recovery import pick_up_requests, recover
from bot.operations.watcher import follow_due
from bot.runtime.context import Context
from bot.runtime.scheduler import HEALTH_EVERY, PRUNE_EVERY, Scheduler, Submit
from bot.runtime.spool import FileSpool
from bot.runtime.task_queue import TaskQueue
from bot.slack.message_sender import MessageSender
from bot.slack.published_head import StoreWatch
from bot.slack.token_rotation import TokenRotation
from bot.store.store import Store

FOLLOW_EVERY = 1.0
REQUESTS_EVERY = 1.0
RULES_EVERY = 1.0
PICK_UP_EVERY = 30.0
TOKENS_EVERY = 60.0
NAMES_EVERY = 600.0
LAST_MESSAGES_WITHIN = 3.0
FOR_EVER = "9999"  # later than every stamp
MOST_WAITING = 100_000

_log = logging.getLogger("signalbox")


class Leader:
    """`start` continues what the last leader left; `stop` leaves the rest to the next one."""

    def __init__(
        self,
        ctx: Context,
        store: Store,
        sender: MessageSender,
        spool: FileSpool,
        rules: PolicyReloader,
        rotation: TokenRotation,
        submit: Submit,
        slack: config.SlackSettings,
    ) -> None:
        self._ctx = ctx
        self._store = store
        self._sender = sender
        self._spool = spool
        self._rules = rules
        self._rotation = rotation
        self._slack = slack
        self._services = TaskQueue()
        self._running: set[str] = set()
        self._woken = asyncio.Event()
        self.timers = Scheduler(store, ctx.clock, ctx.ids, submit, slack.team, self._jobs())

    async def start(self) -> None:
        """Deliver what was left, recover what was open, then start the timers."""
        self._running.clear()
        left = await self._store.due_messages(FOR_EVER, MOST_WAITING)
        self._sender.take_over(left, await self._store.stand_ins())
        self._spool.prepare(self._sender.files_of(left))
        await self._rules.registered(self._store)
        self._services.serve(self._sender.run(), "outbox")
        await recover(self._ctx)
        self._services.serve(self.timers.run(), "timers")
        if self._store.shared:
            loop = asyncio.get_running_loop()
            self._store.wake(partial(_from_thread, loop, self._woken.set))
            self._services.serve(self._pick_up(), "requests")

    async def stop(self) -> None:
        """Send the remaining messages within the time limit, and stop everything that `start` started."""
        try:
            async with asyncio.timeout(LAST_MESSAGES_WITHIN):
                await self._sender.stop()
                while (wait := await self._sender.flush()) is not None:
                    await self._ctx.clock.sleep(wait)
        except (TimeoutError, Problem):
            _log.warning("some messages wait for the next start")
        await self._services.stop_services()

    async def hand_over(self) -> None:
        """Stop what `start` started, and leave everything to the next leader that has not begun."""
        await self._sender.stop()
        await self._services.stop_services()
        queued, now = self._ctx.tasks.unqueue(), self._ctx.clock.now()
        await all_of([self._store.release(request_id, now) for request_id in queued])

    async def abandon(self) -> None:
        """Cancel everything: another replica leads, and looks up what this one had begun."""
        await self._services.stop_services()
        self._sender.delivery.give_up()
        await self._ctx.tasks.abandon()

    async def _pick_up(self) -> None:
        """What other replicas accepted or left: at once when the database says so, and every second in any case."""
        while True:
            self._woken.clear()
            try:
                await pick_up_requests(self._ctx)
            except Problem as problem:
                _log.error("requests of other replicas: %s", problem.code)
            self._sender.wake()
            with suppress(TimeoutError):
                async with asyncio.timeout(REQUESTS_EVERY):
                    await self._woken.wait()

    def _jobs(self) -> tuple[tuple[float, Callable[[], Awaitable[object]]], ...]:
        ctx, store, sender, beside = self._ctx, self._store, self._sender, self._beside
        alarm = StoreWatch(store, sender.client, self._slack.security_channel)
        return (
            (FOLLOW_EVERY, beside("follow", lambda: follow_due(ctx))),
            (FOLLOW_EVERY, beside("watches", lambda: target_watch.look(ctx))),
            (RULES_EVERY, beside("rules", lambda: self._rules.look(store, sender, ctx.secrets, ctx.catalog))),
            (RULES_EVERY, beside("store", alarm.look)),
            (TOKENS_EVERY, beside("tokens", self._keep_tokens)),
            (PICK_UP_EVERY, beside("approvals", lambda: pick_up(ctx))),
            (HEALTH_EVERY, beside("health", lambda: warn_of_credentials(ctx))),
            (HOMES_EVERY, beside("homes", lambda: redraw(ctx))),
            (NAMES_EVERY, beside("targets", ctx.listings.refresh)),
            (PRUNE_EVERY, beside("prune", lambda: prune(ctx))),
            (PRUNE_EVERY, beside("head", lambda: publish_head(ctx))),
        )

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
                if not self._ctx.tasks.start(work(), name):
                    self._running.discard(name)

        return begin

    async def _keep_tokens(self) -> None:
        """Exchange a rotating token in time; when Slack refuses that, the security channel is told once a day."""
        trouble = await self._rotation.keep_fresh()
        channel = self._slack.security_channel
        if trouble is None or channel is None:
            return
        card = Card(
            key=f"token:{self._ctx.clock.now():%Y-%m-%d}",
            place=Place(team_id=self._slack.team, channel_id=channel),
            title="Slack refuses to renew the bot token",
            tone=Tone.BAD,
            status=f"Slack answers {trouble.code}. The bot stops when its token expires, within 4 hours",
            lines=(Line(heading="What to do", text="Install the app again and replace the refresh token."),),
        )
        if await self._store.message(card.key) is None:
            await self._sender.show(card)


def _from_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call it on the loop, from any thread. A closed loop needs no call."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
