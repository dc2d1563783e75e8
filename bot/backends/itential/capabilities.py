"""What can be done with a platform: kinds of targets and one capability for each verb on each of them."""

from __future__ import annotations

from typing import Any, Final

from bot.backends.itential import parameters as checks
from bot.backends.itential.parameters import (
    CERT_FIELDS,
    CLUSTER,
    COUNT,
    ENABLED,
    GATEWAY_REST,
    GROUP_REST,
    INVENTORY,
    PARAM,
    PAUSE,
    READONLY,
    STATUS,
    TASK,
    flag,
    text,
)
from bot.core.command.capability import Capability, KindSpec, Risk, TargetKind
from bot.core.command.common_params import GREP, TAIL
from bot.core.log_diff import DIFF

SERVICE: Final = "service"
GATEWAY: Final = "gateway"
GROUP: Final = "group"
CERT: Final = "cert"
JOB: Final = "job"
PLATFORM: Final = "platform"

_GM: Final = "/gateway_manager/v1"
_OM: Final = "/operations-manager/jobs"
_READ_TIME: Final = 60.0
_CHANGE_TIME: Final = 60.0
# The largest `run_seconds`, plus the read of the service before it.
_RUN_TIME: Final = 600.0

TARGETS: Final = (
    TargetKind(
        name=SERVICE,
        prefix=None,
        help="A service, by its name; write CLUSTER/NAME if several clusters have that name",
        example="cluster_1/my-tofu-service",
    ),
    TargetKind(
        name=GATEWAY, prefix="gateway", help="A gateway, by its cluster id or its id", example="gateway/cluster_1"
    ),
    TargetKind(name=GROUP, prefix="group", help="A service group, by its name or id", example="group/nightly"),
    TargetKind(name=CERT, prefix="cert", help="A certificate, by its alias or id", example="cert/edge"),
    TargetKind(
        name=JOB,
        prefix="job",
        help="A job, by its id",
        example="job/20ae2dd7cf1c43aab817556a",
        part_of=SERVICE,
    ),
    TargetKind(name=PLATFORM, prefix="platform", help="The platform itself; write the backend name alone", example=""),
)


def _capability(verb: str, target: str, risk: Risk, **rest: Any) -> Capability:
    return Capability(verb=verb, target=target, risk=risk, **{"idempotent": False, "timeout": _CHANGE_TIME, **rest})


def _read(verb: str, target: str, **rest: Any) -> Capability:
    usual = {"idempotent": True, "timeout": _READ_TIME, "effect": "Nothing changes."}
    return _capability(verb, target, Risk.READ, **{**usual, **rest})


_LISTS: Final = (
    _read(
        "services",
        PLATFORM,
        help="All services, or those of one cluster",
        example="services itn: cluster_id=cluster_1",
        endpoint=f"GET {_GM}/services (SEED title, DOC)",
        params=(CLUSTER,),
    ),
    _read(
        "gateways",
        PLATFORM,
        help="All gateways: enabled, read-only, connected",
        example="gateways itn:",
        endpoint=f"GET {_GM}/gateways, GET {_GM}/connections (SEED titles, DOC)",
    ),
    _read(
        "connections",
        PLATFORM,
        help="The gateways that are connected now",
        example="connections itn:",
        endpoint=f"GET {_GM}/connections (SEED title, DOC)",
    ),
    _read(
        "groups",
        PLATFORM,
        help="All service groups, or those of one cluster",
        example="groups itn:",
        endpoint=f"GET {_GM}/service-groups (SEED title, DOC)",
        params=(CLUSTER,),
    ),
    _read(
        "certs",
        PLATFORM,
        help="All certificates, with their expiry",
        example="certs itn:",
        endpoint=f"GET {_GM}/certificates (SEED title, DOC)",
    ),
    _read(
        "jobs",
        PLATFORM,
        help="The latest jobs",
        example="jobs itn: status=running count=10",
        endpoint=f"GET {_OM}?limit=&equals[status]= (CODE)",
        params=(COUNT, STATUS),
    ),
    _read(
        "version",
        PLATFORM,
        help="The version of Gateway Manager",
        example="version itn:",
        endpoint=f"GET {_GM}/version (SEED title, DOC)",
    ),
)

_STATUSES: Final = (
    _read(
        "status",
        SERVICE,
        help="A service: its type, cluster, parameters and last run",
        example="status itn:my-tofu-service",
        endpoint=f"GET {_GM}/services/ID (SEED title, DOC)",
    ),
    _read(
        "status",
        GATEWAY,
        help="A gateway: enabled, read-only, connected",
        example="status itn:gateway/cluster_1",
        endpoint=f"GET {_GM}/gateways/ID, GET {_GM}/connections (SEED titles, DOC)",
    ),
    _read(
        "health",
        GATEWAY,
        help="Whether the connection to a gateway is healthy",
        example="health itn:gateway/cluster_1",
        endpoint=f"GET {_GM}/connections/CLUSTER (SEED title, DOC)",
    ),
    _read(
        "status",
        GROUP,
        help="A service group and its services",
        example="status itn:group/nightly",
        endpoint=f"GET {_GM}/service-groups/ID (SEED title, DOC)",
    ),
    _read(
        "status",
        CERT,
        help="A certificate: issuer, host, validity",
        example="status itn:cert/edge",
        endpoint=f"GET {_GM}/certificates/ID (SEED title, DOC)",
    ),
    _read("status", JOB, help="The state of a job", example="status itn:job/ID", endpoint=f"GET {_OM}/ID (CODE)"),
    _read(
        "logs",
        JOB,
        help="The stdout and stderr of a job, masked",
        example="logs itn:job/ID tail=50",
        endpoint=f"GET {_OM}/ID (CODE, GUESS: where the output is)",
        params=(TAIL, GREP, DIFF),
        own_verb=True,
    ),
    _read(
        "logs",
        SERVICE,
        help="The stdout and stderr of a service's newest job that has ended, masked",
        example="logs itn:my-tofu-service grep=error",
        endpoint=f"GET {_OM} (CODE, GUESS: which jobs are the service's)",
        params=(TAIL, GREP, DIFF),
        own_verb=True,
    ),
)

_RUNS: Final = (
    _capability(
        "start",
        SERVICE,
        Risk.CHANGE,
        starts_run=True,
        timeout=_RUN_TIME,
        help="Run a service with parameters",
        example="start itn:my-tofu-service param.action=apply",
        effect="The service runs once on its gateway. Two starts make two runs.",
        endpoint=f"POST {_GM}/services/run (SEED)",
        params=(PARAM, INVENTORY),
    ),
    _capability(
        "destroy",
        SERVICE,
        Risk.DANGER,
        starts_run=True,
        timeout=_RUN_TIME,
        help="Run an OpenTofu plan with action=destroy",
        example="destroy itn:my-tofu-service",
        effect="OpenTofu destroys everything that the plan created. This can't be undone.",
        endpoint=f"POST {_GM}/services/run with params.action=destroy (SEED, DOC)",
        params=(PARAM, INVENTORY),
        check=checks.destroy,
    ),
    _capability(
        "stop",
        JOB,
        Risk.DANGER,
        starts_run=True,
        help="Cancel a job",
        example="stop itn:job/ID",
        effect="The job is canceled. What it has done so far stays.",
        endpoint=f"POST {_OM}/cancel (CODE)",
    ),
    _capability(
        "pause",
        JOB,
        Risk.CHANGE,
        help="Pause a job, for a time or until it is resumed",
        example="pause itn:job/ID for=30m",
        effect="The job waits until it is resumed.",
        endpoint=f"POST {_OM}/pause (CODE)",
        params=PAUSE,
        pausable=True,
        resumes="resume",
    ),
    _capability(
        "resume",
        JOB,
        Risk.CHANGE,
        starts_run=True,
        help="Resume a paused job",
        example="resume itn:job/ID",
        effect="The job continues where it was paused.",
        endpoint=f"POST {_OM}/resume (CODE)",
    ),
    _capability(
        "retry",
        JOB,
        Risk.CHANGE,
        starts_run=True,
        help="Run the failed task of a job again",
        example="retry itn:job/ID",
        effect="The failed task runs again in the same job.",
        endpoint=f"POST {_OM}/ID/tasks/TASK/retry (CODE)",
        params=(TASK,),
    ),
)

_GATEWAYS: Final = (
    _capability(
        "gateway create",
        GATEWAY,
        Risk.CHANGE,
        help="Create a gateway; the target's name is its cluster id",
        example="gateway create itn:gateway/cluster_9 enabled=false readonly=false",
        effect="A gateway with this cluster id is created, disabled by default.",
        endpoint=f"POST {_GM}/gateways (SEED title, DOC)",
        params=(flag("enabled", ENABLED, False), flag("readonly", READONLY, False), *GATEWAY_REST),
    ),
    _capability(
        "gateway set",
        GATEWAY,
        Risk.CHANGE,
        idempotent=True,
        help="Change a gateway; fields that you leave out stay as they are",
        example="gateway set itn:gateway/cluster_1 readonly=true",
        effect="The gateway gets these values. A disabled or read-only gateway runs no services.",
        endpoint=f"PUT {_GM}/gateways/ID (SEED title, DOC)",
        params=(
            text("cluster_id", "Another cluster id"),
            flag("enabled", ENABLED),
            flag("readonly", READONLY),
            *GATEWAY_REST,
        ),
        check=checks.change,
    ),
    _capability(
        "gateway delete",
        GATEWAY,
        Risk.DANGER,
        help="Delete a gateway",
        example="gateway delete itn:gateway/cluster_9",
        effect="The gateway is deleted, and its services can no longer run. This can't be undone.",
        endpoint=f"DELETE {_GM}/gateways/ID (SEED title, DOC)",
    ),
)

_GROUPS: Final = (
    _capability(
        "group create",
        GROUP,
        Risk.CHANGE,
        help="Create a service group",
        example="group create itn:group/nightly cluster_id=cluster_1",
        effect="A service group with this name is created on that cluster.",
        endpoint=f"POST {_GM}/service-groups (SEED title, DOC)",
        params=(text("cluster_id", "Its cluster", required=True), *GROUP_REST),
    ),
    _capability(
        "group set",
        GROUP,
        Risk.CHANGE,
        idempotent=True,
        help="Change a service group; fields that you leave out stay as they are",
        example='group set itn:group/nightly description="Night runs"',
        effect="The service group gets these values. This can change who may run its services.",
        endpoint=f"PATCH {_GM}/service-groups/ID (SEED title, DOC)",
        params=(text("name", "Another name"), *GROUP_REST),
        check=checks.change,
    ),
    _capability(
        "group delete",
        GROUP,
        Risk.DANGER,
        help="Delete a service group",
        example="group delete itn:group/nightly",
        effect="The service group is deleted. Its services stay. This can't be undone.",
        endpoint=f"DELETE {_GM}/service-groups/ID (SEED title, DOC)",
    ),
)

_CERTS: Final = (
    _capability(
        "cert add",
        CERT,
        Risk.CHANGE,
        help="Add a certificate from an attached file or raw_certificate=",
        example='cert add itn:cert/edge contract_id=c-1 raw_certificate="PEM"',
        effect="The platform gets the certificate under this alias.",
        endpoint=f"POST {_GM}/certificates (SEED title, DOC)",
        params=CERT_FIELDS,
        check=checks.add_cert,
        takes_files=True,
    ),
    _capability(
        "cert set",
        CERT,
        Risk.CHANGE,
        idempotent=True,
        help="Replace a certificate; fields that you leave out stay as they are",
        example="cert set itn:cert/edge contract_id=c-2",
        effect="Gateways that use the certificate switch to the new one.",
        endpoint=f"PUT {_GM}/certificates/ID (SEED title, DOC)",
        params=CERT_FIELDS,
        check=checks.set_cert,
        takes_files=True,
    ),
    _capability(
        "cert delete",
        CERT,
        Risk.DANGER,
        help="Delete a certificate",
        example="cert delete itn:cert/edge",
        effect="The certificate is deleted, and gateways that use it may no longer connect. This can't be undone.",
        endpoint=f"DELETE {_GM}/certificates/ID (SEED title, DOC)",
    ),
)

SPEC: Final = KindSpec(
    kind="itential",
    title="Itential Platform",
    targets=TARGETS,
    capabilities=(*_LISTS, *_STATUSES, *_RUNS, *_GATEWAYS, *_GROUPS, *_CERTS),
)
