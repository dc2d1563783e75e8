"""What a caller learns when something goes wrong, told apart exactly."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.core.errors import (
    CallProblem,
    CredentialRefused,
    Forbidden,
    Lost,
    NoSuchTarget,
    NotSent,
    RateLimited,
    Redirected,
    Rejected,
    ServerError,
)
from bot.http_client import Bearer, Credential, Session
from bot.http_client.transport import Tls, tls_context
from tests.ports import free_port
from tests.waiting import until

from .support import Agent, FakeClock, always, client_of, drop, in_turn, ok, serving

TOKEN = "playground-token-not-a-secret-9f8e7d6c"


async def test_a_refused_connection_is_not_sent() -> None:
    """Nothing listens: NotSent, which promises that nothing can have happened."""
    async with client_of(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(NotSent, match="connection refused"):
            await client.call("POST", "/start")


async def test_an_unknown_name_is_not_sent() -> None:
    """A name that does not resolve is NotSent."""
    async with client_of("http://nowhere.invalid") as client:
        with pytest.raises(NotSent):
            await client.call("POST", "/start")


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE"])
async def test_a_dropped_connection_is_lost_and_was_sent_once(method: str) -> None:
    """The server read the request and hung up: Lost, and never a second time, whatever the method."""
    async with serving(drop) as server, client_of(server.base_url) as client:
        with pytest.raises(Lost):
            await client.call(method, "/start", content=b"x" if method in ("POST", "PUT") else None)
        assert len(server.seen) == 1


async def test_a_cut_answer_is_lost() -> None:
    """Headers came and the body was cut off: Lost."""

    async def cut(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"agentRun')
        assert request.transport is not None
        request.transport.abort()
        return response

    async with serving(cut) as server, client_of(server.base_url) as client:
        with pytest.raises(Lost):
            await client.call("POST", "/start")
        assert len(server.seen) == 1


async def test_no_answer_in_time_is_lost() -> None:
    """The deadline passes after the request was written: Lost."""

    async def late(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    async with serving(late) as server, client_of(server.base_url) as client:
        with pytest.raises(Lost, match="no answer in time"):
            await client.call("POST", "/start", deadline=0.2)


async def test_a_drip_fed_answer_ends_at_the_deadline() -> None:
    """Bytes that keep coming do not extend the deadline."""

    async def drip(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)

    async with serving(drip) as server, client_of(server.base_url) as client:
        with pytest.raises(Lost):
            await client.call("GET", "/run", deadline=0.3)


async def test_waiting_for_a_slot_past_the_deadline_is_not_sent() -> None:
    """A call that never got its turn wrote nothing."""

    async def late(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(1)
        return web.Response()

    async with serving(late) as server, client_of(server.base_url, concurrency=1) as client:
        first = asyncio.create_task(client.call("POST", "/first", deadline=20))
        await until(lambda: server.seen)
        with pytest.raises(NotSent):
            await client.call("POST", "/second", deadline=0.2)
        await first
        assert [seen.path for seen in server.seen] == ["/first"]


async def test_no_more_calls_at_once_than_allowed() -> None:
    """The limit of concurrent requests of a backend holds."""
    now, most = 0, 0

    async def count(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return web.Response()

    async with serving(count) as server, client_of(server.base_url, concurrency=3) as client:
        await asyncio.gather(*(client.call("GET", f"/{i}", idempotent=i % 2 == 0) for i in range(12)))
    assert most == 3


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (400, Rejected),
        (401, CredentialRefused),
        (403, Forbidden),
        (404, Rejected),
        (409, Rejected),
        (422, Rejected),
        (429, RateLimited),
        (500, ServerError),
        (503, ServerError),
    ],
)
async def test_a_status_is_one_problem(status: int, problem: type[CallProblem]) -> None:
    """Each status has its class and keeps its number; nothing is sent twice without leave."""
    body = {"message": "The agent is busy."}
    async with (
        serving(always(lambda: web.json_response(body, status=status))) as server,
        client_of(server.base_url) as client,
    ):
        with pytest.raises(problem, match=r"The agent is busy\.") as caught:
            await client.call("POST", "/start")
    assert type(caught.value) is problem
    assert caught.value.status == status
    assert len(server.seen) == 1


async def test_a_404_of_a_named_thing_is_no_such_target() -> None:
    """With `missing`, a 404 says what does not exist."""
    async with serving(always(lambda: web.Response(status=404))) as server, client_of(server.base_url) as client:
        with pytest.raises(NoSuchTarget, match="acc has no run 17"):
            await client.call("GET", "/run/17", missing="run 17")


async def test_a_404_keeps_the_words_of_the_backend_and_not_those_of_a_web_server() -> None:
    """A sentence that says more is told; one that only repeats it, or a page of the server before it, is not."""
    bare = lambda: web.Response(status=404, text="The agent was not found.")  # noqa: E731
    plain = lambda: web.Response(status=404, text="The agent has no job runs.")  # noqa: E731
    page = lambda: web.Response(status=404, text="<html><title>404 nginx</title></html>", content_type="text/html")  # noqa: E731
    async with serving(in_turn(plain, page, bare)) as server, client_of(server.base_url) as client:
        with pytest.raises(
            NoSuchTarget, match=r"^acc found nothing for agent 7: The agent has no job runs\.$"
        ) as clear:
            await client.call("GET", "/x", missing="agent 7")
        with pytest.raises(NoSuchTarget, match=r"^acc has no agent 7\.$") as unclear:
            await client.call("GET", "/x", missing="agent 7")
        with pytest.raises(NoSuchTarget, match=r"^acc has no agent 7\.$"):
            await client.call("GET", "/x", missing="agent 7")
    assert (clear.value.code, unclear.value.code) == ("no_such_target", "no_such_page")


async def test_a_missing_ca_file_is_not_sent() -> None:
    """A wrong setting ends before anything is written, and is named."""
    async with client_of("https://127.0.0.1:9", tls=Tls(("no-such-file.pem",))) as client:
        with pytest.raises(NotSent, match="a file with certificates can't be read"):
            await client.call("POST", "/x")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(("idempotent", "problem"), [(True, CallProblem), (False, Redirected)])
async def test_a_redirect_is_not_followed(status: int, idempotent: bool, problem: type[CallProblem]) -> None:
    """It names the host and neither its path nor its query, no credential travels there, and only what must be sent once
    is taken for lost."""
    async with serving(always(ok)) as other:
        away = f"{other.base_url}/steal?token={TOKEN}"
        async with (
            serving(always(lambda: web.Response(status=status, headers={"Location": away}))) as server,
            client_of(server.base_url, auth=Bearer(SecretStr(TOKEN))) as client,
        ):
            with pytest.raises(problem) as caught:
                await client.call("POST", "/x", idempotent=idempotent)
    assert len(server.seen) == 1
    assert (caught.value.code, caught.value.status) == ("redirected", status)
    assert isinstance(caught.value, Lost) is not idempotent
    assert f"127.0.0.1:{other.port}" in caught.value.summary
    assert TOKEN not in caught.value.summary
    assert "steal" not in caught.value.summary
    assert not other.seen


@pytest.mark.parametrize(
    "trouble", [drop, always(lambda: web.Response(status=500)), always(lambda: web.Response(text="none"))]
)
async def test_what_a_sign_in_meets_is_no_trouble_of_the_call(trouble: Any) -> None:
    """The call that it was for never left, so that nothing about it is unknown."""
    async with serving(trouble) as source, client_of(source.base_url) as signing:

        async def sign_in() -> Credential:
            reply = await signing.call("POST", "/login", auth=None)
            return Credential(headers=(("Token", reply.read(Agent).agentId),))

        session = Session(sign_in, FakeClock())
        async with serving(always(ok)) as server, client_of(server.base_url, auth=session) as client:
            with pytest.raises(NotSent, match="signing in failed"):
                await client.call("POST", "/start")
            assert server.seen == []


async def test_garbage_instead_of_http_is_lost() -> None:
    """Bytes that are no HTTP answer are Lost: the request was written."""

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, client_of(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(Lost):
            await client.call("POST", "/start")


async def test_plain_text_behind_https_is_not_sent() -> None:
    """A failed TLS handshake is NotSent: no byte of the request was written."""
    async with serving(always(ok)) as server, client_of(f"https://127.0.0.1:{server.port}") as client:
        with pytest.raises(NotSent):
            await client.call("POST", "/start")
        assert not server.seen


async def test_an_upload_that_breaks_off_is_lost() -> None:
    """A body that fails while it is sent leaves the call unknown."""

    async def body() -> AsyncIterator[bytes]:
        yield b"a" * 100_000
        raise OSError("the attached file is gone")

    async with serving(always(ok)) as server, client_of(server.base_url) as client:
        with pytest.raises(Lost):
            await client.call("POST", "/files", stream=body)


async def test_secrets_are_in_no_text_that_comes_out(caplog: pytest.LogCaptureFixture) -> None:
    """An error that repeats the credential, the query and the header shows none of it; nor do logs, reprs or causes."""
    caplog.set_level(logging.DEBUG)
    body = {"message": f"Token {TOKEN} is bad; key=q-secret-value-1 failed at /x?key=q-secret-value-1"}
    async with (
        serving(always(lambda: web.json_response(body, status=400))) as server,
        client_of(server.base_url, auth=Bearer(SecretStr(f"\n{TOKEN} "))) as client,
    ):
        with pytest.raises(Rejected) as caught:
            await client.call("GET", "/x", query=[("key", "q-secret-value-1")])
        shown = f"{caught.value!r} {caught.value} {client!r} {caplog.text}"
    assert server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in shown
    assert "q-secret-value-1" not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_cookies_are_not_kept() -> None:
    """A cookie that a server sets never comes back to it."""
    async with (
        serving(always(lambda: web.Response(headers={"Set-Cookie": "sid=1; Path=/"}))) as server,
        client_of(server.base_url) as client,
    ):
        for safe in (True, True, False):
            await client.call("GET", "/x", idempotent=safe)
    assert all("cookie" not in seen.headers for seen in server.seen)


async def test_proxy_settings_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call of a backend goes through a proxy that somebody put into the environment."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    async with serving(always(ok)) as server, client_of(server.base_url) as client:
        assert (await client.call("GET", "/x")).status == 200


async def test_cancelling_a_call_ends_it() -> None:
    """A cancelled caller is not kept, and its slot is free again."""

    async def late(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(2)
        return web.Response()

    async with serving(late) as server, client_of(server.base_url, concurrency=1) as client:
        task = asyncio.create_task(client.call("POST", "/x"))
        await until(lambda: server.seen)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.handler = always(ok)
        assert (await client.call("POST", "/y", deadline=30)).status == 200


def test_there_is_no_unverified_tls() -> None:
    """Certificates and names are always checked."""

    context = tls_context(Tls())
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


async def test_a_credential_that_cannot_be_sent_is_not_sent_and_not_shown() -> None:
    """A token with a line end or a letter outside ASCII ends before anything is written, and is not quoted."""
    async with serving(always(ok)) as server, client_of(server.base_url) as client:
        for token in ("päss-canary-1", "two\nlines-canary-1"):
            with pytest.raises(NotSent) as caught:
                await client.call("POST", "/x", auth=Bearer(SecretStr(token)))
            assert "canary" not in repr(caught.value)
            assert caught.value.__context__ is None
    assert not server.seen
