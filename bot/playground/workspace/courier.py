"""Carries envelopes to the app over Socket Mode or signed HTTP, and retries events as Slack does."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from .core import Core
from .delivery import SignedHttp
from .payloads import event_callback
from .socket_mode import SocketMode
from .state import Json
from .transport import Answer, Envelope, Transport

# seconds after the previous failed try (slack.md, Events delivery)
RETRY_AFTER = (0.0, 60.0, 300.0)


class Courier:
    """The only path from the workspace to the app."""

    def __init__(self, core: Core, sockets: SocketMode) -> None:
        self._core = core
        self._sockets = sockets
        self._http: SignedHttp | None = None
        self._opened: list[SignedHttp] = []
        self.last_event: Envelope | None = None

    def use_http(self, url: str | None) -> None:
        """Signed HTTP to this request URL from now on; None is Socket Mode."""
        secret = self._core.seed.app.signing_secret
        self._http = SignedHttp(url, secret, self._core.clock) if url else None
        if self._http is not None:
            self._opened.append(self._http)

    @property
    def connected(self) -> int:
        """Open sockets, or 1 in HTTP mode."""
        return self._sockets.connected if self._http is None else 1

    @property
    def _transport(self) -> Transport:
        return self._sockets if self._http is None else self._http

    async def send(self, kind: str, payload: Json) -> Answer:
        """One delivery without retries."""
        return await self._transport.send(Envelope(kind, payload))

    async def event(self, event: Json, *, channel: str | None = None, keep: bool = True) -> Answer | None:
        """Deliver an event if the app subscribes to it, otherwise return None. A failed delivery is retried in the background.

        With `keep`, redeliver() sends this event again.
        """
        name = event["type"]
        if name == "message":
            name = f"message.{event['channel_type']}"
        if name not in self._core.seed.app.events:
            return None
        envelope = Envelope("events_api", event_callback(self._core, event, channel))
        if keep:
            self.last_event = envelope
        answer = await self._transport.send(envelope)
        if not answer.acked and not answer.no_retry:
            self._core.tasks.start(self._retry(envelope, answer))
        return answer

    async def _retry(self, envelope: Envelope, answer: Answer) -> None:
        for number, seconds in enumerate(RETRY_AFTER, 1):
            await self._core.clock.wait(seconds)
            again = replace(envelope, retry_num=number, retry_reason=self._reason(answer))
            answer = await self._transport.send(again)
            if answer.acked or answer.no_retry:
                return

    def _reason(self, answer: Answer) -> str:
        if self._http is None:
            return "timeout"
        return answer.reason or "unknown_error"

    def redeliver(self) -> asyncio.Task[Answer]:
        """Send the last event again as a retry, with the same event_id."""
        if self.last_event is None:
            raise LookupError("no event has been delivered yet")
        number = min(self.last_event.retry_num + 1, len(RETRY_AFTER))
        reason = "timeout" if self._http is None else "http_timeout"
        self.last_event = replace(self.last_event, retry_num=number, retry_reason=reason)
        return self._core.tasks.start(self._transport.send(self.last_event))

    async def close(self) -> None:
        await self._sockets.close()
        for http in self._opened:
            await http.close()
