"""A second command is recognised whether or not a control plane of its kind is configured."""

from __future__ import annotations

from bot.core.command.builtins import ALIASES, FIRST_WORDS
from bot.plugins import all_specs


def test_the_verbs_of_all_kinds_begin_with_a_known_word() -> None:
    verbs = {row.verb.split()[0] for spec in all_specs() for row in spec.capabilities}
    assert set(FIRST_WORDS) == verbs | set(ALIASES)
