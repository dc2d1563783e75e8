"""The parts of one running workspace, for the method families that use them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .clock import PlaygroundClock
from .faults import Faults
from .handles import ResponseUrls, Triggers
from .rates import Rates
from .seed import Seed
from .state import Json, Message, State
from .tasks import Tasks
from .views import Views


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One line of the Web API log; `at` in epoch seconds, `args` without the token."""

    method: str
    args: Json
    ok: bool
    error: str | None
    at: float


@dataclass(slots=True)
class RotatingTokens:
    """Tokens of an app with token rotation: access tokens with their expiry in epoch seconds, and the refresh token of each."""

    access: dict[str, float] = field(default_factory=dict)
    replaces: dict[str, str] = field(default_factory=dict)
    refresh: set[str] = field(default_factory=set)
    count: int = 0


@dataclass(slots=True)
class Core:
    """State and services of a workspace; `base_url` is known once the server listens."""

    seed: Seed
    clock: PlaygroundClock
    state: State
    views: Views
    triggers: Triggers
    responses: ResponseUrls
    faults: Faults = field(default_factory=Faults)
    rates: Rates = field(default_factory=Rates)
    sockets_refresh: bool = False
    tasks: Tasks = field(default_factory=Tasks)
    calls: list[ApiCall] = field(default_factory=list)
    uploads: dict[str, str] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    function_tokens: dict[str, Json] = field(default_factory=dict)
    rotating: RotatingTokens = field(default_factory=RotatingTokens)
    base_url: str = ""
    on_own_message: Callable[[Message, Json | None], None] | None = None

    @classmethod
    def from_seed(cls, seed: Seed, clock: PlaygroundClock) -> Core:
        state = State(seed, clock)
        return cls(seed, clock, state, Views(state), Triggers(clock), ResponseUrls(clock, seed.team_id))

    def own_message(self, message: Message, before: Json | None = None) -> None:
        """Send the app the events of its own post, or of its change to the message `before`, if that is switched on."""
        if self.on_own_message is not None and message.ephemeral_for is None:
            self.on_own_message(message, before)

    def log(self, method: str, args: dict[str, Any], error: str | None) -> None:
        """Append to the Web API log."""
        kept = {k: v for k, v in args.items() if k != "token"}
        self.calls.append(ApiCall(method, kept, error is None, error, self.clock.now()))
