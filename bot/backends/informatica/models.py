"""The vendor's JSON as far as it is used; every other field is ignored. Times stay text and are read by `moment`.

Booleans that are false may be absent (CODE iics-cli), so absent is false.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.alias_generators import to_camel


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Product(_Wire):
    """An entry of the login's reply; v2 and v3 paths follow `base_api_url`."""

    name: str = ""
    base_api_url: str


class User(_Wire):
    """The user who logged in."""

    session_id: str = Field(repr=False, min_length=1)
    org_name: str | None = None


class Login(_Wire):
    """Reply of the v3 login."""

    products: list[Product] = Field(min_length=1)
    user_info: User


class UserLogin(_Wire):
    """Reply of `loginOAuth` (DOC): the v2 user object. `server_url` is the base of v2 and v3 paths."""

    ic_session_id: str = Field(repr=False, min_length=1)
    server_url: str


class Found(_Wire):
    """An object of a v3 lookup; `id` is the federated id."""

    id: str
    path: str | None = None
    type: str | None = None


class Lookup(_Wire):
    """Reply of a v3 lookup."""

    objects: list[Found] = []


class ServiceReply(_Wire):
    """Reply of POST agent/service (SEED)."""

    service_state: str
    message: str | None = None


class Status(_Wire):
    """agentEngineStatus: one version of a service."""

    app_display_name: str
    appname: str | None = None
    appversion: str | None = None
    status: str | None = None
    sub_state: str | int | None = None
    create_time: str | None = None
    update_time: str | None = None

    @property
    def since(self) -> datetime | None:
        """When it last changed."""
        return moment(self.update_time) or moment(self.create_time)


class Engine(_Wire):
    """An entry of agentEngines."""

    agent_engine_status: Status


class Agent(_Wire):
    """A v2 agent. `id` is for v2 paths alone, `federated_id` for v3 calls."""

    id: str
    name: str
    federated_id: str | None = None
    active: bool = False
    ready_to_run: bool = False
    platform: str | None = None
    agent_host: str | None = None
    agent_version: str | None = None
    upgrade_status: str | None = None
    agent_engines: list[Engine] = []

    @property
    def services(self) -> list[Status]:
        """The listed services; several versions of one may be there, and stopped ones are not."""
        return [engine.agent_engine_status for engine in self.agent_engines]


class Started(_Wire):
    """Reply of POST api/v2/job."""

    run_id: int
    task_id: str | None = None
    task_name: str | None = None


class Running(_Wire):
    """An activityMonitorEntry: a job that runs now."""

    id: str | None = None
    type: str | None = None
    task_id: str | None = None
    task_name: str | None = None
    run_id: int | None = None
    agent_id: str | None = None
    start_time: str | None = None
    start_time_utc: str | None = None
    execution_state: str | None = None
    started_by: str | None = None
    success_source_rows: int | None = None
    failed_source_rows: int | None = None

    @property
    def began(self) -> datetime | None:
        """The UTC field counts: the other is on the clocks of the org in spite of its Z (GUESS, from a user's sample)."""
        return moment(self.start_time_utc) or moment(self.start_time)


class Entry(_Wire):
    """An activityLogEntry: a job that has ended."""

    id: str
    type: str | None = None
    object_id: str | None = None
    object_name: str | None = None
    run_id: int | None = None
    agent_id: str | None = None
    start_time: str | None = None
    start_time_utc: str | None = None
    end_time: str | None = None
    end_time_utc: str | None = None
    state: int | str | None = None
    failed_source_rows: int | None = None
    success_source_rows: int | None = None
    failed_target_rows: int | None = None
    success_target_rows: int | None = None
    error_msg: str | None = None
    started_by: str | None = None

    @property
    def began(self) -> datetime | None:
        """See Running.began."""
        return moment(self.start_time_utc) or moment(self.start_time)

    @property
    def ended(self) -> datetime | None:
        """See Running.began."""
        return moment(self.end_time_utc) or moment(self.end_time)


class Schedule(_Wire):
    """A v3 schedule; `status` is `enabled` or `disabled`."""

    id: str
    name: str
    schedule_federated_id: str | None = None
    status: str | None = None
    start_time: str | None = None
    interval: str | None = None
    frequency: int | None = None
    time_zone_id: str | None = None
    description: str | None = None


class _Wrapped(_Wire):
    schedules: list[Schedule]


class Schedules(RootModel[_Wrapped | list[Schedule]]):
    """The list of schedules, wrapped or bare (GUESS: both are seen in public clients)."""

    @property
    def items(self) -> list[Schedule]:
        """The schedules."""
        return self.root.schedules if isinstance(self.root, _Wrapped) else self.root


def moment(text: str | None) -> datetime | None:
    """An aware time; None for nothing and for what is no time."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
