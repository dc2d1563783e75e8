"""What peers that are not Slack can hold of the HTTP server, tried with real sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.slack.http_guard import MOST_CONNECTIONS, MOST_REQUESTS, RESERVED, Guard, Limits, limits
from tests.slack.support import Inside, command_body, post, served, signed

HALF_HEADER = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Le"
HALF_BODY = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + b"x" * 20_000
DRIP = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nx"
PATIENT = Limits(header=600, body=600, idle=600)  # nobody is closed because time has passed
KINDS = (b"", HALF_HEADER, HALF_BODY, DRIP)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """One connection."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def held(url: str, count: int, kinds: Sequence[bytes] = KINDS) -> AsyncIterator[list[asyncio.StreamReader]]:
    """That many connections that say no more than half of something."""
    async with AsyncExitStack() as stack:
        readers = []
        for number in range(count):
            reader, writer = await stack.enter_async_context(connected(url))
            writer.write(kinds[number % len(kinds)])
            readers.append(reader)
        await asyncio.sleep(0.1)
        yield readers


async def acked(url: str, trigger: str) -> bool:
    """Whether a signed command is acked, over a connection of its own."""
    body = command_body("whoami", trigger_id=trigger)
    async with aiohttp.ClientSession() as http:
        return (await post(http, url, body, signed(body))).status == 200


async def test_a_connection_that_slack_used_is_kept_while_strangers_come_and_go() -> None:
    """Slack sends its next request over it, and would show the person an error if it were closed."""
    inside = Inside()
    async with served(inside, limits=PATIENT._replace(connections=50)) as url, aiohttp.ClientSession() as http:
        for round_ in range(5):
            body = command_body("whoami", trigger_id=f"1.2.{round_}")
            assert (await post(http, url, body, signed(body))).status == 200
            async with held(url, 100):
                pass
    assert len(inside.intents) == 5


@pytest.mark.parametrize("sent", KINDS, ids=["silent", "half a header", "half a body", "a drip"])
async def test_who_does_not_finish_is_closed_in_time(sent: bytes) -> None:
    async with served(Inside(), limits=Limits(header=0.3, body=0.4, idle=0.3)) as url, held(url, 5, (sent,)) as readers:
        for reader in readers:
            with suppress(ConnectionError):
                assert b"408" in await reader.read() or sent in (b"", HALF_HEADER)


async def test_a_header_that_drips_is_closed_all_the_same() -> None:
    limits = PATIENT._replace(header=0.5)
    async with served(Inside(), limits=limits) as url, connected(url) as (reader, writer), asyncio.timeout(60):
        while not reader.at_eof() and not writer.is_closing():
            writer.write(b"a")
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(0.05):
                    await reader.read(1)


FULL = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
WITH_BODY = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nEVIL"
CHUNKS = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("before", [b"", FULL, FULL * 3, WITH_BODY], ids=["first", "second", "fourth", "after a body"])
async def test_a_header_that_does_not_end_is_not_kept(before: bytes) -> None:
    """Whichever request it belongs to, in whatever pieces it comes: its connection is closed, long before the time for a
    header is over."""
    endless = before + b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 6_000
    async with served(Inside(), limits=PATIENT) as url:
        for size in (1_000, len(endless)):
            async with connected(url) as (reader, writer):
                for start in range(0, len(endless), size):
                    writer.write(endless[start : start + size])
                    await asyncio.sleep(0)
                with suppress(ConnectionError):
                    await reader.read()


async def test_a_body_without_a_length_is_refused_before_its_chunks_are_read() -> None:
    """Slack sends a length. A million chunks of one byte would keep the program busy for seconds."""
    async with served(Inside()) as url, AsyncExitStack() as stack:
        for _ in range(20):
            reader, writer = await stack.enter_async_context(connected(url))
            writer.write(CHUNKS + b"1\r\nx\r\n" * 100_000)
            with suppress(ConnectionError):
                assert (await reader.read()).startswith(b"HTTP/1.1 411")
        assert await acked(url, "1.2.3")


async def test_who_sends_many_requests_at_once_is_closed() -> None:
    """Slack waits for the answer of each."""
    async with served(Inside()) as url, AsyncExitStack() as stack:
        for sent in (b"EVIL\r\n\r\n", FULL) * 10:
            reader, writer = await stack.enter_async_context(connected(url))
            writer.write(sent * 50_000)
            with suppress(ConnectionError):
                assert (await reader.read()).count(b"HTTP/1.1 200") <= MOST_REQUESTS
        assert await acked(url, "1.2.3")


async def test_a_header_of_the_usual_size_may_come_byte_by_byte() -> None:
    """Eight kilobytes, twice on one connection, each with a body."""
    inside = Inside()
    async with served(inside) as url, connected(url) as (reader, writer):
        for number in range(2):
            body = command_body("whoami", trigger_id=f"1.2.{number}")
            names = {**signed(body), "Host": "a", "X-Long": "y" * 7_000, "Content-Length": str(len(body))}
            lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in names.items())
            for byte in b"POST /slack/events HTTP/1.1\r\n" + lines + b"\r\n" + body:
                writer.write(bytes((byte,)))
            async with asyncio.timeout(60):
                assert b"200" in await reader.readuntil(b"\r\n\r\n")
    assert len(inside.intents) == 2


async def test_an_idle_connection_is_closed_soon() -> None:
    async with served(Inside(), limits=Limits(idle=0.3)) as url, connected(url) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"ok" in await reader.read()


async def test_strangers_cannot_fill_the_log_or_write_into_it(caplog: pytest.LogCaptureFixture) -> None:
    """Two thousand refusals are a line or two, and none quotes a request."""
    caplog.set_level(logging.INFO)
    async with served(Inside()) as url, aiohttp.ClientSession() as http:
        for number in range(50):
            async with held(url, 20, (b"EVIL\x1b[31m %d\r\n\r\n" % number, b"GET /evil\r\nEVIL\r\n\r\n")):
                pass
            answers = await asyncio.gather(*(post(http, url, b"EVIL", {"X-Evil": "EVIL"}) for _ in range(20)))
            assert {answer.status for answer in answers} == {401}
    assert len(caplog.records) <= 3
    assert "EVIL" not in caplog.text


async def test_bodies_of_many_strangers_do_not_fill_the_memory() -> None:
    """Half bodies are refused while others that are not verified yet hold all that is kept for bodies."""
    most = 32_000_000 // 870_000
    async with served(Inside(), limits=PATIENT) as url, held(url, 40, (HALF_BODY + b"x" * 850_000,)) as readers:
        answers = [asyncio.create_task(reader.read(12)) for reader in readers]
        first = asyncio.as_completed(answers)
        assert {await next(first) for _ in range(len(answers) - most)} == {b"HTTP/1.1 503"}
        for task in answers:
            task.cancel()


def test_file_descriptors_are_kept_for_the_program_itself() -> None:
    assert limits(65_536).connections == MOST_CONNECTIONS
    assert limits(400).connections == 400 - RESERVED
    assert limits(100).connections == 16


class Peer(asyncio.Transport):
    """The end of a connection from an address that loopback can't have."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 1)})
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


async def test_one_public_address_holds_a_share_of_the_connections() -> None:
    """Its oldest ones are closed for its newer ones; a proxy in front of the bot brings everyone's."""
    guard = Guard(PATIENT._replace(connections=300, of_one_address=64), lambda _: None)
    connect = guard.factory(asyncio.Protocol)
    opened = {address: [Peer(address) for _ in range(100)] for address in ("8.8.8.8", "2a00::7", "10.0.0.1")}
    made = []
    for address, peers in opened.items():
        for peer in peers:
            made.append((peer, connect()))
            made[-1][1].connection_made(peer)
        kept = [not peer.aborted for peer in peers]
        assert kept == [True] * 100 if address == "10.0.0.1" else [False] * 36 + [True] * 64
    assert len(guard) == 64 + 64 + 100
    for _, protocol in made:
        protocol.connection_lost(None)
    assert len(guard) == 0
