"""The HTTP contract of the page: looking, acting, live events, files, planes, and who may call it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import Workspace

Json = dict[str, Any]


class Page:
    """A browser's view of the contract: GET and POST with JSON."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self.session = session
        self.origin = origin

    async def get(self, path: str, **query: str) -> Json:
        async with self.session.get(f"/playground/{path}", params=query) as reply:
            assert reply.status == 200, await reply.text()
            return dict(await reply.json())

    async def act(self, user: str, act: str, **more: Any) -> Json:
        async with self.session.post("/playground/act", json={"user": user, "act": act, **more}) as reply:
            return {"status_code": reply.status, **await reply.json()}


@pytest.fixture
async def page(ws: Workspace) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession(ws.base_url) as session:
        yield Page(session, ws.base_url)


class Plane:
    """A control plane as the workspace knows it."""

    name, kind, base_url = "acc", "sequentum", "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.faults: list[Json] = []
        self.acts = 0

    def person_acts(self) -> None:
        self.acts += 1

    async def set_fault(self, fault: Json) -> None:
        self.faults.append(fault)

    async def clear_faults(self) -> None:
        self.faults.clear()

    async def log(self) -> list[Json]:
        return [{"method": "GET", "path": "/x"}]


async def test_the_state_lists_what_a_person_may_see(ws: Workspace, page: Page) -> None:
    ws.register_plane(Plane())
    state = await page.get("state", user="U0GUEST")
    assert (state["team"]["name"], state["me"]["name"], state["app"]["command"]) == ("Acme", "gus", "/ops")
    assert [c["id"] for c in state["channels"]] == ["C0CRAWL", "D0GUEST"]
    assert state["app"]["connected"] == 0
    assert state["planes"] == [{"name": "acc", "kind": "sequentum", "base_url": "http://127.0.0.1:1"}]
    assert {p["id"] for p in state["people"]} >= {"U0ANA", "U0EXT"}


async def test_messages_modal_and_home_are_a_persons_own(ws: Workspace, page: Page, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel="C0CRAWL", user="U0ANA", text="psst")
    assert len((await page.get("messages", user="U0ANA", channel="C0CRAWL"))["messages"]) == 1
    assert (await page.get("messages", user="U0LEE", channel="C0CRAWL"))["messages"] == []
    assert (await page.get("messages", user="U0GUEST", channel="C0SEC"))["messages"] == []
    await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [{"type": "divider"}]})
    assert (await page.get("home", user="U0ANA"))["view"]["type"] == "home"
    assert (await page.get("modal", user="U0ANA"))["view"] is None
    async with page.session.get("/playground/home", params={"user": "U0NONE"}) as reply:
        assert reply.status == 404


async def test_every_act_goes_through_the_page(ws: Workspace, page: Page, app: AsyncApp, join: Any) -> None:
    def plain(text: str) -> Json:
        return {"type": "plain_text", "text": text}

    async def command(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        menu = {"type": "external_select", "action_id": "menu", "min_query_length": 1}
        button = {"type": "button", "action_id": "go", "text": plain("Go")}
        blocks = [{"type": "actions", "elements": [button, menu]}]
        await client.chat_postMessage(channel=body["channel_id"], text="card", blocks=blocks)

    async def press(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        element = {"type": "plain_text_input", "action_id": "t"}
        block = {"type": "input", "block_id": "why", "label": plain("Why"), "element": element}
        view = {"type": "modal", "callback_id": "f", "title": plain("F"), "submit": plain("Go"), "blocks": [block]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def options(ack: Any) -> None:
        await ack(options=[{"text": plain("One"), "value": "1"}])

    async def just_ack(ack: Any) -> None:
        await ack()

    app.command("/ops")(command)
    app.action("go")(press)
    app.action("menu")(just_ack)
    app.options("menu")(options)
    app.view("f")(just_ack)
    app.shortcut("launcher")(just_ack)
    app.shortcut("work_on_message")(just_ack)
    app.event("app_home_opened")(just_ack)
    app.event("app_mention")(just_ack)
    app.function("run_operation")(just_ack)
    await join(app)
    where = {"channel": "C0CRAWL"}
    assert (await page.act("U0ANA", "command", **where, text="/ops x"))["acked"]
    (card,) = (await page.get("messages", user="U0ANA", **where))["messages"]
    at = {**where, "ts": card["ts"]}
    assert (await page.act("U0ANA", "press", **at, action_id="go"))["acked"]
    view = (await page.get("modal", user="U0ANA"))["view"]
    wrong = await page.act("U0ANA", "submit", view_id=view["id"], values={})
    assert wrong["errors"] == {"why": "Please complete this required field."}
    assert (await page.act("U0ANA", "submit", view_id=view["id"], values={"why": "so"}))["acked"]
    assert (await page.act("U0ANA", "press", **at, label="Go"))["acked"]
    assert (await page.act("U0ANA", "close"))["status_code"] == 200
    assert (await page.act("U0ANA", "suggest", **at, action_id="menu", query="on"))["groups"][0]["options"][0][
        "value"
    ] == "1"
    assert (await page.act("U0ANA", "choose", **at, action_id="menu", value="1"))["acked"]
    assert (await page.act("U0ANA", "shortcut", callback_id="launcher"))["acked"]
    assert (await page.act("U0ANA", "message_shortcut", callback_id="work_on_message", **at))["acked"]
    assert (await page.act("U0ANA", "home"))["acked"]
    assert (await page.act("U0ANA", "step", callback_id="run_operation", inputs={}))["execution_id"]
    data = base64.b64encode(b"1,2").decode()
    files = [{"name": "a.csv", "content_base64": data}]
    posted = await page.act("U0ANA", "post", **where, text="<@U0BOT> hi", files=files)
    assert (posted["acked"], bool(posted["ts"])) == (True, True)
    (file_id,) = ws.files
    async with page.session.get(f"/playground/files/{file_id}", params={"user": "U0ANA"}) as reply:
        assert (await reply.read(), reply.headers["Content-Disposition"][:10]) == (b"1,2", "attachment")
    async with page.session.get(f"/playground/files/{file_id}", params={"user": "U0EXT"}) as reply:
        assert reply.status == 404


async def test_what_cannot_be_done_is_told(page: Page) -> None:
    assert (await page.act("U0ANA", "press", channel="C0CRAWL", ts="1.0", action_id="x"))["status_code"] == 409
    assert (await page.act("U0ANA", "fly"))["status_code"] == 400
    assert (await page.act("U0ANA", "command", channel="C0CRAWL"))["status_code"] == 400
    assert (await page.act("U0NONE", "home"))["status_code"] == 409
    assert (await page.act("U0ANA", "post", channel="C0CRAWL", text="x", files=[["a", "?"]]))["status_code"] == 400


async def test_changes_are_told_live_to_those_concerned(ws: Workspace, page: Page, client: AsyncWebClient) -> None:
    async with page.session.get("/playground/events", params={"user": "U0ANA"}) as stream:
        assert stream.content_type == "text/event-stream"
        await stream.content.readuntil(b"\n\n")
        await client.views_publish(user_id="U0LEE", view={"type": "home", "blocks": [{"type": "divider"}]})
        await client.chat_postMessage(channel="C0CRAWL", text="x")
        line = await asyncio.wait_for(stream.content.readuntil(b"\n\n"), 30)
    assert json.loads(line.removeprefix(b"data: ")) == {"type": "changed", "what": "messages", "channel": "C0CRAWL"}


async def test_stopping_ends_live_streams_quickly(page: Page, ws: Workspace) -> None:
    async with page.session.get("/playground/events", params={"user": "U0ANA"}) as stream:
        await stream.content.readuntil(b"\n\n")
        async with asyncio.timeout(30):
            await ws.stop()


async def test_only_loopback_names_are_served(page: Page) -> None:
    for path in ("/playground/state?user=U0ANA", "/api/auth.test", "/"):
        async with page.session.get(path, headers={"Host": "evil.example.com:80"}) as reply:
            assert reply.status == 403
    async with page.session.get("/playground/state?user=U0ANA", headers={"Host": "localhost:1"}) as reply:
        assert reply.status == 200
    for origin, status in (("https://evil.example.com", 403), ("null", 403), (page.origin, 200)):
        async with page.session.get("/playground/state?user=U0ANA", headers={"Origin": origin}) as reply:
            assert reply.status == status


async def test_state_changes_need_a_json_content_type(ws: Workspace, page: Page) -> None:
    ws.register_plane(Plane())
    for path in ("/playground/act", "/playground/planes/acc/faults"):
        async with page.session.post(path, data=json.dumps({"user": "U0ANA", "act": "home"})) as reply:
            assert reply.status == 415
        async with page.session.post(path, data=b"[", headers={"Content-Type": "application/json"}) as reply:
            assert reply.status == 400


async def test_planes_are_reached_through_the_workspace(ws: Workspace, page: Page) -> None:
    plane = Plane()
    ws.register_plane(plane)
    assert [p["name"] for p in (await page.get("planes"))["planes"]] == ["acc"]
    async with page.session.post("/playground/planes/acc/faults", json={"fault": "slow", "times": 2}) as reply:
        assert reply.status == 200
    assert plane.faults == [{"fault": "slow", "times": 2}]
    assert (await page.get("planes/acc/log"))["log"] == [{"method": "GET", "path": "/x"}]
    async with page.session.post("/playground/planes/acc/faults", json={"fault": None}) as reply:
        assert (reply.status, plane.faults) == (200, [])
    for act in ({"act": "home"}, {"act": "suggest"}):
        await page.session.post("/playground/act", json={"user": "U0ANA"} | act)
    assert plane.acts == 1
    async with page.session.get("/playground/planes/none/log") as reply:
        assert reply.status == 404
