"""Prefactor's JSON as far as it is used, both generations of it. Only ids and names are demanded.

The older generation (SEED) has `environment_id` and two version ids on the agent and seven counters; the newer one (CODE
prefactor-http) has description, external_identifier, owner, risk profile and team instead, and an eighth counter. Lists have
their rows under `summaries` (newer) or `details` (older clients). Times stay text and statuses too: `views.py` reads them.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Actions(_Wire):
    """What may be done to an agent now; None where it is not said."""

    delete: bool | None = None
    reinstate: bool | None = None
    retire: bool | None = None
    update: bool | None = None


class Counts(_Wire):
    """Instances by status. `finished` is complete + failed + cancelled (SEED)."""

    active: int | None = None
    pending: int | None = None
    complete: int | None = None
    failed: int | None = None
    cancelled: int | None = None
    terminated: int | None = None
    finished: int | None = None
    total: int | None = None


class Agent(_Wire):
    """Agent_Details, or a row of the list, which comes without counts."""

    id: str
    name: str
    status: str | None = None
    available_actions: Actions | None = None
    instance_counts: Counts | None = None
    inserted_at: str | None = None
    updated_at: str | None = None
    environment_id: str | None = None
    current_version_id: str | None = None
    current_schema_version_id: str | None = None
    description: str | None = None
    external_identifier: str | None = None
    owner_person_id: str | None = None
    risk_profile_id: str | None = None
    team_id: str | None = None


class Instance(_Wire):
    """One run of an agent."""

    id: str
    agent_id: str | None = None
    status: str | None = None
    purpose: str | None = None
    inserted_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    termination_reason: str | None = None


class AgentReply(_Wire):
    """Reply of everything that concerns one agent."""

    details: Agent


class InstanceReply(_Wire):
    """Reply of everything that concerns one instance."""

    details: Instance


class Paging(_Wire):
    """Where a page stands. `next_page_offset` is None on the last."""

    item_count: int | None = None
    next_page_offset: int | None = None


class Sorting(_Wire):
    """How a list is sorted."""

    field: str | None = None
    direction: str | None = None


class _Page(_Wire):
    pagination: Paging | None = None
    sorting: Sorting | None = None


class AgentPage(_Page):
    """A page of agents."""

    summaries: list[Agent] | None = None
    details: list[Agent] | None = None

    @model_validator(mode="after")
    def _has_rows(self) -> Self:
        if self.summaries is None and self.details is None:
            raise ValueError("neither summaries nor details")
        return self

    @property
    def items(self) -> list[Agent]:
        """The rows, under whichever name they came."""
        return self.summaries if self.summaries is not None else self.details or []


class InstancePage(_Page):
    """A page of instances."""

    summaries: list[Instance] | None = None
    details: list[Instance] | None = None

    @model_validator(mode="after")
    def _has_rows(self) -> Self:
        if self.summaries is None and self.details is None:
            raise ValueError("neither summaries nor details")
        return self

    @property
    def items(self) -> list[Instance]:
        """The rows, under whichever name they came."""
        return self.summaries if self.summaries is not None else self.details or []
