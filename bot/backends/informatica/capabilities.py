"""What can be done with an organization: kinds of targets and one capability for each verb on each of them."""

from typing import Final

from bot.core.command.capability import CapabilityTable, KindSpec, TargetKind
from bot.core.command.params import GREP, TAIL, count, flag, number, pause
from bot.core.log_diff import DIFF

SERVICE: Final = "service"
AGENT: Final = "agent"
TASK: Final = "task"
SCHEDULE: Final = "schedule"
ORG: Final = "org"

LOG_TIME: Final = 600.0
# Twice the largest `follow_seconds`, plus the calls around them.
RESTART_TIME: Final = 780.0

TARGETS: Final = (
    TargetKind.of(SERVICE, "A service of a Secure Agent: the agent's name and the service's display name",
                  'eu-1/"Data Integration Server"', prefix=None),
    TargetKind.of(AGENT, "A Secure Agent, by its name", "agent/eu-1"),
    TargetKind.of(TASK, "A task, by its path (with folders) or id; write `task/MTT/PATH` to name its type",
                  "task/load_orders"),
    TargetKind.of(SCHEDULE, "A schedule, by its name or id", "schedule/nightly"),
    TargetKind.of(ORG, "The whole organization; write the backend name alone", ""),
)  # fmt: skip

COUNT: Final = count("jobs", 10, 200)
RUN: Final = number("run", "The number of the run (default: the newest run that has ended)", 0)
CLEAN: Final = flag("clean", "true: let the job finish cleanly instead of breaking it off", False)
PAUSE: Final = pause("Switch on again")

_TABLE: Final = CapabilityTable("infa", TARGETS, read_time=60.0, change_time=60.0)
_read, _change, _danger = _TABLE.read, _TABLE.change, _TABLE.danger

CAPABILITIES: Final = (
    _read("status", SERVICE, "A service: its state, version and when the state began",
          "GET /api/v2/agent/details/ID (CODE)"),
    _read("status", AGENT, "A Secure Agent with all its services, including stopped ones that were seen before",
          "POST /public/core/v3/lookup, GET /api/v2/agent/details/ID (DOC, CODE)"),
    _read("status", TASK, "The running job of a task, or how the newest one ended",
          "GET /api/v2/activity/activityMonitor, GET /api/v2/activity/activityLog (DOC)"),
    _read("status", SCHEDULE, "A schedule: on or off, and when it runs", "GET /public/core/v3/schedule (DOC)"),
    _read("history", TASK, "The latest ended jobs of a task", "GET /api/v2/activity/activityLog (DOC)", words="count=5",
          params=(COUNT,)),
    _read("history", AGENT, "The latest ended jobs on a Secure Agent", "GET /api/v2/activity/activityLog (DOC)",
          words="count=20", params=(COUNT,)),
    _read("schedules", ORG, "All schedules of the organization", "GET /public/core/v3/schedule (DOC)"),
    _read("logs", TASK, "The session log of an ended job, masked, and its entry in the activity log",
          "GET /api/v2/activity/activityLog, GET /api/v2/activity/activityLog/ID/sessionLog (DOC)",
          words="run=12 tail=50", params=(RUN, TAIL, GREP, DIFF), own_verb=True, timeout=LOG_TIME),
    _change("start", SERVICE, "Start a service of a Secure Agent, also one that is stopped and no longer listed",
            "The latest version of the service starts. It accepts jobs after one to two minutes.",
            "POST /public/core/v3/agent/service (SEED)", idempotent=False, starts_run=True, supersedes=True),
    _danger("stop", SERVICE, "Stop all versions of a service of a Secure Agent",
            "All versions of the service stop, and its running jobs are killed.",
            "POST /public/core/v3/agent/service (SEED)", idempotent=False, starts_run=True, supersedes=True),
    _danger("restart", SERVICE, "Stop a service, wait until it is down, then start it and wait until it is up",
            "The service is down for some minutes, and its running jobs are killed.",
            "POST /public/core/v3/agent/service twice, GET /api/v2/agent/details/ID (SEED, CODE: no restart exists)",
            idempotent=False, timeout=RESTART_TIME, supersedes=True),
    _change("start", TASK, "Run a task", "A job of the task starts. Two starts make two jobs.",
            "POST /api/v2/job (DOC)", idempotent=False, starts_run=True),
    _danger("stop", TASK, "Stop the running job of a task", "The running job stops. What it has written so far stays.",
            "POST /api/v2/job/stop (DOC)", words="clean=true", idempotent=False, starts_run=True, params=(CLEAN,)),
    _change("schedule on", SCHEDULE, "Switch a schedule on", "The schedule starts its tasks again.",
            "PATCH /public/core/v3/schedule/ID (DOC)"),
    _change("schedule off", SCHEDULE, "Switch a schedule off, for a time or until you switch it on",
            "The schedule starts nothing until it is switched on again. Running jobs continue.",
            "PATCH /public/core/v3/schedule/ID (DOC)", words="for=2h", params=PAUSE, pausable=True,
            resumes="schedule on"),
)  # fmt: skip

SPEC: Final = KindSpec(
    kind="informatica",
    title="Informatica Intelligent Cloud Services",
    targets=TARGETS,
    capabilities=CAPABILITIES,
    unlisted="A task appears in lists after its first use here. You can use any other task by its path, for example "
    "`status {backend}:task/load_orders`.",
)
