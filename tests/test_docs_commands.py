"""Every command of every page runs in a fresh folder, as a reader has it who followed the page so far.

The folder is that of a bot which has worked and is stopped; its Slack workspace and control planes still answer. A command of the
program is forked from a process that has everything imported already. What make would run is run in the same way.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.cli.program import Program
from tests.cli.reader import Reader
from tests.docs import ROOT, Block, blocks, named, recipe, typed
from tests.ports import free_port
from tests.postgres import LocalServer, administrate
from tests.world import World, world

# Beginning of the command -> the test that runs it. After a space or a dash, the test reads the rest on the page.
ELSEWHERE = {
    "make test": "tests/test_docs_commands.py::test_make_test_is_this_suite",
    "make lint": "tests/test_docs_commands.py::test_make_test_does_what_make_lint_does",
    "make compat": "tests/test_docs_commands.py::test_make_compat_says_that_node_is_missing",
    "make changelog": "tests/test_changelog.py::test_fragments_become_the_section_of_the_new_version_and_are_gone",
    "make demo TOUR=1": (
        "tests/scenarios/test_tour.py::test_the_tour_sees_every_effect_on_the_planes_in_slack_and_in_the_audit_log"
    ),
    "make demo FRESH=1": "tests/scenarios/test_tour.py::test_messages_rules_and_the_audit_log_stay_between_starts",
    "make demo REPLICAS=3": "tests/demo/test_replicas.py::test_the_page_kills_the_leader_and_the_next_one_executes",
    "make bench": "tests/bench/test_bench.py::test_every_benchmark_of_the_page_runs",
    ".venv/bin/python -m build": "tests/test_docs_commands.py::test_the_wheel_of_a_release_is_built",
    ".venv/bin/python -m tests.faults ": "tests/faults/test_scaling_page.py::test_a_campaign_breaks_no_promise",
    ".venv/bin/python -m tests.faults.measure ": "tests/faults/test_scaling_page.py::test_times_are_measured",
    "PYTHONPATH=TREE valgrind ": "tests/faults/test_scaling_page.py::test_requests_are_accepted_to_be_counted",
    # Of this suite.
    ".venv/bin/python -m pytest tests/faults/test_two_stores.py": (
        "tests/faults/test_two_stores.py::test_two_replicas_on_one_database_are_as_the_model_says"
    ),
    "SIGNALBOX_REWRITE_PICTURE=1 .venv/bin/python -m pytest -q tests/playground/test_cards.py": (
        "tests/playground/test_cards.py::test_the_page_shows_every_card_with_pictures_and_their_text"
    ),
}
HEAD = "4711:" + "0123456789abcdef" * 4
STEPS: dict[str, list[Block]] = {}
for step in blocks("sh", "sql", "ini", "toml"):
    STEPS.setdefault(step.page, []).append(step)
COMMANDS = {
    page: found
    for page, made in STEPS.items()
    if (found := [command for block in made if block.language == "sh" for command in typed(block.text)])
}
# A page whose commands are the first ones of another page is run with that one.
PAGES = sorted(
    page
    for page, found in COMMANDS.items()
    if not any(found == more[: len(found)] != more for more in COMMANDS.values())
    and not all(command.startswith(tuple(ELSEWHERE)) for command in found)
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stopped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A bot that has done something and is stopped."""
    async with world(tmp_path_factory.mktemp("docs"), only=("acc", "res")) as env:
        await env.does("start acc:shop/prices -- once", "start acc:shop/prices", "Succeeded")
        await env.quiet()
        newest = env.audit()[-1]
        env.environ["HEAD"] = f"{newest.seq}:{newest.hash}"
        await env.bot.close()
        yield env
        await env.start()  # the world closes it again


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for the wheel of the program."""
    return tmp_path_factory.mktemp("wheels")


@pytest_asyncio.fixture(loop_scope="module")
async def reader(
    page: str, stopped: World, tmp_path: Path, program: Program, wheels: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Reader]:
    """A reader of this page, with what other pages have left."""
    written = "\n".join(COMMANDS[page])
    shutil.copytree(stopped.folder, tmp_path, dirs_exist_ok=True)
    for path in ("requirements.lock", "requirements-dev.lock", "Makefile", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / path, tmp_path)
    for path in ("signalbox.example.toml", "policy.example.toml"):
        shutil.copy(ROOT / path, tmp_path)
    shutil.copy(tmp_path / "policy.toml", tmp_path / "policy.new.toml")
    places = {
        HEAD: stopped.environ["HEAD"],
        "127.0.0.1:13840": f"127.0.0.1:{(tunnel := free_port())}",
        "LOCAL_PORT=13840": f"LOCAL_PORT={tunnel}",
        "127.0.0.1:3840": urlsplit(stopped.planes["res"].base_url).netloc,
        "127.0.0.1:3000": f"127.0.0.1:{(port := free_port())}",
    }
    if "127.0.0.1:3000" in written:
        settings = tmp_path / "signalbox.toml"
        settings.write_text(settings.read_text().replace('\nlisten = "127.0.0.1:0"', f'\nlisten = "127.0.0.1:{port}"'))
    made = Reader(tmp_path, stopped, program, places, wheels)
    for name in re.findall(r"export (\w+)=", written):
        del made.environ[name]
    try:
        await installs(made, written)
        if "postgres" in written:
            await moves(made, request.getfixturevalue("postgres"), written)
        yield made
    finally:
        await made.leaves()


async def installs(reader: Reader, written: str) -> None:
    """What the pages before have installed: the source, a user, the program or its environment, a service."""
    folder = reader.folder
    if "useradd" not in written:
        reader.has_the_user()
    (folder / "bot").symlink_to(ROOT / "bot")
    if "pytest" in written:  # which may write the pages
        for name in ("docs", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules"))
    if ".venv/bin/python" in written:
        await reader.types("python3 -m venv .venv")
        (folder / ".venv/.installed").touch()
    if "-m venv" in written:
        return
    reader.has_the_program()
    if "/srv/signalbox/.venv/bin/pip" in written:
        await reader.types("python3 -m venv /srv/signalbox/.venv")
    if "restart signalbox" in written:
        (unit,) = (step.text for step in STEPS["docs/how-to/install-socket-mode.md"] if step.language == "ini")
        reader.has_a_service(unit)


async def moves(reader: Reader, server: LocalServer, written: str) -> None:
    """A server, and on it the store if the page doesn't put it there."""
    reader.has_postgres(server)
    if "createdb" not in written:
        administrate(server, "CREATE ROLE signalbox LOGIN", "CREATE DATABASE signalbox OWNER signalbox")
        shutil.copy(reader.folder / "signalbox.db", reader.folder / "moved.db")
        await reader.types("signalbox store copy sqlite:///moved.db postgresql://signalbox@db.internal/signalbox")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("page", PAGES)
async def test_every_command_of_the_page_runs(page: str, reader: Reader) -> None:
    name = re.search(r"/etc/systemd/system/(\S+\.service)", (ROOT / page).read_text(encoding="utf-8"))
    for step in STEPS[page]:
        match step.language:
            case "sql":
                reader.sql(step.text)
            case "ini":
                assert name is not None
                reader.unit(step.text, name[1])
            case "toml":
                reader.settings(step.text)
            case _:
                for command in typed(step.text):
                    if not command.startswith(tuple(ELSEWHERE)):
                        await reader.types(command)


def test_what_runs_elsewhere_is_run_there() -> None:
    """The test is there, and its file has that command. A command in a sentence is in a block, too, or runs elsewhere."""
    in_blocks = {command for found in COMMANDS.values() for command in found}
    in_sentences = {command for _, command in named()} - in_blocks
    elsewhere = in_sentences | {command for command in in_blocks if command.startswith(tuple(ELSEWHERE))}
    for command in elsewhere:
        start, test = next(((start, test) for start, test in ELSEWHERE.items() if command.startswith(start)), ("", ""))
        assert test, f"no test runs {command}"
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text, command
        assert (start if start.endswith(" ") else command) in text


def test_make_test_is_this_suite(pytestconfig: pytest.Config) -> None:
    """All files of the folder of this one, in several processes."""
    python, *options = recipe("make test")
    assert python == ".venv/bin/python"
    assert options[:3] == ["-m", "pytest", "-n"]
    assert options[4:] == ["--dist", "loadfile"]
    assert pytestconfig.getini("testpaths") == [Path(__file__).parent.name]


def test_make_test_does_what_make_lint_does() -> None:
    lint, test = (
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for target in ("lint", "test")
    )
    checks = [line for line in lint.splitlines() if " -m " in line and " -m pip " not in line]
    assert [line.split()[2] for line in checks] == ["ruff", "ruff", "mypy"]
    assert set(checks) <= set(test.splitlines())


def test_make_compat_says_that_node_is_missing(tmp_path: Path) -> None:
    python, *options = recipe("make compat")
    ended = subprocess.run(
        [ROOT / python, *options], cwd=ROOT, env={"PATH": str(tmp_path)}, check=True, capture_output=True, text=True
    )
    assert ended.stdout == "Node is not installed: Bolt for JavaScript was not tried.\n"


def test_the_wheel_of_a_release_is_built(tmp_path: Path) -> None:
    """Its name is that of the version, and the folders that aren't the program are left out."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("bot", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    (command,) = {command for _, command in named() if " -m build" in command}
    assert command == ".venv/bin/python -m build --wheel --no-isolation"
    subprocess.run([ROOT / ".venv/bin/python", *command.split()[1:]], cwd=tmp_path, check=True, capture_output=True)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    with zipfile.ZipFile(tmp_path / f"dist/signalbox-{version}-py3-none-any.whl") as wheel:
        assert {name.split("/")[0] for name in wheel.namelist()} == {"bot", f"signalbox-{version}.dist-info"}
