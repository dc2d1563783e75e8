"""Whatever goes wrong is told apart, and the token never shows."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from bot.backends.prefactor import PLUGIN
from bot.core.errors import Problem
from tests.backends.kit import everything_logged, joined
from tests.backends.problems import FAULTS, IDS, WHOLE, WHOLE_IDS

from .support import TOKEN, on_plane

READS = "GET /api/v1/agent/013"


@pytest.mark.parametrize(("fault", "problem"), WHOLE, ids=WHOLE_IDS)
async def test_each_fault_of_a_read_is_its_problem(fault: dict[str, Any], problem: type[Problem]) -> None:
    """A status that cannot be had is never an answer."""
    async with on_plane() as (plane, pre):
        agent = plane.add_agent("bot")
        operation = await pre.operation(f"status pre:{agent.agent_id}")
        await plane.set_fault(fault)
        with pytest.raises(problem):
            await pre.run(operation)


@pytest.mark.parametrize(("fault", "problem"), FAULTS, ids=IDS)
async def test_each_fault_of_a_change_is_its_problem_or_known_to_be_done(
    fault: dict[str, Any], problem: type[Problem]
) -> None:
    """With reads working again: what took effect is done, what did not is its problem, and nothing happens twice."""
    async with on_plane() as (plane, pre):
        agent = plane.add_agent("bot")
        operation = await pre.operation(f"retire pre:{agent.agent_id}")
        if fault["fault"] != "refuse":
            fault = {**fault, "match": "POST"}
        await plane.set_fault(fault)
        try:
            await pre.run(operation)
        except problem:
            assert not agent.retired
        else:
            assert agent.retired
        assert [deed.action for deed in plane.effects] in ([], ["retire"])


async def test_an_unheard_of_status_is_shown_as_unknown() -> None:
    """The fault of an enumeration that grew."""
    async with on_plane() as (plane, pre):
        agent = plane.add_agent("bot")
        await plane.set_fault({"fault": "unknown_enum", "match": READS})
        assert (await pre.do(f"status pre:{agent.agent_id}")).summary == "bot is unknown (SOMETHING_NEW)."


async def test_a_change_is_repeated_under_the_same_key_when_the_vendor_is_away_for_a_moment() -> None:
    """503 twice: three requests, one key, one deed."""
    async with on_plane() as (plane, pre):
        agent = plane.add_agent("bot")
        await plane.set_fault({"fault": "503", "times": 2, "match": "POST"})
        await pre.do(f"retire pre:{agent.agent_id}")
        sent = [request for request in plane.requests if request.method == "POST"]
        assert len(sent) == 3
        assert {request.body for request in sent} == {b'{"idempotency_key": "r-1"}'}
        assert len(plane.effects) == 1


async def test_the_token_shows_nowhere() -> None:
    """Not in reprs, logs at DEBUG, sentences or tracebacks, even when the vendor repeats it."""
    async with on_plane() as (plane, pre):
        plane.add_agent("bot", description=f"made with {TOKEN}")
        texts = [repr(pre.backend), repr(pre.backend._ctx), repr(pre.backend._ctx.settings)]
        with everything_logged() as lines:
            texts.append(repr(await pre.do("status pre:bot")))
            for fault in ("401", "500", "bad_json", "drop_before", "refuse"):
                await plane.set_fault({"fault": fault})
                try:
                    await pre.target("pre:bot")
                except Problem:
                    texts.append(traceback.format_exc())
                texts.append(repr(await pre.backend.health()))
                await plane.clear_faults()
        assert not [text for text in (*texts, *lines) if TOKEN in text]


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "two words"},
        {"token": ""},
        {"token": TOKEN, "base_url": ""},
        {"token": TOKEN, "base_url": "http://app.prefactorai.com"},
        {"token": TOKEN, "environment_id": ""},
        {"token": TOKEN, "password": "x"},
    ],
)
def test_settings_that_cannot_work_are_refused_without_showing_the_token(wrong: dict[str, str]) -> None:
    """At start, not at the first call."""
    with pytest.raises(ValueError, match="validation error") as no:
        PLUGIN.settings.model_validate({"name": "pre", "kind": "prefactor", **wrong})
    assert TOKEN not in str(no.value)


async def test_the_address_of_the_vendor_is_the_default() -> None:
    """Only a token is needed."""
    async with joined(PLUGIN, "pre", token=f" {TOKEN}\n") as pre:
        assert pre.backend._ctx.settings.base_url == "https://app.prefactorai.com"
        assert pre.backend._ctx.settings.token.get_secret_value() == TOKEN
