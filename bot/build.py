"""Builds the backends, and the context with the features that take part in operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot import config, plugins
from bot.core.command.catalog import Catalog
from bot.core.masking.redact import SecretList
from bot.core.network import DIRECT, Proxies
from bot.core.ports import services
from bot.core.ports.plugin import BackendSettings
from bot.core.ports.store import Leadership, Store
from bot.core.sign_in import SignInPause
from bot.features.access.breakglass import BreakglassEffect
from bot.features.forms.launcher import FormEffect
from bot.features.pauses.resume import PausedEffect, PauseEffect
from bot.operations.newer_run import NewerRunEffect
from bot.runtime.context import ActivePolicy, Context, no_head
from bot.runtime.health import HealthBoard
from bot.runtime.leadership import AlwaysLeader
from bot.runtime.listings import Listings
from bot.runtime.task_queue import TaskQueue


@dataclass(frozen=True, slots=True)
class Built:
    """Backends by name, their declarations, console addresses, and the secrets that must not leave the process."""

    backends: Mapping[str, services.Backend]
    catalog: Catalog
    secrets: SecretList
    consoles: Mapping[str, str] = field(default_factory=dict)
    sign_ins: Mapping[str, SignInPause] = field(default_factory=dict)


def build_backends(
    settings: config.Settings,
    clock: services.Clock,
    ids: services.Ids,
    target_cache: services.TargetCache,
    environ: Mapping[str, str],
    may_send: Callable[[], bool] = lambda: True,
) -> Built:
    """Every `[[backend]]` table through its plugin; raises ConfigProblem with the problems of all tables."""
    backends: dict[str, services.Backend] = {}
    consoles: dict[str, str] = {}
    sign_ins: dict[str, SignInPause] = {}
    secrets = SecretList((*secrets_in(settings.slack), *settings.proxies.secrets()))
    problems: list[str] = []
    for table in settings.backends:
        try:
            parts = services.BackendParts(table["name"], clock, ids, target_cache, secrets, may_send)
            own, backends[table["name"]] = backend_of(table, settings, environ, parts)
        except config.ConfigProblem as problem:
            problems.extend(problem.lines)
            continue
        consoles[table["name"]] = own.console_template
        sign_ins[table["name"]] = parts.sign_in
        secrets.configure(*secrets_in(own), *own.proxies.secrets())
    if problems:
        raise config.ConfigProblem(*problems)
    catalog = Catalog({name: backend.spec for name, backend in backends.items()})
    return Built(backends, catalog, secrets, consoles, sign_ins)


def backend_of(
    table: Mapping[str, Any], settings: config.Settings, environ: Mapping[str, str], parts: services.BackendParts
) -> tuple[BackendSettings, services.Backend]:
    """One `[[backend]]` table, checked and built; raises ConfigProblem."""
    own = settings_of(table, settings.folder, environ, proxies=settings.proxies, ca_file=settings.ca_file)
    return own, plugins.load(table["kind"]).build(own, parts)


def settings_of(
    table: Mapping[str, Any],
    folder: Path,
    environ: Mapping[str, str],
    *,
    proxies: Proxies = DIRECT,
    ca_file: str | None = None,
) -> BackendSettings:
    """One `[[backend]]` table, checked by the settings of its kind; raises ConfigProblem."""
    try:
        plugin = plugins.load(table["kind"])
    except plugins.UnknownKind as error:
        raise config.ConfigProblem(f"[backend {table.get('name')}] {error}") from None
    return config.backend_settings(table, plugin.settings, folder, environ, proxies=proxies, ca_file=ca_file)


def usable_tables(
    tables: Sequence[Mapping[str, Any]], folder: Path, environ: Mapping[str, str], **network: Any
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The `[[backend]]` tables without a problem, and the problems of the others. `network` as for `settings_of`."""
    usable: list[Mapping[str, Any]] = []
    problems: list[str] = []
    for table in tables:
        try:
            settings_of(table, folder, environ, **network)
        except config.ConfigProblem as problem:
            problems.extend(problem.lines)
        else:
            usable.append(table)
    return usable, problems


def secrets_in(model: BackendSettings | config.SlackSettings | Any) -> list[str]:
    """Every SecretStr of a settings model, nested ones too."""
    if isinstance(model, SecretStr):
        return [model.get_secret_value()]
    if isinstance(model, list | tuple):
        return [secret for item in model for secret in secrets_in(item)]
    if hasattr(type(model), "model_fields"):
        return [secret for name in type(model).model_fields for secret in secrets_in(getattr(model, name))]
    return []


@dataclass(frozen=True, slots=True)
class Installed:
    """Where the bot is installed: the workspace, its command, and the channels for administrators."""

    team: str
    command: str = "/ops"
    zone: str = "UTC"
    security_channel: str | None = None
    incident_channel: str | None = None

    @classmethod
    def of(cls, settings: config.Settings) -> Installed:
        """As it is configured."""
        slack = settings.slack
        return cls(slack.team, slack.command, settings.zone, slack.security_channel, slack.incident_channel)


def build_context(
    built: Built,
    installed: Installed,
    *,
    clock: services.Clock,
    ids: services.Ids,
    store: Store,
    target_cache: services.TargetCache,
    directory: services.Directory,
    presenter: services.Presenter,
    files: services.SlackFiles,
    spool: services.Spool,
    tasks: TaskQueue,
    policy: Callable[[], ActivePolicy],
    leadership: Leadership | None = None,
    workspace_url: str = "",
    published_head: Callable[[], Awaitable[str | None]] | None = None,
) -> Context:
    """The context that every step works with, and the features that take part in operations."""
    return Context(
        clock=clock,
        ids=ids,
        catalog=built.catalog,
        backends=built.backends,
        store=store,
        target_cache=target_cache,
        directory=directory,
        presenter=presenter,
        files=files,
        spool=spool,
        tasks=tasks,
        leadership=leadership or AlwaysLeader(),
        policy=policy,
        health=HealthBoard(built.backends, clock, built.sign_ins),
        listings=Listings(built.backends, clock, tasks),
        home_team=installed.team,
        zone=installed.zone,
        command=installed.command,
        security_channel=installed.security_channel,
        incident_channel=installed.incident_channel,
        workspace_url=workspace_url,
        published_head=published_head or no_head,
        consoles=built.consoles,
        secrets=built.secrets,
        effects=(PauseEffect(), PausedEffect(), BreakglassEffect(), FormEffect(), NewerRunEffect()),
    )
