"""Modals and menus worked by a person, with a Bolt app on the other side of real Socket Mode."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from workspace_shapes import DAYS, field, form, plain

from bot.playground.workspace import CannotAct, Workspace

Json = dict[str, Any]


async def test_a_form_is_filled_by_label_or_block_id(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    view = form(
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
    view = form(
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
        view = form(field("how", {"type": "plain_text_input", "action_id": "t"}))
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def submitted(ack: Any, view: Json) -> None:
        how = view["state"]["values"]["how"]["t"]["value"]
        fresh = form(field("how", {"type": "plain_text_input", "action_id": "t"}))
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
    view = form(
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
