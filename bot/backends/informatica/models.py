"""The used parts of the vendor's JSON (CODE iics-cli, DOC of the resources); core/vendor_json reads odd fields.

Booleans that are false may be absent (CODE iics-cli), so absent is false.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.core.vendor_json import Name, Rows, Text, Time, Whole, WireModel, moment

_EASTERN: Final = ZoneInfo("America/New_York")


class _Wire(WireModel):
    model_config = ConfigDict(alias_generator=to_camel)


class Product(_Wire):
    """An entry of the login's reply; v2 and v3 paths follow `base_api_url`."""

    name: Text = ""
    base_api_url: Name = ""


class User(_Wire):
    """The user who logged in."""

    session_id: str = Field(repr=False, min_length=1)
    org_name: Text | None = None


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

    id: Text = ""
    path: Text | None = None
    type: Text | None = None


class ServiceReply(_Wire):
    """Reply of POST agent/service (SEED)."""

    service_state: Text | None = None
    message: Text | None = None


class Status(_Wire):
    """agentEngineStatus: one version of a service."""

    app_display_name: Name = ""
    appname: Text = ""
    appversion: Text | None = None
    status: Text | None = None
    sub_state: Text | None = None
    create_time: Time | None = None
    update_time: Time | None = None

    @property
    def since(self) -> datetime | None:
        """When it last changed."""
        return moment(self.update_time) or moment(self.create_time)


class Engine(_Wire):
    """An entry of agentEngines."""

    agent_engine_status: Status = Status()


def _not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("null is not a list")
    return value


class Agent(_Wire):
    """A v2 agent. `id` is for v2 paths alone, `federated_id` for v3 calls."""

    id: Text = ""
    name: Text = ""
    federated_id: Text | None = None
    active: bool = False
    ready_to_run: bool = False
    platform: Text | None = None
    agent_host: Text | None = None
    agent_version: Text | None = None
    upgrade_status: Text | None = None
    agent_engines: Annotated[Rows[Engine], BeforeValidator(_not_null)] = Field(default_factory=list)

    @property
    def unseen(self) -> str:
        """Why the list doesn't tell how the services are; empty when it does. An inactive agent has an old list or none."""
        if not self.active:
            return "the agent is not active"
        # A field that is null, not a list, or missing is not set: that is not the same as no services.
        return "" if "agent_engines" in self.model_fields_set else "the services of the agent can't be read"

    @property
    def services(self) -> list[Status]:
        """The listed services with a name; a service can have several versions, and stopped services are not listed."""
        return [one.agent_engine_status for one in self.agent_engines if one.agent_engine_status.app_display_name]

    @property
    def unnamed(self) -> list[Status]:
        """The listed services without a display name; any service may be one of them."""
        return [one.agent_engine_status for one in self.agent_engines if not one.agent_engine_status.app_display_name]


class Started(_Wire):
    """Reply of POST api/v2/job."""

    run_id: Whole | None = None
    task_id: Text | None = None


def _instant(utc: str | None, eastern: str | None) -> datetime | None:
    """The field in UTC where there is one. The other is Eastern Time in spite of its Z (DOC activityMonitor, activityLog).

    In the hour that repeats when clocks change, the later instant, so that a search for a lost start can't miss it.
    """
    local = moment(eastern)
    exact = moment(utc)
    if exact is not None or local is None or local.tzinfo is not UTC:
        return exact or local
    return local.replace(tzinfo=_EASTERN, fold=1).astimezone(UTC)


class _Job(_Wire):
    """What both lists of jobs show."""

    type: Text | None = None
    run_id: Whole | None = None
    agent_id: Text | None = None
    start_time: Time | None = None
    start_time_utc: Time | None = None
    success_source_rows: Whole | None = None
    failed_source_rows: Whole | None = None

    @property
    def began(self) -> datetime | None:
        """When it started."""
        return _instant(self.start_time_utc, self.start_time)


class Running(_Job):
    """An activityMonitorEntry: a job that runs now, or has just ended."""

    id: Text | None = None
    task_id: Text | None = None
    task_name: Text | None = None
    execution_state: Text | None = None
    started_by: Text | None = None


class Entry(_Job):
    """An activityLogEntry: a job that has ended."""

    id: Name = ""
    object_id: Name | None = None
    object_name: Text | None = None
    end_time: Time | None = None
    end_time_utc: Time | None = None
    state: Text | None = None
    failed_target_rows: Whole | None = None
    success_target_rows: Whole | None = None
    error_msg: Text | None = None

    @property
    def ended(self) -> datetime | None:
        """When it ended."""
        return _instant(self.end_time_utc, self.end_time)


class Schedule(_Wire):
    """A v3 schedule; `status` is `enabled` or `disabled`."""

    id: Text = ""
    name: Text = ""
    schedule_federated_id: Text | None = None
    status: Text | None = None
    start_time: Time | None = None
    interval: Text | None = None
    frequency: Whole | None = None
    time_zone_id: Text | None = None
