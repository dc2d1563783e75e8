"""Runs that the vendor reports as failed, in the world of the demo: the card has the error, or says why there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.team import deciding
from tests.world import OPEN_POLICY, labels, shown, world


async def test_a_failed_informatica_job_shows_its_error_and_the_last_lines_and_can_be_retried(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, only=("infa",)) as env:
        env.planes["infa"].tasks[2].lasts = 1.0
        await env.say("start infa:task/WORKFLOW/rebuild_ledger")
        card = await env.sees("start infa:task/rebuild_ledger", "Failed", "Last errors in the log")
        assert "*Error:* the connection LEDGER_DB was refused (ORA-12541)" in shown(card)
        assert {"Log", "Retry"} <= {*labels(card)}
        await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
        await env.until(lambda: len(env.planes["infa"].jobs) == 2)


async def test_a_failed_prefactor_instance_says_that_the_vendor_reports_no_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its API has no field for it, and nothing starts an instance again. Who watches the agent is told the same."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY, only=("pre",)) as team:
        env, why = team.env, "Prefactor's API doesn't report why an instance failed."
        await env.does("watch pre:refund-check for=2h", "Watching pre:refund-check")
        team.later(seconds=100)
        card = await env.does("status pre:refund-check@last", "Failed", why)
        assert "Retry" not in labels(card)
        await env.sees("pre:refund-check", "failed", why)


async def test_a_resilio_run_in_error_shows_what_the_agent_reports_or_that_it_reports_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, only=("res",)) as env:
        await env.does("status res:run/546", "Error", "Not enough free disk space; Can't write 12 files")
        env.planes["res"].transfers[-1].errors.clear()
        await env.does("status res:run/546", "Error", "The agent reports no error text for it.")
