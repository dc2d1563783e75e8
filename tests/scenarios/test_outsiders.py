"""What somebody may be told who counts only where a rule names their own id: a guest, an external, a bot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import labels, shown, world

NAMED = """\
version = 1
[groups]
admins = ["U0ROOT"]
[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["risk:read"]
  targets = ["*"]
  who = ["*"]
  [[channel.allow]]
  verbs = ["status"]
  targets = ["acc:shop/prices"]
  who = ["U0GUEST"]
[administrators]
who = ["admins"]
"""
OTHERS = ("pre:", "shop/stock", "Invoice Reader", "invoice-reader")


async def test_a_guest_hears_of_nothing_but_what_names_them(tmp_path: Path) -> None:
    """One agent is theirs to look at; lists, search, health and near names tell of nothing else."""
    async with world(tmp_path, policy=NAMED, only=("acc", "pre")) as here:
        await here.does("status acc:shop/prices", "newest run", user="U0GUEST")
        await here.does("status acc:shop/stock", "never run")
        assert "pre" in shown(
            await here.does(
                "backends",
                "Control planes",
            )
        )
        for words, told in (
            ("targets acc", "acc:shop/prices"),
            ("find shop", "acc:shop/prices"),
            ("backends", "Control planes"),
            ("health", "Health"),
        ):
            said = shown(await here.does(words, told, user="U0GUEST"))
            assert not [other for other in OTHERS if other in said], words
            assert "Prefactor" not in said
        for words in ("targets pre", "health pre", "targets nowhere"):
            await here.does(words, "Denied", "No rule of this channel that names you", user="U0GUEST")
        await here.does("doctor", "Denied", "for full members", user="U0GUEST")


@pytest.mark.parametrize("words", ["status acc:shop/stok", "retry acc:shop/stok@last", "why status acc:shop/stok"])
async def test_a_guess_beside_it_is_not_answered_with_the_names_that_it_is_near_to(tmp_path: Path, words: str) -> None:
    """The same denial as for a name that exists; a member is offered what was meant."""
    async with world(tmp_path, policy=NAMED, only=("acc", "pre")) as here:
        await here.does("status acc:shop/stock", "never run")
        said = await here.does(words, "names you", user="U0GUEST")
        assert not [other for other in OTHERS if other in shown(said).replace(words, "")]
        assert labels(said) == []
        await here.does("stats shop/stock", "I could not read that", user="U0GUEST")
        await here.does(words.removeprefix("why "), "has no agent")
