"""A name is found by any part of it."""

from __future__ import annotations

import pytest

from bot.core.command.target_ref import fit, plain, words_of


@pytest.mark.parametrize(
    ("typed", "name", "how"),
    [
        ("acc:shop/prices", "acc:shop/prices", 0),
        ("SHOP/Prices", "acc:shop/prices", 0),
        ("prices", "acc:shop/prices", 1),
        ("pri sho", "acc:shop/prices", 2),
        ("rice", "acc:shop/prices", 3),
        ("stock", "acc:shop/prices", None),
        ("prices stock", "acc:shop/prices", None),
        ("weekly close", 'infa:schedule/"weekly close"', 1),
        ("uberwachung", "pre:Überwachung", 0),
        ("ÜBERWACHUNG", "pre:uberwachung", 0),
        ("strasse", "pre:Straße 5", 2),
        ("ﬁle", "pre:file", 0),
        ("北京", "pre:北京 daily", 2),
        ("", "acc:shop/prices", 3),
    ],
)
def test_how_well_a_name_fits_what_was_typed(typed: str, name: str, how: int | None) -> None:
    assert fit(words_of(typed), plain(name)) == how
