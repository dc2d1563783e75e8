"""Moves the fragments of docs/changelog.d into a new section of CHANGELOG.md: `make changelog`, once per release."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FRAGMENTS = ROOT / "docs" / "changelog.d"
MARK = "<!-- versions -->\n"


def section(version: str, fragments: list[Path]) -> str:
    """The section of one version: each line of each fragment is an item. Files are taken in the order of their names."""
    lines = [line.strip() for path in fragments for line in path.read_text(encoding="utf-8").splitlines()]
    return f"## {version}\n\n" + "".join(f"- {line.removeprefix('- ')}\n" for line in lines if line)


def assemble(root: Path) -> int:
    """Write CHANGELOG.md and delete the fragments; how many there were. Raises ValueError if the version is already in it."""
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    fragments = sorted(path for path in (root / "docs" / "changelog.d").glob("*.md") if path.name != "README.md")
    page = root / "CHANGELOG.md"
    text = page.read_text(encoding="utf-8")
    if f"\n## {version}\n" in text:
        raise ValueError(f"CHANGELOG.md already has {version}. Set a new version in pyproject.toml first.")
    if fragments:
        page.write_text(text.replace(MARK, f"{MARK}\n{section(version, fragments)}", 1), encoding="utf-8")
        for path in fragments:
            path.unlink()
    return len(fragments)


if __name__ == "__main__":
    try:
        print(f"{assemble(ROOT)} fragments moved to CHANGELOG.md")  # noqa: T201  a program for the command line
    except ValueError as error:
        sys.exit(str(error))
