"""What is said after `stop everything` without `--` is its reason only where it tells what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import labels, shown, world

MORE_THAN_A_REASON = [
    "stop everything, just not audit-network",
    "stop everything, spare audit-network",
    "stop everything, audit-network may go on",
    "stop everything; audit-network stays",
    "stop everything - audit-network should continue",
    "stop everything, ignore audit-network",
    "stop all, minus audit-network",
    "stop everything, when deploy-vlan is done",
    "stop everything, in 10 minutes",
    "stop everything. only the deploys",
    "stop everything - in C0INC",
    "stop everything: backup-configs",
    "stop everything, audit-network is important",
    "stop everything the audit-network run is exempt",
    "stop everything, the audit is almost done",
    "stop everything, the audit is not affected",
    "stop everything, the audit is the exception",
    "stop everything, the shop is down, in 10 minutes",
    "stop everything, the shop is down. only the deploys",
    "stop everything, the shop is down, but audit-network must go on",
    "stop everything, prices are wrong, if deploy-vlan is done",
    "stop everything, we do it tomorrow",
    "stop everything! keep the audit, prices are wrong",
    "stop everything, then start backup-configs, it is late",
]
REASONS = [
    "stop everything, the shop is down",
    "stop everything: customers see wrong prices",
    "stop everything, audit-network is broken",
    "stop everything, prod down",
    "stop everything, customers are affected",
    "stop everything! outage",
    "stop everything, nothing works after the deploy",
    "stop everything, customers can't pay",
    "stop everything, we have an outage, wrong prices are live",
    "stop everything, the shop keeps failing",
    "stop everything the disk is full",
    "stop everything now! the shop went down",
]


@pytest.mark.parametrize("said", MORE_THAN_A_REASON)
async def test_an_exception_a_condition_a_time_or_another_scope_offers_no_stop(tmp_path: Path, said: str) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("start itn:audit-network", "Accepted")
        answer = await env.does(said, "I can't tell whether the words after it are a reason", "stop everything -- why")
        assert labels(answer) == ["status"], shown(answer)


@pytest.mark.parametrize("said", REASONS)
async def test_what_tells_a_fault_is_the_reason_of_the_stop(tmp_path: Path, said: str) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("start itn:audit-network", "Accepted")
        card = await env.does(said, "Stop 1 run?", "Why")
        assert labels(card) == ["Stop it", "Cancel"]
