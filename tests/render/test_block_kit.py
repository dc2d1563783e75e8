from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from bot.render import block_kit
from bot.render.text_format import shown

from .cards import HOSTILE, texts
from .slack_rules import check_live, size


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_stays_live(text):
    for made in (block_kit.prose(text), block_kit.code(text), block_kit.code_block(text)):
        check_live(made, ())


@given(texts)
def test_prose_shows_the_text_exactly(text):
    """Without the code marks and the entities, a reader sees the very characters: names can be copied."""
    text = text.replace("`", "'")
    assert html.unescape(block_kit.prose(text).replace("`", "")) == shown(text)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a & b < c", "a &amp; b &lt; c"),
        ("&lt;", "&amp;lt;"),
        ("the file *.csv is gone", "the file `*.csv` is gone"),
        ("acc:shop/prices_daily", "acc:shop/prices_daily"),
        ("(_shop_), please", "(`_shop_`), please"),
        ("use `retry` or `start *`.", "use `retry` or `start *`."),
        ("see https://x.example", "see `https://x.example`"),
        ("at 12:00 :fire:", "at 12:00 `:fire:`"),
        ("> quoted", "`&gt;` quoted"),
        ("it`s", "`it&lt;U+0060&gt;s`"),
        ("abc\u202egnp", "abc&lt;U+202E&gt;gnp"),
        ("ping @here!", "ping `@here`!"),
        ("deny start on acc:labs/*: The labs", "deny start on `acc:labs/*`: The labs"),
        ("on `acc:Sequentum Demo/*`: closed", "on `acc:Sequentum Demo/*`: closed"),
        ("on; 0 0 7 * * 1-5; next", "on; `0 0 7 * * 1-5`; next"),
        ("at 0 7 ? * MON-FRI.", "at `0 7 ? * MON-FRI`."),
    ],
)
def test_prose(text, made):
    assert block_kit.prose(text) == made


def test_a_code_block_cannot_be_left():
    assert block_kit.code_block("a\n```\n*b*") == "```\na\n``&lt;U+0060&gt;\n*b*\n```"
    inside = block_kit.code_block("`" * 11).removeprefix("```\n").removesuffix("\n```")
    assert "```" not in inside


@pytest.mark.parametrize(
    ("id", "made"),
    [
        ("U0ANA", "<@U0ANA>"),
        ("W012AB", "<@W012AB>"),
        ("S0LEADS", "<!subteam^S0LEADS>"),
        ("C0CRAWL", ""),
        ("!channel", ""),
        ("U0ANA>", ""),
        ("U0ANA\n", ""),
        ("", ""),
    ],
)
def test_a_mention_has_the_shape_of_an_id(id, made):
    assert block_kit.mention(id) == made


@pytest.mark.parametrize("limit", [24, 75, 3000])
@pytest.mark.parametrize("more", [-1, 0, 1, 1000])
def test_clip_says_how_much_it_cut(limit, more):
    text = "x" * (limit + more)
    made = block_kit.clip(text, limit)
    assert len(made) <= limit
    if more <= 0:
        assert made == text
    else:
        kept, cut = re.fullmatch(r"(x+)… \(\+([\d,]+)\)", made).groups()
        assert len(kept) + int(cut.replace(",", "")) == len(text)


@settings(deadline=None)
@given(texts)
def test_fit_stays_within_both_measures(text):
    made = block_kit.fit(text, block_kit.prose, 500, 800)
    assert size(made) <= 500
    assert block_kit.cost(made) <= 800


def test_fit_says_how_much_it_cut():
    made = block_kit.fit("word " * 1_000, block_kit.prose, 100, 1_000)
    kept, cut = re.fullmatch(r"(.*) … \(\+([\d,]+) characters\)", made).groups()
    assert len(kept) + int(cut.replace(",", "")) in (5_000, 4_999)


def test_fit_cuts_a_list_between_two_lines():
    """And counts the lines; a first line that is too long is cut in its middle."""
    lines = [f"{number} " + "x" * 20 for number in range(100)]
    made = block_kit.fit("\n".join(lines), block_kit.prose, 500, 9_999)
    *kept, last = made.split("\n")
    assert kept == lines[: len(kept)]
    assert last == f"… (+{100 - len(kept)} lines)"
    assert len(made) > 400
    assert "characters)" in block_kit.fit("a\n" + "x" * 1_000, block_kit.prose, 500, 9_999)


def test_dates_before_1970_are_utc_text():
    assert block_kit.date(datetime(1066, 10, 14, tzinfo=UTC)) == "1066-10-14 00:00 UTC"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("State", "*State*"),
        ("*State*", "`*State*`"),
        (" \n", ""),
        ("a_b <c", "*a_b &lt;c*"),
        ("on acc:a/*: it", "*on* `acc:a/*`: it"),
    ],
)
def test_bold_ends_where_it_should(text, made):
    assert block_kit.bold(text) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (
            "until 2026-07-16 11:21 UTC.",
            "until <!date^1784200860^{date_short_pretty} {time}|2026-07-16 11:21 UTC>.",
        ),
        (
            "at 2026-07-16 11:21:20 UTC",
            "at <!date^1784200880^{date_short_pretty} {time_secs}|2026-07-16 11:21:20 UTC>",
        ),
        ("2026-13-16 11:21 UTC", "2026-13-16 11:21 UTC"),
        ("`2026-07-16 11:21 UTC`", "`2026-07-16 11:21 UTC`"),
        ("2026-07-16 11:21", "2026-07-16 11:21"),
    ],
)
def test_a_time_in_a_sentence_is_shown_in_the_readers_time_zone(text, made):
    assert block_kit.prose(text) == made


def test_a_time_in_a_cell_is_shown_in_the_readers_time_zone():
    block = block_kit.table([["Started"], ["2026-07-16 11:21 UTC"]], [False], [False])
    cell = block["rows"][1][0]["elements"][0]["elements"][0]
    assert (cell["type"], cell["timestamp"], cell["fallback"]) == ("date", 1784200860, "2026-07-16 11:21 UTC")
