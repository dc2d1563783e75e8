"""What exactly is sent to the agent for each row: method, path, query, body, and the token on every call."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from bot.backends.resilio import PLUGIN
from bot.core.errors import CredentialRefused, Rejected
from tests.backends.kit import said

from .support import CLIENT, TOKEN, on_plane, recorded

T = f"token={TOKEN}"
FETCH = "GET /api/v3/token"
STATE = f"GET /api/v3/client?{T}"
RUNS = f"GET /api/v3/runs?{T}"
RUN = f"GET /api/v3/runs/543?{T}"
TAGS = f"GET /api/v3/tags?{T}"

ROWS = [
    ("status res:", [STATE, STATE, RUNS]),
    ("status res:run/543", [STATE, RUN, RUN]),
    ("history res", [STATE, RUNS]),
    ("pause res:", [STATE, f"PATCH /api/v3/client?paused=true&{T}", STATE]),
    ("pause res: for=1m", [STATE, f"PATCH /api/v3/client?paused=true&resume_timer=60&{T}", STATE]),
    ("resume res:", [STATE, f"PATCH /api/v3/client?paused=false&{T}", STATE]),
    ("tags res:", [STATE, TAGS]),
    (
        'tag res: TAG_NAME=TAG_VALUE ring="two & three"',
        [
            STATE,
            (
                f'PATCH /api/v3/tags?{T} {{"tags": [{{"name": "TAG_NAME", "value": "TAG_VALUE"}}, '
                '{"name": "ring", "value": "two & three"}]}'
            ),
            TAGS,
        ],
    ),
]


@pytest.mark.parametrize(("typed", "expected"), ROWS, ids=[row[0] for row in ROWS])
async def test_each_row_sends_exactly_this(typed: str, expected: list[str]) -> None:
    """A typed command becomes these requests, in this order; the token is fetched once before them."""
    async with recorded() as (recorder, res):
        await res.do(typed)
        assert recorder.wire() == [FETCH, *expected]


async def test_the_restart_has_the_body_of_the_seed_as_json_and_is_sent_once() -> None:
    """The sample's single quotes are put right, and the token goes with it although the sample leaves it out."""
    async with recorded() as (recorder, res):
        await res.do("restart res:")
        sent = [seen for seen in recorder.seen if seen.method == "PATCH"]
        assert [(seen.raw_path, seen.body) for seen in sent] == [(f"/api/v3/client?{T}", b'{"restart": true}')]
        assert sent[0].headers["content-type"] == "application/json"


async def test_every_row_is_tested_on_the_wire() -> None:
    """No row of the catalog is left out."""
    async with recorded() as (_, res):
        tested = set()
        for typed in [*(row[0] for row in ROWS), "restart res:"]:
            operation = await res.operation(typed)
            tested.add((operation.verb, operation.target.kind))
        assert tested == {(row.verb, row.target) for row in PLUGIN.spec.capabilities}


async def test_without_token_auth_no_token_is_fetched_or_sent() -> None:
    """`client_api_token_auth=false` in the agent's profile."""
    async with recorded(token_auth=False) as (recorder, res):
        for typed, _ in ROWS:
            await res.do(typed)
        assert not [seen for seen in recorder.seen if "token" in seen.raw_path]
        assert (await res.backend.health()).credential == "no token (token_auth = false)"


async def test_many_callers_share_one_fetch() -> None:
    """Twenty at once, one token."""
    async with recorded() as (recorder, res):
        await asyncio.gather(*(res.do("status res:") for _ in range(20)))
        assert [seen.path for seen in recorder.seen].count("/api/v3/token") == 1


@pytest.mark.parametrize("refusal", [401, 403])
async def test_a_refused_token_is_fetched_again_once(refusal: int) -> None:
    """It changed under us: the same command goes through with the new one."""
    async with on_plane(refusal=refusal) as (plane, res):
        await res.do("status res:")
        plane.rotate_token()
        await asyncio.gather(*(res.do("pause res:", f"r-{number}") for number in range(5)))
        fetched = [request for request in plane.requests if request.raw_path == "/api/v3/token"]
        assert len(fetched) == 2
        assert plane.paused


@pytest.mark.parametrize("refusal", [401, 403])
async def test_a_token_that_is_refused_for_good_is_not_fetched_for_ever(refusal: int) -> None:
    """One new token, one more try, then the refusal."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/client"] = said({}, refusal)
        with pytest.raises(CredentialRefused):
            await res.target("res:")
        assert [seen.path for seen in recorder.seen] == ["/api/v3/token", "/api/v3/client"] * 2


async def test_other_statuses_can_be_taken_for_a_refused_token() -> None:
    """Nobody documents which it is, so it can be set."""
    async with on_plane(refusal=400, settings={"refused_statuses": [400]}) as (plane, res):
        await res.do("status res:")
        plane.rotate_token()
        await res.do("status res:")
    async with on_plane(refusal=400) as (plane, res):
        await res.do("status res:")
        plane.rotate_token()
        with pytest.raises(Rejected):
            await res.do("status res:")


async def test_a_change_is_answered_by_any_success() -> None:
    """The seed shows no reply to pause and restart: nothing, text and 204 are all fine."""
    async with recorded() as (recorder, res):
        for answer in (web.Response(), web.Response(text="OK"), web.Response(status=204)):
            status, text = answer.status, answer.text
            recorder.answers["PATCH /api/v3/client"] = lambda _, s=status, t=text: web.Response(
                status=s, text=t or None
            )
            recorder.answers["GET /api/v3/client"] = said({**CLIENT, "paused": True})
            assert (await res.do("pause res:")).summary == "The agent is paused until you run `resume`."
