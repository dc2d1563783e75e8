"""Mentions, DMs, Home, message shortcuts and workflow steps as a Bolt app receives them over real Socket Mode."""

import re
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from workspace_shapes import plain

from bot.playground.workspace import DEMO_SEED, CannotAct, Workspace

Json = dict[str, Any]


async def test_a_mention_is_an_event_and_other_messages_are_not(ws: Workspace, bodies: list[Json]) -> None:
    ana = ws.person("U0ANA")
    assert not (await ana.post("C0CRAWL", "nobody meant")).delivered
    root = (await ana.post("C0CRAWL", "@signalbox status")).ts
    receipt = await ana.post("C0CRAWL", "<@U0BOT> again", thread_ts=root, files=[("a.csv", b"x")])
    assert (receipt.acked, len(bodies)) == (True, 2)
    event = bodies[1]["event"]
    assert (event["type"], event["text"], event["thread_ts"], event["channel"]) == (
        "app_mention",
        "<@U0BOT> again",
        root,
        "C0CRAWL",
    )
    assert (event["files"][0]["name"], event["ts"], bool(event["client_msg_id"])) == ("a.csv", receipt.ts, True)
    assert event["blocks"][0]["elements"][0]["elements"][0] == {"type": "user", "user_id": "U0BOT"}
    wrapper = bodies[0]
    assert (wrapper["type"], wrapper["team_id"], wrapper["api_app_id"]) == ("event_callback", "T0ACME", "A0SIGNAL")
    assert wrapper["event_id"] != bodies[1]["event_id"]
    assert wrapper["authorizations"][0]["user_id"] == "U0BOT"
    assert wrapper["is_ext_shared_channel"] is False


async def test_a_dm_is_a_message_event(ws: Workspace, bodies: list[Json]) -> None:
    ana = ws.person("U0ANA")
    await ana.post(ana.dm, "<@U0BOT> status")
    await ana.post("D0ANA", "with a file", files=[("a.csv", b"x")])
    first, second = (b["event"] for b in bodies)
    assert (first["type"], first["channel_type"], first["channel"]) == ("message", "im", "D0ANA")
    assert (second["subtype"], second["files"][0]["url_private"].startswith(ws.base_url)) == ("file_share", True)


async def test_a_mention_from_outside_says_so(ws: Workspace, bodies: list[Json]) -> None:
    await ws.person("U0EXT").post("C0SHARED", "<@U0BOT> hi")
    assert (bodies[0]["is_ext_shared_channel"], bodies[0]["event"]["user_team"]) == (True, "T0OTHER")


async def test_opening_home_carries_the_published_view(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    ana = ws.person("U0ANA")
    await ana.open_home()
    button = {"type": "button", "action_id": "go", "text": plain("Go")}
    view = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
    await client.views_publish(user_id="U0ANA", view=view)
    await ana.open_home()
    await ana.open_home(tab="messages")
    await ana.press_label("home", label="Go")
    first, second, third, press = bodies
    assert (first["event"]["tab"], "view" in first["event"]) == ("home", False)
    assert second["event"]["view"]["type"] == "home"
    assert (third["event"]["tab"], "view" in third["event"]) == ("messages", False)
    assert (press["view"]["type"], "response_url" in press) == ("home", False)


async def test_a_message_shortcut_carries_the_message(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="about this"))["ts"]
    whisper = (await client.chat_postEphemeral(channel="C0CRAWL", user="U0ANA", text="x"))["message_ts"]
    ana = ws.person("U0ANA")
    await ana.message_shortcut("work_on_message", "C0CRAWL", ts)
    (body,) = bodies
    assert (body["type"], body["callback_id"], body["message_ts"]) == ("message_action", "work_on_message", ts)
    assert (body["message"]["text"], body["channel"]["name"]) == ("about this", "crawl-ops")
    assert body["response_url"].startswith(ws.base_url)
    for person, target in ((ana, whisper), (ws.person("U0EXT"), ts)):
        with pytest.raises(CannotAct):
            await person.message_shortcut("work_on_message", "C0CRAWL", target)


async def test_a_workflow_step_runs_with_its_own_token(ws: Workspace, app: AsyncApp, join: Any) -> None:
    presses: list[Json] = []

    async def run(ack: Any, inputs: Json, complete: Any, fail: Any, client: AsyncWebClient) -> None:
        await ack()
        if inputs["command"] == "bad":
            await fail("did not work")
            return
        button = {"type": "button", "action_id": "step_ok", "text": plain("OK")}
        blocks = [{"type": "actions", "elements": [button]}]
        await client.chat_postMessage(channel="C0CRAWL", text="step", blocks=blocks)
        await complete({"outcome": "done"})

    async def press(ack: Any, body: Json) -> None:
        await ack()
        presses.append(body)

    app.function("run_operation", auto_acknowledge=False)(run)
    app.action("step_ok")(press)
    await join(app)
    ana = ws.person("U0ANA")
    good = await ana.run_step("run_operation", inputs={"command": "status"})
    bad = await ana.run_step("run_operation", inputs={"command": "bad"})
    ends = [ws.steps[r.execution_id or ""] for r in (good, bad)]
    assert [(s["status"], s.get("outputs"), s.get("error")) for s in ends] == [
        ("completed", {"outcome": "done"}, None),
        ("failed", None, "did not work"),
    ]
    (card,) = ana.messages("C0CRAWL")
    await ana.press_label("C0CRAWL", card["ts"], "OK")
    assert presses[0]["function_data"]["execution_id"] == good.execution_id
    assert presses[0]["bot_access_token"].startswith("xwfp-")
    with pytest.raises(CannotAct):
        await ana.run_step("other")


async def test_a_changed_channel_id_is_announced(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    await client.chat_postMessage(channel="C0INC", text="x")
    assert (await ws.change_channel_id("C0INC", "C0INC2")).acked
    event = bodies[0]["event"]
    assert (event["type"], event["old_channel_id"], event["new_channel_id"]) == (
        "channel_id_changed",
        "C0INC",
        "C0INC2",
    )
    assert ws.person("U0RUI").messages("C0INC2")[0]["text"] == "x"


async def test_waiting_ends_with_what_the_person_sees(ws: Workspace, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0CRAWL", text="something else")
    with pytest.raises(AssertionError, match="something else"):
        await ws.person("U0ANA").wait_for(lambda p: p.messages("C0CRAWL")[5], timeout=0.05)
    assert await ws.person("U0ANA").wait_for(lambda p: p.messages("C0CRAWL")[0]["text"]) == "something else"


async def test_an_app_may_hear_its_own_dm_messages() -> None:
    """With own_events a post in a DM and its update come back as message events that carry the bot's id."""
    async with Workspace(DEMO_SEED, own_events=True) as ws:
        client = AsyncWebClient(ws.bot_token, base_url=ws.api_url)
        app = AsyncApp(client=client, process_before_response=True, ignoring_self_events_enabled=False)
        events: list[Json] = []

        async def take(event: Json) -> None:
            events.append(event)

        app.event(re.compile(".*"))(take)
        handler = AsyncSocketModeHandler(app, ws.app_token)
        await handler.connect_async()
        await ws.wait_connected()
        ts = (await client.chat_postMessage(channel="U0ANA", text="one"))["ts"]
        await client.chat_update(channel="D0ANA", ts=ts, text="two")
        await client.chat_postMessage(channel="C0CRAWL", text="elsewhere")
        await ws.person("U0ANA").wait_for(lambda _: len(events) == 2)
        await handler.close_async()
    posted, changed = sorted(events, key=lambda event: "subtype" in event)  # two connections keep no order
    assert (posted["bot_id"], posted["text"], posted["channel_type"]) == ("B0SIGNAL", "one", "im")
    assert (changed["subtype"], changed["message"]["text"], changed["previous_message"]["text"]) == (
        "message_changed",
        "two",
        "one",
    )


async def test_sharing_a_channel_is_announced(ws: Workspace, bodies: list[Json]) -> None:
    ws.set_channel("C0CRAWL", is_ext_shared=True)
    ws.set_channel("C0CRAWL", is_private=True)
    ws.set_channel("C0CRAWL", is_ext_shared=False)
    await ws.person("U0ANA").wait_for(lambda _: len(bodies) == 2)
    kinds = {b["event"]["type"]: b["event"]["channel"] for b in bodies}
    assert kinds == {"channel_shared": "C0CRAWL", "channel_unshared": "C0CRAWL"}


def test_an_app_is_installed_from_its_manifest() -> None:
    """Scopes, events, commands, shortcuts and functions are the manifest's, and nothing else."""
    parameters = {"properties": {"command": {"type": "string"}}, "required": ["command"]}
    manifest = {
        "features": {
            "slash_commands": [{"command": "/x", "description": "d", "should_escape": False}],
            "shortcuts": [{"name": "N", "type": "global", "callback_id": "go", "description": "d"}],
        },
        "oauth_config": {"scopes": {"bot": ["commands"]}},
        "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
        "functions": {"step": {"title": "T", "input_parameters": parameters, "output_parameters": {}}},
    }
    app = DEMO_SEED.with_manifest(manifest).app
    assert (app.scopes, app.events, app.bot_token) == (("commands",), ("app_mention",), DEMO_SEED.app.bot_token)
    assert [(c.command, c.should_escape) for c in app.commands] == [("/x", False)]
    assert [(s.callback_id, s.kind) for s in app.shortcuts] == [("go", "global")]
    assert [(s.callback_id, s.inputs, s.outputs) for s in app.steps] == [("step", (("command", "string"),), ())]
