"""Files to Slack are streamed from the disk; files from Slack are taken from this place, this person and this host only."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import BadRequest
from bot.core.outcome import FileOut
from bot.playground.workspace import DEMO_SEED, Workspace
from bot.slack.files import MAX_INPUT, Attachments, Uploads

TOKEN = "xoxb-playground-not-a-secret"


@dataclass
class SlackFiles:
    """A workspace, and what reads and writes its files."""

    ws: Workspace
    session: aiohttp.ClientSession
    uploads: Uploads
    attachments: Attachments


@pytest.fixture
async def slack() -> AsyncIterator[SlackFiles]:
    async with AsyncExitStack() as stack:
        ws = await stack.enter_async_context(Workspace(DEMO_SEED))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = AsyncWebClient(ws.bot_token, base_url=ws.api_url, session=session)
        yield SlackFiles(ws, session, Uploads(client, session), Attachments(client, session))


def out(path: Path, data: bytes, name: str = "run.log") -> FileOut:
    path.write_bytes(data)
    return FileOut(path=str(path), name=name, title=name, size=len(data), sha256="0" * 64)


async def test_several_files_arrive_in_one_message_whatever_their_names_are(slack: SlackFiles, tmp_path: Path) -> None:
    files = tuple(
        out(tmp_path / str(number), bytes([number]) * 300, name)
        for number, name in enumerate(["run.log", 'a "quoted" näme.csv', "x; filename=y.zip", "line\r\nbreak.log"])
    )
    await slack.uploads.share(files, "C0CRAWL", None, "All of them")
    (message,) = slack.ws.person("U0ANA").messages("C0CRAWL")
    assert message["text"] == "All of them"
    assert len(message["files"]) == 4
    assert sorted(stored.bytes for stored in slack.ws.files.values()) == sorted(bytes([n]) * 300 for n in range(4))


async def test_an_upload_that_is_not_taken_is_an_error_and_shares_nothing(slack: SlackFiles, tmp_path: Path) -> None:
    slack.ws.faults.fail("upload_url", status=500, times=1)
    with pytest.raises(aiohttp.ClientError):
        await slack.uploads.share((out(tmp_path / "a", b"x"),), "C0CRAWL", None, "")
    assert slack.ws.person("U0ANA").messages("C0CRAWL") == []


@dataclass
class Sink:
    """A Slack that takes uploads of any size and keeps none, and describes files as it is told."""

    base: str = ""
    received: int = 0
    info: dict[str, Any] = field(default_factory=dict)
    authorized: list[str | None] = field(default_factory=list)

    async def api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method == "files.getUploadURLExternal":
            return web.json_response({"ok": True, "upload_url": f"{self.base}/up", "file_id": "F1"})
        if method == "files.info":
            return web.json_response({"ok": True, "file": self.info})
        return web.json_response({"ok": True})

    async def up(self, request: web.Request) -> web.Response:
        async for chunk in request.content.iter_any():
            self.received += len(chunk)
        return web.Response(text="OK")

    async def download(self, request: web.Request) -> web.StreamResponse:
        self.authorized.append(request.headers.get("Authorization"))
        if request.path == "/moved":
            return web.Response(status=302, headers={"Location": f"{self.base}/file"})
        return web.Response(body=b"x" * 1000)


@pytest.fixture
async def sink() -> AsyncIterator[tuple[Sink, Uploads, Attachments]]:
    made, app = Sink(), web.Application()
    app.router.add_route("*", "/api/{method}", made.api)
    app.router.add_post("/up", made.up)
    app.router.add_get("/{any:file|moved}", made.download)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.base = "http://{}:{}".format(*runner.addresses[0][:2])
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(TOKEN, base_url=f"{made.base}/api/", session=session)
        yield made, Uploads(client, session), Attachments(client, session)
    await runner.cleanup()


async def test_two_hundred_megabytes_are_never_in_memory(
    sink: tuple[Sink, Uploads, Attachments], tmp_path: Path
) -> None:
    server, uploads, _ = sink
    size = 200_000_000
    path = tmp_path / "large.log"
    with path.open("wb") as file:
        file.truncate(size)
    made = FileOut(path=str(path), name="large.log", title="Large", size=size, sha256="0" * 64)
    tracemalloc.start()
    try:
        await uploads.share((made,), "C0CRAWL", None, "")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert server.received == size
    assert peak < 30_000_000


async def test_a_file_of_this_channel_is_read_with_the_bots_token(slack: SlackFiles) -> None:
    await slack.ws.person("U0LEE").post("C0CRAWL", "here", files=[("in.csv", b"a,b\n" * 50_000)])
    (file_id,) = slack.ws.files
    file = await slack.attachments.open(file_id, "C0CRAWL", "U0ANA")
    assert (file.name, file.size) == ("in.csv", 200_000)
    assert b"".join([chunk async for chunk in file.chunks()]) == b"a,b\n" * 50_000
    assert "xoxb" not in repr(file)


async def test_the_owner_may_bring_a_file_from_elsewhere_and_nobody_else_may(slack: SlackFiles) -> None:
    await slack.ws.person("U0ANA").post(slack.ws.person("U0ANA").dm, "mine", files=[("mine.csv", b"secret")])
    (file_id,) = slack.ws.files
    assert (await slack.attachments.open(file_id, "C0CRAWL", "U0ANA")).size == 6
    with pytest.raises(BadRequest):
        await slack.attachments.open(file_id, "C0CRAWL", "U0RUI")


@pytest.mark.parametrize("fault", [{"error": "file_not_found"}, {"status": 500}, {"error": "missing_scope"}])
async def test_a_file_that_slack_does_not_describe_is_refused_in_words(
    slack: SlackFiles, fault: dict[str, Any]
) -> None:
    await slack.ws.person("U0ANA").post("C0CRAWL", "here", files=[("in.csv", b"a")])
    (file_id,) = slack.ws.files
    slack.ws.faults.fail("files.info", times=1, **fault)
    with pytest.raises(BadRequest):
        await slack.attachments.open(file_id, "C0CRAWL", "U0ANA")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/file",
        "https://slack.com.evil.example/file",
        "https://evilslack.com/file",
        "http://files.slack.com/file",
        "https://169.254.169.254/latest",
        "https://files.slack.com@evil.example/file",
        "file:///etc/passwd",
        "",
    ],
)
async def test_a_file_on_another_host_is_refused_and_the_token_stays_here(
    sink: tuple[Sink, Uploads, Attachments], url: str
) -> None:
    server, _, attachments = sink
    server.info = {"id": "F1", "name": "x", "size": 10, "user": "U0ANA", "channels": ["C0CRAWL"], "url_private": url}
    with pytest.raises(BadRequest):
        await attachments.open("F1", "C0CRAWL", "U0ANA")


async def test_slacks_own_hosts_are_taken(sink: tuple[Sink, Uploads, Attachments]) -> None:
    server, _, attachments = sink
    for url in ("https://files.slack.com/files-pri/T-F/x", f"{server.base}/file"):
        server.info = {"id": "F1", "name": "x", "size": 10, "channels": ["C0CRAWL"], "url_private": url}
        assert (await attachments.open("F1", "C0CRAWL", "U0ANA")).name == "x"


@pytest.mark.parametrize(
    ("api", "url", "taken"),
    [
        ("https://slack-gov.com/api/", "https://files.slack-gov.com/files-pri/T-F/x", True),
        ("https://slack-gov.com/api/", "https://files.slack.com/files-pri/T-F/x", False),
        ("https://slack.com/api/", "https://files.slack-gov.com/files-pri/T-F/x", False),
        ("https://slack.com/api/", "https://files.slack.com/files-pri/T-F/x", True),
        ("https://evilslack-gov.com/api/", "https://files.slack-gov.com/files-pri/T-F/x", False),
    ],
)
async def test_the_token_goes_to_files_of_its_own_slack_only(api: str, url: str, taken: bool) -> None:
    """Commercial Slack and GovSlack are two systems with two tokens."""
    async with aiohttp.ClientSession() as session:
        attachments = Attachments(AsyncWebClient(TOKEN, base_url=api, session=session), session)
    assert attachments._is_slacks(urlsplit(url)) is taken


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "external", "is_external": True, "external_type": "gdrive"}, "a link to a document outside Slack"),
        ({"mode": "tombstone"}, "was deleted"),
        ({"mode": "hidden_by_limit"}, "storage limit"),
        ({"mode": "canvas"}, "a Slack canvas or list"),
    ],
)
async def test_a_file_that_slack_does_not_keep_says_why(
    sink: tuple[Sink, Uploads, Attachments], changes: dict[str, Any], words: str
) -> None:
    server, _, attachments = sink
    server.info = {"id": "F1", "name": "plan", "size": 10, "channels": ["C0CRAWL"], **changes}
    server.info["url_private"] = "https://docs.example/document"
    with pytest.raises(BadRequest, match=words):
        await attachments.open("F1", "C0CRAWL", "U0ANA")


async def test_a_deleted_file_says_so(slack: SlackFiles) -> None:
    slack.ws.faults.fail("files.info", error="file_deleted", times=1)
    with pytest.raises(BadRequest, match="was deleted"):
        await slack.attachments.open("F0GONE", "C0CRAWL", "U0ANA")


async def test_a_file_that_is_too_large_or_larger_than_said_is_refused(
    sink: tuple[Sink, Uploads, Attachments],
) -> None:
    server, _, attachments = sink
    server.info = {"id": "F1", "name": "x", "size": MAX_INPUT + 1, "channels": ["C0CRAWL"], "url_private": server.base}
    with pytest.raises(BadRequest):
        await attachments.open("F1", "C0CRAWL", "U0ANA")
    server.info |= {"size": 999, "url_private": f"{server.base}/file"}
    file = await attachments.open("F1", "C0CRAWL", "U0ANA")
    with pytest.raises(BadRequest, match="larger"):
        [chunk async for chunk in file.chunks()]


async def test_a_redirect_takes_no_token_anywhere(sink: tuple[Sink, Uploads, Attachments]) -> None:
    server, _, attachments = sink
    server.info = {"id": "F1", "name": "x", "size": 10, "channels": ["C0CRAWL"], "url_private": f"{server.base}/moved"}
    file = await attachments.open("F1", "C0CRAWL", "U0ANA")
    with pytest.raises(BadRequest):
        [chunk async for chunk in file.chunks()]
    assert server.authorized == [f"Bearer {TOKEN}"]
