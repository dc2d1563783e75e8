"""What is sent again, how often and when, and what never is."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.core.errors import CallProblem, Lost, NoSuchTarget, Problem, RateLimited, Rejected, ServerError

from .support import FakeClock, Handler, always, client_of, drop, in_turn, ok, serving


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_repeat_safe_call_is_tried_three_times_at_most(status: int) -> None:
    """Passing refusals are tried again when the caller allows it, with growing pauses, and then given up."""
    clock = FakeClock()
    async with (
        serving(always(lambda: web.Response(status=status))) as server,
        client_of(server.base_url, clock=clock) as client,
    ):
        with pytest.raises((RateLimited, ServerError)):
            await client.call("POST", "/off", idempotent=True)
    assert len(server.seen) == 3
    assert clock.slept == pytest.approx([0.3, 0.5])


async def test_retry_after_is_honoured_up_to_a_cap() -> None:
    """The server's pause is kept; one that is too long ends the tries and is told to the caller."""
    clock = FakeClock()
    short = lambda: web.Response(status=429, headers={"Retry-After": "7"})  # noqa: E731
    async with serving(in_turn(short, ok)) as server, client_of(server.base_url, clock=clock) as client:
        assert (await client.call("GET", "/x", idempotent=True)).status == 200
    assert clock.slept == [7.0]
    long = lambda: web.Response(status=429, headers={"Retry-After": "Sun, 22 Nov 2026 13:00:07 GMT"})  # noqa: E731
    clock = FakeClock()
    async with serving(always(long)) as server, client_of(server.base_url, clock=clock) as client:
        with pytest.raises(RateLimited) as caught:
            await client.call("GET", "/x", idempotent=True)
    assert caught.value.retry_after == 3607.0
    assert clock.slept == []
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500])
async def test_settled_refusals_are_not_tried_again(status: int) -> None:
    """An answer that would be the same again is not asked for again."""
    async with serving(always(lambda: web.Response(status=status))) as server, client_of(server.base_url) as client:
        with pytest.raises(CallProblem):
            await client.call("GET", "/x", idempotent=True)
    assert len(server.seen) == 1


async def test_a_repeat_safe_call_survives_one_dropped_connection() -> None:
    """A broken connection is tried again when the caller allows it."""
    turns = [drop, always(ok)]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return await (turns.pop(0) if len(turns) > 1 else turns[0])(request)

    async with serving(handler) as server, client_of(server.base_url) as client:
        assert (await client.call("POST", "/off", idempotent=True)).status == 200


async def test_a_call_that_was_sent_stays_lost_when_its_repeat_cannot_connect() -> None:
    """NotSent is never said of a call of which an earlier attempt was written."""
    async with serving(drop) as server, client_of(server.base_url) as client:
        port = server.port

        async def gone(request: web.BaseRequest) -> web.StreamResponse:
            await listener.stop()
            return await drop(request)

        runner = web.ServerRunner(web.Server(gone))
        await runner.setup()
        listener = web.TCPSite(runner, "127.0.0.1", 0)
        await listener.start()
        port = runner.addresses[0][1]
        with pytest.raises(Lost):
            await client.call("POST", "/off", idempotent=True, base_url=f"http://127.0.0.1:{port}")
        await runner.cleanup()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429])
@pytest.mark.parametrize(("first", "problem"), [(None, Lost), (503, ServerError)])
async def test_a_change_that_may_be_done_is_not_refused_by_its_repeat(
    first: int | None, problem: type[CallProblem], status: int
) -> None:
    """The first try's problem stays, and tells what the later one said; of a read, only the last answer counts."""
    for method, reads, kind in (("PATCH", False, problem), ("GET", False, Rejected), ("POST", True, Rejected)):
        turns = [drop if first is None else always(lambda: web.Response(status=503))]

        async def handler(request: web.BaseRequest, turns: list[Handler] = turns) -> web.StreamResponse:
            return await (turns.pop() if turns else always(lambda: web.Response(status=status, text="not now")))(
                request
            )

        async with serving(handler) as server, client_of(server.base_url) as client:
            with pytest.raises(kind, match="not now") as caught:
                await client.call(method, "/off", idempotent=True, reads=reads)
        assert caught.value.status == status


@pytest.mark.parametrize(("page", "problem"), [("no such agent", NoSuchTarget), ("<html>", ServerError)])
async def test_what_is_gone_at_the_repeat_of_a_change_is_gone(page: str, problem: type[Problem]) -> None:
    """An answer about the target counts; a web page may come from another server, so it says nothing."""
    handler = in_turn(lambda: web.Response(status=503), lambda: web.Response(status=404, text=page))
    async with serving(handler) as server, client_of(server.base_url) as client:
        with pytest.raises(problem):
            await client.call("DELETE", "/a1", idempotent=True, missing="agent a1")


async def test_a_call_that_may_not_be_repeated_has_its_own_connection() -> None:
    """A stale pooled connection can lose a reply; so the dangerous call never rides on one, and reads do."""
    async with serving(always(ok)) as server, client_of(server.base_url) as client:
        for _ in range(2):
            await client.call("GET", "/read", idempotent=True)
        for _ in range(2):
            await client.call("POST", "/start")
    reads = {seen.peer for seen in server.seen if seen.path == "/read"}
    starts = {seen.peer for seen in server.seen if seen.path == "/start"}
    assert len(reads) == 1
    assert len(starts) == 2
    assert not reads & starts
