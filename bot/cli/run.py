"""The long and the short programs behind the command line."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable

from bot import config
from bot.app import Bot
from bot.cli.do import do
from bot.core.errors import Problem
from bot.core.policy.decide import PolicyProblem
from bot.runtime import gc_tuning

Print = Callable[[str], None]


def run_bot(settings: config.Settings) -> int:
    """Until a signal; what keeps it from starting is one line on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for noisy in ("slack_sdk", "slack_bolt", "signalbox.bolt", "httpx", "aiohttp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return one_line(lambda: asyncio.run(_run(settings)))


async def _run(settings: config.Settings) -> int:
    bot = Bot(settings, os.environ)
    try:
        await bot.start()
        gc_tuning.settle()
        logging.getLogger("signalbox").info(
            "ready: %s mode, %d backends, rules %s, listening on %s:%d",
            settings.slack.mode,
            len(bot.built.backends),
            bot.rules.now.policy.version,
            *bot.address,
        )
        await bot.run()
    finally:
        await bot.close()
    return 0


def one_line(work: Callable[[], int]) -> int:
    """Run it; what the person has to mend is one line on standard error."""
    try:
        return work()
    except PolicyProblem as problem:
        print(f"signalbox: the rules cannot be used: {problem.lines[0]}", file=sys.stderr)  # noqa: T201
        return 2
    except Problem as problem:
        print(f"signalbox: {problem.summary} {problem.hint}".rstrip(), file=sys.stderr)  # noqa: T201
        return 1


def do_one(settings: config.Settings, arguments: argparse.Namespace, text: str) -> int:
    """One command as a person in a channel."""
    work = do(settings, os.environ, text, arguments.channel, arguments.user, yes=arguments.yes, say=print)
    return one_line(lambda: asyncio.run(work))
