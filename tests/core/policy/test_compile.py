"""What may be written in policy.toml, and in which words and at which line a mistake is answered."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import Problem
from bot.core.policy.decide import PolicyProblem, parse_policy, policy_json_schema
from bot.core.policy.toml_lines import Lines
from bot.core.policy.visibility import case_subject, decision_word
from tests.core.policy.samples import TEXT, ask, word

MISTAKES: list[tuple[str, str, str, list[str]]] = [
    (
        "an unknown key of a rule",
        'who = ["*"]',
        'who = ["*"]\n  targtes = ["x"]',
        ["line 16:", "`targtes`", "verbs, targets, who"],
    ),
    ("an unknown table", "[breakglass]", "[brakeglass]", ["line 57:", "`brakeglass`"]),
    (
        "an unknown key of an approval",
        'in = "C0APPR"',
        'on = "C0APPR"',
        ["line 22:", "`on`", "count, from, expires, in"],
    ),
    ("a channel by its name", 'id = "C0CRAWL"', 'id = "#crawl"', ["line 9:", "`#crawl`", "use the id"]),
    ("a channel by its bare name", 'id = "C0CRAWL"', 'id = "crawl"', ["line 9:", "`crawl`", "use the id"]),
    ("a user where a channel belongs", 'id = "C0CRAWL"', 'id = "U0ANA"', ["line 9:", "isn't a conversation id"]),
    ("an approval channel by name", '"C0APPR"', '"#approvals"', ["line 22:", "use the id"]),
    ("a member by name", '["S0LEADS"]', '["@lee"]', ["line 5:", "`@lee`", "use the id"]),
    ("a channel in a group", '["S0LEADS"]', '["C0CRAWL"]', ["line 5:", "isn't the id of a user"]),
    ("a who by mention", 'who = ["*"]', 'who = ["@ana"]', ["line 15:", "use the id"]),
    ("a channel in a who", 'who = ["*"]', 'who = ["C0CRAWL"]', ["line 15:", "conversation"]),
    (
        "a group that does not exist",
        'who = ["crawl"]',
        'who = [\n    "admins",\n    "crwl",\n  ]',
        ["line 22:", "`crwl`", "admins, crawl, leads"],
    ),
    ("an approver group that does not exist", 'from = ["leads"]', 'from = ["lead"]', ["line 22:", "`lead`"]),
    ("an exception that does not exist", 'except = ["admins"]', 'except = ["admin"]', ["line 54:", "`admin`"]),
    ("everybody as approver", 'from = ["leads"]', 'from = ["*"]', ["line 22:", "write a group"]),
    (
        "everybody as administrator",
        '[administrators]\nwho = ["admins"]',
        '[administrators]\nwho = ["*"]',
        ["line 63:", "write a group"],
    ),
    ("everybody excepted from a freeze", 'except = ["admins"]', 'except = ["*"]', ["line 54:", "write a group"]),
    ("a freeze without a zone", "2026-12-20T18:00:00+01:00", "2026-12-20T18:00:00", ["line 51:", "has no time zone"]),
    ("a freeze from a bare date", "2026-12-20T18:00:00+01:00", "2026-12-20", ["line 51:", "with a time zone"]),
    (
        "a freeze from a text",
        "2026-12-20T18:00:00+01:00",
        '"2026-12-20T18:00:00+01:00"',
        ["line 51:", "with a time zone"],
    ),
    ("a freeze that ends before it begins", "2027-01-03", "2026-01-03", ["line 50:", "before"]),
    ("the same channel twice", 'id = "C0OTHER"', 'id = "C0CRAWL"', ["line 35:", "two tables"]),
    ("the same id twice in a group", '"U0ANA", "S0CRAWL"', '"U0ANA", "U0ANA"', ["line 4:", "twice"]),
    ("the same verb twice", '"risk:read", "logs"', '"logs", "logs"', ["line 13:", "twice"]),
    ("a key twice", "version = 1", "version = 1\nversion = 1", ["line 2:", "TOML"]),
    ("no version", "version = 1", "", ["line 1:", "`version`"]),
    ("another version", "version = 1", "version = 2", ["line 1:", "`version` must be 1"]),
    ("a version that is true", "version = 1", "version = true", ["line 1:", "`version` must be 1"]),
    ("a rule without who", 'who = ["crawl"]\n', "\n", ["line 17:", "needs `who`"]),
    ("a rule for nobody", 'who = ["crawl"]', "who = []", ["line 20:", "empty"]),
    ("verbs as a text", 'verbs = ["stop", "restart"]', 'verbs = "stop"', ["line 25:", "`verbs` must be a list"]),
    ("a verb pattern that would match nothing", '["stop", "restart"]', '["st*"]', ["line 25:", "`st*`"]),
    ("a risk that does not exist", '"risk:read"', '"risk:reads"', ["line 13:", "`risk:reads`"]),
    ("a target without a colon", '["acc:shop/*"]', '["acc"]', ["line 19:", "`acc:*`"]),
    (
        "a target with a blank at its end",
        '["acc:shop/*"]',
        '["acc:shop/* "]',
        ["line 19:", "begins or ends with a blank"],
    ),
    (
        "a target with a sign nobody sees",
        '["acc:shop/*"]',
        '["acc:\\u200bshop/*"]',
        ["line 19:", "invisible characters"],
    ),
    ("a count of none", "count = 1", "count = 0", ["line 22:", "`count`"]),
    ("a count as a text", "count = 1", 'count = "1"', ["line 22:", "whole number"]),
    ("an expiry that is no duration", '"30m"', '"half an hour"', ["line 22:", "duration"]),
    ("an expiry without a unit", '"30m"', "30", ["line 22:", "duration"]),
    ("a limit that is no list", "{ production = [true] }", "{ production = true }", ["line 21:", "`production`"]),
    ("a limit that is no number", "{ production = [true] }", "{ production = [nan] }", ["line 21:", "`production`"]),
    ("a group that looks like an id", "admins =", "SRE =", ["line 6:", "looks like a Slack id"]),
    (
        "an account of two people",
        "[[channel]]",
        '[people]\nana = ["U0ANA", "U0ANA2"]\nbob = ["U0BOB", "U0ANA2"]\n\n[[channel]]',
        ["line 10:", "`U0ANA2`", "`ana`", "`bob`", "one person"],
    ),
    ("an account by its name", "[[channel]]", '[people]\nana = ["@ana"]\n\n[[channel]]', ["line 9:", "`@ana`", "ids"]),
    (
        "a user group as an account",
        "[[channel]]",
        '[people]\nana = ["S0LEADS"]\n\n[[channel]]',
        ["line 9:", "isn't the id of a user"],
    ),
    (
        "an app as an account",
        "[[channel]]",
        '[people]\nana = ["A0APP"]\n\n[[channel]]',
        ["line 9:", "isn't the id of a user"],
    ),
    ("a person without accounts", "[[channel]]", "[people]\nana = []\n\n[[channel]]", ["line 9:", "empty"]),
    ("accounts that are no list", "[[channel]]", '[people]\nana = "U0ANA"\n\n[[channel]]', ["line 9:", "list"]),
    ("the same account twice", "[[channel]]", '[people]\na = ["U0A", "U0A"]\n\n[[channel]]', ["line 9:", "twice"]),
    ("a person that looks like an id", "[[channel]]", '[people]\nSRE = ["U0A"]\n\n[[channel]]', ["line 9:", "id"]),
    ("people as an array", "[[channel]]", '[[people]]\nana = ["U0ANA"]\n\n[[channel]]', ["line 8:", "table"]),
    ("text that is cut", 'because = "Year-end freeze"', 'because = "Year-end', ["line 55:", "TOML"]),
]


@pytest.mark.parametrize(("words", "old", "new", "parts"), MISTAKES, ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_refused_with_its_line(words: str, old: str, new: str, parts: list[str]) -> None:
    """The sentence begins with the line and says what to write."""
    assert old in TEXT
    with pytest.raises(PolicyProblem) as caught:
        parse_policy(TEXT.replace(old, new, 1))
    message = "\n".join(caught.value.lines)
    for part in parts:
        assert part in message, f"{words}: {message}"


def test_every_mistake_is_told_at_once_and_in_order() -> None:
    """Three mistakes, three lines; a flood is cut."""
    text = TEXT.replace('"S0LEADS"', '"lee"').replace('id = "C0CRAWL"', 'id = "#c"').replace("count = 1", "count = 0")
    with pytest.raises(PolicyProblem) as caught:
        parse_policy(text)
    assert [line.split(":")[0] for line in caught.value.lines] == ["line 5", "line 9", "line 22"]
    flood = "version = 1\n" + "".join(f"key{number} = 1\n" for number in range(200))
    with pytest.raises(PolicyProblem) as caught:
        parse_policy(flood)
    assert caught.value.lines[-1] == "and 175 more"


def test_the_accounts_of_a_person_decide_and_so_they_are_in_the_version() -> None:
    """A file without any keeps the version that it had before there was such a table."""
    plain = parse_policy(TEXT)
    ana = parse_policy(TEXT + '[people]\nana = ["U0ANA", "U0ANA2"]\n')
    two = parse_policy(TEXT + '[people]\nana = ["U0ANA", "U0ANA2"]\nbob = ["U0BOB"]\n')
    assert len({plain.version, ana.version, two.version}) == 3
    assert parse_policy(TEXT + "[people]\n").version == plain.version == "981bac87c2b6"
    assert (dict(plain.accounts), dict(ana.accounts)) == ({}, {"U0ANA": "U0ANA", "U0ANA2": "U0ANA"})


def test_a_person_is_no_group() -> None:
    """A name from [people] says who is one person, not who may do something."""
    text = TEXT.replace('who = ["crawl"]', 'who = ["ana"]') + '[people]\nana = ["U0ANA"]\n'
    with pytest.raises(PolicyProblem, match="`ana` is neither a name in"):
        parse_policy(text)


def test_a_problem_is_one_of_the_house() -> None:
    """Its code goes to the audit log."""
    with pytest.raises(Problem) as caught:
        parse_policy("")
    assert caught.value.code == "policy_refused"


def test_a_file_with_nothing_but_its_version_denies_everything() -> None:
    """An empty policy is a policy; an empty file is none."""
    assert word(ask(policy=parse_policy("version = 1\n"))) == "not_listed"


def test_the_version_follows_what_decides_and_nothing_else() -> None:
    """Layout, comments, notes and cases leave it alone; a rule changes it."""
    first = parse_policy(TEXT).version
    assert len(first) == 12
    case = '\n[[case]]\nas = "crawl"\nin = "C0CRAWL"\nsay = "start acc:shop/prices"\nexpect = "needs approval"\n'
    same = TEXT.replace('note = "#crawl-ops"', 'note = "other"  # a note\n\n') + case
    assert parse_policy(same).version == first
    for old, new in [
        ('"leads"]', '"admins"]'),
        ('"30m"', '"31m"'),
        ('"logs"]', "]"),
        ('because = "Year', 'because = "Near'),
    ]:
        assert parse_policy(TEXT.replace(old, new, 1)).version != first


def test_rules_know_their_names_and_lines() -> None:
    """What `why` and the audit log show can be found in the file."""
    policy = parse_policy(TEXT)
    rules = policy.channels["C0CRAWL"]
    assert [(rule.label, rule.line) for rule in (*rules.denies, *rules.allows, *policy.freezes)] == [
        ("C0CRAWL deny 1", 29),
        ("C0CRAWL allow 1", 12),
        ("C0CRAWL allow 2", 17),
        ("C0CRAWL allow 3", 24),
        ("freeze 1", 50),
    ]


def test_the_user_groups_to_be_read_are_those_that_are_named() -> None:
    """All of the file, for the directory."""
    assert parse_policy(TEXT).user_groups == {"S0CRAWL", "S0LEADS"}


def test_inline_tables_are_the_same_policy() -> None:
    """TOML has two ways to write a table; both mean the same and a mistake still has a line."""
    text = 'version = 1\nchannel = [{ id = "C0CRAWL", allow = [{ verbs = ["*"], targets = ["*"], who = ["*"] }] }]\n'
    assert word(ask(policy=parse_policy(text))) == "allowed"
    with pytest.raises(PolicyProblem, match=r"line 2: `when` isn't a key of \[\[channel\.allow\]\]"):
        parse_policy(text.replace("who =", "when = 1, who ="))


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5000,
        "x = " + "9" * 5000,
        "a" + ".a" * 5000 + " = 1",
        "version = 1\x00",
        "\ud800",
        "x = 9999-99-99",
        "\ufeff",
    ],
    ids=["deep", "long number", "long key", "nul", "surrogate", "no date", "mark"],
)
def test_hostile_text_is_refused_in_the_same_way(text: str) -> None:
    """Nothing but PolicyProblem comes out."""
    with pytest.raises(PolicyProblem):
        parse_policy(text)


def complaints(text: str) -> tuple[str, ...]:
    """What the parser has against this text."""
    try:
        parse_policy(text)
    except PolicyProblem as problem:
        return problem.lines
    return ()


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_problem(text: str) -> None:
    """Never another exception."""
    for whole in (text, "version = 1\n" + text, TEXT + text):
        assert all(line.startswith(("line ", "and ")) for line in complaints(whole))


@given(st.integers(0, len(TEXT)), st.text(alphabet="[]{}\"'#=\n,. aU0*:-+", max_size=6), st.integers(0, 12))
def test_any_edit_of_a_policy_is_a_policy_or_a_problem(at: int, inserted: str, dropped: int) -> None:
    """Deeper than random text reaches: the real file with a few signs exchanged."""
    assert all(line.startswith(("line ", "and ")) for line in complaints(TEXT[:at] + inserted + TEXT[at + dropped :]))


class TestWhatIsAFile:
    """A complete, valid text counts, whatever it was before."""

    def test_a_text_without_a_final_line_break_is_the_same_policy(self) -> None:
        """Some editors save without one."""
        assert parse_policy(TEXT.rstrip("\n")).version == parse_policy(TEXT).version

    def test_end_is_optional_and_then_the_last_line(self) -> None:
        """Blank lines may follow; a rule may not."""
        version = parse_policy(TEXT).version
        for ending in ("# end", "# end\n", "  # end\n\n \n"):
            assert parse_policy(TEXT + ending).version == version
        (message,) = complaints(TEXT + "# end\n# more\n")
        assert message == f"line {TEXT.count(chr(10)) + 1}: `# end` must be the last line; move it down or delete it"


class TestCases:
    """`[[case]]` for `policy test`: somebody, somewhere, says something, and is expected to get an answer."""

    @pytest.mark.parametrize(
        ("who", "expected"),
        [
            ("crawl", "needs approval"),
            ("U0ANA", "needs approval"),
            ("S0CRAWL", "needs approval"),
            ("U0BOB", "denied"),
            ("leads", "denied"),
        ],
    )
    def test_who_a_case_speaks_of(self, who: str, expected: str) -> None:
        """A user, somebody in a user group, or the first of a name from [groups]."""
        table = f'[[case]]\nas = "{who}"\nin = "C0CRAWL"\nsay = "start acc:shop/prices"\nexpect = "{expected}"\n'
        policy = parse_policy(TEXT + table)
        case = policy.file.case[0]
        decision = ask(case_subject(policy, case, "T0ACME"), policy=policy)
        assert decision_word(decision) == case.expect

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('"crawl"', '"crwl"'),
            ('"crawl"', '"*"'),
            ('"denied"', '"refused"'),
            ('"C0CRAWL"', '"#crawl"'),
            ("say", "said"),
        ],
    )
    def test_a_mistake_in_a_case_is_refused(self, old: str, new: str) -> None:
        """Like every other."""
        table = '[[case]]\nas = "crawl"\nin = "C0CRAWL"\nsay = "start acc:x"\nexpect = "denied"\n'
        with pytest.raises(PolicyProblem, match="line 6"):
            parse_policy(TEXT + table.replace(old, new))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, (date, datetime, time)) else value


def test_the_schema_takes_the_file_and_refuses_what_the_parser_refuses() -> None:
    """Editors that know JSON Schema mark an unknown key and a missing one."""
    checker = jsonschema.Draft202012Validator(policy_json_schema())
    checker.validate(_plain(tomllib.loads(TEXT)))
    for old, new in [
        ("who =", "whom ="),
        ('id = "C0CRAWL"', 'id = "#crawl"'),
        ("version = 1", "version = 2"),
        ('"U0ANA"', '"ana"'),
    ]:
        assert not checker.is_valid(_plain(tomllib.loads(TEXT.replace(old, new, 1))))


def test_lines_are_found_round_strings_that_look_like_tables() -> None:
    """Brackets, hashes and quotes inside strings and comments mislead nobody."""
    text = (
        '# [[channel]]\na = "[x] # \\" = "\n[b]\nc = """\n[d]\n"""\ne = [ # "no"\n  "1",\n  \'2\',\n]\n'
        "[[f]]\n[f.g]\nh = 1\n[[f]]\n[f.g]\nh = 1\n"
    )
    tomllib.loads(text)
    lines = Lines(text)
    found = {
        loc: lines.of(loc)
        for loc in [("a",), ("b", "c"), ("b", "e", 1), ("f", 0, "g", "h"), ("f", 1, "g", "h"), ("z",)]
    }
    assert list(found.values()) == [2, 4, 9, 13, 16, 1]
