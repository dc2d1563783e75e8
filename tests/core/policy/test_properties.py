"""Promises that hold for any policy and any question, tried on thousands of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.command.capability import Risk
from bot.core.policy.decide import (
    Allowed,
    Denied,
    GrantView,
    Member,
    NeedsApproval,
    Policy,
    Subject,
    Where,
    decide,
    parse_policy,
    why,
)
from bot.core.policy.match import Question, folded, glob, wide_glob
from tests.core.policy.samples import HOME, NOW, asked, on, unseen, word

WIDTH = {"allowed": 2, "needs approval": 1}
VERBS = ("start", "stop", "status", "logs", "schedule on")
PATTERNS = ("*", "start", "stop", "logs", "schedule *", "risk:read", "risk:change", "risk:danger", "risk:change|danger")
TARGETS = ("*", "acc:*", "acc:shop/*", "ACC:Shop/*", "infa:*", "*:shop/*", "acc:*/x")
SCOPES = ("acc:shop/x", "acc:Shop/x", "acc:", "acc:other", "infa:shop/x", "infa:y")
WHO = ("*", "crawl", "leads", "U0ANA", "U0BOB", "S0CRAWL", "S0LEADS")
GROUPS = '[groups]\ncrawl = ["U0ANA", "S0CRAWL"]\nleads = ["S0LEADS"]\n[breakglass]\nwho = ["U0ANA", "S0LEADS"]\n'


def lines(key: str, choices: Sequence[str]) -> st.SearchStrategy[str]:
    """`key = [...]` with one, two or three of the choices, from lists made beforehand: drawing them took most of the time."""
    written = (
        [f"{key} = [{', '.join(map(quoted, some))}]\n" for some in permutations(choices, count)] for count in (1, 2, 3)
    )
    return st.one_of(*map(st.sampled_from, written))


def quoted(text: str) -> str:
    """The text as a string of TOML."""
    return f'"{text}"'


NONE = st.just("")
VERB_LINES, TARGET_LINES, WHO_LINES = lines("verbs", PATTERNS), lines("targets", TARGETS), lines("who", WHO)
ALLOWS = st.builds(
    "".join,
    st.tuples(
        st.just("[[channel.allow]]\n"),
        VERB_LINES,
        TARGET_LINES,
        WHO_LINES,
        st.sampled_from(["", "params = { production = [true] }\n"]),
        st.sampled_from(["", 'approvals = { count = 1, from = ["leads"] }\n']),
    ),
)
DENIES = st.builds("".join, st.tuples(st.just("[[channel.deny]]\n"), VERB_LINES, NONE | TARGET_LINES, NONE | WHO_LINES))
FREEZES_ROUND_NOW = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(
            [
                f"[[freeze]]\nfrom = 2026-11-22T{hour:02}:00:00Z\nuntil = 2026-11-22T{hour + 1:02}:00:00Z\n"
                for hour in range(9, 14)
            ]
        ),
        VERB_LINES,
        NONE | lines("except", WHO[1:]),
    ),
)


RULES = st.lists(ALLOWS | DENIES, max_size=5)
FREEZES = st.lists(FREEZES_ROUND_NOW, max_size=2)
MEMBERS = st.sampled_from([Member.YES, Member.NO, Member.UNREADABLE])
SUBJECTS = st.builds(
    Subject,
    user_id=st.sampled_from(["U0ANA", "U0BOB", "U0CARL"]),
    team_id=st.sampled_from([HOME, HOME, HOME, "T0EVIL"]),
    known=st.sampled_from([True, True, True, False]),
    is_restricted=st.sampled_from([False, False, True]),
    deleted=st.sampled_from([False, False, False, True]),
    groups=st.fixed_dictionaries({"S0CRAWL": MEMBERS, "S0LEADS": MEMBERS}),
)
GRANTS = st.lists(
    st.builds(
        GrantView,
        id=st.sampled_from(["g1", "g2"]),
        user_id=st.sampled_from(["U0ANA", "U0BOB"]),
        verbs=st.sampled_from([("*",), ("start",)]),
        targets=st.sampled_from([("*",), ("acc:shop/*",)]),
        until=st.sampled_from([NOW, NOW + timedelta(hours=1)]),
        channel_id=st.sampled_from([None, "C0CRAWL", "C0OTHER"]),
        breakglass=st.booleans(),
    ),
    max_size=2,
    unique_by=lambda view: view.id,
)
QUESTIONS = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(VERBS),
        "risk": st.sampled_from(list(Risk)),
        "own_verb": st.booleans(),
        "target": st.sampled_from(SCOPES).map(on) | st.just(unseen()),
        "params": st.sampled_from([{}, {"production": True}, {"production": False}]),
        "subject": SUBJECTS,
        "grants": GRANTS,
    }
)


def policy_of(rules: list[str], frozen: list[str]) -> Policy:
    """The policy with these rules in C0CRAWL."""
    text = "version = 1\n" + GROUPS + '[[channel]]\nid = "C0CRAWL"\n' + "".join(rules) + "".join(frozen)
    return parse_policy(text)


def width(policy: Policy, question: dict[str, Any]) -> int:
    """2 allowed, 1 with an approval, 0 denied."""
    return WIDTH.get(word(decide(policy, Question(**asked(**question)))), 0)


@settings(max_examples=400)
@given(RULES, FREEZES, QUESTIONS, DENIES)
def test_one_more_deny_never_opens_anything(
    rules: list[str], frozen: list[str], question: dict[str, Any], one_more: str
) -> None:
    """Wherever it stands in the channel."""
    before = width(policy_of(rules, frozen), question)
    for at in (0, len(rules)):
        assert width(policy_of([*rules[:at], one_more, *rules[at:]], frozen), question) <= before


@settings(max_examples=300)
@given(RULES, FREEZES, QUESTIONS, FREEZES_ROUND_NOW)
def test_one_more_freeze_never_opens_anything(
    rules: list[str], frozen: list[str], question: dict[str, Any], one_more: str
) -> None:
    """Not even beside another."""
    assert width(policy_of(rules, [*frozen, one_more]), question) <= width(policy_of(rules, frozen), question)


@settings(max_examples=400)
@given(RULES, FREEZES, QUESTIONS, st.sampled_from(["S0CRAWL", "S0LEADS"]), st.sampled_from([None, Member.UNREADABLE]))
def test_a_user_group_that_cannot_be_read_never_opens_anything(
    rules: list[str], frozen: list[str], question: dict[str, Any], group: str, answer: Member | None
) -> None:
    """Not knowing is at most as wide as the narrower of both answers."""
    policy = policy_of(rules, frozen)
    subject: Subject = question["subject"]
    known = [{**subject.groups, group: member} for member in (Member.YES, Member.NO)]
    narrower = min(width(policy, {**question, "subject": replace(subject, groups=groups)}) for groups in known)
    left = {name: member for name, member in subject.groups.items() if name != group}
    unread = left if answer is None else {**left, group: answer}
    assert width(policy, {**question, "subject": replace(subject, groups=unread)}) <= narrower


@settings(max_examples=300)
@given(RULES, FREEZES, QUESTIONS)
def test_the_barred_are_denied_whatever_the_rules(
    rules: list[str], frozen: list[str], question: dict[str, Any]
) -> None:
    """Deactivated, unknown, from another workspace's request, in a frozen channel."""
    policy = policy_of(rules, frozen)
    subject: Subject = question["subject"]
    env = Where(team_id=HOME, channel_id="C0CRAWL", known=True)
    for change in (
        {"subject": replace(subject, deleted=True)},
        {"subject": replace(subject, known=False)},
        {"where": replace(env, team_id="T0EVIL")},
        {"where": replace(env, frozen=True)},
        {"where": replace(env, known=False)},
    ):
        assert width(policy, {**question, **change}) == 0


@settings(max_examples=300)
@given(RULES, FREEZES, QUESTIONS)
def test_without_an_allow_or_a_grant_nothing_is_allowed(
    rules: list[str], frozen: list[str], question: dict[str, Any]
) -> None:
    """Deny by default."""
    only = [rule for rule in rules if "channel.deny" in rule]
    assert width(policy_of(only, frozen), {**question, "grants": ()}) == 0


@settings(max_examples=300)
@given(RULES, FREEZES, QUESTIONS)
def test_why_ends_in_what_was_decided(rules: list[str], frozen: list[str], question: dict[str, Any]) -> None:
    """And the rule that decided matched, unless nobody could read its user group: then it decides unjudged."""
    policy = policy_of(rules, frozen)
    decision = decide(policy, Question(**asked(**question)))
    *steps, last = why(policy, Question(**asked(**question)))
    assert (last.label, last.says) == (decision.rule, decision.reason)
    deciding = [step for step in steps if step.decides and step.kind not in {"place", "person"}]
    unjudged = isinstance(decision, Denied) and decision.code == "group_unreadable"
    assert all(step.matched is not unjudged for step in deciding)
    if isinstance(decision, (Allowed, NeedsApproval)):
        assert deciding


@settings(max_examples=300)
@given(st.text(max_size=12), st.text(max_size=12))
def test_what_allows_is_narrower_than_what_denies(pattern: str, text: str) -> None:
    """Whatever an allow pattern covers, the same deny pattern covers in any spelling."""
    if glob(pattern, text):
        for spelled in (text, text.upper(), text.lower(), text.casefold()):
            assert wide_glob(pattern, spelled) or spelled.casefold() != text.casefold()


@given(st.lists(st.sampled_from(["a", "ab", "b", "*"]), max_size=6).map("".join), st.text(alphabet="ab", max_size=8))
def test_glob_means_what_a_slow_matcher_means(pattern: str, text: str) -> None:
    """The quick matcher agrees with the definition."""

    def slow(left: str, right: str) -> bool:
        if not left:
            return not right
        if left[0] == "*":
            return slow(left[1:], right) or bool(right and slow(left, right[1:]))
        return bool(right) and left[0] == right[0] and slow(left[1:], right[1:])

    assert glob(pattern, text) == slow(pattern, text)


@given(st.text(max_size=20))
def test_folding_is_stable(text: str) -> None:
    """ASCII and not, a pattern of plain letters matches its own upper case in a deny."""
    assert wide_glob(text, text)
    assert folded("shop") == folded("SHOP") == folded("\uff33hop")


HOSTILE = st.one_of(
    st.none(), st.text(max_size=30), st.integers(), st.binary(max_size=4), st.lists(st.text(max_size=3), max_size=2)
)


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "verb": HOSTILE,
            "risk": HOSTILE,
            "own_verb": HOSTILE,
            "target": HOSTILE,
            "params": HOSTILE | st.dictionaries(st.text(max_size=5), HOSTILE, max_size=3),
            "subject": HOSTILE | st.builds(Subject, HOSTILE, HOSTILE, known=HOSTILE, groups=HOSTILE, user_age=HOSTILE),  # type: ignore[arg-type]
            "where": HOSTILE | st.builds(Where, HOSTILE, HOSTILE, known=HOSTILE),  # type: ignore[arg-type]
            "now": HOSTILE,
            "grants": HOSTILE,
            "home_team_id": HOSTILE,
            "declared": HOSTILE,
        },
    )
)
def test_no_question_makes_a_decision_raise(question: dict[str, Any]) -> None:
    """What is not a question is denied or decided, and explained."""
    policy = policy_of(["[[channel.allow]]\nverbs = ['*']\ntargets = ['*']\nwho = ['*']\nparams = { a = [1] }\n"], [])
    decision = decide(policy, Question(**asked(**question)))
    assert isinstance(decision, (Allowed, NeedsApproval, Denied))
    assert why(policy, Question(**asked(**question)))[-1].says == decision.reason
