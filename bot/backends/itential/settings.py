"""The `[[backend]]` table of kind `itential`."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from bot.core.ports.plugin import BackendSettings


class ItentialSettings(BackendSettings):
    """`run_seconds` is how long the answer to a run is waited for: newer platforms answer only when the service has ended.

    `jobs`: GUESS, the `job_id` of a run's reply is a job of the operations manager. Where it is not, false: then runs are
    not followed, and a lost answer cannot be looked up.
    """

    base_url: str
    username: str = Field(min_length=1, pattern=r"^[^:]+$")
    password: SecretStr = Field(min_length=1)
    run_seconds: int = Field(default=240, ge=10, le=540)
    jobs: bool = True

    @field_validator("base_url")
    @classmethod
    def _needed(cls, url: str) -> str:
        if not url:
            raise ValueError("base_url is needed, like https://itential.example.com")
        return url

    @field_validator("password")
    @classmethod
    def _password(cls, password: SecretStr) -> SecretStr:
        # A password kept in a file usually ends with a line end that is not part of it.
        return SecretStr(password.get_secret_value().rstrip("\r\n"))
