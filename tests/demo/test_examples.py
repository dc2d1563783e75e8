"""What the demo offers to press: each example runs at once, in a new demo, and shows what its title says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.run import EXAMPLES, Demo, running_demo
from bot.playground.workspace import SeedExample
from tests.world import shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What the person who pressed it sees, by the title.
SHOWS = {
    "Start a run": ("start acc:shop/prices", "Succeeded", "monthly price check"),
    "Read the log of a failed run": ("logs acc:labs/broken", "Log of labs/broken"),
    "Pause its schedules for 2 hours": ("schedule off acc:shop/prices", "Paused", "the shop is closed"),
    "Ask a lead for approval": ("agent approve acc:labs/new", "Waiting for", "tested in staging"),
    "See why something is denied": ("labs/new is not approved yet; ask Lee.",),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """A demo as it starts for the first time, with Slack's limits."""
    async with running_demo(tmp_path_factory.mktemp("demo") / "data") as here:
        here.workspace.enforce_limits()
        here.planes["acc"].world.speed = 8.0
        yield here


async def test_a_later_start_repeats_no_id_of_a_run(tmp_path: Path) -> None:
    """The store remembers the runs of earlier starts; the planes begin anew."""
    ids: list[str] = []
    for _ in range(2):
        async with running_demo(tmp_path / "data") as here:
            infa, res = here.planes["infa"], here.planes["res"]
            person = here.workspace.person("U0RUI")
            await person.command("C0INC", "/ops start infa:task/load_orders -- again")
            await person.wait_for(lambda _: bool(infa.jobs))  # noqa: B023 - called in this round only
            ids += [f"log {job.log_id}" for job in infa.jobs] + [f"{job.task.name} {job.run_id}" for job in infa.jobs]
            ids += [f"transfer {transfer.run_id}" for transfer in res.transfers]  # two vendors may use the same number
    assert len(set(ids)) == len(ids)


async def test_there_are_five_and_each_is_checked() -> None:
    """The table of this file has every title."""
    assert [one.title for one in EXAMPLES] == list(SHOWS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.title)
async def test_an_example_runs_at_once(demo: Demo, example: SeedExample) -> None:
    """One press, no form and no question before something is shown."""
    person = demo.workspace.person(example.user)
    receipt = await person.command(example.channel, example.text)
    assert receipt.acked

    def look(who: object) -> bool:
        texts = [shown(message) for message in person.messages(example.channel)]
        return any(all(part in text for part in SHOWS[example.title]) for text in texts)

    assert await person.wait_for(look, timeout=30)


@pytest.mark.parametrize(
    ("command", "status", "answer"),
    [
        ("status acc:shop/prices", "completed", "newest run"),
        ("start acc:shop/stock -- from a workflow", "completed", "shop/stock"),
        ("start acc:labs/new", "failed", "Denied"),
    ],
)
async def test_a_workflow_step_ends_with_its_outcome_or_its_error(
    demo: Demo, command: str, status: str, answer: str
) -> None:
    """The rules of the demo name the app, so that the page can show both."""
    person, steps = demo.workspace.person("U0ANA"), demo.workspace.core.state.steps
    receipt = await person.run_step("run_operation", {"command": command, "channel": "C0CRAWL", "user": "U0ANA"})
    ended = await person.wait_for(
        lambda _: steps[receipt.execution_id] if steps[receipt.execution_id]["status"] != "running" else None,
        timeout=30,
    )
    assert ended["status"] == status
    assert answer in str(ended.get("outputs") or ended.get("error"))


async def test_each_of_two_administrators_can_review_the_break_glass_of_the_other(demo: Demo) -> None:
    for user, name in (("U0ROOT", "Root Rivera"), ("U0LEE", "Lee Ling")):
        person = demo.workspace.person(user)
        await person.command("C0CRAWL", "/ops breakglass for=1m -- the approver is away")
        await person.wait_for(
            lambda who: f"Break-glass is active for <@{who.id}>" in str([*map(shown, who.messages("C0CRAWL"))])
        )
        other = demo.workspace.person({"U0ROOT": "U0LEE", "U0LEE": "U0ROOT"}[user])
        await other.command("C0SEC", "/ops approvals")
        await other.wait_for(lambda who: f"Close review of {name}" in shown(who.messages("C0SEC")[-1]))  # noqa: B023 - called in this round only
