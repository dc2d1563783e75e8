"""The initial content of a workspace: team, people, groups, channels and the installed app."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

BOT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "mpim:read",
    "im:write",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
)
BOT_EVENTS = (
    "app_home_opened",
    "app_mention",
    "channel_id_changed",
    "channel_shared",
    "channel_unshared",
    "function_executed",
    "message.im",
)


@dataclass(frozen=True, slots=True)
class SeedUser:
    """A person or a bot user; `team_id` None means the workspace's own team."""

    id: str
    name: str
    real_name: str
    title: str = ""
    team_id: str | None = None
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False
    tz: str = "Europe/Lisbon"


@dataclass(frozen=True, slots=True)
class SeedGroup:
    """A user group (S...)."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeedChannel:
    """A channel (C...) with its members, including the bot user if it is invited."""

    id: str
    name: str
    members: tuple[str, ...]
    is_private: bool = False
    is_ext_shared: bool = False
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class SeedCommand:
    """A slash command of the app."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = True


@dataclass(frozen=True, slots=True)
class SeedShortcut:
    """A global or message shortcut: `kind` is "global" or "message"."""

    callback_id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class SeedStep:
    """A custom workflow step (function) of the app, with parameter names and types."""

    callback_id: str
    title: str
    description: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SeedExample:
    """Something to try on the page: pressing it says `text` in a channel as a person."""

    title: str
    text: str
    user: str
    channel: str


@dataclass(frozen=True, slots=True)
class SeedApp:
    """The one installed app: ids, tokens, scopes, subscriptions, commands, shortcuts, steps."""

    id: str
    name: str
    bot_id: str
    bot_user_id: str
    commands: tuple[SeedCommand, ...]
    shortcuts: tuple[SeedShortcut, ...] = ()
    steps: tuple[SeedStep, ...] = ()
    scopes: tuple[str, ...] = BOT_SCOPES
    events: tuple[str, ...] = BOT_EVENTS
    bot_token: str = "xoxb-playground-not-a-secret"  # noqa: S105  a placeholder, not a secret
    app_token: str = "xapp-playground-not-a-secret"  # noqa: S105  a placeholder, not a secret
    signing_secret: str = "playground-signing-not-a-secret"  # noqa: S105  a placeholder, not a secret
    client_id: str = "1.2"
    client_secret: str = "playground-client-not-a-secret"  # noqa: S105  a placeholder, not a secret
    refresh_token: str | None = None  # the first one of an app with token rotation, whose bot token doesn't work
    verification_token: str = "playground-verification-not-a-secret"  # noqa: S105  a placeholder, not a secret


@dataclass(frozen=True, slots=True)
class Seed:
    """A whole workspace; `enterprise_id` is set for a workspace of an Enterprise organization."""

    team_id: str
    team_name: str
    team_domain: str
    users: tuple[SeedUser, ...]
    usergroups: tuple[SeedGroup, ...]
    channels: tuple[SeedChannel, ...]
    app: SeedApp
    enterprise_id: str | None = None
    enterprise_name: str | None = None
    org_wide: bool = False  # the app is installed in the whole organization, and added to this workspace
    examples: tuple[SeedExample, ...] = ()

    def with_app(self, **changes: object) -> "Seed":
        """The same workspace with fields of its app replaced."""
        return replace(self, app=replace(self.app, **changes))  # type: ignore[arg-type]

    def with_manifest(self, manifest: Mapping[str, Any]) -> "Seed":
        """The same workspace with the app installed from an app manifest (major version 2, as a mapping).

        Takes only the scopes, event subscriptions, slash commands, shortcuts and functions that the manifest names.
        """
        features, settings = manifest.get("features", {}), manifest.get("settings", {})
        return self.with_app(
            scopes=tuple(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ())),
            events=tuple(settings.get("event_subscriptions", {}).get("bot_events", ())),
            commands=tuple(_command(row) for row in features.get("slash_commands", ())),
            shortcuts=tuple(_shortcut(row) for row in features.get("shortcuts", ())),
            steps=tuple(_step(name, row) for name, row in manifest.get("functions", {}).items()),
        )


def _command(row: Mapping[str, Any]) -> SeedCommand:
    escape = bool(row.get("should_escape", False))
    return SeedCommand(row["command"], row.get("description", ""), row.get("usage_hint", ""), escape)


def _shortcut(row: Mapping[str, Any]) -> SeedShortcut:
    return SeedShortcut(row["callback_id"], row["name"], row["type"])


def _step(name: str, row: Mapping[str, Any]) -> SeedStep:
    return SeedStep(
        name,
        row["title"],
        row.get("description", ""),
        _parameters(row.get("input_parameters", {})),
        _parameters(row.get("output_parameters", {})),
    )


def _parameters(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, row["type"]) for name, row in given.get("properties", {}).items())


_STAFF = ("U0ANA", "U0LEE", "U0RUI", "U0ROOT", "U0BOT")

DEMO_SEED = Seed(
    team_id="T0ACME",
    team_name="Acme",
    team_domain="acme",
    users=(
        SeedUser("U0ANA", "ana", "Ana Alves", title="Crawl engineer"),
        SeedUser("U0LEE", "lee", "Lee Ling", title="Crawl lead"),
        SeedUser("U0RUI", "rui", "Rui Reis", title="Incident responder"),
        SeedUser("U0ROOT", "root", "Root Rivera", title="Admin", is_admin=True, is_owner=True),
        SeedUser("U0GUEST", "gus", "Gus Guest", title="Contractor", is_restricted=True),
        SeedUser("U0EXT", "eve", "Eve Extern", title="Partner", team_id="T0OTHER"),
        SeedUser("U0BOT", "signalbox", "signalbox", is_bot=True),
    ),
    usergroups=(
        SeedGroup("S0CRAWL", "crawl", "Crawl team", ("U0ANA", "U0RUI")),
        SeedGroup("S0LEADS", "leads", "Leads", ("U0LEE",)),
    ),
    channels=(
        SeedChannel("C0CRAWL", "crawl-ops", (*_STAFF, "U0GUEST")),
        SeedChannel("C0APPR", "approvals", _STAFF),
        SeedChannel("C0INC", "incident-42", _STAFF),
        SeedChannel("C0SEC", "security", _STAFF, is_private=True),
        SeedChannel("C0SHARED", "partner", (*_STAFF, "U0EXT"), is_ext_shared=True),
    ),
    app=SeedApp(
        id="A0SIGNAL",
        name="signalbox",
        bot_id="B0SIGNAL",
        bot_user_id="U0BOT",
        commands=(SeedCommand("/ops", "Operate the control planes", "VERB [TARGET] [KEY=VALUE ...]"),),
        shortcuts=(
            SeedShortcut("launcher", "Operate a control plane", "global"),
            SeedShortcut("work_on_message", "Run from this message", "message"),
        ),
        steps=(
            SeedStep(
                "run_operation",
                "Run an operation",
                inputs=(
                    ("command", "string"),
                    ("channel", "slack#/types/channel_id"),
                    ("user", "slack#/types/user_id"),
                ),
                outputs=(("outcome", "string"),),
            ),
        ),
    ),
)
