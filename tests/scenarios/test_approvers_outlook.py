"""What an approver reads of what is affected: at least what the requester's pre-flight said, on the card and on the Home tab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.team import APPROVERS, deciding
from tests.scenarios.test_approval_card import lines
from tests.world import OPEN_POLICY, shown

ASKED = OPEN_POLICY.replace(
    'who = ["crawl", "leads", "admins"]\n',
    'who = ["crawl", "leads", "admins"]\napprovals = { count = 1, from = ["leads"], in = "C0APPR" }\n',
    1,
)


@pytest.mark.parametrize(
    ("plane", "typed", "dangerous", "now"),
    [
        ("acc", "schedule delete acc:shop/prices -- gone", True, ("Will be deleted: 2 schedules: ",)),
        ("acc", "schedule off acc:shop/prices for=2h -- quiet", False, ("Schedules: 2, 0 of them off now",)),
        ("infa", 'stop infa:eu-1/"Process Server" -- patch', True, ("running",)),
        ("itn", "gateway delete itn:gateway/cluster_1 -- old", True, ("Services on it: ",)),
        (
            "pre",
            "delete pre:invoice-reader -- old",
            True,
            ("doesn't allow delete now and will probably refuse it", "Instances: "),
        ),
        ("res", "tag res: SITE=berlin -- moved", True, ("Tag SITE: warehouse-7 becomes berlin", "Runs: ")),
    ],
)
async def test_the_approver_reads_what_the_pre_flight_said_is_affected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plane: str, typed: str, dangerous: bool, now: tuple[str, ...]
) -> None:
    """In the line `Now` of a card of five lines, and in the review on the Home tab."""
    async with deciding(tmp_path, monkeypatch, ASKED, only=(plane,)) as team:
        env, lee = team.env, team.env.person("U0LEE")
        question = await env.does(typed, "Dangerous" if dangerous else "Waiting for approval")
        if dangerous:
            assert all(part.split(": ")[-1] in shown(question) for part in now)
            await team.press(question, "Ask for approval", user="U0ANA", channel="C0CRAWL")
        card = await env.sees("wants to run", user="U0LEE", channel=APPROVERS)
        assert len(lines(card)) == 5, lines(card)
        (line,) = [one for one in lines(card) if one.startswith("*Now:*")]
        assert all(part in line for part in now), line
        await lee.open_home()
        await lee.wait_for(lambda _: "Review" in shown(lee.home() or {}))
        await lee.press_label("home", label="Review")
        await lee.wait_for(lambda _: all(part in shown(lee.home() or {}) for part in now))
