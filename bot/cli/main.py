"""The entry of the command line. The commands are in commands.py, and what each of them does in the module of its name.

`signalbox --help` is printed from here, because importing click takes four times as long as a bare interpreter.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

HELP = """\
Usage: signalbox [OPTIONS] COMMAND [ARGS]...

  A Slack bot with which a team operates its automation control planes.

Options:
  --config PATH  The configuration file (default: signalbox.toml).
  --help         Show this message and exit.

Commands:
  audit     Search, export or verify the audit log; needs no secret.
  check     Check configuration, rules, network, tokens and backends.
  demo      Start a local Slack workspace, simulated planes and the bot.
  do        Run one COMMAND as a person in a channel.
  manifest  Print the app manifest that fits the configuration.
  policy    Try rules before they are in force.
  run       Run the bot until SIGINT or SIGTERM.
  why       Show every rule that a COMMAND meets; run nothing.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--help"]:
        sys.stdout.write(HELP)
        return 0
    from bot.cli.commands import run_command

    return run_command(words)
