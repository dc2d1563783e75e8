"""What can be done with Prefactor: kinds of targets and one capability for each verb on each of them.

Idempotent changes: create, set, retire and reinstate carry an idempotency key, so a repeat is the same request to the
vendor; delete, terminate and cancel reach the same state when sent twice.
"""

from typing import Final

from bot.core.command.capability import Capability, CapabilityTable, KindSpec, TargetKind
from bot.core.command.params import Arguments, count, text
from bot.core.errors import BadRequest

AGENT: Final = "agent"
INSTANCE: Final = "instance"
NEW: Final = "new"

TARGETS: Final = (
    TargetKind.of(AGENT, "An agent, by its name or its id", "invoice-reader", prefix=None, selects=True),
    TargetKind.of(INSTANCE, "An instance (a run) of an agent, by its id", "instance/013xrzp12g3nqk8nx0y2vfkg4s3jp2qr",
                  part_of=AGENT, selected=True),
    TargetKind.of(NEW, "An agent that does not exist yet, by its name", "new/My Agent", bare=True),
)  # fmt: skip

COUNT: Final = count("instances", 10)
_DESCRIPTION: Final = text("description", "What the agent is for", '"Reads invoices"')
_OWNER: Final = text("owner_person_id", "The id of its owner")
_RISK_PROFILE: Final = text("risk_profile_id", "The id of its risk profile")
_TEAM: Final = text("team_id", "The id of its team")
CREATE: Final = (
    _DESCRIPTION,
    text(
        "external_identifier",
        "Your own id of the agent; unique in the account and can't be changed later",
        "invoice-reader",
    ),
    _OWNER,
    _RISK_PROFILE,
    _TEAM,
    text("environment_id", "The environment, in accounts whose agents belong to one"),
    text("id", "The id of the new agent (default: the vendor chooses)"),
)
SET: Final = (text("name", "A new name"), _DESCRIPTION, _OWNER, _RISK_PROFILE, _TEAM)


def _says_what_to_change(asked: Arguments) -> None:
    """Raises BadRequest when a `set` names no field."""
    if not asked.given:
        names = ", ".join(f"`{param.name}=`" for param in SET)
        raise BadRequest(f"Name at least one field to change: {names}.", code="missing_parameter")


_SHORT: Final = {INSTANCE: "instance/ID", NEW: 'new/"My Agent"'}
# Names are found in the whole list, which takes about two seconds for every hundred agents (CODE prefactor-open-dashboard).
_TABLE: Final = CapabilityTable("pre", TARGETS, read_time=90.0, change_time=120.0, short=_SHORT)
_read, _change, _danger = _TABLE.read, _TABLE.change, _TABLE.danger


def _create(target: str, words: str) -> Capability:
    return _change("create", target, "Create an agent with a new name",
                   "An agent with that name is created. This doesn't start any work.",
                   "POST /api/v1/agent (SEED; body CODE)", words=words, params=CREATE, adds=True)  # fmt: skip


CAPABILITIES: Final = (
    _read("status", AGENT, "An agent: its state, the number of its instances, and the actions allowed now",
          "GET /api/v1/agent/ID (CODE; object SEED)"),
    _read("status", INSTANCE, "The state of an instance", "GET /api/v1/agent_instance/ID (CODE)"),
    _read("history", AGENT, "The latest instances of an agent", "GET /api/v1/agent_instance?agent_id=&sorting= (DOC)",
          words="count=5", params=(COUNT,)),
    _create(AGENT, 'description="Reads invoices"'),
    _create(NEW, "team_id=ID"),
    _change("set", AGENT,
            "Change the name, description, owner, risk profile or team of an agent; an empty value clears it",
            "The named fields change; all others stay. If the name changes, other rules may apply.",
            "PUT /api/v1/agent/ID (CODE)", words='description="Reads all invoices"', params=SET,
            check=_says_what_to_change),
    _danger("retire", AGENT, "Retire an agent",
            "The agent is retired and should start no more instances. `reinstate` brings it back.",
            "POST /api/v1/agent/ID/retire (DOC)"),
    _change("reinstate", AGENT, "Bring a retired agent back", "The agent is no longer retired.",
            "POST /api/v1/agent/ID/reinstate (DOC)"),
    _danger("delete", AGENT, "Delete an agent for good", "The agent is deleted. This can't be undone.",
            "DELETE /api/v1/agent/ID (CODE)"),
    _danger("stop", INSTANCE, "Terminate an active instance, or cancel one that is still pending",
            "An active instance is terminated, with your reason; a pending one is cancelled. This can't be undone.",
            "POST /api/v1/agent_instance/ID/terminate, or /finish with status cancelled (CODE)",
            words="-- wrong customer data"),
)  # fmt: skip

SPEC: Final = KindSpec(kind="prefactor", title="Prefactor", targets=TARGETS, capabilities=CAPABILITIES)
