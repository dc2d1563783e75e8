"""What can be done with a platform: kinds of targets, one capability for each verb on each of them, and their parameters.

The checks refuse values that can't work, before anything is decided or sent.
"""

from typing import Final

from bot.core.command.capability import CapabilityTable, KindSpec, TargetKind
from bot.core.command.params import (
    GREP,
    TAIL,
    Arguments,
    HasParams,
    choice,
    count,
    flag,
    items,
    map_of,
    mapping,
    pause,
    text,
    text_of,
)
from bot.core.errors import BadRequest
from bot.core.log_diff import DIFF

SERVICE: Final = "service"
GATEWAY: Final = "gateway"
GROUP: Final = "group"
CERT: Final = "cert"
JOB: Final = "job"
PLATFORM: Final = "platform"

_GM: Final = "/gateway_manager/v1"
_OM: Final = "/operations-manager/jobs"
# The largest `run_seconds`, plus the read of the service before it.
_RUN_TIME: Final = 600.0


def check_change(asked: Arguments) -> None:
    """Raises BadRequest if no change is given."""
    if not asked.given and not asked.files:
        raise BadRequest("Name at least one field to change, for example `description=...`.")


def check_destroy(asked: Arguments) -> None:
    """Raises BadRequest for any action other than `destroy`."""
    if map_of(asked, "param").get("action", "destroy") != "destroy":
        raise BadRequest("`destroy` runs the plan with action=destroy; leave `param.action` out, or use `start`.")


def check_add_cert(asked: Arguments) -> None:
    """Raises BadRequest unless there is exactly one certificate, as text or as a file."""
    if not text_of(asked, "raw_certificate") and not asked.files:
        raise BadRequest("Attach the certificate as a file, or write `raw_certificate=`.")
    _check_cert(asked)


def check_set_cert(asked: Arguments) -> None:
    """Raises BadRequest if no change is given or the value is not a certificate."""
    check_change(asked)
    _check_cert(asked)


def _check_cert(asked: Arguments) -> None:
    if asked.files and text_of(asked, "raw_certificate"):
        raise BadRequest("Attach the certificate or write `raw_certificate=`, not both.")
    if len(asked.files) > 1:
        raise BadRequest("Attach one file.")
    certificate(written_pem(asked))


def written_pem(asked: HasParams) -> str:
    """The `raw_certificate` text; `\\n` stands for a line end, which a command can't contain."""
    return text_of(asked, "raw_certificate").replace("\\n", "\n")


def certificate(text: str) -> str:
    """The text, if it is a certificate or empty. Raises BadRequest for anything else, above all for a private key."""
    if "PRIVATE KEY" in text:
        raise BadRequest(
            "The text contains a private key. Nothing was sent. Send only the certificate, and replace that key."
        )
    if text and "-----BEGIN CERTIFICATE-----" not in text:
        raise BadRequest("The text is not a PEM certificate: the line `-----BEGIN CERTIFICATE-----` is missing.")
    return text


TARGETS: Final = (
    TargetKind.of(SERVICE, "A service, by its name; write CLUSTER/NAME if several clusters have that name",
                  "cluster_1/my-tofu-service", prefix=None, selects=True),
    TargetKind.of(GATEWAY, "A gateway, by its cluster id or its id", "gateway/cluster_1"),
    TargetKind.of(GROUP, "A service group, by its name or id", "group/nightly"),
    TargetKind.of(CERT, "A certificate, by its alias or id", "cert/edge"),
    TargetKind.of(JOB, "A job, by its id", "job/20ae2dd7cf1c43aab817556a", part_of=SERVICE, selected=True),
    TargetKind.of(PLATFORM, "The platform itself; write the backend name alone", ""),
)  # fmt: skip

PARAM: Final = mapping(
    "param", "A parameter of the service, checked against its JSON Schema", "param.action=apply", may_be_empty=True
)
INVENTORY: Final = items(
    "inventory", "Inventories to run the service on, or single nodes as NAME/NODE", "dc1/router1,dc1/router2"
)
CLUSTER: Final = text("cluster_id", "Show only this cluster")
COUNT: Final = count("jobs", 20)
JOB_STATUSES: Final = ("running", "complete", "error", "canceled", "incomplete", "paused")
STATUS: Final = choice("status", JOB_STATUSES, "Show only jobs with this status")
TASK: Final = text("task", "The task to run again (default: the one that failed last)")
PAUSE: Final = pause("Resume")
ENABLED: Final = "Whether the gateway is enabled"
READONLY: Final = "Whether the gateway is read-only; a read-only gateway runs no services"
DESCRIPTION: Final = text("description", "What it is for")
GROUPS: Final = items("groups", "Ids of the platform groups that may use it")
GATEWAY_REST: Final = (GROUPS, DESCRIPTION, items("certificates", "Ids of its certificates"))
GROUP_REST: Final = (DESCRIPTION, items("services", "Ids of its services"), GROUPS)
CERT_FIELDS: Final = (
    text("raw_certificate", "The certificate in PEM form, instead of an attached file"),
    text("contract_id", "The vendor's contract id"),
    text("alias", "Its alias (default for a new certificate: the target's name)"),
)

_SHORT: Final = {SERVICE: "my-tofu-service", JOB: "job/ID"}
_TABLE: Final = CapabilityTable("itn", TARGETS, read_time=60.0, change_time=60.0, idempotent=False, short=_SHORT)
_read, _change, _danger = _TABLE.read, _TABLE.change, _TABLE.danger

CAPABILITIES: Final = (
    _read("services", PLATFORM, "All services, or those of one cluster", f"GET {_GM}/services (SEED title, DOC)",
          words="cluster_id=cluster_1", params=(CLUSTER,)),
    _read("gateways", PLATFORM, "All gateways: enabled, read-only, connected",
          f"GET {_GM}/gateways, GET {_GM}/connections (SEED titles, DOC)"),
    _read("connections", PLATFORM, "The gateways that are connected now", f"GET {_GM}/connections (SEED title, DOC)"),
    _read("groups", PLATFORM, "All service groups, or those of one cluster",
          f"GET {_GM}/service-groups (SEED title, DOC)", params=(CLUSTER,)),
    _read("certs", PLATFORM, "All certificates, with their expiry", f"GET {_GM}/certificates (SEED title, DOC)"),
    _read("jobs", PLATFORM, "The latest jobs", f"GET {_OM}?limit=&equals[status]= (CODE)",
          words="status=running count=10", params=(COUNT, STATUS)),
    _read("version", PLATFORM, "The version of Gateway Manager", f"GET {_GM}/version (SEED title, DOC)"),
    _read("status", SERVICE, "A service: its newest job, type, cluster and parameters",
          f"GET {_GM}/services/ID (SEED title, DOC), GET {_OM}?limit= (CODE)"),
    _read("status", GATEWAY, "A gateway: enabled, read-only, connected",
          f"GET {_GM}/gateways/ID, GET {_GM}/connections (SEED titles, DOC)"),
    _read("health", GATEWAY, "Whether the connection to a gateway is healthy",
          f"GET {_GM}/connections/CLUSTER (SEED title, DOC)"),
    _read("status", GROUP, "A service group and its services", f"GET {_GM}/service-groups/ID (SEED title, DOC)"),
    _read("status", CERT, "A certificate: issuer, host, validity", f"GET {_GM}/certificates/ID (SEED title, DOC)"),
    _read("status", JOB, "The state of a job", f"GET {_OM}/ID (CODE)"),
    _read("logs", JOB, "The stdout and stderr of a job, masked", f"GET {_OM}/ID (CODE, GUESS: where the output is)",
          words="tail=50", params=(TAIL, GREP, DIFF), own_verb=True),
    _read("logs", SERVICE, "The stdout and stderr of a service's newest job that has ended, masked",
          f"GET {_OM} (CODE, GUESS: which jobs are the service's)", words="grep=error", params=(TAIL, GREP, DIFF),
          own_verb=True),
    _change("start", SERVICE, "Run a service with parameters",
            "The service runs once on its gateway. Two starts make two runs.", f"POST {_GM}/services/run (SEED)",
            words="param.action=apply", starts_run=True, timeout=_RUN_TIME, params=(PARAM, INVENTORY)),
    _danger("destroy", SERVICE, "Run an OpenTofu plan with action=destroy",
            "OpenTofu destroys everything that the plan created. This can't be undone.",
            f"POST {_GM}/services/run with params.action=destroy (SEED, DOC)", starts_run=True, timeout=_RUN_TIME,
            params=(PARAM, INVENTORY), check=check_destroy),
    _danger("stop", JOB, "Cancel a job", "The job is canceled. What it has done so far stays.",
            f"POST {_OM}/cancel (CODE)", starts_run=True, ends_pauses=True),
    _change("pause", JOB, "Pause a job, for a time or until it is resumed", "The job waits until it is resumed.",
            f"POST {_OM}/pause (CODE)", words="for=30m", params=PAUSE, pausable=True, resumes="resume"),
    _change("resume", JOB, "Resume a paused job", "The job continues where it was paused.", f"POST {_OM}/resume (CODE)",
            starts_run=True),
    _change("retry", JOB, "Run the failed task of a job again", "The failed task runs again in the same job.",
            f"POST {_OM}/ID/tasks/TASK/retry (CODE)", starts_run=True, params=(TASK,)),
    _change("gateway create", GATEWAY, "Create a gateway; the target's name is its cluster id",
            "A gateway with this cluster id is created, disabled by default.", f"POST {_GM}/gateways (SEED title, DOC)",
            at="gateway/cluster_9", words="enabled=false readonly=false",
            params=(flag("enabled", ENABLED, False), flag("readonly", READONLY, False), *GATEWAY_REST)),
    _change("gateway set", GATEWAY, "Change a gateway; fields that you leave out stay as they are",
            "The gateway gets these values. A disabled or read-only gateway runs no services.",
            f"PUT {_GM}/gateways/ID (SEED title, DOC)", words="readonly=true", idempotent=True,
            params=(text("cluster_id", "Another cluster id"), flag("enabled", ENABLED), flag("readonly", READONLY),
                    *GATEWAY_REST), check=check_change),
    _danger("gateway delete", GATEWAY, "Delete a gateway",
            "The gateway is deleted, and its services can no longer run. This can't be undone.",
            f"DELETE {_GM}/gateways/ID (SEED title, DOC)", at="gateway/cluster_9"),
    _change("group create", GROUP, "Create a service group",
            "A service group with this name is created on that cluster.",
            f"POST {_GM}/service-groups (SEED title, DOC)", words="cluster_id=cluster_1",
            params=(text("cluster_id", "Its cluster", required=True), *GROUP_REST)),
    _change("group set", GROUP, "Change a service group; fields that you leave out stay as they are",
            "The service group gets these values. This can change who may run its services.",
            f"PATCH {_GM}/service-groups/ID (SEED title, DOC)", words='description="Night runs"', idempotent=True,
            params=(text("name", "Another name"), *GROUP_REST), check=check_change),
    _danger("group delete", GROUP, "Delete a service group",
            "The service group is deleted. Its services stay. This can't be undone.",
            f"DELETE {_GM}/service-groups/ID (SEED title, DOC)"),
    _change("cert add", CERT, "Add a certificate from an attached file or raw_certificate=",
            "The platform gets the certificate under this alias.", f"POST {_GM}/certificates (SEED title, DOC)",
            words='contract_id=c-1 raw_certificate="PEM"', params=CERT_FIELDS, check=check_add_cert, takes_files=True),
    _change("cert set", CERT, "Replace a certificate; fields that you leave out stay as they are",
            "Gateways that use the certificate switch to the new one.", f"PUT {_GM}/certificates/ID (SEED title, DOC)",
            words="contract_id=c-2", idempotent=True, params=CERT_FIELDS, check=check_set_cert, takes_files=True),
    _danger("cert delete", CERT, "Delete a certificate",
            "The certificate is deleted, and gateways that use it may no longer connect. This can't be undone.",
            f"DELETE {_GM}/certificates/ID (SEED title, DOC)"),
)  # fmt: skip

SPEC: Final = KindSpec(kind="itential", title="Itential Platform", targets=TARGETS, capabilities=CAPABILITIES)
