"""An operation's digest: what was approved is what runs."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.intent import Actor, Place
from bot.core.operation import Operation, Target
from tests.core.catalog_samples import CATALOG

ANA = Actor(user_id="U0ANA", team_id="T0ACME", enterprise_id="E0")
HERE = Place(team_id="T0ACME", channel_id="C0CRAWL", thread_ts="1.0", message_ts="2.0")
PRICES = Target(backend="acc", kind="agent", id="a-1", name="shop/prices", scope="acc:shop/prices", group="a-1")


def made(target: Target = PRICES, given: dict[str, Any] | None = None, **more: Any) -> Operation:
    row = CATALOG.capability("acc", "start", "agent")
    assert row is not None
    return Operation.of(row, request_id="r-1", target=target, given=given or {}, **{"reason": "monthly", **more})


def digest(operation: Operation, actor: Actor = ANA, place: Place = HERE, version: str = "v1") -> str:
    return operation.digest(actor, place, version)


CHANGED = {
    "user": digest(made(), ANA.model_copy(update={"user_id": "U0LEE"})),
    "team": digest(made(), ANA.model_copy(update={"team_id": "T0OTHER"})),
    "enterprise": digest(made(), ANA.model_copy(update={"enterprise_id": None})),
    "workspace": digest(made(), place=HERE.model_copy(update={"team_id": "T0OTHER"})),
    "channel": digest(made(), place=HERE.model_copy(update={"channel_id": "C0INC"})),
    "policy": digest(made(), version="v2"),
    "verb": digest(made().model_copy(update={"verb": "stop"})),
    "backend": digest(made(PRICES.model_copy(update={"backend": "acc-prod"}))),
    "kind of target": digest(made(PRICES.model_copy(update={"kind": "run"}))),
    "id of target": digest(made(PRICES.model_copy(update={"id": "a-2"}))),
    "a parameter": digest(made(given={"log_level": 2})),
    "a default said otherwise": digest(made(given={"production": False})),
    "a map": digest(made(given={"input": {"a": "1"}})),
    "another map": digest(made(given={"input": {"a": "2"}})),
    "a list": digest(made(given={"files": ["a", "b"]})),
    "the order of a list": digest(made(given={"files": ["b", "a"]})),
    "files": digest(made(files=("F1",))),
    "reason": digest(made(reason="weekly")),
    "no reason": digest(made(reason=None)),
}


@pytest.mark.parametrize("field", CHANGED)
def test_a_digest_changes_with_every_field_that_decides(field: str) -> None:
    """Each of them alone makes another digest, and no two of them the same."""
    assert CHANGED[field] != digest(made())
    assert len(set(CHANGED.values())) == len(CHANGED)


def test_a_digest_does_not_change_with_what_decides_nothing() -> None:
    """A default that was said, the order of a map's keys, the request's id, the words, the thread, a renamed label."""
    usual = digest(made())
    assert digest(made(given={"production": True, "as": "run"})) == usual
    assert digest(made(given={"input": {"a": "1", "b": "2"}})) == digest(made(given={"input": {"b": "2", "a": "1"}}))
    assert digest(made().model_copy(update={"request_id": "r-2"})) == usual
    assert digest(made(words=(("log_level", "1"),))) == usual
    assert digest(made(), place=HERE.model_copy(update={"thread_ts": None, "message_ts": None})) == usual
    assert len(usual) == 64


def test_what_was_left_unsaid_counts_with_its_default() -> None:
    """Rules and digests see every parameter, cards only what was said."""
    operation = made(given={"log_level": 3})
    assert operation.params["log_level"] == 3
    assert operation.params["production"] is True
    assert operation.params["timeout"] == 60
    assert operation.given == {"log_level": 3}
    assert (operation.idempotent, operation.starts_run) == (False, True)


def test_how_a_target_is_written_on_cards() -> None:
    """An agent by its path, a thing without a known path by its id."""
    assert PRICES.text == "acc:shop/prices"
    assert Target(backend="acc", kind="schedule", id="s", name="schedule/s").text == "acc:schedule/s"
