"""Every source makes one Intent from what Slack really sends, hands it over once, and acks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.card import Button, Card, FormField, FormView, HomeView
from bot.core.command.catalog import Catalog
from bot.core.intent import Command, Doubt, Form, Intent, Open, ParseError, Place, Press, Receipt, Source
from bot.playground.workspace import DEMO_SEED, Person, Workspace
from bot.plugins import load
from bot.render.card import render_card
from bot.render.form import render_form
from bot.render.home import render_home
from tests.slack.support import Inside, command_body, post, served, signed

BUTTON = Button(label="Retry", action="retry", id="b" * 26)
HERE = Place(team_id="T0ACME", channel_id="C0CRAWL")


@dataclass
class Hall:
    """A workspace whose requests come to the real listeners, and a notebook after them."""

    ws: Workspace
    inside: Inside
    client: AsyncWebClient
    url: str
    answers: list[tuple[Intent, str]] = field(default_factory=list)

    @property
    def ana(self) -> Person:
        return self.ws.person("U0ANA")

    def only(self) -> Intent:
        """The one intent that was made."""
        assert len(self.inside.intents) == 1, self.inside.intents
        return self.inside.intents[0]

    async def message(self, **more: Any) -> str:
        """A card of the bot with a button; its ts."""
        made = render_card(Card(key="k", place=HERE, title="start acc:shop/prices", buttons=(BUTTON,)))
        reply = await self.client.chat_postMessage(channel="C0CRAWL", text=made.text, blocks=list(made.blocks), **more)
        return str(reply["ts"])

    async def modal(self) -> None:
        """Ana has the launcher open."""
        await self.ana.command("C0CRAWL", "/ops")
        trigger = self.inside.intents.pop().reply.trigger_id
        fields = (
            FormField(name="verb", label="What", type="choice", choices=("start", "status"), optional=False),
            FormField(name="target", label="Target", type="target"),
            FormField(name="reason", label="Reason", type="text"),
        )
        view = render_form(FormView(form="launcher", token="t" * 26, title="Signalbox", submit="Go", fields=fields))
        await self.client.views_open(trigger_id=trigger, view=view)


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    inside = Inside(catalog=Catalog({"acc": load("sequentum").spec}))
    answers: list[tuple[Intent, str]] = []
    seed = DEMO_SEED.with_app(events=(*DEMO_SEED.app.events, "channel_shared", "reaction_added", "team_join"))
    async with (
        Workspace(seed) as ws,
        served(inside, ws.signing_secret, answers=answers) as url,
        aiohttp.ClientSession() as http,
    ):
        ws.deliver_http(url)
        yield Hall(ws, inside, AsyncWebClient(ws.bot_token, base_url=ws.api_url, session=http), url, answers)


async def test_a_slash_command_is_a_command(hall: Hall) -> None:
    receipt = await hall.ana.command("C0CRAWL", "/ops start acc:shop/prices input.region=north -- late again")
    assert (receipt.acked, receipt.body) == (True, None)
    intent = hall.only()
    assert intent.payload == Command(
        verb="start", target="acc:shop/prices", params=(("input.region", "north"),), reason="late again"
    )
    assert (intent.source, intent.actor.user_id, intent.actor.team_id) == (Source.COMMAND, "U0ANA", "T0ACME")
    assert intent.place == HERE
    assert intent.reply.response_url
    assert intent.reply.trigger_id
    assert intent.reply.response_until is not None
    assert 28 * 60 < (intent.reply.response_until - intent.at).total_seconds() < 30 * 60


async def test_a_command_without_words_opens_the_launcher(hall: Hall) -> None:
    await hall.ana.command("C0CRAWL", "/ops")
    assert hall.only().payload == Open(what="launcher")


async def test_words_that_cannot_be_read_are_handed_over_as_such(hall: Hall) -> None:
    await hall.ana.command("C0CRAWL", "/ops strat acc:shop/prices")
    ask = hall.only().payload
    assert isinstance(ask, ParseError)
    assert ask.text == "strat acc:shop/prices"


async def test_a_command_of_another_name_is_answered_and_not_run(hall: Hall) -> None:
    async with aiohttp.ClientSession() as http:
        body = command_body("start acc:shop/prices", command="/deploy")
        answer = await post(http, hall.url, body, signed(body, secret=hall.ws.signing_secret))
    assert answer.status == 200
    assert "/ops" in answer.body
    assert hall.inside.intents == []


async def test_a_mention_is_a_command_and_its_answer_belongs_to_its_thread(hall: Hall) -> None:
    receipt = await hall.ana.post("C0CRAWL", "<@U0BOT> status acc:shop/prices")
    intent = hall.only()
    assert intent.payload == Command(verb="status", target="acc:shop/prices")
    assert intent.source is Source.MENTION
    assert (intent.place.channel_id, intent.place.thread_ts, intent.place.message_ts) == (
        "C0CRAWL",
        receipt.ts,
        receipt.ts,
    )
    assert intent.doubt is None
    reply = await hall.ana.post("C0CRAWL", "please <@U0BOT> whoami", thread_ts=receipt.ts)
    assert hall.inside.intents[1].doubt is Doubt.IN_SENTENCE
    assert hall.inside.intents[1].place.thread_ts == receipt.ts
    assert hall.inside.intents[1].place.message_ts == reply.ts
    assert hall.inside.intents[1].payload == Command(verb="whoami")


async def test_a_command_before_the_mention_is_read_and_marked_as_part_of_a_sentence(hall: Hall) -> None:
    await hall.ana.post("C0CRAWL", "status acc:shop/prices <@U0BOT>")
    assert hall.only().payload == Command(verb="status", target="acc:shop/prices")
    assert hall.only().doubt is Doubt.IN_SENTENCE


async def test_a_mention_without_words_asks_for_help(hall: Hall) -> None:
    await hall.ana.post("C0CRAWL", "<@U0BOT>")
    assert hall.only().payload == Command(verb="help")


async def test_a_direct_message_is_a_command_with_its_files(hall: Hall) -> None:
    await hall.ana.post(hall.ana.dm, "input upload acc:shop/prices", files=[("prices.csv", b"a,b")])
    intent = hall.only()
    assert intent.source is Source.DM
    assert intent.place.channel_id == hall.ana.dm
    assert isinstance(intent.payload, Command)
    assert len(intent.payload.files) == 1
    assert intent.payload.files[0] in hall.ws.files


async def test_what_is_said_to_nobody_and_what_the_bot_says_is_nothing(hall: Hall) -> None:
    await hall.ana.post("C0CRAWL", "start acc:shop/prices")
    for event in (
        {"type": "message", "channel_type": "im", "channel": "D0ANA", "user": "U0BOT", "text": "help", "ts": "1.1"},
        {"type": "message", "subtype": "message_changed", "channel_type": "im", "channel": "D0ANA", "ts": "1.2"},
        {
            "type": "message",
            "subtype": "bot_message",
            "channel_type": "im",
            "channel": "D0ANA",
            "bot_id": "B1",
            "text": "help",
        },
        {
            "type": "message",
            "channel_type": "channel",
            "channel": "C0CRAWL",
            "user": "U0ANA",
            "text": "help",
            "ts": "1.3",
        },
        {"type": "app_mention", "channel": "C0CRAWL", "user": "U0BOT", "text": "<@U0BOT> help", "ts": "1.4"},
    ):
        body = {
            "type": "event_callback",
            "team_id": "T0ACME",
            "event_id": f"Ev{event.get('ts', 0)}",
            "event": event,
        }
        receipt = await hall.ws.deliver("events_api", body)
        assert receipt.status == 200
    assert hall.inside.intents == []


async def test_an_event_that_means_nothing_here_is_acked(hall: Hall) -> None:
    for name in ("reaction_added", "team_join", "no_such_event", "tokens_revoked", "app_uninstalled"):
        body = {"type": "event_callback", "team_id": "T0ACME", "event_id": f"Ev{name}", "event": {"type": name}}
        receipt = await hall.ws.deliver("events_api", body)
        assert receipt.status == 200, name
    assert hall.inside.intents == []


async def test_a_pressed_button_carries_its_id_and_where_it_stands(hall: Hall) -> None:
    ts = await hall.message()
    receipt = await hall.ana.press_label("C0CRAWL", ts, "Retry")
    assert receipt.status == 200
    intent = hall.only()
    assert isinstance(intent.payload, Press)
    assert intent.payload.button == BUTTON.id
    assert intent.payload.action == "retry"
    assert (intent.source, intent.place.channel_id, intent.place.message_ts) == (Source.BUTTON, "C0CRAWL", ts)
    assert intent.reply.response_url


async def test_an_outsider_in_a_shared_channel_is_known_by_the_own_workspace(hall: Hall) -> None:
    made = render_card(Card(key="k", place=HERE, title="a card", buttons=(BUTTON,)))
    reply = await hall.client.chat_postMessage(channel="C0SHARED", text="x", blocks=list(made.blocks))
    await hall.ws.person("U0EXT").press_label("C0SHARED", reply["ts"], "Retry")
    assert hall.only().actor.team_id == "T0OTHER"


async def test_a_button_on_the_home_tab_comes_from_home(hall: Hall) -> None:
    section = Card(key="s", place=Place(team_id="T0ACME", channel_id=""), title="Waiting", buttons=(BUTTON,))
    view = render_home(HomeView(user_id="U0ANA", sections=(section,)))
    await hall.client.views_publish(user_id="U0ANA", view=view)
    await hall.ana.press_label("home", None, "Retry")
    intent = hall.only()
    assert intent.source is Source.HOME
    assert intent.place.channel_id == ""
    assert intent.reply.response_url is None


async def test_the_home_tab_is_opened_and_the_messages_tab_is_nothing(hall: Hall) -> None:
    await hall.ana.open_home("messages")
    assert hall.inside.intents == []
    await hall.ana.open_home()
    assert hall.only().payload == Open(what="home")


async def test_a_submitted_form_is_read_and_a_complaint_goes_to_its_field(hall: Hall) -> None:
    await hall.modal()
    hall.inside.answer = Receipt(errors={"target": "There is no such agent."})
    receipt = await hall.ana.submit("modal", {"verb": "start"})
    assert receipt.errors == {"target": "There is no such agent."}
    assert hall.ana.modal() is not None
    hall.inside.answer = Receipt()
    hall.inside.intents.clear()
    receipt = await hall.ana.submit("modal", {"verb": "start", "reason": "late"})
    assert receipt.acked
    assert hall.ana.modal() is None
    ask = hall.only().payload
    assert isinstance(ask, Form)
    assert (ask.form, ask.token) == ("launcher", "t" * 26)
    assert ask.values["verb"] == "start"
    assert ask.values["reason"] == "late"


async def test_a_form_that_was_not_taken_stays_open_and_says_why(hall: Hall) -> None:
    await hall.modal()
    hall.inside.answer = Receipt(say="The audit log can't be written, so nothing was done.")
    receipt = await hall.ana.submit("modal", {"verb": "start"})
    assert list(receipt.errors.values()) == ["The audit log can't be written, so nothing was done."]
    assert hall.ana.modal() is not None


async def test_a_menu_of_targets_offers_what_fits(hall: Hall) -> None:
    await hall.modal()
    hall.inside.targets = ("acc:shop/prices", "acc:shop/stock", "acc:news/site", "acc:" + "x" * 200)
    options = await hall.ana.suggest("modal", "suggest_target", "shop")
    assert [option["value"] for option in options] == ["acc:shop/prices", "acc:shop/stock"]
    assert await hall.ana.suggest("modal", "suggest_target", "nothing like it") == []


async def test_the_global_shortcut_carries_no_place(hall: Hall) -> None:
    await hall.ana.shortcut("launcher")
    intent = hall.only()
    assert intent.payload == Open(what="launcher")
    assert (intent.source, intent.place.channel_id) == (Source.SHORTCUT, "")


async def test_the_message_shortcut_takes_words_files_and_thread(hall: Hall) -> None:
    posted = await hall.ana.post("C0CRAWL", "start acc:shop/prices", files=[("in.csv", b"a")])
    hall.inside.intents.clear()
    await hall.ana.message_shortcut("work_on_message", "C0CRAWL", str(posted.ts))
    intent = hall.only()
    assert isinstance(intent.payload, Open)
    assert (intent.payload.what, intent.payload.text) == ("work_on_message", "start acc:shop/prices")
    assert len(intent.payload.files) == 1
    assert intent.place.thread_ts == posted.ts


async def test_a_workflow_step_acts_as_its_app_and_a_named_person_is_a_claim(hall: Hall) -> None:
    inputs = {"command": "start acc:shop/prices -- nightly", "channel": "C0CRAWL", "user": "U0ROOT"}
    receipt = await hall.ana.run_step("run_operation", inputs)
    intent = hall.only()
    assert (intent.source, intent.actor.user_id) == (Source.STEP, hall.ws.app_id)
    assert intent.place.channel_id == "C0CRAWL"
    assert intent.reply.step_id == receipt.execution_id
    assert isinstance(intent.payload, Command)
    assert intent.payload.reason is not None
    assert "nightly" in intent.payload.reason
    assert "U0ROOT" in intent.payload.reason


async def test_a_channel_that_changes_is_told_before_it_is_acked(hall: Hall) -> None:
    await hall.ws.change_channel_id("C0CRAWL", "C0NEW")
    assert [event["type"] for event in hall.inside.channels] == ["channel_id_changed"]


async def test_a_redelivery_and_a_second_click_have_the_key_of_the_first(hall: Hall) -> None:
    await hall.ana.post("C0CRAWL", "<@U0BOT> whoami")
    await hall.ws.redeliver()
    first, second = hall.inside.intents
    assert first.dedupe_key == second.dedupe_key
    assert first.request_id != second.request_id
    await hall.ana.command("C0CRAWL", "/ops whoami")
    await hall.ana.command("C0CRAWL", "/ops whoami")
    assert len({intent.dedupe_key for intent in hall.inside.intents}) == 3


async def test_where_the_ack_cannot_say_it_the_person_is_told_another_way(hall: Hall) -> None:
    """A command hears it in the ack; a button, a mention and a shortcut are told."""
    ts = await hall.message()
    hall.inside.answer = Receipt(say="Nothing was done.")
    heard = await hall.ana.command("C0CRAWL", "/ops whoami")
    assert "Nothing was done." in json.dumps(heard.body)
    assert hall.answers == []
    await hall.ana.press_label("C0CRAWL", ts, "Retry")
    await hall.ana.post("C0CRAWL", "<@U0BOT> whoami")
    await hall.ana.shortcut("launcher")
    assert [text for _, text in hall.answers] == ["Nothing was done."] * 3


async def test_a_listener_that_breaks_before_the_ack_is_not_acked_and_the_next_request_is(hall: Hall) -> None:
    """Nothing was stored, so Slack has to send the event again, or show the person that it failed."""
    hall.inside.breaks = RuntimeError("cannot happen")
    receipt = await hall.ana.command("C0CRAWL", "/ops whoami")
    assert (receipt.acked, receipt.status) == (False, 500)
    hall.inside.breaks = None
    assert (await hall.ana.command("C0CRAWL", "/ops whoami")).acked


async def test_a_bot_token_in_the_environment_makes_no_noise(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Bolt reads SLACK_BOT_TOKEN on its own; the configuration names that very variable."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "set")
    async with served(hall.inside):
        assert caplog.messages == []
