"""The platform's JSON as far as it is used; every other field is ignored. Lists stand under `result` or `results` (DOC)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.core.errors import BadReply
from bot.http_client import Reply

M = TypeVar("M", bound=BaseModel)
_KEYS = ("results", "result", "data")


class Wire(BaseModel):
    """A JSON object of the platform."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Output(Wire):
    """What a run came to: the result of a synchronous reply, or a service's last run. `stdout` may be JSON text."""

    return_code: int | None = None
    stdout: str | dict[str, Any] | list[Any] | None = None
    stderr: str | None = None
    start_time: str | int | None = None
    end_time: str | int | None = None
    elapsed_time: float | None = None
    job_id: str | None = None


class Metadata(Wire):
    """service_metadata; `location` is the cluster, `decorator` a JSON Schema of the parameters."""

    name: str
    location: str
    type: str | None = None
    description: str | None = None
    decorator: dict[str, Any] | None = None
    tags: list[str] | None = None


class Service(Wire):
    """A service."""

    id: str = Field(alias="_id")
    active: bool | None = None
    service_metadata: Metadata
    last_run: Output | None = None

    @property
    def path(self) -> str:
        """`CLUSTER/NAME`."""
        return f"{self.service_metadata.location}/{self.service_metadata.name}"


class Gateway(Wire):
    """A gateway of a cluster."""

    id: str = Field(alias="_id")
    cluster_id: str
    description: str | None = None
    enabled: bool | None = None
    readonly: bool | None = None
    groups: list[Any] = []
    certificates: list[Any] = []


class GroupService(Wire):
    """A service of a group."""

    id: str | None = None
    name: str | None = None


class Group(Wire):
    """A service group."""

    id: str = Field(alias="_id")
    name: str
    cluster_id: str
    is_default: bool | None = None
    description: str | None = None
    groups: list[Any] = []
    services: list[GroupService | str] = []


class Validity(Wire):
    """From when to when a certificate holds."""

    not_before: str | int | None = Field(default=None, alias="notBefore")
    not_after: str | int | None = Field(default=None, alias="notAfter")


class Certificate(Wire):
    """A certificate; an alias is sent, and shown only by some versions."""

    id: str = Field(alias="_id")
    certificate: str | None = None
    contract_id: str | None = None
    alias: str | None = None
    host: str | None = None
    issuer: str | None = None
    self_signed: bool | None = None
    type: str | None = None
    validity: Validity | None = None
    gateways: list[Any] = []

    @property
    def label(self) -> str:
        """What people call it."""
        return self.alias or self.id


class JobError(Wire):
    """One error of a job; `task` is the id to retry."""

    task: str | None = None
    message: str | dict[str, Any] | list[Any] | None = None


class Metrics(Wire):
    """Times in epoch milliseconds; `progress` is 0 to 1 (GUESS)."""

    start_time: int | None = None
    end_time: int | None = None
    progress: float | None = None


class Job(Wire):
    """A job of the operations manager (CODE)."""

    id: str = Field(alias="_id")
    name: str | None = None
    description: str | None = None
    status: str | None = None
    created: str | int | None = None
    created_by: str | dict[str, Any] | None = None
    variables: dict[str, Any] | None = None
    error: list[JobError] | None = None
    metrics: Metrics | None = None

    @property
    def output(self) -> Output | None:
        """GUESS: a run of a service keeps its result in the variable `result`."""
        result = (self.variables or {}).get("result")
        if not isinstance(result, dict) or not {"return_code", "stdout", "stderr"} & set(result):
            return None
        try:
            return Output.model_validate(result)
        except ValidationError:
            return None

    @property
    def began(self) -> datetime | None:
        """When it started, else when it was made."""
        return moment(self.metrics.start_time if self.metrics else None) or moment(self.created)


class Accepted(Wire):
    """The asynchronous reply of services/run (SEED). What `_id` and `data` stand for is not documented."""

    state: str | None = None
    message: str | None = None
    id: str | None = None
    job_id: str | None = None
    data: str | None = None


class Finished(Wire):
    """The synchronous reply (DOC): JSON-RPC with the result of the run."""

    status: str | None = None
    output: Output


class Broken(Wire):
    """The synchronous reply of a run that could not be made: JSON-RPC with an error."""

    text: str


RunReply = Accepted | Finished | Broken


class Made(Wire):
    """Reply of a create."""

    id: str | None = None
    message: str | None = None


def rows(reply: Reply, shape: type[M]) -> list[M]:
    """The things of a list reply, or the one of a reply about one; raises BadReply."""
    value: Any = reply.value()
    found = next((value[key] for key in _KEYS if key in value), value) if isinstance(value, dict) else value
    if isinstance(found, dict):
        inner = found.get("value")
        found = [inner if isinstance(inner, dict) else found]
    checked: list[M] = _checked(reply, TypeAdapter(list[shape]), found)  # type: ignore[valid-type]
    return checked


def one(reply: Reply, shape: type[M]) -> M:
    """The only thing of a reply; raises BadReply when there is none."""
    found = rows(reply, shape)
    if not found:
        raise BadReply(f"{reply.name} answered {reply.status}, and with nothing in it.", status=reply.status)
    return found[0]


def run_reply(reply: Reply) -> RunReply:
    """Which of the two forms a run's reply has is told by its shape; raises BadReply for a third one."""
    value: Any = reply.value()
    if not isinstance(value, dict):
        raise _strange(reply)
    if value.get("error"):
        return Broken(text=_error_text(value["error"]))
    result = value.get("result")
    if isinstance(result, dict) and ("jsonrpc" in value or "return_code" in result):
        if result.get("return_code") is None:
            raise _strange(reply)
        finished: Finished = _checked(reply, TypeAdapter(Finished), {"status": value.get("status"), "output": result})
        return finished
    if isinstance(result, dict) and ("job_id" in result or "_id" in result):
        ids = {"id": result.get("_id"), "job_id": result.get("job_id"), "data": result.get("data")}
        data = ids["data"] if isinstance(ids["data"], str) else None
        state = {"state": value.get("state"), "message": value.get("message")}
        accepted: Accepted = _checked(reply, TypeAdapter(Accepted), {**state, **ids, "data": data})
        return accepted
    raise _strange(reply)


def _strange(reply: Reply) -> BadReply:
    return BadReply(
        f"{reply.name} answered {reply.status} to the run, but neither with a job nor with a result.",
        status=reply.status,
    )


def _error_text(error: Any) -> str:
    """`error.data` says most (CODE itential_mcp)."""
    if isinstance(error, dict):
        for key in ("data", "message", "code"):
            if error.get(key):
                return str(error[key])
    return str(error)


def _checked(reply: Reply, adapter: TypeAdapter[Any], value: Any) -> Any:
    fault = ""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        fault = ", ".join(f"{'.'.join(map(str, item['loc'])) or 'body'} ({item['type']})" for item in found[:3])
    raise BadReply(
        f"{reply.name} answered {reply.status}, but not with what was expected: {fault}.",
        "Its version may differ from the documented one.",
        status=reply.status,
    )


def moment(when: str | int | None) -> datetime | None:
    """An aware time of RFC 3339 text or epoch milliseconds; None for nothing and for what is no time."""
    try:
        if isinstance(when, int):
            return datetime.fromtimestamp(when / 1000, UTC)
        found = datetime.fromisoformat(when) if when else None
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
