"""The five simulated control planes of the demo, filled with sample data."""

from collections.abc import Collection
from dataclasses import replace

from bot.playground.planes.acc_model import End
from bot.playground.planes.clock import Clock
from bot.playground.planes.common import Plane
from bot.playground.planes.informatica import InformaticaPlane
from bot.playground.planes.itential import ItentialPlane
from bot.playground.planes.itential import Script as Outcome
from bot.playground.planes.prefactor import PrefactorPlane
from bot.playground.planes.resilio import ResilioPlane
from bot.playground.planes.sequentum import Script, SequentumPlane, Server

NAMES = ("acc", "infa", "itn", "pre", "res")
_GOOD = Script(pages=40, rows=1_200)
_BROKEN = Script(
    end="Failure",
    message="2 of 40 pages failed: selector '.price' not found",
    errors=2,
    log_lines=("Payload of the failed page: <!channel> & <script>alert(1)</script>",),
)
_EARLIER: tuple[tuple[int, float, End], ...] = (  # hours ago, seconds, end
    (73, 9, "Succeeded"),
    (49, 14, "Succeeded"),
    (37, 4, "Failure"),
    (25, 21, "Succeeded"),
    (13, 11, "Succeeded"),
    (1, 9, "Succeeded"),
)
_LONG = 1_800.0  # seconds: runs that can be stopped, several at a time
_TOFU = {
    "type": "object",
    "required": ["action"],
    "additionalProperties": False,
    "properties": {
        "action": {"type": "string", "enum": ["apply", "destroy"], "description": "What to do"},
        "workspace": {"type": "string", "default": "staging"},
    },
}


def demo_planes(clock: Clock, first: int = 0, only: Collection[str] = NAMES) -> tuple[Plane, ...]:
    """acc, infa, itn, pre and res on free ports, not yet started; all go by `clock`. Ids of new runs count from `first`.
    With `only`, no others are made.

    Tokens and passwords are attributes of the planes: `token`, or `username` and `password`.
    """
    makers = (_acc, _infa, _itn, _pre, _res)
    return tuple([make(clock, first) for name, make in zip(NAMES, makers, strict=True) if name in only])


def _acc(clock: Clock, first: int) -> SequentumPlane:
    servers = [
        Server("server-key-not-a-secret", "10.20.0.11"),
        Server("server-key-not-a-secret", "10.20.0.12", 8005, use_ssl=True),
    ]
    plane = SequentumPlane("acc", clock=clock, servers=servers)
    plane.add_agent("shop/prices", description="Prices of the shop", scripts=(_GOOD,), backup=True)
    plane.add_agent(
        "shop/stock",
        description="Stock in three regions",
        sessions=3,
        job_runs=3,
        data_files=("stock.csv", "shelves.csv"),
    )
    plane.add_agent("news/feed", description="News, every hour", server_ip="10.20.0.12")
    plane.add_agent("labs/slow", description="Never ends", scripts=(Script(end="Never"),))
    plane.add_agent(
        "labs/broken",
        description="Fails first, and succeeds when retried",
        scripts=(_BROKEN, _GOOD),
        backup=True,
    )
    plane.add_agent("labs/new", description="Waits for its approval", approved=False)
    for hours, seconds, end in _EARLIER:
        plane.add_run("shop/prices", ago=hours * 3_600, script=replace(_GOOD, running=seconds, end=end))
    plane.add_job("shop/prices", ago=7_200, script=_GOOD)
    plane.add_run("labs/broken", ago=5_400, script=_BROKEN)
    _acc_schedules(plane)
    plane.agent("labs/broken").runs_begun = 0
    plane.world.ids_made += first
    return plane


def _acc_schedules(plane: SequentumPlane) -> None:
    rows = (
        ("shop/prices", "d9c944df-93a7-ea77-f7b7-fa0b9c579917", "0 0 0 1", "AUS Eastern Standard Time"),
        ("shop/prices", "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95", "0 0 7 * * 1-5", "GMT Standard Time"),
        ("news/feed", "3a8cc967-1158-e0ca-b1aa-d0f0eecd8d63", "0 0 1 0", "Eastern Standard Time"),
    )
    for path, key, cron, zone in rows:
        plane.add_schedule(
            path,
            scheduleId=key,
            cron=cron,
            startTime="2026-01-05T06:30:00",
            timeZoneId=zone,
            isWindowless=True,
            isEnabled=True,
        )


def _infa(clock: Clock, first: int) -> InformaticaPlane:
    plane = InformaticaPlane("infa", clock=clock)
    usual = ("Data Integration Server", "Process Server", "Mass Ingestion")
    eu = plane.add_agent("eu-1", *usual, host="eu-1.example.com")
    us = plane.add_agent("us-1", *usual[:2], host="us-1.example.com")
    plane.add_agent("lab-1", "Data Integration Server", active=False, ready=False)
    plane.add_task("load_orders", eu)
    plane.add_task("sync_customers", us, sort="DSS", ends=2)
    plane.add_task(
        "rebuild_ledger",
        eu,
        sort="WORKFLOW",
        ends=3,
        says="ERROR: the connection LEDGER_DB was refused (ORA-12541)",
    )
    for name in ("reload_history", "export_ledger"):
        plane.add_task(name, eu, lasts=_LONG)
    plane.add_task("quarter_close", eu, lasts=_LONG, stop_refused=True)
    plane.add_schedule("nightly")
    plane.add_schedule("weekly close", "Weekly", enabled=False)
    plane.ids_made += first
    return plane


def _itn(clock: Clock, first: int) -> ItentialPlane:
    plane = ItentialPlane("itn", clock=clock)
    plane.add_gateway("cluster_1")
    plane.add_gateway("cluster_2", connected=False)
    plane.add_service(
        "my-tofu-service",
        sort="opentofu-plan",
        description="Applies or destroys the lab network",
        decorator=_TOFU,
        tags=("network",),
    )
    plane.add_service("backup-configs", sort="ansible-playbook", description="Saves device configurations")
    plane.add_service(
        "check-links",
        description="Fails first, and succeeds when run again",
        scripts=(Outcome(return_code=1, stdout="", stderr="link 3 of 12 is down\n"), Outcome()),
    )
    plane.add_service("audit-network", description="Half an hour", scripts=(Outcome(seconds=_LONG),))
    plane.add_service("far-away", "cluster_2", description="Its gateway is not connected")
    plane.ids_made += first
    return plane


def _pre(clock: Clock, first: int) -> PrefactorPlane:
    plane = PrefactorPlane("pre", clock=clock)
    reader = plane.add_agent("invoice-reader", external_identifier="invoice-reader")
    triage = plane.add_agent("support-triage", external_identifier="support-triage")
    for status in ("complete", "complete", "failed"):
        plane.add_instance(reader, status)
    plane.add_instance(plane.add_agent("refund-check"), "active", lasts=90, ends_as="failed")
    plane.add_instance(reader, "active")
    plane.add_instance(reader, "pending")
    plane.add_instance(triage, "active", lasts=120)
    plane.add_instance(triage, "pending", begins_in=60, lasts=120)
    plane.add_agent("contract-draft")
    plane.ids_made += first
    return plane


def _res(clock: Clock, first: int) -> ResilioPlane:
    plane = ResilioPlane("res", clock=clock, agent_name="warehouse-7")
    plane.ids_made = first
    plane.add_transfer("FullSync", done=126_936_039)
    plane.add_transfer("Release 42", sort="transfer", total=2_000_000_000, speed=4_000_000, path="D:\\Releases")
    plane.add_transfer("Clean temp", sort="script", total=10, speed=1, files=0, path="")
    plane.add_transfer(
        "Photos",
        total=5_000_000_000,
        done=1_250_000_000,
        status="error",
        errors=["Not enough free disk space", "Can't write 12 files"],
    )
    plane.tags.update({"SITE": "warehouse-7", "RING": "2"})
    return plane
