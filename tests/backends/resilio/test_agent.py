"""The agent: status in words, pause with its own timer, restart without a reply, tags."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.core.errors import BadRequest, CredentialRefused, Lost, NoSuchTarget, NotSent, Rejected
from bot.core.outcome import Done, Unknown
from tests.backends.kit import facts_of, said
from tests.http_client.support import NOON

from .support import CLIENT, on_plane, recorded


async def test_the_seeds_status_is_shown_whole() -> None:
    """Connection in words, last seen as a time, and `restartRequired` though it is a text."""
    async with recorded() as (_, res):
        done = await res.do("status res:")
        facts = facts_of(done)
        assert done.summary == "AgentName is connected to its Management Console. It needs a restart."
        assert facts["Connection"] == "connected to its Management Console"
        assert facts["Management Console"] == "management_console.com"
        assert str(facts["Last seen by it"]) == "2023-12-19 11:36:36+00:00"
        assert (facts.get("Paused"), facts["Restart required"], facts["Device"]) == (None, "yes", "EA...JA")
        assert facts["Runs"] == "1: 1 syncing"
        assert [step.verb for step in done.next] == ["restart", "pause", "history"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("NOT_CONFIGURED", "not set up: it belongs to no Management Console"),
        ("NOT_CONNECTED", "not connected to its Management Console"),
        ("CONNECTING", "connecting to its Management Console"),
        ("CONNECTED", "connected to its Management Console"),
        ("PENDING_APPROVAL", "connected, waiting to be approved or declined in the Management Console"),
        ("DECLINED", "declined by the Management Console"),
        ("STOPPED", "stopped: its host has no network"),
        ("WAITING_FOR_INCOMING_CONNECTION", "waiting for an incoming connection (proxy server mode)"),
        ("HYPERSPACE", "unknown (HYPERSPACE)"),
    ],
)
async def test_every_connection_state_is_told_in_words(state: str, words: str) -> None:
    """All eight of the seed, and one that it does not know."""
    async with on_plane() as (plane, res):
        plane.server_state = state
        assert facts_of(await res.do("status res:"))["Connection"] == words


@pytest.mark.parametrize("required", ["true", True])
async def test_restart_required_is_read_as_text_and_as_boolean(required: Any) -> None:
    """And its absence means no."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/client"] = said({**CLIENT, "restartRequired": required})
        assert facts_of(await res.do("status res:"))["Restart required"] == "yes"
        bare = {key: value for key, value in CLIENT.items() if key not in ("restartRequired", "server")}
        recorder.answers["GET /api/v3/client"] = said(bare)
        facts = facts_of(await res.do("status res:"))
        assert (facts.get("Restart required"), facts["Connection"]) == (None, "unknown (nothing)")


async def test_the_backend_alone_is_the_agent() -> None:
    """`res:`, `res`, its name and its device id mean it, and rules see `res:`; another name is nothing."""
    async with on_plane() as (_, res):
        targets = [await res.target(text) for text in ("res:", "res", "res:warehouse-7")]
        targets.append(await res.target(f"res:{targets[0].id}"))
        assert len({target.model_dump_json() for target in targets}) == 1
        assert (targets[0].scope, targets[0].text, targets[0].name) == ("res:", "res:", "warehouse-7")
        with pytest.raises(NoSuchTarget) as no:
            await res.target("res:warehouse-8")
        assert no.value.nearest == ("res:",)


async def test_another_agent_behind_the_address_is_another_target() -> None:
    """A tunnel that leads elsewhere by now must not use an approval."""
    async with recorded() as (recorder, res):
        before = await res.target("res:")
        recorder.answers["GET /api/v3/client"] = said({**CLIENT, "deviceid": "EB...JB"})
        assert (await res.target("res:")).id != before.id


async def test_pause_with_a_time_uses_the_agents_own_timer() -> None:
    """It resumes by itself, whatever becomes of the bot."""
    async with on_plane() as (plane, res):
        done = await res.do("pause res: for=30m")
        assert plane.paused
        assert done.summary == "The agent is paused and resumes automatically after 30 min."
        assert facts_of(done)["Resumes at about"] == NOON + timedelta(minutes=30)
        assert res.row("pause", "agent").own_timer
        status = await res.do("status res:")
        assert status.summary == "warehouse-7 is paused, connected to its Management Console."
        assert status.next[0].verb == "resume"
        plane.clock.advance(1801)
        assert "Paused" not in facts_of(await res.do("status res:"))


async def test_pause_and_resume_without_a_time() -> None:
    """Until somebody says so."""
    async with on_plane() as (plane, res):
        await res.do("pause res:")
        plane.clock.advance(86_400)
        plane.tick()
        assert plane.paused
        assert (await res.do("resume res:")).summary == "The agent is resumed."
        assert not plane.paused


@pytest.mark.parametrize("lasts", ["0s", "32d"])
async def test_a_pause_is_for_seconds_that_the_timer_can_mean(lasts: str) -> None:
    """One second at least, and no further than `until=` reaches."""
    async with on_plane() as (plane, res):
        with pytest.raises(BadRequest):
            await res.operation(f"pause res: for={lasts}")
        assert not plane.paused


async def test_a_pause_that_does_not_show_is_told() -> None:
    """Accepted, and still not paused."""
    async with recorded() as (_, res):
        assert "still reports that it is not paused" in (await res.do("pause res:")).summary


async def test_a_restart_is_followed_until_the_agent_answers_with_a_new_token() -> None:
    """Its reply never comes; it is sent once, and the asker hears of the wait."""
    async with on_plane() as (plane, res):
        plane.restart_required = True
        done = await res.do("restart res:")
        assert plane.restarts == 1
        assert "It answers again, with a new token" in done.summary
        assert "its reply was lost" in done.summary
        assert "Restart required" not in facts_of(done)
        assert res.call.told == ["The restart was sent; waiting for the agent to answer again"]
        assert [request.raw_path for request in plane.requests if request.method == "PATCH"] == ["/api/v3/client"]


async def test_a_restart_is_seen_without_tokens_too() -> None:
    """By its absence."""
    async with on_plane(token_auth=False, settings={"token_auth": False}, away=60) as (plane, res):
        restart = asyncio.create_task(res.do("restart res:"))
        while len(res.clock.slept) < 8:  # noqa: ASYNC110  it was asked twice, three times each; the clock sets no event
            await asyncio.sleep(0.001)
        await plane.clear_faults()
        done = await restart
        assert "It was unreachable and answers again" in done.summary
        assert plane.restarts == 1


async def test_a_restart_that_is_accepted_but_not_seen_says_so() -> None:
    """The agent goes on answering with the same token."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/client"] = said({**CLIENT, "restartRequired": "false"})
        done = await res.do("restart res:")
        assert done.summary == "The agent accepted the restart and answers, but it was not seen going down."
        assert 20 <= sum(res.clock.slept) <= 30


async def test_a_restart_whose_reply_is_lost_and_that_leaves_no_sign_is_lost() -> None:
    """Which the program makes unknown; it is not sent again, and cannot be looked up."""
    async with on_plane() as (plane, res):
        operation = await res.operation("restart res:")
        await plane.set_fault({"fault": "drop_before", "match": "PATCH"})
        with pytest.raises(Lost):
            await res.run(operation)
        assert plane.restarts == 0
        assert len([request for request in plane.requests if request.method == "PATCH"]) == 1
        back = await res.backend.look_back(operation, res.clock.now())
        assert (back.found, back.absent) == (None, False)
        assert "doesn't report how long" in back.evidence


async def test_an_agent_that_does_not_come_back_is_unknown() -> None:
    """Within the row's deadline."""
    async with on_plane(away=60) as (_, res):
        told = await res.outcome("restart res:")
        assert isinstance(told, Unknown)
        assert told.code == "not_back"
        assert sum(res.clock.slept) < res.row("restart", "agent").timeout


async def test_a_restart_that_the_agent_does_not_know_is_refused() -> None:
    """Before 4.1.0."""
    async with recorded() as (recorder, res):
        recorder.answers["PATCH /api/v3/client"] = lambda _: web.Response(status=400, text="Bad request")
        with pytest.raises(Rejected):
            await res.outcome("restart res:")
        assert res.call.told == []


async def test_a_token_refused_at_the_restart_itself_sends_nothing_twice() -> None:
    """It was refreshed right before, so this is a no."""
    async with recorded() as (recorder, res):
        recorder.answers["PATCH /api/v3/client"] = lambda _: web.Response(status=401)
        with pytest.raises(CredentialRefused):
            await res.outcome("restart res:")
        assert len([seen for seen in recorder.seen if seen.method == "PATCH"]) == 1


async def test_a_token_that_changed_since_is_renewed_before_a_restart() -> None:
    """An approval may take an hour."""
    async with on_plane() as (plane, res):
        operation = await res.operation("restart res:")
        plane.rotate_token()
        assert isinstance(await res.run(operation), Done)
        assert plane.restarts == 1


async def test_tags_are_listed_and_set() -> None:
    """The seed's two names, and then a third."""
    async with on_plane() as (plane, res):
        assert (await res.do("tags res:")).summary == "The agent has no tags."
        plane.tags.update({"NAME2": "VALUE2", "NAME1": "VALUE1"})
        done = await res.do("tags res:")
        assert done.table is not None
        assert done.table.rows == (("NAME1", "VALUE1"), ("NAME2", "VALUE2"))
        changed = await res.do("tag res: NAME1=new SITE=berlin")
        assert plane.tags == {"NAME2": "VALUE2", "NAME1": "new", "SITE": "berlin"}
        assert changed.summary == "Set: NAME1=new, SITE=berlin."


async def test_the_card_of_a_tag_says_what_it_can_move() -> None:
    """Groups and jobs in the effect, old and new values in the facts; danger."""
    async with on_plane() as (plane, res):
        plane.tags["SITE"] = "hamburg"
        row = res.row("tag", "agent")
        assert row.risk == "danger"
        assert "move the agent to other groups" in row.effect
        assert "pause" in row.effect
        facts = dict(await res.backend.preflight(await res.operation("tag res: SITE=berlin RING=2")))
        assert (facts["Tag SITE"], facts["Tag RING"]) == ("hamburg becomes berlin", "new: 2")
        assert facts["Runs"] == "none"


async def test_a_tag_without_words_is_refused_before_it_is_sent() -> None:
    """With an example."""
    async with recorded() as (recorder, res):
        with pytest.raises(BadRequest) as no:
            await res.outcome("tag res:")
        assert "tag res: SITE=berlin" in no.value.hint
        assert {seen.method for seen in recorder.seen} == {"GET"}


async def test_tags_that_cannot_be_read_back_are_still_set() -> None:
    """Setting is older (2.9.3) than listing (2.10.0)."""
    async with recorded() as (recorder, res):
        del recorder.answers["GET /api/v3/tags"]
        assert (await res.do("tag res: A=b")).summary == "Set: A=b. The tags couldn't be read back."
        with pytest.raises(NoSuchTarget) as no:
            await res.outcome("tags res:")
        assert "older than 2.10.0" in no.value.summary


async def test_an_older_agent_without_runs_still_has_a_status() -> None:
    """Runs are there from 3.0.0."""
    async with recorded() as (recorder, res):
        del recorder.answers["GET /api/v3/runs"]
        assert "older than 3.0.0" in facts_of(await res.do("status res:"))["Runs"]
        assert [named.text for named in await res.backend.targets()] == ["res:"]


async def test_health_tells_the_state_and_the_age_of_the_token() -> None:
    """And what to look at when nothing answers."""
    async with on_plane() as (plane, res):
        first = await res.backend.health()
        assert (first.ok, first.credential) == (True, "token, fetched just now")
        res.clock.advance(300)
        assert (await res.backend.health()).credential == "token, fetched 5 min ago"
        await plane.set_fault({"fault": "refuse"})
        down = await res.backend.health()
        assert not down.ok
        assert "connection refused" in down.summary
        assert "tunnel" in down.summary


async def test_an_agent_that_is_off_is_said_to_be_unreached() -> None:
    """With the three things that it can be."""
    async with on_plane() as (plane, res):
        await plane.set_fault({"fault": "refuse"})
        with pytest.raises(NotSent) as no:
            await res.target("res:")
        assert "tunnel" in no.value.hint


async def test_look_back_tells_a_pause_and_tags_from_the_agent() -> None:
    """As the program asks after a restart of the bot."""
    async with on_plane() as (plane, res):
        pause = await res.operation("pause res:")
        assert (await res.backend.look_back(pause, res.clock.now())).absent
        plane.paused = True
        assert (await res.backend.look_back(pause, res.clock.now())).found is not None
        tag = await res.operation("tag res: A=b")
        assert (await res.backend.look_back(tag, res.clock.now())).found is None
        plane.tags["A"] = "b"
        assert (await res.backend.look_back(tag, res.clock.now())).found is not None


async def test_the_state_of_the_agent_is_one_phrase() -> None:
    """Compared at approval and at dispatch."""
    async with on_plane() as (plane, res):
        target = await res.target("res:")
        assert await res.backend.state_of(target) == "connected to its Management Console"
        plane.paused = True
        assert await res.backend.state_of(target) == "paused, connected to its Management Console"
