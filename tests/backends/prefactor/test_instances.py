"""Instances of agents: history, status, stop, selectors, polls."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.core.errors import BadReply, NoSuchTarget, Rejected
from bot.core.outcome import Phase
from tests.backends.kit import facts_of, said

from .support import ACTIVE, ID, INSTANCE, details, listed, on_plane, recorded


async def test_history_lists_the_newest_first_with_the_total() -> None:
    """Whatever number is asked for."""
    async with on_plane() as (plane, pre):
        bot = plane.add_agent("bot")
        for status in ("complete", "failed", "active"):
            plane.add_instance(bot, status)
            plane.clock.advance(60)
        done = await pre.do("history pre:bot count=2")
        assert done.table is not None
        assert [row[1] for row in done.table.rows] == ["active", "failed"]
        assert done.table.total == 3
        assert done.summary == "The latest 2 instances of bot: 1 failed, 1 running."
        assert (await pre.target(f"pre:{done.details[0].value}")).scope == "pre:bot"


async def test_a_list_that_begins_with_the_oldest_is_read_from_its_end() -> None:
    """An account may ignore `sorting`; its reply tells the order."""
    async with recorded() as (recorder, pre):
        page = {
            "status": "success",
            "summaries": [ACTIVE],
            "pagination": {"item_count": 50},
            "sorting": {"field": "inserted_at", "direction": "asc"},
        }
        recorder.answers["GET /api/v1/agent_instance"] = said(page)
        await pre.do(f"history pre:{ID} count=5")
        assert recorder.seen[-1].query == (
            f"agent_id={ID}&pagination%5Boffset%5D=45&pagination%5Bpage_size%5D=5&sorting=-inserted_at"
        )


async def test_an_account_that_refuses_to_sort_is_asked_without_it() -> None:
    """Which fields `sorting` takes is not documented; the list is worth more than its order."""
    async with on_plane() as (plane, pre):
        agent = plane.add_agent("bot")
        plane.refuses_sorting = True
        for status in ("complete", "failed"):
            plane.add_instance(agent, status)
        done = await pre.do("history pre:bot")
        assert done.table is not None
        assert [row[1] for row in done.table.rows] == ["failed", "complete"]
        assert [one.status for one in plane.requests[-2:]] == [422, 200]


async def test_one_odd_instance_hides_no_other() -> None:
    """It is shown as far as it can be read, and marked."""
    async with recorded() as (recorder, pre):
        recorder.answers["GET /api/v1/agent_instance"] = listed(
            None, {**ACTIVE, "status": 7}, {"id": "x", "finished_at": []}, ACTIVE
        )
        done = await pre.do(f"history pre:{ID}")
        assert done.table is not None
        assert len(done.table.rows) == 4
        assert "active" in [row[1] for row in done.table.rows]
        assert done.table.note.startswith("⚠ 2 rows can't be read completely")


async def test_an_agent_without_instances_says_so() -> None:
    """An empty list is an answer."""
    async with on_plane() as (plane, pre):
        plane.add_agent("bot")
        assert (await pre.do("history pre:bot")).summary == "bot has no instances."


@pytest.mark.parametrize(
    ("status", "phase", "stoppable"),
    [
        ("pending", Phase.WAITING, True),
        ("active", Phase.ACTIVE, True),
        ("complete", Phase.SUCCEEDED, False),
        ("failed", Phase.FAILED, False),
        ("cancelled", Phase.STOPPED, False),
        ("terminated", Phase.STOPPED, False),
        ("sleeping", Phase.UNREADABLE, False),
        (None, Phase.UNREADABLE, False),
    ],
)
async def test_every_status_has_its_phase(status: str | None, phase: Phase, stoppable: bool) -> None:
    """A Stop button stands only where something can be stopped; what is unknown is unreadable."""
    async with recorded() as (recorder, pre):
        recorder.answers[f"GET /api/v1/agent_instance/{INSTANCE}"] = details({**ACTIVE, "status": status})
        done = await pre.do(f"status pre:instance/{INSTANCE}")
        assert done.view is not None
        assert done.view.phase is phase
        assert ("stop" in [step.verb for step in done.view.next]) is stoppable
        assert done.summary.startswith("An instance of My Agent is ")


async def test_an_active_instance_is_terminated_with_the_reason() -> None:
    """And the reason can be read afterwards."""
    async with on_plane() as (plane, pre):
        instance = plane.add_instance(plane.add_agent("bot"), "active")
        done = await pre.do(f"stop pre:instance/{instance.instance_id} -- wrong customer")
        assert (instance.status, instance.reason) == ("terminated", "wrong customer")
        assert done.summary == "The instance of bot is terminated."
        assert facts_of(done)["Reason"] == "wrong customer"


async def test_a_pending_instance_is_cancelled() -> None:
    """Not terminated: it never ran."""
    async with on_plane() as (plane, pre):
        instance = plane.add_instance(plane.add_agent("bot"), "pending")
        done = await pre.do(f"stop pre:instance/{instance.instance_id}")
        assert (instance.status, done.summary) == ("cancelled", "The instance of bot is cancelled.")


async def test_an_instance_that_begins_meanwhile_is_terminated() -> None:
    """Cancel is refused with 409 once it is active."""
    async with recorded() as (recorder, pre):
        path = f"/api/v1/agent_instance/{INSTANCE}"
        recorder.answers[f"GET {path}"] = details({**ACTIVE, "status": "pending"})

        def refuse_for_it_began(request: web.BaseRequest) -> web.StreamResponse:
            recorder.answers[f"GET {path}"] = details(ACTIVE)
            body = {"status": "error", "code": "invalid_action", "message": "The instance is active."}
            return web.json_response(body, status=409)

        recorder.answers[f"POST {path}/finish"] = refuse_for_it_began
        done = await pre.do(f"stop pre:instance/{INSTANCE}")
        assert [seen.path for seen in recorder.seen if seen.method == "POST"] == [f"{path}/finish", f"{path}/terminate"]
        assert done.summary == "The instance of My Agent is terminated."


async def test_a_stop_whose_answer_was_lost_is_done_once() -> None:
    """The second try is refused with 409, and the instance shows why."""
    async with on_plane() as (plane, pre):
        instance = plane.add_instance(plane.add_agent("bot"), "active")
        await plane.set_fault({"fault": "drop_after", "times": 1, "match": "terminate"})
        done = await pre.do(f"stop pre:instance/{instance.instance_id}")
        assert done.view is not None
        assert done.view.state == "terminated"
        assert [deed.action for deed in plane.effects] == ["instance terminate"]


async def test_what_has_ended_is_not_stopped_again() -> None:
    """Nothing is sent for it."""
    async with on_plane() as (plane, pre):
        instance = plane.add_instance(plane.add_agent("bot"), "complete")
        done = await pre.do(f"stop pre:instance/{instance.instance_id}")
        assert done.summary == "The instance of bot had already ended."
        assert plane.effects == []


async def test_a_terminate_that_is_refused_stays_refused() -> None:
    """409 while the instance still goes on is the vendor's no."""
    async with recorded() as (recorder, pre):
        no = {"status": "error", "code": "invalid_action", "message": "Not now"}
        recorder.answers[f"POST /api/v1/agent_instance/{INSTANCE}/terminate"] = said(no, 409)
        with pytest.raises(Rejected) as told:
            await pre.outcome(f"stop pre:instance/{INSTANCE}")
        assert told.value.summary == "pre refused the request (invalid_action): Not now"


@pytest.mark.parametrize(
    ("text", "path", "action"),
    [
        (f"stop pre:instance/{INSTANCE}", f"/api/v1/agent_instance/{INSTANCE}", "terminate"),
        ('retire pre:"My Agent"', f"/api/v1/agent/{ID}", "retire"),
    ],
)
async def test_a_refusal_stays_one_when_it_cannot_be_read_why(text: str, path: str, action: str) -> None:
    """The vendor has said that nothing was done; only a second read would tell that nothing was left to do."""
    async with recorded() as (recorder, pre):

        def refuse(request: web.BaseRequest) -> web.StreamResponse:
            recorder.answers[f"GET {path}"] = said({"status": "error", "message": "broken"}, 500)
            return web.json_response({"status": "error", "code": "invalid_action", "message": "Not now"}, status=409)

        recorder.answers[f"POST {path}/{action}"] = refuse
        with pytest.raises(Rejected, match="Not now"):
            await pre.outcome(text)


async def test_the_preflight_of_a_stop_says_what_it_will_be() -> None:
    """Terminate, cancel, or nothing."""
    async with on_plane() as (plane, pre):
        bot = plane.add_agent("bot")
        words = {
            "active": "terminates the instance; this can't be undone",
            "pending": "cancels the pending instance",
            "failed": "nothing: the instance has ended",
        }
        for status, expected in words.items():
            instance = plane.add_instance(bot, status)
            operation = await pre.operation(f"stop pre:instance/{instance.instance_id}")
            facts = dict(await pre.backend.preflight(operation))
            assert (facts["Agent"], facts["What stop does now"]) == ("bot", expected)


async def test_selectors_pick_an_instance_of_an_agent() -> None:
    """@last, @failed, @running."""
    async with on_plane() as (plane, pre):
        bot = plane.add_agent("bot")
        made = {}
        for status in ("failed", "active", "complete"):
            made[status] = plane.add_instance(bot, status).instance_id
            plane.clock.advance(5)
        assert (await pre.target("pre:bot@last")).id == made["complete"]
        assert (await pre.target("pre:bot@failed")).id == made["failed"]
        running = await pre.target("pre:bot@running")
        assert (running.id, running.kind, running.scope) == (made["active"], "instance", "pre:bot")
        with pytest.raises(NoSuchTarget):
            await pre.target("pre:nobody@last")


async def test_what_runs_is_picked_before_what_still_waits() -> None:
    """`stop pre:bot@running` is about the instance that works, although a newer one is pending."""
    async with on_plane() as (plane, pre):
        bot = plane.add_agent("bot")
        waiting = [plane.add_instance(bot, "pending") for _ in range(2)]
        plane.clock.advance(5)
        active = plane.add_instance(bot, "active")
        plane.clock.advance(5)
        waiting.append(plane.add_instance(bot, "pending"))
        assert (await pre.target("pre:bot@running")).id == active.instance_id
        assert (await pre.target("pre:bot@last")).id == waiting[-1].instance_id


async def test_a_poll_reads_one_page_and_asks_singly_for_what_is_older() -> None:
    """What no longer exists is left out."""
    async with on_plane() as (plane, pre):
        bot = plane.add_agent("bot")
        old = plane.add_instance(bot, "active")
        for _ in range(120):
            plane.add_instance(bot, "complete")
        new = plane.add_instance(bot, "active")
        runs = [await pre.target(f"pre:instance/{item.instance_id}") for item in (old, new)]
        gone = runs[0].model_copy(update={"id": "013gone"})
        before = len(plane.requests)
        views = await pre.backend.poll(bot.agent_id, [*runs, gone])
        assert {id_: view.phase for id_, view in views.items()} == {
            old.instance_id: Phase.ACTIVE,
            new.instance_id: Phase.ACTIVE,
        }
        assert len(plane.requests) - before == 3


async def test_an_instance_of_a_deleted_agent_has_no_scope() -> None:
    """Then only `pre:*` covers it."""
    async with recorded() as (recorder, pre):
        del recorder.answers[f"GET /api/v1/agent/{ID}"]
        target = await pre.target(f"pre:instance/{INSTANCE}")
        assert (target.scope, target.parent, target.parent_name) == (None, ID, None)


async def test_an_answer_about_another_instance_is_not_believed() -> None:
    """The id that was asked for must come back."""
    async with recorded() as (recorder, pre):
        recorder.answers[f"GET /api/v1/agent_instance/{INSTANCE}"] = details({**ACTIVE, "id": "013other"})
        with pytest.raises(BadReply):
            await pre.target(f"pre:instance/{INSTANCE}")


async def test_an_instance_without_its_agent_is_still_shown() -> None:
    """A missing field costs no answer."""
    async with recorded() as (recorder, pre):
        recorder.answers[f"GET /api/v1/agent_instance/{INSTANCE}"] = details({"id": INSTANCE, "status": "active"})
        assert (await pre.do(f"status pre:instance/{INSTANCE}")).summary == "The instance is active."
        recorder.answers["GET /api/v1/agent_instance"] = listed({"id": INSTANCE}, key="details")
        done = await pre.do(f"history pre:{ID}")
        assert done.table is not None
        assert done.table.rows[0][1] == "unknown (nothing)"
