"""How targets are written."""

from __future__ import annotations

import pytest

from bot.core.command.target_ref import BACKEND_NAME, TargetRef, quote


@pytest.mark.parametrize(
    ("path", "selector", "text"),
    [
        ("", None, "acc:"),
        ("shop/prices", None, "acc:shop/prices"),
        ("shop/prices", "last", "acc:shop/prices@last"),
        ("run/9040f86d-bbc1", None, "acc:run/9040f86d-bbc1"),
        ("Data Server", None, 'acc:"Data Server"'),
        ("Data Server", "failed", 'acc:"Data Server"@failed'),
        ("a@last", None, 'acc:"a@last"'),
        ("a@newest", None, 'acc:"a@newest"'),
        ("a@lasting", None, "acc:a@lasting"),
        ('a"b\\c', None, 'acc:"a\\"b\\\\c"'),
        ("k\u00f6ln", None, 'acc:"k\u00f6ln"'),
    ],
)
def test_a_target_is_quoted_only_where_it_must_be(path: str, selector: str | None, text: str) -> None:
    """Blanks, quotes, what looks like a selector and letters beyond ASCII are quoted."""
    assert str(TargetRef(backend="acc", path=path, selector=selector)) == text


def test_quotes_and_backslashes_are_escaped() -> None:
    """The grammar undoes exactly these two."""
    assert quote('a"\\') == '"a\\"\\\\"'


@pytest.mark.parametrize(
    ("name", "good"),
    [("acc", True), ("acc-prod_2", True), ("2acc", False), ("Acc", False), ("a" * 33, False), ("", False)],
)
def test_names_of_backends(name: str, good: bool) -> None:
    """Lower case, a letter first, at most 32 characters."""
    assert (BACKEND_NAME.fullmatch(name) is not None) is good
