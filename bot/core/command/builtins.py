"""The verbs that the program answers itself: what they are called, how their words are read, what they say of themselves."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from bot.core.command.capability import Risk
from bot.core.command.params import Param, ParamType
from bot.core.value import Value


class Takes(StrEnum):
    """How the words behind a built-in verb are read."""

    NOTHING = "nothing"
    WORDS = "words"
    COMMAND = "command"
    TARGET = "target"


class Builtin(Value):
    """One built-in verb. One without `needs` may be used by every full member of a channel that has rules at all.

    `needs` is the table of the rules that names who else may use it: administrators or breakglass.
    """

    verb: str
    takes: Takes
    help: str
    example: str
    params: tuple[Param, ...] = ()
    risk: Risk = Risk.READ
    needs: str | None = None


_COUNT = Param(
    name="count", type=ParamType.INTEGER, help="how many rows", default=20, minimum=1, maximum=200, unit="rows"
)

EXAMPLE_BACKENDS: Final = frozenset({"acc", "infa"})  # names of control planes in the examples below

BUILTINS: Final = (
    Builtin(
        verb="help",
        takes=Takes.WORDS,
        help="What you may do here, on one control plane (`help acc`), or how one verb works.",
        example="help start",
    ),
    Builtin(verb="whoami", takes=Takes.NOTHING, help="Who you are to the rules of this channel.", example="whoami"),
    Builtin(
        verb="why",
        takes=Takes.COMMAND,
        help="Every rule that a command would meet here, and the first condition that fails.",
        example="why start acc:shop/prices",
        params=(Param(name="as", type=ParamType.TEXT, help="another person, for administrators", example="@lee"),),
    ),
    Builtin(
        verb="backends",
        takes=Takes.NOTHING,
        help="The control planes, how they are and since when.",
        example="backends",
    ),
    Builtin(
        verb="targets",
        takes=Takes.TARGET,
        help="What exists on a control plane, as far as it is known.",
        example="targets infa",
        params=(_COUNT,),
    ),
    Builtin(
        verb="find",
        takes=Takes.WORDS,
        help="Targets of every control plane by a part of their name.",
        example="find prices",
    ),
    Builtin(
        verb="status",
        takes=Takes.TARGET,
        help="Open requests, runs and pauses of this channel; `status acc:` whether that control plane answers.",
        example="status",
    ),
    Builtin(verb="health", takes=Takes.TARGET, help="Whether each control plane answers.", example="health"),
    Builtin(verb="approvals", takes=Takes.NOTHING, help="What waits for a decision here.", example="approvals"),
    Builtin(verb="watches", takes=Takes.NOTHING, help="The runs that are followed now.", example="watches"),
    Builtin(verb="pauses", takes=Takes.NOTHING, help="Schedules that are switched off for a time.", example="pauses"),
    Builtin(
        verb="audit",
        takes=Takes.WORDS,
        help="The audit log: search words, newest first.",
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
        takes=Takes.WORDS,
        help="What was done in this channel, as a timeline with files.",
        example="timeline since=4h",
        params=(Param(name="since", type=ParamType.DURATION, help="how far back", default=86_400, unit="seconds"),),
    ),
    Builtin(
        verb="grant",
        takes=Takes.WORDS,
        help="Let a person do one thing for a time.",
        example="grant @ana start acc:shop/* for=2h -- covering for Lee",
        params=(Param(name="for", type=ParamType.DURATION, help="how long", default=1800, unit="seconds"),),
        risk=Risk.CHANGE,
        needs="administrators",
    ),
    Builtin(
        verb="revoke",
        takes=Takes.WORDS,
        help="End a grant.",
        example="revoke g-7K2M -- no longer needed",
        risk=Risk.CHANGE,
        needs="administrators",
    ),
    Builtin(verb="grants", takes=Takes.NOTHING, help="Permissions that are limited in time.", example="grants"),
    Builtin(
        verb="breakglass",
        takes=Takes.WORDS,
        help="Act without approval in an emergency: at once, loud, short, reviewed afterwards.",
        example="breakglass for=30m -- approvers unreachable, checkout is down",
        params=(Param(name="for", type=ParamType.DURATION, help="how long", default=1800, unit="seconds"),),
        risk=Risk.CHANGE,
        needs="breakglass",
    ),
    Builtin(
        verb="policy",
        takes=Takes.WORDS,
        help="The rules in force: version, since when, this channel's rules.",
        example="policy",
    ),
    Builtin(
        verb="doctor", takes=Takes.NOTHING, help="Checks of the installation, each with its remedy.", example="doctor"
    ),
)

ALIASES: Final = {
    "run": "start",
    "rerun": "retry",
    "kill": "stop",
    "enable": "schedule on",
    "disable": "schedule off",
    "log": "logs",
}
