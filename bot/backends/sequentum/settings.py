"""The `[[backend]]` table of kind `sequentum`."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.core.ports.plugin import BackendSettings, Secret, Token

WARNED_AHEAD: Final = timedelta(days=7)


class ServerSettings(BaseModel):
    """One `[[backend.servers]]` table: a Sequentum server whose health people may check. Its key never comes from chat.

    `port` is 8004, or 8005 with `use_ssl`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")
    key: Secret
    ip_address: str = Field(min_length=1)
    port: int = Field(ge=1, le=65_535)
    use_ssl: bool = False


class SequentumSettings(BackendSettings):
    """`agents` lists paths of agents, for help and type-ahead: the API has no list. It also says how their folders are
    spelled: an agent has one name, however it is typed. `inputs` names input parameters of agents, to correct mistyped ones.

    `time_zone` (Windows or IANA name) is used by `schedule set` without `zone=`. `schedules_on_path`: the vendor prints
    `{agentId}schedules/on` and its sample calls `{agentId}/schedules/on`; `corrected` is the sample's, `printed` the other,
    `auto` tries the sample's and, if that is not found, the printed one.
    """

    needs_url: ClassVar[str] = "base_url is required, for example https://acc.example.com"
    base_url: str
    token: Token
    servers: tuple[ServerSettings, ...] = ()
    agents: tuple[str, ...] = ()
    inputs: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    time_zone: str = "UTC"
    schedules_on_path: Literal["corrected", "printed", "auto"] = "auto"

    @model_validator(mode="after")
    def _different_names(self) -> Self:
        names = [server.name for server in self.servers]
        if len(set(names)) != len(names):
            raise ValueError("two servers have the same name")
        return self


def ends_at(token: str) -> datetime | None:
    """The `exp` of a JSON web token; None for any other token, and for one that doesn't expire.

    It is read without checking the signature: only for a warning in time.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(body["exp"], UTC)
    except (ValueError, binascii.Error, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None


def expiry_warning(ends: datetime | None, now: datetime) -> str:
    """A sentence if the token has expired or will within a week, else empty."""
    if ends is None:
        return ""
    if ends <= now:
        return f"The token expired on {ends:%Y-%m-%d}."
    if ends - now <= WARNED_AHEAD:
        days = (ends - now).days
        return f"The token expires on {ends:%Y-%m-%d}, in {f'{days} days' if days != 1 else 'one day'}."
    return ""
