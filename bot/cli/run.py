"""`signalbox run`."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from bot import config
from bot.app import Bot
from bot.build import usable_tables
from bot.cli.exit_codes import Exit
from bot.core.masking.redact import SecretList
from bot.core.policy.compile import PolicyProblem
from bot.features.access.policy_reload import PolicyReloader
from bot.runtime import event_loop
from bot.runtime.clock import SystemClock, SystemIds

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class _Masking(logging.Formatter):
    """Masks secrets in every line of the program's log, tracebacks included."""

    def __init__(self, secrets: SecretList) -> None:
        super().__init__(_FORMAT)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, with secrets masked."""
        return self._secrets.clean(super().format(record))


def run_bot(path: Path) -> int:
    """Run until a signal arrives. Raises ConfigProblem with every fault of the configuration, its backends and the rules."""
    try:
        settings = config.load(path, os.environ)
    except config.ConfigProblem as problem:
        raise config.ConfigProblem(*problem.lines, *usable_tables(problem.tables, path.parent, os.environ)[1]) from None
    network = {"proxies": settings.proxies, "ca_file": settings.ca_file}
    _, faults = usable_tables(settings.backends, settings.folder, os.environ, **network)
    if faults:
        raise config.ConfigProblem(*faults, *_faults_of_rules(settings))
    logging.basicConfig(level=logging.INFO, format=_FORMAT, stream=sys.stderr)
    for noisy in ("slack_sdk", "slack_bolt", "signalbox.bolt", "httpx", "aiohttp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return asyncio.run(_run(settings))


def _faults_of_rules(settings: config.Settings) -> list[str]:
    slack = settings.slack
    try:
        PolicyReloader(settings.policy_path, SystemClock(), SystemIds(), slack.team, slack.security_channel)
    except PolicyProblem as problem:
        return [f"the rules can't be used: {line}" for line in problem.lines]
    return []


async def _run(settings: config.Settings) -> int:
    bot = Bot(settings, os.environ)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Masking(bot.built.secrets))
    loop = asyncio.get_running_loop()
    starting = loop.create_task(bot.start())

    def stop() -> None:
        """Also a start, which may wait for Slack or the database without end."""
        bot.stopping.set()
        starting.cancel()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    try:
        await asyncio.wait({starting})
        if not starting.cancelled():
            starting.result()
            event_loop.settle()
            logging.getLogger("signalbox").info(
                "ready: %s mode, %d backends, rules %s, listening on %s:%d",
                settings.slack.mode,
                len(bot.built.backends),
                bot.rules.now.policy.version,
                *bot.connections.address,
            )
            await bot.stopping.wait()
    finally:
        await bot.close()
    return Exit.DONE
