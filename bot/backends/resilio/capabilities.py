"""What can be done with a Resilio agent: kinds of targets and one capability for each verb on each of them."""

from typing import Final

from bot.core.command.capability import CapabilityTable, KindSpec, TargetKind
from bot.core.command.params import Arguments, Param, ParamType, count, duration, map_of, mapping
from bot.core.command.until import LONGEST
from bot.core.errors import BadRequest

AGENT: Final = "agent"
RUN: Final = "run"

RESTART_TIME: Final = 240.0

TARGETS: Final = (
    TargetKind.of(AGENT, "The agent itself; write the backend name alone", "", prefix=None, selects=True),
    TargetKind.of(RUN, "A run of a job on the agent, by its number", "run/543",
                  selected=True, no_stop="Resilio's agent API can't stop a single run. `pause` stops all runs of the agent."),
)  # fmt: skip

COUNT: Final = count("runs", 20, help="How many to show, newest first")
FOR: Final = duration(
    "for",
    "The agent resumes automatically after this time (default: when you run `resume`)",
    "30m",
    minimum=1,
    maximum=int(LONGEST.total_seconds()),
)
UNTIL: Final = Param(
    name="until", type=ParamType.UNTIL, help="The agent resumes automatically at this time", example="Mon 07:00"
)
TAGS: Final = mapping("*", "A tag and its value; a new tag is added, an existing one changes", "SITE=berlin")


def _names_a_tag(asked: Arguments) -> None:
    """Raises BadRequest if no tag is given."""
    if not map_of(asked, "*"):
        raise BadRequest("Name a tag and its value.", "For example: `tag res: SITE=berlin`.", "missing_parameter")


_TABLE: Final = CapabilityTable("res", TARGETS, read_time=45.0, change_time=60.0, source=" (SEED)")
_read, _change, _danger = _TABLE.read, _TABLE.change, _TABLE.danger

CAPABILITIES: Final = (
    _read("status", AGENT, "The agent: its connection, whether it is paused or needs a restart, and its runs",
          "GET /api/v3/client and /api/v3/runs"),
    _read("status", RUN, "The progress of a run", "GET /api/v3/runs/ID"),
    _read("history", AGENT, "The agent's current runs, with progress, speed, time left and files", "GET /api/v3/runs",
          words="count=10", params=(COUNT,)),
    _change("pause", AGENT, "Pause the agent, for a time or until `resume`",
            "All its activity stops, including its network, and the Management Console shows every transfer as paused.",
            "PATCH /api/v3/client?paused=true&resume_timer=", words="for=30m", params=(FOR, UNTIL), pausable=True,
            resumes="resume", own_timer=True),
    _change("resume", AGENT, "Resume a paused agent",
            "The agent resumes at once. The timer of an earlier pause no longer matters.",
            "PATCH /api/v3/client?paused=false"),
    _danger("restart", AGENT, "Restart the agent (from 4.1.0) and wait until it answers again",
            "The agent's program restarts. All transfers are interrupted and continue when it is back.",
            'PATCH /api/v3/client with {"restart": true}', idempotent=False, timeout=RESTART_TIME),
    _read("tags", AGENT, "The tags of the agent (from 2.10.0)", "GET /api/v3/tags"),
    _danger("tag", AGENT, "Set tags of the agent (from 2.9.3)",
            "The tags get these values. This can move the agent to other groups and jobs, and pause jobs or end their pause.",
            "PATCH /api/v3/tags", words="SITE=berlin", params=(TAGS,), check=_names_a_tag),
)  # fmt: skip

SPEC: Final = KindSpec(kind="resilio", title="Resilio agent", targets=TARGETS, capabilities=CAPABILITIES)
