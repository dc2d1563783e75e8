"""Agents and instances as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from bot.backends.prefactor.capabilities import INSTANCE
from bot.backends.prefactor.models import Agent, Counts, Instance
from bot.core.outcome import Fact, FactValue, Phase, RunView, Suggestion, Table
from bot.core.text import written

Clean = Callable[[str], str]
# CODE prefactor-http models; the seed shows `pending` as an example and no list.
_AGENT_STATES: Final = frozenset({"pending", "active", "dormant", "retired"})
_INSTANCE_STATES: Final[Mapping[str, Phase]] = {
    "pending": Phase.WAITING,
    "active": Phase.ACTIVE,
    "complete": Phase.SUCCEEDED,
    "failed": Phase.FAILED,
    "cancelled": Phase.STOPPED,
    "terminated": Phase.STOPPED,
}
_ACTIONS: Final = ("update", "retire", "reinstate", "delete")


def moment(text: str | None) -> datetime | None:
    """`2024-01-01T00:00:00Z` as an aware time, None for what is no time."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def moment_text(text: str | None) -> str:
    """The same for a table: UTC, to the minute; empty when there is none."""
    at = moment(text)
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if at and at.year > 1 else ""


def agent_state(agent: Agent) -> str:
    """The vendor's status; what nobody documented is `unknown (X)`."""
    if agent.status in _AGENT_STATES:
        return str(agent.status)
    return f"unknown ({_short(agent.status)})"


def instance_state(instance: Instance) -> tuple[str, Phase]:
    """Name and phase; what nobody documented is `unknown (X)` and never a success."""
    phase = _INSTANCE_STATES.get(instance.status or "")
    return (str(instance.status), phase) if phase else (f"unknown ({_short(instance.status)})", Phase.UNREADABLE)


def _short(status: str | None) -> str:
    return "nothing" if status is None else " ".join(status.split())[:40]


def allowed(agent: Agent) -> tuple[str, ...] | None:
    """Which of update, retire, reinstate and delete the vendor allows now; None when it does not say."""
    actions = agent.available_actions
    return None if actions is None else tuple(name for name in _ACTIONS if getattr(actions, name) is True)


def allowed_text(agent: Agent) -> str:
    """The same in words."""
    names = allowed(agent)
    return "not told" if names is None else ", ".join(names) or "nothing"


def counts_text(counts: Counts | None) -> str:
    """`2 active, 5 complete; 10 in all`. The vendor's own numbers need not add up, so none is computed here."""
    if counts is None:
        return "not told"
    names = ("active", "pending", "complete", "failed", "cancelled", "terminated")
    parts = [f"{number} {name}" for name in names if (number := getattr(counts, name))]
    total = f"{counts.total} in all" if counts.total is not None else ""
    return "; ".join(filter(None, (", ".join(parts), total))) or "none"


def agent_facts(agent: Agent, clean: Clean) -> tuple[Fact, ...]:
    """Everything that is known of an agent; fields that its generation does not have are left out."""
    always: tuple[tuple[str, FactValue], ...] = (
        ("State", agent_state(agent)),
        ("Instances", counts_text(agent.instance_counts)),
        ("Allowed now", allowed_text(agent)),
    )
    optional: tuple[tuple[str, FactValue], ...] = (
        ("Description", clean(agent.description or "") or None),
        ("External identifier", agent.external_identifier),
        ("Owner", agent.owner_person_id),
        ("Risk profile", agent.risk_profile_id),
        ("Team", agent.team_id),
        ("Environment", agent.environment_id),
        ("Version", agent.current_version_id),
        ("Schema version", agent.current_schema_version_id),
        ("Created", moment(agent.inserted_at)),
        ("Updated", moment(agent.updated_at)),
    )
    told = [(label, value) for label, value in optional if value is not None]
    return tuple(Fact(label=label, value=value) for label, value in (*always, *told, ("Id", agent.id)))


def agent_next(backend: str, agent: Agent) -> tuple[Suggestion, ...]:
    """Its instances, and a button for each action that the vendor allows now. By id: names may be changed meanwhile."""
    target = written(backend, agent.id)
    names = [name for name in allowed(agent) or () if name != "update"]
    labels = {"retire": "Retire", "reinstate": "Reinstate", "delete": "Delete"}
    return (
        Suggestion(label="Instances", verb="history", target=target),
        *(Suggestion(label=labels[name], verb=name, target=target) for name in names),
    )


def instance_view(backend: str, instance: Instance, clean: Clean) -> RunView:
    """How an instance stands. A button to stop it only while that can be done."""
    state, phase = instance_state(instance)
    started, ended = moment(instance.started_at), moment(instance.finished_at)
    reason = clean(instance.termination_reason or "")
    optional: tuple[tuple[str, FactValue], ...] = (
        ("Started", started),
        ("Ended", ended if phase.ended else None),
        ("Ran for", ended - started if phase.ended and started and ended else None),
        ("Purpose", instance.purpose),
        ("Reason", reason or None),
    )
    facts = [Fact(label="State", value=state), Fact(label="Registered", value=moment(instance.inserted_at))]
    facts += [Fact(label=label, value=value) for label, value in optional if value is not None]
    target = written(backend, f"{INSTANCE}/{instance.id}")
    stop = Suggestion(label="Stop", verb="stop", target=target)
    refresh = Suggestion(label="Refresh", verb="status", target=target)
    return RunView(
        state=state,
        phase=phase,
        facts=tuple(facts),
        started=started,
        ended=ended if phase.ended else None,
        next=(refresh, stop) if phase in (Phase.WAITING, Phase.ACTIVE) else (),
    )


def instance_table(instances: Sequence[Instance], total: int | None, clean: Clean) -> Table:
    """Instances as rows, newest first."""
    rows = tuple(
        (
            moment_text(instance.inserted_at),
            instance_state(instance)[0],
            moment_text(instance.started_at),
            moment_text(instance.finished_at),
            instance.purpose or "",
            clean(instance.termination_reason or ""),
            f"{INSTANCE}/{instance.id}",
        )
        for instance in instances
    )
    columns = ("Registered", "State", "Started", "Ended", "Purpose", "Reason", "Instance")
    return Table(columns=columns, rows=rows, total=total)
