"""`signalbox check`: configuration, rules, store, token, scopes, manifest, channels, backends, one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.build import build_backends
from bot.core.policy.compile import Policy
from bot.features.access.policy_reload import PolicyReloader, named_channels, review_warning
from bot.runtime.clock import SystemClock, SystemIds
from bot.runtime.health import HealthBoard
from bot.slack.directory import SlackDirectory
from bot.slack.errors import TRANSPORT, read
from bot.slack.installation import installation
from bot.slack.manifest import SCOPES
from bot.store.sqlite.driver import sqlite_warning
from bot.store.sqlite.store import Store
from bot.store.sqlite.target_names import StoreNames

Print = Callable[[str], None]


class _Report:
    """Lines with a verdict; `failed` once one is bad."""

    def __init__(self, say: Print) -> None:
        self._say = say
        self.failed = False

    def good(self, text: str) -> None:
        self._say(f"ok    {text}")

    def warn(self, text: str) -> None:
        self._say(f"warn  {text}")

    def bad(self, text: str) -> None:
        self.failed = True
        self._say(f"FAIL  {text}")


async def check(settings: config.Settings, environ: Mapping[str, str], say: Print) -> int:
    """0 when everything is well, 1 otherwise."""
    report = _Report(say)
    clock, ids = SystemClock(), SystemIds()
    slack = settings.slack
    report.good(f"configuration: {len(settings.backends)} backends, {slack.mode} mode")
    rules = PolicyReloader(settings.policy_path, clock, ids, slack.team, slack.security_channel)
    report.good(f"rules: version {rules.now.policy.version}, {len(rules.now.policy.channels)} channels")
    if (warning := sqlite_warning()) is not None:
        report.warn(warning)
    store = Store.open(str(settings.store_path))
    try:
        store.check_sync()
        report.good(f"store: {settings.store_path.name} is whole, head {store.head_sync() or 'empty'}")
        async with aiohttp.ClientSession(trust_env=False) as session:
            client = AsyncWebClient(
                token=slack.bot_token.get_secret_value(), base_url=slack.api_url, session=session, timeout=20
            )
            if await _slack(client, settings, report):
                directory = SlackDirectory(client, store, clock, slack.team)
                await _channels(directory, rules.now.policy, settings, report)
                if (gap := await review_warning(directory, rules.now.policy)) is not None:
                    report.warn(gap)
        built = build_backends(settings, clock, ids, StoreNames(store, clock), environ)
        board = HealthBoard(built.backends, clock)
        for name, checked in sorted((await board.check_all()).items()):
            (report.good if checked.health.ok else report.bad)(f"backend {name}: {checked.health.summary}")
        for backend in built.backends.values():
            await backend.close()
    finally:
        await store.close()
    return 1 if report.failed else 0


async def _slack(client: AsyncWebClient, settings: config.Settings, report: _Report) -> bool:
    """The token and its scopes; False when there is no use in asking further."""
    slack = settings.slack
    try:
        me = await client.auth_test()
        found = await installation(client, slack.app_token.get_secret_value() if slack.app_token else None)
    except (SlackApiError, *TRANSPORT) as error:
        report.bad(f"Slack does not accept the bot token ({read(error).code}): install the app again")
        return False
    unusable = found.unusable(slack.team)
    if unusable is not None:
        report.bad(f"slack: {unusable}")
        return False
    report.good(f"Slack: {me.get('team')} as {me.get('user')}")
    granted = {scope.strip() for scope in str(me.headers.get("x-oauth-scopes", "")).split(",") if scope.strip()}
    missing = sorted(set(SCOPES) - granted)
    if not granted:
        report.warn("Slack did not say which scopes the token has")
    elif missing:
        report.bad(f"missing scopes: {', '.join(missing)}; update the app from manifest.yml and install it again")
    else:
        report.good("scopes: all that the manifest asks for")
    return True


async def _channels(directory: SlackDirectory, policy: Policy, settings: config.Settings, report: _Report) -> None:
    """Every channel that somebody named: whether the bot can write there."""
    slack = settings.slack
    for channel, use in named_channels(policy, slack.security_channel, slack.incident_channel).items():
        found = await directory.reach(channel)
        text = f"channel {channel} ({f'{found.name}; ' if found.name else ''}{use})"
        if found.trouble:
            report.bad(f"{text}: {found.trouble}")
        elif found.shared:
            report.warn(f"{text}: shared with another organization, whose people read along")
        else:
            report.good(text)
