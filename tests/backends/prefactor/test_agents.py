"""Agents: both generations, names and ids, create once, errors by field, buttons for what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from bot.backends.prefactor import PLUGIN
from bot.core.errors import Ambiguous, BadReply, BadRequest, CredentialRefused, NoSuchTarget, Rejected
from bot.core.outcome import Done, Refused
from tests.backends.kit import facts_of, joined, said

from .support import ID, NEWER_AGENT, SEED_AGENT, TOKEN, details, listed, on_plane, recorded


async def test_the_seeds_own_agent_is_shown_whole() -> None:
    """Every field of the older generation, with counts that do not add up."""
    async with recorded() as (_, pre):
        done = await pre.do(f"status pre:{ID}")
        facts = facts_of(done)
        assert done.summary == "My Agent is pending."
        assert facts["Instances"] == "2 active, 5 complete; 10 in all"
        assert sorted(facts["Instances by status"].split(", ")) == [
            "0 cancelled", "0 failed", "0 pending", "10 total", "2 active", "5 complete", "5 finished"
        ]  # fmt: skip
        assert facts["Allowed now"] == "update, retire"
        assert facts["Environment"] == SEED_AGENT["environment_id"]
        assert facts["Version"] == SEED_AGENT["current_version_id"]
        assert facts["Schema version"] == SEED_AGENT["current_schema_version_id"]
        assert str(facts["Created"]) == "2024-01-01 00:00:00+00:00"
        assert "Description" not in facts


async def test_the_newer_generation_is_shown_whole() -> None:
    """Description, external identifier, owner, and the eighth counter."""
    async with recorded() as (recorder, pre):
        recorder.answers[f"GET /api/v1/agent/{ID}"] = details(NEWER_AGENT)
        facts = facts_of(await pre.do(f"status pre:{ID}"))
        assert facts["Instances"] == "3 complete, 1 terminated; 4 in all"
        assert (facts["Description"], facts["External identifier"]) == ("Reads invoices", "invoice-reader")
        assert facts["Owner"] == "013person"
        assert not {"Team", "Risk profile", "Environment", "Version"} & facts.keys()


async def test_null_versions_of_the_seed_are_left_out() -> None:
    """`current_version_id` may be null."""
    async with recorded() as (recorder, pre):
        agent = {**SEED_AGENT, "current_version_id": None, "current_schema_version_id": None}
        recorder.answers[f"GET /api/v1/agent/{ID}"] = details(agent)
        assert not {"Version", "Schema version"} & facts_of(await pre.do(f"status pre:{ID}")).keys()


@pytest.mark.parametrize("generation", ["seed", "newer"])
async def test_buttons_are_those_that_the_vendor_allows_now(generation: str) -> None:
    """retire for a pending agent, reinstate and delete for a retired one; update needs words and has no button."""
    async with on_plane(generation=generation) as (plane, pre):
        plane.add_agent("bot")
        first = await pre.do("status pre:bot")
        assert [step.verb for step in first.next] == ["history", "retire", "delete"]
        retired = await pre.do("retire pre:bot")
        assert [step.verb for step in retired.next] == ["history", "reinstate", "delete"]
        assert retired.summary == "bot is retired."
        back = await pre.do("reinstate pre:bot")
        assert "retire" in [step.verb for step in back.next]


async def test_without_available_actions_there_are_no_such_buttons() -> None:
    """What the vendor does not say is not offered."""
    async with recorded() as (recorder, pre):
        recorder.answers[f"GET /api/v1/agent/{ID}"] = details({"id": ID, "name": "My Agent", "status": "active"})
        done = await pre.do(f"status pre:{ID}")
        assert [step.verb for step in done.next] == ["history"]
        assert facts_of(done)["Allowed now"] == "not reported"
        assert facts_of(done)["Instances"] == "not reported"


async def test_an_unknown_status_is_said_to_be_unknown() -> None:
    """Never a success."""
    async with recorded() as (recorder, pre):
        recorder.answers[f"GET /api/v1/agent/{ID}"] = details({**SEED_AGENT, "status": "hibernating"})
        assert (await pre.do(f"status pre:{ID}")).summary == "My Agent is unknown (hibernating)."
        assert await pre.backend.state_of(await pre.target(f"pre:{ID}")) == "unknown (hibernating)"


@pytest.mark.parametrize("generation", ["seed", "newer"])
async def test_a_name_is_found_on_any_page(generation: str) -> None:
    """The list is read to its end, a hundred at a time."""
    async with on_plane(generation=generation) as (plane, pre):
        agents = [plane.add_agent(f"bot-{number}") for number in range(230)]
        target = await pre.target("pre:bot-3")
        assert (target.id, target.scope, target.kind) == (agents[3].agent_id, "pre:bot-3", "agent")
        assert len(plane.requests) == 3
        assert len(await pre.backend.targets()) == 230


async def test_an_id_is_read_directly_and_is_no_way_round_a_name() -> None:
    """Rules see the name of the agent, however it was written."""
    async with on_plane() as (plane, pre):
        agent = plane.add_agent("invoice-reader")
        target = await pre.target(f"pre:{agent.agent_id}")
        assert (target.scope, target.name) == ("pre:invoice-reader", "invoice-reader")
        assert len(plane.requests) == 1


async def test_two_agents_of_one_name_are_told_apart_by_id() -> None:
    """A name is not unique with this vendor."""
    async with on_plane() as (plane, pre):
        one, two = plane.add_agent("bot"), plane.add_agent("bot")
        with pytest.raises(Ambiguous) as told:
            await pre.target("pre:bot")
        assert sorted(told.value.candidates) == sorted([f"pre:{one.agent_id}", f"pre:{two.agent_id}"])
        texts = {named.text for named in await pre.backend.targets()}
        assert texts == set(told.value.candidates)


async def test_every_listed_text_leads_back_to_its_agent() -> None:
    """Names with blanks, quotes, prefixes, or the look of an id are written so that they mean that agent."""
    async with on_plane() as (plane, pre):
        for name in ("My Agent", 'the "best"', "new/one", "instance/x", "a" * 32, "bot@last", "<!channel> & co"):
            plane.add_agent(name)
        for named in await pre.backend.targets():
            assert (await pre.target(named.text)).id == named.target.id


async def test_a_name_in_other_letters_is_not_taken_for_it() -> None:
    """Upper and lower case count, and a create beside it must be asked for in so many words."""
    async with on_plane() as (plane, pre):
        plane.add_agent("Invoice-Reader")
        with pytest.raises(NoSuchTarget) as told:
            await pre.target("pre:invoice-reader")
        assert told.value.nearest == ("pre:Invoice-Reader",)
        assert "upper and lower case" in told.value.hint
        assert (await pre.do("create pre:new/invoice-reader")).summary.startswith("invoice-reader is created")


async def test_a_new_name_is_a_target_for_create_alone() -> None:
    """Any other verb answers that there is no such agent, with those that sound like it, and sends no change."""
    async with on_plane() as (plane, pre):
        plane.add_agent("invoice-reader")
        target = await pre.target("pre:invoice-raeder")
        assert (target.kind, target.id, target.scope) == ("agent", "new/invoice-raeder", "pre:invoice-raeder")
        assert await pre.backend.state_of(target) == "does not exist"
        for verb in ("status", "history", "retire", "reinstate", "delete", "set"):
            typed = f"{verb} pre:invoice-raeder" + (" team_id=t-1" if verb == "set" else "")
            told = await pre.outcome(typed)
            assert isinstance(told, Refused)
            assert told.code == "no_such_target"
            assert [(step.verb, step.target) for step in told.next] == [(verb, "pre:invoice-reader")]
            with pytest.raises(NoSuchTarget):
                await pre.backend.preflight(await pre.operation(typed))
        assert {request.method for request in plane.requests} == {"GET"}


async def test_an_approval_for_one_new_name_is_not_good_for_another() -> None:
    """The target's id, which the digest covers, holds the name."""
    async with on_plane() as (_, pre):
        assert (await pre.target("pre:one")).id != (await pre.target("pre:two")).id


async def test_an_id_that_does_not_exist_is_no_new_name() -> None:
    """A mistyped id must not become an agent with that name."""
    async with on_plane() as (plane, pre):
        plane.add_agent("bot")
        with pytest.raises(NoSuchTarget):
            await pre.target(f"pre:{ID}")


@pytest.mark.parametrize("path", ["", '" bot"', '"bot\u200b"', '"a\u202eb"', "x" * 256])
async def test_names_that_cannot_be_one_are_refused_at_once(path: str) -> None:
    """Nothing, blanks around it, invisible characters, and too long."""
    async with recorded() as (recorder, pre):
        with pytest.raises(BadRequest):
            await pre.target(f"pre:{path}")
        assert recorder.seen == []


async def test_repeated_delivery_makes_one_agent() -> None:
    """The same request sent again, and its answers lost on the way, end in one agent."""
    async with on_plane() as (plane, pre):
        operation = await pre.operation('create pre:invoice-bot description="Reads"')
        await plane.set_fault({"fault": "drop_after", "times": 2, "match": "POST /api/v1/agent"})
        first = await pre.run(operation)
        second = await pre.run(operation)
        assert isinstance(first, Done)
        assert isinstance(second, Done)
        assert first.backend_ref == second.backend_ref
        assert [deed.action for deed in plane.effects] == ["create"]
        assert len(plane.agents) == 1


async def test_create_of_a_name_that_exists_is_refused() -> None:
    """Both ways of writing it; nothing is sent."""
    async with on_plane() as (plane, pre):
        plane.add_agent("bot")
        told = await pre.outcome("create pre:bot")
        assert isinstance(told, Refused)
        assert told.code == "already_exists"
        with pytest.raises(BadRequest) as no:
            await pre.target("pre:new/bot")
        assert no.value.code == "already_exists"
        assert plane.effects == []


async def test_a_create_whose_answers_are_all_lost_is_looked_up() -> None:
    """Three lost answers: the list shows the agent, so it is done, and says how that is known."""
    async with on_plane() as (plane, pre):
        await plane.set_fault({"fault": "drop_after", "match": "POST /api/v1/agent"})
        done = await pre.do("create pre:invoice-bot")
        assert done.backend_ref in plane.agents
        assert "The answer was unusable" in done.summary
        assert len(plane.agents) == 1


async def test_look_back_tells_created_from_not_created() -> None:
    """As the program asks after a restart: found, absent, or not to be told."""
    async with on_plane() as (plane, pre):
        operation = await pre.operation("create pre:bot")
        assert (await pre.backend.look_back(operation, pre.clock.now())).absent
        plane.add_agent("bot")
        found = (await pre.backend.look_back(operation, pre.clock.now())).found
        assert found is not None
        assert found.summary == "bot is created. This doesn't start any work."
        plane.add_agent("bot")
        unclear = await pre.backend.look_back(operation, pre.clock.now())
        assert (unclear.found, unclear.absent) == (None, False)
        assert unclear.hint == "Check `targets pre` before you create it again."


async def test_field_errors_stand_at_their_fields() -> None:
    """The vendor's map of fields becomes one fact a field."""
    async with on_plane() as (plane, pre):
        plane.add_agent("old", external_identifier="taken")
        told = await pre.outcome("create pre:bot external_identifier=taken")
        assert isinstance(told, Refused)
        assert told.code == "validation_errors"
        assert told.summary == "pre refused these fields: external_identifier has already been taken."
        assert facts_of(told) == {"Field external_identifier": "has already been taken"}
        again = await pre.outcome('set pre:old name=""')
        assert facts_of(again) == {"Field name": "can't be blank"}


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ({"name": ["is short", "is odd"]}, {"name": "is short; is odd"}),
        ({"details": {"name": ["can't be blank"]}}, {"name": "can't be blank"}),
        ([{"field": "team_id", "message": "is unknown"}], {"team_id": "is unknown"}),
        (["name is missing"], {"request": "name is missing"}),
        ("all wrong", {"request": "all wrong"}),
        ({"api_token": ["token=hunter2hunter2hunter2 is odd"]}, {"api_token": "token=[redacted] is odd"}),
        (None, {}),
    ],
)
async def test_errors_of_any_type_are_read(errors: object, expected: dict[str, str]) -> None:
    """The seed gives `errors` no type at all."""
    async with recorded() as (recorder, pre):
        body = {"status": "error", "code": "validation_errors", "errors": errors, "message": "Invalid."}
        recorder.answers["POST /api/v1/agent"] = said(body, 400)
        told = await pre.outcome("create pre:bot")
        assert isinstance(told, Refused)
        assert facts_of(told) == {f"Field {name}": wrong for name, wrong in expected.items()}


async def test_the_plain_error_shape_is_one_sentence() -> None:
    """The seed's first shape, with its own code."""
    async with recorded() as (recorder, pre):
        body = {"status": "error", "code": "bad_request", "message": "No such team"}
        recorder.answers["POST /api/v1/agent"] = said(body, 400)
        with pytest.raises(Rejected) as no:
            await pre.outcome("create pre:bot")
        assert no.value.summary == "pre refused the request (bad_request): No such team"


async def test_an_error_that_comes_with_200_is_an_error_too() -> None:
    """Both shapes stand under `default`, for any status."""
    async with recorded() as (recorder, pre):
        body = {"status": "error", "code": "bad_request", "message": "No"}
        recorder.answers["POST /api/v1/agent"] = said(body, 200)
        with pytest.raises(Rejected):
            await pre.outcome("create pre:bot")


async def test_retire_and_reinstate_twice_are_done() -> None:
    """`already` counts as done; a retirement that is not possible now is refused with the vendor's words."""
    async with on_plane() as (plane, pre):
        bot = plane.add_agent("bot")
        await pre.do("retire pre:bot", "r-1")
        assert (await pre.do("retire pre:bot", "r-2")).summary == "bot was already retired."
        await pre.do("reinstate pre:bot", "r-3")
        assert (await pre.do("reinstate pre:bot", "r-4")).summary == "bot was already reinstated."
        plane.add_instance(bot, "active")
        with pytest.raises(Rejected) as no:
            await pre.outcome("retire pre:bot", "r-5")
        assert (no.value.status, no.value.code) == (409, "invalid_action")
        assert "retire is not available" in no.value.summary


async def test_a_delete_whose_answer_was_lost_is_done() -> None:
    """The second try finds nothing, which is what was wanted."""
    async with on_plane() as (plane, pre):
        plane.add_agent("bot")
        await plane.set_fault({"fault": "drop_after", "times": 1, "match": "DELETE"})
        assert (await pre.do("delete pre:bot")).summary == "bot was already deleted."
        assert plane.agents == {}


async def test_a_delete_answered_by_nothing_is_not_taken_for_done() -> None:
    """An empty 200 proves nothing; the agent is still there, so it stays an unreadable answer."""
    async with on_plane() as (plane, pre):
        plane.add_agent("bot")
        await plane.set_fault({"fault": "empty", "match": "DELETE"})
        with pytest.raises(BadReply):
            await pre.outcome("delete pre:bot")
        assert len(plane.agents) == 1


async def test_set_says_what_it_changed_and_that_rules_follow_the_name() -> None:
    """A rename moves an agent under other rules."""
    async with on_plane(generation="newer") as (plane, pre):
        bot = plane.add_agent("bot", description="old")
        facts = dict(await pre.backend.preflight(await pre.operation("set pre:bot description=new")))
        assert facts["description"] == "old becomes new"
        done = await pre.do('set pre:bot name=robot description="a, b"')
        assert (bot.name, bot.description) == ("robot", "a, b")
        assert done.summary == "robot: description, name changed. It was called bot; rules now see the new name."


async def test_set_of_nothing_is_refused_before_it_is_sent() -> None:
    """With the fields that there are."""
    async with recorded() as (recorder, pre):
        with pytest.raises(BadRequest) as no:
            await pre.outcome(f"set pre:{ID}")
        assert "`name=`" in no.value.summary
        assert {seen.method for seen in recorder.seen} == {"GET"}


async def test_the_preflight_says_what_runs_and_what_is_not_allowed() -> None:
    """An approver sees instances and the vendor's own word."""
    async with on_plane() as (plane, pre):
        plane.add_instance(plane.add_agent("bot"), "active")
        facts = dict(await pre.backend.preflight(await pre.operation("retire pre:bot")))
        assert facts["State"] == "active"
        assert facts["Instances"] == "1 active; 1 in all"
        assert facts["Allowed now"] == "update"
        assert "doesn't allow retire now" in facts["Note"]
        new = dict(await pre.backend.preflight(await pre.operation("create pre:other")))
        assert new == {"Agents with that name": "none"}


async def test_health_tells_a_refused_token() -> None:
    """A revoked token is not ok, and its value is nowhere."""
    async with on_plane() as (plane, pre):
        good = await pre.backend.health()
        assert (good.ok, good.summary) == (True, "pre answers and accepts the token.")
        plane.token_state = "revoked"
        bad = await pre.backend.health()
        assert not bad.ok
        assert "revoked" in bad.summary
        with pytest.raises(CredentialRefused):
            await pre.target("pre:bot")


async def test_health_tells_when_the_token_ends() -> None:
    """By its id, or as the only active token; where several could be the one in use, that is said."""
    async with on_plane() as (plane, pre):
        assert (await pre.backend.health()).credential == "API token; its expiry can't be read"
        ours = plane.add_token()
        plane.add_token("revoked")
        health = await pre.backend.health()
        assert health.credential_ends is not None
        assert (health.credential_ends - pre.clock.now()).days == 30
        plane.add_token(ends_in=60)
        assert (await pre.backend.health()).credential_ends is None
        named = {"base_url": plane.base_url, "token": TOKEN, "token_id": ours["id"]}
        async with joined(PLUGIN, "pre", **named) as other:
            assert (await other.backend.health()).credential_ends == health.credential_ends
        await plane.set_fault({"fault": "500", "match": "api_token"})
        assert (await pre.backend.health()).ok


@pytest.mark.parametrize(
    ("status", "level"),
    [("active", "good"), ("pending", "good"), ("dormant", "good"), ("retired", "warn"), ("x", "unsure")],
)
async def test_the_card_of_an_agent_has_the_colour_of_its_status(status: str, level: str) -> None:
    """A status that is not documented is never good news."""
    async with recorded() as (recorder, pre):
        recorder.answers[f"GET /api/v1/agent/{ID}"] = details({**SEED_AGENT, "status": status})
        found = (await pre.do(f"status pre:{ID}")).state
        assert found is not None
        assert found.level == level


ODD_AGENTS: dict[str, Any] = {
    "counts as text": {**SEED_AGENT, "instance_counts": {"active": "many", "total": 10}},
    "counts as a list": {**SEED_AGENT, "instance_counts": [1]},
    "actions as a list": {**SEED_AGENT, "available_actions": ["retire"]},
    "a description that is an object": {**SEED_AGENT, "description": {"text": "x"}},
    "a status that is an object": {**SEED_AGENT, "status": {"name": "active"}},
    "a date that is a number": {**SEED_AGENT, "inserted_at": 1_704_067_200},
}


@pytest.mark.parametrize("odd", ODD_AGENTS.values(), ids=ODD_AGENTS)
async def test_an_odd_field_or_row_stops_no_command(odd: Any) -> None:
    """Status, changes and the list of targets work with what can be read."""
    async with recorded() as (recorder, pre):
        recorder.answers["GET /api/v1/agent"] = listed(
            None, odd, {"name": "no id"}, {"id": "013other", "name": "Other"}
        )
        recorder.answers[f"GET /api/v1/agent/{ID}"] = details(odd)
        for command in (
            f"status pre:{ID}",
            'set pre:"My Agent" description=x',
            'retire pre:"My Agent"',
            "status pre:Other",
        ):
            if command.endswith("Other"):
                recorder.answers["GET /api/v1/agent/013other"] = details({"id": "013other", "name": "Other"})
            assert (await pre.do(command)).kind == "done", command
        assert [one.text for one in await pre.backend.targets()] == ['pre:"My Agent"', "pre:Other"]


async def test_a_name_that_may_be_in_a_row_that_cannot_be_read_is_not_called_absent() -> None:
    """A lost create is then unknown, not failed."""
    async with recorded() as (recorder, pre):
        operation = await pre.operation("create pre:bot")
        recorder.answers["GET /api/v1/agent"] = listed({"id": "013x", "name": {"en": "bot"}})
        back = await pre.backend.look_back(operation, pre.clock.now())
        assert (back.found, back.absent) == (None, False)
        assert back.hint == "Check `targets pre` before you create it again."


async def test_a_list_whose_pages_do_not_go_on_ends() -> None:
    """A server that always names the same next page is not followed for ever."""
    async with recorded() as (recorder, pre):
        page = {"status": "success", "details": [SEED_AGENT], "pagination": {"next_page_offset": 0}}
        recorder.answers["GET /api/v1/agent"] = said(page)
        with pytest.raises(BadReply):
            await pre.target("pre:bot")


async def test_a_list_under_the_older_name_is_read() -> None:
    """`details` in place of `summaries`, and without paging."""
    async with recorded() as (recorder, pre):
        recorder.answers["GET /api/v1/agent"] = said({"status": "success", "details": [SEED_AGENT]})
        assert (await pre.target('pre:"My Agent"')).id == ID
        recorder.answers["GET /api/v1/agent"] = listed(NEWER_AGENT)
        assert (await pre.target('pre:"My Agent"')).id == ID
