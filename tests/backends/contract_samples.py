"""The one table that names kinds: for every row a command that works on the demo's plane, and the request it must make.

A command may have blanks: those that `prepare` fills, and `{run}`, the id of the run that the last command of `first` began.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Key = tuple[str, str]  # verb, kind of target


@dataclass(frozen=True)
class Sample:
    """`wire` is a pattern for `METHOD path` of the request that the row is for. `first` are commands that are run before it,
    `wait` seconds after each. `progress`: the asker is told how far it is. `refused` is the reason why a refusal is right,
    `gone` why a run that is no longer listed has succeeded.
    """

    typed: str
    wire: str
    first: tuple[str, ...] = ()
    wait: float = 0.0
    files: bool = False
    progress: bool = False
    refused: str = ""
    gone: str = ""


@dataclass(frozen=True)
class KindSamples:
    """`read` and `change` are the rows that meet every fault. `renews`: a refused session is signed in anew by itself.

    `prepare` puts on the plane what the demo has not, and fills the blanks. `hostile` adds so many things with this name to
    the plane, and `lists` are the commands that show them. `bare` are faults after which the change is done all the same
    (the reply's body says nothing there), with the reason.
    """

    name: str
    rows: Mapping[Key, Sample]
    read: Key
    change: Key
    prepare: Callable[[Any], dict[str, str]]
    hostile: Callable[[Any, str, int], None]
    lists: tuple[str, ...]
    renews: bool = False
    bare: Mapping[str, str] = field(default_factory=dict)


def _acc(plane: Any) -> dict[str, str]:
    job = plane.add_job("shop/prices", ago=900)
    return {
        "ran": plane.add_run("shop/prices", ago=600).run_id,
        "broke": next(run.run_id for run in plane.runs if run.agent.path == "labs/broken"),
        "job": job.job_id,
        "schedule": next(iter(plane.schedules)),
    }


def _acc_hostile(plane: Any, name: str, count: int) -> None:
    from bot.playground.planes.acc_model import Script  # noqa: PLC0415  the plane's own words for a run

    for number in range(count):
        plane.add_run("news/feed", ago=60 * (number + 2), script=Script(end="Failure", message=name))


SEQUENTUM: Final = KindSamples(
    name="acc",
    read=("status", "run"),
    change=("start", "agent"),
    prepare=_acc,
    hostile=_acc_hostile,
    lists=("history acc:news/feed count=100", "status acc:news/feed", "status acc:news/feed@last"),
    rows={
        ("status", "agent"): Sample("status acc:shop/prices", r"GET /api/agent/[^/]+/history"),
        ("status", "run"): Sample("status acc:run/{ran}", r"GET /api/run/[^/]+$"),
        ("status", "jobrun"): Sample("status acc:jobrun/{job}", r"GET /api/job/run/[^/]+$"),
        ("history", "agent"): Sample("history acc:shop/prices count=5 as=job", r"GET /api/job/[^/]+/history"),
        ("history", "jobrun"): Sample("history acc:jobrun/{job}", r"GET /api/agent/[^/]+/run/\d+/history"),
        ("schedules", "agent"): Sample("schedules acc:shop/prices", r"GET /api/job/[^/]+/schedules"),
        ("logs", "run"): Sample("logs acc:run/{ran} tail=5", r"GET /api/run/[^/]+/log"),
        ("logs", "jobrun"): Sample("logs acc:jobrun/{job}", r"GET /api/job/run/[^/]+/logs"),
        ("data", "run"): Sample("data acc:run/{ran}", r"GET /api/run/[^/]+/backup"),
        ("data", "jobrun"): Sample("data acc:jobrun/{job}", r"GET /api/job/run/[^/]+/backup"),
        ("health", "server"): Sample("health acc:server/server-1", r"POST /api/server/check"),
        ("start", "agent"): Sample("start acc:shop/prices input.country=de -- now", r"POST /api/agent/.*cluster/start"),
        ("restart", "run"): Sample("restart acc:run/{ran}", r"POST /api/run/[^/]+/restart"),
        ("retry", "run"): Sample("retry acc:run/{broke} method=Continue", r"POST /api/run/[^/]+/retry"),
        ("schedule start", "schedule"): Sample(
            "schedule start acc:schedule/{schedule}",
            r"POST /api/job/schedule/[^/]+/start",
            first=("schedules acc:shop/prices",),  # the vendor tells a schedule's agent in that list alone
        ),
        ("schedule on", "schedule"): Sample("schedule on acc:schedule/{schedule}", r"POST /api/job/schedule/[^/]+/on"),
        ("schedule on", "agent"): Sample("schedule on acc:shop/prices", r"POST /api/job/[^/]+/schedules/on"),
        ("schedule off", "schedule"): Sample(
            "schedule off acc:schedule/{schedule} for=2h", r"POST /api/job/schedule/[^/]+/off"
        ),
        ("schedule off", "agent"): Sample("schedule off acc:shop/prices", r"POST /api/job/.+/off"),
        ("schedule set", "agent"): Sample(
            'schedule set acc:shop/prices cron="0 0 0 1" start=2026-07-16T11:21:20 zone=Europe/Berlin',
            r"POST /api/job/[^/]+/schedule$",
        ),
        ("schedule delete", "schedule"): Sample(
            "schedule delete acc:schedule/{schedule}", r"DELETE /api/job/schedule/[^/]+"
        ),
        ("schedule delete", "agent"): Sample("schedule delete acc:shop/prices", r"DELETE /api/job/[^/]+/schedules"),
        ("input put", "agent"): Sample(
            'input put acc:shop/prices name=input.csv text="URL"', r"POST /api/input/agent/[^/]+/csv"
        ),
        ("input upload", "agent"): Sample(
            "input upload acc:shop/prices", r"POST /api/input/agent/[^/]+/files", files=True
        ),
        ("input clear", "agent"): Sample("input clear acc:shop/prices", r"DELETE /api/input/agent/[^/]+"),
        ("input disable", "agent"): Sample("input disable acc:shop/prices", r"POST /api/input/agent/[^/]+/disable"),
        ("mark", "agent"): Sample("mark acc:shop/prices as=failed", r"POST /api/job/[^/]+/status"),
        ("agent approve", "agent"): Sample(
            "agent approve acc:labs/new -- reviewed by Lee", r"POST /api/agent/[^/]+/toggleAgentApproval/False"
        ),
        ("agent disapprove", "agent"): Sample(
            "agent disapprove acc:shop/prices -- breaks the terms", r"POST /api/agent/[^/]+/toggleAgentApproval/True"
        ),
    },
)

_SERVER: Final = 'infa:eu-1/"Data Integration Server"'


def _infa(plane: Any) -> dict[str, str]:
    return {}


def _infa_hostile(plane: Any, name: str, count: int) -> None:
    agent = plane.agents[0]
    plane.add_agent(name, *(f"{name} {number}" for number in range(count)))
    for number in range(count):
        plane.add_task(f"{name} {number}", agent)
        plane.add_schedule(f"{name} {number}", name)


INFORMATICA: Final = KindSamples(
    name="infa",
    read=("status", "service"),
    change=("start", "service"),
    renews=True,
    prepare=_infa,
    hostile=_infa_hostile,
    lists=("schedules infa:", "status infa:agent/eu-1", "history infa:agent/eu-1 count=20"),
    rows={
        ("status", "service"): Sample(f"status {_SERVER}", r"GET /saas/api/v2/agent/details/"),
        ("status", "agent"): Sample("status infa:agent/eu-1", r"GET /saas/api/v2/agent/details/"),
        ("status", "task"): Sample("status infa:task/load_orders", r"GET /saas/api/v2/activity/activityMonitor"),
        ("status", "schedule"): Sample("status infa:schedule/nightly", r"GET /saas/public/core/v3/schedule"),
        ("history", "task"): Sample(
            "history infa:task/load_orders count=5",
            r"GET /saas/api/v2/activity/activityLog",
            first=("start infa:task/load_orders",),
            wait=60,
        ),
        ("history", "agent"): Sample("history infa:agent/eu-1 count=20", r"GET /saas/api/v2/activity/activityLog"),
        ("schedules", "org"): Sample("schedules infa:", r"GET /saas/public/core/v3/schedule"),
        ("logs", "task"): Sample(
            "logs infa:task/load_orders tail=50",
            r"GET /saas/api/v2/activity/activityLog/[^/]+/sessionLog",
            first=("start infa:task/load_orders",),
            wait=60,
        ),
        ("start", "service"): Sample(
            f"start {_SERVER}", r"POST /saas/public/core/v3/agent/service", first=(f"stop {_SERVER}",), wait=60
        ),
        ("stop", "service"): Sample(
            f"stop {_SERVER}",
            r"POST /saas/public/core/v3/agent/service",
            gone="the vendor lists a stopped service no longer",
        ),
        ("restart", "service"): Sample(f"restart {_SERVER}", r"POST /saas/public/core/v3/agent/service", progress=True),
        ("start", "task"): Sample("start infa:task/load_orders", r"POST /saas/api/v2/job$"),
        ("stop", "task"): Sample(
            "stop infa:task/load_orders clean=true",
            r"POST /saas/api/v2/job/stop",
            first=("start infa:task/load_orders",),
        ),
        ("schedule on", "schedule"): Sample(
            'schedule on infa:schedule/"weekly close"', r"PATCH /saas/public/core/v3/schedule/"
        ),
        ("schedule off", "schedule"): Sample(
            "schedule off infa:schedule/nightly for=2h", r"PATCH /saas/public/core/v3/schedule/"
        ),
    },
)

_GM: Final = "/gateway_manager/v1"
_OM: Final = "/operations-manager/jobs"
_GATEWAY: Final = "gateway create itn:gateway/cluster_9 enabled=false readonly=false"
_GROUP: Final = "group create itn:group/nightly cluster_id=cluster_1"
_PEM: Final = '"-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----"'
_CERT: Final = f"cert add itn:cert/edge raw_certificate={_PEM}"
_BACKUP: Final = "start itn:backup-configs"


def _itn(plane: Any) -> dict[str, str]:
    return {}


def _itn_hostile(plane: Any, name: str, count: int) -> None:
    for number in range(count):
        plane.add_service(f"{name} {number}", description=name)
        plane.add_gateway(f"{name} {number}", connected=False)


ITENTIAL: Final = KindSamples(
    name="itn",
    read=("status", "service"),
    change=("start", "service"),
    prepare=_itn,
    hostile=_itn_hostile,
    lists=("services itn:", "gateways itn:", "connections itn:", "groups itn:", "certs itn:", "jobs itn:"),
    rows={
        ("services", "platform"): Sample("services itn: cluster_id=cluster_1", rf"GET {_GM}/services$"),
        ("gateways", "platform"): Sample("gateways itn:", rf"GET {_GM}/gateways$"),
        ("connections", "platform"): Sample("connections itn:", rf"GET {_GM}/connections$"),
        ("groups", "platform"): Sample("groups itn:", rf"GET {_GM}/service-groups$", first=(_GROUP,)),
        ("certs", "platform"): Sample("certs itn:", rf"GET {_GM}/certificates$", first=(_CERT,)),
        ("jobs", "platform"): Sample("jobs itn: count=10", rf"GET {_OM}$", first=(_BACKUP,)),
        ("version", "platform"): Sample("version itn:", rf"GET {_GM}/version$"),
        ("status", "service"): Sample("status itn:my-tofu-service", rf"GET {_GM}/services/[^/]+$"),
        ("status", "gateway"): Sample("status itn:gateway/cluster_1", rf"GET {_GM}/gateways/[^/]+$"),
        ("health", "gateway"): Sample("health itn:gateway/cluster_1", rf"GET {_GM}/connections/cluster_1$"),
        ("status", "group"): Sample("status itn:group/nightly", rf"GET {_GM}/service-groups/[^/]+$", first=(_GROUP,)),
        ("status", "cert"): Sample("status itn:cert/edge", rf"GET {_GM}/certificates/[^/]+$", first=(_CERT,)),
        ("status", "job"): Sample("status itn:job/{run}", rf"GET {_OM}/[^/]+$", first=(_BACKUP,)),
        ("logs", "job"): Sample("logs itn:job/{run} tail=50", rf"GET {_OM}/[^/]+$", first=(_BACKUP,), wait=60),
        ("logs", "service"): Sample("logs itn:backup-configs", rf"GET {_OM}", first=(_BACKUP,), wait=60),
        ("start", "service"): Sample(
            "start itn:my-tofu-service param.action=apply param.workspace=lab", rf"POST {_GM}/services/run$"
        ),
        ("destroy", "service"): Sample("destroy itn:my-tofu-service", rf"POST {_GM}/services/run$"),
        ("stop", "job"): Sample("stop itn:job/{run}", rf"POST {_OM}/cancel$", first=(_BACKUP,)),
        ("pause", "job"): Sample("pause itn:job/{run} for=30m", rf"POST {_OM}/pause$", first=(_BACKUP,)),
        ("resume", "job"): Sample(
            "resume itn:job/{run}", rf"POST {_OM}/resume$", first=(_BACKUP, "pause itn:job/{run}")
        ),
        ("retry", "job"): Sample(
            "retry itn:job/{run}", rf"POST {_OM}/[^/]+/tasks/[^/]+/retry$", first=("start itn:check-links",), wait=60
        ),
        ("gateway create", "gateway"): Sample(_GATEWAY, rf"POST {_GM}/gateways$"),
        ("gateway set", "gateway"): Sample(
            "gateway set itn:gateway/cluster_1 readonly=true", rf"PUT {_GM}/gateways/[^/]+$"
        ),
        ("gateway delete", "gateway"): Sample(
            "gateway delete itn:gateway/cluster_9", rf"DELETE {_GM}/gateways/[^/]+$", first=(_GATEWAY,)
        ),
        ("group create", "group"): Sample(_GROUP, rf"POST {_GM}/service-groups$"),
        ("group set", "group"): Sample(
            'group set itn:group/nightly description="Night runs"',
            rf"PATCH {_GM}/service-groups/[^/]+$",
            first=(_GROUP,),
        ),
        ("group delete", "group"): Sample(
            "group delete itn:group/nightly", rf"DELETE {_GM}/service-groups/[^/]+$", first=(_GROUP,)
        ),
        ("cert add", "cert"): Sample(_CERT, rf"POST {_GM}/certificates$"),
        ("cert set", "cert"): Sample(
            f"cert set itn:cert/edge contract_id=c-2 raw_certificate={_PEM}",
            rf"PUT {_GM}/certificates/[^/]+$",
            first=(_CERT,),
        ),
        ("cert delete", "cert"): Sample(
            "cert delete itn:cert/edge", rf"DELETE {_GM}/certificates/[^/]+$", first=(_CERT,)
        ),
    },
)


def _pre(plane: Any) -> dict[str, str]:
    active = next(one for one in plane.instances.values() if one.status == "active")
    return {"instance": active.instance_id}


def _pre_hostile(plane: Any, name: str, count: int) -> None:
    for number in range(count):
        agent = plane.add_agent(f"{name} {number}", description=name)
        plane.add_instance(plane.agents[next(iter(plane.agents))], "failed")
        plane.add_instance(agent, "failed")


PREFACTOR: Final = KindSamples(
    name="pre",
    read=("status", "instance"),
    change=("stop", "instance"),
    prepare=_pre,
    hostile=_pre_hostile,
    lists=("history pre:invoice-reader count=100", "status pre:invoice-reader"),
    bare={
        "dropped_after": "the repeat, which is safe here, is refused because the instance has ended: that was the wish",
        "500_done": "the instance is looked at after the 500 and has ended",
        "wrong_types": "the reply's words are not used: the instance is looked at and has ended",
    },
    rows={
        ("status", "agent"): Sample("status pre:invoice-reader", r"GET /api/v1/agent"),
        ("status", "instance"): Sample("status pre:instance/{instance}", r"GET /api/v1/agent_instance/[^/]+$"),
        ("history", "agent"): Sample("history pre:invoice-reader count=5", r"GET /api/v1/agent_instance$"),
        ("create", "agent"): Sample('create pre:price-watcher description="Watches prices"', r"POST /api/v1/agent$"),
        ("create", "new"): Sample('create pre:new/"My Agent"', r"POST /api/v1/agent$"),
        ("set", "agent"): Sample('set pre:invoice-reader description="Reads all"', r"PUT /api/v1/agent/[^/]+$"),
        ("retire", "agent"): Sample("retire pre:contract-draft", r"POST /api/v1/agent/[^/]+/retire$"),
        ("reinstate", "agent"): Sample(
            "reinstate pre:contract-draft", r"POST /api/v1/agent/[^/]+/reinstate$", first=("retire pre:contract-draft",)
        ),
        ("delete", "agent"): Sample("delete pre:contract-draft", r"DELETE /api/v1/agent/[^/]+$"),
        ("stop", "instance"): Sample(
            "stop pre:instance/{instance} -- wrong data", r"POST /api/v1/agent_instance/[^/]+/terminate$"
        ),
    },
)


def _res(plane: Any) -> dict[str, str]:
    plane.away = 0.05
    return {}


def _res_hostile(plane: Any, name: str, count: int) -> None:
    for number in range(count):
        plane.add_transfer(f"{name} {number}", path=name, errors=[name])
        plane.tags[f"{name} {number}"] = name


RESILIO: Final = KindSamples(
    name="res",
    read=("status", "run"),
    change=("restart", "agent"),
    renews=True,
    prepare=_res,
    hostile=_res_hostile,
    bare={
        "dropped_after": "a restart breaks its own connection: the agent went away and came back, which is the proof",
        "500_done": "the agent went away and came back",
        "empty": "the seed shows no reply body; the agent answers afterwards",
        "bad_json": "the seed shows no reply body, so it is not read",
        "wrong_types": "the seed shows no reply body, so it is not read",
        "drip": "the reply has no byte to drip, and the agent went away and came back",
    },
    lists=("history res: count=100", "tags res:", "status res:", "status res:run/546"),
    rows={
        ("status", "agent"): Sample("status res:", r"GET /api/v3/client$"),
        ("status", "run"): Sample("status res:run/543", r"GET /api/v3/runs/543$"),
        ("history", "agent"): Sample("history res: count=10", r"GET /api/v3/runs$"),
        ("pause", "agent"): Sample("pause res: for=30m", r"PATCH /api/v3/client$"),
        ("resume", "agent"): Sample("resume res:", r"PATCH /api/v3/client$", first=("pause res:",)),
        ("restart", "agent"): Sample("restart res:", r"PATCH /api/v3/client$", progress=True),
        ("tags", "agent"): Sample("tags res:", r"GET /api/v3/tags$"),
        ("tag", "agent"): Sample("tag res: SITE=berlin", r"PATCH /api/v3/tags$"),
    },
)

SAMPLES: Final[Mapping[str, KindSamples]] = {
    "sequentum": SEQUENTUM,
    "informatica": INFORMATICA,
    "itential": ITENTIAL,
    "prefactor": PREFACTOR,
    "resilio": RESILIO,
}
