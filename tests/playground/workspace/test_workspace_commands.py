"""Commands and presses as a Bolt app receives them over real Socket Mode, and what its answers do."""

from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from workspace_shapes import DAYS, plain

from bot.playground.workspace import DEMO_SEED, CannotAct, SeedCommand, Workspace

Json = dict[str, Any]


async def test_a_command_arrives_with_slacks_fields(ws: Workspace, bodies: list[Json]) -> None:
    receipt = await ws.person("U0ANA").command("C0CRAWL", "/ops status acc:shop/prices@last")
    assert receipt.acked
    assert receipt.ack_ms < 1000
    body = bodies[0]
    assert body | {"trigger_id": "", "response_url": ""} == {
        "token": "playground-verification-not-a-secret",
        "team_id": "T0ACME",
        "team_domain": "acme",
        "channel_id": "C0CRAWL",
        "channel_name": "crawl-ops",
        "user_id": "U0ANA",
        "user_name": "ana",
        "command": "/ops",
        "text": "status acc:shop/prices@last",
        "api_app_id": "A0SIGNAL",
        "is_enterprise_install": "false",
        "response_url": "",
        "trigger_id": "",
    }
    assert body["response_url"].startswith(f"http://{ws.host}/commands/T0ACME/")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("grant @lee in #crawl-ops", "grant <@U0LEE|lee> in <#C0CRAWL|crawl-ops>"),
        ("grant <@U0LEE> #security", "grant <@U0LEE> <#C0SEC|>"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("see https://e.org/x?a=b.", "see <https://e.org/x?a=b>."),
        ("@crawl @last a@lee", "<!subteam^S0CRAWL|@crawl> @last a@lee"),
        ("say “hi” — now", "say “hi” — now"),
    ],
)
async def test_should_escape_rewrites_what_was_typed(ws: Workspace, bodies: list[Json], typed: str, text: str) -> None:
    await ws.person("U0ANA").command("C0CRAWL", f"/ops {typed}")
    assert bodies[0]["text"] == text


async def test_without_should_escape_names_stay_names() -> None:
    async with Workspace(DEMO_SEED.with_app(commands=(SeedCommand("/ops", should_escape=False),))) as ws:
        client = AsyncWebClient(ws.bot_token, base_url=ws.api_url)
        app = AsyncApp(client=client, process_before_response=True)
        texts: list[str] = []

        async def take(ack: Any, command: Json) -> None:
            texts.append(command["text"])
            await ack()

        app.command("/ops")(take)
        handler = AsyncSocketModeHandler(app, ws.app_token)
        await handler.connect_async()
        await ws.wait_connected()
        await ws.person("U0ANA").command("C0CRAWL", "/ops grant <@U0LEE> @rui a & b")
        await handler.close_async()
    assert texts == ["grant @lee @rui a & b"]


async def test_an_ack_with_text_answers_the_person_alone(ws: Workspace, app: AsyncApp, join: Any) -> None:
    async def answer(ack: Any, command: Json) -> None:
        if command["text"] == "share":
            await ack(text="for all", response_type="in_channel")
        elif command["text"] == "bad":
            await ack(blocks=[{"type": "nonsense"}], text="x")
        else:
            await ack("for you")

    app.command("/ops")(answer)
    await join(app)
    ana, lee = ws.person("U0ANA"), ws.person("U0LEE")
    await ana.command("C0CRAWL", "/ops")
    assert [(m["text"], m["ephemeral"]) for m in ana.messages("C0CRAWL")] == [("for you", True)]
    assert lee.messages("C0CRAWL") == []
    await ana.command("C0CRAWL", "/ops share")
    assert [(m["text"], m["author_name"]) for m in lee.messages("C0CRAWL")] == [
        ("/ops share", "Ana Alves"),
        ("for all", "signalbox"),
    ]
    assert (await ana.command("C0CRAWL", "/ops bad")).error == "invalid_command_response"


async def test_places_where_a_command_is_not_offered(ws: Workspace, bodies: list[Json]) -> None:
    assert (await ws.person("U0EXT").command("C0SHARED", "/ops status")).error == "invalid_command"
    assert (await ws.person("U0ANA").command("C0CRAWL", "/other")).error == "invalid_command"
    with pytest.raises(CannotAct):
        await ws.person("U0GUEST").command("C0APPR", "/ops status")
    ws.set_user("U0RUI", deleted=True)
    with pytest.raises(CannotAct):
        await ws.person("U0RUI").command("C0CRAWL", "/ops status")
    assert bodies == []


async def test_a_command_in_a_dm_says_so(ws: Workspace, bodies: list[Json]) -> None:
    ana = ws.person("U0ANA")
    await ana.command(ana.dm, "/ops status")
    assert (bodies[0]["channel_id"], bodies[0]["channel_name"]) == ("D0ANA", "directmessage")
    await ana.command("C0SEC", "/ops status")
    assert bodies[1]["channel_name"] == "privategroup"


async def test_a_press_arrives_with_message_state_and_urls(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    menu = {"type": "static_select", "action_id": "day", "options": DAYS}
    confirm = {"title": plain("?"), "text": plain("Sure?"), "confirm": plain("Yes"), "deny": plain("No")}
    button = {"type": "button", "action_id": "ok", "value": "7", "text": plain("Approve"), "confirm": confirm}
    blocks = [{"type": "actions", "block_id": "row", "elements": [menu, button]}]
    root = (await client.chat_postMessage(channel="C0CRAWL", text="root"))["ts"]
    data = {"event_type": "card", "event_payload": {"id": 7}}
    card = await client.chat_postMessage(channel="C0CRAWL", text="card", blocks=blocks, thread_ts=root, metadata=data)
    ana = ws.person("U0ANA")
    await ana.choose("C0CRAWL", card["ts"], "day", "Tue")
    await ana.press_label("C0CRAWL", card["ts"], "Approve")
    chosen, pressed = bodies
    assert chosen["actions"][0]["selected_option"] == DAYS[1]
    assert pressed["type"] == "block_actions"
    assert pressed["user"] == {"id": "U0ANA", "username": "ana", "name": "ana", "team_id": "T0ACME"}
    assert pressed["team"] == {"id": "T0ACME", "domain": "acme"}
    assert pressed["container"] == {
        "type": "message",
        "message_ts": card["ts"],
        "channel_id": "C0CRAWL",
        "is_ephemeral": False,
        "thread_ts": root,
    }
    assert pressed["channel"] == {"id": "C0CRAWL", "name": "crawl-ops"}
    assert (pressed["message"]["text"], pressed["message"]["metadata"]) == ("card", data)
    assert pressed["state"]["values"]["row"]["day"]["selected_option"]["value"] == "tue"
    assert pressed["response_url"].startswith(ws.base_url + "/actions/T0ACME/")
    (action,) = pressed["actions"]
    assert float(action.pop("action_ts")) > float(card["ts"])
    assert action == {**button, "block_id": "row"}
    assert pressed["trigger_id"] != chosen["trigger_id"]


async def test_an_overflow_is_pressed_by_the_text_of_its_entry(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    overflow = {"type": "overflow", "action_id": "more", "options": DAYS}
    section = {"type": "section", "text": plain("x"), "accessory": overflow}
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="x", blocks=[section]))["ts"]
    await ws.person("U0ANA").press_label("C0CRAWL", ts, "Tue")
    await ws.person("U0ANA").press("C0CRAWL", ts, action_id="more", value="mon")
    assert [b["actions"][0]["selected_option"]["value"] for b in bodies] == ["tue", "mon"]


async def test_a_button_that_is_gone_is_pressed_only_from_an_older_sight(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    button = {"type": "button", "action_id": "ok", "value": "7", "text": plain("Approve")}
    blocks = [{"type": "actions", "elements": [button]}]
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="x", blocks=blocks))["ts"]
    (old,) = ws.person("U0ANA").messages("C0CRAWL")
    await client.chat_update(channel="C0CRAWL", ts=ts, text="done")
    with pytest.raises(CannotAct):
        await ws.person("U0ANA").press_label("C0CRAWL", ts, "Approve")
    receipt = await ws.person("U0ANA").press_label("C0CRAWL", ts, "Approve", seen=old)
    assert (receipt.acked, bodies[0]["actions"][0]["value"], bodies[0]["message"]["text"]) == (True, "7", "done")


async def test_an_external_person_presses_as_her_own_team(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    button = {"type": "button", "action_id": "ok", "text": plain("Approve")}
    blocks = [{"type": "actions", "elements": [button]}]
    ts = (await client.chat_postMessage(channel="C0SHARED", text="x", blocks=blocks))["ts"]
    await ws.person("U0EXT").press("C0SHARED", ts, action_id="ok")
    assert (bodies[0]["user"]["team_id"], bodies[0]["team"]["id"]) == ("T0OTHER", "T0OTHER")
    with pytest.raises(CannotAct):
        await ws.person("U0GUEST").press("C0SHARED", ts, action_id="ok")
