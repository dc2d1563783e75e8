"""The command line. Heavy imports happen inside the commands, so that --help is there at once."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.config import Settings

WELL, REFUSED, MISUSED = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """0 well, 1 refused or failed, 2 misused."""
    arguments = _parser().parse_args(argv)
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
        command.add_argument("command", help='for example "status acc:shop/prices"')
        command.add_argument("--channel", required=True, help="the channel's id")
        command.add_argument("--user", required=True, help="the person's id")
        command.add_argument("--yes", action="store_true", help="run what is dangerous without asking again")
    _policy(add("policy", "test the rules", policy))
    _audit(add("audit", "search, export or verify the register", audit))
    manifest_ = add("manifest", "print the app manifest that fits the configuration", manifest)
    manifest_.add_argument("--url", help="the public address of /slack/events in http mode")
    bench_ = add("bench", "measure, and print ratios", bench)
    bench_.add_argument("--rows", type=int, default=100_000, help="rows of the register to measure with")
    demo_ = add("demo", "a local Slack workspace, simulated control planes and the bot", demo)
    demo_.add_argument("--port", type=int, default=8765, help="the page's port; 0 picks a free one")
    demo_.add_argument("--data", type=Path, default=Path("demo-data"), help="where everything is kept")
    demo_.add_argument("--tour", action="store_true", help="play the main job through and exit 0 or 1")
    return parser


def _policy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["test", "replay", "schema"])
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--since", default="30d", help="how far back to replay")


def _audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["search", "export", "verify"])
    parser.add_argument("text", nargs="*")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--format", choices=["csv", "jsonl"], default="csv")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--head", help="a published SEQ:HASH to compare with")


def _settings(arguments: argparse.Namespace) -> Settings:
    from bot import config

    return config.load(arguments.config, os.environ)


def run(arguments: argparse.Namespace) -> int:
    """`signalbox run`."""
    from bot.running import run_bot

    return run_bot(_settings(arguments))


def check(arguments: argparse.Namespace) -> int:
    """`signalbox check`."""
    import asyncio

    from bot.checking import check as check_everything
    from bot.running import one_line

    settings = _settings(arguments)
    return one_line(lambda: asyncio.run(check_everything(settings, os.environ, print)))


def do(arguments: argparse.Namespace) -> int:
    """`signalbox do`."""
    from bot.running import do_one

    return do_one(_settings(arguments), arguments, arguments.command)


def why(arguments: argparse.Namespace) -> int:
    """`signalbox why`."""
    from bot.running import do_one

    return do_one(_settings(arguments), arguments, f"why {arguments.command}")


def policy(arguments: argparse.Namespace) -> int:
    """`signalbox policy test FILE`."""
    from bot.running import one_line
    from bot.trying import policy_action

    return one_line(lambda: policy_action(arguments, print))


def audit(arguments: argparse.Namespace) -> int:
    """`signalbox audit search|export|verify`."""
    from bot.auditing import audit_command

    return audit_command(_settings(arguments), arguments, print)


def manifest(arguments: argparse.Namespace) -> int:
    """`signalbox manifest`."""
    from bot.slack.manifest import manifest_text

    settings = _settings(arguments) if arguments.config.exists() else None
    slack = settings.slack if settings is not None else None
    print(manifest_text(command=slack.command if slack else "/ops", url=arguments.url), end="")
    return WELL


def bench(arguments: argparse.Namespace) -> int:
    """`signalbox bench`."""
    from bot.benching import bench_all

    return bench_all(arguments.rows, print)


def demo(arguments: argparse.Namespace) -> int:
    """`signalbox demo`."""
    from bot.demo import demo_command

    return demo_command(arguments.data, arguments.port, tour=arguments.tour, say=print)
