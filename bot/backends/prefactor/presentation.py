"""Agents and instances as people see them."""

from collections.abc import Callable, Mapping
from typing import Final

from bot.backends import unknown
from bot.backends.prefactor.capabilities import INSTANCE
from bot.backends.prefactor.models import Agent, Counts, Instance
from bot.core.outcome import Fact, Level, Phase, RunView, State, Suggestion, facts_of
from bot.core.text import written
from bot.core.vendor_json import moment, unreadable

Clean = Callable[[str], str]
# CODE prefactor-http models; the seed shows `pending` as an example and no list.
AGENT_STATES: Final = frozenset({"pending", "active", "dormant", "retired"})
_INSTANCE_STATES: Final[Mapping[str, Phase]] = {
    "pending": Phase.WAITING,
    "active": Phase.ACTIVE,
    "complete": Phase.SUCCEEDED,
    "failed": Phase.FAILED,
    "cancelled": Phase.STOPPED,
    "terminated": Phase.STOPPED,
}
NO_CAUSE: Final = "Prefactor's API doesn't report why an instance failed. The agent's own log has the error."
_ACTIONS: Final = ("update", "retire", "reinstate", "delete")


def agent_level(agent: Agent) -> State:
    """The status of an agent with its level: a warning if it is retired."""
    level = Level.WARN if agent.status == "retired" else Level.GOOD if agent.status in AGENT_STATES else Level.UNSURE
    return State(text=agent_state(agent), level=level)


def agent_state(agent: Agent) -> str:
    """The vendor's status; `unknown (X)` if it is not documented."""
    return str(agent.status) if agent.status in AGENT_STATES else unknown(agent.status)


def instance_state(instance: Instance) -> tuple[str, Phase]:
    """Name and phase; an undocumented status is `unknown (X)` and never a success."""
    phase = _INSTANCE_STATES.get(instance.status or "")
    return (str(instance.status), phase) if phase else (unknown(instance.status), Phase.UNREADABLE)


def allowed(agent: Agent) -> tuple[str, ...] | None:
    """Which of update, retire, reinstate and delete the vendor allows now; None if not reported."""
    actions = agent.available_actions
    return None if actions is None else tuple(name for name in _ACTIONS if getattr(actions, name) is True)


def allowed_text(agent: Agent) -> str:
    """The allowed actions as text."""
    names = allowed(agent)
    return "not reported" if names is None else ", ".join(names) or "nothing"


def counts_text(counts: Counts | None) -> str:
    """`2 active, 5 complete; 10 in all`: every counter above zero. `finished` is the sum of others, and shown without them."""
    if counts is None:
        return "not reported"
    names = ("active", "pending", "complete", "failed", "cancelled", "terminated")
    parts = [f"{number} {name}" for name in names if (number := getattr(counts, name))]
    parts = parts or ([f"{counts.finished} finished"] if counts.finished else [])
    total = f"{counts.total} in all" if counts.total else ""
    return "; ".join(filter(None, (", ".join(parts), total))) or "none"


def every_count(counts: Counts | None) -> str:
    """Each counter that was reported, those of zero too."""
    read = counts.model_dump(exclude_none=True, include=set(Counts.model_fields)) if counts is not None else {}
    return ", ".join(f"{number} {name}" for name, number in read.items())


def agent_facts(agent: Agent, clean: Clean) -> tuple[Fact, ...]:
    """What matters of an agent."""
    pairs = (
        ("State", agent_state(agent)),
        ("Instances", counts_text(agent.instance_counts)),
        ("Allowed now", allowed_text(agent)),
        ("Description", clean(agent.description or "")),
    )
    return (*facts_of(pairs), *unreadable(agent))


def agent_details(agent: Agent) -> tuple[Fact, ...]:
    """The rest; fields that its generation doesn't have are left out."""
    pairs = (
        ("Instances by status", every_count(agent.instance_counts)),
        ("Type", agent.type),
        ("External identifier", agent.external_identifier),
        ("Owner", agent.owner_person_id),
        ("Risk profile", agent.risk_profile_id),
        ("Team", agent.team_id),
        ("Environment", agent.environment_id),
        ("Version", agent.current_version_id),
        ("Schema version", agent.current_schema_version_id),
        ("Created", moment(agent.inserted_at)),
        ("Updated", moment(agent.updated_at)),
        ("Id", agent.id),
    )
    return facts_of(pairs)


def agent_next(backend: str, agent: Agent) -> tuple[Suggestion, ...]:
    """A button for its instances and for each allowed action. They use the id, because the name may change."""
    target = written(backend, agent.id)
    names = [name for name in allowed(agent) or () if name != "update"]
    labels = {"retire": "Retire", "reinstate": "Reinstate", "delete": "Delete"}
    return (
        Suggestion(label="Instances", verb="history", target=target),
        *(Suggestion(label=labels[name], verb=name, target=target) for name in names),
    )[: None if agent.id else 0]


def instance_view(backend: str, instance: Instance, clean: Clean) -> RunView:
    """An instance, with a stop button while it can be stopped."""
    state, phase = instance_state(instance)
    started, ended = moment(instance.started_at), moment(instance.finished_at)
    facts = (("Purpose", instance.purpose), ("Reason", clean(instance.termination_reason or "")))
    inner = (("Instance", instance.id), ("Registered", moment(instance.inserted_at)))
    target = written(backend, f"{INSTANCE}/{instance.id}")
    stop = Suggestion(label="Stop", verb="stop", target=target)
    refresh = Suggestion(label="Refresh", verb="status", target=target)
    return RunView(
        state=state,
        phase=phase,
        facts=(*facts_of(facts), *unreadable(instance)),
        details=facts_of(inner),
        message=NO_CAUSE if phase is Phase.FAILED else "",
        started=started,
        ended=ended if phase.ended else None,
        next=(refresh, stop) if phase in (Phase.WAITING, Phase.ACTIVE) else (),
    )
