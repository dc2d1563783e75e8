"""What hurts in real Slack: edits, deletions, limits, rates, untidy text, sockets that end by themselves."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import CannotAct, Workspace
from tests.waiting import heard, until

Json = dict[str, Any]


async def test_an_edited_mention_is_sent_again_with_the_same_ts_and_another_event_id(
    ws: Workspace, bodies: list[Json]
) -> None:
    ana = ws.person("U0ANA")
    first = await ana.post("C0CRAWL", "<@U0BOT> start acc:shop/a -- monthly chek")
    await ana.edit("C0CRAWL", str(first.ts), "<@U0BOT> start acc:shop/a -- monthly check")
    old, new = bodies
    assert (old["event"]["ts"], old["event"]["channel"]) == (new["event"]["ts"], new["event"]["channel"])
    assert old["event_id"] != new["event_id"]
    assert "edited" not in old["event"]
    assert new["event"]["edited"]["user"] == "U0ANA"
    assert (new["event"]["type"], new["event"]["text"]) == ("app_mention", "<@U0BOT> start acc:shop/a -- monthly check")


async def test_an_edit_in_a_dm_is_message_changed_with_what_stood_before(ws: Workspace, bodies: list[Json]) -> None:
    ana = ws.person("U0ANA")
    first = await ana.post(ana.dm, "status")
    await ana.edit(ana.dm, str(first.ts), "status acc:shop/prices")
    event = bodies[1]["event"]
    assert (event["type"], event["subtype"], event["channel_type"], event["hidden"]) == (
        "message",
        "message_changed",
        "im",
        True,
    )
    assert (event["message"]["ts"], event["message"]["text"]) == (first.ts, "status acc:shop/prices")
    assert event["previous_message"]["text"] == "status"
    assert event["ts"] != first.ts


async def test_a_deleted_message_is_gone_and_a_dm_tells_it(ws: Workspace, bodies: list[Json]) -> None:
    ana = ws.person("U0ANA")
    first = await ana.post(ana.dm, "status")
    await ana.delete(ana.dm, str(first.ts))
    assert (bodies[1]["event"]["subtype"], bodies[1]["event"]["deleted_ts"]) == ("message_deleted", first.ts)
    assert ana.messages(ana.dm) == []


async def test_nobody_edits_what_another_person_wrote(ws: Workspace) -> None:
    first = await ws.person("U0ANA").post("C0CRAWL", "hello")
    with pytest.raises(CannotAct):
        await ws.person("U0LEE").edit("C0CRAWL", str(first.ts), "bye")


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("see example.com now", "see <http://example.com|example.com> now"),
        ("mail a.b@example.com", "mail <mailto:a.b@example.com|a.b@example.com>"),
        ("https://example.com/?a=1&b=2", "<https://example.com/?a=1&amp;b=2>"),
        ("a & b", "a &amp; b"),
        ("start acc:shop/prices", "start acc:shop/prices"),
        ("url=example.com/x", "url=example.com/x"),
    ],
)
async def test_typed_text_comes_as_untidy_as_from_a_client(
    ws: Workspace, bodies: list[Json], typed: str, wire: str
) -> None:
    ana = ws.person("U0ANA")
    await ana.post(ana.dm, typed)
    assert bodies[0]["event"]["text"] == wire


async def test_blocks_beyond_the_length_that_users_met_are_refused(ws: Workspace, client: AsyncWebClient) -> None:
    section = {"type": "section", "text": {"type": "plain_text", "text": "x" * 2_900}}
    await client.chat_postMessage(channel="C0CRAWL", text="fits", blocks=[section] * 4)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0CRAWL", text="too long", blocks=[section] * 5)
    assert refused.value.response["error"] == "msg_blocks_too_long"


async def test_a_reply_to_a_deleted_parent_is_posted_at_top_level(ws: Workspace, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel="C0CRAWL", text="parent")
    await client.chat_delete(channel="C0CRAWL", ts=parent["ts"])
    reply = await client.chat_postMessage(channel="C0CRAWL", text="reply", thread_ts=parent["ts"])
    assert "thread_ts" not in reply["message"]


async def test_with_limits_enforced_a_channel_takes_a_burst_and_then_says_when_to_come_again(
    ws: Workspace, client: AsyncWebClient
) -> None:
    ws.enforce_limits()
    for number in range(5):
        await client.chat_postMessage(channel="C0CRAWL", text=f"message {number}")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0CRAWL", text="one too many")
    assert (refused.value.response.status_code, refused.value.response["error"]) == (429, "ratelimited")
    assert int(refused.value.response.headers["retry-after"]) >= 1
    await client.chat_postMessage(channel="C0INC", text="another channel has its own limit")
    ws.clock.advance(6)
    await client.chat_postMessage(channel="C0CRAWL", text="after the pause")


async def test_with_limits_enforced_a_socket_ends_by_itself_and_the_app_comes_back(
    ws: Workspace, bodies: list[Json]
) -> None:
    ws.enforce_limits()
    await ws.disconnect_sockets("refresh_requested")  # the next connection is the first with an end of its own
    await ws.wait_connected()
    first = set(ws._sockets._open)
    ws.clock.advance(3_590)  # the warning
    await until(lambda: ws.clock.waits(10))
    ws.clock.advance(10)  # the end
    await until(lambda: ws.connected and not first & set(ws._sockets._open))
    assert await heard(lambda: ws.person("U0ANA").post("C0CRAWL", "<@U0BOT> still there?"))
    assert bodies[-1]["event"]["text"] == "<@U0BOT> still there?"


async def test_a_bad_timestamp_in_history_has_its_own_code(ws: Workspace, client: AsyncWebClient) -> None:
    for name in ("oldest", "latest"):
        with pytest.raises(SlackApiError) as refused:
            await client.conversations_history(channel="C0CRAWL", **{name: "yesterday"})  # type: ignore[arg-type]
        assert refused.value.response["error"] == f"invalid_ts_{name}"


async def test_a_step_that_has_ended_cannot_end_again(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    await ws.person("U0ANA").run_step("run_operation", {"command": "status acc:shop/prices", "channel": "C0CRAWL"})
    execution = bodies[-1]["event"]["function_execution_id"]
    await client.functions_completeError(function_execution_id=execution, error="no")
    with pytest.raises(SlackApiError) as refused:
        await client.functions_completeError(function_execution_id=execution, error="again")
    assert refused.value.response["error"] == "execution_not_in_running_state"


async def test_names_of_headers_are_lower_case(ws: Workspace, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert [name for name in answer.headers if "oauth" in name.lower()] == [
        "x-oauth-scopes",
        *(["x-accepted-oauth-scopes"] if "x-accepted-oauth-scopes" in answer.headers else []),
    ]
