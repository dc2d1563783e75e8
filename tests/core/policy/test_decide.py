"""Who may do what to which target, where and when: the table of cases in plain words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bot.core.policy.decide import Denied, Member, NeedsApproval
from tests.core.policy.samples import (
    BOB,
    CARL,
    DANGER,
    FREEZE_BEGINS,
    FREEZE_ENDS,
    MS,
    READ,
    ROOT,
    allow,
    ask,
    deny,
    grant,
    on,
    one_channel,
    person,
    place,
    unseen,
    word,
)

CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("Ana, in crawl by her id, starts in production", "needs approval", {}),
    ("Carl, in crawl by a user group", "needs approval", {"subject": CARL}),
    ("Bob, in no group", "no_rule", {"subject": BOB}),
    ("production=false is outside the limit", "no_rule", {"params": {"production": False}}),
    ("1 is not true", "no_rule", {"params": {"production": 1}}),
    ("'true' as a text is not true", "no_rule", {"params": {"production": "true"}}),
    ("production left unsaid, with no default", "no_rule", {"params": {}}),
    (
        "a row without production is not bound by its limit",
        "needs approval",
        {"verb": "retry", "params": {}, "declared": ()},
    ),
    ("another folder", "no_rule", {"target": on("acc:shopping/prices")}),
    ("an allow matches letter by letter", "no_rule", {"target": on("acc:Shop/prices")}),
    ("a deeper folder", "needs approval", {"target": on("acc:shop/a/b/c")}),
    ("Bob reads", "allowed", {"subject": BOB, "verb": "status", **READ}),
    ("Bob reads on another backend", "no_rule", {"subject": BOB, "verb": "status", "target": on("infa:x"), **READ}),
    ("logs are named by a rule", "allowed", {"subject": BOB, "verb": "logs", "own_verb": True, **READ}),
    ("data is not in risk:read", "no_rule", {"subject": BOB, "verb": "data", "own_verb": True, **READ}),
    (
        "reading what has no known path, with acc:*",
        "allowed",
        {"subject": BOB, "verb": "status", "target": unseen(), **READ},
    ),
    ("starting what has no known path, with acc:shop/*", "no_rule", {"target": unseen()}),
    ("root may stop on acc", "allowed", {"subject": ROOT, "verb": "stop", **DANGER}),
    (
        "the deny comes first, for root too",
        "deny_rule",
        {"subject": ROOT, "verb": "stop", "target": on("infa:x"), **DANGER},
    ),
    ("a deny ignores case", "deny_rule", {"subject": ROOT, "verb": "STOP", "target": on("infa:X"), **DANGER}),
    (
        "a deny covers an unknown path",
        "deny_rule",
        {"subject": ROOT, "verb": "stop", "target": unseen("infa"), **DANGER},
    ),
    ("a channel without rules", "not_listed", {"where": place("C0NEW")}),
    ("a name that looks like a listed channel", "not_listed", {"where": place("c0crawl")}),
    ("a DM that nobody listed", "dm_not_listed", {"where": place("D0BOB", is_dm=True)}),
    ("a listed DM", "allowed", {"where": place("D0ANA", is_dm=True), "verb": "status", **READ}),
    ("a DM under the id of a channel", "place_unknown", {"where": place("C0CRAWL", is_dm=True)}),
    ("another workspace", "other_workspace", {"where": place(team_id="T0EVIL")}),
    ("no home workspace is configured", "other_workspace", {"home_team_id": "", "where": place(team_id="")}),
    ("a channel that Slack did not describe", "place_unknown", {"where": place(known=False)}),
    ("a channel that became shared", "place_frozen", {"where": place(frozen=True)}),
    ("a shared channel with rules, and a member", "needs approval", {"where": place(is_ext_shared=True)}),
]


@pytest.mark.parametrize(("words", "expected", "question"), CASES, ids=[case[0] for case in CASES])
def test_case(words: str, expected: str, question: dict[str, Any]) -> None:
    """Every line of the table is decided as it says."""
    assert word(ask(**question)) == expected, words


STRANGERS: list[tuple[str, dict[str, Any]]] = [
    ("a guest", {"is_restricted": True}),
    ("a single-channel guest", {"is_ultra_restricted": True}),
    ("a bot", {"is_bot": True}),
    ("a workflow bot", {"is_workflow_bot": True}),
    ("a stranger", {"is_stranger": True}),
    ("somebody of another workspace", {"team_id": "T0EVIL"}),
]


@pytest.mark.parametrize(("words", "flags"), STRANGERS, ids=[case[0] for case in STRANGERS])
def test_only_their_own_id_in_who_lets_others_than_full_members_in(words: str, flags: dict[str, Any]) -> None:
    """`*`, a name from [groups] and a user group do not cover them; their own id in `who` does."""
    member = {"S0CRAWL": Member.YES, "S0LEADS": Member.YES}
    assert word(ask(person("U0ANA", groups=member, **flags))) == "no_rule", words
    assert word(ask(person("U0BOB", groups=member, **flags), "status", **READ)) == "no_rule", words
    assert word(ask(person("U0GUEST", **flags), "stop", **DANGER)) == "allowed", words


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ({"deleted": True}, "deactivated"),
        ({"known": False}, "person_unknown"),
        ({"known": False, "deleted": True}, "person_unknown"),
        ({"user_age": 60.1}, "person_unknown"),
        ({"user_age": -1.0}, "person_unknown"),
        ({"user_age": float("nan")}, "person_unknown"),
    ],
)
def test_nothing_lets_in_who_is_gone_unknown_or_only_remembered(flags: dict[str, Any], code: str) -> None:
    """Not even a rule or a break-glass grant that names the id."""
    broken = grant("U0GUEST", verbs=("*",), targets=("*",), breakglass=True)
    assert word(ask(person("U0GUEST", **flags), "stop", grants=(broken,), **DANGER)) == code


def test_slackbot_is_a_bot_whatever_its_flag_says() -> None:
    """Slack gives USLACKBOT `is_bot` false."""
    assert word(ask(person("USLACKBOT"), "status", **READ)) == "no_rule"


def test_having_authorized_the_app_makes_nobody_a_machine() -> None:
    """`is_app_user` is true for the person who installed the app."""
    assert word(ask(person("U0BOB", is_app_user=True), "status", **READ)) == "allowed"


@pytest.mark.parametrize(
    "groups", [{}, {"S0CRAWL": Member.UNREADABLE}, {"S0CRAWL": None}, {"S0CRAWL": True}, {"S0CRAWL": 1}]
)
def test_an_unreadable_user_group_lets_nobody_in_and_says_so(groups: dict[str, Any]) -> None:
    """Absent, unreadable and unexpected answers of Slack are all no membership."""
    decision = ask(person("U0BOB", groups=groups))
    assert isinstance(decision, Denied)
    assert "S0CRAWL can't be read" in decision.reason


def test_an_unreadable_group_does_not_spare_anybody_an_approval() -> None:
    """Where an earlier rule may want this person approved, a later and wider rule does not decide instead."""
    strict = allow(who='["crawl"]', more='approvals = { count = 1, from = ["crawl"] }')
    policy = one_channel(strict + allow() + '[breakglass]\nwho = ["U0BOB"]')
    assert word(ask(person("U0BOB", groups={"S0CRAWL": Member.YES}), policy=policy)) == "needs approval"
    assert word(ask(person("U0BOB", groups={"S0CRAWL": Member.NO}), policy=policy)) == "allowed"
    assert word(ask(person("U0BOB", groups={}), policy=policy)) == "group_unreadable"
    assert word(ask(person("U0BOB", groups={}), policy=one_channel(strict), grants=(grant(),))) == "group_unreadable"
    assert word(ask(person("U0BOB", groups={}), policy=policy, grants=(grant(breakglass=True),))) == "allowed"
    assert word(ask(person("U0BOB", groups={}), policy=one_channel(allow() + strict))) == "allowed"


def test_a_membership_that_is_too_old_is_no_membership() -> None:
    """Nothing older than 60 s decides."""
    assert word(ask(person("U0BOB", groups={"S0CRAWL": Member.YES}, group_ages={"S0CRAWL": 60.0}))) == "needs approval"
    assert word(ask(person("U0BOB", groups={"S0CRAWL": Member.YES}, group_ages={"S0CRAWL": 60.5}))) == "no_rule"


def test_a_deny_for_a_user_group_holds_for_members_and_for_whom_nobody_can_tell() -> None:
    """In a deny an unreadable group is a yes."""
    policy = one_channel(allow() + deny(more='who = ["crawl"]'))
    assert word(ask(person("U0BOB", groups={"S0CRAWL": Member.NO}), policy=policy)) == "allowed"
    assert word(ask(person("U0BOB", groups={"S0CRAWL": Member.YES}), policy=policy)) == "deny_rule"
    assert word(ask(person("U0BOB", groups={}), policy=policy)) == "deny_rule"


def test_the_first_allow_that_matches_decides_with_its_approval_demand() -> None:
    """`restart` is in two rules; the one that stands first wins for who is in both."""
    both = person("U0ROOT", groups={"S0CRAWL": Member.YES})
    first = ask(both, "restart")
    assert isinstance(first, NeedsApproval)
    assert (first.count, first.from_groups, first.expires, first.in_channel) == (1, ("leads",), 1800, "C0APPR")
    assert word(ask(ROOT, "restart")) == "allowed"


def test_an_approval_without_a_channel_is_asked_where_the_request_was_made() -> None:
    """`in` is optional."""
    policy = one_channel(allow(more='approvals = { count = 2, from = ["crawl"], expires = "1h" }'))
    decision = ask(policy=policy)
    assert isinstance(decision, NeedsApproval)
    assert (decision.in_channel, decision.count, decision.expires) == ("C0CRAWL", 2, 3600)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (FREEZE_BEGINS - MS, "needs approval"),
        (FREEZE_BEGINS, "freeze"),
        (FREEZE_BEGINS + MS, "freeze"),
        (FREEZE_ENDS - MS, "freeze"),
        (FREEZE_ENDS, "needs approval"),
        (FREEZE_ENDS + MS, "needs approval"),
    ],
)
def test_a_freeze_holds_from_its_first_instant_and_not_at_its_last(moment: datetime, expected: str) -> None:
    """from <= now < until, to the millisecond."""
    assert word(ask(now=moment)) == expected


def test_a_freeze_spares_reads_and_who_it_excepts() -> None:
    """Its verbs and its `except` say what it is about."""
    assert word(ask(BOB, "status", now=FREEZE_BEGINS, **READ)) == "allowed"
    assert word(ask(ROOT, "stop", now=FREEZE_BEGINS, **DANGER)) == "allowed"
    decision = ask(now=FREEZE_BEGINS)
    assert isinstance(decision, Denied)
    assert decision.who_can == ("admins",)
    assert "Year-end freeze" in decision.reason


def test_an_excepted_guest_is_not_excepted_by_a_group() -> None:
    """A freeze is left by a full member or by an own id alone."""
    assert word(ask(person("U0ROOT", is_restricted=True), "stop", now=FREEZE_BEGINS, **DANGER)) == "freeze"


@pytest.mark.parametrize(
    ("words", "limits", "params", "expected"),
    [
        ("every element of a list is allowed", '{ files = ["a", "b"] }', {"files": ["a", "b"]}, "allowed"),
        ("one element is not", '{ files = ["a", "b"] }', {"files": ["a", "c"]}, "no_rule"),
        ("an empty list is not said", '{ files = ["a"] }', {"files": []}, "no_rule"),
        ("an empty limit wants it unsaid", "{ files = [] }", {"files": []}, "allowed"),
        ("an empty limit refuses what is said", "{ files = [] }", {"files": ["a"]}, "no_rule"),
        ("every value of a map", '{ input = ["eu"] }', {"input": {"region": "eu", "zone": "eu"}}, "allowed"),
        ("one value of a map is not", '{ input = ["eu"] }', {"input": {"region": "eu", "zone": "us"}}, "no_rule"),
        ("one key of a map", '{ "input.region" = ["eu"] }', {"input": {"region": "eu", "zone": "us"}}, "allowed"),
        ("that key is another", '{ "input.region" = ["eu"] }', {"input": {"region": "us"}}, "no_rule"),
        ("that key is unsaid", '{ "input.region" = ["eu"] }', {"input": {"zone": "eu"}}, "no_rule"),
        ("nested values count", "{ body = [1] }", {"body": {"a": [1, {"b": 2}]}}, "no_rule"),
        ("a field of a vendor's body", "{ enabled = [false] }", {"*": {"enabled": False}}, "allowed"),
        ("another value of that field", "{ enabled = [false] }", {"*": {"enabled": True}}, "no_rule"),
        ("two limits both hold", "{ a = [1], b = [2] }", {"a": 1, "b": 3}, "no_rule"),
        ("a key in another spelling", '{ "input.mode" = ["test"] }', {"input": {"MODE": "prod"}}, "no_rule"),
        ("two spellings", '{ "input.mode" = ["test"] }', {"input": {"mode": "test", "MODE": "prod"}}, "no_rule"),
        ("a field in another spelling", "{ enabled = [false] }", {"*": {"Enabled": True}}, "no_rule"),
        ("case counts", '{ level = ["High"] }', {"level": "high"}, "no_rule"),
        ("null is not said", "{ a = [1] }", {"a": None}, "no_rule"),
    ],
)
def test_limits_of_parameters(words: str, limits: str, params: dict[str, Any], expected: str) -> None:
    """A value outside its list is not covered, wherever in the value it is."""
    policy = one_channel(allow(more=f"params = {limits}"))
    assert word(ask(policy=policy, params=params)) == expected, words


def test_a_limit_binds_a_row_that_declares_the_parameter_or_may_take_any() -> None:
    """Unsaid counts as outside unless the row cannot have it at all."""
    policy = one_channel(allow(more="params = { production = [true] }"))
    for declared, expected in [
        (("production",), "no_rule"),
        (("*",), "no_rule"),
        (None, "no_rule"),
        (("session",), "allowed"),
    ]:
        assert word(ask(policy=policy, params={}, declared=declared)) == expected


@pytest.mark.parametrize(
    ("pattern", "verb", "covered"),
    [
        ("schedule *", "schedule on", True),
        ("schedule *", "schedule", False),
        ("schedule *", "schedules", False),
        ("start", "restart", False),
        ("start", "start now", False),
        ("*", "agent approve", True),
        ("risk:change", "start", True),
        ("risk:read|change", "start", True),
        ("risk:read|danger", "start", False),
    ],
)
def test_verb_patterns(pattern: str, verb: str, covered: bool) -> None:
    """Exact, a family, everything, or a risk."""
    policy = one_channel(allow(verbs=f'["{pattern}"]'))
    assert (word(ask(verb=verb, policy=policy)) == "allowed") is covered


@pytest.mark.parametrize(
    ("pattern", "scope", "covered"),
    [
        ("acc:*", "acc:", True),
        ("acc:*", "acc-prod:x", False),
        ("acc*", "acc-prod:x", True),
        ("acc:a*c", "acc:abc/c", True),
        ("acc:a*c", "acc:abcd", False),
        ("acc:a.c", "acc:abc", False),
        ("acc:[ab]", "acc:a", False),
        ("acc:?", "acc:a", False),
        ("acc:a*a", "acc:a", False),
        ("*:shop/*", "acc:shop/x", True),
        ("acc:**", "acc:x/y", True),
    ],
)
def test_target_patterns(pattern: str, scope: str, covered: bool) -> None:
    """A star spans slashes, and nothing else is special."""
    policy = one_channel(allow(targets=f'["{pattern}"]'))
    assert (word(ask(target=on(scope), policy=policy)) == "allowed") is covered


@pytest.mark.parametrize("pattern", ["acc:shop/*", "acc*", "acc:run/*", "*:*", "acc:r*"])
def test_an_unknown_path_is_covered_by_the_whole_backend_alone(pattern: str) -> None:
    """`backend:*` and `*` cover it, nothing that merely looks as wide."""
    assert word(ask(target=unseen(), policy=one_channel(allow(targets=f'["{pattern}"]')))) == "no_rule"
    assert word(ask(target=unseen(), policy=one_channel(allow(targets='["acc:*"]')))) == "allowed"
    assert word(ask(target=unseen(), policy=one_channel(allow()))) == "allowed"


def test_an_id_is_no_way_round_a_deny_on_a_path() -> None:
    """A run of unknown path on that backend may be one of the denied folder; on another backend it cannot."""
    policy = one_channel(allow() + deny(more='targets = ["ACC:secret/*"]'))
    assert word(ask(target=unseen("acc"), policy=policy)) == "deny_rule"
    assert word(ask(target=unseen("infa"), policy=policy)) == "allowed"
    assert word(ask(target=on("acc:open/x"), policy=policy)) == "allowed"


@pytest.mark.parametrize("scope", ["acc:SECRET/x", "acc:Secret/x", "acc:\uff33ecret/x", "acc:\u017fecret/x"])
def test_no_spelling_gets_round_a_deny(scope: str) -> None:
    """Case, fullwidth letters and the long s fold away."""
    policy = one_channel(allow() + deny(more='targets = ["acc:secret/*"]'))
    assert word(ask(target=on(scope), policy=policy)) == "deny_rule"


def test_a_mark_behind_a_star_does_not_hide_a_name_from_a_deny() -> None:
    """Normalizing joins a letter with a mark behind it; the deny still sees the letter."""
    policy = one_channel(allow() + deny(more='targets = ["acc:a*"]'))
    assert word(ask(target=on("acc:a\u0301"), policy=policy)) == "deny_rule"
