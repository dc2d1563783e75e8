"""Triggers, modals and response URLs live as long, and are used as often, as Slack allows."""

import asyncio
import re
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.playground.workspace import Workspace

Json = dict[str, Any]


def form(title: str = "Form", **more: Any) -> Json:
    text = {"type": "plain_text", "text": title}
    block = {
        "type": "input",
        "block_id": "why",
        "label": {"type": "plain_text", "text": "Reason"},
        "element": {"type": "plain_text_input", "action_id": "text"},
    }
    return {"type": "modal", "title": text, "submit": text, "blocks": [block], **more}


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


@pytest.fixture
async def bodies(app: AsyncApp, join: Any) -> list[Json]:
    """The payloads of commands and presses, each acked at once."""
    seen: list[Json] = []

    async def take(ack: Any, body: Json) -> None:
        await ack()
        seen.append(body)

    app.command("/ops")(take)
    app.action(re.compile(".*"))(take)
    app.view({"type": "view_closed", "callback_id": "c"})(take)
    app.view("c")(take)
    await join(app)
    return seen


async def trigger(ws: Workspace, bodies: list[Json]) -> str:
    await ws.person("U0ANA").command("C0CRAWL", "/ops")
    return str(bodies[-1]["trigger_id"])


async def test_a_trigger_opens_one_modal(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    handle = await trigger(ws, bodies)
    opened = (await client.views_open(trigger_id=handle, view=form()))["view"]
    modal = ws.person("U0ANA").modal()
    assert modal is not None
    assert (modal["id"], modal["title"]["text"]) == (opened["id"], "Form")
    assert ws.person("U0LEE").modal() is None
    assert await refused(client.views_open(trigger_id=handle, view=form())) == "exchanged_trigger_id"
    assert await refused(client.views_open(trigger_id="1.2.3", view=form())) == "invalid_trigger_id"


async def test_a_trigger_lives_three_seconds(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    handle = await trigger(ws, bodies)
    ws.clock.advance(3.1)
    assert await refused(client.views_open(trigger_id=handle, view=form())) == "expired_trigger_id"


async def test_a_bad_view_is_refused_with_its_place(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    handle = await trigger(ws, bodies)
    with pytest.raises(SlackApiError) as caught:
        await client.views_open(trigger_id=handle, view=form(title="x" * 25))
    reply = caught.value.response
    assert reply["error"] == "invalid_arguments"
    assert (
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
        in (reply["response_metadata"]["messages"])
    )
    huge = form()
    text = {"type": "mrkdwn", "text": "x" * 3000}
    huge["blocks"] += [{"type": "section", "text": text}] * 90
    assert await refused(client.views_open(trigger_id=await trigger(ws, bodies), view=huge)) == "view_too_large"


async def test_a_stack_holds_three_modals(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    ana = ws.person("U0ANA")
    button = {"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}}
    stacked = {**form(), "blocks": [{"type": "actions", "elements": [button]}]}
    first = (await client.views_open(trigger_id=await trigger(ws, bodies), view=stacked))["view"]
    for _ in range(2):
        await ana.press("modal", action_id="more")
        pushed = (await client.views_push(trigger_id=bodies[-1]["trigger_id"], view=stacked))["view"]
    assert pushed["root_view_id"] == first["id"]
    await ana.press("modal", action_id="more")
    over = client.views_push(trigger_id=bodies[-1]["trigger_id"], view=stacked)
    assert await refused(over) == "push_limit_reached"
    await ana.close()
    assert ana.modal()["id"] == pushed["previous_view_id"]  # type: ignore[index]


async def test_an_update_with_an_old_hash_conflicts(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    opened = await client.views_open(trigger_id=await trigger(ws, bodies), view=form(external_id="e"))
    view = opened["view"]
    await client.views_update(external_id="e", hash=view["hash"], view=form("Two", external_id="e"))
    late = client.views_update(view_id=view["id"], hash=view["hash"], view=form("Three"))
    assert await refused(late) == "hash_conflict"
    assert ws.person("U0ANA").modal()["title"]["text"] == "Two"  # type: ignore[index]
    assert await refused(client.views_update(view_id="V0", view=form())) == "not_found"
    again = client.views_open(trigger_id=await trigger(ws, bodies), view=form(external_id="e"))
    assert await refused(again) == "duplicate_external_id"


async def test_entered_values_survive_an_update(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    view = (await client.views_open(trigger_id=await trigger(ws, bodies), view=form(callback_id="c")))["view"]
    ana = ws.person("U0ANA")
    await ana.enter(view["id"], {"Reason": "because"})
    await client.views_update(view_id=view["id"], view=form("Two", callback_id="c"))
    await ana.submit(view["id"])
    entered = bodies[-1]["view"]["state"]["values"]["why"]["text"]
    assert entered == {"type": "plain_text_input", "value": "because"}


async def test_closing_is_told_only_when_asked_for(ws: Workspace, client: AsyncWebClient, bodies: list[Json]) -> None:
    ana = ws.person("U0ANA")
    await client.views_open(trigger_id=await trigger(ws, bodies), view=form(callback_id="c"))
    assert not (await ana.close()).delivered
    noted = form(callback_id="c", notify_on_close=True)
    await client.views_open(trigger_id=await trigger(ws, bodies), view=noted)
    assert (await ana.close(clear=True)).acked
    assert (bodies[-1]["type"], bodies[-1]["is_cleared"]) == ("view_closed", True)
    assert ana.modal() is None


async def test_a_home_tab_is_published_and_guarded_by_its_hash(ws: Workspace, client: AsyncWebClient) -> None:
    blocks = [{"type": "divider"}]
    first = (await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": blocks}))["view"]
    assert ws.person("U0ANA").home()["id"] == first["id"]  # type: ignore[index]
    home = {"type": "home", "blocks": blocks}
    second = (await client.views_publish(user_id="U0ANA", view=home, hash=first["hash"]))["view"]
    assert second["hash"] != first["hash"]
    assert await refused(client.views_publish(user_id="U0ANA", view=home, hash=first["hash"])) == "hash_conflict"
    assert await refused(client.views_publish(user_id="U0NONE", view=home)) == "user_not_found"


async def test_a_response_url_answers_five_times(ws: Workspace, bodies: list[Json]) -> None:
    await trigger(ws, bodies)
    hook = AsyncWebhookClient(bodies[-1]["response_url"])
    statuses = [(await hook.send(text=str(n), response_type="in_channel")).status_code for n in range(6)]
    assert statuses == [200] * 5 + [404]
    assert [m["text"] for m in ws.person("U0LEE").messages("C0CRAWL")] == ["0", "1", "2", "3", "4"]


async def test_a_response_url_lives_thirty_minutes(ws: Workspace, bodies: list[Json]) -> None:
    await trigger(ws, bodies)
    hook = AsyncWebhookClient(bodies[-1]["response_url"])
    ws.clock.advance(29 * 60)
    assert (await hook.send(text="still")).status_code == 200
    ws.clock.advance(2 * 60)
    late = await hook.send(text="late")
    assert (late.status_code, late.body) == (404, '{"ok": false, "error": "expired_url"}')
    unknown = await AsyncWebhookClient(ws.base_url + "/actions/T0ACME/1/x").send(text="x")
    assert unknown.status_code == 404


async def test_an_ephemeral_card_changes_only_through_its_response_url(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    ana = ws.person("U0ANA")
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Run it"}}
    blocks = [{"type": "actions", "elements": [button]}]
    ts = (await client.chat_postEphemeral(channel="C0CRAWL", user="U0ANA", text="sure?", blocks=blocks))["message_ts"]
    await ana.press_label("C0CRAWL", ts, "Run it")
    assert (bodies[-1]["container"]["is_ephemeral"], "message" in bodies[-1]) == (True, False)
    hook = AsyncWebhookClient(bodies[-1]["response_url"])
    await hook.send(text="running", replace_original=True)
    (seen,) = ana.messages("C0CRAWL")
    assert (seen["text"], seen["ephemeral"], "blocks" in seen) == ("running", True, False)
    await hook.send(delete_original=True)
    assert ana.messages("C0CRAWL") == []


async def test_a_command_has_no_original_to_replace(ws: Workspace, bodies: list[Json]) -> None:
    await trigger(ws, bodies)
    hook = AsyncWebhookClient(bodies[-1]["response_url"])
    await hook.send(text="one")
    await hook.send(text="two", replace_original=True)
    assert [m["text"] for m in ws.person("U0ANA").messages("C0CRAWL")] == ["one", "two"]


async def test_bad_content_through_a_response_url_is_refused(ws: Workspace, bodies: list[Json]) -> None:
    await trigger(ws, bodies)
    bad = await AsyncWebhookClient(bodies[-1]["response_url"]).send(text="x", blocks=[{"type": "nonsense"}])
    assert (bad.status_code, "invalid_blocks" in str(bad.body)) == (400, True)
    async with aiohttp.ClientSession() as session, session.post(bodies[-1]["response_url"], data="x") as reply:
        assert reply.status == 400
    assert [(c.method, c.error) for c in ws.calls if c.method == "response_url"] == [
        ("response_url", "invalid_blocks"),
        ("response_url", "no_text"),
    ]


async def test_a_response_url_never_touches_a_persons_message(ws: Workspace, app: AsyncApp, join: Any) -> None:
    urls: list[str] = []

    async def take(ack: Any, body: Json) -> None:
        await ack()
        urls.append(body["response_url"])

    app.shortcut("work_on_message")(take)
    await join(app)
    ana = ws.person("U0ANA")
    ts = (await ana.post("C0CRAWL", "mine")).ts
    await ana.message_shortcut("work_on_message", "C0CRAWL", str(ts))
    hook = AsyncWebhookClient(urls[0])
    await hook.send(delete_original=True)
    await hook.send(text="yours", replace_original=True)
    in_thread = {"text": "there", "response_type": "in_channel", "thread_ts": ts}
    await hook.send_dict(in_thread)
    assert [(m["text"], m["ephemeral"], m.get("thread_ts")) for m in ana.messages("C0CRAWL")] == [
        ("mine", False, ts),
        ("yours", True, None),
        ("there", False, ts),
    ]


async def test_a_refused_view_leaves_the_trigger_usable(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    handle = await trigger(ws, bodies)
    assert await refused(client.views_open(trigger_id=handle, view={"type": "modal"})) == "invalid_arguments"
    assert (await client.views_open(trigger_id=handle, view=form()))["ok"]


async def test_two_people_press_the_same_button_at_once(
    ws: Workspace, client: AsyncWebClient, bodies: list[Json]
) -> None:
    buttons = [
        {"type": "button", "action_id": "pick", "value": v, "text": {"type": "plain_text", "text": v}} for v in "ab"
    ]
    blocks = [{"type": "actions", "block_id": v, "elements": [b]} for v, b in zip("ab", buttons, strict=True)]
    ts = (await client.chat_postMessage(channel="C0CRAWL", text="x", blocks=blocks))["ts"]
    people = [ws.person(u) for u in ("U0ANA", "U0LEE")]
    receipts = await asyncio.gather(*(p.press("C0CRAWL", ts, action_id="pick", value="b") for p in people))
    assert all(r.acked for r in receipts)
    assert [b["actions"][0]["block_id"] for b in bodies] == ["b", "b"]
    assert {b["user"]["id"] for b in bodies} == {"U0ANA", "U0LEE"}
