"""The command line. Heavy imports happen inside the commands, so that --help is there at once."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.command.lexer import sound

if TYPE_CHECKING:
    from bot.config import Settings

WELL, REFUSED, MISUSED = 0, 1, 2

Add = Callable[[str, str], argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> int:
    """0 well, 1 refused or failed, 2 misused."""
    # A byte of another encoding becomes U+FFFD here: what is sent and stored is always valid text.
    given = [
        word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for word in (sys.argv[1:] if argv is None else argv)
    ]
    parser = _parser()
    arguments, behind = parser.parse_known_args(given)
    if behind and (any(word.startswith("-") for word in behind) or not hasattr(arguments, "text")):
        parser.error(f"unrecognized arguments: {' '.join(behind)}")
    if behind:  # words behind an option, which argparse leaves over where any number of words may stand
        arguments.text = [*arguments.text, *behind]
    handler: Callable[[argparse.Namespace], int] = arguments.handler
    try:
        return handler(arguments)
    except KeyboardInterrupt:
        return REFUSED
    except ValueError as error:
        if type(error).__name__ != "ConfigProblem":
            raise
        print(f"signalbox: {error}", file=sys.stderr)
        return MISUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="signalbox", description="A Slack bot with which a team works its automation control planes."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=Path("signalbox.toml"), help="the configuration file")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, help_: str, handler: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help_, parents=[common])
        command.set_defaults(handler=handler)
        return command

    add("run", "run the bot until it is told to stop", run)
    add("check", "check configuration, tokens, scopes, manifest and backends", check)
    for name, help_ in (("do", "run one command"), ("why", "show every rule that a command would meet")):
        command = add(name, help_, do if name == "do" else why)
        command.add_argument("command", type=sound, help='for example "status acc:shop/prices"')
        command.add_argument("--channel", type=sound, required=True, help="the channel's id")
        command.add_argument("--user", type=sound, required=True, help="the person's id")
        command.add_argument("--yes", action="store_true", help="run what is dangerous without asking again")
    _policy(_nested(add("policy", "test the rules", policy)))
    _audit(_nested(add("audit", "search, export or verify the audit log", audit)))
    manifest_ = add("manifest", "print the app manifest that fits the configuration", manifest)
    manifest_.add_argument("--url", help="the public address of /slack/events in http mode")
    demo_ = add("demo", "a local Slack workspace, simulated control planes and the bot", demo)
    demo_.add_argument("--port", type=int, default=8765, help="the page's port; 0 picks a free one")
    demo_.add_argument("--data", type=Path, default=Path("demo-data"), help="where everything is kept")
    demo_.add_argument("--tour", action="store_true", help="play the main job through and exit 0 or 1")
    return parser


def _nested(parser: argparse.ArgumentParser) -> Add:
    """Adds actions to a command; --config may stand before or behind the action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="the configuration file")
    return lambda name, help_: actions.add_parser(name, help=help_, parents=[common])


def _policy(add: Add) -> None:
    for name, help_ in (
        ("test", "run the cases written in a rules file"),
        ("replay", "who would gain and who would lose"),
    ):
        command = add(name, help_)
        command.add_argument("text", nargs="*", metavar="FILE", help="the rules file")
        if name == "replay":
            command.add_argument("--since", default="30d", help="how far back to replay")
    add("schema", "the JSON Schema of policy.toml, or with `config` of signalbox.toml").add_argument("text", nargs="*")


def _audit(add: Add) -> None:
    search = add("search", "rows that hold these words, newest first")
    search.add_argument("text", type=sound, nargs="*", help="words, or the id of a request")
    search.add_argument("--event", help="only rows of this event, for example policy_loaded")
    search.add_argument("--count", type=int, default=50, help="how many rows at most")
    export = add("export", "the whole audit log as a file")
    export.add_argument("--format", choices=["csv", "jsonl"], default="csv")
    export.add_argument("--output", type=Path, required=True)
    add("verify", "check the chain").add_argument("--head", help="a published SEQ:HASH to compare with")


def _settings(arguments: argparse.Namespace) -> Settings:
    from bot import config

    return config.load(arguments.config, os.environ)


def run(arguments: argparse.Namespace) -> int:
    """`signalbox run`."""
    from bot.cli.run import run_bot

    return run_bot(_settings(arguments))


def check(arguments: argparse.Namespace) -> int:
    """`signalbox check`."""
    import asyncio

    from bot.cli.check import check as check_everything
    from bot.cli.run import one_line

    return one_line(lambda: asyncio.run(check_everything(arguments.config, os.environ, print)))


def do(arguments: argparse.Namespace) -> int:
    """`signalbox do`."""
    from bot.cli.run import do_one

    return do_one(_settings(arguments), arguments, arguments.command)


def why(arguments: argparse.Namespace) -> int:
    """`signalbox why`."""
    from bot.cli.run import do_one

    return do_one(_settings(arguments), arguments, f"why {arguments.command}")


def policy(arguments: argparse.Namespace) -> int:
    """`signalbox policy test FILE`."""
    from bot.cli.policy import policy_action
    from bot.cli.run import one_line

    if len(arguments.text) > 1:
        print(f"signalbox: policy {arguments.action} takes one FILE, not {len(arguments.text)}", file=sys.stderr)
        return MISUSED
    arguments.file = Path(arguments.text[0]) if arguments.text else None
    return one_line(lambda: policy_action(arguments, print))


def audit(arguments: argparse.Namespace) -> int:
    """`signalbox audit search|export|verify`."""
    from bot import config
    from bot.cli.audit import audit_command

    return audit_command(config.audit_log_of(arguments.config), arguments, print)


def manifest(arguments: argparse.Namespace) -> int:
    """`signalbox manifest`."""
    from bot import config
    from bot.slack.manifest import manifest_text

    named = {"command": config.command_of(arguments.config)} if arguments.config.exists() else {}
    print(manifest_text(**named, url=arguments.url), end="")
    return WELL


def demo(arguments: argparse.Namespace) -> int:
    """`signalbox demo`."""
    from bot.demo.run import demo_command

    return demo_command(arguments.data, arguments.port, tour=arguments.tour, say=print)
