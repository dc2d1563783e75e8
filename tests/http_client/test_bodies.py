"""What is made of the body of an answer: pages, garbage, too much of it, packed ones."""

from __future__ import annotations

import gzip
import io
import zlib

import pytest
from aiohttp import web

from bot.core.errors import BadReply

from .support import Agent, always, client_of, serving


@pytest.mark.parametrize(
    "response",
    [
        lambda: web.Response(text="<!DOCTYPE html><title>Sign in</title>", content_type="text/html"),
        lambda: web.Response(body=b"\xef\xbb\xbf\n <HTML><body>", content_type="application/json"),
        lambda: web.Response(text="<!-- sign in --><form>", content_type="text/html"),
    ],
)
async def test_a_web_page_is_no_success(response: object) -> None:
    """A sign-in page with status 200 is a BadReply, whatever its content type says."""
    async with serving(always(response)) as server, client_of(server.base_url) as client:  # type: ignore[arg-type]
        with pytest.raises(BadReply, match="web page"):
            await client.call("POST", "/off", idempotent=True)
        with pytest.raises(BadReply, match="web page"):
            await client.download("GET", "/log", to=io.BytesIO(), cap=10_000)


@pytest.mark.parametrize("body", [b'{"agentId": "a1", "name": "x"}', b'\xef\xbb\xbf {"agentId": "a1", "name": "x"}'])
async def test_json_that_is_called_a_web_page_is_read(body: bytes) -> None:
    """Servers that don't set a content type often send text/html by default."""
    page = always(lambda: web.Response(body=body, content_type="text/html"))
    async with serving(page) as server, client_of(server.base_url) as client:
        assert (await client.call("GET", "/agent")).value() == {"agentId": "a1", "name": "x"}


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"agentId": null}', b"NaN", b"[" * 100_000, b"\xff\xfe"])
async def test_an_unreadable_body_is_a_bad_reply(body: bytes) -> None:
    """What is not the promised shape is a BadReply and never a value."""
    async with serving(always(lambda: web.Response(body=body))) as server, client_of(server.base_url) as client:
        reply = await client.call("GET", "/agent")
        with pytest.raises(BadReply):
            reply.read(Agent)


async def test_a_huge_answer_is_cut_at_the_cap() -> None:
    """More than the cap is a BadReply, and reading stops there."""
    written = 0

    async def huge(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(2000):
            await response.write(b"a" * 65_536)
            written += 65_536
        return response

    async with serving(huge) as server, client_of(server.base_url) as client:
        with pytest.raises(BadReply, match="more than 1 MB"):
            await client.call("GET", "/x", cap=1 << 20)
    assert written < 64 << 20


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_compression_bomb_ends_at_the_cap(coding: str) -> None:
    """The cap counts unpacked bytes: 200 KB that would become 200 MB are stopped."""
    packer = zlib.compressobj(9, wbits=31 if coding == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    answer = lambda: web.Response(body=bomb, headers={"Content-Encoding": coding})  # noqa: E731
    async with serving(always(answer)) as server, client_of(server.base_url) as client:
        with pytest.raises(BadReply, match="more than 16 MB"):
            await client.call("GET", "/x")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b'{"agentId": "a1"}', mtime=0)),
        ("deflate", zlib.compress(b'{"agentId": "a1"}')),
        ("deflate", zlib.compress(b'{"agentId": "a1"}', wbits=-15)),
        ("identity", b'{"agentId": "a1"}'),
    ],
)
async def test_packed_answers_are_read(coding: str, body: bytes) -> None:
    """Both codings that are asked for are unpacked, raw deflate too."""
    answer = lambda: web.Response(body=body, headers={"Content-Encoding": coding})  # noqa: E731
    async with serving(always(answer)) as server, client_of(server.base_url) as client:
        assert (await client.call("GET", "/x")).read(Agent).agentId == "a1"
        assert server.seen[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip, gzip", b"x"), ("br", b"x"), ("gzip", b"not gzip"), ("gzip", gzip.compress(b"{}", mtime=0)[:-9])],
)
async def test_a_coding_that_was_not_asked_for_is_a_bad_reply(coding: str, body: bytes) -> None:
    """Stacked, unknown and broken codings are refused."""
    answer = lambda: web.Response(body=body, headers={"Content-Encoding": coding})  # noqa: E731
    async with serving(always(answer)) as server, client_of(server.base_url) as client:
        with pytest.raises(BadReply):
            await client.call("GET", "/x")
