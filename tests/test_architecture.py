"""Rules about the code itself: which module imports which, what is pure, how long a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import plugins
from tests.conftest import LONGEST as FIRST

ROOT = Path(__file__).parents[1]
BOT = ROOT / "bot"
LONGEST = 400
IMPURE = frozenset(
    {"asyncio", "time", "logging", "os", "random", "secrets", "uuid", "socket", "pathlib", "subprocess", "threading"}
)
PURE_FOLDERS = ("core", "render")
KINDLESS = ("app.py", "leader.py", "connections.py", "plugins.py", "config.py")
KINDLESS_FOLDERS = (
    "cli",
    "core",
    "features",
    "http_client",
    "intents",
    "operations",
    "render",
    "runtime",
    "slack",
    "store",
)


def python_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    """The first part of every absolute import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_imports_go_downward() -> None:
    """Every contract of [tool.importlinter] is kept."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("folder", PURE_FOLDERS)
def test_pure_folders_never_wait(folder: str) -> None:
    """No `async def` with a body in core or render: a port's declaration is all they have of waiting."""
    for path in python_files(BOT / folder):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef):
                body = [part for part in node.body if not isinstance(part, ast.Expr | ast.Pass)]
                assert not body, f"{path.relative_to(ROOT)}:{node.lineno} waits"
            assert not isinstance(node, ast.Await), f"{path.relative_to(ROOT)} waits"


@pytest.mark.parametrize("folder", PURE_FOLDERS)
def test_pure_folders_read_no_clock_and_touch_no_machine(folder: str) -> None:
    """core and render import no loop, clock, log, chance, file or network, not even inside a function."""
    for path in python_files(BOT / folder):
        assert not IMPURE & set(imported(path)), path.relative_to(ROOT)


def test_behaviour_tests_import_no_benchmark() -> None:
    """What both need is in tests/station.py."""
    outside = [path for path in python_files(ROOT / "tests") if path.parent != ROOT / "tests" / "bench"]
    found = [
        str(path.relative_to(ROOT))
        for path in outside
        if re.search(r"^from tests\.bench", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert not found


def test_no_module_is_long() -> None:
    """Every module of bot/ has at most 400 lines."""
    long = {
        str(path.relative_to(ROOT)): count
        for path in python_files(BOT)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert not long


def test_what_is_common_names_no_kind_of_control_plane() -> None:
    """Every shared folder works for a sixth kind as well: none of them names one of the five.

    Docstrings may give an example; code may not.
    """
    kinds = re.compile("|".join(plugins.kinds()), re.IGNORECASE)
    files = [BOT / name for name in KINDLESS] + [
        path for folder in KINDLESS_FOLDERS for path in python_files(BOT / folder)
    ]
    for path in files:
        for node in ast.walk(_without_docstrings(path)):
            words = [value for value in vars(node).values() if isinstance(value, str)]
            assert not any(kinds.search(word) for word in words), f"{path.relative_to(ROOT)}: {words}"


def _without_docstrings(path: Path) -> ast.AST:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]  # every node with a list as body is a block
                part for part in body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ]
    return tree


def test_tests_fake_nothing_and_leave_nothing_out() -> None:
    """No mock objects, and no test that is skipped or expected to fail."""
    banned = re.compile(r"unittest\.moc[k]|\bpytest\.ski[p]\b|mark\.ski[p]|\bskipi[f]\b|\bxfai[l]\b|importorski[p]")
    for path in python_files(ROOT / "tests"):
        found = banned.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(ROOT)}: {found.group() if found else ''}"


def test_the_files_that_are_handed_out_first_are_there() -> None:
    """A file that was renamed or split would silently run last again."""
    assert not [name for name in FIRST if not (ROOT / "tests" / name).is_file()]
