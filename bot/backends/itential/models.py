"""The used parts of the platform's JSON (DOC itential-cloud/api-reference/gateway-manager; jobs CODE itential_mcp).

Lists are under `result`, `results` or `data`; core/vendor_json reads odd fields.
"""

from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from pydantic import BeforeValidator, Field

from bot.core.vendor_json import Name, Number, Rows, Text, Time, Whole, WireModel, moment
from bot.http_client import Reply

M = TypeVar("M", bound=WireModel)
KEYS: Final = ("results", "result", "data")
_BAD: Final = frozenset({"error", "failed", "failure"})
# Where the page shows an object or a list, platforms also send "" and null for none.
_Object = Annotated[dict[str, Any] | None, BeforeValidator(lambda value: value or None)]
_List = Annotated[list[Any], BeforeValidator(lambda value: value or [])]


class NodeResult(WireModel):
    """What a service with an inventory did on one node (CODE: rickeydbrown/gateway5-services, and replies in public reports)."""

    name: Text = ""
    success: bool | None = None
    command: Text = ""
    output: Any = None


class Output(WireModel):
    """The result of a run. `stdout` may be JSON; services with an inventory send `results` and no return code."""

    return_code: Whole | None = None
    stdout: Any = None
    stderr: Any = None
    start_time: Time | None = None
    end_time: Time | None = None
    elapsed_time: Number | None = None
    results: Rows[NodeResult] = Field(default_factory=list)

    @property
    def failed(self) -> bool | None:
        """Whether the run failed: by its return code (DOC: 0 is good), or by its nodes; None if neither is reported."""
        if self.return_code is not None:
            return self.return_code != 0
        outcomes = [node.success for node in self.results]
        return True if False in outcomes else None if not outcomes or None in outcomes else False


class Metadata(WireModel):
    """service_metadata: `location` is the cluster, `decorator` a JSON Schema of the parameters, `tags` a list of anything."""

    name: Name = ""
    location: Name = ""
    type: Text | None = None
    description: Text | None = None
    decorator: _Object = None
    tags: _List = Field(default_factory=list)


class Service(WireModel):
    """A service. `last_run` is a number (DOC get-service-by-id); what it counts is not documented (GUESS: an epoch time)."""

    id: Text = Field(default="", alias="_id")
    active: bool | None = None
    service_metadata: Metadata = Metadata()
    last_run: Whole | None = None

    @property
    def path(self) -> str:
        """`CLUSTER/NAME`, or what of it can be read."""
        return "/".join(filter(None, (self.service_metadata.location, self.service_metadata.name)))

    @property
    def state(self) -> str:
        """`active`, `not active`, or empty."""
        return {True: "active", False: "not active", None: ""}[self.active]


class Gateway(WireModel):
    """A gateway of a cluster."""

    id: Text = Field(default="", alias="_id")
    cluster_id: Text = ""
    description: Text | None = None
    enabled: bool | None = None
    readonly: bool | None = None
    groups: _List = Field(default_factory=list)
    certificates: _List = Field(default_factory=list)

    @property
    def label(self) -> str:
        """The name that people use."""
        return self.cluster_id

    @property
    def state(self) -> str:
        """DOC: Disabled, Read-Only, Enabled."""
        if self.enabled is None:
            return "unknown (nothing)"
        return "disabled" if not self.enabled else "read-only" if self.readonly else "enabled"


class Group(WireModel):
    """A service group; its services are objects with `id` and `name`, or ids."""

    id: Text = Field(default="", alias="_id")
    name: Text = ""
    cluster_id: Text = ""
    is_default: bool | None = None
    description: Text | None = None
    groups: _List = Field(default_factory=list)
    services: _List = Field(default_factory=list)

    @property
    def label(self) -> str:
        """The name that people use."""
        return self.name


class Validity(WireModel):
    """The validity period of a certificate."""

    not_before: Time | None = Field(default=None, alias="notBefore")
    not_after: Time | None = Field(default=None, alias="notAfter")


class Certificate(WireModel):
    """A certificate; only some versions show the alias that was sent."""

    id: Text = Field(default="", alias="_id")
    certificate: Text | None = None
    contract_id: Text | None = None
    alias: Text | None = None
    host: Text | None = None
    issuer: Text | None = None
    self_signed: bool | None = None
    type: Text | None = None
    validity: Validity | None = None
    gateways: _List = Field(default_factory=list)

    @property
    def label(self) -> str:
        """The name that people use."""
        return self.alias or self.id

    @property
    def ends(self) -> datetime | None:
        """When it expires."""
        return moment(self.validity.not_after) if self.validity else None


class JobError(WireModel):
    """One error of a job; `task` is the id to retry."""

    task: Text | None = None
    message: Any = None


class Metrics(WireModel):
    """Times in epoch milliseconds; `progress` is 0 to 1 (GUESS)."""

    start_time: Whole | None = None
    end_time: Whole | None = None
    progress: Number | None = None


class Job(WireModel):
    """A job of the operations manager (CODE itential_mcp)."""

    id: Text = Field(default="", alias="_id")
    name: Text | None = None
    status: Text | None = None
    created: Time | None = None
    created_by: Any = None
    variables: _Object = None
    error: Rows[JobError] = Field(default_factory=list)
    metrics: Metrics = Metrics()

    @property
    def output(self) -> Output | None:
        """GUESS: a run of a service keeps its result in the variable `result`."""
        result = (self.variables or {}).get("result")
        is_output = isinstance(result, dict) and {"return_code", "stdout", "stderr", "results"} & set(result)
        return Output.model_validate(result) if is_output else None

    @property
    def began(self) -> datetime | None:
        """When it started, otherwise when it was created."""
        return moment(self.metrics.start_time) or moment(self.created)


class Accepted(NamedTuple):
    """The asynchronous reply of services/run (SEED). What `_id` and `data` stand for is not documented."""

    state: str
    message: str
    id: str
    job_id: str
    data: str


class Finished(NamedTuple):
    """The synchronous reply (DOC): JSON-RPC with the result of the run; `status` is `completed` or `error`."""

    status: str
    output: Output


class Broken(NamedTuple):
    """A reply that the run was not started, or ended in an error without a result."""

    text: str


RunReply = Accepted | Finished | Broken


def one(reply: Reply, model: type[M]) -> M:
    """The single object of a reply, under one of KEYS: bare, in a list, or as `value`. Raises BadReply if it is missing."""
    value: Any = reply.value()
    found = value if isinstance(value, dict) else {}
    if "_id" not in found:
        key = next((key for key in KEYS if key in found), None)
        if key is None:
            raise reply.bad(f"{' or '.join(f'`{name}`' for name in KEYS)} is missing")
        found = found[key][0] if isinstance(found[key], list) and found[key] else found[key]
        if isinstance(found, dict) and isinstance(found.get("value"), dict):
            found = found["value"]
        read = model.model_validate(found) if isinstance(found, dict) else None
        if read is None or not read.model_fields_set:
            raise reply.bad(f"`{key}` can't be read")
        return read
    return model.model_validate(found)


def many(reply: Reply, model: type[M]) -> list[M]:
    """The rows of a list reply; null is not a list here, because the platform sends `[]` for none."""
    value = reply.value()
    key = next((key for key in KEYS if key in value), None) if isinstance(value, dict) else None
    if isinstance(value, dict) and key is not None and value[key] is None:
        raise reply.bad(f"`{key}` can't be read")
    return reply.rows(model, at=KEYS)


def made(reply: Reply, model: type[M]) -> tuple[str, M]:
    """The reply to a create: the id, which is next to the new object or in it, and the fields shown of that object."""
    value: Any = reply.value()
    outer = value if isinstance(value, dict) else {}
    found: Any = next((outer[key] for key in KEYS if key in outer), {})
    found = found[0] if isinstance(found, list) and found else found
    found = found if isinstance(found, dict) else {}
    ids = (one for one in (found.get("_id"), outer.get("id")) if isinstance(one, str))
    return next(ids, ""), model.model_validate(found)


def run_reply(reply: Reply) -> RunReply:
    """A run's reply, parsed by its shape; raises BadReply if it shows neither success nor failure."""
    value: Any = reply.value()
    value = value if isinstance(value, dict) else {}
    result = value["result"] if isinstance(value.get("result"), dict) else {}
    word, message = str(value.get("state") or value.get("status") or ""), str(value.get("message") or "")
    if value.get("error"):
        return Broken(_error_text(value["error"]))
    output = Output.model_validate(result)
    if output.failed is not None:
        return Finished(str(value.get("status") or ""), output)
    if word.casefold() in _BAD:
        return Broken(message or str(output.stderr or "") or f"its state is {word}")
    ids = [found if isinstance(found := result.get(name), str) else "" for name in ("_id", "job_id", "data")]
    if ids[0] or ids[1]:
        return Accepted(word, message, *ids)
    raise reply.bad("it contains neither a job nor a result of the run")


def _error_text(error: Any) -> str:
    """`error.data` has the most detail (CODE itential_mcp)."""
    if isinstance(error, dict):
        error = next((error[key] for key in ("data", "message", "code") if error.get(key)), error)
    return str(error)
