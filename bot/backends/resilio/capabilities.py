"""What can be done with a Resilio agent: kinds of targets and one row for each verb on each of them (design, section 4)."""

from __future__ import annotations

from typing import Any, Final

from bot.backends.resilio import checks
from bot.core.command.capability import BackendRows, Capability, Risk, TargetKind
from bot.core.command.params import Param, ParamType
from bot.core.command.until import LONGEST

AGENT: Final = "agent"
RUN: Final = "run"

_READ_TIME: Final = 45.0
_CHANGE_TIME: Final = 60.0
RESTART_TIME: Final = 240.0

TARGETS: Final = (
    TargetKind(name=AGENT, prefix=None, help="The agent itself: write the backend alone", example="", selects=True),
    TargetKind(name=RUN, prefix="run", help="A run of a job on the agent, by its number", example="run/543"),
)

COUNT: Final = Param(
    name="count",
    type=ParamType.INTEGER,
    default=20,
    minimum=1,
    maximum=100,
    unit="runs",
    help="How many, the newest first",
)
FOR: Final = Param(
    name="for",
    type=ParamType.DURATION,
    minimum=1,
    maximum=int(LONGEST.total_seconds()),
    unit="s",
    help="The agent itself resumes after this time; without it, when you run `resume`",
    example="30m",
)
UNTIL: Final = Param(
    name="until",
    type=ParamType.UNTIL,
    help="The agent itself resumes at this time; it is told in how many seconds that is",
    example="Mon 07:00",
)
TAGS: Final = Param(
    name="*",
    type=ParamType.MAP,
    help="A tag and its value; it is added, or its value is changed",
    example="SITE=berlin",
)


def _row(verb: str, target: str, risk: Risk, **rest: Any) -> Capability:
    return Capability(verb=verb, target=target, risk=risk, **{"repeat_safe": True, "deadline": _CHANGE_TIME, **rest})


def _read(verb: str, target: str, **rest: Any) -> Capability:
    return _row(verb, target, Risk.READ, deadline=_READ_TIME, effect="Nothing changes.", **rest)


CAPABILITIES: Final = (
    _read(
        "status",
        AGENT,
        help="How the agent is: its connection, whether it is paused, whether it needs a restart, what it works on",
        example="status res:",
        endpoint="GET /api/v3/client and /api/v3/runs (SEED)",
    ),
    _read(
        "status",
        RUN,
        help="How far a run is",
        example="status res:run/543",
        endpoint="GET /api/v3/runs/ID (SEED)",
    ),
    _read(
        "history",
        AGENT,
        help="The current runs of the agent, with progress, speed, time left and files",
        example="history res: count=10",
        endpoint="GET /api/v3/runs (SEED)",
        params=(COUNT,),
    ),
    _row(
        "pause",
        AGENT,
        Risk.CHANGE,
        help="Pause the agent, for a time or until `resume`",
        example="pause res: for=30m",
        effect="All its activity stops, network included, and the Management Console shows every transfer as paused.",
        endpoint="PATCH /api/v3/client?paused=true&resume_timer= (SEED)",
        params=(FOR, UNTIL),
        pausable=True,
    ),
    _row(
        "resume",
        AGENT,
        Risk.CHANGE,
        help="Let a paused agent go on",
        example="resume res:",
        effect="The agent goes on at once; a timer of an earlier pause no longer matters.",
        endpoint="PATCH /api/v3/client?paused=false (SEED)",
    ),
    _row(
        "restart",
        AGENT,
        Risk.DANGER,
        repeat_safe=False,
        deadline=RESTART_TIME,
        help="Restart the agent (from 4.1.0) and wait until it answers again",
        example="restart res:",
        effect="The agent's program restarts: all transfers break off and go on when it is back.",
        endpoint='PATCH /api/v3/client with {"restart": true} (SEED)',
    ),
    _read(
        "tags",
        AGENT,
        help="The tags of the agent (from 2.10.0)",
        example="tags res:",
        endpoint="GET /api/v3/tags (SEED)",
    ),
    _row(
        "tag",
        AGENT,
        Risk.DANGER,
        help="Set tags of the agent (from 2.9.3)",
        example="tag res: SITE=berlin",
        effect="The tags get these values. That can move the agent to other groups by their sorting rules, and so to other "
        'jobs, and can pause or unpause jobs whose profile has "Pause job if". A tag cannot be deleted here.',
        endpoint="PATCH /api/v3/tags (SEED)",
        params=(TAGS,),
        check=checks.tags,
    ),
)

ROWS: Final = BackendRows(kind="resilio", title="Resilio agent", targets=TARGETS, capabilities=CAPABILITIES)
