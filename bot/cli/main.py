"""The entry point of the command line. commands.py declares the commands; each one's work is in the module of its name.

`signalbox --help` is printed from here, because importing click takes four times as long as a bare interpreter.
"""

import sys
from collections.abc import Sequence

HELP = """\
Usage: signalbox [OPTIONS] COMMAND [ARGS]...

  A Slack bot with which a team operates its automation control planes.

Options:
  --config PATH  The configuration file (default: signalbox.toml).
  --help         Show this message and exit.

Commands:
  audit     Search, export or verify the audit log; needs no secrets.
  check     Check configuration, rules, network, tokens and backends.
  demo      Start a local Slack, simulated control planes and the bot.
  do        Run one COMMAND as a person in a channel.
  manifest  Print the Slack app manifest for this configuration.
  policy    Try rules before you use them.
  run       Run the bot until SIGINT or SIGTERM.
  store     Move the store, or prepare PostgreSQL for it.
  why       Show every rule that applies to a COMMAND, without running it.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--help"]:
        sys.stdout.write(HELP)
        return 0
    from bot.cli.commands import run_command

    return run_command(words)
