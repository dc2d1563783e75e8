"""What can be done with a Resilio agent: kinds of targets and one capability for each verb on each of them."""

from __future__ import annotations

from typing import Any, Final

from bot.backends.resilio import checks
from bot.core.command.capability import Capability, KindSpec, Risk, TargetKind
from bot.core.command.params import Param, ParamType
from bot.core.command.until import LONGEST

AGENT: Final = "agent"
RUN: Final = "run"

_READ_TIME: Final = 45.0
_CHANGE_TIME: Final = 60.0
RESTART_TIME: Final = 240.0

TARGETS: Final = (
    TargetKind(
        name=AGENT, prefix=None, help="The agent itself; write the backend name alone", example="", selects=True
    ),
    TargetKind(
        name=RUN,
        prefix="run",
        help="A run of a job on the agent, by its number",
        example="run/543",
        no_stop="Resilio's agent API can't stop a single run. `pause` stops all runs of the agent.",
    ),
)

COUNT: Final = Param(
    name="count",
    type=ParamType.INTEGER,
    default=20,
    minimum=1,
    maximum=100,
    unit="runs",
    help="How many to show, newest first",
)
FOR: Final = Param(
    name="for",
    type=ParamType.DURATION,
    minimum=1,
    maximum=int(LONGEST.total_seconds()),
    unit="s",
    help="The agent resumes by itself after this time (default: when you run `resume`)",
    example="30m",
)
UNTIL: Final = Param(
    name="until",
    type=ParamType.UNTIL,
    help="The agent resumes by itself at this time",
    example="Mon 07:00",
)
TAGS: Final = Param(
    name="*",
    type=ParamType.MAP,
    help="A tag and its value; a new tag is added, an existing one changes",
    example="SITE=berlin",
)


def _capability(verb: str, target: str, risk: Risk, **rest: Any) -> Capability:
    return Capability(verb=verb, target=target, risk=risk, **{"idempotent": True, "timeout": _CHANGE_TIME, **rest})


def _read(verb: str, target: str, **rest: Any) -> Capability:
    return _capability(verb, target, Risk.READ, timeout=_READ_TIME, effect="Nothing changes.", **rest)


CAPABILITIES: Final = (
    _read(
        "status",
        AGENT,
        help="The agent: its connection, whether it is paused or needs a restart, and its runs",
        example="status res:",
        endpoint="GET /api/v3/client and /api/v3/runs (SEED)",
    ),
    _read(
        "status",
        RUN,
        help="The progress of a run",
        example="status res:run/543",
        endpoint="GET /api/v3/runs/ID (SEED)",
    ),
    _read(
        "history",
        AGENT,
        help="The agent's current runs, with progress, speed, time left and files",
        example="history res: count=10",
        endpoint="GET /api/v3/runs (SEED)",
        params=(COUNT,),
    ),
    _capability(
        "pause",
        AGENT,
        Risk.CHANGE,
        help="Pause the agent, for a time or until `resume`",
        example="pause res: for=30m",
        effect="All its activity stops, including its network, and the Management Console shows every transfer as paused.",
        endpoint="PATCH /api/v3/client?paused=true&resume_timer= (SEED)",
        params=(FOR, UNTIL),
        pausable=True,
    ),
    _capability(
        "resume",
        AGENT,
        Risk.CHANGE,
        help="Resume a paused agent",
        example="resume res:",
        effect="The agent resumes at once. The timer of an earlier pause no longer matters.",
        endpoint="PATCH /api/v3/client?paused=false (SEED)",
    ),
    _capability(
        "restart",
        AGENT,
        Risk.DANGER,
        idempotent=False,
        timeout=RESTART_TIME,
        help="Restart the agent (from 4.1.0) and wait until it answers again",
        example="restart res:",
        effect="The agent's program restarts. All transfers are interrupted and continue when it is back.",
        endpoint='PATCH /api/v3/client with {"restart": true} (SEED)',
    ),
    _read(
        "tags",
        AGENT,
        help="The tags of the agent (from 2.10.0)",
        example="tags res:",
        endpoint="GET /api/v3/tags (SEED)",
    ),
    _capability(
        "tag",
        AGENT,
        Risk.DANGER,
        help="Set tags of the agent (from 2.9.3)",
        example="tag res: SITE=berlin",
        effect="The tags get these values. This can move the agent to other groups through their sorting rules, and so to other "
        'jobs, and can pause or unpause jobs whose profile has "Pause job if". You can\'t delete a tag here.',
        endpoint="PATCH /api/v3/tags (SEED)",
        params=(TAGS,),
        check=checks.tags,
    ),
)

SPEC: Final = KindSpec(kind="resilio", title="Resilio agent", targets=TARGETS, capabilities=CAPABILITIES)
