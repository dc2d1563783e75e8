from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.text import span_words
from bot.render.text_format import bar, number_text, shown


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(milliseconds=412), "412 ms"),
        (timedelta(microseconds=3), "1 ms"),
        (timedelta(seconds=1), "1 s"),
        (timedelta(seconds=1.04), "1 s"),
        (timedelta(seconds=1.46), "1.4 s"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(seconds=80), "1 min 20 s"),
        (timedelta(hours=1, seconds=5), "1 h"),
        (timedelta(days=3, hours=4, minutes=5), "3 days 4 h"),
        (timedelta(minutes=-5), "minus 5 min"),
    ],
)
def test_spans(span, words):
    assert span_words(span) == words


@given(st.timedeltas())
def test_any_span_has_words(span):
    assert span_words(span).strip()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (18230, "18,230"),
        (0.0123, "0.012"),
        (2.0, "2"),
        (1e-9, "1e-09"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers(number, text):
    assert number_text(number) == text


@given(st.integers(), st.integers())
def test_a_bar_is_full_only_when_all_is_done(done, total):
    made = bar(done, total)
    assert ("100 %" in made) == (total > 0 and done >= total)


@given(st.text())
def test_what_was_made_visible_stays_as_it_is(text):
    assert shown(shown(text)) == shown(text)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a\u202eb", "a<U+202E>b"),
        ("a\u200bb", "a<U+200B>b"),
        ("a\U000e0041b", "a<U+E0041>b"),
        ("a\ufe0fb", "a<U+FE0F>b"),
        ("⚠\ufe0f", "⚠\ufe0f"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("a\rb\x00", "a<U+000D>b<U+0000>"),
        ("naïve 名前 🚦", "naïve 名前 🚦"),
    ],
)
def test_what_cannot_be_seen_is_shown(text, made):
    assert shown(text) == made
