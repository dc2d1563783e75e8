from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.card import Button, Card, Line, Tone
from bot.core.outcome import Fact, Table
from bot.core.text import shortened
from bot.render.blocks import action_of
from bot.render.card import Message, render_card

from .cards import NOON, PLACE, TYPICAL, cards
from .slack_rules import check_alternatives, check_message

GOLDEN = Path(__file__).parent / "golden"

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

slow_data = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def card(**more: object) -> Card:
    return Card.model_validate({"key": "k", "place": PLACE, "title": "status acc:shop/prices", **more})


def pressed(message: Message) -> list[dict]:
    return [e for block in message.blocks if block["type"] == "actions" for e in block["elements"]]


def words(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


@pytest.mark.parametrize("newer", [True, False])
@slow_data
@given(any_card=cards, now=st.sampled_from([None, NOON]))
def test_any_card_is_a_message_that_slack_takes(newer, any_card, now):
    """Whatever a card holds, in both forms: within every limit, nothing live that is not ours, and nothing raised."""
    message = render_card(any_card, now, newer=newer)
    check_message(message.text, message.blocks, any_card.mention)
    kinds = {block["type"] for block in message.blocks}
    assert newer or not kinds & {"container", "data_table", "data_visualization"}


@slow_data
@given(cards)
def test_buttons_keep_their_ids(any_card):
    """What is shown of the buttons are the first ones, each with its id and action exactly."""
    shown = pressed(render_card(any_card))
    first = any_card.buttons[: len(shown)]
    assert [e.get("value", "") for e in shown] == [b.id for b in first]
    assert [e.get("url") for e in shown] == [b.url for b in first]
    for element, button in zip(shown, first, strict=True):
        if 0 < len(button.action) <= 200 and "#" not in button.action:
            assert action_of(element["action_id"]) == button.action


@pytest.mark.parametrize("name", TYPICAL)
def test_typical_cards_look_as_they_did(name):
    """Golden files. After a wanted change: `SIGNALBOX_REWRITE_GOLDEN=1 pytest tests/render`, and read the diff."""
    message = render_card(TYPICAL[name])
    check_message(message.text, message.blocks, TYPICAL[name].mention)
    check_alternatives(message.text, message.blocks)
    made = json.dumps(asdict(message), indent=2, ensure_ascii=False) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get("SIGNALBOX_REWRITE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


def test_title_status_and_buttons_outlive_everything_else():
    """A card that is far too large loses facts and paragraphs, never its answer or its buttons, and says what it lost."""
    message = render_card(
        card(
            tone=Tone.UNSURE,
            status="Unknown: it may or may not have happened.",
            lines=(Line(text="x" * 10_000),) * 40,
            facts=(Fact(label="Parameter", value="y" * 10_000),) * 100,
            table=Table(columns=("a", "b"), rows=(("1", "2"),) * 500),
            buttons=(
                Button(label="Approve", action="approve", id="b1"),
                Button(label="Deny", action="deny", id="b2"),
            ),
        )
    )
    assert "may or may not have happened" in message.blocks[0]["text"]["text"]
    assert [e["value"] for e in pressed(message)] == ["b1", "b2"]
    assert "Too long to show" in words(message)
    assert "(+" in words(message)


def test_a_hundred_buttons_are_counted():
    message = render_card(card(buttons=(Button(label="Go", action="go", id="i"),) * 100))
    assert len(pressed(message)) == 25
    assert "75 buttons" in words(message)
    assert len({e["action_id"] for e in pressed(message)}) == 25


def test_a_longer_listing_is_sortable_and_its_numbers_sort_as_numbers():
    made = render_card(TYPICAL["listing_sortable"])
    assert [b["type"] for b in made.blocks] == ["section", "data_table"]
    assert {row[2]["type"] for row in made.blocks[1]["rows"][1:]} == {"raw_number"}
    classic = render_card(TYPICAL["listing_sortable"], newer=False)
    assert [b["type"] for b in classic.blocks] == ["section", "table"]


def test_a_short_listing_is_a_table_and_a_long_one_is_code():
    short = render_card(TYPICAL["listing_short"])
    long = render_card(TYPICAL["listing_long"])
    assert [b["type"] for b in short.blocks] == ["section", "table"]
    assert "table" not in [b["type"] for b in long.blocks]
    assert "of 500." in words(long)


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 500])
@pytest.mark.parametrize("columns", [0, 1, 20, 21])
def test_tables_of_every_size_fit(rows, columns):
    item = Table(columns=("c",) * columns, rows=(("v",) * columns,) * rows)
    message = render_card(card(table=item))
    check_message(message.text, message.blocks)


def test_people_and_channels_in_a_private_table_are_names_and_elsewhere_ids():
    """A mention in a message that everybody sees would call that person; nobody is notified of a private one."""
    item = Table(columns=("Who", "Where", "Why"), rows=(("<@U0ANA>", "<#C0CRAWL>", "ask <@U0LEE>"),))
    private = render_card(card(table=item, only_for="U0RUI"))
    check_message(private.text, private.blocks)
    row = next(block for block in private.blocks if block["type"] == "table")["rows"][1]
    elements = [cell["elements"][0]["elements"][0] for cell in row[:2]]
    assert elements == [{"type": "user", "user_id": "U0ANA"}, {"type": "channel", "channel_id": "C0CRAWL"}]
    assert row[2]["elements"][0]["elements"] == [{"type": "text", "text": "ask "}, {"type": "user", "user_id": "U0LEE"}]
    public = render_card(card(table=item))
    cells = next(block for block in public.blocks if block["type"] == "table")["rows"][1]
    assert [cell["text"] for cell in cells] == ["U0ANA", "C0CRAWL", "ask U0LEE"]
    long = render_card(card(table=item.model_copy(update={"rows": item.rows * 120}), only_for="U0RUI"))
    assert "U0ANA" in words(long)
    assert "<@U0ANA>" not in words(long)


def test_what_people_copy_from_a_long_table_is_never_cut():
    """Ids and targets stay whole, names with blanks too where the table says so; words make room for them."""
    ids = [f"schedule/56044022-3a4c-40b7-900e-{number:012d}" for number in range(120)]
    named = [f"acc:Sequentum Demo/Agent with a rather long name indeed {number}" for number in range(120)]
    rows = tuple(
        ("yes", "Every weekday at seven in the morning " * 3, name, "2026-07-16 11:21 UTC", "words " * 20, one)
        for name, one in zip(named, ids, strict=True)
    )
    columns = ("On", "When", "Target", "Next", "Why", "Schedule")
    message = render_card(card(table=Table(columns=columns, rows=rows, total=120, exact=("Target",))))
    check_message(message.text, message.blocks)
    lines = [line for line in words(message).replace("\\n", "\n").splitlines() if "schedule/" in line]
    assert len(lines) > 10
    for line, one, name in zip(lines, ids, named, strict=False):
        assert one in line
        assert name in line
        assert "2026-07-16 11:21 UTC" in line
        assert len(line) < 260


TOKEN = "<!date^1784203200^{date_short_pretty} {time}%s|2026-07-16 12:00 UTC>"


def test_a_time_is_local_to_the_viewer_in_blocks_and_in_the_notification():
    message = render_card(card(facts=(Fact(label="Expires", value=NOON),)))
    assert message.blocks[1]["fields"][0]["text"] == f"*Expires*\n{TOKEN % ''}"
    assert (
        f"Expires: {TOKEN % ''}".replace("12:00 UTC", "12:00:00 UTC").replace("{time}", "{time_secs}") in message.text
    )


@pytest.mark.parametrize(("before", "words"), [(3, ", {ago}"), (-90, ", in 1 h 30 min")])
def test_a_time_in_brackets_gets_no_brackets_of_its_own(before: int, words: str) -> None:
    told = Line(text="The newest run (2026-07-16 12:00 UTC) is over (as expected), since 2026-07-16 12:00 UTC.")
    made = render_card(card(lines=(told,), only_for="U0ANA"), NOON + timedelta(minutes=before))
    inside, outside = TOKEN % words, TOKEN % f" ({words[2:]})"
    assert f"The newest run ({inside}) is over (as expected), since {outside}." in json.dumps(made.blocks)


@pytest.mark.parametrize(
    ("private", "now", "words"),
    [
        (False, NOON + timedelta(minutes=3), " ({ago})"),
        (True, NOON + timedelta(minutes=3), " ({ago})"),
        (True, NOON - timedelta(minutes=90), " (in 1 h 30 min)"),
        (False, NOON - timedelta(minutes=90), ""),
        (False, NOON + timedelta(seconds=59), ""),  # written without its seconds, it may have been a second ago
        (False, NOON + timedelta(seconds=60), " ({ago})"),
    ],
)
def test_a_time_says_how_long_ago_it_is_and_in_how_long_where_that_stays_true(private, now, words):
    """A token counts a past time anew for each reader. "In 2 h" is only for a private answer, which nobody reads later."""
    table = Table(columns=("When",), rows=(("2026-07-16 12:00 UTC",),))
    facts = (Fact(label="Then", value=NOON), Fact(label="Long", value="Until 2026-07-16 12:00 UTC."))
    made = render_card(card(facts=facts, table=table, only_for="U0ANA" if private else None), now)
    check_message(made.text, made.blocks)
    assert [field["text"].split("\n")[1] for field in made.blocks[1]["fields"]] == [
        TOKEN % words,
        f"Until {TOKEN % words}.",
    ]
    (cell,) = made.blocks[2]["rows"][1]
    assert cell["elements"][0]["elements"][0]["format"] == "{date_short_pretty} {time}" + words


@pytest.mark.parametrize("written", ["2026-07-16 12:00 UTC", "2026-07-16T12:00:00.123456Z"])
def test_a_time_within_the_sentence_of_a_cell_is_local_to_the_viewer_too(written):
    """Also one in the form of the audit log; a time that is part of an id stays as it is."""
    table = Table(columns=("Detail",), rows=((f"paused until {written}, by Ana",), (f"run-{written}",)))
    made = render_card(card(table=table))
    check_message(made.text, made.blocks)
    (first,), (second,) = made.blocks[1]["rows"][1:]
    before, at, after = first["elements"][0]["elements"]
    assert (before["text"], after["text"]) == ("paused until ", ", by Ana")
    assert at["timestamp"] == int(NOON.timestamp())
    assert second["type"] == "raw_text"


def test_a_link_has_an_address_and_no_value():
    link = Button(label="Open in ACC", action="open", url="https://acc.example.com/runs/4711")
    (element,) = pressed(render_card(card(buttons=(link,))))
    assert element["url"] == "https://acc.example.com/runs/4711"
    assert "value" not in element


def test_a_short_status_is_on_the_line_of_the_title_and_who_asked_below_it():
    made = render_card(card(status="Running", byline="<@U0ANA>: prices are stale", mention=("U0ANA",)))
    assert made.blocks[0]["text"]["text"] == "*status acc:shop/prices* - Running\n<@U0ANA>: prices are stale"
    assert made.text == "status acc:shop/prices - Running\n<@U0ANA>: prices are stale"


def test_a_span_is_words():
    message = render_card(card(facts=(Fact(label="Took", value=timedelta(minutes=90)),)))
    assert message.blocks[1]["fields"][0]["text"] == "*Took*\n1 h 30 min"


def test_progress_is_a_bar_with_a_percentage():
    message = render_card(card(progress=(5, 10)))
    assert message.blocks[1]["text"]["text"] == "█████░░░░░ 50 %"


def test_progress_says_the_time_left_and_screen_readers_get_words_without_a_bar():
    message = render_card(card(progress=(6, 10), progress_note="about 5 s left"))
    assert message.blocks[1]["text"]["text"] == "██████░░░░ 60 %, about 5 s left"
    assert message.text.endswith("\n60 %, about 5 s left")


def test_nearly_done_is_not_done():
    assert "░ 99 %" in words(render_card(card(progress=(999, 1000))))


@pytest.mark.parametrize("tone", [tone for tone in Tone if tone is not Tone.PLAIN])
def test_a_tone_is_never_a_colour_alone(tone):
    """Without a status of its own a card still says in words how it stands."""
    head = render_card(card(tone=tone)).blocks[0]["text"]["text"]
    assert re.search(r"\* - \w|\n\w", head)


def test_a_fact_says_when_it_was_read_and_the_day_where_the_card_does_not():
    """The time of the card, with its day, stands at its end; a fact read at another time has its own day."""
    facts = (
        Fact(label="Now", value="idle", at=NOON + timedelta(seconds=40)),
        Fact(label="Before", value="idle", at=NOON - timedelta(minutes=5)),
    )
    made = render_card(card(facts=facts, at=NOON))
    now, before = (field["text"] for field in made.blocks[1]["fields"])
    assert now.startswith(f"*Now* as of <!date^{int((NOON + timedelta(seconds=40)).timestamp())}^{{time}}|")
    assert "{date_short_pretty} {time}" in before
    assert "{date_short_pretty} {time}" in made.blocks[-1]["elements"][-1]["text"]
    alone = render_card(card(facts=facts))
    assert all("{date_short_pretty}" in field["text"] for field in alone.blocks[1]["fields"])


def test_a_name_before_a_cut_stays_a_name():
    """A long detail is cut between two words, also just behind a mention."""
    text = shortened("the rules of <#C0CRAWL> say so to <@U0ANA> and to everyone else", 24)
    assert text == "the rules of <#C0CRAWL>…"
    made = words(render_card(card(lines=(Line(text=f"{text} <@U0ANA>…"),), mention=("C0CRAWL", "U0ANA"))))
    assert "the rules of <#C0CRAWL>… <@U0ANA>…" in made


def test_who_alone_reads_a_card_is_not_called_by_it():
    """A private answer calls nobody but those whom it names besides its reader."""
    made = render_card(card(only_for="U0ANA", mention=("U0ANA", "U0LEE")))
    assert "<@U0LEE>" in words(made)
    assert "<@U0ANA>" not in words(made) + made.text


def test_a_title_that_is_a_sentence_needs_no_status():
    """Other titles get a word for their colour."""
    assert "Attention" not in words(render_card(card(title="This request expired. Nothing was done.", tone=Tone.WARN)))
    assert "Attention" in words(render_card(card(tone=Tone.WARN)))


def test_columns_of_sentences_go_over_several_lines():
    """Ids stay whole, so that they can be copied; a time or a long sentence does not push the rest out of sight."""
    cells = ("2026-07-16 11:21 UTC", "run/e58497d0-0b65-5509-ac35-f018b34283c4", "2 of 40 pages failed: no price found")
    made = render_card(card(table=Table(columns=("When", "Run", "Message"), rows=(cells,))))
    (block,) = [block for block in made.blocks if block["type"] == "table"]
    assert [column.get("is_wrapped", False) for column in block["column_settings"]] == [True, False, True]


def test_only_card_mention_calls_people():
    """A name in the words is live where the card calls that person; then it is not repeated."""
    message = render_card(
        card(
            facts=(Fact(label="Asked by", value="<@U0ANA>"), Fact(label="Owner", value="<@U0ROOT>")),
            mention=("U0ANA", "S0LEADS", "not an id"),
        )
    )
    assert message.blocks[0]["text"]["text"].endswith("\n<!subteam^S0LEADS>")
    assert message.blocks[1]["fields"][0]["text"] == "*Asked by*\n<@U0ANA>"
    assert message.blocks[1]["fields"][1]["text"] == "*Owner*\n&lt;@U0ROOT&gt;"


def test_who_is_called_is_called_though_the_data_names_them_out_of_sight():
    """A mention that data hides behind a cut or in code does not stand for the real one."""
    message = render_card(
        card(lines=(Line(text="x" * 9_000 + " <@U0LEO>"), Line(text="<@U0LEO>", code=True)), mention=("U0LEO",))
    )
    assert message.blocks[0]["text"]["text"].endswith("\n<@U0LEO>")


def test_confirm_is_a_dialog():
    button = Button(label="Stop", action="stop", id="b1", style="danger", confirm="Stop this run?")
    (element,) = pressed(render_card(card(buttons=(button,))))
    assert element["confirm"]["text"]["text"] == "Stop this run?"
    assert element["confirm"]["confirm"]["text"] == "Stop"
    assert element["confirm"]["style"] == "danger"


DETAILED = card(
    title="<@U0ANA> wants to start acc:shop/prices",
    rows=(Fact(label="Why", value="month\nend"), Fact(label="Expires", value=NOON)),
    details=(Fact(label="Digest", value="9f86"), Fact(label="Outcomes", value="x" * 200)),
    mention=("U0ANA",),
)


def test_details_are_in_a_collapsed_section_below_the_buttons():
    """Rows are one line each; a reader opens the details only when they want them."""
    message = render_card(
        DETAILED.model_copy(update={"buttons": (Button(label="Approve", action="approve", id="b1"),)})
    )
    check_message(message.text, message.blocks, ["U0ANA"])
    assert [block["type"] for block in message.blocks] == ["section", "section", "actions", "container"]
    why, expires = message.blocks[1]["text"]["text"].split("\n")
    assert why == "*Why:* month end"
    assert expires == "*Expires:* <!date^1784203200^{date_short_pretty} {time}|2026-07-16 12:00 UTC>"
    assert "9f86" in json.dumps(message.blocks[3])
    assert "9f86" not in message.text


def test_where_a_workspace_refuses_newer_blocks_the_details_are_small_print():
    message = render_card(DETAILED, newer=False)
    check_message(message.text, message.blocks, ["U0ANA"])
    assert [block["type"] for block in message.blocks] == ["section", "section", "context"]
    assert "Digest: 9f86" in words(message)


def test_the_status_may_lead_to_another_message():
    linked = card(status="@Lee approved it.", link=("Open the run", "https://acme.slack.com/archives/C1/p1?a=1&b=2"))
    assert "approved it. <https://acme.slack.com/archives/C1/p1?a=1&amp;b=2|Open the run>" in words(render_card(linked))


def test_a_listing_of_code_has_the_clock_of_its_reader_with_its_name() -> None:
    """Slack adapts times in text and in tables to the reader, but not in code."""
    rows = tuple((f"{at}", "2026-07-16 11:21 UTC", "x" * 190) for at in range(60))
    table = Table(columns=("Seq", "When", "What"), rows=rows)
    blocks = render_card(card(table=table), zone=ZoneInfo("Asia/Kolkata")).blocks
    code = "\n".join(block["text"]["text"] for block in blocks if block["type"] == "section")
    assert "2026-07-16 16:51 IST" in code
    assert "UTC" not in code


def test_the_notification_of_a_listing_has_its_first_lines() -> None:
    """A phone shows a few lines; the message has them all."""
    listing = "\n".join(f"{n} · start acc:shop/prices done" for n in range(40))
    made = render_card(Card(key="k", place=PLACE, title="Audit log", lines=(Line(text=listing),)))
    assert made.text.split("\n") == ["Audit log", *listing.split("\n")[:3], "…"]
    assert listing.split("\n")[-1] in json.dumps(made.blocks, ensure_ascii=False)
