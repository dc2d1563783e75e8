"""A Bolt app over real Socket Mode: what it receives from people, and what its answers do."""

import re
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import DEMO_SEED, CannotAct, SeedCommand, Workspace

Json = dict[str, Any]
DAYS = [{"text": {"type": "plain_text", "text": d}, "value": d.lower()} for d in ("Mon", "Tue")]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def modal(*blocks: Json) -> Json:
    return {"type": "modal", "callback_id": "f", "title": plain("F"), "submit": plain("Go"), "blocks": list(blocks)}


def field(block_id: str, element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": block_id, "label": plain(block_id.title()), "element": element, **more}


@pytest.fixture
async def bodies(app: AsyncApp, join: Any) -> list[Json]:
    """Everything that the app receives; all of it is acked."""
    seen: list[Json] = []

    async def take(ack: Any, body: Json) -> None:
        seen.append(body)
        await ack()

    app.command("/ops")(take)
    app.action(re.compile(".*"))(take)
    app.view("f")(take)
    app.shortcut(re.compile(".*"))(take)
    app.event(re.compile(".*"))(take)
    await join(app)
    return seen


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


async def test_a_form_is_filled_by_label_or_block_id(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    view = modal(
        field("reason", {"type": "plain_text_input", "action_id": "a"}),
        field("day", {"type": "static_select", "action_id": "b", "options": DAYS}),
        field("who", {"type": "multi_users_select", "action_id": "c"}),
        field("flags", {"type": "checkboxes", "action_id": "d", "options": DAYS}),
        field("date", {"type": "datepicker", "action_id": "e"}),
        field("when", {"type": "datetimepicker", "action_id": "f"}),
        field("count", {"type": "number_input", "action_id": "g", "is_decimal_allowed": False}),
        field("pick", {"type": "radio_buttons", "action_id": "h", "options": DAYS}, optional=True),
        field("note", {"type": "rich_text_input", "action_id": "i"}, optional=True),
        field(
            "where",
            {"type": "conversations_select", "action_id": "j", "response_url_enabled": True},
        ),
        field("proof", {"type": "file_input", "action_id": "k"}, optional=True),
    )
    ana = ws.person("U0ANA")
    await ana.shortcut("launcher")
    assert "channel" not in bodies[0]
    assert "response_url" not in bodies[0]
    await client.views_open(trigger_id=bodies[0]["trigger_id"], view={**view, "private_metadata": "pm"})
    values = {
        "Reason": "because",
        "day": "Tue",
        "Who": ["U0LEE", "U0RUI"],
        "flags": ["mon", "tue"],
        "Date": "2026-07-16",
        "When": 1_800_000_000,
        "Count": 3,
        "Note": "rich",
        "where": "C0CRAWL",
        "Proof": [("p.txt", b"p")],
    }
    receipt = await ana.submit(values=values)
    assert (receipt.acked, ana.modal()) == (True, None)
    sent = bodies[-1]
    assert (sent["type"], sent["view"]["private_metadata"], bool(sent["view"]["hash"])) == (
        "view_submission",
        "pm",
        True,
    )
    got = sent["view"]["state"]["values"]
    assert got["reason"]["a"] == {"type": "plain_text_input", "value": "because"}
    assert got["day"]["b"]["selected_option"]["value"] == "tue"
    assert got["who"]["c"]["selected_users"] == ["U0LEE", "U0RUI"]
    assert [o["value"] for o in got["flags"]["d"]["selected_options"]] == ["mon", "tue"]
    assert (got["date"]["e"]["selected_date"], got["when"]["f"]["selected_date_time"]) == ("2026-07-16", 1_800_000_000)
    assert (got["count"]["g"]["value"], got["pick"]["h"]["selected_option"]) == ("3", None)
    assert got["note"]["i"]["rich_text_value"]["type"] == "rich_text"
    assert got["proof"]["k"]["files"][0]["name"] == "p.txt"
    (url,) = sent["response_urls"]
    assert (url["block_id"], url["action_id"], url["channel_id"]) == ("where", "j", "C0CRAWL")


async def test_the_client_itself_stops_an_incomplete_form(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    number = {"type": "number_input", "action_id": "n", "is_decimal_allowed": False, "max_value": "5"}
    text = {"type": "plain_text_input", "action_id": "t", "min_length": 3}
    email = {"type": "email_text_input", "action_id": "e"}
    url = {"type": "url_text_input", "action_id": "u"}
    ana = ws.person("U0ANA")
    await ana.shortcut("launcher")
    view = modal(
        field("empty", {"type": "users_select", "action_id": "x"}),
        field("number", number),
        field("text", text),
        field("email", email),
        field("url", url),
    )
    await client.views_open(trigger_id=bodies[0]["trigger_id"], view=view)
    receipt = await ana.submit(values={"number": "7", "text": "ab", "email": "x", "url": "y"})
    assert set(receipt.errors) == {"empty", "number", "text", "email", "url"}
    assert (receipt.delivered, len(bodies), ana.modal() is None) == (False, 1, False)
    with pytest.raises(CannotAct, match="no field 'Nope'"):
        await ana.submit(values={"Nope": 1})


async def test_the_answer_to_a_form_moves_the_stack(ws: Workspace, app: AsyncApp, join: Any) -> None:
    async def open_it(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        view = modal(field("how", {"type": "plain_text_input", "action_id": "t"}))
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def submitted(ack: Any, view: Json) -> None:
        how = view["state"]["values"]["how"]["t"]["value"]
        fresh = modal(field("how", {"type": "plain_text_input", "action_id": "t"}))
        if how in ("push", "update"):
            await ack(response_action=how, view={**fresh, "title": plain(how)})
        elif how == "errors":
            await ack(response_action="errors", errors={"how": "not so"})
        elif how == "astray":
            await ack(response_action="errors", errors={"nowhere": "not so"})
        elif how == "bad":
            await ack(response_action="update", view={**fresh, "title": plain("x" * 25)})
        elif how == "clear":
            await ack(response_action="clear")
        else:
            await ack()

    app.shortcut("launcher")(open_it)
    app.view("f")(submitted)
    await join(app)
    ana = ws.person("U0ANA")
    await ana.shortcut("launcher")

    async def says(how: str) -> tuple[str | None, dict[str, str]]:
        receipt = await ana.submit(values={"How": how})
        return receipt.error, receipt.errors

    def title() -> str | None:
        view = ana.modal()
        return view["title"]["text"] if view else None

    assert (await says("errors"), title()) == ((None, {"how": "not so"}), "F")
    assert (await says("astray"))[0] == "invalid_response_errors"
    assert ((await says("bad"))[0], title()) == ("invalid_arguments", "F")
    assert (await says("update"), title()) == ((None, {}), "update")
    assert (await says("push"), title()) == ((None, {}), "push")
    assert (await says("done"), title()) == ((None, {}), "update")
    assert (await says("push"), title()) == ((None, {}), "push")
    assert (await says("clear"), title()) == ((None, {}), None)


async def test_choosing_in_a_modal_is_told_only_where_it_dispatches(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    menu = {"type": "static_select", "options": DAYS}
    view = modal(
        field("quiet", {**menu, "action_id": "q"}),
        field("loud", {**menu, "action_id": "l"}, dispatch_action=True),
    )
    ana = ws.person("U0ANA")
    await ana.shortcut("launcher")
    opened = (await client.views_open(trigger_id=bodies[0]["trigger_id"], view=view))["view"]
    assert not (await ana.choose("modal", action_id="q", value="mon")).delivered
    assert (await ana.choose(opened["id"], None, "l", "tue")).acked
    sent = bodies[-1]
    assert sent["container"] == {"type": "view", "view_id": opened["id"]}
    assert sent["view"]["state"]["values"]["quiet"]["q"]["selected_option"]["value"] == "mon"
    assert not {"response_url", "channel", "message", "state"} & set(sent)


async def test_an_external_menu_asks_the_app(ws: Workspace, app: AsyncApp, client: AsyncWebClient, join: Any) -> None:
    asked: list[Json] = []
    pressed: list[Json] = []

    async def suggest(ack: Any, body: Json) -> None:
        asked.append(body)
        if body["value"] == "groups":
            await ack(option_groups=[{"label": plain("Days"), "options": DAYS}])
        elif body["value"] == "much":
            await ack(options=[{"text": plain("x"), "value": str(n)} for n in range(101)])
        else:
            await ack(options=[d for d in DAYS if body["value"] in d["value"]])

    async def press(ack: Any, body: Json) -> None:
        await ack()
        pressed.append(body)

    app.options("target")(suggest)
    app.action("target")(press)
    await join(app)
    menu = {"type": "external_select", "action_id": "target", "min_query_length": 2}
    blocks = [{"type": "actions", "block_id": "b", "elements": [menu]}]
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="x", blocks=blocks))["ts"]
    ana = ws.person("U0ANA")
    assert await ana.suggest(("C0CRAWL", ts), "target", "t") == []
    assert [o["value"] for o in await ana.suggest(("C0CRAWL", ts), "target", "tue")] == ["tue"]
    assert len(await ana.suggest(("C0CRAWL", ts), "target", "groups")) == 2
    with pytest.raises(CannotAct, match="no more than 100"):
        await ana.suggest(("C0CRAWL", ts), "target", "much")
    assert (asked[0]["type"], asked[0]["block_id"], asked[0]["channel"]["id"]) == ("block_suggestion", "b", "C0CRAWL")
    await ana.choose("C0CRAWL", ts, "target", "mon")
    assert pressed[0]["actions"][0]["selected_option"]["value"] == "mon"


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
    posted, changed = events
    assert (posted["bot_id"], posted["text"], posted["channel_type"]) == ("B0SIGNAL", "one", "im")
    assert (changed["subtype"], changed["message"]["text"], changed["previous_message"]["text"]) == (
        "message_changed",
        "two",
        "one",
    )


async def test_a_multi_menu_keeps_what_was_chosen_before(
    ws: Workspace, app: AsyncApp, client: AsyncWebClient, join: Any
) -> None:
    async def suggest(ack: Any, body: Json) -> None:
        await ack(options=[d for d in DAYS if body["value"] in d["value"]])

    pressed: list[Json] = []

    async def press(ack: Any, body: Json) -> None:
        await ack()
        pressed.append(body)

    app.options("days")(suggest)
    app.action("days")(press)
    await join(app)
    menu = {"type": "multi_external_select", "action_id": "days"}
    blocks = [{"type": "section", "text": plain("x"), "accessory": menu}]
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="x", blocks=blocks))["ts"]
    ana = ws.person("U0ANA")
    await ana.choose("C0CRAWL", ts, "days", ["mon"])
    await ana.choose("C0CRAWL", ts, "days", ["mon", "tue"])
    assert [o["value"] for o in pressed[-1]["actions"][0]["selected_options"]] == ["mon", "tue"]
