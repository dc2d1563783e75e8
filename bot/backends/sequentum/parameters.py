"""The parameters of the ACC's verbs."""

from __future__ import annotations

from typing import Final

from bot.backends.sequentum.states import MARKS
from bot.core.command.common_params import GREP, TAIL, pause
from bot.core.command.params import Param, ParamType
from bot.core.log_diff import DIFF

METHODS: Final = (
    "Restart",
    "Continue",
    "ContinueRefreshAgent",
    "ContinueAndRetryErrors",
    "ContinueAndRetryErrorsRefreshAgent",
    "New",
)
DEFAULT_METHOD: Final = "ContinueAndRetryErrorsRefreshAgent"
LONGEST_SYNC: Final = 540
DEFAULT_SYNC: Final = 60

AS: Final = Param(
    name="as",
    type=ParamType.CHOICE,
    choices=("run", "job"),
    default="run",
    help="`run` starts a run of the agent, `job` a run of its job, which tracks all runs that it starts",
)
INPUT: Final = Param(
    name="input", type=ParamType.MAP, help="An input parameter of the agent", example="input.country=de"
)
SESSION: Final = Param(name="session", type=ParamType.TEXT, help="The session, if the agent supports sessions")


def _log_level(default: int | None) -> Param:
    return Param(
        name="log_level",
        type=ParamType.INTEGER,
        minimum=0,
        maximum=3,
        default=default,
        help="How much to log, from 0 (nothing) to 3 (most)",
    )


START: Final = (
    AS,
    SESSION,
    _log_level(1),
    Param(
        name="production",
        type=ParamType.BOOLEAN,
        default=True,
        help="false: don't deliver data or send e-mails",
    ),
    INPUT,
    Param(
        name="files",
        type=ParamType.LIST,
        help="Input files that you uploaded earlier",
        example="a.csv,b.csv",
    ),
    Param(
        name="delete_files",
        type=ParamType.BOOLEAN,
        default=False,
        help="Delete those files when the run succeeds or is marked as failed",
    ),
    Param(
        name="sessions",
        type=ParamType.BOOLEAN,
        default=False,
        help="Start new sessions, so that several runs are active at once",
    ),
    Param(name="sync", type=ParamType.BOOLEAN, default=False, help="Wait for the end of the run"),
    Param(
        name="timeout",
        type=ParamType.DURATION,
        default=DEFAULT_SYNC,
        minimum=1,
        maximum=LONGEST_SYNC,
        unit="s",
        help="With sync=true: stop the run after this time",
    ),
    Param(
        name="delivery",
        type=ParamType.CHOICE,
        choices=("none", "plain", "zip"),
        default="none",
        help="With sync=true: return the extracted data, the first file as plain text or all files as a zip",
    ),
)

COUNT: Final = Param(
    name="count",
    type=ParamType.INTEGER,
    default=10,
    minimum=1,
    maximum=100,
    unit="runs",
    help="How many of the latest to show",
)

LOGS: Final = (
    TAIL.model_copy(update={"help": "How many of the last lines to show; with grep, of the matching lines"}),
    GREP,
    DIFF,
)

PAUSE: Final = pause("Switch on again")

SET: Final = (
    Param(name="id", type=ParamType.TEXT, help="The schedule to change (default: add a new one)"),
    Param(
        name="cron",
        type=ParamType.TEXT,
        help="When and how often, in the ACC's own notation; required for a new schedule",
        example="0 0 0 1",
    ),
    Param(
        name="start",
        type=ParamType.DATETIME,
        help="The first time, in the schedule's time zone; required for a new schedule",
        example="2026-07-16T11:21:20",
    ),
    Param(name="zone", type=ParamType.TEXT, help="Time zone by its Windows or IANA name", example="Europe/Berlin"),
    SESSION,
    INPUT,
    _log_level(None),
    Param(name="windowless", type=ParamType.BOOLEAN, help="Run without a browser window (a new schedule: true)"),
    Param(name="enabled", type=ParamType.BOOLEAN, help="Whether the schedule is switched on (a new schedule: true)"),
)


NAME: Final = Param(
    name="name", type=ParamType.TEXT, default="input.csv", help="Name of the input, ending in .csv", example="input.csv"
)
TEXT: Final = Param(name="text", type=ParamType.TEXT, help="The content, instead of an attached file")


INPUT_FILE: Final = (NAME, TEXT)

MARK: Final = (Param(name="as", type=ParamType.CHOICE, choices=tuple(MARKS), required=True, help="The status to set"),)

METHOD: Final = (
    Param(
        name="method",
        type=ParamType.CHOICE,
        choices=METHODS,
        default=DEFAULT_METHOD,
        help="How the run continues",
    ),
)
