"""The last check before a request leaves: a replica that another one may have replaced sends nothing anymore."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.core.errors import Lost, NotSent

from .support import always, client_of, in_turn, ok, serving


@pytest.mark.parametrize("idempotent", [True, False])
async def test_no_byte_leaves_when_another_replica_may_have_taken_over(idempotent: bool) -> None:
    async with serving(always(ok)) as server, client_of(server.base_url, may_send=lambda: False) as client:
        with pytest.raises(NotSent):
            await client.call("POST", "/start", json={"a": 1}, idempotent=idempotent)
    assert server.seen == []


async def test_a_repeated_attempt_that_is_withheld_leaves_the_outcome_of_the_earlier_one_open() -> None:
    allowed = [True, False]
    busy = lambda: web.Response(status=503)  # noqa: E731
    async with (
        serving(in_turn(busy, ok)) as server,
        client_of(server.base_url, may_send=lambda: allowed.pop(0)) as client,
    ):
        with pytest.raises(Lost):
            await client.call("POST", "/off", idempotent=True)
    assert len(server.seen) == 1
