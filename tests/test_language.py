"""Words and phrases that no colleague would say stay out of the code, the docs and what people see."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each pattern with what to write instead. They are matched without regard to case.
BANNED = {
    r"\b(?:is|are|was|were) no (?!longer\b|one\b|more than\b|later than\b|way\b|limit\b|need\b)[a-z]": "'is not a'",
    r"\bsomebody\b": "'someone', 'a person'",
    r"\bwhom\b": "'who', or turn the sentence around",
    r"\bin vain\b": "say what was not found",
    r"\bto mend\b|\bmends?\b|\bmended\b": "'fix', 'problem'",
    r"\bcame of it\b|\bcomes of it\b|\bbecame of\b": "'outcome', 'result'",
    r"\b(?:come|comes|came) to (?:its|their|an) end\b": "'end'",
    r"\b(?:nothing|none|one|that) of (?:yours|theirs|mine)\b": "'you have no ...'",
    r"\bthe glass\b|\bbreaks? the glass\b|\bglass is broken\b": "'break-glass'",
    r"\bstands? behind\b|\bbehind (?:an? )?(?:option|action|verb|target|`)": "'after'",
    r"\bthe register\b|\bregistered as\b|\bis registered\b|\bare registered\b": "'the audit log', 'recorded'",
    r"\bthe house\b|\bhouse rule\b": "'built-in rule'",
    r"\b(?:the|a|every|each|one|any|which|whatever) doors?\b": "'source', 'interface'",
    r"\bthe desk\b": "the feature's name",
    r"\bis nothing that\b": "'doesn't support'",
    r"\bbesides\b": "'also', 'apart from'",
    r"\bfor ever\b": "'always', 'for good'",
    r"\bhearken|\bwhereupon\b|\bthereof\b|\btherein\b": "plain words",
}

EXEMPT = {"bot/core/command/suggest.py"}  # its list of filler words is what people type


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string of a Python file, docstrings included, or of every line of another file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(source.splitlines(), 1)
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for offset, line in enumerate(node.value.splitlines()):
                yield node.lineno + offset, line


def _files() -> list[Path]:
    found = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "bot").rglob("*.js"), *(ROOT / "docs").rglob("*.md")]
    found += [ROOT / name for name in ("README.md", "CHANGELOG.md", "policy.example.toml", "signalbox.example.toml")]
    found += (ROOT / "tests" / "render" / "golden").glob("*.json")
    return [path for path in sorted(found) if str(path.relative_to(ROOT)) not in EXEMPT]


def banned_in(text: str) -> list[str]:
    """The banned phrases that the text has."""
    return [found.group() for pattern in BANNED if (found := re.search(pattern, text, re.IGNORECASE))]


@cache
def _lines() -> list[tuple[str, str]]:
    """(`file:line`, text) of everything, read once for all patterns."""
    return [(f"{path.relative_to(ROOT)}:{line}", text) for path in _files() for line, text in _texts(path)]


@pytest.mark.parametrize("pattern", BANNED, ids=lambda pattern: pattern[:40])
def test_no_text_uses_a_banned_phrase(pattern: str) -> None:
    banned = re.compile(pattern, re.IGNORECASE)
    found = [f"{where}: {text.strip()[:120]}" for where, text in _lines() if banned.search(text)]
    assert not found, f"write {BANNED[pattern]} instead:\n" + "\n".join(found)


def test_the_patterns_find_what_they_are_for() -> None:
    """Each example of the design's list is found by one of them."""
    examples = json.loads((ROOT / "tests" / "core" / "data" / "banned_examples.json").read_text(encoding="utf-8"))
    missed = [text for text in examples if not any(re.search(pattern, text, re.IGNORECASE) for pattern in BANNED)]
    assert not missed
