"""The Web API as the official client calls it."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import DEMO_SEED, Workspace

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}


async def refused(call: Any) -> str:
    """The error code with which Slack refuses a call."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_auth_test_names_the_bot(ws: Workspace, client: AsyncWebClient) -> None:
    reply = await client.auth_test()
    assert (reply["team_id"], reply["user_id"], reply["bot_id"]) == (ws.team_id, ws.bot_user_id, ws.bot_id)
    assert "chat:write" in reply.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(
    ("token", "error"),
    [(None, "not_authed"), ("xoxb-wrong", "invalid_auth"), ("xapp-playground-not-a-secret", "not_allowed_token_type")],
)
async def test_a_bad_token_is_refused(ws: Workspace, token: str | None, error: str) -> None:
    client = AsyncWebClient(token, base_url=ws.api_url)
    assert await refused(client.users_info(user="U0ANA")) == error


async def test_an_unknown_method_is_refused_and_logged(ws: Workspace, client: AsyncWebClient) -> None:
    assert await refused(client.api_call("chat.postMassage")) == "unknown_method"
    assert [(c.method, c.ok, c.error) for c in ws.calls] == [("chat.postMassage", False, "unknown_method")]


async def test_a_missing_scope_is_named() -> None:
    async with Workspace(DEMO_SEED.with_app(scopes=("commands",))) as ws:
        client = AsyncWebClient(ws.bot_token, base_url=ws.api_url)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel="C0CRAWL", text="x")
        assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "chat:write")


async def test_a_posted_message_is_seen_by_members_only(ws: Workspace, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0APPR", text="for approvers", blocks=[SECTION])
    (seen,) = ws.person("U0LEE").messages("C0APPR")
    assert (seen["text"], seen["bot_id"], seen["author_name"]) == ("for approvers", "B0SIGNAL", "signalbox")
    assert seen["blocks"][0]["block_id"]
    assert ws.person("U0GUEST").messages("C0APPR") == []


async def test_the_log_keeps_arguments_without_the_token(ws: Workspace, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0CRAWL", text="x", token=ws.bot_token)
    (call,) = ws.calls
    assert (call.method, call.args, call.ok) == ("chat.postMessage", {"channel": "C0CRAWL", "text": "x"}, True)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "C0NONE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0CRAWL", "text": ""}, "no_text"),
        ({"channel": "C0CRAWL", "text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"channel": "C0CRAWL", "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"channel": "C0CRAWL", "markdown_text": "y" * 12_001}, "msg_too_long"),
        ({"channel": "C0CRAWL", "text": "x", "metadata": {"event_type": "e"}}, "invalid_metadata_format"),
        ({"channel": "C0CRAWL", "text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"channel": "C0CRAWL", "text": "x", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
    ],
)
async def test_a_bad_post_is_refused(client: AsyncWebClient, args: dict[str, Any], error: str) -> None:
    assert await refused(client.api_call("chat.postMessage", json=args)) == error


async def test_a_bot_that_left_is_not_in_channel(ws: Workspace, client: AsyncWebClient) -> None:
    ws.set_channel("C0APPR", members=["U0LEE"])
    assert await refused(client.chat_postMessage(channel="C0APPR", text="x")) == "not_in_channel"
    ws.set_channel("C0SEC", members=["U0ROOT"])
    assert await refused(client.chat_postMessage(channel="C0SEC", text="x")) == "channel_not_found"
    await client.conversations_join(channel="C0APPR")
    assert (await client.chat_postMessage(channel="C0APPR", text="x"))["ok"]


async def test_text_is_cut_at_40000(client: AsyncWebClient) -> None:
    reply = await client.chat_postMessage(channel="C0CRAWL", text="x" * 40_001)
    assert len(reply["message"]["text"]) == 40_000


async def test_invalid_blocks_say_where(client: AsyncWebClient) -> None:
    bad = {"type": "section", "text": {"type": "mrkdwn", "text": ""}}
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0CRAWL", text="x", blocks=[bad])
    reply = caught.value.response
    assert reply["error"] == "invalid_blocks"
    where = "must be more than 0 characters [json-pointer:/blocks/0/text/text]"
    assert (reply["errors"], reply["response_metadata"]["messages"]) == ([where], [f"[ERROR] {where}"])


async def test_a_second_table_is_refused_as_an_attachment(client: AsyncWebClient) -> None:
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}
    assert await refused(client.chat_postMessage(channel="C0CRAWL", text="x", blocks=[table] * 2)) == (
        "invalid_attachments"
    )


async def test_update_with_text_alone_deletes_the_blocks(ws: Workspace, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0CRAWL", text="a", blocks=[SECTION])
    await client.chat_update(channel="C0CRAWL", ts=posted["ts"], text="b")
    (seen,) = ws.person("U0ANA").messages("C0CRAWL")
    assert seen["text"] == "b"
    assert "blocks" not in seen
    assert seen["edited"]["user"] == ws.bot_user_id


async def test_update_with_blocks_alone_keeps_text_and_leaves_no_edited_mark(
    ws: Workspace, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="C0CRAWL", text="a")
    await client.api_call(
        "chat.update", json={"channel": "C0CRAWL", "ts": posted["ts"], "blocks": [{"type": "divider"}]}
    )
    (seen,) = ws.person("U0ANA").messages("C0CRAWL")
    assert (seen["text"], seen["blocks"][0]["type"]) == ("a", "divider")
    assert "edited" not in seen


async def test_update_keeps_metadata_unless_given(ws: Workspace, client: AsyncWebClient) -> None:
    data = {"event_type": "card", "event_payload": {"id": "1"}}
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="a", metadata=data))["ts"]
    await client.chat_update(channel="C0CRAWL", ts=ts, text="b")
    assert ws.person("U0ANA").messages("C0CRAWL")[0]["metadata"] == data
    history = await client.conversations_history(channel="C0CRAWL", include_all_metadata=True)
    assert history["messages"][0]["metadata"] == data
    await client.chat_update(channel="C0CRAWL", ts=ts, text="c", metadata={})
    assert "metadata" not in ws.person("U0ANA").messages("C0CRAWL")[0]


async def test_update_is_refused_where_slack_refuses(ws: Workspace, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="a"))["ts"]
    whisper = (await client.chat_postEphemeral(channel="C0CRAWL", user="U0ANA", text="psst"))["message_ts"]
    theirs = (await ws.person("U0ANA").post("C0CRAWL", "mine")).ts
    assert await refused(client.chat_update(channel="C0CRAWL", ts=ts, text="x" * 4001)) == "msg_too_long"
    assert await refused(client.chat_update(channel="C0CRAWL", ts=whisper, text="b")) == "message_not_found"
    assert await refused(client.chat_update(channel="C0CRAWL", ts=str(theirs), text="b")) == "cant_update_message"
    assert await refused(client.chat_update(channel="C0CRAWL", ts="1.000000", text="b")) == "message_not_found"
    assert await refused(client.chat_delete(channel="C0CRAWL", ts=str(theirs))) == "cant_delete_message"


async def test_an_ephemeral_message_is_for_one_member(ws: Workspace, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel="C0CRAWL", user="U0ANA", text="psst")
    assert [(m["text"], m["ephemeral"]) for m in ws.person("U0ANA").messages("C0CRAWL")] == [("psst", True)]
    assert ws.person("U0LEE").messages("C0CRAWL") == []
    assert (await client.conversations_history(channel="C0CRAWL"))["messages"] == []
    outsider = client.chat_postEphemeral(channel="C0APPR", user="U0GUEST", text="psst")
    assert await refused(outsider) == "user_not_in_channel"


async def test_an_ephemeral_message_shows_in_a_thread_only_once_there_is_one(
    ws: Workspace, client: AsyncWebClient
) -> None:
    ana = ws.person("U0ANA")
    root = str((await ana.post("C0CRAWL", "root")).ts)
    lost = await client.chat_postEphemeral(channel="C0CRAWL", user="U0ANA", thread_ts=root, text="lost")
    assert lost["ok"]
    assert lost["message_ts"]
    assert [m["text"] for m in ana.messages("C0CRAWL")] == ["root"]
    await ana.post("C0CRAWL", "reply", thread_ts=root)
    await client.chat_postEphemeral(channel="C0CRAWL", user="U0ANA", thread_ts=root, text="seen")
    assert [m["text"] for m in ana.messages("C0CRAWL")] == ["root", "reply", "seen"]


async def test_threads_are_counted_and_listed(ws: Workspace, client: AsyncWebClient) -> None:
    root = (await client.chat_postMessage(channel="C0CRAWL", text="root"))["ts"]
    await ws.person("U0ANA").post("C0CRAWL", "first", thread_ts=root)
    second = (await client.chat_postMessage(channel="C0CRAWL", text="second", thread_ts=root))["ts"]
    await client.chat_postMessage(channel="C0CRAWL", text="third", thread_ts=second)
    replies = await client.conversations_replies(channel="C0CRAWL", ts=root)
    assert [m["text"] for m in replies["messages"]] == ["root", "first", "second", "third"]
    history = await client.conversations_history(channel="C0CRAWL")
    assert [(m["text"], m["reply_count"]) for m in history["messages"]] == [("root", 3)]
    await client.chat_delete(channel="C0CRAWL", ts=second)
    await client.chat_delete(channel="C0CRAWL", ts=root)
    tomb = ws.person("U0ANA").messages("C0CRAWL")[0]
    assert (tomb["deleted"], tomb["reply_count"], tomb["subtype"]) == (True, 2, "tombstone")
    assert [m["text"] for m in ws.person("U0ANA").messages("C0CRAWL", thread_ts=root)][1:] == ["first", "third"]


async def test_history_is_newest_first_in_pages(client: AsyncWebClient) -> None:
    for number in range(5):
        await client.chat_postMessage(channel="C0CRAWL", text=str(number))
    first = await client.conversations_history(channel="C0CRAWL", limit=3)
    assert [m["text"] for m in first["messages"]] == ["4", "3", "2"]
    assert first["has_more"]
    cursor = first["response_metadata"]["next_cursor"]
    rest = await client.conversations_history(channel="C0CRAWL", limit=3, cursor=cursor)
    assert ([m["text"] for m in rest["messages"]], rest["has_more"]) == (["1", "0"], False)
    assert await refused(client.conversations_history(channel="C0CRAWL", cursor="?")) == "invalid_cursor"


async def test_a_permalink_leads_to_the_page(ws: Workspace, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="x"))["ts"]
    link = (await client.chat_getPermalink(channel="C0CRAWL", message_ts=ts))["permalink"]
    async with aiohttp.ClientSession() as session, session.get(link, allow_redirects=False) as reply:
        assert (reply.status, reply.headers["Location"]) == (302, f"/?channel=C0CRAWL&ts={ts}")
    assert link.startswith(ws.base_url)


async def test_dms_open_on_demand(ws: Workspace, client: AsyncWebClient) -> None:
    opened = (await client.conversations_open(users="U0ANA"))["channel"]["id"]
    assert opened == "D0ANA" == ws.person("U0ANA").dm
    await client.chat_postMessage(channel=opened, text="one")
    await client.chat_postMessage(channel="U0ANA", text="two")
    assert [m["text"] for m in ws.person("U0ANA").messages("D0ANA")] == ["one", "two"]
    assert await refused(client.chat_postMessage(channel="D0LEE", text="x")) == "channel_not_found"
    assert await refused(client.conversations_open(users="U0NONE")) == "user_not_found"


async def test_group_dms_open_on_demand_and_are_described_as_such(ws: Workspace, client: AsyncWebClient) -> None:
    """Slack's MPIM object: a name of its members, `is_mpim`, neither channel nor group."""
    opened = (await client.conversations_open(users="U0ANA,U0LEE"))["channel"]["id"]
    assert opened == (await client.conversations_open(users="U0LEE,U0ANA"))["channel"]["id"]
    info = (await client.conversations_info(channel=opened))["channel"]
    assert info["name"] == "mpdm-ana--lee--signalbox-1"
    flags = ("is_mpim", "is_private", "is_channel", "is_group", "is_im")
    assert [info[flag] for flag in flags] == [True, True, False, False, False]
    assert [row["id"] for row in (await client.conversations_list(types="mpim"))["channels"]] == [opened]
    assert opened not in {row["id"] for row in (await client.conversations_list(types="private_channel"))["channels"]}
    await client.chat_postMessage(channel=opened, text="one")
    assert [m["text"] for m in ws.person("U0LEE").messages(opened)] == ["one"]
    assert ws.person("U0RUI").messages(opened) == []
    assert await refused(client.conversations_open(users="U0ANA,U0NONE")) == "user_not_found"


async def test_channels_and_members_are_described(client: AsyncWebClient) -> None:
    info = (await client.conversations_info(channel="C0SHARED"))["channel"]
    assert (info["is_ext_shared"], info["is_member"], info["is_private"]) == (True, True, False)
    assert (await client.conversations_info(channel="C0SEC"))["channel"]["is_private"]
    assert "U0EXT" in (await client.conversations_members(channel="C0SHARED"))["members"]
    public = (await client.conversations_list())["channels"]
    assert {c["id"] for c in public} == {"C0CRAWL", "C0APPR", "C0INC", "C0SHARED"}
    everything = (await client.conversations_list(types="public_channel,private_channel"))["channels"]
    assert "C0SEC" in {c["id"] for c in everything}
    hers = (await client.users_conversations(user="U0GUEST"))["channels"]
    assert [c["id"] for c in hers] == ["C0CRAWL"]


async def test_people_carry_the_flags_that_matter(ws: Workspace, client: AsyncWebClient) -> None:
    assert (await client.users_info(user="U0GUEST"))["user"]["is_restricted"]
    assert (await client.users_info(user="U0EXT"))["user"]["team_id"] == "T0OTHER"
    assert (await client.users_info(user="U0BOT"))["user"]["is_bot"]
    ws.set_user("U0LEE", deleted=True)
    assert (await client.users_info(user="U0LEE"))["user"]["deleted"]
    assert await refused(client.users_info(user="U0NONE")) == "user_not_found"
    ids = [m["id"] async for reply in await client.users_list(limit=3) for m in reply["members"]]
    assert sorted(ids) == sorted(u.id for u in DEMO_SEED.users)


async def test_user_groups_can_be_edited(ws: Workspace, client: AsyncWebClient) -> None:
    groups = (await client.usergroups_list(include_users=True))["usergroups"]
    assert {g["id"]: g["users"] for g in groups} == {"S0CRAWL": ["U0ANA", "U0RUI"], "S0LEADS": ["U0LEE"]}
    ws.edit_group("S0LEADS", users=["U0RUI"])
    assert (await client.usergroups_users_list(usergroup="S0LEADS"))["users"] == ["U0RUI"]
    assert await refused(client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"


async def test_reactions_come_and_go(ws: Workspace, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="x"))["ts"]
    await client.reactions_add(channel="C0CRAWL", timestamp=ts, name="eyes")
    assert ws.person("U0ANA").messages("C0CRAWL")[0]["reactions"][0]["name"] == "eyes"
    again = client.reactions_add(channel="C0CRAWL", timestamp=ts, name="eyes")
    assert await refused(again) == "already_reacted"
    await client.reactions_remove(channel="C0CRAWL", timestamp=ts, name="eyes")
    gone = client.reactions_remove(channel="C0CRAWL", timestamp=ts, name="eyes")
    assert await refused(gone) == "no_reaction"


async def test_team_and_bot_are_described(client: AsyncWebClient) -> None:
    assert (await client.team_info())["team"]["name"] == "Acme"
    assert (await client.bots_info(bot="B0SIGNAL"))["bot"]["app_id"] == "A0SIGNAL"


async def test_the_official_upload_shares_a_file(ws: Workspace, client: AsyncWebClient) -> None:
    root = (await client.chat_postMessage(channel="C0CRAWL", text="root"))["ts"]
    await client.files_upload_v2(
        channel="C0CRAWL", thread_ts=root, filename="a.csv", title="A", content="x,y", initial_comment="here"
    )
    (file,) = ws.files.values()
    assert (file.name, file.title, file.bytes, file.channel_id, file.thread_ts) == (
        "a.csv",
        "A",
        b"x,y",
        "C0CRAWL",
        root,
    )
    message = ws.person("U0ANA").messages("C0CRAWL", thread_ts=root)[1]
    assert (message["text"], message["files"][0]["size"], message["files"][0]["mimetype"]) == ("here", 3, "text/csv")
    assert (await client.files_info(file=file.id))["file"]["title"] == "A"


async def test_an_upload_that_was_not_completed_is_gone(ws: Workspace, client: AsyncWebClient) -> None:
    made = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    assert made["upload_url"].startswith(ws.base_url)
    early = client.files_completeUploadExternal(files=[{"id": made["file_id"], "title": "A"}])
    assert await refused(early) == "file_not_found"
    async with aiohttp.ClientSession() as session, session.post(made["upload_url"], data=b"abc") as reply:
        assert reply.status == 200
    assert ws.files == {}
    assert await refused(client.files_info(file=made["file_id"])) == "file_not_found"
    await client.files_completeUploadExternal(files=[{"id": made["file_id"], "title": "A"}])
    assert ws.files[made["file_id"]].channel_id is None
    again = client.files_completeUploadExternal(files=[{"id": made["file_id"], "title": "A"}])
    assert await refused(again) == "file_not_found"


async def test_a_private_download_needs_the_token(ws: Workspace) -> None:
    await ws.person("U0ANA").post("C0CRAWL", "see", files=[("in.csv", b"1,2")])
    url = ws.person("U0ANA").messages("C0CRAWL")[0]["files"][0]["url_private_download"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers={"Authorization": f"Bearer {ws.bot_token}"}) as reply:
            assert (reply.status, await reply.read()) == (200, b"1,2")
        async with session.get(url) as reply:
            assert (reply.content_type, reply.url.path) == ("text/html", "/signin")


async def test_arguments_are_taken_from_query_form_and_json(ws: Workspace) -> None:
    headers = {"Authorization": f"Bearer {ws.bot_token}"}
    args = {"channel": "C0CRAWL", "text": "x", "blocks": '[{"type": "divider"}]'}
    async with aiohttp.ClientSession(headers=headers) as session:
        for sent in ({"params": args}, {"data": args}, {"json": args}):
            async with session.post(ws.api_url + "chat.postMessage", **sent) as reply:
                assert (await reply.json())["ok"]
    assert [m["blocks"][0]["type"] for m in ws.person("U0ANA").messages("C0CRAWL")] == ["divider"] * 3
