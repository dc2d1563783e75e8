"""What can be done with Prefactor: kinds of targets and one capability for each verb on each of them.

Idempotent changes: create, set, retire and reinstate carry an idempotency key, so a repeat is the same request to the
vendor; delete, terminate and cancel reach the same state when sent twice.
"""

from __future__ import annotations

from typing import Any, Final

from bot.core.command.arguments import Arguments
from bot.core.command.capability import Capability, KindSpec, Risk, TargetKind
from bot.core.command.params import Param, ParamType
from bot.core.errors import BadRequest

AGENT: Final = "agent"
INSTANCE: Final = "instance"
NEW: Final = "new"

# Names are found in the whole list, which takes about two seconds for every hundred agents (CODE prefactor-open-dashboard).
_READ_TIME: Final = 90.0
_CHANGE_TIME: Final = 120.0

TARGETS: Final = (
    TargetKind(name=AGENT, prefix=None, help="An agent, by its name or its id", example="invoice-reader", selects=True),
    TargetKind(
        name=INSTANCE,
        prefix="instance",
        help="An instance (a run) of an agent, by its id",
        example="instance/013xrzp12g3nqk8nx0y2vfkg4s3jp2qr",
        part_of=AGENT,
    ),
    TargetKind(
        name=NEW, prefix="new", help="An agent that does not exist yet, by its name", example="new/My Agent", bare=True
    ),
)


def _text(name: str, help: str, example: str | None = None) -> Param:
    return Param(name=name, type=ParamType.TEXT, help=help, example=example)


COUNT: Final = Param(
    name="count",
    type=ParamType.INTEGER,
    default=10,
    minimum=1,
    maximum=100,
    unit="instances",
    help="How many of the latest to show",
)
_DESCRIPTION: Final = _text("description", "What the agent is for", '"Reads invoices"')
_OWNER: Final = _text("owner_person_id", "The id of its owner")
_RISK_PROFILE: Final = _text("risk_profile_id", "The id of its risk profile")
_TEAM: Final = _text("team_id", "The id of its team")
CREATE: Final = (
    _DESCRIPTION,
    _text(
        "external_identifier",
        "Your own id of the agent; unique in the account and can't be changed later",
        "invoice-reader",
    ),
    _OWNER,
    _RISK_PROFILE,
    _TEAM,
    _text("environment_id", "The environment, in accounts whose agents belong to one"),
    _text("id", "The id of the new agent (default: the vendor chooses)"),
)
SET: Final = (_text("name", "A new name"), _DESCRIPTION, _OWNER, _RISK_PROFILE, _TEAM)


def _says_what_to_change(asked: Arguments) -> None:
    """Raises BadRequest when a `set` names no field."""
    if not asked.given:
        names = ", ".join(f"`{param.name}=`" for param in SET)
        raise BadRequest(f"Name at least one field to change: {names}.", code="missing_parameter")


def _capability(verb: str, target: str, risk: Risk, **rest: Any) -> Capability:
    return Capability(verb=verb, target=target, risk=risk, idempotent=True, **{"timeout": _CHANGE_TIME, **rest})


def _read(verb: str, target: str, **rest: Any) -> Capability:
    return _capability(verb, target, Risk.READ, timeout=_READ_TIME, **rest)


def _create(target: str, example: str) -> Capability:
    return _capability(
        "create",
        target,
        Risk.CHANGE,
        help="Create an agent with a new name",
        example=example,
        effect="An agent with that name is created. This doesn't start any work.",
        endpoint="POST /api/v1/agent (SEED; body CODE)",
        params=CREATE,
    )


CAPABILITIES: Final = (
    _read(
        "status",
        AGENT,
        help="An agent: its state, the number of its instances, and the actions allowed now",
        example="status pre:invoice-reader",
        effect="Nothing changes.",
        endpoint="GET /api/v1/agent/ID (CODE; object SEED)",
    ),
    _read(
        "status",
        INSTANCE,
        help="The state of an instance",
        example="status pre:instance/ID",
        effect="Nothing changes.",
        endpoint="GET /api/v1/agent_instance/ID (CODE)",
    ),
    _read(
        "history",
        AGENT,
        help="The latest instances of an agent",
        example="history pre:invoice-reader count=5",
        effect="Nothing changes.",
        endpoint="GET /api/v1/agent_instance?agent_id=&sorting= (DOC)",
        params=(COUNT,),
    ),
    _create(AGENT, 'create pre:invoice-reader description="Reads invoices"'),
    _create(NEW, 'create pre:new/"My Agent" team_id=ID'),
    _capability(
        "set",
        AGENT,
        Risk.CHANGE,
        help="Change the name, description, owner, risk profile or team of an agent; an empty value clears it",
        example='set pre:invoice-reader description="Reads all invoices"',
        effect="The named fields change; all others stay. If the name changes, other rules may apply.",
        endpoint="PUT /api/v1/agent/ID (CODE)",
        params=SET,
        check=_says_what_to_change,
    ),
    _capability(
        "retire",
        AGENT,
        Risk.DANGER,
        help="Retire an agent",
        example="retire pre:invoice-reader",
        effect="The agent is retired and should start no more instances. `reinstate` brings it back.",
        endpoint="POST /api/v1/agent/ID/retire (DOC)",
    ),
    _capability(
        "reinstate",
        AGENT,
        Risk.CHANGE,
        help="Bring a retired agent back",
        example="reinstate pre:invoice-reader",
        effect="The agent is no longer retired.",
        endpoint="POST /api/v1/agent/ID/reinstate (DOC)",
    ),
    _capability(
        "delete",
        AGENT,
        Risk.DANGER,
        help="Delete an agent for good",
        example="delete pre:invoice-reader",
        effect="The agent is deleted. This can't be undone.",
        endpoint="DELETE /api/v1/agent/ID (CODE)",
    ),
    _capability(
        "stop",
        INSTANCE,
        Risk.DANGER,
        help="Terminate an active instance, or cancel one that is still pending",
        example="stop pre:instance/ID -- wrong customer data",
        effect="An active instance is terminated, with your reason; a pending one is cancelled. This can't be undone.",
        endpoint="POST /api/v1/agent_instance/ID/terminate, or /finish with status cancelled (CODE)",
    ),
)

SPEC: Final = KindSpec(kind="prefactor", title="Prefactor", targets=TARGETS, capabilities=CAPABILITIES)
