"""The documentation is true: generated parts, examples, commands, links, configurations.

`SIGNALBOX_REWRITE_DOCS=1 python -m pytest tests/test_docs.py` writes the generated parts anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bot import config, plugins
from bot.cli import commands
from bot.core.audit import COLUMNS, AuditEntry, Event
from bot.core.command.capability import Capability
from bot.core.command.catalog import check_params
from bot.core.command.params import Param
from bot.core.command.parser import ONE_TARGET, parse, parse_target
from bot.core.errors import BadRequest
from bot.core.intent import Command, ParseError
from bot.core.policy.decide import parse_policy, policy_json_schema
from bot.slack.manifest import EVENTS, manifest
from bot.store.open import open_store
from docs.reference import columns, generate
from tests.cli.program import Program
from tests.docs import PAGES, ROOT, blocks, links, name_of, slack_commands

CATALOG = plugins.catalog_of_all_kinds()
ROWS = [(kind, row) for kind, row in CATALOG.everything()]


def names(row: tuple[str, Capability]) -> str:
    return f"{row[0]} {row[1].verb} {row[1].target}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two example files and a short audit log, as a reader of the README has it."""
    folder = tmp_path_factory.mktemp("installed")
    for name in ("signalbox", "policy"):
        text = (ROOT / f"{name}.example.toml").read_text(encoding="utf-8")
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    (folder / "backups").mkdir()
    store = open_store(str(folder / "signalbox.db"))
    for number, event in enumerate((Event.REQUESTED, Event.SENT, Event.DONE)):
        at = f"2026-11-22T02:23:3{number}.000000Z"
        for request, verb in (("r-1m80n4t50hjkbw", "start"), ("r-1m80n4t50hjkbx", "schedule off")):
            columns = {"verb": verb, "target_name": "acc:shop/prices", "incident": "INC-42"}
            store.append_sync(AuditEntry(at=at, request_id=request, event=event, **columns))
    store.close_sync()
    return folder


def environ_for(text: str) -> dict[str, str]:
    """A value for every `env:` reference of a configuration, switched-off lines included."""
    return dict.fromkeys(re.findall(r'"env:(\w+)"', text), "not-a-secret")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_generated_parts_are_what_the_program_says(page: Path) -> None:
    """Every table between marks equals what is made of the rows, models and enums now."""
    text = page.read_text(encoding="utf-8")
    made = generate.rewritten(text, generate.block)
    if os.environ.get("SIGNALBOX_REWRITE_DOCS") == "1":
        page.write_text(made, encoding="utf-8")
    else:
        assert text == made, "write it anew with SIGNALBOX_REWRITE_DOCS=1"


def test_every_generated_part_is_in_some_page() -> None:
    """Nothing that is made of the program is left out of the pages."""
    used = {name for page in PAGES for name, _ in generate.blocks_in(page.read_text(encoding="utf-8"))}
    assert used == set(generate.BLOCKS)


def test_every_word_of_the_audit_log_and_of_slack_is_explained() -> None:
    """Columns, events, scopes and keys have their meanings, and nothing is explained that is not there."""
    assert set(columns.COLUMNS) == set(COLUMNS)
    assert set(columns.EVENTS) == {str(event) for event in Event}
    assert set(columns.SLACK_EVENTS) == set(EVENTS)
    assert set(columns.SLACK) == set(config.SlackSettings.model_fields)


@pytest.mark.parametrize("kind", plugins.kinds())
def test_every_kind_has_its_page(kind: str) -> None:
    """docs/backends/KIND.md tells set-up, rights, commands, limits and what was inferred, and is linked in the README."""
    text = (ROOT / "docs" / "backends" / f"{kind}.md").read_text(encoding="utf-8").lower()
    for heading in ("## set-up", "## rights", "## commands", "## limits", "## what was inferred"):
        assert heading in text, heading
    assert f"docs/backends/{kind}.md" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", ROWS, ids=names)
def test_every_row_is_helped_with_an_example_that_works(entry: tuple[str, Capability]) -> None:
    """Each capability has a help, an example that reads as its own verb, target and parameters, and a line in its page."""
    kind, row = entry
    assert row.help
    assert row.endpoint
    assert row.effect or str(row.risk) == "read", "what will happen is missing"
    read = parse(row.example, CATALOG)
    assert isinstance(read, Command), read
    assert read.verb == row.verb
    assert read.target is not None
    ref = parse_target(read.target, CATALOG)
    assert not isinstance(ref, str), ref
    assert CATALOG.backends[ref.backend].kind == kind
    target_kind, path = CATALOG.split_path(ref.backend, ref.path)
    usual = CATALOG.backends[ref.backend].default_target.name
    assert ref.selector or not path or (target_kind or usual) == row.target
    check_params(row.params, read.params)
    assert not row.reason_required or read.reason
    page = (ROOT / "docs" / "backends" / f"{kind}.md").read_text(encoding="utf-8")
    assert re.search(rf"`(/ops )?{re.escape(row.verb)}\b", page), f"docs/backends/{kind}.md has no line for it"


@pytest.mark.parametrize(("page", "words"), sorted(set(slack_commands())))
def test_every_command_for_slack_is_understood(page: str, words: str) -> None:
    """Each `/ops ...` of the pages names a verb that its control plane has, with parameters that fit."""
    read = parse(words, CATALOG)
    if words.partition(" -- ")[0] == "stop everything":  # no command: it lists the commands that it can mean
        assert isinstance(read, ParseError)
        assert read.problem.startswith(ONE_TARGET)
        return
    assert not isinstance(read, ParseError), read
    rows = [row for _, row in CATALOG.capabilities(read.verb)]
    if read.target is None:
        assert rows or CATALOG.builtin(read.verb) is not None
        return
    backend = read.target.partition(":")[0]
    found = [row for _, row in CATALOG.capabilities(read.verb, backend)]
    builtin = CATALOG.builtin(read.verb)
    assert found or builtin is not None, f"{backend} has no {read.verb}"
    objections = [
        objection(params, read) for params in [row.params for row in found] or [builtin.params if builtin else ()]
    ]
    assert None in objections, objections


def objection(params: tuple[Param, ...], read: Command) -> str | None:
    """What these declared parameters have against the written ones; None when they take them."""
    try:
        check_params(params, read.params)
    except BadRequest as problem:
        return problem.summary
    return None


def test_the_command_line_page_names_every_program_and_option() -> None:
    """docs/reference/cli.md has each subcommand, each of its actions and each of its options, and the parser has all of those."""
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    written = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page))
    options = {"--help"}
    for name, command in commands.cli.commands.items():
        assert f"`signalbox {name}" in page
        options |= _options(command)
        for action, nested in command.commands.items() if isinstance(command, click.Group) else ():
            assert f"`signalbox {name} {action}" in page
            options |= _options(nested)
    assert written == options


def _options(command: click.Command) -> set[str]:
    return {option for param in command.params for option in param.opts if option.startswith("--")}


@pytest.mark.parametrize(("page", "address"), [(name_of(page), address) for page, address in links()])
def test_every_link_points_to_something(page: str, address: str) -> None:
    """A relative link names a file that is there, and a heading that the file has."""
    if re.match(r"[a-z]+:", address):
        return
    path, _, heading = address.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.is_file(), address
    if heading:
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert heading in [re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", "-") for text in headings]


@pytest.mark.parametrize("block", blocks("toml"), ids=lambda block: block.page)
def test_every_configuration_loads(block: Any, tmp_path: Path) -> None:
    """A whole signalbox.toml or policy.toml is loaded by the program; a part of one also, in place of the example's."""
    data = tomllib.loads(block.text)
    if "version" in data:
        parse_policy(block.text)
        return
    for path in re.findall(r'"file:([^"]+)"', block.text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("not-a-secret\n", encoding="utf-8")
    if "case" in data or not all(isinstance(part, dict | list) for part in data.values()):
        return  # of a policy.toml, or keys of a table
    text = (ROOT / "signalbox.example.toml").read_text(encoding="utf-8")
    for name in data:
        text = re.sub(rf"^\[+{name}\]+\n(?:[^\[\n].*\n|\n)*", "", text, flags=re.MULTILINE)
    text += block.text
    (tmp_path / "signalbox.toml").write_text(text, encoding="utf-8")
    environ = environ_for(text)
    config.load(tmp_path / "signalbox.toml", environ)
    for table in data.get("backend", ()):
        config.backend_settings(table, plugins.load(table["kind"]).settings, tmp_path, environ)


@pytest.mark.parametrize("switched_on", [False, True], ids=["as it is", "everything switched on"])
def test_the_example_configuration_loads(tmp_path: Path, switched_on: bool) -> None:
    """signalbox.example.toml is loaded as it is, and with every switched-off line switched on."""
    text = (ROOT / "signalbox.example.toml").read_text(encoding="utf-8")
    if switched_on:
        text = re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)
    (tmp_path / "signalbox.toml").write_text(text, encoding="utf-8")
    for name in ("private-ca.pem", "client.pem", "client-key.pem"):
        (tmp_path / name).write_text("not-a-secret", encoding="utf-8")
    settings = config.load(tmp_path / "signalbox.toml", environ_for(text))
    for table in settings.backends:
        config.backend_settings(table, plugins.load(table["kind"]).settings, tmp_path, environ_for(text))
    if switched_on:
        assert set(tomllib.loads(text)["slack"]) == set(config.SlackSettings.model_fields)
        assert {table["kind"] for table in settings.backends} == set(plugins.kinds())


async def test_the_example_rules_keep_their_promises(program: Program, installed: Path) -> None:
    """policy.example.toml can be used as it is, without a warning, and every case of it comes out."""
    environ = environ_for((installed / "signalbox.toml").read_text(encoding="utf-8"))
    done = await program("policy", "test", "policy.toml", folder=installed, environ={**os.environ, **environ})
    assert (done.code, "warn" in done.out, "no [[case]] tables" in done.out) == (0, False, False), done.out


def test_the_manifest_file_is_what_the_program_registers() -> None:
    """manifest.yml equals the manifest that is made of the sources of requests."""
    assert yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8")) == manifest()


def test_the_policy_page_names_every_key() -> None:
    """docs/reference/policy.md has every key of every table of the rules."""
    page = (ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
    schema = policy_json_schema()
    tables = [schema, *schema["$defs"].values()]
    keys = {key for table in tables for key in table.get("properties", {})}
    missing = {key for key in keys if f"`{key}`" not in page and f"[{key}]" not in page and f".{key}]" not in page}
    assert not missing


def tracked() -> list[Path]:
    """Every file of the repository, those included that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


RIGHTS_GIVEN_UP = (
    *("UMask=0077", "LimitNOFILE=4096", "MemoryMax=1G", "NoNewPrivileges=yes", "PrivateTmp=yes", "ProtectHome=yes"),
    *("ProtectSystem=strict", "CapabilityBoundingSet=", "SystemCallFilter=@system-service", "RestrictRealtime=yes"),
)


def test_the_service_unit_is_hardened() -> None:
    """A file mask, limits, and no right that the program doesn't use: the unit is copied as it is."""
    page = (ROOT / "docs" / "how-to" / "install-socket-mode.md").read_text(encoding="utf-8")
    unit = [line.strip() for line in page.partition("[Service]")[2].partition("[Install]")[0].splitlines()]
    assert [line for line in RIGHTS_GIVEN_UP if line not in unit] == []
    assert "User=root" not in unit


def test_no_file_names_a_machine_or_a_registry() -> None:
    """No path of the machine on which it was written, and no address of a package index."""
    env = "|".join(("ho" + "me", "ro" + "ot", "wo" + "rk", "tm" + "p", "Use" + "rs", "mn" + "t"))
    machine = re.compile(rf"(?<![\w.*}}~/-])/(?:{env})/[\w.]")
    index = re.compile(
        "|".join(("py" + r"pi\.org", "python" + "hosted", r"https?://[^\s\"')]+/sim" + "ple", "npm" + r"js\.org"))
    )
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}: {match.group()}" for rule in (machine, index) for match in rule.finditer(text)
        ]
    assert not found
