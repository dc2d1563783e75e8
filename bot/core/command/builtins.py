"""The built-in verbs, which Signalbox answers itself: names, words, parameters and help."""

from enum import StrEnum
from typing import Final

from bot.core.command.capability import Risk
from bot.core.command.params import Param, ParamType
from bot.core.value import Value


class Takes(StrEnum):
    """How the words after a built-in verb are read."""

    NOTHING = "nothing"
    WORDS = "words"
    COMMAND = "command"
    TARGET = "target"


class Builtin(Value):
    """One built-in verb. Words and parameters that it does not declare are refused.

    `needs` names the table of the policy that lists who may use it (`administrators`, `breakglass`). Without it, every full
    member of a channel with rules may. `most_words` limits Takes.WORDS.
    """

    verb: str
    takes: Takes
    help: str
    example: str
    params: tuple[Param, ...] = ()
    risk: Risk = Risk.READ
    needs: str | None = None
    most_words: int | None = None


_COUNT = Param(
    name="count", type=ParamType.INTEGER, help="how many rows", default=20, minimum=1, maximum=200, unit="rows"
)

EXAMPLE_BACKENDS: Final = frozenset({"acc", "infa"})  # the backends in the examples below

BUILTINS: Final = (
    Builtin(
        verb="help",
        takes=Takes.WORDS,
        help="What you can do here: a few commands, `help all`, one backend (`help acc`), or how one verb works.",
        example="help start",
    ),
    Builtin(verb="whoami", takes=Takes.NOTHING, help="What this channel's rules know about you.", example="whoami"),
    Builtin(
        verb="why",
        takes=Takes.COMMAND,
        help="Check a command against every rule of this channel, without running it.",
        example="why start acc:shop/prices",
        params=(
            Param(name="as", type=ParamType.TEXT, help="check as another person (administrators only)", example="@lee"),
        ),
    ),
    Builtin(
        verb="backends",
        takes=Takes.NOTHING,
        help="The backends, and whether each one answers.",
        example="backends",
    ),
    Builtin(
        verb="targets",
        takes=Takes.TARGET,
        help="The targets of a backend.",
        example="targets infa",
        params=(_COUNT.model_copy(update={"default": 50}),),
    ),
    Builtin(
        verb="find",
        takes=Takes.WORDS,
        help="Find targets on all backends by part of their name.",
        example="find prices",
    ),
    Builtin(
        verb="status",
        takes=Takes.TARGET,
        help="Open requests, runs and pauses of this channel; `status acc:` shows whether that backend answers.",
        example="status",
    ),
    Builtin(verb="health", takes=Takes.TARGET, help="Whether each backend answers.", example="health"),
    Builtin(verb="approvals", takes=Takes.NOTHING, help="Requests waiting for a decision here.", example="approvals"),
    Builtin(
        verb="watch",
        takes=Takes.TARGET,
        help="Tell you here when any run of a target fails or works again; in the thread of a run, when that run ends.",
        example="watch acc:shop/prices for=8h",
        params=(Param(name="for", type=ParamType.DURATION, help="how long", unit="seconds"),),
    ),
    Builtin(verb="unwatch", takes=Takes.TARGET, help="End your `watch` here.", example="unwatch acc:shop/prices"),
    Builtin(verb="star", takes=Takes.TARGET, help="Keep a target on your Home tab.", example="star acc:shop/prices"),
    Builtin(verb="unstar", takes=Takes.TARGET, help="Remove it from there.", example="unstar acc:shop/prices"),
    Builtin(
        verb="watches",
        takes=Takes.NOTHING,
        help="Runs that this channel follows, and the targets that people watch here.",
        example="watches",
    ),
    Builtin(verb="pauses", takes=Takes.NOTHING, help="Paused schedules, and when they resume.", example="pauses"),
    Builtin(
        verb="audit",
        takes=Takes.WORDS,
        help="Search the audit log, newest first.",
        example="audit prices count=20",
        params=(
            _COUNT,
            Param(name="user", type=ParamType.TEXT, help="one person", example="@ana"),
            Param(name="target", type=ParamType.TEXT, help="one target", example="acc:shop/prices"),
            Param(name="since", type=ParamType.DURATION, help="how far back", example="2h", unit="seconds"),
        ),
    ),
    Builtin(
        verb="timeline",
        takes=Takes.NOTHING,
        help="What was done in this channel or thread, oldest first, as a chart, a list, and files for a report.",
        example="timeline since=4h",
        params=(Param(name="since", type=ParamType.DURATION, help="how far back", default=86_400, unit="seconds"),),
    ),
    Builtin(
        verb="incident",
        takes=Takes.WORDS,
        help="Open an incident in this channel or thread: what is done here is recorded for it. `incident close` posts a report.",
        example="incident open INC-42 -- checkout is down",
        risk=Risk.CHANGE,
    ),
    Builtin(
        verb="grant",
        takes=Takes.WORDS,
        help="Allow a person one verb on a target for a limited time.",
        example="grant @ana start acc:shop/* for=2h -- covering for Lee",
        params=(Param(name="for", type=ParamType.DURATION, help="how long", default=1800, unit="seconds"),),
        risk=Risk.CHANGE,
        needs="administrators",
    ),
    Builtin(
        verb="revoke",
        takes=Takes.WORDS,
        most_words=1,
        help="End a grant.",
        example="revoke g-7K2M -- no longer needed",
        risk=Risk.CHANGE,
        needs="administrators",
    ),
    Builtin(verb="grants", takes=Takes.NOTHING, help="Active grants, and when they end.", example="grants"),
    Builtin(
        verb="breakglass",
        takes=Takes.NOTHING,
        help="In an emergency, allow everything in this channel for a short time, without approval. A second person reviews it.",
        example="breakglass for=30m -- approvers unreachable, checkout is down",
        params=(Param(name="for", type=ParamType.DURATION, help="how long", default=1800, unit="seconds"),),
        risk=Risk.CHANGE,
        needs="breakglass",
    ),
    Builtin(
        verb="policy",
        takes=Takes.WORDS,
        most_words=2,
        help="The rules of this channel, and the version in force.",
        example="policy",
    ),
    Builtin(
        verb="doctor",
        takes=Takes.NOTHING,
        help="Check the installation, and show how to fix problems.",
        example="doctor",
    ),
)

# The first words of the verbs of all kinds of control planes, whether or not one is configured.
_FIRST_WORDS: Final = """
    agent cert certs connections create data delete destroy gateway gateways group groups health history input jobs logs mark
    pause reinstate restart resume retire retry schedule schedules services set start status stop tag tags version
    run rerun kill enable disable log"""
FIRST_WORDS: Final = frozenset(_FIRST_WORDS.split())
ALIASES: Final = {
    "run": "start",
    "rerun": "retry",
    "kill": "stop",
    "enable": "schedule on",
    "disable": "schedule off",
    "log": "logs",
}
