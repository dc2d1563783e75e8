"""The ACC's JSON as far as it is used. Every other field is ignored, and only ids are demanded.

Times stay text: `times.py` reads them, because a year 1 or a missing offset must not make a whole history unreadable. A
status may become a word some day, so text is let through and shown as unknown.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.core.value import Json


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Agent(_Wire):
    """Reply of GET api/agent. `name` is the last part of the path."""

    agent_id: str
    name: str
    description: str | None = None


class Run(_Wire):
    """An agent run. `run_id` is the number of its job run (0 without one), not its own id; `input_parameters` JSON text."""

    agent_run_history_id: str
    agent_id: str
    session_id: str | None = None
    run_id: int | None = None
    agent_job_schedule_id: str | None = None
    server_ip: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    expected_end_time: str | None = None
    run_time: str | None = None
    status: int | str | None = None
    page_load_count: int | None = None
    errors: int | None = None
    data_count: int | None = None
    status_message: str | None = None
    input_parameters: Json = None
    log_level: int | None = None
    is_production_run: bool | None = None


class JobRun(_Wire):
    """A job run. `run_id` is its number within the agent."""

    agent_job_history_id: str
    agent_id: str
    run_id: int | None = None
    start_time: str | None = None
    end_time: str | None = None
    status: int | str | None = None
    total_page_load_count: int | None = None
    total_errors: int | None = None
    total_data_count: int | None = None
    completed_run_count: int | None = None
    total_run_count: int | None = None


class Schedule(_Wire):
    """A schedule as it is listed. `start_time` has no offset: it is local to `time_zone_id`, a Windows zone name."""

    schedule_id: str
    agent_id: str | None = None
    cron: str | None = None
    cron_description: str | None = None
    session_id: str | None = None
    start_time: str | None = None
    time_zone_id: str | None = None
    next_run_time: str | None = None
    input_parameters: str | None = None
    log_level: int | None = None
    is_windowless: bool | None = None
    error_message: str | None = None
    schedule_status: int | str | None = None
    last_run_time: str | None = None
    is_enabled: bool | None = None


class Started(_Wire):
    """Reply of cluster/start: one id, more with performance sessions."""

    agent_run_history_ids: list[str] = Field(min_length=1)


class JobStarted(_Wire):
    """Reply of job start."""

    agent_job_history_id: str
    job_run_id: int | None = None


class ServerStatus(_Wire):
    """Reply of server/check. Usages look like `6%, a:13%, p: 23 % `: now, average and peak."""

    is_error: bool
    message: str | None = None
    cpu_usages: str | None = None
    memory_usages: str | None = None
    disc_usages: str | None = None
    cpu_threshold: int | None = None
    memory_threshold: int | None = None
