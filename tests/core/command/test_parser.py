"""The grammar: every spelling that design section 4 promises, and that a command's text reads as the command again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.command.builtins import BUILTINS, Takes
from bot.core.command.parser import format_command, parse, parse_target
from bot.core.command.target_ref import SELECTORS, TargetRef
from bot.core.intent import Command, ParseError
from tests.core.catalog_samples import CATALOG


def reads_as(text: str, **wanted: Any) -> None:
    """`text` reads as a command with these fields, and all other fields empty."""
    assert parse(text, CATALOG) == Command(**wanted)


SPELLINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("start acc:shop/prices", {"verb": "start", "target": "acc:shop/prices"}),
    ("  START   acc:shop/prices  ", {"verb": "start", "target": "acc:shop/prices"}),
    ("run acc:shop/prices", {"verb": "start", "target": "acc:shop/prices"}),
    ("rerun acc:run/1", {"verb": "retry", "target": "acc:run/1"}),
    ("kill box:1", {"verb": "stop", "target": "box:1"}),
    ("enable acc:schedule/1", {"verb": "schedule on", "target": "acc:schedule/1"}),
    ("disable acc:schedule/1", {"verb": "schedule off", "target": "acc:schedule/1"}),
    ("log acc:run/1", {"verb": "logs", "target": "acc:run/1"}),
    ("schedule   off acc:schedule/1", {"verb": "schedule off", "target": "acc:schedule/1"}),
    ("schedules acc:shop/prices", {"verb": "schedules", "target": "acc:shop/prices"}),
    ("agent approve acc:a -- ok", {"verb": "agent approve", "target": "acc:a", "reason": "ok"}),
    ("", {"verb": "help"}),
    ("status", {"verb": "status"}),
    ("status acc", {"verb": "status", "target": "acc:"}),
    ("status acc:", {"verb": "status", "target": "acc:"}),
    ("status acc-prod:x", {"verb": "status", "target": "acc-prod:x"}),
    # reasons
    ("start acc:x -- monthly check", {"verb": "start", "target": "acc:x", "reason": "monthly check"}),
    ("start acc:x \u2014 monthly check", {"verb": "start", "target": "acc:x", "reason": "monthly check"}),
    ("start acc:x \u2013\u2013 monthly check", {"verb": "start", "target": "acc:x", "reason": "monthly check"}),
    ("start acc:x \u2013 monthly", {"verb": "start", "target": "acc:x", "reason": "monthly"}),
    ("start acc:x because it's Monday", {"verb": "start", "target": "acc:x", "reason": "it's Monday"}),
    ("start acc:x Because  of\nthat", {"verb": "start", "target": "acc:x", "reason": "of that"}),
    ("start acc:x -- a -- b", {"verb": "start", "target": "acc:x", "reason": "a -- b"}),
    ('start acc:x -- he said "go', {"verb": "start", "target": "acc:x", "reason": 'he said "go'}),
    ("start acc:x --", {"verb": "start", "target": "acc:x"}),
    # parameters
    (
        "start acc:x as=job log_level=3",
        {"verb": "start", "target": "acc:x", "params": (("as", "job"), ("log_level", "3"))},
    ),
    ("start as=job acc:x", {"verb": "start", "target": "acc:x", "params": (("as", "job"),)}),
    (
        "start acc:x input.a=1 input.a-b=2",
        {"verb": "start", "target": "acc:x", "params": (("input.a", "1"), ("input.a-b", "2"))},
    ),
    ("start acc:x input.q=a=b", {"verb": "start", "target": "acc:x", "params": (("input.q", "a=b"),)}),
    ("start acc:x session=", {"verb": "start", "target": "acc:x", "params": (("session", ""),)}),
    ("start acc:x session='s 1'", {"verb": "start", "target": "acc:x", "params": (("session", "s 1"),)}),
    (
        'input put acc:x text="a,\\"b\\"\n1"',
        {"verb": "input put", "target": "acc:x", "params": (("text", 'a,"b"\n1'),)},
    ),
    ("start acc:x session=it's", {"verb": "start", "target": "acc:x", "params": (("session", "it's"),)}),
    (
        "schedule off acc:x until=Mon 07:00",
        {"verb": "schedule off", "target": "acc:x", "params": (("until", "Mon 07:00"),)},
    ),
    (
        'schedule off acc:x until="Mon 07:00"',
        {"verb": "schedule off", "target": "acc:x", "params": (("until", "Mon 07:00"),)},
    ),
    (
        "schedule off acc:x until=7:00 for=2h",
        {"verb": "schedule off", "target": "acc:x", "params": (("until", "7:00"), ("for", "2h"))},
    ),
    ("tag box:1 ANY.thing=x", {"verb": "tag", "target": "box:1", "params": (("ANY.thing", "x"),)}),
    # quotes of every shape
    ("start acc:x session=\u201cs 1\u201d", {"verb": "start", "target": "acc:x", "params": (("session", "s 1"),)}),
    ("start acc:x session=\u2018s 1\u2019", {"verb": "start", "target": "acc:x", "params": (("session", "s 1"),)}),
    ("start acc:x session=\u00abs 1\u00bb", {"verb": "start", "target": "acc:x", "params": (("session", "s 1"),)}),
    ('status box:1/"Data Server"', {"verb": "status", "target": 'box:"1/Data Server"'}),
    ('status "box:1/Data Server"', {"verb": "status", "target": 'box:"1/Data Server"'}),
    ("status \u201cbox:1/Data Server\u201d", {"verb": "status", "target": 'box:"1/Data Server"'}),
    # selectors
    ("status acc:shop/prices@last", {"verb": "status", "target": "acc:shop/prices@last"}),
    ("retry acc:shop/prices@failed", {"verb": "retry", "target": "acc:shop/prices@failed"}),
    ("status acc:shop/prices@running", {"verb": "status", "target": "acc:shop/prices@running"}),
    ("status acc:shop/prices@latest", {"verb": "status", "target": "acc:shop/prices@last"}),
    ('status acc:"shop/odd@latest"', {"verb": "status", "target": 'acc:"shop/odd@latest"'}),
    ("status acc:shop/prices@home", {"verb": "status", "target": "acc:shop/prices@home"}),
    ('status acc:"shop/odd@last"', {"verb": "status", "target": 'acc:"shop/odd@last"'}),
    # what Slack makes of words
    ("start acc:x input.a=&lt;1&gt;&amp;2", {"verb": "start", "target": "acc:x", "params": (("input.a", "<1>&2"),)}),
    (
        "start acc:x input.u=<https://a.example/?q=1>",
        {"verb": "start", "target": "acc:x", "params": (("input.u", "https://a.example/?q=1"),)},
    ),
    (
        "start acc:x input.u=<http://a.example|a.example>",
        {"verb": "start", "target": "acc:x", "params": (("input.u", "a.example"),)},
    ),
    (
        "start acc:x input.m=<mailto:a@b.example|a@b.example>",
        {"verb": "start", "target": "acc:x", "params": (("input.m", "a@b.example"),)},
    ),
    (
        "start acc:x -- ask <@U0LEE|lee> in <#C0INC|inc>",
        {"verb": "start", "target": "acc:x", "reason": "ask <@U0LEE> in <#C0INC>"},
    ),
    # names of parameters in any letters, and quoted
    (
        "start acc:x input.Gr\u00f6\u00dfe=5",
        {"verb": "start", "target": "acc:x", "params": (("input.Gr\u00f6\u00dfe", "5"),)},
    ),
    ("start acc:x \u57ce\u5e02=5", {"verb": "start", "target": "acc:x", "params": (("\u57ce\u5e02", "5"),)}),
    (
        'start acc:x "input.Search Term"=abc',
        {"verb": "start", "target": "acc:x", "params": (("input.Search Term", "abc"),)},
    ),
    (
        'start acc:x input."Search Term"="a b"',
        {"verb": "start", "target": "acc:x", "params": (("input.Search Term", "a b"),)},
    ),
    ('start "as"=job acc:x', {"verb": "start", "target": "acc:x", "params": (("as", "job"),)}),
    # what copying and formatting add
    ("`status acc:x`", {"verb": "status", "target": "acc:x"}),
    ("```status acc:x```", {"verb": "status", "target": "acc:x"}),
    ("```\nstatus acc:x\n```", {"verb": "status", "target": "acc:x"}),
    ("*status* acc:x", {"verb": "status", "target": "acc:x"}),
    ("_status acc:x_", {"verb": "status", "target": "acc:x"}),
    ("*_status_* `acc:x`", {"verb": "status", "target": "acc:x"}),
    (
        "`start acc:x input.a=1` -- `why`",
        {"verb": "start", "target": "acc:x", "params": (("input.a", "1"),), "reason": "`why`"},
    ),
    ("`start acc:x -- why`", {"verb": "start", "target": "acc:x", "reason": "why"}),
    ("/ops status acc:x", {"verb": "status", "target": "acc:x"}),
    ("`/ops status acc:x`", {"verb": "status", "target": "acc:x"}),
    ("/ops", {"verb": "help"}),
    ("\ufeffstatus acc:x\u200b", {"verb": "status", "target": "acc:x"}),
    ("\u200estatus\u200b \u2060acc:\u200bx\u200f", {"verb": "status", "target": "acc:x"}),
    ("start acc:x \u200b--\u200b why", {"verb": "start", "target": "acc:x", "reason": "why"}),
    ("grant <@U0ANA> * acc:*", {"verb": "grant", "words": ("<@U0ANA>", "*", "acc:*")}),
    ('start acc:x input.a="*b*"', {"verb": "start", "target": "acc:x", "params": (("input.a", "*b*"),)}),
    (
        'input put acc:x text="a\nstop acc:y\nb"',
        {"verb": "input put", "target": "acc:x", "params": (("text", "a\nstop acc:y\nb"),)},
    ),
    (
        "start acc:x -- the pager went\nstatus page is red",
        {"verb": "start", "target": "acc:x", "reason": "the pager went status page is red"},
    ),
    ("start acc:x;", {"verb": "start", "target": "acc:x"}),
    ("start acc:x -- monthly check;\n", {"verb": "start", "target": "acc:x", "reason": "monthly check"}),
    ('start acc:x input.a="1;"', {"verb": "start", "target": "acc:x", "params": (("input.a", "1;"),)}),
    (
        "start acc:x -- it failed\nrestart acc:y did not help",
        {"verb": "start", "target": "acc:x", "reason": "it failed restart acc:y did not help"},
    ),
    *(
        (f"start acc:x -- monthly\n{line}", {"verb": "start", "target": "acc:x", "reason": f"monthly {line}"})
        for line in (
            "see acc:y",
            "see also acc:y",
            "because of acc:y",
            "caused by acc:y",
            "Note: acc:y",
            "acc:y",
            "- acc:y",
            "ticket INC-4 acc:y",
            "news acc:y failed again",
            "launch nowhere:y",
            "more: https://a.example/x",
        )
    ),
    ("start acc:x -- a; b\nfind out why", {"verb": "start", "target": "acc:x", "reason": "a; b find out why"}),
    ("start acc:x -- ~old~ new", {"verb": "start", "target": "acc:x", "reason": "~old~ new"}),
    ('start acc:x input.a="~b~"', {"verb": "start", "target": "acc:x", "params": (("input.a", "~b~"),)}),
    (
        'start acc:x input.a="b; stop acc:y"',
        {"verb": "start", "target": "acc:x", "params": (("input.a", "b; stop acc:y"),)},
    ),
    ('start acc:x "input.mode "=b', {"verb": "start", "target": "acc:x", "params": (("input.mode", "b"),)}),
    # the bot's own verbs
    ("help start", {"verb": "help", "words": ("start",)}),
    ("audit prices count=20", {"verb": "audit", "words": ("prices",), "params": (("count", "20"),)}),
    ("why start acc:x -- because", {"verb": "why", "words": ("start acc:x -- because",)}),
    ("why as=<@U0LEE|lee> start acc:x", {"verb": "why", "params": (("as", "<@U0LEE>"),), "words": ("start acc:x",)}),
)


@pytest.mark.parametrize(("text", "wanted"), SPELLINGS, ids=[text for text, _ in SPELLINGS])
def test_a_spelling_reads_as_it_is_meant(text: str, wanted: dict[str, Any]) -> None:
    """Each spelling of the plan is one command."""
    if wanted["verb"] == "why" and "--" in text:
        read = parse(text, CATALOG)
        assert isinstance(read, Command)
        assert (read.verb, read.words) == ("why", wanted["words"])
        return
    reads_as(text, **wanted)


@pytest.mark.parametrize(
    ("text", "problem", "nearest"),
    [
        ("strat acc:x", "`strat` is not a verb.", None),
        ("shedule on acc:x", "`shedule` is not a verb.", None),
        ("start x", "Write `backend:path`", None),
        ("start ac:x", "`ac` is not a backend", None),
        ('start "acc:x', "A quote is not closed", None),
        ("start acc:a acc:b", "A command acts on one target", None),
        ("start acc:x cron=0 7 * * 1-5", 'write `cron="0 7 * * 1-5"`', 'start acc:x cron="0 7 * * 1-5"'),
        (
            "start acc:x cron=0 7 * * 1-5 as=job -- why",
            'write `cron="0 7 * * 1-5"`',
            'start acc:x cron="0 7 * * 1-5" as=job -- why',
        ),
        ("start acc:x for=2 hours", "write `for=2h`", "start acc:x for=2h"),
        ("start acc:x for=30 min", "write `for=30m`", "start acc:x for=30m"),
        ("start acc:x until=Monday 7am", 'write `until="Mon 07:00"`', 'start acc:x until="Mon 07:00"'),
        ("start acc:x until=fri at 12:30 pm", 'write `until="Fri 12:30"`', 'start acc:x until="Fri 12:30"'),
        ("start acc:my agent input.a=1", 'quote it: `acc:"my agent"`', None),
        ("*strat* acc:x -- `y`", "`strat` is not a verb.", None),
        ("/ops strat \u200bacc:x", "`strat` is not a verb.", None),
        ("start acc:x -- a\nstop acc:y", "This message has 2 commands", "stop acc:y"),
        ("start acc:x\nstart acc:y\n`start acc:z` -- b", "This message has 3 commands", "start acc:z -- b"),
        ("~start acc:x~", "struck out", "start acc:x"),
        ("~ start acc:x~", "struck out", "start acc:x"),
        ("start ~acc:x~", "struck out", "start acc:x"),
        ("*~start acc:x~* -- y", "struck out", "start acc:x -- y"),
        ("~start acc:x -- why~", "struck out", "start acc:x -- why"),
        ("start acc:x; stop acc:y", "This message has 2 commands", "stop acc:y"),
        ("start acc:x -- a; stop acc:y", "This message has 2 commands", "stop acc:y"),
        ("start acc:x -- a\nwhoami", "This message has 2 commands", "whoami"),
        ("start acc:x\ninput.a=1\nstop acc:y", "This message has 2 commands", "start acc:x input.a=1"),
        ("start acc:x -- a; why stop acc:y", "This message has 2 commands", "why stop acc:y"),
        ("start acc:x -- a\npause other:y", "This message has 2 commands", "start acc:x -- a"),
        ("start acc:x -- a; destroy infra:plan -- old", "This message has 2 commands", "start acc:x -- a"),
        ("start acc:x -- a\nstop nowhere:y", "This message has 2 commands", "start acc:x -- a"),
        ("start acc:x -- a\nstart acc:y for=2 hours", "This message has 2 commands", "start acc:x -- a"),
        ("start acc:x -- a\nlaunch acc:y", "This message has 2 commands", "start acc:x -- a"),
        ("start acc:x\nlaunch acc:y", "This message has 2 commands", "start acc:x"),
        ("start acc:x -- a; strat acc:y input.a=1", "This message has 2 commands", "start acc:x -- a"),
        ("start acc:x -- a\nkick off acc:y -- b", "This message has 2 commands", "start acc:x -- a"),
        ("start acc:x -- a\nturn off acc:y", "This message has 2 commands", "start acc:x -- a"),
        ("start acc:x -- a\n\u2022 stop acc:y", "This message has 2 commands", "stop acc:y"),
        ("start acc:x -- a\n2. please stop acc:y", "This message has 2 commands", "stop acc:y"),
        ("start acc:x -- a; and then stop acc:y", "This message has 2 commands", "stop acc:y"),
        ("start acc:x\nplease hurry", "write `--` before it", "start acc:x -- please hurry"),
        ("start acc:x as=job\nplease hurry -- a", "write `--` before it", "start acc:x as=job -- please hurry -- a"),
        ("start acc:x input.a=1;", "Quote the value to keep it", "start acc:x input.a=1"),
        ("start acc:x for= 2h", "write `for=2h`", "start acc:x for=2h"),
        ("x" * 12_001, "longer than 12,000 characters", None),
    ],
)
def test_what_cannot_be_read_says_why(text: str, problem: str, nearest: str | None) -> None:
    """A misread carries the sentence that a person needs, and the nearest commands."""
    read = parse(text, CATALOG)
    assert isinstance(read, ParseError)
    assert problem in read.problem
    assert nearest is None or nearest in read.nearest
    assert len(read.text) <= 500


@pytest.mark.parametrize(
    "value",
    [
        "start acc:x until=tomorrow at 9",
        "start acc:x until=Mon at 25",
        "start acc:x for=2 weeks",
        "history acc:x count=ten rows",
    ],
)
def test_a_value_that_the_parameter_refuses_is_not_offered(value: str) -> None:
    """No button leads to a second refusal; the sentence names what is accepted."""
    read = parse(value, CATALOG)
    assert isinstance(read, ParseError)
    assert read.nearest == ()
    assert "write `" in read.problem or "takes a whole number" in read.problem


def test_files_travel_with_the_command() -> None:
    """The ids of the attached files are kept in order."""
    read = parse("input upload acc:x", CATALOG, ("F1", "F2"))
    assert read == Command(verb="input upload", target="acc:x", files=("F1", "F2"))


TEXTS = st.text(max_size=40)
KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,12}", fullmatch=True)
REFS = st.builds(
    TargetRef,
    backend=st.sampled_from(("acc", "acc-prod", "box")),
    path=st.text(max_size=30),
    selector=st.sampled_from((None, *SELECTORS)),
)
REASONS = st.none() | st.text(min_size=1, max_size=30).map(lambda text: " ".join(text.split())).filter(bool)
PARAMS = st.lists(st.tuples(KEYS, TEXTS), max_size=4).map(tuple)
ACTING = sorted({row.verb for _, row in CATALOG.everything()})
WORDY = [row.verb for row in BUILTINS if row.takes is Takes.WORDS]
COMMANDS = st.builds(
    Command,
    verb=st.sampled_from(ACTING),
    target=st.none() | REFS.map(str),
    params=PARAMS,
    reason=REASONS,
)
WORDS = st.text(min_size=1, max_size=20).filter(lambda word: "=" not in word)
SPOKEN = st.builds(
    Command,
    verb=st.sampled_from(WORDY),
    words=st.lists(WORDS, max_size=3).map(tuple),
    params=PARAMS,
    reason=REASONS,
)


def escaped(text: str) -> str:
    """As Slack sends it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@given(COMMANDS | SPOKEN)
def test_a_command_prints_to_text_that_reads_as_itself(command: Command) -> None:
    """Whatever a form, a button or a person made, its text through Slack is the same command."""
    assert parse(escaped(format_command(command)), CATALOG) == command


@given(REFS)
def test_a_target_prints_to_text_that_reads_as_itself(ref: TargetRef) -> None:
    """Any path, quotes, blanks and selectors included."""
    assert parse_target(str(ref), CATALOG) == ref


HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("\"'\\`<>&|=:@#!-\u2014\u2013\u201c\u201d\u2018\u00ab /\n\t\0\u202e\u200b")),
        st.characters(),
    ),
    max_size=200,
)
STARTS = st.sampled_from(("", "start ", "why ", "help ", "schedule off acc:x ", "tag box:", "audit ", "grant "))


@given(STARTS, HOSTILE)
def test_hostile_text_never_raises(start: str, text: str) -> None:
    """Anything that can be typed is a command or a misread, and a command's text is a command again."""
    read = parse(start + text, CATALOG)
    assert isinstance(read, Command | ParseError)
    if isinstance(read, Command) and CATALOG.builtin(read.verb) is None:
        assert parse(escaped(format_command(read)), CATALOG) == read


@given(HOSTILE)
def test_a_hostile_target_never_raises(text: str) -> None:
    """What a menu or a stored button holds is a target or a sentence."""
    assert isinstance(parse_target(text, CATALOG), TargetRef | str)
