"""The Bolt app: one short listener per source. Each makes an Intent, submits it (which stores it), and acks.

With `process_before_response=True` Bolt doesn't poll for the ack. An exception after the ack would overwrite the answer,
so the ack is the last line of every listener.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.card import Choices
from bot.core.command.catalog import Catalog
from bot.core.intent import Actor, FormChange, Intent, ParseError, Place, Receipt
from bot.render.form import MENUS, render_choices
from bot.slack import inbound, mentions
from bot.slack.installation import Installation
from bot.slack.payload import Stamp, interaction_actor, interaction_place, storable, text

LAUNCHER: Final = "launcher"
WORK_ON_MESSAGE: Final = "work_on_message"
RUN_OPERATION: Final = "run_operation"
CHANNEL_EVENTS: Final = ("channel_id_changed", "channel_shared", "channel_unshared")

Body = Mapping[str, Any]
ChannelEvent = Callable[[Body], Awaitable[None]]
Tell = Callable[[Intent, str], None]
Acked = Callable[[str, float], None]

_log = logging.getLogger("signalbox.slack")


def _not_about_tokens(record: logging.LogRecord) -> bool:
    """Bolt warns about SLACK_BOT_TOKEN in the environment, which it doesn't use because it gets a client."""
    return "`token` will be unused" not in record.getMessage()


class IntakePort(Protocol):
    """The intake of requests. `submit` returns when the request is in the audit log."""

    catalog: Catalog

    async def submit(self, intent: Intent) -> Receipt: ...

    async def suggest(self, actor: Actor, place: Place, typed: str, *, menu: str, token: str) -> Sequence[Choices]:
        """At most 100 options that match the typed text, best first. `menu` is `verb` or `target`, `token` that of the modal."""

    async def changed(self, change: FormChange) -> None:
        """A live field of an open modal was changed: the modal is redrawn soon."""


class SlackApp:
    """Registers the listeners. `command` is the slash command; `tell` starts sending a sentence to the person of a
    refused request when the ack can't carry it, and returns at once. `acked` gets the duration of each ack."""

    def __init__(
        self,
        front: IntakePort,
        stamp: Stamp,
        *,
        command: str,
        installation: Installation,
        channel_event: ChannelEvent,
        tell: Tell,
        acked: Acked = lambda source, seconds: None,
    ) -> None:
        self._front = front
        self._stamp = stamp
        self._command = command
        self._installation = installation
        self._bot_user_id = installation.bot_user_id
        self._channel_event = channel_event
        self._tell = tell
        self._acked = acked

    def build(self, client: AsyncWebClient) -> AsyncApp:
        """The app with its listeners. Requests are verified before they get here, so Bolt's own check is off.

        With `authorize`, Bolt ignores SLACK_CLIENT_ID and SLACK_CLIENT_SECRET in the environment (no installation store), and
        the first request doesn't wait for auth.test. So Bolt's client needs no token.
        """

        async def authorize(team_id: str | None, enterprise_id: str | None) -> AuthorizeResult:
            # The intake decides which workspaces are allowed, and records a refusal.
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id=self._bot_user_id)

        logger = logging.getLogger("signalbox.bolt")
        logger.addFilter(_not_about_tokens)
        app = AsyncApp(
            name="signalbox",  # else Bolt reads the source of every caller to find a name
            client=AsyncWebClient(base_url=client.base_url, session=client.session, timeout=client.timeout),
            authorize=authorize,
            process_before_response=True,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            ignoring_self_events_enabled=True,
            attaching_function_token_enabled=False,
            logger=logger,
        )
        everything = re.compile(".*")
        app.command(everything)(self._wrapped("command", self.on_command))
        app.action(everything)(self._wrapped("action", self.on_action))
        app.view(everything)(self._wrapped("form", self.on_view))
        app.view_closed(everything)(self.on_nothing)
        app.options(re.compile("|".join(MENUS.values())))(self._wrapped("options", self.on_options))
        stamp, catalog, bot = self._stamp, self._front.catalog, self._bot_user_id
        app.shortcut(everything)(self._requests("shortcut", lambda body: inbound.read_shortcut(body, stamp, bot)))
        message = self._requests("message", lambda body: mentions.read(body, stamp, catalog, bot))
        app.event("app_mention")(message)
        app.event("message")(message)
        app.event("app_home_opened")(self._requests("home", lambda body: inbound.read_home(body, stamp)))
        app.event("function_executed")(self._requests("step", lambda body: inbound.read_step(body, stamp, catalog)))
        for name in CHANNEL_EVENTS:
            app.event(name)(self._wrapped("channel", self.on_channel_event))
        app.event(everything)(self.on_nothing)
        return app

    def _wrapped(
        self, source: str, listener: Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        """The listener, with text that can be stored in its payload, and with its ack timed."""

        async def wrapped(ack: AsyncAck, body: dict[str, Any]) -> None:
            began = time.perf_counter()
            await listener(ack, storable(body))
            self._acked(source, time.perf_counter() - began)

        return wrapped

    async def on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Answers a command of another name without running it."""
        if body.get("command") != self._command:
            await ack(f"Signalbox only answers `{self._command}`. An administrator needs to fix the app's manifest.")
            return
        receipt = await self._hand_over(inbound.read_command(body, self._stamp, self._front.catalog), body)
        await ack(receipt.say) if receipt.say else await ack()

    async def on_action(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Buttons and menus of messages and of the Home tab, and live fields of modals."""
        change = inbound.form_changed(body)
        if change is not None:
            if self._installation.foreign(body) is None:
                await self._front.changed(change)
            await ack()
            return
        intent = inbound.read_action(body, self._stamp)
        if intent is not None:
            await self._hand_over_and_tell(intent, body)
        await ack()

    async def on_view(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A modal: errors go back to their fields, otherwise the modal closes."""
        receipt = await self._hand_over(inbound.read_form(body, self._stamp), body)
        field = _first_input(body)
        errors = receipt.errors or ({field: receipt.say} if field and receipt.say else None)
        if errors:
            await ack(response_action="errors", errors=errors)
            return
        await ack()

    async def on_options(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Type-ahead of verbs and targets; an empty list when nothing fits."""
        if self._installation.foreign(body) is not None:
            await ack(options=[])
            return
        found = await self._front.suggest(
            interaction_actor(body),
            interaction_place(body),
            text(body, "value") or "",
            menu=next((menu for menu, action in MENUS.items() if action == text(body, "action_id")), ""),
            token=text(body, "view", "private_metadata") or "",
        )
        await ack(**render_choices(found))

    def _requests(self, source: str, read: Callable[[Body], Intent | None]) -> Callable[..., Awaitable[None]]:
        """A listener for payloads that `read` turns into requests; it returns None for what is not for the bot."""

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            intent = read(body)
            if intent is not None:
                await self._hand_over_and_tell(intent, body)
            await ack()

        return self._wrapped(source, listen)

    async def on_channel_event(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A channel got a new id or became shared: its rules don't apply until an administrator confirms them."""
        await self._channel_event(body)
        await ack()

    async def on_nothing(self, ack: AsyncAck) -> None:
        """Ignores other events and closed modals. The ack stops Slack from sending them again."""
        await ack()

    async def _hand_over_and_tell(self, intent: Intent, body: Body) -> None:
        receipt = await self._hand_over(intent, body)
        if receipt.say:
            self._tell(intent, receipt.say)

    async def _hand_over(self, intent: Intent, body: Body) -> Receipt:
        foreign = self._installation.foreign(body)
        if foreign is not None:
            intent = intent.model_copy(update={"foreign": foreign})
        if isinstance(intent.payload, ParseError):
            _log.debug("request %s could not be read", intent.request_id)
        return await self._front.submit(intent)


def _first_input(body: Body) -> str | None:
    """The block id of a modal's first input, where Slack can show an error."""
    view = body.get("view")
    blocks = view.get("blocks") if isinstance(view, Mapping) else None
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, Mapping) and block.get("type") == "input":
            return text(block, "block_id")
    return None
