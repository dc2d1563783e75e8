"""The rules file of a replica that follows, and then leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.card import Card
from bot.core.command.catalog import Catalog
from bot.core.masking.redact import SecretList
from bot.core.records import Filters
from bot.features.access.policy_reload import SETTLED, PolicyReloader
from bot.runtime.clock import SystemIds
from bot.store.open import open_store
from tests.slack.support import HandClock
from tests.world import GROUPS


class Shown:
    """Keeps the cards."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    async def show(self, card: Card, *_: object, **__: object) -> None:
        self.titles.append(card.title)


@pytest.mark.parametrize("leads_again", [False, True])
async def test_a_file_that_a_follower_could_not_use_is_reported_when_it_leads(
    tmp_path: Path, leads_again: bool
) -> None:
    file, clock, shown = tmp_path / "policy.toml", HandClock(), Shown()
    file.write_text(GROUPS)
    rules = PolicyReloader(file, clock, SystemIds(), "T0ACME", "C0SEC")
    store = open_store(tmp_path / "s.db")
    if leads_again:
        await rules.registered(store)
    file.write_text("not rules")
    for _ in range(3):
        rules.follow()
        clock.advance(SETTLED)
    await rules.registered(store)
    for _ in range(3):
        await rules.look(store, shown, SecretList(), Catalog({}))  # type: ignore[arg-type]
        clock.advance(SETTLED)
    assert shown.titles == ["The changed rules file can't be used"]
    assert (await store.search(Filters()))[0].event == "policy_refused"
    await store.close()
