"""The `[[backend]]` table of kind `informatica`."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.core.ports.plugin import BackendSettings, checked_url


class InformaticaSettings(BackendSettings):
    """`login_url` is scheme and host of the login, such as https://dm-us.informaticacloud.com; where v2 and v3 calls go is
    said by the login's reply, and accepted on the same domain or one of `hosts`.

    `follow_seconds` is how long a start or stop of a service is followed (CODE: other clients give up at 300), and
    `poll_seconds` the pace inside a restart. `idle_minutes`: a session unused for longer is renewed before the next call
    (the vendor ends it after 30). `session_codes` are codes of errors that come without a 401 and mean that the session
    has ended (GUESS). `task_types` is the order in which a task's name is looked up. `product` is the entry of the login's
    reply whose base address is used; the first one when there is none of that name (GUESS).
    """

    login_url: str
    username: str = Field(min_length=1, max_length=255)
    password: SecretStr = Field(min_length=1, max_length=255)
    hosts: tuple[str, ...] = ()
    product: str = "Integration Cloud"
    follow_seconds: int = Field(default=300, ge=10, le=330)
    poll_seconds: int = Field(default=5, ge=1, le=30)
    idle_minutes: int = Field(default=28, ge=1, le=29)
    session_codes: tuple[str, ...] = ("AUTH_01",)
    task_types: tuple[str, ...] = ("MTT", "DSS", "DRS", "WORKFLOW", "DMASK", "PCS")

    @field_validator("login_url")
    @classmethod
    def _login_url(cls, url: str) -> str:
        return checked_url(url)

    @field_validator("password")
    @classmethod
    def _password(cls, password: SecretStr) -> SecretStr:
        # A password kept in a file usually ends with a line end that is not part of it.
        return SecretStr(password.get_secret_value().rstrip("\r\n"))

    @model_validator(mode="after")
    def _no_base(self) -> Self:
        if self.base_url:
            raise ValueError("leave base_url out: the login's reply names it; write login_url")
        return self
