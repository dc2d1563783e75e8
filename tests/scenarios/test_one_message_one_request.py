"""One message is one request: edited, quoted, forwarded, unfurled, duplicated, doubled and late deliveries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.features.housekeeping import prune
from bot.playground.workspace.payloads import event_callback, interaction
from tests.scenarios.team import CRAWL, Team, deciding
from tests.world import OPEN_POLICY, World, labels, shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world where the crawl team may do everything without approval."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as made:
        yield made


class Messages:
    """Deliveries as Slack makes them: each with an event id of its own."""

    def __init__(self, env: World) -> None:
        self.env = env
        self.event_time: object = None  # instead of the true one

    def ts(self, ago: float = 0.0) -> str:
        """A message's ts, some seconds old."""
        return f"{float(self.env.ws.clock.next_ts()) - ago:.6f}"

    async def mention(self, text: str, ts: str | None = None, **more: Any) -> str:
        """An app_mention of Ana's in the channel; its ts."""
        ts = ts or self.ts()
        event = {"type": "app_mention", "user": "U0ANA", "team": "T0ACME", "channel": CRAWL, "text": text, "ts": ts}
        await self.deliver({**event, "event_ts": ts, **more})
        return ts

    async def edited(self, text: str, ts: str, **more: Any) -> None:
        """The same message, edited now."""
        await self.mention(text, ts, edited={"user": "U0ANA", "ts": self.ts()}, **more)

    async def deliver(self, event: dict[str, Any]) -> None:
        """Any event, acked."""
        payload = event_callback(self.env.ws.core, event, event.get("channel"))
        if self.event_time is not None:
            payload["event_time"] = self.event_time
        receipt = await self.env.ws.deliver("events_api", payload)
        assert receipt.acked, receipt

    async def calm(self) -> None:
        """Nothing is under way any more."""
        await self.env.quiet()


@pytest.fixture
def messages(team: Team) -> Messages:
    return Messages(team.env)


def starts(team: Team) -> int:
    return len(team.effects())


def codes(team: Team) -> list[str]:
    return [entry.code for entry in team.env.audit(event="abandoned") if entry.code]


async def test_an_edited_message_never_runs_again(team: Team, messages: Messages) -> None:
    ts = await messages.mention("<@U0BOT> start acc:shop/prices -- monthly chek")
    await team.env.until(lambda: starts(team) == 1)
    await messages.edited("<@U0BOT> start acc:shop/prices -- monthly check", ts)
    card = await team.env.sees("I don't run edited messages again")
    await messages.calm()
    assert starts(team) == 1
    assert "start acc:shop/prices -- monthly check" in labels(card)
    assert codes(team) == ["edited"]


async def test_an_edit_that_changes_nothing_that_the_bot_reads_is_not_answered(team: Team, messages: Messages) -> None:
    """Slack sends the message again as well when it adds the preview of a link."""
    ts = await messages.mention("<@U0BOT> start acc:shop/prices -- see https://a.example")
    await team.env.until(lambda: starts(team) == 1)
    await messages.edited(
        "<@U0BOT> start acc:shop/prices -- see https://a.example",
        ts,
        attachments=[{"text": "<@U0BOT> stop acc:shop/prices"}],
    )
    await messages.calm()
    assert starts(team) == 1
    assert codes(team) == []


async def test_a_corrected_misread_runs_once(team: Team, messages: Messages) -> None:
    """The typo is corrected twice, and the second correction is delivered twice."""
    ts = await messages.mention("<@U0BOT> strat acc:shop/prices")
    await team.env.sees("Did you mean this?")
    await messages.edited("<@U0BOT> stat acc:shop/prices", ts)
    await messages.edited("<@U0BOT> start acc:shop/prices", ts)
    await team.env.until(lambda: starts(team) == 1)
    await messages.edited("<@U0BOT> start acc:shop/prices", ts)
    await messages.edited("<@U0BOT> start acc:news/site", ts)
    await team.env.sees("I don't run edited messages again")
    await messages.calm()
    assert starts(team) == 1


async def test_an_edit_that_overtakes_its_message_is_the_request(team: Team, messages: Messages) -> None:
    ts = messages.ts()
    await messages.edited("<@U0BOT> start acc:shop/prices -- check", ts)
    await team.env.until(lambda: starts(team) == 1)
    await messages.mention("<@U0BOT> start acc:shop/prices -- chek", ts)
    await messages.calm()
    assert starts(team) == 1


async def test_an_edited_direct_message_never_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack tells of it as message_changed, and of the bot's own updated cards as well."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as team:
        env = team.env
        await team.new_rules(OPEN_POLICY.replace("C0CRAWL", env.ana.dm))
        messages = Messages(env)
        ts = messages.ts()
        place = {"type": "message", "channel": env.ana.dm, "channel_type": "im"}
        first = {"user": "U0ANA", "team": "T0ACME", "text": "start acc:shop/prices -- chek", "ts": ts}
        await messages.deliver({**place, **first, "event_ts": ts})
        await env.until(lambda: starts(team) == 1)
        now = first | {
            "type": "message",
            "text": "start acc:shop/prices -- check",
            "edited": {"user": "U0ANA", "ts": messages.ts()},
        }
        changed = {
            **place,
            "subtype": "message_changed",
            "message": now,
            "previous_message": first,
            "ts": messages.ts(),
        }
        await messages.deliver(changed)
        await env.sees("I don't run edited messages again", channel=env.ana.dm)
        await messages.deliver({**changed, "previous_message": now, "message": {**now, "attachments": [{"text": "x"}]}})
        await messages.calm()
        assert starts(team) == 1
        assert codes(team) == ["edited"]


async def test_one_message_under_several_event_ids_is_one_request(team: Team, messages: Messages) -> None:
    """Doubled: once as a mention and once as a message of a group DM; duplicated: the same event again."""
    ts = await messages.mention("<@U0BOT> start acc:shop/prices")
    await messages.mention("<@U0BOT> start acc:shop/prices", ts)
    await messages.mention("<@U0BOT> start acc:shop/prices", ts, type="message", channel_type="mpim")
    await messages.mention("<@U0BOT> start acc:shop/prices", ts, subtype="thread_broadcast")
    await messages.calm()
    assert starts(team) == 1


QUOTED = [
    "&gt; <@U0BOT> start acc:shop/prices -- monthly check\nwhy did this run on a Friday?",
    "why did this run?\n &gt; <@U0BOT> start acc:shop/prices",
    "&gt;&gt;&gt; look:\n<@U0BOT> start acc:shop/prices",
    "\u200b&gt; <@U0BOT> start acc:shop/prices",
]


@pytest.mark.parametrize("text", QUOTED)
async def test_a_quoted_command_does_not_run(team: Team, messages: Messages, text: str) -> None:
    await messages.mention(text)
    await messages.calm()
    assert starts(team) == 0
    assert not [entry for entry in team.env.audit() if entry.user_id]


async def test_a_mention_that_only_the_quote_block_has_does_not_count(team: Team, messages: Messages) -> None:
    mention = {"type": "user", "user_id": "U0BOT"}
    quote = {"type": "rich_text_quote", "elements": [mention, {"type": "text", "text": " start acc:shop/prices"}]}
    blocks = [{"type": "rich_text", "elements": [quote]}]
    await messages.mention("<@U0BOT> start acc:shop/prices", blocks=blocks)
    await messages.calm()
    assert starts(team) == 0


async def test_forwarded_messages_and_previews_of_links_do_not_run(team: Team, messages: Messages) -> None:
    words = "<@U0BOT> start acc:shop/prices"
    forwarded = {"is_share": True, "is_msg_unfurl": True, "author_id": "U0LEE", "text": words, "message_blocks": []}
    await messages.mention("", attachments=[forwarded])
    await messages.mention("start acc:shop/prices", attachments=[forwarded])
    await messages.mention("who did that? https://acme.example/archives/C1/p1", attachments=[{"text": words}])
    await messages.calm()
    assert starts(team) == 0
    assert not [entry for entry in team.env.audit() if entry.user_id]


async def test_a_reply_to_a_quote_is_read_without_the_quote(team: Team, messages: Messages) -> None:
    await messages.mention("&gt; <@U0BOT> stop acc:shop/prices\n<@U0BOT> start acc:shop/prices -- again")
    await team.env.until(lambda: starts(team) == 1)
    assert [entry.reason for entry in team.env.audit(event="sent")] == ["again"]


async def test_a_command_within_a_sentence_is_offered_and_not_run(team: Team, messages: Messages) -> None:
    await messages.mention("nobody should let <@U0BOT> start acc:shop/prices")
    card = await team.env.sees("Did you ask me to run this?")
    await messages.calm()
    assert starts(team) == 0
    assert codes(team) == ["in_sentence"]
    await team.press(card, "start acc:shop/prices", user="U0ANA", channel=CRAWL)
    await team.env.until(lambda: starts(team) == 1)


async def test_a_command_within_a_sentence_that_needs_a_run_is_offered_for_the_newest_ones(
    team: Team, messages: Messages
) -> None:
    await messages.mention("hey <@U0BOT> restart acc:shop/prices")
    card = await team.env.sees("Did you ask me to run this?")
    assert labels(card) == ["restart acc:shop/prices@last", "restart acc:shop/prices@failed"]


async def test_words_after_a_greeting_are_said_to_the_bot(team: Team, messages: Messages) -> None:
    """They offer commands as words after the name do; nothing runs."""
    await messages.mention("Hey, <@U0BOT> can you start acc:shop/prices?")
    card = await team.env.sees("Did you mean this?")
    assert labels(card)[0] == "start acc:shop/prices"
    assert starts(team) == 0


@pytest.mark.parametrize("text", ["thanks <@U0BOT>!", "I asked <@U0BOT> for the status page", "cc <@U0BOT> <@U0LEE>"])
async def test_a_mention_in_passing_is_not_answered(team: Team, messages: Messages, text: str) -> None:
    await messages.mention(text)
    await messages.calm()
    assert not [entry for entry in team.env.audit() if entry.user_id]


@pytest.mark.parametrize(
    "text",
    [
        "<@U0BOT>: start acc:shop/prices",
        "*<@U0BOT>* start acc:shop/prices",
        "*<@U0BOT> start acc:shop/prices*",
        "\u200b <@U0BOT>\u200b `start acc:shop/prices`",
        "<@U0BOT> ```/ops start acc:shop/prices```",
    ],
)
async def test_a_mention_that_leads_runs_whatever_its_formatting(team: Team, messages: Messages, text: str) -> None:
    await messages.mention(text)
    await team.env.until(lambda: starts(team) == 1)


@pytest.mark.parametrize(
    "text",
    [
        "<@U0BOT> start acc:shop/prices -- check\n<@U0BOT> start acc:news/site",
        "<@U0BOT> start acc:shop/prices -- check\nstart acc:news/site",
        "<@U0BOT> start acc:shop/prices -- check\n\u2022 start acc:news/site",
        "<@U0BOT> start acc:shop/prices -- check\n<@U0BOT> then start acc:news/site",
    ],
)
async def test_of_two_commands_in_one_message_none_runs_and_both_are_offered(
    team: Team, messages: Messages, text: str
) -> None:
    await messages.mention(text)
    card = await team.env.sees("This message has 2 commands")
    await messages.calm()
    assert starts(team) == 0
    assert {"start acc:shop/prices -- check", "start acc:news/site"} <= set(labels(card))


async def test_a_second_line_that_only_looks_like_a_command_stops_the_first_one(team: Team, messages: Messages) -> None:
    """`launch` isn't a verb. As part of the reason it would be lost silently."""
    await messages.mention("<@U0BOT> start acc:shop/prices -- check\nlaunch acc:news/site input.password=Fake77a")
    why = "`launch acc:news/site` can't run: `launch` is not a verb."
    card = await team.env.sees("This message has 2 commands", "Nothing was done", why)
    assert "Fake77a" not in shown(card)
    await messages.calm()
    assert starts(team) == 0
    assert "start acc:shop/prices -- check" in labels(card)


async def test_a_reason_of_several_lines_is_kept_whole(team: Team, messages: Messages) -> None:
    await messages.mention(
        "<@U0BOT> start acc:shop/prices -- the import failed,\nsee acc:news/site\n- and the pager went"
    )
    await team.env.until(lambda: starts(team) == 1)
    assert [entry.reason for entry in team.env.audit(event="sent")] == [
        "the import failed, see acc:news/site - and the pager went"
    ]


async def test_words_on_a_second_line_are_offered_as_the_reason(team: Team, messages: Messages) -> None:
    await messages.mention("<@U0BOT> start acc:shop/prices\nplease hurry")
    card = await team.env.sees("write `--` before it")
    await messages.calm()
    assert starts(team) == 0
    assert labels(card)[0] == "start acc:shop/prices -- please hurry"


async def test_a_change_that_slack_delivers_late_is_confirmed_first(team: Team, messages: Messages) -> None:
    """An hour in Slack's queues; pressed, it runs."""
    await messages.mention("<@U0BOT> start acc:shop/prices", messages.ts(ago=3600))
    card = await team.env.sees("You asked for this 1 h ago", "start acc:shop/prices")
    await messages.calm()
    assert starts(team) == 0
    await team.press(card, "Run it", user="U0ANA", channel=CRAWL)
    await team.env.until(lambda: starts(team) == 1)


@pytest.mark.parametrize("ts", ["0", "9999999999.000000", "tomorrow"])
async def test_a_change_without_a_time_that_can_be_right_is_confirmed_first(
    team: Team, messages: Messages, ts: str
) -> None:
    """Neither the message nor the event says when it was asked, so it may be hours old."""
    messages.event_time = "soon"
    await messages.mention("<@U0BOT> start acc:shop/prices", ts)
    card = await team.env.sees("Slack doesn't say when you asked for this", "start acc:shop/prices")
    await messages.calm()
    assert starts(team) == 0
    await team.press(card, "Run it", user="U0ANA", channel=CRAWL)
    await team.env.until(lambda: starts(team) == 1)


@pytest.mark.parametrize(("ago", "title"), [(0.0, None), (7200.0, "You asked for this 2 h ago")])
async def test_the_time_of_the_event_counts_when_the_message_has_none(
    team: Team, messages: Messages, ago: float, title: str | None
) -> None:
    messages.event_time = int(float(messages.ts(ago)))
    await messages.mention("<@U0BOT> start acc:shop/prices", "tomorrow")
    if title is None:
        await team.env.until(lambda: starts(team) == 1)
        return
    await team.env.sees(title, "start acc:shop/prices")
    await messages.calm()
    assert starts(team) == 0


async def test_a_question_that_slack_delivers_late_is_answered(team: Team, messages: Messages) -> None:
    await messages.mention("<@U0BOT> status acc:shop/prices", messages.ts(ago=3600))
    await team.env.until(lambda: "done" in team.env.events("status"))


async def test_a_late_order_to_the_bot_itself_is_offered_again(team: Team, messages: Messages) -> None:
    await messages.mention("<@U0BOT> breakglass for=30m -- down", messages.ts(ago=3600), user="U0ROOT")
    card = await team.env.sees("You asked for this 1 h ago", user="U0ROOT")
    await messages.calm()
    assert not team.env.audit(event="breakglass")
    assert "breakglass for=30m -- down" in labels(card)


async def test_a_press_that_was_held_up_is_confirmed_first(team: Team) -> None:
    card = await team.env.does("strat acc:shop/prices", "Did you mean this?")
    await team.env.ws.deliver("interactive", press_payload(team, card, "start acc:shop/prices", ago=600))
    await team.env.sees("You asked for this 10 min ago", "start acc:shop/prices")
    await team.env.quiet()
    assert starts(team) == 0


async def test_a_late_press_on_run_it_does_not_count(team: Team, messages: Messages) -> None:
    await team.env.say("schedule delete acc:shop/prices -- gone")
    card = await team.env.sees("Dangerous: check before you run it")
    await team.env.ws.deliver("interactive", press_payload(team, card, "Run it", ago=360))
    await team.env.sees("Slack delivered this press late")
    await messages.calm()
    assert not team.env.audit(event="sent")


@pytest.mark.parametrize("pressed_at", ["9999999999.000000", "now", None])
async def test_a_press_without_a_time_that_can_be_right_is_confirmed_first(team: Team, pressed_at: str | None) -> None:
    card = await team.env.does("strat acc:shop/prices", "Did you mean this?")
    payload = press_payload(team, card, "start acc:shop/prices", ago=0)
    payload["actions"][0]["action_ts"] = pressed_at
    await team.env.ws.deliver("interactive", payload)
    await team.env.sees("Slack doesn't say when you asked for this", "start acc:shop/prices")
    await team.env.quiet()
    assert starts(team) == 0


def press_payload(
    team: Team, message: dict[str, Any], label: str, *, ago: float, channel: str = CRAWL
) -> dict[str, Any]:
    """Ana's press on a button, as it was made some seconds ago."""
    found = next(
        element
        for block in message["blocks"]
        for element in block.get("elements", ())
        if element.get("type") == "button" and element["text"]["text"] == label
    )
    stamp = float(team.env.ws.clock.next_ts()) - ago
    return {
        "type": "block_actions",
        "user": {"id": "U0ANA", "team_id": team.env.ws.team_id},
        "team": {"id": team.env.ws.team_id},
        "api_app_id": team.env.ws.app_id,
        "trigger_id": f"late.{stamp}",
        "container": {"type": "message", "channel_id": channel, "message_ts": message["ts"]},
        "channel": {"id": channel},
        "actions": [
            {"type": "button", "action_id": found["action_id"], "value": found["value"], "action_ts": f"{stamp:.6f}"}
        ],
    }


async def test_a_message_that_another_app_posts_in_a_persons_name_is_offered(team: Team, messages: Messages) -> None:
    await messages.mention("<@U0BOT> start acc:shop/prices", bot_id="B0OTHER", app_id="A0OTHER")
    card = await team.env.sees("Another app posted this in your name")
    await messages.calm()
    assert starts(team) == 0
    assert codes(team) == ["by_app"]
    assert "start acc:shop/prices" in labels(card)


async def test_half_an_emoji_is_replaced_acked_and_recorded(team: Team, messages: Messages) -> None:
    await messages.mention("<@U0BOT> start acc:shop/prices -- cut \ud83d here")
    await team.env.until(lambda: starts(team) == 1)
    assert [entry.reason for entry in team.env.audit(event="sent")] == ["cut \ufffd here"]
    receipt = await team.env.ana.command(CRAWL, "/ops whoami \ude00")
    assert receipt.acked


async def test_a_channel_that_the_bot_cannot_see_says_what_to_do(team: Team, messages: Messages) -> None:
    """The person reads it in a direct message: the bot can't write where it isn't."""
    await messages.mention("<@U0BOT> start acc:shop/prices", channel="C0NOWHERE")
    entry = await team.event("denied")
    assert entry.code == "place_unknown"
    await team.env.sees("I can't see this channel. Invite me with `/invite @signalbox`", channel=team.env.ana.dm)
    assert starts(team) == 0


async def test_a_slash_command_where_the_bot_is_not_is_answered_there(team: Team) -> None:
    """Slack delivers a slash command from any channel; the answer comes by its response_url."""
    team.env.ws.set_channel("C0CRAWL", members=["U0ANA"], is_private=True)
    team.later(minutes=2)
    await team.env.does("start acc:shop/prices", "I can't see this channel. Invite me with `/invite @signalbox`")
    assert starts(team) == 0


async def test_parameters_of_any_letters_and_quoted_names_reach_the_control_plane(team: Team) -> None:
    await team.env.say('start acc:shop/prices input.Gr\u00f6\u00dfe=5 "input.Search Term"=abc')
    await team.env.until(lambda: starts(team) == 1)
    (sent,) = [call for call in team.env.acc.requests if call.raw_path.endswith("/cluster/start")]
    assert {"Gr\u00f6\u00dfe": "5", "Search Term": "abc"}.items() <= json.loads(sent.json()["inputParameters"]).items()


async def test_every_message_that_was_set_aside_has_a_stated_outcome(team: Team, messages: Messages) -> None:
    await messages.mention("so <@U0BOT> start acc:shop/prices")
    await messages.mention("<@U0BOT> start acc:shop/prices", bot_id="B0OTHER")
    await messages.calm()
    asked = [entry.request_id for entry in team.env.audit(event="requested")]
    assert len(asked) == 2
    for request in asked:
        assert team.events(request) == ["requested", "abandoned"]


async def test_what_counts_as_a_request_holds_for_a_thread_reply_as_well(team: Team, messages: Messages) -> None:
    parent = await team.env.ana.post(CRAWL, "prices look old")
    await messages.mention("can <@U0BOT> start acc:shop/prices", thread_ts=parent.ts)
    await messages.calm()
    assert starts(team) == 0
    await messages.mention("<@U0BOT> start acc:shop/prices", thread_ts=parent.ts)
    await team.env.until(lambda: starts(team) == 1)


async def test_a_message_is_known_for_a_day_in_which_slack_may_deliver_it_again(team: Team, messages: Messages) -> None:
    ts = await messages.mention("<@U0BOT> start acc:shop/prices")
    await team.env.until(lambda: starts(team) == 1)
    await messages.calm()
    team.later(hours=24)
    await prune(team.env.bot.ctx)
    await messages.mention("<@U0BOT> start acc:shop/prices", ts)
    await messages.calm()
    assert starts(team) == 1
    assert [entry.verb for entry in team.env.audit(event="requested") if entry.verb == "start"] == ["start"]


async def test_a_press_and_a_form_are_known_for_a_day_as_well(team: Team) -> None:
    card = await team.env.does("strat acc:shop/prices", "Did you mean this?")
    press = press_payload(team, card, "start acc:shop/prices", ago=0)
    core = team.env.ws.core
    form = {**interaction(core, "view_submission", core.state.users["U0ANA"]), "trigger_id": "1.3"}
    form["view"] = {"id": "V1", "hash": "1.h", "type": "modal", "callback_id": "launcher", "private_metadata": "t"}
    form["view"] |= {"state": {"values": {}}, "blocks": []}
    for payload in (press, form):
        await team.env.ws.deliver("interactive", payload)
    await team.env.until(lambda: starts(team) == 1)
    await team.env.quiet()
    before = [entry.request_id for entry in team.env.audit(event="requested")]
    team.later(hours=24)
    await prune(team.env.bot.ctx)
    for number, payload in enumerate((press, form)):
        await team.env.ws.deliver("interactive", {**payload, "trigger_id": f"again.{number}"})
    await team.env.quiet()
    assert [entry.request_id for entry in team.env.audit(event="requested")] == before
    assert starts(team) == 1


async def test_what_people_do_to_their_messages_in_slack_runs_nothing_again(team: Team) -> None:
    """Typed, corrected, corrected again, deleted: in a channel by mention."""
    ana = team.env.ana
    ts = str((await ana.post(CRAWL, "<@U0BOT> start acc:shop/prices -- monthly chek")).ts)
    await team.env.until(lambda: starts(team) == 1)
    await ana.edit(CRAWL, ts, "<@U0BOT> start acc:shop/prices -- monthly check")
    await team.env.sees("I don't run edited messages again")
    await ana.edit(CRAWL, ts, "never mind")
    await ana.delete(CRAWL, ts)
    await team.env.quiet()
    assert starts(team) == 1


async def test_a_deleted_direct_message_and_an_edited_one_run_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as team:
        ana = team.env.ana
        await team.new_rules(OPEN_POLICY.replace("C0CRAWL", ana.dm))
        ts = str((await ana.post(ana.dm, "strat acc:shop/prices")).ts)
        await team.env.sees("Did you mean this?", channel=ana.dm)
        await ana.edit(ana.dm, ts, "start acc:shop/prices")
        await team.env.until(lambda: starts(team) == 1)
        await ana.edit(ana.dm, ts, "start acc:shop/prices -- again")
        await team.env.sees("I don't run edited messages again", channel=ana.dm)
        await ana.delete(ana.dm, ts)
        await team.env.quiet()
        assert starts(team) == 1


STRUCK = {"type": "text", "text": " start acc:shop/prices", "style": {"strike": True}}


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("~<@U0BOT> start acc:shop/prices~", []),
        ("~<@U0BOT>~ start acc:shop/prices", []),
        ("<@U0BOT> ~start acc:shop/prices~", []),
        (
            "<@U0BOT> start acc:shop/prices",
            [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [STRUCK]}]}],
        ),
    ],
)
async def test_a_command_that_is_struck_out_is_offered_and_not_run(
    team: Team, messages: Messages, text: str, blocks: list[dict[str, Any]]
) -> None:
    await messages.mention(text, blocks=blocks)
    card = await team.env.sees("struck out")
    await messages.calm()
    assert starts(team) == 0
    assert "start acc:shop/prices" in labels(card)


async def test_a_second_mention_after_the_reason_is_a_second_command(team: Team, messages: Messages) -> None:
    await messages.mention("<@U0BOT> start acc:shop/prices -- monthly <@U0BOT> start acc:news/site")
    card = await team.env.sees("This message has 2 commands")
    await messages.calm()
    assert starts(team) == 0
    assert {"start acc:shop/prices -- monthly", "start acc:news/site"} <= set(labels(card))


async def test_a_mention_of_the_bot_in_a_reason_is_part_of_the_reason(team: Team, messages: Messages) -> None:
    await messages.mention("<@U0BOT> start acc:shop/prices -- as <@U0BOT> says")
    await team.env.until(lambda: starts(team) == 1)


@pytest.mark.parametrize(
    ("words", "says", "recorded"),
    [
        ("log_level=1 log_level=2", "given 2 times", {"log_level": ["1", "2"]}),
        ("input.mode=a input.mode=b", "given twice", {"input.mode": ["a", "b"]}),
        ("input.mode=a input.MODE=b", "differ only in case", {"input.mode": "a", "input.MODE": "b"}),
        ("session=a session=hunter2 -- x", "given 2 times", {"session": ["a", "hunter2"]}),
        ("input.token=Fake77a input.token=Fake88b", "given twice", {"input.token": ["[redacted]", "[redacted]"]}),
    ],
)
async def test_a_parameter_that_is_given_twice_is_refused_and_recorded_whole(
    team: Team, words: str, says: str, recorded: dict[str, object]
) -> None:
    await team.env.does(f"start acc:shop/prices {words}", says)
    (asked,) = team.env.audit(event="requested")
    assert json.loads(asked.params or "{}") == recorded
    assert starts(team) == 0
