"""`make changelog` assembles the changelog from its fragments."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.changelog import MARK, assemble


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "changelog.d").mkdir(parents=True)
    (tmp_path / "docs" / "changelog.d" / "README.md").write_text("About fragments.\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "signalbox"\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{MARK}\n## 0.1.0\n\n- First release.\n")
    return tmp_path


def test_fragments_become_the_section_of_the_new_version_and_are_gone(project: Path) -> None:
    fragments = project / "docs" / "changelog.d"
    (fragments / "proxy.md").write_text("A proxy can be configured.\n")
    (fragments / "audit.md").write_text("The audit log has a column `v`.\nThe table is called `audit`.\n")
    assert assemble(project) == 2
    text = (project / "CHANGELOG.md").read_text()
    new = (
        "## 0.2.0\n\n- The audit log has a column `v`.\n- The table is called `audit`.\n- A proxy can be configured.\n"
    )
    assert text == f"# Changelog\n\n{MARK}\n{new}\n## 0.1.0\n\n- First release.\n"
    assert [path.name for path in fragments.iterdir()] == ["README.md"]


def test_a_version_that_is_in_the_changelog_is_refused_and_nothing_is_lost(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "signalbox"\nversion = "0.1.0"\n')
    fragment = project / "docs" / "changelog.d" / "proxy.md"
    fragment.write_text("A proxy can be configured.\n")
    with pytest.raises(ValueError, match="Set a new version"):
        assemble(project)
    assert fragment.exists()
