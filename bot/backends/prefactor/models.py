"""The used parts of Prefactor's JSON, in both generations; core/vendor_json reads odd fields.

The older generation (SEED) has `environment_id` and two version ids on the agent and seven counters; the newer one (CODE
prefactor-http) has description, external_identifier, owner, risk profile and team instead, and an eighth counter.
"""

from typing import Any, Generic, NamedTuple, TypeVar

from bot.core.vendor_json import Text, Time, Whole, WireModel

R = TypeVar("R", bound=WireModel)


class Actions(WireModel):
    """The actions that an agent allows now; None if not reported."""

    delete: bool | None = None
    reinstate: bool | None = None
    retire: bool | None = None
    update: bool | None = None


class Counts(WireModel):
    """Instances by status. `finished` is complete + failed + cancelled (SEED)."""

    active: Whole | None = None
    pending: Whole | None = None
    complete: Whole | None = None
    failed: Whole | None = None
    cancelled: Whole | None = None
    terminated: Whole | None = None
    finished: Whole | None = None
    total: Whole | None = None


class Agent(WireModel):
    """Agent_Details, or a row of the list, which has no counts."""

    id: Text = ""
    name: Text = ""
    type: Text | None = None
    status: Text | None = None
    available_actions: Actions | None = None
    instance_counts: Counts | None = None
    inserted_at: Time | None = None
    updated_at: Time | None = None
    environment_id: Text | None = None
    current_version_id: Text | None = None
    current_schema_version_id: Text | None = None
    description: Text | None = None
    external_identifier: Text | None = None
    owner_person_id: Text | None = None
    risk_profile_id: Text | None = None
    team_id: Text | None = None


class Instance(WireModel):
    """One run of an agent."""

    id: Text = ""
    agent_id: Text | None = None
    status: Text | None = None
    purpose: Text | None = None
    inserted_at: Time | None = None
    started_at: Time | None = None
    finished_at: Time | None = None
    termination_reason: Text | None = None


class Token(WireModel):
    """An API token (CODE typescript-sdk, clients/api-token.ts)."""

    id: Text = ""
    status: Text | None = None
    expires_at: Time | None = None


class Details(WireModel, Generic[R]):
    """Reply of everything that concerns one agent, instance or token."""

    details: R


class Paging(WireModel):
    """The position of a page. `next_page_offset` is None on the last."""

    item_count: Whole | None = None
    next_page_offset: Whole | None = None


class Sorting(WireModel):
    """How a list is sorted."""

    direction: Text | None = None


class PageHead(WireModel):
    """The metadata of a list."""

    pagination: Paging | None = None
    sorting: Sorting | None = None
    summaries: Any = None
    details: Any = None


class Page(NamedTuple, Generic[R]):
    """A page of a list."""

    items: list[R]
    pagination: Paging | None
    sorting: Sorting | None
