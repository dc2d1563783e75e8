"""signalbox.toml and the environment -> frozen settings. The file has references to secrets; they are resolved here."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from bot.core.command.target_ref import BACKEND_NAME
from bot.core.file_faults import did_you_mean, must_be, toml_fault
from bot.core.masking.redact import redact
from bot.core.network import DIRECT, FROM_ENVIRONMENT, Proxies
from bot.core.ports.plugin import BackendSettings, FilePath, ProxySetting, RereadSecret, Secret, checked_url
from bot.core.ports.store import Sockets, StoreAddress, StoreSettings

M = TypeVar("M", bound=BaseModel)
_TEAM: Final = re.compile(r"^T[A-Z0-9]{2,}$")
_COMMAND: Final = r"^/[a-z0-9_-]{1,31}$"
_TABLES: Final = frozenset({"slack", "store", "policy", "backend", "time", "network"})
_HOW: Final = "write a secret as env:NAME, file:PATH or keyring:SERVICE/NAME"
_A_COMMAND: Final = "must look like `/ops`: a slash, then small letters, digits, `-` or `_`"
_A_CHANNEL: Final = "write the id of the channel (C... or G..., at the bottom of its details)"


class ConfigProblem(ValueError):
    """The configuration can't be used. Each of `lines` says what to change; the text is the first one. `tables` are unchecked."""

    def __init__(self, *lines: str, tables: tuple[dict[str, Any], ...] = ()) -> None:
        super().__init__(lines[0])
        self.lines, self.tables = lines, tables


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _CommandName(_Section):
    """The keys of `[slack]` that a manifest needs."""

    command: str = Field(default="/ops", pattern=_COMMAND)
    rotates: bool = False


class SlackSettings(_Section):
    """`[slack]`. `response_hosts` are HOST or HOST:PORT."""

    mode: Literal["socket", "http"] = "socket"
    team: str = Field(json_schema_extra={"pattern": _TEAM.pattern})
    bot_token: Secret | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    app_token: Secret | None = None
    signing_secret: tuple[Secret, ...] = ()
    api_url: str = "https://slack.com/api/"
    response_hosts: tuple[str, ...] = ("hooks.slack.com", "hooks.slack-gov.com")
    listen: str = "127.0.0.1:3000"
    metrics_listen: str = "127.0.0.1:9464"
    command: str = Field(default="/ops", pattern=_COMMAND)
    security_channel: str | None = Field(default=None, pattern=r"^[CG][A-Z0-9]{2,}$")
    incident_channel: str | None = Field(default=None, pattern=r"^[CG][A-Z0-9]{2,}$")
    connections: Sockets = "auto"

    @field_validator("team")
    @classmethod
    def _workspace(cls, team: str) -> str:
        if team.startswith("E"):
            raise ValueError(
                f"`{team}` is an organization; the bot serves one workspace of it: write the id of that workspace (T...)"
            )
        if not _TEAM.fullmatch(team):
            raise ValueError(f"`{team}` isn't the id of a workspace, like T0ACME")
        return team

    @field_validator("signing_secret", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return value if isinstance(value, list | tuple) else (value,)

    @field_validator("api_url")
    @classmethod
    def _api_url(cls, url: str) -> str:
        return checked_url(url) + "/"

    @field_validator("response_hosts")
    @classmethod
    def _hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not host or "/" in host or "@" in host:
                raise ValueError(f"`{host}` isn't HOST or HOST:PORT")
        return hosts

    @field_validator("listen", "metrics_listen")
    @classmethod
    def _listen(cls, text: str, info: ValidationInfo) -> str:
        if not text and info.field_name == "metrics_listen":
            return text
        host, colon, port = text.rpartition(":")
        if not colon or not host or not port.isdigit() or int(port) > 65_535:
            raise ValueError("write HOST:PORT, for example 127.0.0.1:3000")
        return text

    @model_validator(mode="after")
    def _mode_has_its_secret(self) -> SlackSettings:
        if self.mode == "socket" and self.app_token is None:
            raise ValueError("socket mode needs app_token")
        if self.mode == "http" and not self.signing_secret:
            raise ValueError("http mode needs signing_secret")
        return self

    @model_validator(mode="after")
    def _has_a_bot_token(self) -> SlackSettings:
        given = [key is not None for key in (self.client_id, self.client_secret, self.refresh_token)]
        if any(given) and not all(given):
            raise ValueError("token rotation needs client_id, client_secret and refresh_token")
        if self.bot_token is None and not any(given):
            raise ValueError(
                "bot_token is missing; with token rotation, write client_id, client_secret and refresh_token"
            )
        for name, key, other in (("bot_token", self.bot_token, "xapp-"), ("app_token", self.app_token, "xoxb-")):
            if key is not None and key.get_secret_value().startswith(other):
                raise ValueError(f"{name} has a token with {other}: bot_token takes xoxb-…, app_token xapp-…")
        return self

    @property
    def token(self) -> str | None:
        """The bot token; None with token rotation."""
        return self.bot_token.get_secret_value() if self.bot_token and not self.client_id else None

    @property
    def rotation(self) -> tuple[str, SecretStr, SecretStr] | None:
        """Client id, client secret and first refresh token; None without token rotation."""
        if self.client_id is None or self.client_secret is None or self.refresh_token is None:
            return None
        return self.client_id, self.client_secret, self.refresh_token

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return _host_and_port(self.listen)

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port of /metrics; None if it is switched off."""
        return _host_and_port(self.metrics_listen) if self.metrics_listen else None


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


class PolicySettings(_Section):
    """`[policy]`: the file with the rules, relative to the configuration file."""

    file: str = "policy.toml"


class TimeSettings(_Section):
    """`[time]`: the time zone of `until=Mon 07:00`, an IANA name."""

    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, LookupError, OSError):
            raise ValueError(f"`{zone}` isn't a known time zone; write an IANA name like Europe/Lisbon") from None
        return zone


class NetworkSettings(_Section):
    """`[network]`: how Slack and the control planes are reached."""

    proxy: ProxySetting = SecretStr(FROM_ENVIRONMENT)
    ca_file: FilePath | None = None


class Settings(NamedTuple):
    """The whole configuration. `backends` are raw tables, which the settings of each kind check."""

    slack: SlackSettings
    store: StoreAddress
    policy_path: Path
    backends: tuple[dict[str, Any], ...]
    folder: Path
    zone: str
    proxies: Proxies
    ca_file: str | None


class References(NamedTuple):
    """Resolves the references of one file. With `missing`, a missing secret is an empty one instead of an error."""

    folder: Path
    environ: Mapping[str, str]
    proxies: Proxies = DIRECT
    ca_file: str | None = None
    missing: bool = False

    def file(self, path: str) -> str:
        full = self.folder / path
        if not full.is_file():
            raise ValueError(f"the file {path} doesn't exist")
        return str(full)

    def secret(self, reference: object) -> SecretStr:
        scheme, _, name = reference.partition(":") if isinstance(reference, str) else ("", "", "")
        path = self.folder / name
        if scheme == "env" and name:
            found, where = self.environ.get(name, "").strip(), f"the environment variable {name}"
        elif scheme == "file" and name:
            found, where = _from_file(path), f"the file {name}"
        elif scheme == "keyring" and "/" in name:
            found, where = _from_keyring(name), f"the keyring entry {name}"
        else:
            raise ValueError(_HOW)
        if not found:
            if self.missing:
                return SecretStr("")
            raise ValueError(f"{where} is empty, missing or can't be read")
        if found[0] == found[-1] and found[0] in "\"'":
            raise ValueError(f"{where} has quotes around the secret; remove them")
        return RereadSecret(found, lambda: _from_file(path)) if scheme == "file" else SecretStr(found)


def load(path: Path, environ: Mapping[str, str] = os.environ, *, need_tokens: bool = True) -> Settings:
    """Read the file. Raises ConfigProblem with every line to change. Without `need_tokens`, a missing Slack token is empty."""
    document = _document(path)
    folder = path.resolve().parent
    problems = [
        f"{path.name}: unknown key `{key}`{did_you_mean(key, _TABLES)}" for key in sorted(set(document) - _TABLES)
    ]

    def section(model: type[M], name: str, references: References) -> M | None:
        try:
            return _section(model, document.get(name, {}), name, references)
        except ConfigProblem as problem:
            problems.extend(problem.lines)
            return None

    plain = References(folder, environ, missing=not need_tokens)
    slack, store = section(SlackSettings, "slack", plain), section(StoreSettings, "store", plain)
    policy, times = section(PolicySettings, "policy", plain), section(TimeSettings, "time", plain)
    network = section(NetworkSettings, "network", References(folder, environ))
    backends = _backends(document.get("backend", []), problems)
    if slack is not None and network is not None:
        try:
            Proxies(network.proxy, environ=environ).route(slack.api_url)
        except ValueError as error:
            problems.append(f"[network] proxy: {error}")
    if problems or slack is None or store is None or policy is None or times is None or network is None:
        raise ConfigProblem(*problems, tables=backends)
    return Settings(
        slack=slack,
        store=store_address(store, folder),
        policy_path=folder / policy.file,
        backends=backends,
        folder=folder,
        zone=times.zone,
        proxies=Proxies(network.proxy, environ=dict(environ)),
        ca_file=network.ca_file,
    )


def store_address(store: StoreSettings, folder: Path) -> StoreAddress:
    """Where the store is, for files relative to `folder`. An empty password is a missing one."""
    url = str(folder / urlsplit(store.url).path[1:]) if store.url.startswith("sqlite:") else store.url
    password = store.password if store.password and store.password.get_secret_value() else None
    return StoreAddress(url, password, store.lease, str(folder / store.files) if store.files else "")


def audit_log_of(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[StoreAddress, str]:
    """Where the audit log is, and the workspace: what an auditor needs, without any other secret."""
    document = _document(path)
    store = _section(StoreSettings, document.get("store", {}), "store", References(path.resolve().parent, environ))
    slack = document.get("slack")
    team = slack.get("team") if isinstance(slack, dict) else None
    return store_address(store, path.resolve().parent), team if isinstance(team, str) else ""


def app_of(path: Path) -> dict[str, Any]:
    """The keys that a manifest needs. No token is required, because the app is created first."""
    slack = _document(path).get("slack")
    table = {key: value for key, value in slack.items() if key == "command"} if isinstance(slack, dict) else {}
    table["rotates"] = isinstance(slack, dict) and "client_id" in slack
    return _section(_CommandName, table, "slack", References(path.resolve().parent, {})).model_dump()


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigProblem(f"{path}: no such file; start from signalbox.example.toml") from None
    except OSError as error:
        raise ConfigProblem(f"{path}: can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{path.name}: not valid TOML: {toml_fault(str(error))}") from None


def _backends(tables: object, problems: list[str]) -> tuple[dict[str, Any], ...]:
    """The tables with a usable name and a kind. What is wrong with the others is added to `problems`."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.append("write each control plane as a [[backend]] table")
        return ()
    usable: dict[str, dict[str, Any]] = {}
    for table in tables:
        name, kind = table.get("name"), table.get("kind")
        if not isinstance(name, str) or not BACKEND_NAME.fullmatch(name):
            problems.append(f"backend.name `{name}` is missing or doesn't look like `acc-prod`")
        elif name in usable:
            problems.append(f"backend.name `{name}` is used twice")
        elif redact(f"{name}:jobs/run-7612c6ab")[1]:
            problems.append(
                f"backend.name `{name}` hides its targets: cards mask what follows the word. Choose another name"
            )
        elif not isinstance(kind, str):
            problems.append(f"backend `{name}` has no kind")
        else:
            usable[name] = table
    return tuple(usable.values())


def backend_settings(
    table: Mapping[str, Any],
    model: type[BackendSettings],
    folder: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    proxies: Proxies = DIRECT,
    ca_file: str | None = None,
) -> BackendSettings:
    """One `[[backend]]` table, checked by its kind's settings. Raises ConfigProblem."""
    references = References(folder, environ, proxies, ca_file)
    return _section(model, dict(table), f"backend {table.get('name')}", references)


def _section(model: type[M], table: object, where: str, references: References) -> M:
    if not isinstance(table, dict):
        raise ConfigProblem(f"[{where}] is not a table")
    try:
        return model.model_validate(table, context=references)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        # Mistyped keys come first. The key that one of them means isn't reported as missing too.
        found.sort(key=lambda one: one["type"] != "extra_forbidden")
        typed = [str(one["loc"][-1]) for one in found if one["type"] == "extra_forbidden"]
        meant = {name for word in typed for name in get_close_matches(word, model.model_fields, n=1)}
        found = [one for one in found if one["type"] != "missing" or one["loc"][0] not in meant]
        raise ConfigProblem(*(f"[{where}] {_said(one, model)}" for one in found)) from None


def _said(error: ErrorDetails, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    usual = _A_COMMAND if key == "command" else must_be(error["type"], error["msg"])
    message = _A_CHANNEL if key.endswith("_channel") else usual
    if error["type"] == "extra_forbidden":
        known = model.model_fields if len(error["loc"]) == 1 else ()
        message = f"unknown key{did_you_mean(str(error['loc'][-1]), known)}"
    if error["type"] == "missing":
        return f"{key} is missing"
    return f"{key}: {message}" if key else message


def _from_file(path: Path) -> str:
    """The secret in a file, without surrounding blanks, line ends and byte order mark; empty if it can't be read."""
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _from_keyring(name: str) -> str:
    try:
        import keyring  # noqa: PLC0415  an optional package, needed only for keyring: references
    except ImportError:
        raise ValueError("keyring: references need the package `keyring`") from None
    service, _, user = name.partition("/")
    return (keyring.get_password(service, user) or "").strip()
