"""signalbox.toml and the environment -> frozen settings. Secrets are written by reference and resolved here, once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from bot.core.command.target_ref import BACKEND_NAME
from bot.core.ports.plugin import BackendSettings, RereadSecret, checked_url

M = TypeVar("M", bound=BaseModel)
_TEAM: Final = re.compile(r"^T[A-Z0-9]{2,}$")
_COMMAND: Final = r"^/[a-z0-9_-]{1,31}$"
_TABLES: Final = frozenset({"slack", "store", "policy", "backend", "time"})


class ConfigProblem(ValueError):
    """The configuration cannot be used; the text is one line that says what to change."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _CommandName(_Section):
    """What a manifest needs of `[slack]`."""

    command: str = Field(default="/ops", pattern=_COMMAND)


class SlackSettings(_Section):
    """`[slack]`. Tokens arrive here resolved; `response_hosts` are HOST or HOST:PORT."""

    mode: Literal["socket", "http"] = "socket"
    team: str = Field(json_schema_extra={"pattern": _TEAM.pattern})
    bot_token: SecretStr
    app_token: SecretStr | None = None
    signing_secret: tuple[SecretStr, ...] = ()
    api_url: str = "https://slack.com/api/"
    response_hosts: tuple[str, ...] = ("hooks.slack.com",)
    listen: str = "127.0.0.1:3000"
    command: str = Field(default="/ops", pattern=_COMMAND)
    security_channel: str | None = Field(default=None, pattern=r"^[CG][A-Z0-9]{2,}$")
    incident_channel: str | None = Field(default=None, pattern=r"^[CG][A-Z0-9]{2,}$")
    connections: int = Field(default=2, ge=1, le=10)

    @field_validator("team")
    @classmethod
    def _workspace(cls, team: str) -> str:
        if team.startswith("E"):
            raise ValueError(
                f"`{team}` is an organization; a bot serves one workspace of it: write that one's id (T...)"
            )
        if not _TEAM.fullmatch(team):
            raise ValueError(f"`{team}` is no id of a workspace, like T0ACME")
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
                raise ValueError(f"`{host}` is no HOST or HOST:PORT")
        return hosts

    @field_validator("listen")
    @classmethod
    def _listen(cls, text: str) -> str:
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

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class StoreSettings(_Section):
    """`[store]`: `sqlite:///relative.db` or `sqlite:////absolute.db`."""

    url: str = "sqlite:///signalbox.db"

    @field_validator("url")
    @classmethod
    def _sqlite(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "sqlite" or parts.netloc or len(parts.path) < 2:
            raise ValueError("write sqlite:///signalbox.db")
        return url


class PolicySettings(_Section):
    """`[policy]`: the file with the rules, relative to the configuration file."""

    file: str = "policy.toml"


class TimeSettings(_Section):
    """`[time]`: the zone in which `until=Mon 07:00` is meant, an IANA name."""

    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, LookupError, OSError):
            raise ValueError(f"`{zone}` is no zone; write an IANA name like Europe/Lisbon") from None
        return zone


class Settings(NamedTuple):
    """Everything the program is told. `backends` are raw tables: the kind's own settings check them."""

    slack: SlackSettings
    store_path: Path
    policy_path: Path
    backends: tuple[dict[str, Any], ...]
    folder: Path
    zone: str


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the file; raises ConfigProblem with one line that names the key."""
    document = _document(path)
    unknown = sorted(set(document) - _TABLES)
    if unknown:
        raise ConfigProblem(f"{path.name}: unknown key `{unknown[0]}`; there are: {', '.join(sorted(_TABLES))}")
    folder = path.resolve().parent
    slack = _section(SlackSettings, document.get("slack", {}), "slack", environ, folder)
    store = _section(StoreSettings, document.get("store", {}), "store", environ, folder)
    policy = _section(PolicySettings, document.get("policy", {}), "policy", environ, folder)
    times = _section(TimeSettings, document.get("time", {}), "time", environ, folder)
    return Settings(
        slack=slack,
        store_path=folder / urlsplit(store.url).path[1:],
        policy_path=folder / policy.file,
        backends=_backends(document.get("backend", [])),
        folder=folder,
        zone=times.zone,
    )


def register_of(path: Path) -> tuple[Path, str]:
    """Where the audit log is, and the workspace: what an auditor needs, without any secret."""
    document = _document(path)
    store = _section(StoreSettings, document.get("store", {}), "store", {}, path.resolve().parent)
    slack = document.get("slack")
    team = slack.get("team") if isinstance(slack, dict) else None
    return path.resolve().parent / urlsplit(store.url).path[1:], team if isinstance(team, str) else ""


def command_of(path: Path) -> str:
    """What the slash command is called: all that a manifest needs, and the app is made from it before there is any token."""
    slack = _document(path).get("slack")
    table = {key: value for key, value in slack.items() if key == "command"} if isinstance(slack, dict) else {}
    return _section(_CommandName, table, "slack", {}, path.resolve().parent).command


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigProblem(f"{path}: there is no such file; start from signalbox.example.toml") from None
    except OSError as error:
        raise ConfigProblem(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{path.name}: {error}") from None


def _backends(tables: object) -> tuple[dict[str, Any], ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigProblem("write every control plane as a [[backend]] table")
    seen: set[str] = set()
    for table in tables:
        name, kind = table.get("name"), table.get("kind")
        if not isinstance(name, str) or not BACKEND_NAME.fullmatch(name):
            raise ConfigProblem(f"backend.name `{name}` is missing or not of the form `acc-prod`")
        if name in seen:
            raise ConfigProblem(f"backend.name `{name}` is there twice")
        if not isinstance(kind, str):
            raise ConfigProblem(f"backend `{name}` has no kind")
        seen.add(name)
    return tuple(tables)


def backend_settings(
    table: Mapping[str, Any], model: type[BackendSettings], folder: Path, environ: Mapping[str, str] = os.environ
) -> BackendSettings:
    """One `[[backend]]` table checked by its kind's settings; raises ConfigProblem."""
    return _section(model, dict(table), f"backend {table.get('name')}", environ, folder)


def _section(model: type[M], table: object, where: str, environ: Mapping[str, str], folder: Path) -> M:
    if not isinstance(table, dict):
        raise ConfigProblem(f"[{where}] is not a table")
    try:
        return model.model_validate(_resolved(model, table, where, environ, folder))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            said = f"unknown key; there are: {', '.join(sorted(model.model_fields))}"
        raise ConfigProblem(f"[{where}] {key + ': ' if key else ''}{said}") from None


def _resolved(
    model: type[BaseModel], table: dict[str, Any], where: str, environ: Mapping[str, str], folder: Path
) -> dict[str, Any]:
    """The table with every secret reference replaced by its secret, nested tables included."""
    out: dict[str, Any] = {}
    for key, value in table.items():
        field = model.model_fields.get(key)
        annotation = str(field.annotation) if field is not None else ""
        if "SecretStr" in annotation:
            out[key] = _secrets(value, f"[{where}] {key}", environ, folder)
        elif field is not None and isinstance(value, list):
            inner = _inner_model(field.annotation)
            out[key] = [
                _resolved(inner, item, f"{where}.{key}", environ, folder) if inner and isinstance(item, dict) else item
                for item in value
            ]
        else:
            out[key] = value
    return out


def _inner_model(annotation: object) -> type[BaseModel] | None:
    for argument in getattr(annotation, "__args__", ()):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return argument
    return None


def _secrets(value: object, where: str, environ: Mapping[str, str], folder: Path) -> object:
    if isinstance(value, list):
        return [_secret(item, where, environ, folder) for item in value]
    return _secret(value, where, environ, folder)


def _secret(reference: object, where: str, environ: Mapping[str, str], folder: Path) -> SecretStr:
    if not isinstance(reference, str):
        raise ConfigProblem(f"{where}: write env:NAME, file:PATH or keyring:SERVICE/NAME")
    scheme, _, name = reference.partition(":")
    if scheme == "env" and name:
        found = environ.get(name)
        missing = f"the environment variable {name} is empty or not set"
    elif scheme == "file" and name:
        path = folder / name
        found, missing = _from_file(path), f"the file {name} is empty or cannot be read"
    elif scheme == "keyring" and "/" in name:
        found, missing = _from_keyring(name), f"the keyring has no entry {name}"
    else:
        raise ConfigProblem(f"{where}: a secret is written as env:NAME, file:PATH or keyring:SERVICE/NAME")
    if found is None or not found.strip():
        raise ConfigProblem(f"{where}: {missing}")
    return SecretStr(found.strip()) if scheme != "file" else RereadSecret(found.strip(), lambda: _from_file(path))


def _from_file(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _from_keyring(name: str) -> str | None:
    try:
        import keyring  # noqa: PLC0415  an optional package, wanted by this one reference only
    except ImportError:
        raise ConfigProblem("keyring: references need the package `keyring` to be installed") from None
    service, _, user = name.partition("/")
    found: str | None = keyring.get_password(service, user)
    return found
