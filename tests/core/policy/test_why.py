"""`why` shows every rule of the channel in order with the first condition that failed; help shows what remains."""

from __future__ import annotations

from typing import Any

import pytest

from bot import plugins
from bot.core.command.capability import Risk
from bot.core.command.catalog import Catalog
from bot.core.policy.decide import Member, Policy, RuleTrace, decide, parse_policy, why
from bot.core.policy.match import Question, Situation
from bot.core.policy.visibility import may, unknown_names
from tests.core.policy.samples import (
    ANA,
    BOB,
    CARL,
    HOME,
    NOW,
    POLICY,
    ROOT,
    TEXT,
    allow,
    asked,
    deny,
    grant,
    on,
    one_channel,
    person,
    place,
    unseen,
)
from tests.rows import row

IN_FREEZE = NOW.replace(month=12, day=24)


def traces(policy: Policy = POLICY, **question: Any) -> tuple[RuleTrace, ...]:
    """The explanation of a question."""
    return why(policy, Question(**asked(**question)))


def says(label: str, policy: Policy = POLICY, **question: Any) -> str:
    """What the explanation says of one rule."""
    return next(trace.says for trace in traces(policy, **question) if trace.label == label)


def test_every_rule_is_shown_in_the_order_of_evaluation() -> None:
    """Denies, freezes, allows, grants, and the decision last, each with its line."""
    shown = traces(subject=BOB, grants=(grant(),))
    assert [(trace.label, trace.kind, trace.line) for trace in shown] == [
        ("C0CRAWL deny 1", "deny", 29),
        ("freeze 1", "freeze", 50),
        ("C0CRAWL allow 1", "allow", 12),
        ("C0CRAWL allow 2", "allow", 17),
        ("C0CRAWL allow 3", "allow", 24),
        ("grant g1", "grant", None),
        ("grant g1", "decision", None),
    ]


@pytest.mark.parametrize(
    ("label", "question", "sentence"),
    [
        ("C0CRAWL deny 1", {}, "verb `start` is not in [`stop`]"),
        ("C0CRAWL deny 1", {"verb": "stop"}, "target `acc:shop/prices` is not in [`infa:*`]"),
        ("C0CRAWL allow 2", {"subject": BOB}, "you are not in group `crawl`"),
        ("C0CRAWL allow 2", {"target": on("acc:x")}, "target `acc:x` is not in [`acc:shop/*`]"),
        (
            "C0CRAWL allow 2",
            {"target": unseen()},
            "the path of `acc:run/4711` is unknown, so only `acc:*` covers it",
        ),
        ("C0CRAWL allow 2", {"params": {"production": False}}, "`production` is `false`; this rule allows `true`"),
        ("C0CRAWL allow 2", {"params": {}}, "`production` isn't given; this rule allows `true`"),
        (
            "C0CRAWL allow 2",
            {"subject": person("U0ANA", is_restricted=True)},
            "you are a guest, and `who` doesn't name your id U0ANA",
        ),
        (
            "C0CRAWL allow 2",
            {"subject": person("U0BOB", groups={"S0CRAWL": Member.UNREADABLE})},
            "user group S0CRAWL can't be read, so it doesn't count, and nothing else names you",
        ),
        ("freeze 1", {}, "it begins at 2026-12-20 17:00 UTC"),
        ("freeze 1", {"now": IN_FREEZE}, "freeze Year-end freeze until 2027-01-03 07:00 UTC"),
        ("freeze 1", {"now": IN_FREEZE.replace(year=2027)}, "it ended 2027-01-03 07:00 UTC"),
        ("freeze 1", {"now": IN_FREEZE, "subject": ROOT}, "you are exempt through `admins`"),
        ("grant g1", {"grants": (grant(),)}, "it is for another person or channel"),
        ("grant g1", {"subject": BOB, "grants": (grant(until=NOW),)}, "it ended 2026-11-22 12:00 UTC"),
    ],
)
def test_the_first_condition_that_failed_is_said_in_plain_words(
    label: str, question: dict[str, Any], sentence: str
) -> None:
    """Verb, then target, then person, then parameters."""
    assert says(label, **question) == sentence


def test_own_verbs_are_explained() -> None:
    """Who meets `risk:read` and is refused a log learns why."""
    policy = one_channel(allow(verbs='["risk:read"]'))
    reason = says("C0CRAWL allow 1", policy, verb="logs", risk=Risk.READ, own_verb=True)
    assert reason == "verb `logs` is not in [`risk:read`] (a rule must name it; `risk:read` doesn't cover it)"


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"subject": BOB},
        {"subject": ROOT, "verb": "stop", "target": on("infa:x")},
        {"now": IN_FREEZE},
        {"subject": BOB, "grants": (grant(),)},
        {"where": place("C0NEW")},
        {"subject": person("U0ANA", known=False)},
        {"where": place(team_id="T0EVIL"), "subject": person("U0ANA", known=False)},
        {"params": None},
    ],
    ids=str,
)
def test_the_last_line_is_the_decision_and_the_rule_that_made_it_is_marked(question: dict[str, Any]) -> None:
    """`why` and `decide` cannot differ: one asks the other."""
    decision = decide(POLICY, Question(**asked(**question)))
    *steps, last = traces(**question)
    assert (last.kind, last.label, last.says) == ("decision", decision.rule, decision.reason)
    assert sum(step.decides for step in steps) <= 1
    for step in steps:
        if step.decides:
            assert step.label == decision.rule


def test_the_place_and_the_person_are_explained_too() -> None:
    """A refusal before any rule is a line of its own."""
    assert traces(where=place("C0NEW"))[0].kind == "place"
    assert traces(subject=person("U0ANA", deleted=True))[0].kind == "person"


def test_a_question_that_cannot_be_read_is_explained_without_an_exception() -> None:
    """The explanation of an error is an explanation."""
    *steps, last = traces(target=None)
    assert steps
    assert not last.matched


ROWS = (
    ("acc", row("status", "agent", Risk.READ)),
    ("acc", row("logs", "agent", Risk.READ, own_verb=True)),
    ("acc", row("data", "agent", Risk.READ, own_verb=True)),
    ("acc", row("start", "agent")),
    ("acc", row("stop", "agent", Risk.DANGER)),
    ("infa", row("status", "agent", Risk.READ)),
    ("infa", row("stop", "agent", Risk.DANGER)),
)


def shown(subject: Any, policy: Policy = POLICY, where: Any = None, grants: Any = ()) -> list[str]:
    """The rows that help shows, as `backend verb`."""
    found = may(Situation(policy, subject, where or place(), grants, HOME), ROWS)
    return [f"{backend} {capability.verb}" for backend, capability in found]


def test_help_shows_what_this_person_may_do_here_and_nothing_else() -> None:
    """By the same rules as the decision; an approval does not hide a row, a deny of all its targets does."""
    assert shown(BOB) == ["acc status", "acc logs"]
    assert shown(ANA) == shown(CARL) == ["acc status", "acc logs", "acc start"]
    assert shown(ROOT) == ["acc status", "acc logs", "acc stop"]
    assert shown(person("U0BOB", is_restricted=True)) == []
    assert shown(person("U0GUEST", is_restricted=True)) == ["acc stop"]
    assert shown(BOB, where=place("C0NEW")) == []
    assert shown(BOB, where=place("C0OTHER")) == ["acc start"]


def test_a_grant_opens_rows_for_its_person_where_it_counts() -> None:
    """And a deny closes them again."""
    view = grant(verbs=("start", "stop"), targets=("*",))
    assert shown(BOB, grants=(view,)) == ["acc status", "acc logs", "acc start", "acc stop"]
    assert shown(BOB, where=place("C0NEW"), grants=(view,)) == []
    assert shown(BOB, where=place("C0NEW"), grants=(grant(channel_id="C0NEW"),)) == ["acc start"]
    assert shown(CARL, where=place("C0NEW"), grants=(grant(channel_id="C0NEW"),)) == []


@pytest.mark.parametrize(
    ("targets", "hidden"), [('["*"]', True), ('["ACC:*"]', True), ('["acc:shop/*"]', False), ('["infa:*"]', False)]
)
def test_a_deny_hides_a_row_only_when_nothing_of_it_is_left(targets: str, hidden: bool) -> None:
    """Somebody who may start elsewhere on the backend still sees `start`."""
    policy = one_channel(allow() + deny(verbs='["start"]', more=f"targets = {targets}"))
    assert ("acc start" not in shown(BOB, policy)) is hidden


def test_mistyped_verbs_and_backends_are_found() -> None:
    """A deny of a verb that nobody has forbids nothing, so somebody should hear of it."""
    policy = parse_policy(TEXT.replace('verbs = ["stop"]', 'verbs = ["stopp", "schedule *"]').replace("infa:", "inva:"))
    catalog = Catalog({"acc": plugins.load("sequentum").spec, "infa": plugins.load("informatica").spec})
    assert unknown_names(policy, catalog) == (
        "line 29: no configured backend has the verb `stopp`",
        "line 29: no configured backend matches `inva:*`",
    )
    assert unknown_names(POLICY, catalog) == ()


@pytest.mark.parametrize(
    ("given", "allowed", "sentence"),
    [
        ("3", '["1", "2"]', "`page` is `3`; this rule allows `1` or `2`"),
        ("d", '["a", "b", "c"]', "`page` is `d`; this rule allows `a`, `b` or `c`"),
        ("1", "[1, 2]", '`page` is `"1"`; this rule allows `1` or `2`'),
    ],
)
def test_a_limit_is_told_as_people_write_it(given: str, allowed: str, sentence: str) -> None:
    """Quotes only where a text is not the number that it looks like."""
    policy = one_channel(allow(more=f"params = {{ page = {allowed} }}"))
    assert says("C0CRAWL allow 1", policy, params={"page": given}) == sentence
