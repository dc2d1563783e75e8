"""The `[[backend]]` table of kind `prefactor`."""

from typing import ClassVar

from pydantic import Field

from bot.core.ports.plugin import BackendSettings, Token


class PrefactorSettings(BackendSettings):
    """`token` is an API token of the account. `token_id` is the id of that token: with it, `health` shows when the token expires;
    without it, only where the account has one active token. `environment_id` is for accounts of the older generation, where an
    agent belongs to an environment: the list is filtered by it and a new agent is put there (GUESS: the seed shows the field in
    the reply alone, its request body is blank). Leave it out otherwise.
    """

    needs_url: ClassVar[str] = "leave base_url out, or write an address such as https://app.prefactorai.com"
    base_url: str = "https://app.prefactorai.com"
    token: Token
    token_id: str | None = Field(default=None, min_length=1, max_length=100)
    environment_id: str | None = Field(default=None, min_length=1, max_length=100)
