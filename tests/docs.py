"""What the documentation holds: pages, code blocks, commands for Slack and for the shell."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_PROGRAM = re.compile(r"(?:\w+=\S+ )*(?:make|\.venv/bin/python|pytest|valgrind|python3?|pip|psql) ")
_PLACEHOLDER = re.compile(r"\b(VERB|TARGET|COMMAND|KEY|WORDS)\b|\.\.\.")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block: its page, its language, and its text without indentation."""

    page: str
    language: str
    text: str


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(*languages: str) -> list[Block]:
    """Every block of these languages, in the order of the pages."""
    found = []
    for page in PAGES:
        for indent, written_in, text in _FENCE.findall(page.read_text(encoding="utf-8")):
            if written_in in languages:
                lines = [line.removeprefix(indent) for line in text.splitlines()]
                found.append(Block(name_of(page), written_in, "\n".join(lines) + "\n"))
    return found


def typed(block: str) -> list[str]:
    """The commands of a block for the shell, one a line; comments are cut off."""
    lines = (re.sub(r"\s+# .*", "", line).strip() for line in block.replace("\\\n", " ").splitlines())
    return [line for line in lines if line]


def commands_of(page: str, start: str) -> list[str]:
    """The commands of the page that begin in this way, in blocks and in sentences."""
    found = [command for block in blocks("sh") if block.page == page for command in typed(block.text)]
    found += [command for where, command in named() if where == page]
    return [command for command in found if command.startswith(start)]


def named() -> Iterator[tuple[str, str]]:
    """(page, command) of every command for the shell within a sentence, but for those of the program, which are patterns."""
    for page in PAGES:
        for words in _INLINE.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            if _PROGRAM.match(words):
                yield name_of(page), words


def recipe(command: str) -> list[str]:
    """The words of the last program that `make TARGET` runs once everything is installed; make says it."""
    asked = ["make", "--dry-run", "--no-print-directory", *shlex.split(command)[1:]]
    return shlex.split(
        subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    )


def slack_commands() -> Iterator[tuple[str, str]]:
    """(page, words behind `/ops`) of every example that is no pattern, in blocks and in lines."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found = [
            line.strip()
            for _, written_in, block in _FENCE.findall(text)
            if written_in == "text"
            for line in block.splitlines()
        ]
        found += _INLINE.findall(_FENCE.sub("", text))
        for words in found:
            for start in ("/ops ", "@signalbox "):
                if words.startswith(start) and not _PLACEHOLDER.search(words):
                    yield name_of(page), words.removeprefix(start).replace("\\|", "|")


def links() -> Iterator[tuple[Path, str]]:
    """(page, address) of every link of every page, generated parts included."""
    for page in PAGES:
        for address in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            yield page, address
