"""What can be done with an ACC: kinds of targets and one capability for each verb on each of them (design, section 4)."""

from __future__ import annotations

from typing import Any, Final

from bot.backends.sequentum import checks
from bot.backends.sequentum.parameters import AS, COUNT, INPUT_FILE, LOGS, LONGEST_SYNC, MARK, METHOD, PAUSE, SET, START
from bot.core.command.capability import Capability, KindSpec, Risk, TargetKind

AGENT: Final = "agent"
RUN: Final = "run"
JOB_RUN: Final = "jobrun"
SCHEDULE: Final = "schedule"
SERVER: Final = "server"
NO_STOP: Final = "Sequentum's API can't stop a run. Stop it in the Agent Control Center."

_READ_TIME: Final = 60.0
_CHANGE_TIME: Final = 90.0
_FILE_TIME: Final = 600.0
# A synchronous start may take its whole timeout; the adapter allows one minute for any other start.
_START_TIME: Final = LONGEST_SYNC + 120.0

TARGETS: Final = (
    TargetKind(
        name=AGENT,
        prefix=None,
        help="An agent, by its path in the repository or its id",
        example="shop/prices",
        selects=True,
    ),
    TargetKind(
        name=RUN,
        prefix="run",
        help="A run of an agent, by its id",
        example="run/9040f86d-bbc1-4038-9868-501145cc2370",
        part_of=AGENT,
        no_stop=NO_STOP,
    ),
    TargetKind(
        name=JOB_RUN,
        prefix="jobrun",
        help="A run of an agent's job, by its id",
        example="jobrun/6ef84ec7-d5e6-4a98-bbfa-0b67355a648f",
        part_of=AGENT,
        no_stop=NO_STOP,
    ),
    TargetKind(
        name=SCHEDULE,
        prefix="schedule",
        help="A schedule, by its id",
        example="schedule/d9c944df-93a7-ea77-f7b7-fa0b9c579917",
        part_of=AGENT,
    ),
    TargetKind(
        name=SERVER, prefix="server", help="A server by its name in the configuration", example="server/crawl-1"
    ),
)


def _capability(verb: str, target: str, risk: Risk, **rest: Any) -> Capability:
    return Capability(verb=verb, target=target, risk=risk, **{"idempotent": True, **rest})


def _read(verb: str, target: str, **rest: Any) -> Capability:
    return _capability(verb, target, Risk.READ, **{"timeout": _READ_TIME, **rest})


def _file(verb: str, target: str, **rest: Any) -> Capability:
    return _capability(verb, target, Risk.READ, timeout=_FILE_TIME, own_verb=True, **rest)


def _change(verb: str, target: str, **rest: Any) -> Capability:
    return _capability(verb, target, rest.pop("risk", Risk.CHANGE), **{"timeout": _CHANGE_TIME, **rest})


def _start(verb: str, target: str, **rest: Any) -> Capability:
    return _capability(verb, target, Risk.CHANGE, idempotent=False, starts_run=True, **rest)


_READS: Final = (
    _read(
        "status",
        AGENT,
        help="The newest run of an agent and its schedules",
        example="status acc:shop/prices",
        endpoint="GET api/agent?agentPath=, api/agent/ID/history?count=1, api/job/ID/schedules (SEED)",
    ),
    _read("status", RUN, help="The state of a run", example="status acc:run/ID", endpoint="GET api/run/ID (SEED)"),
    _read(
        "status",
        JOB_RUN,
        help="The state of a job run and of the agent runs in it",
        example="status acc:jobrun/ID",
        endpoint="GET api/job/run/ID, api/agent/ID/run/NUMBER/history (SEED)",
    ),
    _read(
        "history",
        AGENT,
        help="The latest runs of an agent, or of its job",
        example="history acc:shop/prices count=5 as=job",
        endpoint="GET api/agent/ID/history?count=, api/job/ID/history?count= (SEED)",
        params=(COUNT, AS),
    ),
    _read(
        "history",
        JOB_RUN,
        help="The agent runs of a job run",
        example="history acc:jobrun/ID",
        endpoint="GET api/agent/ID/run/NUMBER/history?count= (SEED)",
        params=(COUNT,),
    ),
    _read(
        "schedules",
        AGENT,
        help="The schedules of an agent",
        example="schedules acc:shop/prices",
        endpoint="GET api/job/ID/schedules (SEED)",
    ),
    _file(
        "logs",
        RUN,
        help="The log of a run, masked",
        example="logs acc:run/ID tail=50",
        endpoint="GET api/run/ID/log (SEED)",
        params=LOGS,
    ),
    _file(
        "logs",
        JOB_RUN,
        help="All logs of a job run, masked",
        example="logs acc:jobrun/ID grep=timeout",
        endpoint="GET api/job/run/ID/logs (SEED)",
        params=LOGS,
    ),
    _file(
        "data", RUN, help="The stored data of a run", example="data acc:run/ID", endpoint="GET api/run/ID/backup (SEED)"
    ),
    _file(
        "data",
        JOB_RUN,
        help="The stored data of a job run",
        example="data acc:jobrun/ID",
        endpoint="GET api/job/run/ID/backup (SEED)",
    ),
    _read(
        "health",
        SERVER,
        help="The health of a server",
        example="health acc:server/crawl-1",
        endpoint="POST api/server/check (SEED)",
    ),
)

_STARTS: Final = (
    _start(
        "start",
        AGENT,
        timeout=_START_TIME,
        help="Start an agent on its cluster, or its job",
        example="start acc:shop/prices input.country=de",
        effect="The agent starts. A run that is already active is not stopped.",
        endpoint="POST api/agent/ID/cluster/start, POST api/job/ID/start (SEED)",
        params=START,
        check=checks.start,
    ),
    _start(
        "restart",
        RUN,
        timeout=_CHANGE_TIME,
        help="Run an agent run again from the beginning",
        example="restart acc:run/ID",
        effect="The run starts again from the beginning.",
        endpoint="POST api/run/ID/restart (SEED)",
    ),
    _start(
        "retry",
        RUN,
        timeout=_CHANGE_TIME,
        help="Continue a run and retry its errors",
        example="retry acc:run/ID method=Continue",
        effect="The run continues with the given method.",
        endpoint="POST api/run/ID/retry?RunMethod= (SEED)",
        params=METHOD,
    ),
    _start(
        "schedule start",
        SCHEDULE,
        timeout=_CHANGE_TIME,
        help="Start a schedule's job now",
        example="schedule start acc:schedule/ID",
        effect="The schedule's job starts now. Its next times don't change.",
        endpoint="POST api/job/schedule/ID/start (SEED)",
    ),
)

_SCHEDULES: Final = (
    _change(
        "schedule on",
        SCHEDULE,
        help="Switch a schedule on",
        example="schedule on acc:schedule/ID",
        effect="The schedule starts runs again.",
        endpoint="POST api/job/schedule/ID/on (SEED)",
    ),
    _change(
        "schedule on",
        AGENT,
        help="Switch all schedules of an agent on",
        example="schedule on acc:shop/prices",
        effect="All schedules of the agent start runs again, including those that were off for another reason.",
        endpoint="POST api/job/ID/schedules/on (SEED)",
    ),
    _change(
        "schedule off",
        SCHEDULE,
        help="Switch a schedule off, for a time or until you switch it on",
        example="schedule off acc:schedule/ID for=2h",
        effect="The schedule starts no runs until it is switched on again. An active run is not stopped.",
        endpoint="POST api/job/schedule/ID/off (SEED)",
        params=PAUSE,
        pausable=True,
        resumes="schedule on",
    ),
    _change(
        "schedule off",
        AGENT,
        help="Switch all schedules of an agent off, for a time or until you switch them on",
        example='schedule off acc:shop/prices until="Mon 07:00"',
        effect="No schedule of the agent starts a run. Switching them on later switches all of them on.",
        endpoint="POST api/job/ID/schedules/off (SEED)",
        params=PAUSE,
        pausable=True,
        resumes="schedule on",
    ),
    _change(
        "schedule set",
        AGENT,
        help="Add or change a schedule",
        example='schedule set acc:shop/prices cron="0 0 0 1" start=2026-07-16T11:21:20 zone=Europe/Berlin',
        effect="A schedule is added, or the schedule with this id changes.",
        endpoint="POST api/job/ID/schedule (SEED)",
        params=SET,
        check=checks.schedule,
    ),
    _change(
        "schedule delete",
        SCHEDULE,
        help="Delete a schedule",
        example="schedule delete acc:schedule/ID",
        effect="The schedule is deleted. This can't be undone.",
        endpoint="DELETE api/job/schedule/ID (SEED)",
        risk=Risk.DANGER,
    ),
    _change(
        "schedule delete",
        AGENT,
        help="Delete all schedules of an agent",
        example="schedule delete acc:shop/prices",
        effect="All schedules of the agent are deleted. This can't be undone.",
        endpoint="DELETE api/job/ID/schedules (SEED)",
        risk=Risk.DANGER,
    ),
)

_CHANGES: Final = (
    _change(
        "input put",
        AGENT,
        help="Add or replace CSV input data",
        example='input put acc:shop/prices name=input.csv text="URL"',
        effect="Input data with that name is replaced. Later runs read the new data.",
        endpoint="POST api/input/agent/ID/csv?name= (SEED)",
        params=INPUT_FILE,
        check=checks.put,
        takes_files=True,
        timeout=_FILE_TIME,
    ),
    _change(
        "input upload",
        AGENT,
        help="Upload input files: .csv, .txt, or a .zip of those",
        example="input upload acc:shop/prices",
        effect="Files with the same names are replaced. Later runs can read the new ones.",
        endpoint="POST api/input/agent/ID/files (SEED)",
        params=INPUT_FILE,
        check=checks.upload,
        takes_files=True,
        timeout=_FILE_TIME,
    ),
    _change(
        "input clear",
        AGENT,
        help="Delete all input files of an agent",
        example="input clear acc:shop/prices",
        effect="All input files of the agent are deleted. The ACC keeps no copy.",
        endpoint="DELETE api/input/agent/ID (SEED)",
        risk=Risk.DANGER,
        undoes=("input put", "input upload"),
    ),
    _change(
        "input disable",
        AGENT,
        help="Disable all input files of an agent",
        example="input disable acc:shop/prices",
        effect="Runs no longer get the input files. This API can't enable them again.",
        endpoint="POST api/input/agent/ID/disable (SEED)",
        risk=Risk.DANGER,
        undoes=("input put", "input upload"),
    ),
    _change(
        "mark",
        AGENT,
        help="Set the status of the newest job run",
        example="mark acc:shop/prices as=failed",
        effect="The newest job run of the agent gets this status.",
        endpoint="POST api/job/ID/status (SEED)",
        params=MARK,
    ),
    _change(
        "agent approve",
        AGENT,
        help="Approve an agent in the repository",
        example="agent approve acc:shop/prices -- reviewed by Lee",
        effect="The agent may be used. Your reason is written to the ACC's file log.",
        endpoint="POST api/agent/ID/toggleAgentApproval/False (SEED)",
        reason_required=True,
    ),
    _change(
        "agent disapprove",
        AGENT,
        help="Withdraw the approval of an agent",
        example="agent disapprove acc:shop/prices -- breaks the site's terms",
        effect="The agent is no longer approved. Your reason is written to the ACC's file log.",
        endpoint="POST api/agent/ID/toggleAgentApproval/True (SEED)",
        risk=Risk.DANGER,
        reason_required=True,
    ),
)

SPEC: Final = KindSpec(
    kind="sequentum",
    title="Sequentum Agent Control Center",
    targets=TARGETS,
    capabilities=(*_READS, *_STARTS, *_SCHEDULES, *_CHANGES),
    unlisted="The ACC has no list of agents. These are the configured agents and those used here before. You can use any other "
    "agent by its path, for example `status {backend}:shop/prices`.",
)
