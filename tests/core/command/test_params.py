"""Parameters: what is accepted, what it becomes, and what is said of what is not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.command.catalog import check_params
from bot.core.command.params import LONGEST_TEXT, BadParam, Param, ParamType, duration_seconds, duration_text
from bot.core.errors import BadRequest


def param(kind: ParamType, **more: Any) -> Param:
    return Param(name="p", type=kind, help="a parameter", **more)


@pytest.mark.parametrize(
    ("made", "word", "value"),
    [
        (param(ParamType.TEXT), " as it is ", " as it is "),
        (param(ParamType.INTEGER, minimum=0, maximum=3), "3", 3),
        (param(ParamType.INTEGER), "-12", -12),
        (param(ParamType.BOOLEAN), "TRUE", True),
        (param(ParamType.BOOLEAN), "off", False),
        (param(ParamType.DURATION), "1h30m", 5400),
        (param(ParamType.DURATION), "1d", 86_400),
        (param(ParamType.CHOICE, choices=("New", "Continue")), "continue", "Continue"),
        (param(ParamType.DATETIME), "2026-07-16T11:21:20", "2026-07-16T11:21:20"),
        (param(ParamType.JSON), '{"a":[1]}', {"a": [1]}),
        (param(ParamType.UNTIL), "Mon 07:00", "Mon 07:00"),
    ],
)
def test_a_word_becomes_a_value(made: Param, word: str, value: Any) -> None:
    """Each type reads its words into one JSON value."""
    assert made.check([word]) == value


@pytest.mark.parametrize(
    ("made", "word", "says"),
    [
        (param(ParamType.INTEGER), "3.5", "whole number"),
        (param(ParamType.INTEGER), "\u0663x", "whole number"),
        (param(ParamType.INTEGER, maximum=3, unit="rows"), "4", "at most 3 rows"),
        (param(ParamType.INTEGER, minimum=1), "0", "at least 1"),
        (param(ParamType.BOOLEAN), "perhaps", "`true` or `false`"),
        (param(ParamType.DURATION), "soon", "not a duration"),
        (param(ParamType.DURATION), "0s", "between one second and 366 days"),
        (param(ParamType.DURATION), "400d", "between one second and 366 days"),
        (param(ParamType.DURATION), "", "`p=` needs a value"),
        (param(ParamType.CHOICE, choices=("a", "b")), "", "`p=` needs a value: a, b"),
        (param(ParamType.CHOICE, choices=("a", "b")), "c", "one of a, b"),
        (param(ParamType.DATETIME), "tomorrow", "2026-07-16T11:21:20"),
        (param(ParamType.JSON), "{", "takes JSON"),
        (param(ParamType.JSON), r'{"a":["\u202e"]}', "an invisible character"),
        (param(ParamType.JSON), "[" * 100_000, "takes JSON"),
        (param(ParamType.TEXT), "x" * (LONGEST_TEXT + 1), "longer than"),
    ],
)
def test_what_does_not_fit_says_what_would(made: Param, word: str, says: str) -> None:
    """The sentence names what is accepted."""
    with pytest.raises(BadParam, match=says):
        made.check([word])


def test_a_list_takes_commas_and_repetition_and_a_single_value_neither() -> None:
    """`files=a.csv,b.csv files=c.csv` is three; anything else is given once."""
    assert param(ParamType.LIST).check(["a.csv, b.csv", ",c.csv,"]) == ["a.csv", "b.csv", "c.csv"]
    with pytest.raises(BadParam, match="given 2 times"):
        param(ParamType.TEXT).check(["a", "b"])


@given(st.integers(min_value=1, max_value=366 * 86_400))
def test_a_duration_prints_to_words_that_read_as_itself(seconds: int) -> None:
    """`1h30m` and 5400 are the same."""
    assert duration_seconds(duration_text(seconds)) == seconds


def test_a_duration_is_read_as_cards_write_it() -> None:
    for word, seconds in (
        ("2 h", 7_200),
        ("1 day", 86_400),
        ("1 h 30 min", 5_400),
        ("90 minutes", 5_400),
        ("2Days", 172_800),
    ):
        assert duration_seconds(word) == seconds


@given(st.text(max_size=60))
def test_no_word_breaks_a_check(word: str) -> None:
    """Every type answers every word with a value or a sentence."""
    for kind in ParamType:
        with suppress(BadParam):
            param(kind, choices=("a",), minimum=0, maximum=9).check([word])


DECLARED = (
    Param(name="as", type=ParamType.CHOICE, choices=("run", "job"), default="run", help="which"),
    Param(name="input", type=ParamType.MAP, help="inputs"),
    Param(name="files", type=ParamType.LIST, help="files"),
    Param(name="cron", type=ParamType.TEXT, required=True, help="when"),
)


def test_only_what_was_said_is_in_the_result() -> None:
    """Defaults are the operation's; a map is collected from its keys, dots in the key's rest included."""
    given_ = (("cron", "0 0"), ("input.a", "1"), ("input.b.c", "2"), ("files", "x"), ("files", "y"))
    assert check_params(DECLARED, given_) == {"cron": "0 0", "input": {"a": "1", "b.c": "2"}, "files": ["x", "y"]}


@pytest.mark.parametrize(
    ("given_", "code", "says"),
    [
        ((("corn", "1"),), "unknown_parameter", "Did you mean `cron=`"),
        ((("zzz", "1"), ("cron", "1")), "unknown_parameter", "There are: `as=`"),
        ((("input", "1"), ("cron", "1")), "unknown_parameter", "`input.NAME=`"),
        ((("input.", "1"), ("cron", "1")), "unknown_parameter", "is not a parameter"),
        ((), "missing_parameter", "`cron=`"),
        ((("cron", "1"), ("cron", "2")), "bad_parameter", "given 2 times"),
        ((("cron", "1"), ("input.a", "1"), ("input.a", "2")), "bad_parameter", "given twice"),
        ((("cron", "1"), ("as", "both")), "bad_parameter", "one of run, job"),
    ],
)
def test_what_was_not_declared_is_refused(given_: tuple[tuple[str, str], ...], code: str, says: str) -> None:
    """Nothing is silently ignored or overwritten."""
    with pytest.raises(BadRequest, match=says) as caught:
        check_params(DECLARED, given_)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("given_", "code", "says"),
    [
        (
            (("zzz", "1"), ("corn", "1"), ("yyy", "1"), ("as", "both")),
            "unknown_parameter",
            "`corn` is not a parameter here. Did you mean `cron=`? `zzz` and `yyy` are not parameters here. ",
        ),
        ((("as", "both"),), "bad_parameter", "`as` takes"),
    ],
)
def test_everything_wrong_is_said_at_once(given_: tuple[tuple[str, str], ...], code: str, says: str) -> None:
    """A person corrects it in one go."""
    with pytest.raises(BadRequest) as caught:
        check_params(DECLARED, given_)
    assert caught.value.summary.startswith(says)
    assert caught.value.summary.endswith("`as` takes one of run, job, not `both`. Missing: `cron=`.")
    assert caught.value.code == code


def test_a_map_for_everything_takes_every_key() -> None:
    """`tag res: SITE=berlin RING.2=x` needs no declared names."""
    anything = (Param(name="*", type=ParamType.MAP, help="any"),)
    assert check_params(anything, (("SITE", "berlin"), ("RING.2", "x"))) == {"*": {"SITE": "berlin", "RING.2": "x"}}


def test_nothing_declared_says_so() -> None:
    """A verb without parameters says that there are none."""
    with pytest.raises(BadRequest, match="takes no parameters"):
        check_params((), (("x", "1"),))


def test_names_are_compared_and_bound_without_blanks_around_them() -> None:
    declared = [Param(name="input", type=ParamType.MAP, help="input")]
    assert check_params(declared, [("input. mode ", "prod")]) == {"input": {"mode": "prod"}}
    with pytest.raises(BadRequest, match="given twice"):
        check_params(declared, [("input.mode ", "prod"), ("input.mode", "test")])
