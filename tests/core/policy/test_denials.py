"""Denials lead somewhere, what cannot be evaluated is denied, and what everybody may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from bot.core.operation import Target
from bot.core.policy.decide import Denied, Subject, admits
from bot.core.policy.match import Question, Situation
from tests.core.policy.samples import (
    BOB,
    CARL,
    DANGER,
    HOME,
    NO_GROUPS,
    POLICY,
    ROOT,
    allow,
    ask,
    asked,
    grant,
    on,
    one_channel,
    person,
    place,
    word,
)


class TestDenialsLeadSomewhere:
    """A denial names who may, who approves, and where the asker may."""

    def test_who_may_here_and_where_else_the_asker_may(self) -> None:
        """From the rules that are about this verb, target and parameters."""
        decision = ask(BOB)
        assert isinstance(decision, Denied)
        assert decision.who_can == ("crawl",)
        assert decision.rule_approvers == ("leads",)
        assert decision.where_else == ("C0OTHER",)
        assert "C0CRAWL allow 2" in decision.reason
        assert "you are not in group `crawl`" in decision.reason

    def test_a_deny_for_everybody_leaves_nobody(self) -> None:
        """No group is offered that would be denied as well; the reason is the author's."""
        decision = ask(ROOT, "stop", target=on("infa:x"), **DANGER)
        assert isinstance(decision, Denied)
        assert decision.who_can == ()
        assert decision.reason.startswith("Stopping a Secure Agent")
        assert decision.rule == "C0CRAWL deny 1"

    def test_a_stranger_learns_nothing(self) -> None:
        """Who is refused as a person or for the place is told no names."""
        for decision in (ask(person("U0ANA", known=False)), ask(where=place(team_id="T0EVIL"))):
            assert isinstance(decision, Denied)
            assert (decision.who_can, decision.where_else, decision.rule_approvers) == ((), (), ())


class _Broken(Mapping[str, Any]):
    """A mapping that fails whenever it is asked."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("no answer")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no answer")

    def __len__(self) -> int:
        raise RuntimeError("no answer")


class TestWhatCannotBeEvaluatedIsDenied:
    """An error while judging means no, in whichever condition it happens."""

    @pytest.mark.parametrize(
        "question",
        [
            {"subject": Subject("U0BOB", HOME, known=True, groups=_Broken())},
            {"subject": Subject("U0BOB", HOME, known=True, groups=NO_GROUPS, group_ages=_Broken())},
            {"subject": Subject("U0BOB", HOME, known=True, user_age="young")},  # type: ignore[arg-type]
            {"params": _Broken()},
            {"now": datetime(2026, 11, 22, 12, 0)},  # noqa: DTZ001 -- a time without a zone is the fault
            {"target": Target(backend="infa", kind="agent", id="1", name="x", scope="acc:shop/x")},
            {"target": None},
            {"verb": None},
            {"risk": "change"},
            {"declared": 7},
            {"grants": None},
            {"grants": (None,)},
            {"where": None},
            {"subject": None},
        ],
        ids=",".join,
    )
    def test_it_is_denied(self, question: dict[str, Any]) -> None:
        """With a code that says what happened, and no exception."""
        assert word(ask(**question)) == "policy_error"

    def test_a_missing_fact_is_denied(self) -> None:
        """So is a question that lacks one; without it there is no question at all."""
        facts = asked()
        for name in facts:
            assert word(ask(**{name: None})) != "allowed"
            left = {key: value for key, value in facts.items() if key != name}
            with pytest.raises(TypeError, match=name):
                Question(**left)

    def test_parameters_nested_without_end_are_denied(self) -> None:
        """A value that refers to itself ends in a denial, not in a crash."""
        loop: list[Any] = []
        loop.append(loop)
        policy = one_channel(allow(more="params = { a = [1] }"))
        assert word(ask(policy=policy, params={"a": loop})) == "policy_error"


class TestEverybodysVerbs:
    """`help`, `whoami` and their like are for full members of a place with rules."""

    @pytest.mark.parametrize(
        ("subject", "where", "code"),
        [
            (BOB, place(), None),
            (BOB, place("C0NEW"), "not_listed"),
            (BOB, place(team_id="T0EVIL"), "other_workspace"),
            (person("U0BOB", is_restricted=True), place(), "no_rule"),
            (person("U0GUEST", is_restricted=True), place(), None),
            (person("U0GUEST", is_restricted=True), place("C0OTHER"), "no_rule"),
            (person("U0BOB", deleted=True), place(), "deactivated"),
        ],
    )
    def test_who_is_admitted(self, subject: Subject, where: Any, code: str | None) -> None:
        """The same standing rules as for acting."""
        refused = admits(Situation(POLICY, subject, where, (), HOME))
        assert (refused.code if refused else None) == code

    def test_a_grant_admits_its_person_where_only_it_names_the_channel(self) -> None:
        """And nobody else."""
        grants = (grant(channel_id="C0NEW"),)
        assert admits(Situation(POLICY, BOB, place("C0NEW"), grants, HOME)) is None
        other = admits(Situation(POLICY, CARL, place("C0NEW"), grants, HOME))
        assert other is not None
