"""The `[[backend]]` table of kind `resilio`."""

from typing import ClassVar

from pydantic import field_validator

from bot.core.ports.plugin import BackendSettings


class ResilioSettings(BackendSettings):
    """`base_url` is the agent's API, or this end of the tunnel to it: the agent itself listens on 127.0.0.1 alone.

    `token_auth` false is for an agent whose profile has `client_api_token_auth=false`: no token is fetched or sent.
    `refused_statuses` are those of an answer that mean "fetch a new token once and ask again" (GUESS: the seed does not say how a
    wrong token is answered).
    """

    needs_url: ClassVar[str] = "leave base_url out, or write an address such as http://127.0.0.1:3840"
    base_url: str = "http://127.0.0.1:3840"
    token_auth: bool = True
    refused_statuses: tuple[int, ...] = (401, 403)

    @field_validator("refused_statuses")
    @classmethod
    def _refusals(cls, statuses: tuple[int, ...]) -> tuple[int, ...]:
        if any(status < 400 or status > 499 for status in statuses):
            raise ValueError("a refused token is answered with a status from 400 to 499")
        return statuses
