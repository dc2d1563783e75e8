"""Every command with its options. Heavy imports happen inside the commands, so that --help and completion are fast.

Each command's work is in the module of the same name.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bot.cli.exit_codes import CliError, Exit

if TYPE_CHECKING:
    from bot.config import Settings

F = TypeVar("F", bound=Callable[..., object])


class _Text(click.ParamType[str]):
    """Text for Slack or the store. A byte of another encoding becomes U+FFFD, so that only valid text is sent and stored."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class _Id(_Text):
    """An id of Slack. A name is refused: ids are the only names that nobody can take over."""

    def __init__(self, initials: str) -> None:
        self._initials = initials

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = super().convert(value, param, ctx)
        if not re.fullmatch(f"[{self._initials}][A-Z0-9]{{1,30}}", text):
            self.fail(f"`{text}` is not an id of Slack; it looks like `{self._initials[0]}0ABC123`.", param, ctx)
        return text


TEXT = _Text()
FILE = click.Path(path_type=Path)


def run_command(words: Sequence[str]) -> int:
    """Run one command and return its exit code. Expected errors go to standard error without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        return int(cli.main(words, prog_name="signalbox", standalone_mode=False) or Exit.DONE)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return Exit.NOT_DONE
    except Exception as error:
        ended = _ended(error)
        if ended is None:
            raise
        click.echo("signalbox: " + "\n  ".join(ended.lines), err=True)
        return ended.code


def _print(text: str) -> None:
    """Print what may contain text of other people and systems: control characters are shown, not sent to the terminal."""
    from bot.render.text_format import shown

    click.echo(shown(text))


def _ended(error: Exception) -> CliError | None:
    """The message for an expected error; None for a bug of the program."""
    from bot.config import ConfigProblem
    from bot.core.errors import Problem
    from bot.core.policy.compile import PolicyProblem

    if isinstance(error, CliError):
        return error
    if isinstance(error, ConfigProblem):
        return CliError(Exit.MISUSED, *error.lines)
    if isinstance(error, PolicyProblem):
        return CliError(Exit.MISUSED, *(f"the rules can't be used: {line}" for line in error.lines))
    if isinstance(error, Problem):
        return CliError(Exit.NOT_DONE, f"{error.summary} {error.hint}".rstrip())
    return None


def _config(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path:
    """Accept the option before or after the name of the command."""
    if value is not None:
        ctx.obj = value
    return ctx.obj if isinstance(ctx.obj, Path) else Path("signalbox.toml")


config_option = click.option(
    "--config", type=FILE, callback=_config, is_eager=True, help="The configuration file (default: signalbox.toml)."
)


def acting_options(command: F) -> F:
    """Add the options for the person and the channel."""
    command = click.option("--user", type=_Id("UW"), required=True, help="The user id of the person, U....")(command)
    command = click.option("--channel", type=_Id("CGD"), required=True, help="The id of the channel, C....")(command)
    return click.argument("command", type=TEXT)(command)


@click.group()
@config_option
def cli(config: Path) -> None:
    """A Slack bot with which a team operates its automation control planes."""


@cli.command()
@config_option
def run(config: Path) -> int:
    """Run the bot until SIGINT or SIGTERM."""
    from bot.cli.run import run_bot

    return run_bot(config)


@cli.command()
@config_option
def check(config: Path) -> int:
    """Check configuration, rules, network, tokens and backends."""
    from bot.cli.check import check as check_everything

    return _awaited(check_everything(config, os.environ, _print))


@cli.command()
@acting_options
@click.option("--yes", is_flag=True, help="Run a dangerous command without asking first.")
@click.option("--verbose", is_flag=True, help="Show the details too: ids, rules and times.")
@config_option
def do(command: str, channel: str, user: str, yes: bool, verbose: bool, config: Path) -> int:
    """Run one COMMAND as a person in a channel.

    For example: signalbox do "status acc:shop/prices" --channel C0CRAWL --user U0ANA
    """
    from bot.cli.do import do as do_one

    settings = _settings(config)
    return _awaited(do_one(settings, os.environ, command, channel, user, yes=yes, verbose=verbose, say=_print))


@cli.command()
@acting_options
@config_option
def why(command: str, channel: str, user: str, config: Path) -> int:
    """Show every rule that applies to a COMMAND, without running it."""
    from bot.cli.do import do as do_one

    settings = _settings(config, need_tokens=False)
    return _awaited(do_one(settings, os.environ, f"why {command}", channel, user, yes=False, say=_print))


@cli.command()
@click.option("--url", type=TEXT, help="The public address of /slack/events, for HTTP mode.")
@config_option
def manifest(url: str | None, config: Path) -> int:
    """Print the Slack app manifest for this configuration."""
    from bot.config import app_of
    from bot.slack.manifest import manifest_text

    if url is not None and not re.fullmatch(r"https://[^/\s]+/slack/events", url):
        hint = "Slack only calls an https address, and the bot answers at /slack/events"
        raise CliError(Exit.MISUSED, f"--url {url}: {hint}, like https://signalbox.example.com/slack/events")
    named = app_of(config) if config.exists() else {}
    click.echo(manifest_text(**named, url=url), nl=False)
    return Exit.DONE


@cli.command()
@click.option("--port", type=int, default=8765, show_default=True, help="The port of the page; 0 picks a free one.")
@click.option(
    "--data", type=FILE, default=Path("demo-data"), show_default=True, help="The folder for the demo's files."
)
@click.option("--fresh", is_flag=True, help="Delete what earlier demos left in this folder.")
@click.option("--tour", is_flag=True, help="Play the main tasks, then exit with 0 or 1.")
@click.option(
    "--replicas",
    type=click.IntRange(1, 5),
    default=1,
    show_default=True,
    help="How many replicas; several need PostgreSQL.",
)
def demo(port: int, data: Path, fresh: bool, tour: bool, replicas: int) -> int:
    """Start a local Slack, simulated control planes and the bot."""
    from bot.demo.run import demo_command

    return demo_command(data, port, fresh=fresh, tour=tour, replicas=replicas, say=click.echo)


@cli.group()
@config_option
def policy(config: Path) -> None:
    """Try rules before you use them."""


@policy.command("test")
@click.argument("file", type=FILE)
@config_option
def policy_test(file: Path, config: Path) -> int:
    """Run the [[case]] tables of the rules in FILE."""
    from bot.cli.policy import test_rules

    return test_rules(file, config, _print)


@policy.command("replay")
@click.argument("file", type=FILE)
@click.option("--since", type=TEXT, default="30d", show_default=True, help="How far back, for example 12h.")
@config_option
def policy_replay(file: Path, since: str, config: Path) -> int:
    """Show who gains and who loses with the rules in FILE.

    Decides past requests again. People and groups are read from Slack as they are now.
    """
    from bot.cli.policy import usable_rules
    from bot.cli.policy_replay import replay

    return replay(_settings(config, need_tokens=False), usable_rules(file)[1], since, _print)


@policy.command("schema")
@click.argument("which", type=click.Choice(["policy", "config"]), default="policy")
@config_option
def policy_schema(which: str, config: Path) -> int:
    """Print the JSON Schema of policy.toml or signalbox.toml.

    `config` is signalbox.toml. Editors complete and check the file with it.
    """
    from bot.cli.policy import print_schema

    return print_schema(which, click.echo)


@cli.group()
@config_option
def store(config: Path) -> None:
    """Move the store, or prepare PostgreSQL for it."""


@store.command("copy")
@click.argument("source", metavar="FROM", type=TEXT)
@click.argument("target", metavar="TO", type=TEXT)
@click.option("--dry-run", is_flag=True, help="Copy and check everything, then undo it.")
@config_option
def store_copy(source: str, target: str, dry_run: bool, config: Path) -> int:
    """Copy everything from one store into an empty one.

    For example: signalbox store copy sqlite:///signalbox.db postgresql://signalbox@db.internal/signalbox

    FROM and TO are written as in [store] url; a relative file is in the current folder. A bot refuses to start with FROM
    afterwards.
    """
    from bot.cli import store as moving

    return moving.copy(source, target, click.echo, rehearse=dry_run)


@store.command("prepare")
@click.argument("owner", metavar="OWNER_URL", type=TEXT)
@config_option
def store_prepare(owner: str, config: Path) -> int:
    """Make the tables of PostgreSQL as their owner.

    The bot's own user can then add to the audit log and read it, and can't change it.
    """
    from bot.cli import store as moving

    return moving.prepare(config, owner, click.echo)


@cli.group()
@config_option
def audit(config: Path) -> None:
    """Search, export or verify the audit log; needs no secrets."""


@audit.command("search")
@click.argument("words", type=TEXT, nargs=-1)
@click.option("--event", type=TEXT, help="Only entries of this event, for example policy_loaded.")
@click.option("--incident", type=TEXT, help="Only entries of this incident, for example INC-42.")
@click.option("--user", type=TEXT, help="Only entries of this person: an id, or a name such as @ana.")
@click.option("--since", type=TEXT, help="How far back, for example 12h.")
@click.option("--count", type=int, default=50, show_default=True, help="The maximum number of entries.")
@config_option
def audit_search(
    words: tuple[str, ...],
    event: str | None,
    incident: str | None,
    user: str | None,
    since: str | None,
    count: int,
    config: Path,
) -> int:
    """Show entries that contain all WORDS, newest first.

    A request id as WORDS shows the entries of that request. Times are in the terminal's time zone, and people have the names
    that the bot has seen; `audit export` has the exact values.
    """
    from bot.cli import audit as log

    return log.search(config, " ".join(words), event, incident, count, _print, user=user, since=since)


@audit.command("export")
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True, help="The format."
)
@click.option("--output", type=FILE, required=True, help="The file to write.")
@config_option
def audit_export(form: str, output: Path, config: Path) -> int:
    """Write the whole audit log to a file."""
    from bot.cli import audit as log

    return log.export(config, form, output, click.echo)


@audit.command("verify")
@click.option("--head", type=TEXT, help="A published SEQ:HASH to compare with.")
@config_option
def audit_verify(head: str | None, config: Path) -> int:
    """Check the hash chain."""
    from bot.cli import audit as log

    return log.verify(config, head, _print)


def _settings(config: Path, *, need_tokens: bool = True) -> Settings:
    from bot.config import load

    return load(config, os.environ, need_tokens=need_tokens)


def _awaited(work: Coroutine[object, object, int]) -> int:
    import asyncio

    return asyncio.run(work)
