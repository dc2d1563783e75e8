"""Several replicas: any of them takes a request, the leader executes it, and another one goes on when the leader is gone."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.faults.checker import Told, check, is_settled
from tests.faults.replicas import Cluster, cluster, outcomes
from tests.fork_server import ForkServer
from tests.waiting import held
from tests.world import shown

START = "start acc:shop/prices"


def starts(group: Cluster) -> int:
    """How many starts the control plane saw."""
    return sum(call.method == "POST" and call.raw_path.endswith("/cluster/start") for call in group.acc.requests)


async def test_what_a_follower_takes_the_leader_executes_and_the_next_leader_goes_on(
    tmp_path: Path, fork_server: ForkServer, store_url: str
) -> None:
    async with cluster(tmp_path, fork_server, store_url, 3) as group:
        first = await group.leader()
        follower, other = await group.followers()
        group.through(follower)
        assert (await group.says(START)).acked
        await group.until(lambda: group.ended("start", 1))
        assert starts(group) == 1
        await group.until(lambda: group.card(START, "Succeeded"))
        await group.end(first)
        assert (await group.says(START)).acked
        group.through(other)
        assert (await group.says(START)).acked
        await group.until(lambda: group.ended("start", 3))
        assert await group.leader() in (follower, other)
        assert starts(group) == 3
        assert [outcomes(rows) for rows in group.requests("start").values()] == [["done"]] * 3
        assert group.store.verify_sync(group.store.head_sync()).ok


@pytest.mark.parametrize("point", ["before:accept:1", "after:accept:1", "before:hand over:1", "after:hand over:1"])
async def test_what_a_follower_has_stored_is_executed_when_it_is_killed(
    tmp_path: Path, fork_server: ForkServer, store_url: str, point: str
) -> None:
    """Before it has stored it, Slack gets no ack and tells the person. Afterwards the leader executes it, acked or not."""
    async with cluster(tmp_path, fork_server, store_url, 1) as group:
        follower = await group.start(point)
        group.through(follower)
        receipt = await group.says(START)
        await group.gone(follower)
        if point == "before:accept:1":
            assert not receipt.acked
            assert group.requests("start") == {}
            return
        await group.until(lambda: group.ended("start", 1))
        ((request_id, rows),) = group.requests("start").items()
        assert (outcomes(rows), starts(group)) == (["done"], 1)
        await group.until(lambda: group.card(request_id, "Succeeded"))


async def test_all_stops_that_were_confirmed_are_done_once(
    tmp_path: Path, fork_server: ForkServer, store_url: str
) -> None:
    """Pressed twice, and the replica that leads is killed when it has stored one of them, after the three commands before."""
    async with cluster(tmp_path, fork_server, store_url, 0, plane="infa") as group:
        leader, follower = await group.start("after:accept:4"), await group.start()
        tasks = ("infa:task/reload_history", "infa:task/export_ledger")
        group.through(leader)
        for task in tasks:
            assert (await group.says(f"start {task}")).acked
            await group.until(lambda task=task: group.card(f"start {task}", "Running"))
        assert (await group.says("stop everything -- prod is down")).acked
        ana = group.ws.person("U0ANA")
        card = await group.until(
            lambda: next((one for one in ana.messages("C0CRAWL") if "Stop all 2" in shown(one)), None)
        )
        group.through(follower)
        pressed = [ana.press_label("C0CRAWL", card["ts"], "Stop all 2", seen=card)]
        await asyncio.gather(*pressed, ana.press_label("C0CRAWL", card["ts"], "Stop all 2", seen=card))
        await group.gone(leader)
        await group.until(lambda: all(group.card(f"stop {task}", "Stopped", "prod is down") for task in tasks))
        stops = [call for call in group.acc.requests if call.raw_path.endswith("/job/stop")]
        assert len(stops) == 2
        assert [outcomes(rows) for rows in group.requests("stop").values() if outcomes(rows)] == [["done"]] * 2


async def test_a_leader_that_is_killed_between_a_call_and_its_answer_has_made_it(
    tmp_path: Path, fork_server: ForkServer, store_url: str
) -> None:
    """The control plane has done it, and the bytes of its answer are on their way."""
    async with cluster(tmp_path, fork_server, store_url, 2) as group:
        leader, (follower,) = await group.leader(), await group.followers()
        group.through(follower)
        await group.acc.set_fault({"fault": "drip", "seconds": 30, "match": "/cluster/start", "times": 1})
        assert (await group.says(START)).acked
        await group.until(lambda: any(effect.action == "start" for effect in group.acc.effects))
        await group.end(leader)
        await group.until(lambda: group.ended("start", 1))
        ((request_id, rows),) = group.requests("start").items()
        assert (outcomes(rows), starts(group)) == (["reconciled"], 1)
        await group.until(lambda: group.card(request_id, "Succeeded"))


POINTS = (
    *("before:begin:1", "after:begin:1", "before:sending:1", "after:sending:1", "before:start:1", "after:start:1"),
    *("before:finish:1", "after:finish:1", "before:post:1", "after:post:1"),
)


async def test_a_call_of_a_leader_that_is_killed_is_made_once_at_most(
    tmp_path: Path, fork_server: ForkServer, store_url: str
) -> None:
    """Each leader dies at its point, with its own request or with one that the leader before it has left."""
    async with cluster(tmp_path, fork_server, store_url, 0) as group:
        mortal = [await group.start(point) for point in POINTS]
        typed: dict[str, Told] = {}
        while set(map(id, mortal)) & set(map(id, group.replicas)):
            if len(group.replicas) == 1:
                await group.start()  # it has no point, and leads at the end
            leader = await group.leader()
            others = [replica for replica in group.replicas if replica is not leader]
            if others:
                group.through(others[0])
                value = f"n{len(typed)}"
                typed[value] = Told.of(await group.says(f"{START} input.region={value}"))
            await (group.gone(leader) if leader in mortal else group.end(leader))
            await group.reap()
        if not group.replicas:
            await group.start()
        await group.until(lambda: all(outcomes(rows) for rows in group.requests("start").values()), 60)
        await group.until(lambda: is_settled(group))
        assert check(group, typed).broken == []
        done = sum(outcomes(rows)[0] in ("done", "reconciled") for rows in group.requests("start").values())
        assert starts(group) == done


# Where the first leader dies, and where each of those dies that take over from it. The call was made, or was not sent.
TAKEOVERS = (
    ("after:start:1", "before:end sessions:1", "after:end sessions:1", "before:bury:1", "after:bury:1"),
    ("after:start:1", "before:take:1", "after:take:1", "before:claim:1", "after:claim:1"),
    ("after:start:1", "before:show outcomes:1", "after:show outcomes:1", "before:wait:1", "after:wait:1"),
    ("after:start:1", "before:look up:1"),
    ("after:start:1", "after:look up:1"),
    ("before:sending:1", "before:continue:1"),
    ("before:sending:1", "after:continue:1"),
)


@pytest.mark.parametrize("points", TAKEOVERS, ids=[", ".join(points[1:]) for points in TAKEOVERS])
async def test_each_leader_is_killed_in_the_middle_of_its_takeover_and_the_last_one_tells_the_outcome(
    tmp_path: Path, fork_server: ForkServer, store_url: str, points: tuple[str, ...]
) -> None:
    """The first one dies with a request whose outcome nobody has, the others at a step of their takeover."""
    async with cluster(tmp_path, fork_server, store_url, 0) as group:
        mortal = [await group.start(point) for point in points]
        group.through(mortal[1])
        assert (await group.says(START)).acked
        for replica in mortal:
            await group.gone(replica)
        await group.start()
        await group.until(lambda: group.ended("start", 1))
        ((request_id, rows),) = group.requests("start").items()
        was_sent = points[0] == "after:start:1"
        assert outcomes(rows) == ["reconciled" if was_sent else "done"]
        assert [row.event for row in rows].count("unknown") == was_sent
        assert starts(group) == 1
        assert group.store.verify_sync(group.store.head_sync()).ok
        await group.until(lambda: group.card(request_id, "Succeeded"))


async def test_a_leader_that_is_stopped_in_a_call_and_wakes_up_changes_nothing(
    tmp_path: Path, fork_server: ForkServer, store_url: str
) -> None:
    async with cluster(tmp_path, fork_server, store_url, 2) as group:
        leader, (follower,) = await group.leader(), await group.followers()
        group.through(follower)
        for number in range(1, 4):  # the values tell the runs apart when they are looked up
            assert (await group.says(f"{START} input.region=r{number}")).acked
            await asyncio.sleep(0.02 * number)
        leader.send(signal.SIGSTOP)
        await group.until(lambda: group.ended("start", 3), 60)
        leader.send(signal.SIGCONT)
        await group.until(lambda: group.ready(leader))
        await asyncio.sleep(1.0)
        for rows in group.requests("start").values():
            assert len(outcomes(rows)) == 1
        done = sum(outcomes(rows)[0] in ("done", "reconciled") for rows in group.requests("start").values())
        assert starts(group) == done
        assert group.store.verify_sync(group.store.head_sync()).ok


async def test_a_deploy_of_every_replica_refuses_no_request(
    tmp_path: Path, fork_server: ForkServer, store_url: str
) -> None:
    async with cluster(tmp_path, fork_server, store_url, 2) as group:
        asked = 0
        for _ in range(2):
            leader = await group.leader()
            fresh = await group.start()
            group.through(fresh)
            ending = asyncio.ensure_future(group.end(leader, signal.SIGTERM))
            while not ending.done():
                receipt = await group.says("status acc:shop/prices")
                assert receipt.acked
                assert receipt.ack_ms < 3000
                asked += 1
                await asyncio.sleep(0.05)
            assert await ending == 0
        await group.until(lambda: group.ended("status", asked))
        assert [outcomes(rows) for rows in group.requests("status").values()] == [["done"]] * asked


async def test_a_leader_that_is_told_to_stop_finishes_its_call_while_the_next_one_leads(
    tmp_path: Path, fork_server: ForkServer, store_url: str
) -> None:
    async with cluster(tmp_path, fork_server, store_url, 2) as group:
        leader, (follower,) = await group.leader(), await group.followers()
        group.through(follower)
        with held(group.acc, "/cluster/start"):
            assert (await group.says(START)).acked
            await group.until(lambda: any(row.event == "sent" for row in group.rows()))
            ending = asyncio.ensure_future(group.end(leader, signal.SIGTERM))
            await group.until(lambda: len(group.replicas) == 1)
            assert await group.leader() is follower
            assert not ending.done()
            assert (await group.says("status acc:shop/prices")).acked
            await group.until(lambda: group.ended("status", 1))
            assert not group.ended("start", 1), "the new leader must not judge a call that the old one still makes"
        assert await ending == 0
        (rows,) = group.requests("start").values()
        assert outcomes(rows) == ["done"]
        assert starts(group) == 1
