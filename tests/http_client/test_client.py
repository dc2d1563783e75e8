"""What goes over the wire, and what comes back when all is well."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.core.errors import BadReply, BadRequest, CredentialRefused
from bot.http_client import Bearer, Credential, Session, host_of, segment
from bot.http_client.errors import sentence_of

from .support import FakeClock, always, client_of, in_turn, ok, serving


@pytest.mark.parametrize(
    ("query", "raw"),
    [
        ((), ""),
        ((("count", "10"),), "count=10"),
        ((("name", "a b&c=d+é/ü?.csv"),), "name=a%20b%26c%3Dd%2B%C3%A9%2F%C3%BC%3F.csv"),
        ("agentPath=shop/a%20b%2Bc%26d", "agentPath=shop/a%20b%2Bc%26d"),
    ],
)
async def test_queries_arrive_as_meant(query: object, raw: str) -> None:
    """Pairs are encoded once; a string that is encoded already is left alone."""
    async with serving(always(ok)) as server, client_of(server.base_url) as client:
        await client.call("GET", "/api/agent", query=query)  # type: ignore[arg-type]
    sent = server.seen[0].query
    assert sent.replace("%2F", "/").replace("%3F", "?") == raw.replace("%2F", "/").replace("%3F", "?")


@pytest.mark.parametrize("text", ["a b", "a/b", "a%2fb", "é", "x?y#z", "a+b;c", "2019:5"])
async def test_a_segment_is_one_part_of_a_path(text: str) -> None:
    """Whatever stands in an id, it arrives as one part and unchanged."""
    got: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        got.append(request.rel_url.raw_path)
        return web.Response()

    async with serving(handler) as server, client_of(server.base_url) as client:
        await client.call("GET", f"/api/run/{segment(text)}/log")
    from urllib.parse import unquote  # noqa: PLC0415

    parts = got[0].split("/")
    assert len(parts) == 5
    assert unquote(parts[3]) == text


@pytest.mark.parametrize("text", ["", ".", "..", "a\nb", "a\x00b"])
def test_what_could_climb_is_no_segment(text: str) -> None:
    """Empty parts, dots and control characters never get into a path."""
    with pytest.raises(BadRequest):
        segment(text)


async def test_json_goes_out_as_json() -> None:
    """Any JSON value can be a body, a bare string too, with its content type."""
    async with serving(always(ok)) as server, client_of(server.base_url) as client:
        await client.call("POST", "/x", json="checked with Lee")
        await client.call("POST", "/x", json={"a": [1, None, "ü"]})
        await client.call("POST", "/x")
    first, second, third = server.seen
    assert (first.headers["content-type"], first.body) == ("application/json", b'"checked with Lee"')
    assert second.body.decode() == '{"a": [1, null, "ü"]}'
    assert third.body == b""
    assert "content-type" not in third.headers


async def test_a_streamed_body_begins_again_on_a_repeat() -> None:
    """A idempotent upload is whole each time."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1000

    busy = lambda: web.Response(status=503)  # noqa: E731
    async with serving(in_turn(busy, ok)) as server, client_of(server.base_url) as client:
        await client.call("POST", "/files", stream=body, idempotent=True)
    assert [len(seen.body) for seen in server.seen] == [10_000, 10_000]


async def test_a_download_is_whole_and_hashed() -> None:
    """The file holds exactly the bytes, and size and hash are theirs."""
    data = bytes(range(256)) * 4096
    async with (
        serving(always(lambda: web.Response(body=data, content_type="application/zip"))) as server,
        client_of(server.base_url) as client,
    ):
        file = io.BytesIO(b"left over")
        got = await client.download("GET", "/log", to=file, cap=1 << 21)
        assert file.getvalue() == data
        with pytest.raises(BadReply, match="more than 1 MB"):
            await client.download("GET", "/log", to=io.BytesIO(), cap=len(data) - 1)
    assert (got.size, got.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (got.media_type, got.head) == ("application/zip", data[:16_384])


async def test_the_servers_clock_is_read() -> None:
    """A Date header becomes an aware time."""
    answer = lambda: web.Response(headers={"Date": "Sun, 22 Nov 2026 02:23:37 GMT"})  # noqa: E731
    async with serving(always(answer)) as server, client_of(server.base_url) as client:
        reply = await client.call("GET", "/x")
    assert reply.date == datetime(2026, 11, 22, 2, 23, 37, tzinfo=UTC)
    assert reply.empty


async def test_many_calls_sign_in_once() -> None:
    """However many calls need a session at the same time, there is one sign-in; a refused one is renewed once."""
    signed_in = 0

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        good = request.headers.get("X-Session") == f"s{signed_in}" and signed_in >= 2
        return ok() if good else web.Response(status=401)

    async def sign_in() -> Credential:
        nonlocal signed_in
        await asyncio.sleep(0.02)
        signed_in += 1
        return Credential(headers=(("X-Session", f"s{signed_in}"),))

    clock = FakeClock()
    async with serving(handler) as server, client_of(server.base_url, auth=Session(sign_in, clock)) as client:
        replies = await asyncio.gather(*(client.call("GET", "/x", idempotent=True) for _ in range(8)))
    assert [reply.status for reply in replies] == [200] * 8
    assert signed_in == 2


async def test_a_call_that_may_not_be_repeated_is_not_sent_again_after_a_renewal() -> None:
    """The session is renewed for the next call, and the person is told that nothing was sent twice."""
    count = 0

    async def sign_in() -> Credential:
        nonlocal count
        count += 1
        return Credential(headers=(("X-Session", f"s{count}"),))

    refused = lambda: web.Response(status=401)  # noqa: E731
    auth = Session(sign_in, FakeClock())
    async with serving(in_turn(refused, ok)) as server, client_of(server.base_url, auth=auth) as client:
        with pytest.raises(CredentialRefused, match="did not repeat the request"):
            await client.call("POST", "/start")
        assert len(server.seen) == 1
        assert (await client.call("POST", "/start")).status == 200
    assert server.seen[1].headers["x-session"] == "s2"


async def test_an_old_session_is_renewed_before_it_is_refused() -> None:
    """A lifetime that has passed means a new sign-in before the call."""
    count = 0

    async def sign_in() -> Credential:
        nonlocal count
        count += 1
        return Credential(headers=(("X-Session", f"s{count}"),), lifetime=1500)

    clock = FakeClock()
    auth = Session(sign_in, clock)
    async with serving(always(ok)) as server, client_of(server.base_url, auth=auth) as client:
        await client.call("GET", "/x")
        clock.advance(1499)
        await client.call("GET", "/x")
        clock.advance(1)
        await client.call("GET", "/x")
    assert [seen.headers["x-session"] for seen in server.seen] == ["s1", "s1", "s2"]


async def test_a_credential_may_bring_its_address_and_query() -> None:
    """Some vendors name the base of further calls at sign-in, or want the token in the query."""
    async with serving(always(ok)) as server, client_of("http://127.0.0.1:9") as client:

        async def sign_in() -> Credential:
            return Credential(query=(("token", "t-1"),), base_url=f"{server.base_url}/saas")

        reply = await client.call("GET", "/api/x", query=[("a", "1")], auth=Session(sign_in, FakeClock()))
    assert reply.status == 200
    assert server.seen[0].raw_path == "/saas/api/x?a=1&token=t-1"


def test_credentials_do_not_show() -> None:
    """No repr of a credential holds its values."""
    credential = Credential(
        headers=(("Authorization", "Bearer s3cr3t-value"),), query=(("t", "q-value"),), secrets=("z-value",)
    )
    shown = repr(credential) + repr(Bearer(SecretStr("s3cr3t-value")))
    assert not any(secret in shown for secret in ("s3cr3t-value", "q-value", "z-value"))
    assert set(credential.known()) == {"Bearer s3cr3t-value", "s3cr3t-value", "q-value", "z-value"}


@pytest.mark.parametrize(
    ("media_type", "body", "sentence"),
    [
        ("application/json", b'{"message": "Agent is busy"}', "Agent is busy"),
        ("application/json", b'{"Message": "An error", "ExceptionMessage": "x"}', "An error"),
        ("application/problem+json", b'{"type": "about:blank", "title": "Not allowed", "status": 409}', "Not allowed"),
        ("application/json", b'{"error": {"code": "AUTH_01", "message": "No session"}}', "No session"),
        ("application/json", b'{"errors": {"startTime": ["is not a date"]}}', "is not a date"),
        ("application/json", b'{"@type": "error", "code": "X", "description": "Wrong id"}', "Wrong id"),
        ("application/json", b'"just words"', "just words"),
        ("application/json", b'{"a": 1}', ""),
        ("application/json", b"{broken", ""),
        ("text/plain", b"  Job is\r\n already running. ", "Job is already running."),
        ("text/html", b"<html><title>503 Busy &amp; gone</title><body>x</body></html>", "503 Busy & gone"),
        ("text/html", b"<html><script>var a=1</script><p>Down</p></html>", "Down"),
        ("", b"", ""),
    ],
)
def test_errors_are_told_in_their_own_words(media_type: str, body: bytes, sentence: str) -> None:
    """One sentence is found in any of the shapes that vendors use."""
    assert sentence_of(media_type, body) == sentence


def test_a_told_error_is_short_and_clean() -> None:
    """Length is capped, and secrets in it are masked."""
    sentence = sentence_of("text/plain", b"password=hunter2 canary-77 " + b"word " * 1000, ["canary-77"])
    assert len(sentence) <= 300
    assert "hunter2" not in sentence
    assert "canary-77" not in sentence


def test_a_host_is_all_that_is_shown_of_an_address() -> None:
    """Userinfo, path and query stay hidden."""
    assert host_of("https://u:p@acc.example.com:8443/x?token=t") == "acc.example.com:8443"
