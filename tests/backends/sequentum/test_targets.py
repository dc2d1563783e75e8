"""From what a person writes to the one thing that is meant, and what a rule sees of it."""

from __future__ import annotations

import pytest

from bot.core.errors import BadReply, BadRequest, CredentialRefused, NoSuchTarget

from .support import (
    AGENT,
    AGENT_REPLY,
    JOB,
    PATH,
    RUN,
    RUN_REPLY,
    SCHEDULE,
    SCHEDULE_REPLY,
    RecordingAcc,
    joined,
    said,
)


async def test_a_path_becomes_its_agent() -> None:
    """The id is the vendor's, the name and the scope are the path."""
    async with joined() as env:
        target = await env.target(PATH)
        assert (target.kind, target.id, target.name, target.group) == ("agent", AGENT, PATH, AGENT)
        assert (target.scope, target.text) == (f"acc:{PATH}", f"acc:{PATH}")


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("shop/quick", "agentPath=shop/quick"),
        ("my shop/quick", "agentPath=my%20shop/quick"),
        ("a&b=c#d+e%f/quick", "agentPath=a%26b%3Dc%23d%2Be%25f/quick"),
        ("börse/quick", "agentPath=b%C3%B6rse/quick"),
    ],
)
async def test_a_path_is_encoded_with_its_slashes_plain(path: str, raw: str) -> None:
    """Slashes stay, everything else that means something in an address is encoded."""
    async with joined() as env:
        assert (await env.backend.resolve(_ref(path), None)).name == path
        assert env.acc.seen[0].query == raw


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "shop/..", "../quick", "shop//quick", "/quick", "quick/", "a\\quick", "a\nb", "a\x00b",
     "shop/qu\u200bick", "shop/\u202equick", "shop/ quick"],
)  # fmt: skip
async def test_a_path_that_could_mean_another_is_refused_unsent(path: str) -> None:
    """Climbing, empty and invisible parts are refused before anything is asked."""
    async with joined() as env:
        with pytest.raises(BadRequest):
            await env.backend.resolve(_ref(path), None)
        assert not env.acc.seen


@pytest.mark.parametrize("typed", ["sequentum/Test2/Quick", "Sequentum/test2/quick", "SEQUENTUM/TEST2/QUICK"])
async def test_an_agent_has_one_name_however_it_is_typed(typed: str) -> None:
    """The last part is spelled as in the ACC, the folders as the configuration does or as they were first used."""
    async with joined(agents=[PATH]) as env:
        assert (await env.target(typed)).text == f"acc:{PATH}"
    async with joined() as env:
        await env.target(PATH)
        assert (await env.target(typed)).text == f"acc:{PATH}"
        assert (await env.target(AGENT)).text == f"acc:{PATH}"


async def test_an_answer_for_another_agent_is_refused() -> None:
    """A path that leads to an agent of another name must not run that agent."""
    async with joined() as env:
        with pytest.raises(NoSuchTarget, match="it is called `sequentum/Test2/quick`"):
            await env.target("sequentum/Test2/slow")


async def test_an_unknown_agent_is_no_target() -> None:
    """The ACC's 404 is told with the path that was asked."""
    acc = RecordingAcc({("GET", "/api/agent"): said({"message": "no"}, 404)})
    async with joined(acc) as env:
        with pytest.raises(NoSuchTarget, match="acc found nothing for agent `shop/x`"):
            await env.target("shop/x")


async def test_an_id_counts_as_its_path_where_that_is_known() -> None:
    """An agent's id and its runs are seen by rules as the agent's path, once that was seen and still leads there."""
    async with joined() as env:
        await env.target(PATH)
        agent, run, job = [await env.target(text) for text in (AGENT, f"run/{RUN}", f"jobrun/{JOB}")]
        assert {target.scope for target in (agent, run, job)} == {f"acc:{PATH}"}
        assert (run.parent, run.parent_name, run.group, run.text) == (AGENT, PATH, AGENT, f"acc:run/{RUN}")
        assert job.kind == "jobrun"


async def test_an_id_without_a_known_path_has_no_scope() -> None:
    """Only a rule for the whole backend covers what cannot be named."""
    async with joined() as env:
        agent, run = await env.target(AGENT), await env.target(f"run/{RUN}")
        assert (agent.id, agent.scope, run.scope, run.group) == (AGENT, None, None, AGENT)


async def test_a_path_that_now_leads_elsewhere_lends_no_scope() -> None:
    """A remembered path is asked again: a run of a moved agent does not keep the rules of the old place."""
    async with joined() as env:
        await env.target(PATH)
        env.acc.answers["GET", "/api/agent"] = said({**AGENT_REPLY, "agentId": "another-0-0"})
        assert (await env.target(f"run/{RUN}")).scope is None
        env.acc.answers["GET", "/api/agent"] = said({}, 404)
        assert (await env.target(AGENT)).scope is None


async def test_an_id_that_does_not_exist_is_no_target() -> None:
    """Runs, job runs and agents by id are asked for."""
    async with joined() as env:
        for text in ("run/nope", "jobrun/nope", AGENT.replace("a2f", "b2f")):
            with pytest.raises(NoSuchTarget):
                await env.target(text)


async def test_an_answer_about_another_run_is_a_bad_reply() -> None:
    """What was asked for is what is acted on, or nothing."""
    acc = RecordingAcc({("GET", f"/api/run/{RUN}"): said({**RUN_REPLY, "agentRunHistoryId": "other"})})
    async with joined(acc) as env:
        with pytest.raises(BadReply):
            await env.target(f"run/{RUN}")


async def test_schedules_are_known_by_their_agents_list() -> None:
    """A listed schedule counts as its agent; one never seen has no scope; one that is gone is no target."""
    async with joined() as env:
        stranger = await env.target(f"schedule/{SCHEDULE}")
        assert (stranger.scope, stranger.group) == (None, "")
        await env.do("schedules", PATH)
        known = await env.target(f"schedule/{SCHEDULE}")
        assert (known.scope, known.parent, known.group) == (f"acc:{PATH}", AGENT, AGENT)
        env.acc.answers["GET", f"/api/job/{AGENT}/schedules"] = said([{**SCHEDULE_REPLY, "scheduleId": "s2"}])
        with pytest.raises(NoSuchTarget) as caught:
            await env.target(f"schedule/{SCHEDULE}")
        assert caught.value.nearest == ("schedule/s2",)


async def test_selectors_pick_the_newest_run_of_that_sort() -> None:
    """@last, @failed and @running look at the history; the kind tells runs from job runs."""
    runs = [{**RUN_REPLY, "agentRunHistoryId": f"r{i}", "status": status} for i, status in enumerate((4, 2, 7, 5))]
    acc = RecordingAcc({("GET", f"/api/agent/{AGENT}/history"): said(runs)})
    async with joined(acc) as env:
        picked = [(await env.target(f"{PATH}@{word}")).id for word in ("last", "running", "failed")]
        assert picked == ["r0", "r1", "r2"]
        job = await env.backend.resolve(_ref(PATH, "last"), "jobrun")
        assert (job.kind, job.id, job.scope) == ("jobrun", JOB, f"acc:{PATH}")
        with pytest.raises(NoSuchTarget, match="no failed job run"):
            await env.backend.resolve(_ref(PATH, "failed"), "jobrun")
        with pytest.raises(BadRequest):
            await env.backend.resolve(_ref(SCHEDULE, "last"), "schedule")


async def test_servers_come_from_the_configuration_alone() -> None:
    """A configured name is a target with its own scope; any other is none, and nothing is asked."""
    async with joined() as env:
        server = await env.target("server/crawl-1")
        assert (server.scope, server.id) == ("acc:server/crawl-1", "crawl-1")
        with pytest.raises(NoSuchTarget) as caught:
            await env.target("server/10.0.0.1")
        assert caught.value.nearest == ("server/crawl-1",)
        assert not env.acc.seen


async def test_a_refused_token_is_said_so() -> None:
    """401 on the lookup is about the credential, not about the target."""
    async with joined(RecordingAcc({("GET", "/api/agent"): said({"message": "expired"}, 401)})) as env:
        with pytest.raises(CredentialRefused):
            await env.target(PATH)


async def test_known_agents_and_servers_are_listed() -> None:
    """The vendor has no list: what was seen, what is configured, and the servers."""
    acc = RecordingAcc()
    async with joined(acc, agents=[PATH]) as env:
        assert [named.text for named in await env.backend.targets()] == [f"acc:{PATH}", "acc:server/crawl-1"]
        count = len(acc.seen)
        assert [named.target.id for named in await env.backend.targets()] == [AGENT, "crawl-1"]
        assert len(acc.seen) == count + 1, "one agent, to learn whether the ACC answers"


def _ref(path: str, selector: str | None = None):  # type: ignore[no-untyped-def]
    from bot.core.command.target_ref import TargetRef  # noqa: PLC0415

    return TargetRef(backend="acc", path=path, selector=selector)
