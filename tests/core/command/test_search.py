"""A name is found by any part of it."""

from __future__ import annotations

import pytest

from bot.core.command.ranking import BEGINS, HOLDS, LAST, SAME, fit, words_of
from bot.core.command.target_ref import plain


@pytest.mark.parametrize(
    ("typed", "name", "how"),
    [
        ("acc:shop/prices", "acc:shop/prices", SAME),
        ("SHOP/Prices", "acc:shop/prices", SAME),
        ("prices", "acc:shop/prices", LAST),
        ("pri sho", "acc:shop/prices", BEGINS),
        ("rice", "acc:shop/prices", HOLDS),
        ("stock", "acc:shop/prices", 0.0),
        ("prices stock", "acc:shop/prices", 0.0),
        ("weekly close", 'infa:schedule/"weekly close"', LAST),
        ("uberwachung", "pre:Überwachung", SAME),
        ("ÜBERWACHUNG", "pre:uberwachung", SAME),
        ("strasse", "pre:Straße 5", BEGINS),
        ("ﬁle", "pre:file", SAME),
        ("北京", "pre:北京 daily", BEGINS),
        ("", "acc:shop/prices", HOLDS),
    ],
)
def test_how_well_a_name_fits_what_was_typed(typed: str, name: str, how: float) -> None:
    assert fit(words_of(typed), plain(name)) == how
