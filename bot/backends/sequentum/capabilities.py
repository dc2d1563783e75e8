"""What can be done with an ACC: kinds of targets, one capability for each verb on each of them, and their parameters.

The checks refuse parameters that can't work, before anything is decided, written to the audit log, or sent.
"""

import re
from datetime import datetime
from functools import partial
from typing import Final

from bot.backends.logs import DEVICES
from bot.backends.sequentum.models import START_FORMAT
from bot.backends.sequentum.states import MARKS
from bot.core.command.capability import CapabilityTable, KindSpec, TargetKind
from bot.core.command.params import (
    GREP,
    TAIL,
    Arguments,
    Param,
    ParamType,
    choice,
    count,
    duration,
    flag,
    flag_of,
    items,
    mapping,
    number,
    pause,
    text,
    text_of,
)
from bot.core.errors import BadRequest
from bot.core.log_diff import DIFF

AGENT: Final = "agent"
RUN: Final = "run"
JOB_RUN: Final = "jobrun"
SCHEDULE: Final = "schedule"
SERVER: Final = "server"
NO_STOP: Final = "Sequentum's API can't stop a run. Stop it in the Agent Control Center."

CSV: Final = (".csv",)
UPLOADS: Final = (".csv", ".txt", ".zip")
MOST_FILES: Final = 10
LONGEST_SYNC: Final = 540
DEFAULT_SYNC: Final = 60
DEFAULT_METHOD: Final = "ContinueAndRetryErrorsRefreshAgent"
NEW_SCHEDULE: Final = 'A new schedule needs `cron=` and `start=`, like `cron="0 0 0 1" start=2026-07-16T11:21:20`.'
_PLAIN: Final = re.compile(r"[^\s.\x00-\x1f\x7f/\\\"'<>:|?*][^\x00-\x1f\x7f/\\\"'<>:|?*]{0,99}")
_RUN_ONLY: Final = ("sessions", "sync")
_FILE_TIME: Final = 600.0
# A synchronous start may take its whole timeout; the adapter allows one minute for any other start.
_START_TIME: Final = LONGEST_SYNC + 120.0


def input_name(name: str, endings: tuple[str, ...]) -> str:
    """A name for an input file; raises BadRequest for another form of name or another ending."""
    if not _PLAIN.fullmatch(name) or DEVICES.match(name):
        raise BadRequest(f"`{name[:80]}` is not a plain file name.")
    if not name.lower().endswith(endings):
        raise BadRequest(f"`{name}` must end in {' or '.join(endings)}.")
    return name


def check_start(asked: Arguments) -> None:
    """Raises BadRequest for start parameters that contradict each other."""
    job, sync = text_of(asked, "as") == "job", flag_of(asked, "sync")
    if job and any(flag_of(asked, name) for name in _RUN_ONLY):
        raise BadRequest("A job doesn't take `sessions` or `sync`. Leave them out, or use `as=run`.")
    if flag_of(asked, "sessions") and text_of(asked, "session"):
        raise BadRequest("`sessions=true` starts new sessions, so leave out `session=`.")
    if not sync and (text_of(asked, "delivery") != "none" or "timeout" in asked.given):
        raise BadRequest("`timeout` and `delivery` need `sync=true`.")


def check_schedule(asked: Arguments) -> None:
    """Raises BadRequest for a `start` that is not in the vendor's exact form, and for a new schedule without times."""
    begins = text_of(asked, "start")
    if begins and (not START_FORMAT.fullmatch(begins) or not _is_time(begins)):
        raise BadRequest("`start` is a time in the schedule's time zone, written exactly like `2026-07-16T11:21:20`.")
    if not text_of(asked, "id") and not (begins and text_of(asked, "cron")):
        raise BadRequest(NEW_SCHEDULE)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def check_put(asked: Arguments) -> None:
    """Raises BadRequest unless there is exactly one content, under a name that the ACC accepts."""
    input_name(text_of(asked, "name"), CSV)
    if asked.params.get("text"):
        if asked.files:
            raise BadRequest("Give either `text=` or one attached file, not both.")
    elif len(asked.files) != 1:
        raise BadRequest('Give the content with `text="..."`, or attach one file.')


def check_upload(asked: Arguments) -> None:
    """Raises BadRequest unless there are either files, or a text under a name that the ACC accepts."""
    given = "text" in asked.given or "name" in asked.given
    if asked.files and given:
        raise BadRequest("Attached files keep their names. Leave out `name=` and `text=`, or attach no file.")
    if text_of(asked, "text") and text_of(asked, "name"):
        input_name(text_of(asked, "name"), UPLOADS)
    elif not asked.files:
        raise BadRequest('Attach the files to the message, or give `name=` and `text="..."`.')
    elif len(asked.files) > MOST_FILES:
        raise BadRequest(f"At most {MOST_FILES} files are possible at once.")


TARGETS: Final = (
    TargetKind.of(AGENT, "An agent, by its path in the repository or its id", "shop/prices", prefix=None, selects=True),
    TargetKind.of(RUN, "A run of an agent, by its id", "run/9040f86d-bbc1-4038-9868-501145cc2370",
                  part_of=AGENT, selected=True, no_stop=NO_STOP),
    TargetKind.of(JOB_RUN, "A run of an agent's job, by its id", "jobrun/6ef84ec7-d5e6-4a98-bbfa-0b67355a648f",
                  part_of=AGENT, selected=True, no_stop=NO_STOP),
    TargetKind.of(SCHEDULE, "A schedule, by its id", "schedule/d9c944df-93a7-ea77-f7b7-fa0b9c579917", part_of=AGENT),
    TargetKind.of(SERVER, "A server by its name in the configuration", "server/crawl-1"),
)  # fmt: skip

AS: Final = choice(
    "as", ("run", "job"), "`run` starts a run of the agent, `job` a run of its job, which tracks all runs that it starts", "run"
)  # fmt: skip
INPUT: Final = mapping("input", "An input parameter of the agent", "input.country=de")
SESSION: Final = text("session", "The session, if the agent supports sessions")
_log_level = partial(number, "log_level", "How much to log, from 0 (nothing) to 3 (most)", 0, 3)
START: Final = (
    AS,
    SESSION,
    _log_level(1),
    flag("production", "false: don't deliver data or send e-mails", True),
    INPUT,
    items("files", "Input files that you uploaded earlier", "a.csv,b.csv"),
    flag("delete_files", "Delete those files when the run succeeds or is marked as failed", False),
    flag("sessions", "Start new sessions, so that several runs are active at once", False),
    flag("sync", "Wait for the end of the run", False),
    duration("timeout", "With sync=true: stop the run after this time", default=DEFAULT_SYNC,
             minimum=1, maximum=LONGEST_SYNC),
    choice("delivery", ("none", "plain", "zip"),
           "With sync=true: return the extracted data, the first file as plain text or all files as a zip", "none"),
)  # fmt: skip
COUNT: Final = count("runs", 10)
LOGS: Final = (
    TAIL.model_copy(update={"help": "How many of the last lines to show; with grep, of the matching lines"}),
    GREP,
    DIFF,
)
PAUSE: Final = pause("Switch on again")
SET: Final = (
    text("id", "The schedule to change (default: add a new one)"),
    text("cron", "When and how often, in the ACC's own notation; required for a new schedule", "0 0 0 1"),
    Param(
        name="start",
        type=ParamType.DATETIME,
        help="The first time, in the schedule's time zone; required for a new schedule",
        example="2026-07-16T11:21:20",
    ),
    text("zone", "Time zone by its Windows or IANA name", "Europe/Berlin"),
    SESSION,
    INPUT,
    _log_level(),
    flag("windowless", "Run without a browser window (a new schedule: true)"),
    flag("enabled", "Whether the schedule is switched on (a new schedule: true)"),
)
INPUT_FILE: Final = (
    text("name", "Name of the input, ending in .csv", "input.csv", default="input.csv"),
    text("text", "The content, instead of an attached file"),
)
UPLOAD: Final = (
    text("name", "With text=: name of the input, ending in .csv, .txt or .zip", "input.csv"),
    text("text", "The content, instead of attached files"),
)
MARK: Final = choice("as", tuple(MARKS), "The status to set", required=True)
METHODS: Final = ("Restart", "Continue", "ContinueRefreshAgent", "ContinueAndRetryErrors", DEFAULT_METHOD, "New")
METHOD: Final = choice("method", METHODS, "How the run continues", DEFAULT_METHOD)

_SHORT: Final = {RUN: "run/ID", JOB_RUN: "jobrun/ID", SCHEDULE: "schedule/ID"}
_TABLE: Final = CapabilityTable(
    "acc", TARGETS, read_time=60.0, change_time=90.0, no_effect="", source=" (SEED)", short=_SHORT
)
_read, _change, _danger = _TABLE.read, _TABLE.change, _TABLE.danger
_file = partial(_read, timeout=_FILE_TIME, own_verb=True)
_start = partial(_change, idempotent=False, starts_run=True)
# About everything that is there when it is sent: sent again later, it would be about more.
_now = partial(_change, idempotent=False)
_danger_now = partial(_danger, idempotent=False)

CAPABILITIES: Final = (
    _read("status", AGENT, "The newest run of an agent and its schedules",
          "GET api/agent?agentPath=, api/agent/ID/history?count=1, api/job/ID/schedules"),
    _read("status", RUN, "The state of a run", "GET api/run/ID"),
    _read("status", JOB_RUN, "The state of a job run and of the agent runs in it",
          "GET api/job/run/ID, api/agent/ID/run/NUMBER/history"),
    _read("history", AGENT, "The latest runs of an agent, or of its job",
          "GET api/agent/ID/history?count=, api/job/ID/history?count=", words="count=5 as=job", params=(COUNT, AS)),
    _read("history", JOB_RUN, "The agent runs of a job run", "GET api/agent/ID/run/NUMBER/history?count=",
          params=(COUNT,)),
    _read("schedules", AGENT, "The schedules of an agent", "GET api/job/ID/schedules"),
    _file("logs", RUN, "The log of a run, masked", "GET api/run/ID/log", words="tail=50", params=LOGS),
    _file("logs", JOB_RUN, "All logs of a job run, masked", "GET api/job/run/ID/logs", words="grep=timeout",
          params=LOGS),
    _file("data", RUN, "The stored data of a run", "GET api/run/ID/backup"),
    _file("data", JOB_RUN, "The stored data of a job run", "GET api/job/run/ID/backup"),
    _read("health", SERVER, "The health of a server", "POST api/server/check"),
    _start("start", AGENT, "Start an agent on its cluster, or its job",
           "The agent starts. A run that is already active is not stopped.",
           "POST api/agent/ID/cluster/start, POST api/job/ID/start", words="input.country=de", timeout=_START_TIME,
           params=START, check=check_start),
    _start("restart", RUN, "Run an agent run again from the beginning; one in progress is stopped first",
           "The run starts again from the beginning. If it is still in progress, it is stopped first.",
           "POST api/run/ID/restart"),
    _start("retry", RUN, "Continue a run and retry its errors",
           "The run continues and retries its errors, unless another method is given.",
           "POST api/run/ID/retry?RunMethod=", words="method=Continue", params=(METHOD,)),
    _start("schedule start", SCHEDULE, "Start a schedule's job now",
           "The schedule's job starts now. Its next times don't change.", "POST api/job/schedule/ID/start"),
    _change("schedule on", SCHEDULE, "Switch a schedule on", "The schedule starts runs again.",
            "POST api/job/schedule/ID/on"),
    _change("schedule on", AGENT, "Switch all schedules of an agent on",
            "All schedules of the agent start runs again, including those that were off for another reason.",
            "POST api/job/ID/schedules/on"),
    _change("schedule off", SCHEDULE, "Switch a schedule off, for a time or until you switch it on",
            "The schedule starts no runs until it is switched on again. An active run is not stopped.",
            "POST api/job/schedule/ID/off", words="for=2h", params=PAUSE, pausable=True, resumes="schedule on"),
    _change("schedule off", AGENT, "Switch all schedules of an agent off, for a time or until you switch them on",
            "No schedule of the agent starts a run. Switching them on later switches all of them on.",
            "POST api/job/ID/schedules/off", words='until="Mon 07:00"', params=PAUSE, pausable=True,
            resumes="schedule on"),
    _change("schedule set", AGENT, "Add or change a schedule",
            "A schedule is added, or the schedule with this id changes.", "POST api/job/ID/schedule",
            words='cron="0 0 0 1" start=2026-07-16T11:21:20 zone=Europe/Berlin', params=SET, check=check_schedule, adds=True),
    _danger_now("schedule delete", SCHEDULE, "Delete a schedule", "The schedule is deleted. This can't be undone.",
            "DELETE api/job/schedule/ID", ends_pauses=True),
    _danger_now("schedule delete", AGENT, "Delete all schedules of an agent",
            "All schedules of the agent are deleted. This can't be undone.", "DELETE api/job/ID/schedules",
            ends_pauses=True),
    _change("input put", AGENT, "Add or replace CSV input data",
            "Input data with that name is replaced. Later runs read the new data.", "POST api/input/agent/ID/csv?name=",
            words='name=input.csv text="URL"', params=INPUT_FILE, check=check_put, takes_files=True,
            timeout=_FILE_TIME),
    _change("input upload", AGENT, "Upload input files: .csv, .txt, or a .zip of those",
            "Files with the same names are replaced. Later runs can read the new ones.",
            "POST api/input/agent/ID/files", params=UPLOAD, check=check_upload, takes_files=True,
            timeout=_FILE_TIME),
    _danger_now("input clear", AGENT, "Delete all input files of an agent",
            "All input files of the agent are deleted. The ACC keeps no copy.", "DELETE api/input/agent/ID",
            undoes=("input put", "input upload")),
    _danger_now("input disable", AGENT, "Disable all input files of an agent",
            "Runs no longer get the input files. This API can't enable them again.", "POST api/input/agent/ID/disable",
            undoes=("input put", "input upload")),
    _now("mark", AGENT, "Set the status of the newest job run", "The newest job run of the agent gets this status.",
            "POST api/job/ID/status", words="as=failed", params=(MARK,), newest_run=True),
    _change("agent approve", AGENT, "Approve an agent in the repository",
            "The agent may be used. The reason is written to the ACC's file log.",
            "POST api/agent/ID/toggleAgentApproval/False", words="-- reviewed by Lee", reason_required=True),
    _danger("agent disapprove", AGENT, "Withdraw the approval of an agent",
            "The agent is no longer approved. The reason is written to the ACC's file log.",
            "POST api/agent/ID/toggleAgentApproval/True", words="-- breaks the site's terms", reason_required=True),
)  # fmt: skip

SPEC: Final = KindSpec(
    kind="sequentum",
    title="Sequentum Agent Control Center",
    targets=TARGETS,
    capabilities=CAPABILITIES,
    unlisted="The ACC has no list of agents. These are the configured agents and those used here before. You can use any other "
    "agent by its path, for example `status {backend}:shop/prices`.",
)
