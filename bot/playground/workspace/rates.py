"""Slack's rate limits per method and workspace: a sliding minute per tier, and one post per second and channel.

Source: docs.slack.dev, Rate limits: tier 1 about 1, tier 2 about 20, tier 3 about 50, tier 4 about 100 calls a minute;
chat.postMessage "one message per second per channel" with short bursts. Special tiers are counted as tier 4.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from .state import Json

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
TIERS = {
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "conversations.list": 2,
    "chat.update": 3,
    "chat.delete": 3,
    "conversations.info": 3,
    "conversations.history": 3,
    "conversations.replies": 3,
    "conversations.open": 3,
    "users.lookupByEmail": 3,
}
# A tier's burst is not documented; this many calls beyond the tier are allowed within a minute.
BURST = 10
POSTS_BURST = 5


@dataclass(slots=True)
class Rates:
    """The calls of the last minute. `on` False (the default in tests) limits nothing."""

    on: bool = False
    _calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def retry_after(self, method: str, args: Json, now: float) -> int | None:
        """Seconds to wait if this call is over the limit, None if not. A refused call doesn't count."""
        if not self.on:
            return None
        if method == "chat.postMessage":
            return self._take(f"post:{args.get('channel')}", now, window=float(POSTS_BURST), allowed=POSTS_BURST)
        return self._take(method, now, window=60.0, allowed=PER_MINUTE[TIERS.get(method, 4)] + BURST)

    def _take(self, key: str, now: float, *, window: float, allowed: int) -> int | None:
        calls = self._calls[key]
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= allowed:
            return max(1, round(calls[0] + window - now))
        calls.append(now)
        return None
