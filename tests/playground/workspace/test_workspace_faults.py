"""Failures on order reach the official client as Slack's would."""

import asyncio
import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import Workspace


async def test_a_rate_limit_says_when_to_come_back(ws: Workspace, client: AsyncWebClient) -> None:
    ws.faults.rate_limit("chat.postMessage", times=1, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0CRAWL", text="x")
    reply = caught.value.response
    assert (reply.status_code, reply["error"], reply.headers["Retry-After"]) == (429, "ratelimited", "7")
    assert (await client.chat_postMessage(channel="C0CRAWL", text="x"))["ok"]


async def test_the_official_retry_handler_gets_through_a_rate_limit(ws: Workspace) -> None:
    client = AsyncWebClient(ws.bot_token, base_url=ws.api_url, retry_handlers=[AsyncRateLimitErrorRetryHandler()])
    ws.faults.rate_limit("users.info", times=1, retry_after=0)
    assert (await client.users_info(user="U0ANA"))["ok"]


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_error_has_its_status(ws: Workspace, client: AsyncWebClient, status: int) -> None:
    ws.faults.fail("users.info", status=status, times=1)
    with pytest.raises(SlackApiError) as caught:
        await client.users_info(user="U0ANA")
    assert caught.value.response.status_code == status


async def test_an_ordered_error_lasts_until_cleared(ws: Workspace, client: AsyncWebClient) -> None:
    ws.faults.fail("usergroups.users.list", error="internal_error")
    for _ in range(3):
        with pytest.raises(SlackApiError, match="internal_error"):
            await client.usergroups_users_list(usergroup="S0LEADS")
    ws.faults.clear()
    assert (await client.usergroups_users_list(usergroup="S0LEADS"))["ok"]


async def test_a_dropped_call_took_no_effect(ws: Workspace, client: AsyncWebClient) -> None:
    ws.faults.fail("chat.postMessage", drop=True, times=1)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C0CRAWL", text="x")
    assert ws.person("U0ANA").messages("C0CRAWL") == []


async def test_a_lost_reply_did_take_effect(ws: Workspace, client: AsyncWebClient) -> None:
    ws.faults.fail("chat.postMessage", drop="after", times=1)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C0CRAWL", text="x")
    assert len(ws.person("U0ANA").messages("C0CRAWL")) == 1


async def test_a_posting_rate_can_be_held(ws: Workspace, client: AsyncWebClient) -> None:
    ws.faults.posts_per_second = 1
    await client.chat_postMessage(channel="C0CRAWL", text="x")
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client.chat_postMessage(channel="C0CRAWL", text="y")
    assert (await client.chat_postMessage(channel="C0APPR", text="y"))["ok"]
    ws.clock.advance(1.1)
    assert (await client.chat_postMessage(channel="C0CRAWL", text="y"))["ok"]


async def test_uploads_and_downloads_fail_on_order(ws: Workspace, client: AsyncWebClient) -> None:
    await ws.person("U0ANA").post("C0CRAWL", "see", files=[("in file.csv", b"1,2")])
    url = ws.person("U0ANA").messages("C0CRAWL")[0]["files"][0]["url_private"]
    upload = (await client.files_getUploadURLExternal(filename="a", length=1))["upload_url"]
    ws.faults.fail("upload_url", status=500, times=1)
    ws.faults.rate_limit("download", times=1, retry_after=3)
    headers = {"Authorization": f"Bearer {ws.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(upload, data=b"x") as reply:
            assert reply.status == 500
        async with session.post(upload, data=b"too long") as reply:
            assert reply.status == 400
        async with session.get(url) as reply:
            assert (reply.status, reply.headers["Retry-After"]) == (429, "3")
        async with session.get(url) as reply:
            assert await reply.read() == b"1,2"


async def test_a_response_url_fails_on_order(ws: Workspace) -> None:
    answers: list[dict[str, str]] = []

    async def hook(text: str) -> int:
        url = answers[0]["response_url"]
        async with aiohttp.ClientSession() as session, session.post(url, json={"text": text}) as reply:
            return reply.status

    async def socket(session: aiohttp.ClientSession) -> None:
        opened = await AsyncWebClient(base_url=ws.api_url).apps_connections_open(app_token=ws.app_token)
        async with session.ws_connect(opened["url"]) as link:
            await link.receive_json()
            act = asyncio.create_task(ws.person("U0ANA").command("C0CRAWL", "/ops"))
            envelope = await link.receive_json()
            answers.append(envelope["payload"])
            await link.send_json({"envelope_id": envelope["envelope_id"]})
            await act

    async with aiohttp.ClientSession() as session:
        await socket(session)
    ws.faults.fail("response_url", status=503, times=1)
    assert await hook("one") == 503
    ws.faults.fail("response_url", drop=True, times=1)
    with pytest.raises(aiohttp.ClientError):
        await hook("two")
    ws.faults.fail("response_url", drop="after", times=1)
    with pytest.raises(aiohttp.ClientError):
        await hook("three")
    assert [m["text"] for m in ws.person("U0ANA").messages("C0CRAWL")] == ["three"]


async def test_a_delay_alone_makes_a_call_slow(ws: Workspace, client: AsyncWebClient) -> None:
    ws.faults.fail("users.info", delay=0.1, times=1)
    started = time.perf_counter()
    assert (await client.users_info(user="U0ANA"))["ok"]
    assert time.perf_counter() - started >= 0.1
