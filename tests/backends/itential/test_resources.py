"""Lists, gateways, groups, certificates and health against the simulated platform."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.errors import BadRequest, NoSuchTarget, Problem, ServerError
from bot.playground.planes.itential import ItentialPlane
from tests.backends.fakes import Attached
from tests.backends.kit import Joined

from .conftest import PEM, effects


async def test_a_gateway_is_created_changed_and_deleted(itn: Joined, plane: ItentialPlane) -> None:
    """By its cluster id; created disabled; what is left unsaid stays; deleted for good."""
    made = await itn.do('gateway create itn:gateway/cluster_9 description="Lab"')
    gateway = plane.gateways[str(made.backend_ref)]
    assert (gateway["enabled"], gateway["readonly"], gateway["groups"]) == (False, False, [])
    again = await itn.outcome("gateway create itn:gateway/cluster_9")
    assert (again.kind, again.code) == ("refused", "exists")
    await itn.do("gateway set itn:gateway/cluster_9 enabled=true groups=g1,g2")
    assert {k: gateway[k] for k in ("enabled", "description", "groups")} == {
        "enabled": True,
        "description": "Lab",
        "groups": ["g1", "g2"],
    }
    status = await itn.do("status itn:gateway/cluster_9")
    assert status.summary == "The gateway cluster_9 is enabled and disconnected."
    facts = dict(await itn.backend.preflight(await itn.operation("gateway delete itn:gateway/cluster_1")))
    assert facts["Services on it"].startswith("4: my-tofu-service, ")
    await itn.do("gateway delete itn:gateway/cluster_9")
    with pytest.raises(NoSuchTarget):
        await itn.outcome("status itn:gateway/cluster_9")
    assert [action for action, _ in effects(plane)] == ["gateway create", "gateway set", "gateway delete"]


async def test_a_service_group_is_created_changed_and_deleted(itn: Joined, plane: ItentialPlane) -> None:
    """By its name, with the vendor's field names."""
    with pytest.raises(BadRequest, match="cluster_id="):
        await itn.outcome("group create itn:group/nightly")
    made = await itn.do("group create itn:group/nightly cluster_id=cluster_1 services=a,b")
    group = plane.groups[str(made.backend_ref)]
    assert (group["name"], group["services"]) == ("nightly", ["a", "b"])
    await itn.do('group set itn:group/nightly description="Night runs"')
    assert (group["description"], group["services"]) == ("Night runs", ["a", "b"])
    assert (await itn.do("status itn:group/nightly")).summary == "The service group nightly has 2 services."
    listed = await itn.do("groups itn:")
    assert listed.table is not None
    assert "Id" not in listed.table.columns  # a command takes the name
    again = await itn.do("group create itn:group/other cluster_id=cluster_1")
    plane.groups[str(again.backend_ref)]["name"] = "nightly"
    listed = await itn.do("groups itn:")
    assert listed.table is not None
    assert {row[-1] for row in listed.table.rows} == {f"group/{one}" for one in plane.groups}
    await itn.do(f"group delete itn:group/{again.backend_ref}")
    listed = await itn.do("groups itn: cluster_id=cluster_2")
    assert listed.summary == "itn has no service groups on cluster_2."
    await itn.do(f"group delete itn:group/{made.backend_ref}")
    assert plane.groups == {}


async def test_a_certificate_is_added_changed_and_deleted(itn: Joined, plane: ItentialPlane) -> None:
    """From a parameter or an attached file, under its alias; what is left unsaid stays."""
    made = await itn.do(f'cert add itn:cert/edge contract_id=c-1 raw_certificate="{PEM}"')
    cert = plane.certificates[str(made.backend_ref)]
    assert (cert["certificate"], cert["alias"], cert["contract_id"]) == (PEM, "edge", "c-1")
    assert "valid until" in (await itn.do("status itn:cert/edge")).summary
    await itn.do("cert set itn:cert/edge contract_id=c-2")
    cert = plane.certificates[str(made.backend_ref)]
    assert (cert["certificate"], cert["alias"], cert["contract_id"]) == (PEM, "edge", "c-2")
    itn.call.files["F1"] = Attached("cert.pem", PEM.replace("MII", "NEW").encode())
    await itn.run(await itn.operation("cert set itn:cert/edge", files=("F1",)))
    assert "NEWBplayground" in plane.certificates[str(made.backend_ref)]["certificate"]
    assert "BEGIN" not in repr((await itn.do("certs itn:")).table)
    await itn.do("cert delete itn:cert/edge")
    assert plane.certificates == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [("-----BEGIN PRIVATE KEY-----", "private key"), ("hello", "not a PEM certificate")],
)
async def test_only_certificates_are_sent(itn: Joined, plane: ItentialPlane, text: str, told: str) -> None:
    """A private key never leaves, and other text is refused."""
    with pytest.raises(BadRequest, match=told):
        await itn.outcome(f'cert add itn:cert/edge raw_certificate="{text}"')
    assert plane.effects == []


async def test_an_empty_file_is_no_certificate(itn: Joined, plane: ItentialPlane) -> None:
    """Nothing is sent for it."""
    itn.call.files["F1"] = Attached("cert.pem", b" \n")
    operation = await itn.operation("cert add itn:cert/edge", files=("F1",))
    with pytest.raises(BadRequest, match="empty"):
        await itn.run(operation)
    assert plane.effects == []


@pytest.mark.parametrize(
    "command",
    [
        "gateway create itn:gateway/cluster_9",
        "gateway delete itn:gateway/cluster_2",
        "group create itn:group/nightly cluster_id=cluster_1",
        f'cert add itn:cert/edge raw_certificate="{PEM}"',
    ],
)
@pytest.mark.parametrize(("fault", "found"), [("drop_after", True), ("drop_before", False)])
async def test_a_lost_change_is_looked_for_in_the_list(
    itn: Joined, plane: ItentialPlane, command: str, fault: str, found: bool
) -> None:
    """What was to be made or deleted is there or gone; a certificate's absence proves nothing, for aliases may not be shown."""
    operation = await itn.operation(command)
    await plane.set_fault({"fault": fault, "match": "POST|DELETE"})
    with pytest.raises(Problem):
        await itn.run(operation)
    back = await itn.backend.look_back(operation, itn.clock.now())
    assert back.found is not None if found else back.found is None
    if not found and operation.target.kind != "cert":
        assert back.absent


@pytest.mark.parametrize("fault", ["401", "429", "500", "html"])
@pytest.mark.parametrize(
    ("command", "label"),
    [
        ("gateway set itn:gateway/cluster_1 description=new", "gateway cluster_1"),
        ("group set itn:group/nightly description=new", "service group nightly"),
        ("cert set itn:cert/edge contract_id=c-2", "certificate edge"),
    ],
)
async def test_a_change_is_done_when_it_cannot_be_read_afterwards(
    itn: Joined, plane: ItentialPlane, monkeypatch: pytest.MonkeyPatch, command: str, label: str, fault: str
) -> None:
    """The platform accepted it; only what it looks like now is left out."""
    await itn.do("group create itn:group/nightly cluster_id=cluster_1")
    await itn.do(f'cert add itn:cert/edge contract_id=c-1 raw_certificate="{PEM}"')
    operation = await itn.operation(command)
    change = itn.backend._ctx.client.change

    async def changed(*given: Any) -> None:
        await change(*given)
        await plane.set_fault({"fault": fault, "match": "GET .*", "times": 9, "retry_after": 300})

    monkeypatch.setattr(itn.backend._ctx.client, "change", changed)
    done = await itn.run(operation)
    assert done.kind == "done"
    assert done.summary == f"The {label} is changed. It could not be read afterwards."


@pytest.mark.parametrize("verb", ["gateway set", "gateway delete", "status"])
async def test_what_does_not_exist_can_only_be_created(itn: Joined, verb: str) -> None:
    """Every other verb refuses it."""
    with pytest.raises(NoSuchTarget, match="no gateway cluster_9"):
        await itn.outcome(f"{verb} itn:gateway/cluster_9" + (" readonly=true" if verb == "gateway set" else ""))
    with pytest.raises(BadRequest, match="Name at least one field to change"):
        await itn.outcome("gateway set itn:gateway/cluster_1")


async def test_a_preflight_names_what_depends_on_the_object(itn: Joined) -> None:
    """The services of a group and the gateways of a certificate by their names; an id where the platform tells no more."""
    services = await itn.backend.targets()
    first = next(one.target for one in services if one.text == "itn:cluster_1/my-tofu-service")
    await itn.do(f"group create itn:group/nightly cluster_id=cluster_1 services={first.id},gone")
    facts = dict(await itn.backend.preflight(await itn.operation("group delete itn:group/nightly")))
    assert facts["Services in it"] == "2: my-tofu-service, gone"
    await itn.do(f'cert add itn:cert/edge contract_id=c-1 raw_certificate="{PEM}"')
    facts = dict(await itn.backend.preflight(await itn.operation("cert delete itn:cert/edge")))
    assert facts["Gateways that use it"] == "none"


async def test_lists_of_the_platform(itn: Joined) -> None:
    """Each list tells how many, and the table what."""
    await itn.do("start itn:backup")
    told = {
        verb: (await itn.do(f"{verb} itn:")).summary
        for verb in ("services", "gateways", "connections", "groups", "certs", "jobs", "version")
    }
    assert told == {
        "services": "itn has 5 services.",
        "gateways": "itn has 2 gateways.",
        "connections": "itn: 1 of 2 gateways are connected.",
        "groups": "itn has no service groups.",
        "certs": "itn has no certificates.",
        "jobs": "itn has 1 job.",
        "version": "itn runs Gateway Manager 2023.2.14.",
    }
    assert (await itn.do("services itn: cluster_id=cluster_2")).summary == "itn has 1 service on cluster_2."
    assert (await itn.do("jobs itn: status=paused")).summary == "itn has no jobs with the status paused."


async def test_status_of_a_service_shows_its_parameters(itn: Joined) -> None:
    """Type, cluster, last run, and what the schema takes."""
    done = await itn.do("status itn:my-tofu-service")
    assert done.table is not None
    assert done.table.rows == (
        ("param.action", "apply | destroy", "yes", "", "What to do"),
        ("param.workers", "integer, at least 1, at most 8", "", "2", ""),
    )
    assert "Last run" not in [fact.label for fact in done.facts]
    await itn.do("start itn:my-tofu-service param.action=apply")
    again = await itn.do("status itn:my-tofu-service")
    assert ("Last run", itn.clock.now()) in [(fact.label, fact.value) for fact in again.facts]


async def test_the_connection_of_one_gateway(itn: Joined) -> None:
    """A healthy one says so; a broken one is the platform's own error."""
    assert (await itn.do("health itn:gateway/cluster_1")).summary == "The connection to cluster_1 is healthy."
    with pytest.raises(ServerError, match="No connection to cluster_2"):
        await itn.outcome("health itn:gateway/cluster_2")


async def test_targets_are_listed(itn: Joined) -> None:
    """Services and gateways with their states, written as they are typed."""
    listed = {one.text: one.state for one in await itn.backend.targets()}
    assert listed["itn:cluster_1/my-tofu-service"] == "active"
    assert listed["itn:gateway/cluster_2"] == "enabled"
    assert len(listed) == 7


async def test_health(itn: Joined, plane: ItentialPlane) -> None:
    """Well, refused, or broken: an answer each time, without the password."""
    good = await itn.backend.health()
    assert (good.ok, good.summary) == (True, "itn answers, version 2023.2.14; 1 of 2 gateways are connected.")
    plane.password = "changed-not-a-secret"
    bad: Any = await itn.backend.health()
    assert (bad.ok, "401" in bad.summary) == (False, True)
    assert "itn-playground" not in repr(bad) + repr(itn.backend) + repr(vars(itn.backend))
