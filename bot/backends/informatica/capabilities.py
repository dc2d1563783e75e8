"""What can be done with an organization: kinds of targets and one capability for each verb on each of them."""

from __future__ import annotations

from typing import Any, Final

from bot.core.command.capability import Capability, KindSpec, Risk, TargetKind
from bot.core.command.common_params import GREP, TAIL, pause
from bot.core.command.params import Param, ParamType
from bot.core.log_diff import DIFF

SERVICE: Final = "service"
AGENT: Final = "agent"
TASK: Final = "task"
SCHEDULE: Final = "schedule"
ORG: Final = "org"

_READ_TIME: Final = 60.0
_CHANGE_TIME: Final = 60.0
_LOG_TIME: Final = 600.0
# Twice the largest `follow_seconds`, plus the calls around them.
RESTART_TIME: Final = 780.0

TARGETS: Final = (
    TargetKind(
        name=SERVICE,
        prefix=None,
        help="A service of a Secure Agent: the agent's name and the service's display name",
        example='eu-1/"Data Integration Server"',
    ),
    TargetKind(name=AGENT, prefix="agent", help="A Secure Agent, by its name", example="agent/eu-1"),
    TargetKind(
        name=TASK,
        prefix="task",
        help="A task, by its path (with folders) or id; write `task/MTT/PATH` to name its type",
        example="task/load_orders",
    ),
    TargetKind(name=SCHEDULE, prefix="schedule", help="A schedule, by its name or id", example="schedule/nightly"),
    TargetKind(name=ORG, prefix="org", help="The whole organization; write the backend name alone", example=""),
)

_COUNT: Final = Param(
    name="count",
    type=ParamType.INTEGER,
    default=10,
    minimum=1,
    maximum=200,
    unit="jobs",
    help="How many of the latest to show",
)
_RUN: Final = Param(
    name="run", type=ParamType.INTEGER, minimum=0, help="The number of the run (default: the newest run that has ended)"
)
_CLEAN: Final = Param(
    name="clean",
    type=ParamType.BOOLEAN,
    default=False,
    help="true: let the job finish cleanly instead of breaking it off",
)
_PAUSE: Final = pause("Switch on again")


def _capability(verb: str, target: str, risk: Risk, **rest: Any) -> Capability:
    return Capability(verb=verb, target=target, risk=risk, **{"idempotent": True, **rest})


def _read(verb: str, target: str, **rest: Any) -> Capability:
    return _capability(verb, target, Risk.READ, **{"timeout": _READ_TIME, "effect": "Nothing changes.", **rest})


_READS: Final = (
    _read(
        "status",
        SERVICE,
        help="A service: its state, version and when the state began",
        example='status infa:eu-1/"Data Integration Server"',
        endpoint="GET /api/v2/agent/details/ID (CODE)",
    ),
    _read(
        "status",
        AGENT,
        help="A Secure Agent with all its services, including stopped ones that were seen before",
        example="status infa:agent/eu-1",
        endpoint="POST /public/core/v3/lookup, GET /api/v2/agent/details/ID (DOC, CODE)",
    ),
    _read(
        "status",
        TASK,
        help="The running job of a task, or how the newest one ended",
        example="status infa:task/load_orders",
        endpoint="GET /api/v2/activity/activityMonitor, GET /api/v2/activity/activityLog (DOC)",
    ),
    _read(
        "status",
        SCHEDULE,
        help="A schedule: on or off, and when it runs",
        example="status infa:schedule/nightly",
        endpoint="GET /public/core/v3/schedule (DOC)",
    ),
    _read(
        "history",
        TASK,
        help="The latest ended jobs of a task",
        example="history infa:task/load_orders count=5",
        endpoint="GET /api/v2/activity/activityLog (DOC)",
        params=(_COUNT,),
    ),
    _read(
        "history",
        AGENT,
        help="The latest ended jobs on a Secure Agent",
        example="history infa:agent/eu-1 count=20",
        endpoint="GET /api/v2/activity/activityLog (DOC)",
        params=(_COUNT,),
    ),
    _read(
        "schedules",
        ORG,
        help="All schedules of the organization",
        example="schedules infa:",
        endpoint="GET /public/core/v3/schedule (DOC)",
    ),
    _read(
        "logs",
        TASK,
        help="The session log of an ended job, masked, and its entry in the activity log",
        example="logs infa:task/load_orders run=12 tail=50",
        endpoint="GET /api/v2/activity/activityLog, GET /api/v2/activity/activityLog/ID/sessionLog (DOC)",
        params=(_RUN, TAIL, GREP, DIFF),
        own_verb=True,
        timeout=_LOG_TIME,
    ),
)

_SERVICES: Final = (
    _capability(
        "start",
        SERVICE,
        Risk.CHANGE,
        idempotent=False,
        starts_run=True,
        timeout=_CHANGE_TIME,
        help="Start a service of a Secure Agent, also one that is stopped and no longer listed",
        example='start infa:eu-1/"Data Integration Server"',
        effect="The latest version of the service starts. It accepts jobs after one to two minutes.",
        endpoint="POST /public/core/v3/agent/service (SEED)",
    ),
    _capability(
        "stop",
        SERVICE,
        Risk.DANGER,
        idempotent=False,
        starts_run=True,
        timeout=_CHANGE_TIME,
        help="Stop all versions of a service of a Secure Agent",
        example='stop infa:eu-1/"Data Integration Server"',
        effect="All versions of the service stop, and its running jobs are killed.",
        endpoint="POST /public/core/v3/agent/service (SEED)",
    ),
    _capability(
        "restart",
        SERVICE,
        Risk.DANGER,
        idempotent=False,
        timeout=RESTART_TIME,
        help="Stop a service, wait until it is down, then start it and wait until it is up",
        example='restart infa:eu-1/"Data Integration Server"',
        effect="The service is down for some minutes, and its running jobs are killed.",
        endpoint="POST /public/core/v3/agent/service twice, GET /api/v2/agent/details/ID (SEED, CODE: no restart exists)",
    ),
)

_TASKS: Final = (
    _capability(
        "start",
        TASK,
        Risk.CHANGE,
        idempotent=False,
        starts_run=True,
        timeout=_CHANGE_TIME,
        help="Run a task",
        example="start infa:task/load_orders",
        effect="A job of the task starts. Two starts make two jobs.",
        endpoint="POST /api/v2/job (DOC)",
    ),
    _capability(
        "stop",
        TASK,
        Risk.DANGER,
        idempotent=False,
        starts_run=True,
        timeout=_CHANGE_TIME,
        help="Stop the running job of a task",
        example="stop infa:task/load_orders clean=true",
        effect="The running job stops. What it has written so far stays.",
        endpoint="POST /api/v2/job/stop (DOC)",
        params=(_CLEAN,),
    ),
)

_SCHEDULES: Final = (
    _capability(
        "schedule on",
        SCHEDULE,
        Risk.CHANGE,
        timeout=_CHANGE_TIME,
        help="Switch a schedule on",
        example="schedule on infa:schedule/nightly",
        effect="The schedule starts its tasks again.",
        endpoint="PATCH /public/core/v3/schedule/ID (DOC)",
    ),
    _capability(
        "schedule off",
        SCHEDULE,
        Risk.CHANGE,
        timeout=_CHANGE_TIME,
        help="Switch a schedule off, for a time or until you switch it on",
        example="schedule off infa:schedule/nightly for=2h",
        effect="The schedule starts nothing until it is switched on again. Running jobs continue.",
        endpoint="PATCH /public/core/v3/schedule/ID (DOC)",
        params=_PAUSE,
        pausable=True,
        resumes="schedule on",
    ),
)

SPEC: Final = KindSpec(
    kind="informatica",
    title="Informatica Intelligent Cloud Services",
    targets=TARGETS,
    capabilities=(*_READS, *_SERVICES, *_TASKS, *_SCHEDULES),
)
