"""`signalbox check`: configuration, rules, store, network, Slack, channels and backends, one line each."""

import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.build import backend_of, usable_tables
from bot.cli.exit_codes import Exit
from bot.cli.policy import catalog_for
from bot.connections import installation_of, slack_fault
from bot.core.card import Button, Card, FormField, FormView, HomeRow, HomeSection, HomeView, Line, Tone
from bot.core.errors import Problem
from bot.core.intent import Place
from bot.core.network import Proxies, is_loopback
from bot.core.outcome import Chart, Fact, Series, Table
from bot.core.policy.compile import Policy
from bot.core.policy.decide import PolicyProblem
from bot.core.policy.visibility import unknown_names
from bot.core.ports.services import Backend, BackendParts
from bot.core.ports.store import MOST_SOCKETS
from bot.core.sign_in import SignInPause
from bot.core.text import plural, utc_text
from bot.features.access.policy_reload import PolicyReloader, named_channels, review_warning, settled_rules
from bot.http_client.transport import open_session
from bot.render.card import render_card
from bot.render.form import render_form
from bot.render.home import render_home
from bot.runtime.clock import SystemClock, SystemIds
from bot.runtime.health import HealthBoard
from bot.runtime.spool import FileSpool, spool_folder
from bot.slack.client import web_client
from bot.slack.directory import SlackDirectory
from bot.slack.errors import TRANSPORT, read
from bot.slack.manifest import SCOPES
from bot.slack.token_rotation import RotationKeys, TokenRotation
from bot.store.copy import refuse_moved
from bot.store.open import open_store
from bot.store.store import Store, StoreTargetCache

Print = Callable[[str], None]
_CALLBACK: Final = "t" * 26
NEWEST: Final = "charts, sortable tables and collapsed sections"  # a workspace may not have them yet
_AT: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_TYPES: Final = ("text", "lines", "choice", "choices", "flag", "number", "target", "user", "channel", "datetime")
_BUTTONS: Final = (
    Button(label="Approve", action="approve", id="a" * 26, style="primary"),
    Button(label="Deny", action="deny", id="b" * 26, style="danger", confirm="Deny this request?"),
)


class _Report:
    """Prints one line per check. `failed` is True after the first bad one."""

    def __init__(self, say: Print) -> None:
        self._say = say
        self.failed = False

    def good(self, text: str) -> None:
        self._say(f"ok    {text}")

    def warn(self, text: str) -> None:
        self._say(f"warn  {text}")

    def bad(self, *texts: str) -> None:
        self.failed = self.failed or bool(texts)
        for text in texts:
            self._say(f"FAIL  {text}")


async def check(path: Path, environ: Mapping[str, str], say: Print) -> int:
    """Report every problem in one run: a problem hides only the checks that depend on it. Returns 0, 1 after a FAIL, or 2."""
    report = _Report(say)
    try:
        settings = config.load(path, environ)
    except config.ConfigProblem as problem:
        report.bad(*problem.lines, *usable_tables(problem.tables, path.parent, environ)[1])
        return Exit.MISUSED
    usable, faults = usable_tables(
        settings.backends, settings.folder, environ, proxies=settings.proxies, ca_file=settings.ca_file
    )
    report.bad(*faults)
    if len(usable) == len(settings.backends):
        report.good(f"configuration: {plural(len(usable), 'backend')}, {settings.slack.mode} mode")
    _sockets(settings, report)
    policy = _rules(settings, report)
    if policy is not None and not faults:
        for sentence in unknown_names(policy, catalog_for(path)[0]):
            report.warn(f"rules: {sentence}")
    store = await asyncio.to_thread(_store, settings, report)
    _spool(settings, report)
    try:
        _route(report, f"Slack ({urlsplit(settings.slack.api_url).hostname})", settings.proxies, settings.slack.api_url)
        await _slack(settings, store, policy, report)
        await _backends(usable, settings, environ, store, report)
    finally:
        await store.close()
    return Exit.NOT_DONE if report.failed else Exit.DONE


def _sockets(settings: config.Settings, report: _Report) -> None:
    """How many replicas Slack's limit allows with the configured number of websockets."""
    each = settings.slack.connections
    if not settings.store.shared or settings.slack.mode != "socket":
        return
    if each == "auto":
        report.good("replicas: up to 5 in socket mode; each opens 2 of the 10 websockets that Slack allows")
    else:
        most = MOST_SOCKETS // each
        text = f"replicas: `connections = {each}` allows {most} of them, because Slack allows {MOST_SOCKETS} websockets"
        (report.good if most > 1 else report.warn)(text)


def _rules(settings: config.Settings, report: _Report) -> Policy | None:
    slack = settings.slack
    settled_rules(settings.policy_path, SystemClock())
    try:
        rules = PolicyReloader(settings.policy_path, SystemClock(), SystemIds(), slack.team, slack.security_channel)
    except PolicyProblem as problem:
        report.bad(*(f"rules: {line}" for line in problem.lines))
        return None
    report.good(f"rules: version {rules.now.policy.version}, {len(rules.now.policy.channels)} channels")
    return rules.now.policy


def _store(settings: config.Settings, report: _Report) -> Store:
    """The store. If it can't be used, an empty one, so that the other checks can run."""
    try:
        store = open_store(settings.store)
        for good, finding in store.findings_sync():
            (report.good if good else report.warn)(f"store: {finding}")
        store.check_sync()
        refuse_moved(store)
        head = store.head_sync() or "empty"
        report.good(f"store: {settings.store.name} works; `signalbox audit verify` checks the audit log, head {head}")
    except Problem as problem:
        report.bad(f"store: {problem.summary} {problem.hint}".rstrip())
        return open_store(str(Path(tempfile.mkdtemp()) / "empty.db"))
    return store


def _spool(settings: config.Settings, report: _Report) -> None:
    """The folder for files that wait for their upload, unless every process makes its own."""
    if settings.store.files or not settings.store.shared:
        try:
            FileSpool(spool_folder(settings.folder, settings.store)).check()
        except Problem as problem:
            report.bad(f"files: {problem.summary} {problem.hint}")


def _route(report: _Report, what: str, proxies: Proxies, url: str) -> None:
    report.good(f"network: {what} is reached {proxies.route(url)}")


async def _slack(settings: config.Settings, store: Store, policy: Policy | None, report: _Report) -> None:
    slack = settings.slack
    async with open_session(settings.proxies, settings.ca_file) as session:
        client = web_client(slack.token, slack.api_url, session)
        keys = RotationKeys(*slack.rotation) if slack.rotation else None
        if not await _tokens(client, TokenRotation(store, SystemClock(), keys, client), settings, report):
            return
        await _blocks(client, report)
        if policy is not None:
            directory = SlackDirectory(client, store, SystemClock(), slack.team)
            await _channels(directory, policy, settings, report)
            if (gap := await review_warning(directory, policy)) is not None:
                report.warn(gap)


async def _tokens(client: AsyncWebClient, rotation: TokenRotation, settings: config.Settings, report: _Report) -> bool:
    """Check the tokens and their scopes. Returns False if no further call to Slack can work."""
    slack = settings.slack
    try:
        app_token = slack.app_token.get_secret_value() if slack.app_token else None
        found = await installation_of(client, app_token, rotation)
        me = await client.auth_test()
    except (SlackApiError, *TRANSPORT) as error:
        which = "refresh token" if client.token is None else "bot token"
        report.bad(f"Slack: {slack_fault(error, which, slack.api_url)}")
        return False
    unusable = found.unusable(slack.team)
    if unusable is not None:
        report.bad(f"Slack: {unusable}")
        return False
    report.good(f"Slack: {me.get('team')} as {me.get('user')}")
    granted = {scope.strip() for scope in str(me.headers.get("x-oauth-scopes", "")).split(",") if scope.strip()}
    missing = sorted(set(SCOPES) - granted)
    if not granted:
        report.warn("Slack doesn't say which scopes the token has")
    elif missing:
        report.bad(f"missing scopes: {', '.join(missing)}; update the app from manifest.yml and install it again")
    else:
        report.good("scopes: everything that the manifest asks for")
    return True


async def _blocks(client: AsyncWebClient, report: _Report) -> None:
    """Whether this workspace's Slack accepts the blocks of every kind of message that the bot sends."""
    accepted, refused = 0, 0
    samples = sample_messages()
    for name, what in samples.items():
        form = {key: json.dumps(value) for key, value in what.items()}
        try:  # slack_sdk's own method puts the blocks into the URL, where a whole card is too long
            await client.api_call("blocks.validate", data=form)
        except (SlackApiError, *TRANSPORT) as error:
            trouble = read(error)
            if not trouble.code.startswith("invalid_") or trouble.code == "invalid_arguments":
                report.warn(f"blocks: this Slack can't check them ({trouble.code})")
                return
            if name == NEWEST:
                report.warn(f"blocks: this workspace doesn't have {name} yet; the bot sends plain text and tables")
                continue
            found = error.response.get("errors") if isinstance(error, SlackApiError) else None
            report.bad(f"blocks of {name}: Slack refuses them ({first_fault(found) or trouble.code})")
            refused += 1
        else:
            accepted += 1
    if not refused:
        report.good(f"blocks: Slack accepts {accepted} samples of what the bot sends")


async def _channels(directory: SlackDirectory, policy: Policy, settings: config.Settings, report: _Report) -> None:
    """Every channel that the rules or the configuration name: whether the bot can write there."""
    slack = settings.slack
    for channel, use in named_channels(policy, slack.security_channel, slack.incident_channel).items():
        found = await directory.reach(channel)
        text = f"channel {channel} ({f'{found.name}; ' if found.name else ''}{use})"
        if found.trouble:
            report.bad(f"{text}: {found.trouble}")
        elif found.shared:
            report.warn(f"{text}: shared with another organization; its people can read it")
        else:
            report.good(text)


async def _backends(
    tables: Sequence[Mapping[str, Any]],
    settings: config.Settings,
    environ: Mapping[str, str],
    store: Store,
    report: _Report,
) -> None:
    """Ask every backend that can be built, whatever is wrong with the others."""
    clock, ids, built = SystemClock(), SystemIds(), dict[str, Backend]()
    names = StoreTargetCache(store, clock)
    for table in tables:
        parts = BackendParts(table["name"], clock, ids, names, sign_in=SignInPause(lasts=False))
        own, backend = backend_of(table, settings, environ, parts)
        built[own.name] = backend
        for url in filter(None, (own.base_url, getattr(own, "login_url", ""))):
            _route(report, f"{own.name} ({urlsplit(url).hostname})", own.proxies, url)
            if url.startswith("http:") and not is_loopback(urlsplit(url).hostname or ""):
                report.warn(f"backend {own.name}: plain http; anyone on the network can read and change its traffic")
    for name, checked in sorted((await HealthBoard(built, clock).check_all()).items()):
        (report.good if checked.health.ok else report.bad)(f"backend {name}: {checked.health.summary}")
    for backend in built.values():
        await backend.close()


def _card(title: str, **parts: Any) -> Card:
    return Card(key="sample", place=Place(team_id="", channel_id=""), title=title, at=_AT, **parts)


def sample_messages() -> Mapping[str, dict[str, Any]]:
    """The argument of blocks.validate for each kind of message, modal and Home tab."""
    facts = tuple(Fact(label=f"Fact {number}", value=_AT if number == 1 else "value " * 40) for number in range(9))
    rows = tuple((f"acc:shop/{number}", "idle", utc_text(_AT), str(number)) for number in range(20))
    cards = {
        "a running card": _card("start acc:shop/prices", tone=Tone.WORKING, status="Running", progress=(2, 5)),
        "an approval": _card("Approval", tone=Tone.ASK, facts=facts, buttons=_BUTTONS, footer=("request", "rule")),
        "a log": _card("logs acc:shop/prices", lines=(Line(heading="Last lines", text="line\n" * 200, code=True),)),
        "a table": _card("targets", table=Table(columns=("Target", "State", "Last run", "Rows"), rows=rows, total=900)),
        "a long card": _card("status", tone=Tone.BAD, lines=(Line(text="word " * 2_000),) * 3, facts=facts),
    }
    fields = tuple(
        FormField(name=sort, label=sort, type=sort, hint="A hint", choices=("one", "two")) for sort in _TYPES
    )
    form = FormView(
        form="sample", token=_CALLBACK, title="Form", submit="Run", lines=(Line(text="Text"),), fields=fields
    )
    row = HomeRow(title="A target", text="Text", button=Button(label="Start", action="home", id="b"))
    sections: tuple[HomeSection | Card, ...] = (
        HomeSection(title="Section", rows=(row,), note="1 more."),
        *cards.values(),
    )
    chart = Chart(
        title="Duration",
        labels=("1", "2"),
        series=(Series(name="Succeeded", values=(1.5, 0)), Series(name="Failed", values=(0, 2))),
        unit="minutes",
        about="Run",
    )
    return {
        **{name: _message(card, newer=False) for name, card in cards.items()},
        NEWEST: _message(_card("history", details=facts, chart=chart, table=cards["a table"].table), newer=True),
        "a form": {"view": render_form(form)},
        "the Home tab": {"view": render_home(HomeView(user_id="U0", sections=sections))},
    }


def _message(card: Card, *, newer: bool) -> dict[str, Any]:
    made = render_card(card, newer=newer)
    return {"message": {"text": made.text, "blocks": made.blocks}}


def first_fault(errors: object) -> str | None:
    """The first error that Slack found: where, and what."""
    found = errors[0] if isinstance(errors, list) and errors else None
    return f"{found.get('pointer')}: {found.get('message')}" if isinstance(found, Mapping) else None
