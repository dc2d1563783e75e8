"""The built-in verbs, which Signalbox answers itself: names, words, parameters and help."""

from enum import StrEnum
from functools import partial
from typing import Any, Final

from bot.core.audit import EVENTS, SAID
from bot.core.command.capability import Risk
from bot.core.command.params import Param, ParamType, choice, duration, number, text
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

    @property
    def reason_required(self) -> bool:
        """Whether it is refused without a reason: what gives or ends rights is."""
        return self.needs is not None


def _builtin(verb: str, takes: Takes, help: str, example: str = "", **more: Any) -> Builtin:
    """Without another example, the verb alone is one."""
    return Builtin(verb=verb, takes=takes, help=help, example=example or verb, **more)


_span = partial(duration, unit="seconds")
_count = partial(number, "count", "how many rows", 1, 200, unit="rows")
EXAMPLE_BACKENDS: Final = frozenset({"acc", "infa"})  # the backends in the examples below

BUILTINS: Final = (
    _builtin("help", Takes.WORDS,
         "What you can do here: a few commands, `help all`, one backend (`help acc`), or how one verb works.",
         "help start"),
    _builtin("whoami", Takes.NOTHING, "What this channel's rules know about you."),
    _builtin("why", Takes.COMMAND, "Check a command against every rule of this channel, without running it.",
         "why start acc:shop/prices",
         params=(text("as", "check as another person (administrators only)", "@lee"),)),
    _builtin("backends", Takes.NOTHING, "The backends, and whether each one answers."),
    _builtin("targets", Takes.TARGET, "The targets of a backend.", "targets infa",
         params=(_count(default=50),)),
    _builtin("find", Takes.WORDS, "Find targets on all backends by part of their name.", "find prices"),
    _builtin("status", Takes.TARGET,
         "Open requests, runs and pauses of this channel; `status acc:` shows whether that backend answers."),
    _builtin("health", Takes.TARGET, "Whether each backend answers."),
    _builtin("approvals", Takes.NOTHING, "Requests waiting for a decision here, or for you."),
    _builtin("watch", Takes.TARGET,
         "Tell you here when any run of a target fails or works again; in the thread of a run, when that run ends.",
         "watch acc:shop/prices for=8h",
         params=(_span("for", "how long"), Param(name="until", type=ParamType.UNTIL, help="until when", example="Fri 18:00"))),
    _builtin("unwatch", Takes.TARGET, "End your `watch` here.", "unwatch acc:shop/prices"),
    _builtin("star", Takes.TARGET, "Keep a target on your Home tab.", "star acc:shop/prices"),
    _builtin("unstar", Takes.TARGET, "Remove it from there.", "unstar acc:shop/prices"),
    _builtin("watches", Takes.NOTHING, "Runs that this channel follows, and the targets that people watch here."),
    _builtin("pauses", Takes.NOTHING, "Paused schedules, and when they resume."),
    _builtin("audit", Takes.WORDS,
         "Search the audit log, newest first. `@ana` finds that person's entries, `sched*` words that begin like this.",
         "audit prices count=20",
         params=(_count(default=20), text("user", "one person", "@ana"), text("target", "one target", "acc:shop/prices"),
                 text("incident", "one incident", "INC-42"), choice("event", EVENTS, "one event", also=tuple(SAID)),
                 _span("since", "how far back", "2h"))),
    _builtin("timeline", Takes.NOTHING,
         "What was done in this channel or thread, oldest first, as a chart, a list, and files for a report.",
         "timeline since=4h",
         params=(_span("since", "how far back", default=86_400),)),
    _builtin("incident", Takes.WORDS,
         "Open an incident in this channel or thread: what is done here is recorded for it. `incident close` posts a report.",
         "incident open INC-42 -- checkout is down", risk=Risk.CHANGE),
    _builtin("grant", Takes.WORDS, "Allow a person one verb on a target for a limited time.",
         "grant @ana start acc:shop/* for=2h -- covering for Lee",
         params=(_span("for", "how long", default=1800),
                 Param(name="until", type=ParamType.UNTIL, help="until when", example="18:30")),
         risk=Risk.CHANGE, needs="administrators"),
    _builtin("revoke", Takes.WORDS, "End a grant.", "revoke g-7K2M -- no longer needed", most_words=1, risk=Risk.CHANGE,
         needs="administrators"),
    _builtin("grants", Takes.NOTHING, "Active grants, and when they end."),
    _builtin("breakglass", Takes.NOTHING,
         "In an emergency, allow everything in this channel for a short time, without approval. A second person reviews it.",
         "breakglass for=30m -- approvers unreachable, checkout is down",
         params=(_span("for", "how long", default=1800),),
         risk=Risk.CHANGE, needs="breakglass"),
    _builtin("policy", Takes.WORDS, "The rules of this channel, and the version in force.", most_words=2),
    _builtin("doctor", Takes.NOTHING, "Check the installation, and show how to fix problems."),
)  # fmt: skip

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
