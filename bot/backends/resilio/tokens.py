"""The token of the Agent API: fetched without a credential, kept, and fetched again after a refusal.

It travels in the query (`?token=`), so the HTTP client gets it as a credential: addresses stay out of its messages and of logs,
and the value is masked in the agent's texts.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.core.command.params import duration_text
from bot.core.errors import BadReply
from bot.core.ports.services import Clock
from bot.http_client import Credential, HttpClient, Session

TOKEN_PATH: Final = "/api/v3/token"  # noqa: S105  an address, not a secret
_DEADLINE: Final = 10.0


class _Token(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    token: SecretStr = Field(min_length=1)


class TokenKeeper:
    """Keeps one token for all calls. `session` is for the HTTP client."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._fetched_at: float | None = None
        self.session = Session(self._fetch, clock)

    def __repr__(self) -> str:
        return f"TokenKeeper({self.age_text()!r})"

    async def _fetch(self) -> Credential:
        """GET /api/v3/token, which is asked without a token."""
        reply = await self._http.call("GET", TOKEN_PATH, auth=None, idempotent=True, deadline=_DEADLINE)
        token = reply.read(_Token).token.get_secret_value()
        if not token.isascii() or not token.isprintable():
            raise BadReply(f"{self._http.name} returned a token that can't be sent.")
        self._fetched_at = self._clock.monotonic()
        return Credential(query=(("token", token),))

    def age_text(self) -> str:
        """`token, fetched 5m ago`."""
        if self._fetched_at is None:
            return "token, not fetched yet"
        age = self._clock.monotonic() - self._fetched_at
        return f"token, fetched {duration_text(age)} ago" if age >= 1 else "token, fetched just now"
