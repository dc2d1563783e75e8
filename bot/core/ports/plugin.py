"""What a folder under backends/ exports: its capabilities, its settings, and how it is built."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot.core.command.capability import KindSpec
from bot.core.network import FROM_ENVIRONMENT, Proxies, checked_proxy, checked_template, is_loopback
from bot.core.ports.services import Backend, BackendParts


def checked_url(url: str, *, allow_http: bool = False) -> str:
    """`url` without a trailing slash. Raises ValueError. Plain http needs a loopback address or `allow_http`."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("write an address like https://acc.example.com")
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        raise ValueError("plain http is accepted for loopback addresses only; use https, or set allow_http = true")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("leave user, password, query and fragment out of the address")
    return url.rstrip("/")


class RereadSecret(SecretStr):
    """A secret from a file that another program may replace while the bot runs."""

    def __init__(self, value: str, read: Callable[[], str | None]) -> None:
        super().__init__(value)
        self._read = read

    def latest(self) -> str:
        """The current content of the file, or the value read at the start when the file is empty or unreadable. Blocks."""
        return (self._read() or "").strip() or self.get_secret_value()


class References(Protocol):
    """The context of the validation of settings: how references are resolved."""

    @property
    def proxies(self) -> Proxies: ...
    @property
    def ca_file(self) -> str | None: ...

    def secret(self, reference: object) -> SecretStr: ...

    def file(self, path: str) -> str: ...


def _secret(value: object, info: ValidationInfo) -> object:
    references: References | None = info.context
    return value if references is None or value is None else references.secret(value)


def _file(value: object, info: ValidationInfo) -> object:
    references: References | None = info.context
    return references.file(value) if references is not None and isinstance(value, str) else value


def _proxy(value: object, info: ValidationInfo) -> object:
    """`env`, nothing, an address without credentials, or a reference to an address."""
    if not isinstance(value, str) or value in ("", FROM_ENVIRONMENT):
        return value
    if value.startswith(("env:", "file:", "keyring:")):
        address = _secret(value, info)
        return SecretStr(checked_proxy(address.get_secret_value())) if isinstance(address, SecretStr) else value
    if "@" in value:
        raise ValueError(
            "a proxy with a user name or password is a secret: write env:NAME, file:PATH or keyring:SERVICE/NAME"
        )
    return checked_proxy(value)


# A secret is written as env:NAME, file:PATH or keyring:SERVICE/NAME and resolved while the table is validated.
Secret = Annotated[SecretStr, BeforeValidator(_secret)]


def _one_word(token: SecretStr) -> SecretStr:
    # Samples show a token on the line after the word Bearer, so people often copy it with a line end.
    word = token.get_secret_value().strip().removeprefix("Bearer").strip()
    if not word or not word.isascii() or not word.isprintable() or " " in word:
        raise ValueError("the token must be one word of plain letters, digits and signs")
    return SecretStr(word)


def _without_line_end(password: SecretStr | None) -> SecretStr | None:
    # A password in a file usually ends with a line end that is not part of it.
    word = password.get_secret_value().rstrip("\r\n") if password is not None else ""
    return SecretStr(word) if word else None


Token = Annotated[Secret, AfterValidator(_one_word)]
Password = Annotated[Secret | None, AfterValidator(_without_line_end)]
# A path is relative to the folder of the configuration.
FilePath = Annotated[str, BeforeValidator(_file)]
ProxySetting = Annotated[SecretStr, BeforeValidator(_proxy), Field(json_schema_extra={"format": "proxy"})]


class ClientCertificate(NamedTuple):
    """The client certificate that the bot presents to a server: a PEM file and its private key."""

    file: str
    key: SecretStr


class BackendSettings(BaseModel):
    """One `[[backend]]` table.

    `console` is the address of a target in the vendor's own console, for the button *Open in ...*, with the placeholders
    `{id}`, `{kind}` (such as `run`), `{name}`, `{path}` (the agent or task, without the backend's name) and `{parent}` (the
    vendor's id of what a run is a part of). Each value is percent-encoded. A card has no such button when a value is unknown.
    `ca_file` is a PEM file with private CAs, in addition to those of the system. Verification can't be switched off.
    `client_cert` and `client_key` are the client certificate. `proxy` overrides `[network] proxy`. `allow_http` accepts
    plain http to any address.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    needs_url: ClassVar[str] = ""  # what to write, where an empty `base_url` is an error

    name: str
    kind: str
    allow_http: bool = False
    base_url: str = ""
    console: str = ""
    ca_file: FilePath | None = None
    client_cert: FilePath | None = None
    client_key: Secret | None = None
    proxy: ProxySetting | None = None
    _proxies: Proxies = PrivateAttr(default_factory=Proxies)
    _shared_ca_file: str | None = PrivateAttr(default=None)

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, url: str, info: ValidationInfo) -> str:
        if not url and cls.needs_url:
            raise ValueError(cls.needs_url)
        return checked_url(url, allow_http=info.data.get("allow_http") is True) if url else url

    @field_validator("console")
    @classmethod
    def _console(cls, template: str, info: ValidationInfo) -> str:
        return checked_template(template, info.data.get("base_url") or "") if template else template

    @model_validator(mode="after")
    def _network(self, info: ValidationInfo) -> Self:
        if (self.client_cert is None) != (self.client_key is None):
            raise ValueError("set client_cert and client_key together")
        references: References | None = info.context
        inherited = references.proxies if references is not None else Proxies()
        self._proxies = inherited.own(self.proxy, "proxy")
        if self.base_url:
            self._proxies.route(self.base_url)
        self._shared_ca_file = references.ca_file if references is not None else None
        return self

    @property
    def console_template(self) -> str:
        """The template of console addresses: the setting, or what the vendor documents."""
        return self.console

    @property
    def authorities(self) -> tuple[str, ...]:
        """PEM files with CAs, in addition to the system's: the shared one and the backend's own."""
        return tuple(file for file in (self._shared_ca_file, self.ca_file) if file is not None)

    @property
    def proxies(self) -> Proxies:
        """The proxy rule of its calls."""
        return self._proxies

    @property
    def client_certificate(self) -> ClientCertificate | None:
        """The client certificate for this backend, or None."""
        if self.client_cert is None or self.client_key is None:
            return None
        return ClientCertificate(self.client_cert, self.client_key)


class Plugin(NamedTuple):
    """`build(settings, parts)` makes one backend. It must not open a connection."""

    spec: KindSpec
    settings: type[BackendSettings]
    build: Callable[[Any, BackendParts], Backend]
