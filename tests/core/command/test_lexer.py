"""Words: quotes of every shape, Slack's escapes, and where the reason starts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.command.lexer import LONGEST, Unreadable, split, unescape


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a &amp; b", "a & b"),
        ("&amp;lt;", "&lt;"),
        ("<https://a.example>", "https://a.example"),
        ("<https://a.example/x|a.example/x>", "a.example/x"),
        ("<https://a.example/x|click me>", "https://a.example/x"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<tel:+491234|+491234>", "+491234"),
        ("<@U0ANA|ana>", "<@U0ANA>"),
        ("<@U0ANA>", "<@U0ANA>"),
        ("<#C0INC|incident>", "<#C0INC>"),
        ("<!subteam^S0LEADS|@leads>", "<!subteam^S0LEADS>"),
        ("<!here>", "<!here>"),
        ("1 &lt; 2 &gt; 0", "1 < 2 > 0"),
    ],
)
def test_slacks_escapes_are_undone_once(sent: str, meant: str) -> None:
    """Links become what was typed, mentions keep their id alone, entities are read once."""
    assert unescape(sent) == meant


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("a  b\tc\nd", ["a", "b", "c", "d"], None),
        ('a "b c" d', ["a", "b c", "d"], None),
        ("a='b c'd", ["a=b cd"], None),
        ("don't stop", ["don't", "stop"], None),
        ('"a\\"b\\\\"', ['a"b\\'], None),
        ("'a\\b'", ["a\\b"], None),
        ("\u201ea b\u201c", ["a b"], None),
        ('""', [""], None),
        ("a -- b  c", ["a"], "b c"),
        ("a BECAUSE b", ["a"], "b"),
        ("a \u2014 b", ["a"], "b"),
        ("a '--' b", ["a", "--", "b"], None),
        ('a "because" b', ["a", "because", "b"], None),
        ("-- a", ["--", "a"], None),
        ("because a", ["because", "a"], None),
        ("", [], None),
    ],
)
def test_words_and_the_reason(text: str, words: list[str], reason: str | None) -> None:
    """Blanks part words, quotes hold them together, a lone dash or `because` starts the reason; a first word never does."""
    found, why = split(text)
    assert ([word.text for word in found], why) == (words, reason)


def test_a_word_knows_which_of_its_characters_were_quoted() -> None:
    """So that a quoted `@last` is not a selector."""
    (word,) = split('ab"cd"e')[0]
    assert word.quoted == (False, False, True, True, False)
    assert not word.bare
    assert word.end == 7


@pytest.mark.parametrize("text", ['"open', "a='open", "\u201copen", "x" * (LONGEST + 1)])
def test_what_cannot_be_split_says_why(text: str) -> None:
    """An open quote and an endless text are refused in words."""
    with pytest.raises(Unreadable, match=r"quote|longer"):
        split(text)


@given(st.text(max_size=300))
def test_splitting_ends_in_words_or_in_words_about_it(text: str) -> None:
    """No text breaks it, and offsets stay within the text."""
    try:
        words, _ = split(unescape(text))
    except Unreadable:
        return
    assert all(len(word.text) == len(word.quoted) for word in words)
    assert [word.end for word in words] == sorted({word.end for word in words})
