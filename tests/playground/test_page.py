"""The playground's page in a real browser, against the real workspace and a small scripted app."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from browser import DOWN, ENTER, ESCAPE, TAB, Browser, BrowserMissing, Element, broken_rules
from page_app import LOG, card, scripted_app
from playwright.async_api import Route
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import DEMO_SEED, SeedExample, Workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


@pytest_asyncio.fixture(loop_scope="module")
async def ws() -> AsyncIterator[Workspace]:
    async with Workspace(DEMO_SEED, port=0) as workspace:
        client = AsyncWebClient(workspace.bot_token, base_url=workspace.api_url)
        handler = AsyncSocketModeHandler(scripted_app(client), workspace.app_token)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await workspace.wait_connected()
        yield workspace
        await handler.close_async()  # type: ignore[no-untyped-call]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One browser for all tests of this file: to start it takes longer than most of them."""
    async with Browser(downloads=tmp_path_factory.mktemp("browser")) as window:
        yield window


@pytest_asyncio.fixture(loop_scope="module")
async def page(ws: Workspace, browser: Browser, tmp_path: Path) -> AsyncIterator[Browser]:
    """The page in Ana's hands, in #crawl-ops; at the end nothing may have gone wrong in its console."""
    await browser.fresh(tmp_path)
    await browser.go(ws.base_url)
    await browser.testid("channel-C0CRAWL", text="crawl-ops")
    await browser.testid("app-state", text="is connected")
    yield browser
    assert await browser.console() == []


async def say(page: Browser, text: str) -> None:
    box = await page.testid("composer")
    await box.type(text)
    await (await page.testid("send")).click()


async def become(page: Browser, user: str) -> None:
    await (await page.testid("person-select")).choose(user)


async def press(page: Browser, action_id: str) -> Element:
    found = await page.find(f'[data-testid="button"][data-action-id="{action_id}"]')
    await found.click()
    return found


async def focus_moves_to(page: Browser, key: Callable[[], Awaitable[None]], testid: str) -> None:
    """Press a key until the focus is on this test id; every stop on the way draws a focus ring."""
    for _ in range(60):
        await key()
        at = await page.focused()
        if at["testid"] == testid:
            assert at["ring"] == "solid" or testid.endswith("composer"), at
            return
    raise AssertionError(f"{testid} is not reached by keyboard; the focus is on {at}")


async def test_a_person_is_chosen_and_only_her_channels_are_listed(page: Browser) -> None:
    """Choosing the guest shows his one channel and the app; choosing Lee shows all of them."""
    await become(page, "U0GUEST")
    await page.gone('[data-testid="channel-C0APPR"]')
    await page.testid("channel-C0CRAWL")
    await page.testid("channel-D0GUEST", text="signalbox")
    await become(page, "U0LEE")
    await page.testid("channel-C0APPR")


async def test_a_command_brings_a_card_and_text_never_becomes_markup(page: Browser) -> None:
    """A typed command shows the app's card with its marks, and an escaped tag as the text it is."""
    await say(page, "/ops start acc:shop/prices")
    message = await page.testid("message", text="start acc:shop/prices")
    assert "<b>" in await message.text()
    assert await (await message.find("code")).text() == "run/17"
    assert await (await message.find(".mention")).text() == "@Ana Alves"
    labels = [await one.text() for one in await page.all('[data-testid="button"]')]
    assert labels == ["Log", "Retry", "Stop", "Mute"]


async def test_a_chart_shows_each_label_whole_and_within_its_picture(page: Browser, ws: Workspace) -> None:
    """Up to the 20 characters that Slack allows, in the wide picture and in the one for a phone."""
    labels = [f"{minutes} h {minutes + 10} min ago" for minutes in range(17, 9, -1)]
    series = [{"name": "Runs", "data": [{"label": label, "value": 1} for label in labels]}]
    chart = {"type": "bar", "series": series, "axis_config": {"categories": labels, "y_label": "count"}}
    block = {"type": "data_visualization", "title": "Runs", "chart": chart}
    client = AsyncWebClient(ws.bot_token, base_url=ws.api_url)
    await client.chat_postMessage(channel="C0CRAWL", text="Runs", blocks=[block])
    await page.testid("chart")
    cut = """() => [...document.querySelectorAll("svg.chart")].map((svg) => {
      svg.style.display = "block";
      const box = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll("text")].filter((one) => one.textContent.endsWith("ago"));
      const inside = (at) => at.left >= box.left - 1 && at.right <= box.right + 1 && at.bottom <= box.bottom + 1;
      return texts.filter((one) => inside(one.getBoundingClientRect())).map((one) => one.textContent);
    })"""
    assert await page.page.evaluate(cut) == [labels, labels]


async def test_an_ephemeral_message_says_that_only_you_see_it(page: Browser) -> None:
    """Ana sees the app's ephemeral message with its mark; Lee does not see it at all."""
    await say(page, "/ops start acc:shop/prices")
    note = await page.testid("message", text="Nobody else reads this")
    assert "Only visible to you" in await note.text()
    await become(page, "U0LEE")
    await page.testid("message", text="start acc:shop/prices")
    await page.gone(".only-you")


async def test_a_confirm_dialog_stands_before_its_button(page: Browser) -> None:
    """Stop asks first: leaving it changes nothing, going on updates the card in place."""
    await say(page, "/ops start acc:shop/prices")
    await press(page, "stop")
    dialog = await page.testid("confirm")
    assert "ends at once" in await dialog.text()
    await (await page.testid("confirm-cancel")).click()
    await page.gone('[data-testid="confirm"]')
    await press(page, "stop")
    await (await page.testid("confirm-ok")).click()
    await page.testid("message", text="stopped")
    await page.gone('[data-action-id="stop"]')


async def test_a_forms_errors_stand_at_their_fields(page: Browser) -> None:
    """Empty fields and the app's own complaint are shown at the field; then the form goes through."""
    await say(page, "/ops form")
    await page.testid("modal", text="Start an agent")
    await (await page.testid("modal-submit")).click()
    for label in ("Target", "Reason"):
        await page.find(f'[data-label="{label}"] [data-testid="field-error"]', text="complete this")
    await (await page.find('[data-action-id="target"]')).type("stock")
    await (await page.find('[role="option"]', text="acc:shop/stock")).click()
    reason = await page.find('input[data-action-id="reason"]')
    await reason.type("hurry")
    await (await page.testid("modal-submit")).click()
    await page.find('[data-label="Reason"] [data-testid="field-error"]', text="two words")
    assert await reason.attribute("aria-invalid") == "true"
    await reason.type(" please")
    await (await page.testid("modal-submit")).click()
    await page.gone('[data-testid="modal"]')
    await page.testid("message", text="acc:shop/stock because hurry please")


async def test_an_open_modal_shows_what_was_entered_through_the_workspace(page: Browser, ws: Workspace) -> None:
    """The same person at another place, such as a script: the page draws text and choices, and keeps what was typed here."""
    await say(page, "/ops form")
    await page.testid("modal", text="Start an agent")
    await (await page.find('input[data-action-id="reason"]')).type("typed here")
    await ws.person("U0ANA").enter("modal", {"target": "acc:shop/stock"})
    target = await page.find('[data-action-id="target"]')

    async def chosen() -> bool:
        return "acc:shop/stock" in str(await target.property("value")) + await target.text()

    await page.until(chosen, "the choice is not drawn")
    reason = await page.find('input[data-action-id="reason"]')
    assert await reason.property("value") == "typed here"
    await ws.person("U0ANA").enter("modal", {"reason": "from a script"})

    async def entered() -> bool:
        return await reason.property("value") == "from a script"

    await page.until(entered, "the text is not drawn")


async def test_a_pushed_modal_leads_back_to_what_was_typed(page: Browser) -> None:
    """A button in a form tells the app what was typed so far; going back finds it still there."""
    await say(page, "/ops form")
    await (await page.find('input[data-action-id="reason"]')).type("half a thought")
    await press(page, "peek")
    assert "So far: half a thought" in await (await page.testid("modal", text="Explained")).text()
    await (await page.testid("modal-back")).click()
    await page.testid("modal", text="Start an agent")
    reason = await page.find('input[data-action-id="reason"]')
    assert await reason.property("value") == "half a thought"


async def test_a_workflow_step_is_run_with_its_inputs(page: Browser) -> None:
    """The shortcuts button offers the app's step, which hears the inputs typed for it."""
    await (await page.testid("shortcuts")).click()
    await (await page.testid("step-run_operation")).click()
    await (await page.testid("step-command")).type("status acc:shop/prices" + ENTER)
    await page.testid("message", text="Step: status acc:shop/prices")
    await page.testid("step-result", text="Run an operation completed")
    assert "done" in await (await page.testid("step-result")).text()
    await (await page.testid("step-close")).click()
    await page.gone('[data-testid="step-dialog"]')


async def test_a_workflow_step_takes_a_name_for_a_person_and_a_channel_and_shows_its_error(
    page: Browser, ws: Workspace
) -> None:
    """Ana and her channel are filled in by name; another person is typed by name; what goes wrong stays to be read."""
    await (await page.testid("shortcuts")).click()
    await (await page.testid("step-run_operation")).click()
    assert await (await page.testid("step-user")).property("value") == "Ana Alves"
    assert await (await page.testid("step-channel")).property("value") == "#crawl-ops"
    await (await page.testid("step-user")).at.fill("lee")
    await (await page.testid("step-command")).type("fail please" + ENTER)
    await page.testid("step-result", text="Run an operation failed")
    assert "no such thing" in await (await page.testid("step-result")).text()
    (given,) = [one["inputs"] for one in ws.core.state.steps.values()]
    assert (given["user"], given["channel"]) == ("U0LEE", "C0CRAWL")
    await (await page.testid("step-close")).click()


async def test_an_example_is_said_at_once_by_its_person_in_its_channel(page: Browser, ws: Workspace) -> None:
    """It is there on the first look, only in its channel, stays folded when it was folded, and one press runs it."""
    ws.core.seed = replace(
        ws.core.seed, examples=(SeedExample("Start a run", "/ops start acc:shop/prices", "U0ANA", "C0CRAWL"),)
    )
    await page.go(ws.base_url)
    await (await page.testid("example", text="Start a run")).click()
    await page.testid("message", text="acc:shop/prices")
    await become(page, "U0LEE")
    await (await page.testid("example", text="as Ana Alves")).click()
    await page.find('[data-testid="message"]:nth-of-type(2)')
    assert await (await page.testid("person-select")).property("value") == "U0ANA"
    await (await page.testid("channel-C0INC")).click()
    await page.gone('[data-testid="examples"]:not([hidden])')


async def test_a_file_is_downloaded_with_its_bytes(page: Browser, tmp_path: Path) -> None:
    """The log that the app uploads is a link, and the link gives the very bytes."""
    await say(page, "/ops start acc:shop/prices")
    await press(page, "log")
    await (await page.testid("file-link", text="Log of run 17")).click()
    saved = tmp_path / "run-17.log"

    async def complete() -> bool:
        return saved.exists() and saved.read_bytes() == LOG

    await page.until(complete, "the file did not arrive")


async def test_a_message_with_a_file_is_posted(page: Browser, ws: Workspace, tmp_path: Path) -> None:
    """A file attached in the composer arrives in the workspace with its bytes."""
    given = tmp_path / "input.csv"
    given.write_bytes(b"a;b\n1;2\n")
    picker = (await page.all('[data-testid="file-input"]'))[0]
    await picker.type(str(given))
    await say(page, "here it is")
    await page.testid("file-link", text="input.csv")
    assert [(one.name, one.bytes) for one in ws.files.values()] == [("input.csv", b"a;b\n1;2\n")]


async def test_a_thread_opens_beside_the_channel_and_takes_a_reply(page: Browser) -> None:
    """The bot answers a mention in a thread; the pane shows it and a reply stays in the thread."""
    await say(page, "@signalbox are you there")
    await (await page.testid("thread-open", text="1 reply")).click()
    await page.find('[data-testid="thread-pane"] .message', text="I am here")
    await (await page.testid("thread-composer")).type("fine then" + ENTER)
    await page.find('[data-testid="thread-pane"] .message', text="fine then")
    await page.testid("thread-open", text="2 replies")
    assert "fine then" not in await (await page.testid("messages")).text()


async def test_an_app_that_does_not_answer_is_said_so(page: Browser) -> None:
    """A command without an answer ends in operation_timeout; a button without one says so beside it."""
    await say(page, "/ops silent")
    await page.testid("message", text="operation_timeout")
    await say(page, "/ops start acc:shop/prices")
    await press(page, "mute")
    await page.find(".block-note", text="operation_timeout")


async def test_a_press_on_an_older_state_of_a_message_reaches_the_app_and_one_on_a_deleted_message_says_so(
    page: Browser, ws: Workspace
) -> None:
    """The page didn't hear of the change yet. As in Slack, the app gets the press and can answer it."""
    await say(page, "/ops start acc:shop/prices")
    await page.find('[data-action-id="stop"]')
    address = f"{ws.base_url}/playground/messages?user=U0ANA&channel=C0CRAWL"
    old = await (await page.page.request.get(address)).text()
    shown = next(one for one in json.loads(old)["messages"] if "levers" in json.dumps(one))

    async def outdated(route: Route) -> None:
        await route.fulfill(body=old, content_type="application/json")

    async def stopped() -> bool:
        return "stopped" in await (await page.page.request.get(address)).text()

    await page.page.route("**/playground/messages*", outdated)
    await ws.person("U0ANA").press("C0CRAWL", shown["ts"], action_id="stop")
    await page.until(stopped, "the card has not changed")
    await press(page, "retry")
    await page.testid("modal", text="Start an agent")
    await (await page.testid("modal-close")).click()
    await page.gone('[data-testid="modal"]')
    client = AsyncWebClient(ws.bot_token, base_url=ws.api_url)
    await client.chat_delete(channel="C0CRAWL", ts=shown["ts"])
    await press(page, "log")
    await page.find("[data-note]", text="This message is gone")
    await page.page.unroute("**/playground/messages*", outdated)
    assert all("409" in said for said in await page.console())


async def test_a_page_whose_workspace_has_ended_says_so_and_goes_on_when_it_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    """Presses, other people and other channels say that the workspace doesn't answer, and the page stays where it is."""
    gone = "The workspace doesn't answer. Is it still running?"
    async with Workspace(DEMO_SEED, port=0) as first:
        client = AsyncWebClient(first.bot_token, base_url=first.api_url)
        await client.chat_postMessage(channel="C0CRAWL", text="card", blocks=card("running"))
        await browser.fresh(tmp_path)
        await browser.go(first.base_url)
        await browser.find('[data-action-id="log"]')
    await browser.find(".room-banner", text=gone)
    await press(browser, "log")
    await browser.find("[data-note]", text=gone)
    await become(browser, "U0LEE")
    await browser.testid("toast", text=gone)
    assert await (await browser.testid("person-select")).property("value") == "U0ANA"
    assert "#U0ANA/C0CRAWL" in browser.page.url
    async with Workspace(DEMO_SEED, port=int(first.base_url.rpartition(":")[2])):
        await browser.gone(f'.room-banner:has-text("{gone}")')
        await browser.gone(f'[data-note]:has-text("{gone}")')
    assert all("ERR_CONNECTION_REFUSED" in said for said in await browser.console())


async def test_a_message_shortcut_is_in_the_messages_menu(page: Browser) -> None:
    """The menu of a message offers the app's shortcut, which reaches the app with that message."""
    await say(page, "disk is full")
    message = await page.testid("message", text="disk is full")
    await message.click()
    await (await page.testid("message-menu")).click()
    await (await page.testid("shortcut-work_on_message")).click()
    await page.testid("message", text="About: disk is full")


async def test_opening_the_home_tab_shows_what_the_app_publishes(page: Browser) -> None:
    """Opening App Home tells the app and shows the view that it publishes."""
    await (await page.testid("home-tab")).click()
    await page.find('[data-testid="home"]', text="Nothing waits for you")


async def test_what_others_do_appears_without_a_reload(page: Browser, ws: Workspace) -> None:
    """A message that Lee posts elsewhere is shown at once and spoken to a screen reader."""
    await ws.person("U0LEE").post("C0CRAWL", "Good *morning*, <https://example.com|this>")
    message = await page.testid("message", text="Good morning, this")
    assert await (await message.find("a")).attribute("href") == "https://example.com/"
    spoken = (await page.all('[data-testid="live"]'))[0]
    assert "Lee Ling: Good morning" in str(await spoken.property("textContent"))
    await ws.person("U0LEE").post("C0APPR", "elsewhere")
    await page.find('[data-testid="channel-C0APPR"].unread')


async def test_everything_is_worked_by_keyboard_alone(page: Browser) -> None:
    """Command, confirm, form with search, and leaving with Escape: no pointer, always a visible focus."""
    await focus_moves_to(page, lambda: page.keys(TAB), "composer")
    await page.write("/ops start acc:shop/prices")
    await page.keys(ENTER)
    await page.testid("message", text="start acc:shop/prices")
    for _ in range(30):
        await page.back_tab()
        if (await page.focused())["action"] == "stop":
            break
    assert (await page.focused())["ring"] == "solid"
    await page.keys(ENTER)
    await page.testid("confirm")
    await page.keys(ESCAPE)
    await page.gone('[data-testid="confirm"]')
    assert (await page.focused())["action"] == "stop"
    await page.back_tab()
    assert (await page.focused())["action"] == "retry"
    await page.keys(ENTER)
    await page.testid("modal", text="Start an agent")

    async def on_target() -> bool:
        return (await page.focused())["action"] == "target"

    await page.until(on_target, "the first field has no focus")
    await page.write("infa")
    await page.find('[role="option"].active', text="infa:eu-1")
    await page.keys(DOWN, ENTER)
    await page.keys(TAB)
    assert (await page.focused())["action"] == "reason"
    await page.write("month end")
    await page.keys(ENTER)
    await page.gone('[data-testid="modal"]')
    await page.testid("message", text="infa:eu-1/Data Integration Server because month end")


async def test_escape_closes_a_modal_and_the_app_may_hear_of_it(page: Browser, ws: Workspace) -> None:
    """Escape closes the open form in the workspace too, and the focus goes back to the composer."""
    await say(page, "/ops form")
    await page.testid("modal")
    await page.keys(ESCAPE)
    await page.gone('[data-testid="modal"]')
    assert ws.person("U0ANA").modal() is None


class Switchable:
    """A control plane as the workspace sees one, which writes down what it is told."""

    name, kind, base_url = "acc", "sequentum", "http://127.0.0.1:9"
    away_for = 11.5

    def __init__(self) -> None:
        self.told: list[Json] = []

    def person_acts(self) -> None:
        """Its faults apply at once."""

    async def set_fault(self, spec: Json) -> None:
        self.told.append(spec)

    @property
    def faults(self) -> list[str]:
        return [str(spec["fault"]) for spec in self.told]

    async def clear_faults(self) -> None:
        self.told.clear()

    async def log(self) -> list[Json]:
        return [
            {"at": 1.0, "method": "POST", "path": "/api/start", "status": 500, "fault": "500"},
            {"at": 2.0, "method": "GET", "path": "/api/agent", "status": 200, "fault": None},
        ]


async def test_a_permalink_leads_to_its_message(page: Browser, ws: Workspace) -> None:
    """A permalink opens the page at its message, a reply in the thread that it belongs to."""
    lee = ws.person("U0LEE")
    first = (await lee.post("C0INC", "the disk is full")).ts
    reply = (await lee.post("C0INC", "cleaning up", first)).ts
    for ts, place in ((first, "messages"), (reply, "thread-messages")):
        await page.go(f"{ws.base_url}/archives/C0INC/p{str(ts).replace('.', '')}")
        await page.find(f'[data-testid="{place}"] .message[data-ts="{ts}"]:focus')


async def test_control_planes_take_faults_and_show_their_requests(page: Browser, ws: Workspace) -> None:
    """A fault button reaches its plane, the log of the plane is shown, and Clear ends the fault."""
    plane = Switchable()
    ws.register_plane(plane)
    await (await page.testid("planes-toggle")).click()
    await page.testid("plane-log-acc", text="/api/start")
    await (await page.testid("fault-acc-drop_after")).click()

    async def told() -> bool:
        return (
            json.dumps(plane.told)
            == '[{"fault": "drop_after", "times": 1, "waits": true, "match": "^(POST|PUT|PATCH|DELETE) "}]'
        )

    await page.until(told, f"the plane was told {plane.told}")
    await page.find(".plane-active", text="Active: drop_after")
    plane.told.clear()  # a fault that is used up is no longer shown
    await page.gone(".plane-active .icon")
    await (await page.testid("fault-acc-refuse")).click()

    async def refusing() -> bool:
        return plane.told == [{"fault": "refuse", "seconds": 60}]

    await page.until(refusing, "connections are refused for a time")
    await page.find(".toast", text="acc refuses connections for 60 seconds")
    await page.find(".plane-active", text="12 s left")
    await (await page.testid("fault-acc-html")).click()

    async def replaced() -> bool:
        return plane.told == [{"fault": "html", "times": 1, "waits": True}]

    await page.until(replaced, "the fault chosen last is the only one")
    await (await page.testid("fault-acc-clear")).click()

    async def cleared() -> bool:
        return not plane.told

    await page.until(cleared, "the fault was not cleared")


async def test_no_dialog_menu_or_panel_breaks_a_rule_of_accessibility_in_the_dark(page: Browser, ws: Workspace) -> None:
    """axe-core, on each thing that opens above or beside the messages."""
    ws.register_plane(Switchable())
    await page.page.emulate_media(color_scheme="dark")
    wrong: list[str] = []

    async def check(what: str) -> None:
        wrong.extend(f"{what}: {rule}" for rule in await broken_rules(page.page))

    await say(page, "/ops start acc:shop/prices")
    await press(page, "stop")
    await page.testid("confirm")
    await check("confirm")
    await (await page.testid("confirm-cancel")).click()
    await (await page.testid("shortcuts")).click()
    await page.testid("step-run_operation")
    await check("shortcuts")
    await (await page.testid("step-run_operation")).click()
    await (await page.testid("step-command")).type("fail please" + ENTER)
    await page.testid("step-result", text="Run an operation failed")
    await check("workflow step")
    await (await page.testid("step-close")).click()
    await (await page.testid("planes-toggle")).click()
    await page.testid("plane-log-acc", text="/api/start")
    await (await page.testid("fault-acc-drop_after")).click()
    await page.find(".plane-active", text="Active: drop_after")
    await check("control planes")
    await (await page.testid("home-tab")).click()
    await page.find('[data-testid="home"]', text="Nothing waits for you")
    await check("Home")
    assert not wrong, "\n".join(wrong)


async def test_a_missing_browser_is_a_failure_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a browser the tests fail with what to install, and never skip."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setattr("browser.CHOICE", tmp_path / "none")
    monkeypatch.setattr("browser.PLACES", ())
    with pytest.raises(BrowserMissing, match="sudo apt-get install chromium"):
        async with Browser(downloads=tmp_path):
            pass
