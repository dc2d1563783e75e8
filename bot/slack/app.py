"""The Bolt app: one short listener a source. Each makes an Intent, hands it over (which stores it), and acks.

`process_before_response=True`: Bolt then does not poll for the ack. Nothing may raise once `ack` was awaited
(a raise would overwrite the answer), so the ack is the last line of every listener.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.intent import Intent, ParseError, Receipt
from bot.slack.inbound import actions, commands, forms, home, mentions, shortcuts, workflow_steps
from bot.slack.installation import Installation
from bot.slack.payload import Stamp, interaction_actor, interaction_place, storable, text
from bot.slack.ports import IntakePort

LAUNCHER: Final = "launcher"
WORK_ON_MESSAGE: Final = "work_on_message"
RUN_OPERATION: Final = "run_operation"
SUGGEST: Final = "suggest_target"
CHANNEL_EVENTS: Final = ("channel_id_changed", "channel_shared", "channel_unshared")

Body = Mapping[str, Any]
ChannelEvent = Callable[[Body], Awaitable[None]]
Tell = Callable[[Intent, str], None]
Acked = Callable[[str, float], None]

_log = logging.getLogger("signalbox.slack")


def _not_about_tokens(record: logging.LogRecord) -> bool:
    """Bolt takes SLACK_BOT_TOKEN from the environment beside the client that it is given, and then warns that it does not."""
    return "`token` will be unused" not in record.getMessage()


class SlackApp:
    """Registers the listeners. `command` is the slash command; `tell` brings a sentence to the person of a request that was not
    taken, where the ack cannot carry it: it starts that and returns at once. `acked` hears how long each ack took."""

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
        """The app with its listeners; requests were verified before they get here, so Bolt's own check is off.

        `authorize` is given so that neither SLACK_CLIENT_ID and SLACK_CLIENT_SECRET in the environment make Bolt ask an
        installation store, nor the first request waits for auth.test. Bolt's client therefore needs no token.
        """

        async def authorize(team_id: str | None, enterprise_id: str | None) -> AuthorizeResult:
            # The intake decides which workspace may ask, and records a refusal.
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id=self._bot_user_id)

        logger = logging.getLogger("signalbox.bolt")
        logger.addFilter(_not_about_tokens)
        app = AsyncApp(
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
        app.command(everything)(self._heard("command", self.on_command))
        app.action(everything)(self._heard("action", self.on_action))
        app.view(everything)(self._heard("form", self.on_view))
        app.view_closed(everything)(self.on_nothing)
        app.options(SUGGEST)(self._heard("options", self.on_options))
        app.shortcut(everything)(self._heard("shortcut", self.on_shortcut))
        app.event("app_mention")(self._heard("message", self.on_event))
        app.event("message")(self._heard("message", self.on_event))
        app.event("app_home_opened")(self._heard("home", self.on_home))
        app.event("function_executed")(self._heard("step", self.on_step))
        for name in CHANNEL_EVENTS:
            app.event(name)(self._heard("channel", self.on_channel_event))
        app.event(everything)(self.on_nothing)
        return app

    def _heard(
        self, source: str, listener: Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        """The listener, given payloads whose texts can be stored, and timed until its ack."""

        async def heard(ack: AsyncAck, body: dict[str, Any]) -> None:
            began = time.perf_counter()
            await listener(ack, storable(body))
            self._acked(source, time.perf_counter() - began)

        return heard

    async def on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Another app's command that reached us by mistake is answered, not run."""
        if body.get("command") != self._command:
            await ack(f"Signalbox only answers `{self._command}`. An administrator needs to fix the app's manifest.")
            return
        receipt = await self._hand_over(commands.read(body, self._stamp, self._front.catalog), body)
        await ack(receipt.say) if receipt.say else await ack()

    async def on_action(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Buttons and menus of messages and of the Home tab."""
        intent = actions.read(body, self._stamp)
        if intent is not None:
            await self._hand_over_and_tell(intent, body)
        await ack()

    async def on_view(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A modal: what does not fit goes back to its field, anything else closes the modal."""
        receipt = await self._hand_over(forms.read(body, self._stamp), body)
        field = _first_input(body)
        errors = receipt.errors or ({field: receipt.say} if field and receipt.say else None)
        if errors:
            await ack(response_action="errors", errors=errors)
            return
        await ack()

    async def on_options(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Type-ahead of targets; an empty list when nothing fits."""
        if self._installation.foreign(body) is not None:
            await ack(options=[])
            return
        found = await self._front.suggest(interaction_actor(body), interaction_place(body), text(body, "value") or "")
        options = [
            {"text": {"type": "plain_text", "text": name[:75]}, "value": name} for name in found if len(name) <= 150
        ]
        await ack(options=options[:100])

    async def on_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The global shortcut and the one on messages."""
        await self._hand_over_and_tell(shortcuts.read(body, self._stamp, self._bot_user_id), body)
        await ack()

    async def on_event(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Mentions and direct messages."""
        intent = mentions.read(body, self._stamp, self._front.catalog, self._bot_user_id)
        if intent is not None:
            await self._hand_over_and_tell(intent, body)
        await ack()

    async def on_home(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The Home tab was opened."""
        intent = home.read(body, self._stamp)
        if intent is not None:
            await self._hand_over_and_tell(intent, body)
        await ack()

    async def on_step(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A workflow step."""
        intent = workflow_steps.read(body, self._stamp, self._front.catalog)
        if intent is not None:
            await self._hand_over_and_tell(intent, body)
        await ack()

    async def on_channel_event(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A channel changed its id or began to be shared: its rules don't count until an administrator confirms them."""
        await self._channel_event(body)
        await ack()

    async def on_nothing(self, ack: AsyncAck) -> None:
        """Events and closed modals that mean nothing here; an ack keeps Slack from sending them again."""
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
    """The block id of a modal's first input, at which Slack can show a sentence."""
    view = body.get("view")
    blocks = view.get("blocks") if isinstance(view, Mapping) else None
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, Mapping) and block.get("type") == "input":
            return text(block, "block_id")
    return None
