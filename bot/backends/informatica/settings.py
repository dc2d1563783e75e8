"""The `[[backend]]` table of kind `informatica`."""

from typing import Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from bot.core.ports.plugin import BackendSettings, Password, Secret, checked_url


class InformaticaSettings(BackendSettings):
    """Write either `username` and `password` (a native user) or `org_id` and `oauth_token` (a SAML user: `loginOAuth`).

    `oauth_token` is an access token (JWT) of the identity provider. Informatica takes each token for one login, so write
    `file:PATH` and let your own program write new tokens there: each sign-in reads the file. `login_url` is scheme and
    host of the login, such as https://dm-us.informaticacloud.com; the login's reply names the host of all other calls, which
    must be in the same domain or one of `hosts`. `product` is the entry of that reply whose base address is used (default: the
    first; GUESS).

    `follow_seconds` is how long a start or stop of a service is followed (CODE: other clients give up at 300), `poll_seconds`
    the interval inside a restart. `idle_minutes`: a session that was unused for longer is renewed before the next call (the
    vendor ends it after 30). `session_codes` are codes of errors that come without a 401 and mean that the session has ended
    (GUESS). `task_types` is the order in which a task's name is looked up.
    """

    login_url: str
    username: str = Field(default="", max_length=255)
    password: Password = Field(default=None, max_length=255)
    org_id: str = ""
    oauth_token: Secret | None = None
    hosts: tuple[str, ...] = ()
    product: str = "Integration Cloud"
    follow_seconds: int = Field(default=300, ge=10, le=330)
    poll_seconds: int = Field(default=5, ge=1, le=30)
    idle_minutes: int = Field(default=28, ge=1, le=29)
    session_codes: tuple[str, ...] = ("AUTH_01",)
    task_types: tuple[str, ...] = ("MTT", "DSS", "DRS", "WORKFLOW", "DMASK", "PCS")

    @field_validator("login_url")
    @classmethod
    def _login_url(cls, url: str, info: ValidationInfo) -> str:
        return checked_url(url, allow_http=info.data.get("allow_http") is True)

    @model_validator(mode="after")
    def _one_account(self) -> Self:
        if self.base_url:
            raise ValueError("leave base_url out and write login_url: the login's reply names the base address")
        user, identity = (self.username, self.password), (self.org_id, self.oauth_token)
        if any(user) == any(identity) or not (all(user) or all(identity)):
            raise ValueError("write either username and password, or org_id and oauth_token")
        return self

    @property
    def secret(self) -> SecretStr:
        """The password or the identity provider's token."""
        return self.password or self.oauth_token or SecretStr("")
