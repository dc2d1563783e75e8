"""The `[[backend]]` table of kind `prefactor`."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from bot.core.ports.plugin import BackendSettings, Secret


class PrefactorSettings(BackendSettings):
    """`token` is an API token of the account. `token_id` is the id of that token: with it, `health` shows when the token expires;
    without it, only where the account has one active token. `environment_id` is for accounts of the older generation, where an
    agent belongs to an environment: the list is filtered by it and a new agent is put there (GUESS: the seed shows the field in
    the reply alone, its request body is blank). Leave it out otherwise.
    """

    base_url: str = "https://app.prefactorai.com"
    token: Secret
    token_id: str | None = Field(default=None, min_length=1, max_length=100)
    environment_id: str | None = Field(default=None, min_length=1, max_length=100)

    @field_validator("base_url")
    @classmethod
    def _needed(cls, url: str) -> str:
        if not url:
            raise ValueError("leave base_url out, or write an address such as https://app.prefactorai.com")
        return url

    @field_validator("token")
    @classmethod
    def _one_word(cls, token: SecretStr) -> SecretStr:
        word = token.get_secret_value().strip()
        if not word or not word.isascii() or not word.isprintable() or " " in word:
            raise ValueError("the token must be one word of plain letters, digits and signs")
        return SecretStr(word)
