"""Every row of the threat table's parts B and C has a test that is really there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.proof.threats import THREATS, Threat

TESTS = Path(__file__).resolve().parent.parent


@cache
def found_in(path: str) -> frozenset[str]:
    """What pytest collects from that file: functions and methods named test_, with their class; nothing that is skipped."""
    file = TESTS / path
    if not file.is_file() or not file.name.startswith("test_"):
        return frozenset()
    found: set[str] = set()
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found |= {f"{node.name}::{name}" for name in _tests(node.body)}
    return frozenset(found | _tests(body))


def _tests(body: list[ast.stmt]) -> set[str]:
    functions = [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    run = [one for one in functions if not any("skip" in ast.unparse(mark) for mark in one.decorator_list)]
    return {one.name for one in run if one.name.startswith("test_")}


def test_every_row_is_there_once_and_in_order() -> None:
    """A row that is dropped is missed: parts B and C, and the attacks that were tried from outside."""
    assert [threat.number for threat in THREATS] == [*range(13, 40), *range(80, 94)]


def test_the_page_for_reviewers_has_a_row_for_each_attack_with_its_tests() -> None:
    """The sentence as it is here, and the files of the tests that prove it."""
    page = (TESTS.parent / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    rows = [
        f"| {threat.number} | {threat.line.rstrip('.')} | {', '.join(f'`tests/{file}`' for file in files)} |"
        for threat in THREATS
        if threat.number >= 80
        for files in [dict.fromkeys(test.partition("::")[0] for test in threat.tests)]
    ]
    assert [row for row in rows if row not in page.splitlines()] == []


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: str(threat.number))
def test_every_threat_has_tests_and_every_named_test_exists(threat: Threat) -> None:
    """A row without a test, or one whose test was renamed or deleted, fails here."""
    assert threat.tests, f"row {threat.number} has no test: {threat.line}"
    missing = [test for test in threat.tests if test.partition("::")[2] not in found_in(test.partition("::")[0])]
    assert not missing, f"row {threat.number}: {missing}"


def test_a_test_that_does_not_exist_is_noticed() -> None:
    """The check itself: another name, another file, a helper that is no test."""
    assert "test_every_row_is_there_once_and_in_order" in found_in("proof/test_threats.py")
    assert "found_in" not in found_in("proof/test_threats.py")
    assert not found_in("proof/threats.py")
    assert not found_in("proof/test_nothing.py")
