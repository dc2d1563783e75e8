"""The `[[backend]]` table of kind `itential`."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from bot.core.ports.plugin import BackendSettings, Password


class ItentialSettings(BackendSettings):
    """Write either `client_id` and `client_secret` (a service account: `POST /oauth/token`) or `username` and `password`.

    `sign_in` says how a user name and password are used: `basic` sends them with every call, `token` exchanges them for a token
    (`POST /login`). `run_seconds` is how long the bot waits for the answer to a run: newer platforms answer only when the
    service has ended. `jobs = false` is for platforms where the `job_id` of a run's reply isn't a job of the operations manager
    (GUESS: it is one): runs are then not followed, and a lost answer can't be looked up.
    """

    needs_url: ClassVar[str] = "base_url is required, for example https://itential.example.com"
    base_url: str
    username: str = Field(default="", pattern=r"^[^:]*$")
    password: Password = None
    sign_in: Literal["basic", "token"] = "basic"
    client_id: str = ""
    client_secret: Password = None
    run_seconds: int = Field(default=240, ge=10, le=540)
    jobs: bool = True

    @model_validator(mode="after")
    def _one_account(self) -> Self:
        user, client = (self.username, self.password), (self.client_id, self.client_secret)
        if any(user) == any(client) or not (all(user) or all(client)):
            raise ValueError("write either client_id and client_secret, or username and password")
        if all(client) and self.sign_in != "basic":
            raise ValueError("sign_in goes with username and password; leave it out with client_id")
        return self

    @property
    def console_template(self) -> str:
        """The platform's own address opens its web page (DOC docs.itential.com/itential-platform/navigate)."""
        return self.console or self.base_url

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown."""
        return tuple(one.get_secret_value() for one in (self.password, self.client_secret) if one is not None)
