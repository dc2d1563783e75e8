"""Grants, break-glass, and who administers: permissions beside the rules of a channel."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.policy.decide import Allowed, Member, parse_policy, why_not_administrator, why_not_breakglass
from tests.core.policy.samples import (
    ANA,
    BOB,
    DANGER,
    FREEZE_BEGINS,
    FREEZE_ENDS,
    HOME,
    MS,
    NOW,
    POLICY,
    READ,
    ROOT,
    TEXT,
    allow,
    ask,
    grant,
    on,
    one_channel,
    person,
    place,
    word,
)

GLASS = parse_policy(TEXT.replace('[breakglass]\nwho = ["admins"]', '[breakglass]\nwho = ["admins", "U0ANA", "U0BOB"]'))


class TestGrants:
    """A grant stands in for a missing allow; a broken glass for more, but never against a deny."""

    def test_an_ordinary_grant_fills_a_missing_allow(self) -> None:
        """And the decision says through which grant."""
        decision = ask(BOB, grants=(grant(),))
        assert isinstance(decision, Allowed)
        assert (decision.via_grant, decision.breakglass) == ("g1", False)

    @pytest.mark.parametrize(
        "more",
        [
            {"user_id": "U0ANN"},
            {"verbs": ("stop",)},
            {"targets": ("acc:other/*",)},
            {"channel_id": "C0OTHER"},
            {"until": NOW},
            {"until": NOW - MS},
        ],
    )
    def test_it_covers_its_person_verbs_targets_channel_and_time_only(self, more: dict[str, Any]) -> None:
        """One difference is enough to be worth nothing."""
        assert word(ask(BOB, grants=(grant(**{"user_id": "U0BOB", **more}),))) == "no_rule"

    def test_it_ends_at_its_last_instant(self) -> None:
        """`until` is exclusive."""
        assert word(ask(BOB, grants=(grant(until=NOW + MS),))) == "allowed"

    def test_it_does_not_replace_an_approval_that_a_rule_demands(self) -> None:
        """Ana has to be approved with a grant as well."""
        assert word(ask(ANA, grants=(grant("U0ANA"),))) == "needs approval"

    def test_it_does_not_thaw_a_freeze(self) -> None:
        """A broken glass does."""
        assert word(ask(BOB, now=FREEZE_BEGINS, grants=(grant(until=FREEZE_ENDS),))) == "freeze"
        glass = grant(until=FREEZE_ENDS, breakglass=True)
        assert word(ask(BOB, now=FREEZE_BEGINS, grants=(glass,), policy=GLASS)) == "allowed"

    def test_a_broken_glass_replaces_an_approval(self) -> None:
        """And is marked as one."""
        decision = ask(ANA, grants=(grant("U0ANA", breakglass=True),), policy=GLASS)
        assert isinstance(decision, Allowed)
        assert decision.breakglass

    def test_a_broken_glass_is_not_used_up_where_a_rule_allows_anyway(self) -> None:
        """What is allowed needs no review."""
        glass = grant(verbs=("*",), targets=("*",), breakglass=True)
        decision = ask(BOB, "status", grants=(glass,), policy=GLASS, **READ)
        assert isinstance(decision, Allowed)
        assert decision.via_grant is None

    def test_a_broken_glass_does_not_override_a_deny(self) -> None:
        """An explicit deny stands against everything."""
        glass = grant("U0ROOT", verbs=("*",), targets=("*",), breakglass=True)
        assert word(ask(ROOT, "stop", target=on("infa:x"), grants=(glass,), **DANGER)) == "deny_rule"

    @pytest.mark.parametrize(
        ("holder", "more"),
        [
            ("U0BOB", {}),
            ("U0CARL", {"groups": {"S0CRAWL": Member.NO, "S0LEADS": Member.NO}}),
            ("U0CARL", {"groups": {"S0CRAWL": Member.NO}}),
            ("U0CARL", {"groups": {"S0LEADS": Member.YES}, "group_ages": {"S0LEADS": 61.0}}),
            ("U0CARL", {"groups": {"S0LEADS": Member.YES}, "is_restricted": True}),
        ],
    )
    def test_a_broken_glass_is_nothing_without_the_right_to_break_it_now(
        self, holder: str, more: dict[str, Any]
    ) -> None:
        """Out of the circle, out of its user group, the group unreadable or read too long ago, a guest by now."""
        policy = parse_policy(TEXT.replace('[breakglass]\nwho = ["admins"]', '[breakglass]\nwho = ["leads"]'))
        glass = grant(holder, breakglass=True, channel_id="C0CRAWL")
        yes = person("U0CARL", groups={"S0LEADS": Member.YES})
        assert word(ask(yes, policy=policy, grants=(grant("U0CARL", breakglass=True),))) == "allowed"
        assert word(ask(person(holder, **more), policy=policy, grants=(glass,))) in {"no_rule", "group_unreadable"}
        new = grant(holder, breakglass=True, channel_id="C0NEW")
        assert word(ask(person(holder, **more), policy=policy, where=place("C0NEW"), grants=(new,))) == "not_listed"

    def test_a_grant_for_all_channels_means_those_with_rules(self) -> None:
        """In a channel or DM without rules only a grant that names it counts."""
        assert word(ask(BOB, where=place("C0NEW"), grants=(grant(),))) == "not_listed"
        assert word(ask(BOB, where=place("C0NEW"), grants=(grant(channel_id="C0NEW"),))) == "allowed"
        assert word(ask(BOB, where=place("D0BOB", is_dm=True), grants=(grant(),))) == "dm_not_listed"

    def test_a_guest_may_have_a_grant_and_somebody_from_elsewhere_may_not(self) -> None:
        """The same id in another workspace is another person."""
        assert word(ask(person("U0BOB", is_restricted=True), grants=(grant(),))) == "allowed"
        assert word(ask(person("U0BOB", team_id="T0EVIL"), grants=(grant(),))) == "no_rule"


def test_administrators_and_glass_breakers_are_full_members_that_the_file_names() -> None:
    """No section, no administrators; a guest is none even when named."""
    for why_not in (why_not_administrator, why_not_breakglass):
        assert why_not(POLICY, ROOT, HOME) is None
        assert why_not(POLICY, BOB, HOME) is not None
        assert why_not(POLICY, person("U0ROOT", is_restricted=True), HOME) is not None
        assert why_not(POLICY, person("U0ROOT", deleted=True), HOME) is not None
        assert why_not(one_channel(allow()), ROOT, HOME) is not None
