"""Faults on request: rate limits, errors, lost replies and delays of chosen Web API methods."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web


class Dropped(Exception):
    """Cut the connection without an answer."""


@dataclass(slots=True)
class Fault:
    """One fault. `times` None: until cleared; `channel` None: any; `drop`: "before" or "after" the call takes effect."""

    method: str
    times: int | None = None
    status: int | None = None
    error: str | None = None
    drop: str | None = None
    delay: float = 0.0
    retry_after: int | None = None
    channel: str | None = None

    async def early(self) -> tuple[int, str] | None:
        """Wait out the delay; then the (HTTP status, error) to answer with instead. Raises Dropped."""
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.drop == "before":
            raise Dropped
        if self.retry_after is not None:
            return 429, "ratelimited"
        if self.status is not None or self.error is not None:
            return self.status or 200, self.error or "internal_error"
        return None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}


@dataclass(slots=True)
class Faults:
    """The active faults. A method is a Web API name, "response_url", "upload_url", "download" or "*"."""

    orders: list[Fault] = field(default_factory=list)
    posts_per_second: float | None = None

    def rate_limit(
        self, method: str, times: int | None = 1, retry_after: int = 1, *, channel: str | None = None
    ) -> None:
        """Answer 429 with Retry-After (seconds) instead."""
        self.orders.append(Fault(method, times, status=429, retry_after=retry_after, channel=channel))

    def fail(
        self,
        method: str,
        *,
        status: int | None = None,
        error: str | None = None,
        drop: bool | str = False,
        times: int | None = None,
        delay: float = 0.0,
        channel: str | None = None,
    ) -> None:
        """Fail with an HTTP status, a Slack error code or a cut connection, each after `delay` real seconds.

        `drop=True` cuts before the call takes effect, `drop="after"` loses only the reply. With only a delay,
        the call is slow.
        """
        when = "before" if drop is True else drop or None
        self.orders.append(Fault(method, times, status, error, when, delay, channel=channel))

    def clear(self) -> None:
        self.orders.clear()
        self.posts_per_second = None

    def take(self, method: str, channel: object = None) -> Fault | None:
        """The fault for this call, counted down."""
        for order in self.orders:
            if order.method in (method, "*") and order.channel in (None, channel):
                if order.times is not None:
                    order.times -= 1
                    if order.times <= 0:
                        self.orders.remove(order)
                return order
        return None


def cut(request: web.Request) -> web.Response:
    """Cut the connection of a request, so that the client never gets the response."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
