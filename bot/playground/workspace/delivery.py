"""Signed HTTP delivery: commands and interactions as forms, events as JSON (slack.md, Signing)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from urllib.parse import urlencode

import aiohttp

from .clock import PlaygroundClock
from .state import Json
from .transport import Answer, Envelope, within_ack_time

TYPES = {"events_api": "application/json"}
FORM = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """X-Slack-Signature: "v0=" and the HMAC-SHA256 of "v0:{timestamp}:{raw body}" in hex."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def encode(envelope: Envelope) -> bytes:
    """The raw body for one envelope kind."""
    if envelope.kind == "events_api":
        return json.dumps(envelope.payload).encode()
    if envelope.kind == "interactive":
        return urlencode({"payload": json.dumps(envelope.payload)}).encode()
    return urlencode(envelope.payload).encode()


class SignedHttp:
    """Delivery to one request URL."""

    def __init__(self, url: str, secret: str, clock: PlaygroundClock) -> None:
        self.url = url
        self._secret = secret
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def send(self, envelope: Envelope) -> Answer:
        """POST once; only a 200 within 3 s counts as success; redirects don't."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        work = asyncio.ensure_future(self._post(envelope))
        if not await within_ack_time(self._clock, work):
            ms = (loop.time() - started) * 1000
            return Answer(False, ms, error="operation_timeout", reason="http_timeout")
        ms = (loop.time() - started) * 1000
        try:
            status, headers, raw = work.result()
        except (aiohttp.ClientError, OSError):
            return Answer(False, ms, error="dispatch_failed", reason="connection_failed")
        if status == 200:
            return Answer(True, ms, body=_parsed(headers, raw), status=status)
        reason = "too_many_redirects" if 300 <= status < 400 else "http_error"
        no_retry = headers.get("x-slack-no-retry") == "1"
        return Answer(False, ms, status=status, error="dispatch_failed", reason=reason, no_retry=no_retry)

    async def _post(self, envelope: Envelope) -> tuple[int, dict[str, str], bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        body = encode(envelope)
        headers = self._headers(envelope, body)
        async with self._session.post(self.url, data=body, headers=headers, allow_redirects=False) as reply:
            return reply.status, {k.lower(): v for k, v in reply.headers.items()}, await reply.read()

    def _headers(self, envelope: Envelope, body: bytes) -> dict[str, str]:
        stamp = str(int(self._clock.wall()))
        headers = {
            "Content-Type": TYPES.get(envelope.kind, FORM),
            "User-Agent": "Slackbot 1.0 (playground)",
            "Accept": "application/json,*/*",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(self._secret, stamp, body),
        }
        if envelope.retry_num:
            headers["X-Slack-Retry-Num"] = str(envelope.retry_num)
            headers["X-Slack-Retry-Reason"] = envelope.retry_reason or "unknown_error"
        return headers

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _parsed(headers: dict[str, str], raw: bytes) -> Json | None:
    """A reply body: JSON unchanged, plain text as a message, None if it is empty."""
    text = raw.decode(errors="replace")
    if not text.strip():
        return None
    if "json" in headers.get("content-type", ""):
        try:
            parsed = json.loads(text)
        except json.JSONDecodeError:
            return {"text": text}
        return parsed if isinstance(parsed, dict) else {"text": text}
    return {"text": text}
