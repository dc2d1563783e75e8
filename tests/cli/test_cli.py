"""The command line, as a program of its own against a running workspace."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Awaitable
from pathlib import Path

import click
import pytest

from bot.cli.commands import cli
from bot.cli.main import HELP
from bot.slack.manifest import manifest_text
from tests.cli.program import Ended, Program, one_line
from tests.fork_server import RUNNING, ForkServer
from tests.scenarios.team import deciding
from tests.world import OPEN_POLICY, World, world

ROOT = Path(__file__).parents[2]
HEAVY = ("slack_bolt", "slack_sdk", "httpx", "aiohttp", "sqlite_utils", "sqlite3", "pydantic", "yaml")


@pytest.mark.parametrize("words", [["--help"], ["audit", "search", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        f"import sys; from bot.cli.main import main\nassert main({words!r}) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage: signalbox" in done.stdout


def test_the_help_that_is_printed_without_click_is_the_one_of_click() -> None:
    context = click.Context(cli, info_name="signalbox", terminal_width=80, max_content_width=80)
    assert context.get_help() + "\n" == HELP


def test_a_shell_completes_commands_and_options() -> None:
    for words, expected in (("signalbox po", "policy"), ("signalbox audit search --ev", "--event")):
        environ = {**os.environ, "_SIGNALBOX_COMPLETE": "bash_complete", "COMP_WORDS": words}
        environ["COMP_CWORD"] = str(len(words.split()) - 1)
        done = subprocess.run(
            [sys.executable, "-m", "bot"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )
        assert expected in done.stdout, done


MODULE, FUNCTION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["signalbox"].split(":")
INSTALLED = (("-m", "bot"), ("-c", f"import sys; from {MODULE} import {FUNCTION}; sys.exit({FUNCTION}())"))


@pytest.mark.parametrize("installed", INSTALLED, ids=["module", "script"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("policy", "schema"), 0),
        (("policy", "test", "policy.toml"), 1),
        (("dance",), 2),
        (("run",), 2),
        (("policy", "test", "missing.toml"), 2),
    ],
)
def test_the_command_as_it_is_installed_ends_with_the_documented_code(
    installed: tuple[str, ...], arguments: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    """A process of its own, from its first line to its exit code: done, not done, misused. The script is what pip makes of it."""
    rules = f'{OPEN_POLICY}\n[[case]]\nas = "leads"\nin = "C0CRAWL"\nsay = "start acc:shop/prices"\nexpect = "denied"\n'
    (tmp_path / "policy.toml").write_text(rules, encoding="utf-8")
    os.utime(tmp_path / "policy.toml", (0, 0))  # an older file is not waited for
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *installed, *arguments],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr


MISUSES: tuple[tuple[str, ...], ...] = ((), ("dance",), ("do",), ("do", "help"), ("audit", "burn"), ("run", "--what"))


@pytest.mark.parametrize("arguments", MISUSES)
async def test_misuse_is_exit_code_two(program: Program, arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert (await program(*arguments, folder=tmp_path)).code == 2


async def test_a_config_that_is_not_there_is_one_line(program: Program, tmp_path: Path) -> None:
    assert "signalbox.toml" in one_line(await program("run", folder=tmp_path))
    checked = await program("check", folder=tmp_path)
    assert (checked.code, checked.out.startswith("FAIL  signalbox.toml: no such file")) == (2, True), checked


async def test_each_thing_that_keeps_the_bot_from_starting_is_one_line(program: Program, tmp_path: Path) -> None:
    """Secret, key, policy, database, kind, token, port."""
    async with world(tmp_path) as env:
        text = (tmp_path / "signalbox.toml").read_text()
        port = env.bot.connections.address[1]
        cases = {
            "SLACK_BOT_TOKEN": (text, env.environ | {"SLACK_BOT_TOKEN": ""}),
            "colour": (text.replace("[store]", '[store]\ncolour = "red"'), env.environ),
            "nowhere.toml": (text.replace("policy.toml", "nowhere.toml"), env.environ),
            "the rules can't be used: line 3": (text.replace("policy.toml", "broken.toml"), env.environ),
            "nosuchkind": (text.replace("sequentum", "nosuchkind"), env.environ),
            "invalid_auth": (text, env.environ | {"SLACK_BOT_TOKEN": "xoxb-wrong-not-a-secret"}),
            "app token": (text, env.environ | {"SLACK_APP_TOKEN": "xapp-wrong-not-a-secret"}),
            "T0OTHER": (text.replace("T0ACME", "T0OTHER"), env.environ),
            "cannot listen": (text.replace("127.0.0.1:0", f"127.0.0.1:{port}"), env.environ),
        }
        (tmp_path / "broken.toml").write_text("version = 1\n[[channel]]\nid = 5\n")
        (tmp_path / "folder.db").mkdir()
        made = []
        for number, (word, (changed, environ)) in enumerate(cases.items()):
            name = f"case{number}.toml"
            (tmp_path / name).write_text(changed.replace("///signalbox.db", f"///case{number}.db"))
            made.append((word, program("run", "--config", name, folder=tmp_path, environ=environ)))
        (tmp_path / "dir.toml").write_text(text.replace("///signalbox.db", "///folder.db"))
        made.append(("signalbox: ", program("run", "--config", "dir.toml", folder=tmp_path, environ=env.environ)))
        (tmp_path / "nodir.toml").write_text(text.replace("///signalbox.db", "///none/x.db"))
        made.append(("signalbox: ", program("run", "--config", "nodir.toml", folder=tmp_path, environ=env.environ)))
        made.append(("signalbox: ", program("run", folder=tmp_path, environ=env.environ)))
        for batch in (made[:4], made[4:8], made[8:]):
            for (word, _), ended in zip(batch, await asyncio.gather(*(work for _, work in batch)), strict=True):
                line = one_line(ended)
                assert word in line, (word, line)
                assert "not-a-secret" not in ended.err


async def test_everything_that_keeps_the_bot_from_starting_is_told_at_once(program: Program, tmp_path: Path) -> None:
    """Mistyped keys, missing tokens and faults of the control planes; and when the rest is well, those of the rules as well."""
    table = '[[backend]]\nname = "two"\nkind = "sequentum"\nbase_url = "http://10.9.9.9:1"\ntoken = "env:NONE"\n'
    (tmp_path / "signalbox.toml").write_text(
        f'[slack]\nteam = "T0ACME"\nbot_token = "env:BOT"\napp_token = "env:APP"\n[polcy]\n{table}'
    )
    ended = await program("run", folder=tmp_path)
    assert ended.code == 2
    for part in (
        "unknown key `polcy`",
        "variable BOT",
        "variable APP",
        "[backend two] base_url",
        "[backend two] token",
    ):
        assert part in ended.err, ended
    (tmp_path / "signalbox.toml").write_text(
        f'[slack]\nteam = "T0ACME"\nbot_token = "env:BOT"\napp_token = "env:APP"\n{table}'
    )
    (tmp_path / "policy.toml").write_text("version = 1\n[[channel]]\nid = 5\n")
    environ = {"BOT": "xoxb-fake-not-a-token", "APP": "xapp-fake-not-a-token"}
    ended = await program("run", folder=tmp_path, environ=environ)
    assert ended.code == 2
    for part in ("[backend two] base_url", "[backend two] token", "the rules can't be used: line 3"):
        assert part in ended.err, ended


async def test_run_starts_is_ready_and_stops_on_a_signal(fork_server: ForkServer, tmp_path: Path) -> None:
    printed = tmp_path / "printed"
    printed.touch()
    async with world(tmp_path) as env:
        await env.bot.close()
        pid = fork_server.order(arguments=["run"], folder=str(tmp_path), environ=dict(env.environ), err=str(printed))

        def is_ready() -> bool:
            assert fork_server.order(ended=pid) == RUNNING, printed.read_text()
            return "ready:" in printed.read_text()

        await env.until(is_ready, timeout=60)
        await env.ana.command("C0CRAWL", "/ops whoami")  # a process without a processor may ack late
        await env.sees("Who you are here", "U0ANA", timeout=60)
        os.kill(pid, signal.SIGTERM)
        assert await fork_server.ended(pid, within=60) == 0
        assert "Traceback" not in printed.read_text()
        assert "not-a-secret" not in printed.read_text()


class Forgotten(set[str]):
    """The tickets of websockets, none of which is valid."""

    def add(self, ticket: str) -> None: ...


async def test_a_signal_ends_a_start_that_waits_for_slack(fork_server: ForkServer, tmp_path: Path) -> None:
    """The websocket can't be opened, which slack_sdk tries again without end."""
    printed = tmp_path / "printed"
    printed.touch()
    async with world(tmp_path) as env:
        await env.bot.close()
        env.ws.core.tickets = Forgotten()
        pid = fork_server.order(arguments=["run"], folder=str(tmp_path), environ=dict(env.environ), err=str(printed))
        await env.until(lambda: "Failed to connect" in printed.read_text(), timeout=60)
        os.kill(pid, signal.SIGTERM)
        assert await fork_server.ended(pid, within=60) == 0, printed.read_text()
        assert "ready:" not in printed.read_text()


async def test_do_and_why_are_the_same_pipeline_and_rules(program: Program, env: World) -> None:
    place = ("--channel", "C0CRAWL", "--user")
    asked = [
        program("do", "status acc:shop/prices", *place, "U0ANA", folder=env.folder, environ=env.environ),
        program("do", "start acc:shop/prices -- by hand", *place, "U0ANA", folder=env.folder, environ=env.environ),
        program("do", "start acc:shop/prices", *place, "U0GUEST", folder=env.folder, environ=env.environ),
        program("do", "strat acc:shop/prices", *place, "U0ANA", folder=env.folder, environ=env.environ),
        program("why", "start acc:shop/prices", *place, "U0GUEST", folder=env.folder, environ=env.environ),
        program("why", "strat acc:shop/prices", *place, "U0ANA", folder=env.folder, environ=env.environ),
    ]
    ended = [*await asyncio.gather(*asked[:3]), *await asyncio.gather(*asked[3:])]
    status, start, _, _, why, _ = ended
    assert [one.code for one in ended] == [0, 0, 1, 2, 1, 2], ended
    assert "shop/prices" in status.out
    assert "guest" in why.out
    slack_app = {(entry.source, str(entry.event)) for entry in env.audit() if entry.verb == "start"}
    assert {("terminal", "requested"), ("terminal", "sent"), ("terminal", "done"), ("terminal", "denied")} <= slack_app
    assert "not-a-secret" not in start.out + start.err + why.out


async def test_people_whom_a_reason_mentions_have_their_names_in_the_terminal(program: Program, env: World) -> None:
    """Slack shows a mention as a name; a terminal shows the name that Slack tells, or the id."""
    asked = "status acc:shop/prices -- for <@U0LEE> and <@U0NOBODYX>"
    place = ("--channel", "C0CRAWL", "--user", "U0ANA")
    ended = await program("do", asked, *place, folder=env.folder, environ=env.environ)
    lee = env.ws.core.state.users["U0LEE"].real_name
    assert f"for @{lee} and @U0NOBODYX" in ended.out, ended
    assert ended.out.count("@Ana") == 1, ended
    assert "<@" not in ended.out


async def test_a_search_of_everything_names_those_who_are_mentioned(program: Program, env: World) -> None:
    """As in a message: `@` and the name, in every column."""
    await env.does("status acc:shop/prices -- for <@U0LEE>", "status acc:shop/prices")
    await env.does("audit user=<@U0LEE>", "Audit log")
    await env.does("whoami", "Who you are here", user="U0LEE")  # the bot has seen the name then
    found = await program("audit", "search", "*", folder=env.folder, environ=env.environ)
    lee = env.ws.core.state.users["U0LEE"].real_name
    assert (found.code, "<@" in found.out) == (0, False), found
    assert f"for @{lee}" in found.out
    assert f"user=@{lee}" in found.out


async def test_why_of_a_person_whom_slack_does_not_know_says_so(program: Program, env: World) -> None:
    place = ("--channel", "C0CRAWL", "--user", "U0NOBODY")
    told = await program("why", "start acc:shop/prices", *place, folder=env.folder, environ=env.environ)
    assert (told.code, "Slack doesn't say who @U0NOBODY is" in told.out) == (1, True), told


async def test_channels_have_the_names_that_the_bot_has_seen_in_the_terminal(program: Program, env: World) -> None:
    """As in the list of the audit log; a channel that it has not seen keeps its id."""
    place = ("--channel", "C0CRAWL", "--user", "U0ANA")
    await env.does("status acc:shop/prices", "status acc:shop/prices")
    asked = "status acc:shop/prices -- as in <#C0NOTSEEN>"
    denied = await program("why", "start acc:shop/prices", *place, folder=env.folder, environ=env.environ)
    reason = await program("do", asked, *place, folder=env.folder, environ=env.environ)
    assert "#crawl-ops allow" in denied.out, denied
    assert "C0CRAWL" not in denied.out
    assert "#C0NOTSEEN" in reason.out, reason


async def test_a_byte_that_is_not_utf_8_is_replaced_and_recorded(program: Program, env: World) -> None:
    """A Latin-1 terminal sends the byte 0xEF, which Python keeps as half a surrogate pair."""
    place = ("--channel", "C0CRAWL", "--user", "U0ANA")
    asked = "status acc:shop/prices -- na\udcefve"
    status = await program("do", asked, *place, folder=env.folder, environ=env.environ)
    search = await program("audit", "search", "na\udcefve", folder=env.folder, environ=env.environ)
    assert (status.code, status.err, search.code, search.err) == (0, "", 0, ""), (status, search)
    assert any(entry.reason == "na\ufffdve" for entry in env.audit())


async def test_control_characters_of_others_are_shown_and_not_sent_to_the_terminal(
    program: Program, env: World
) -> None:
    await env.does("status acc:shop/\x1b]0;gone\x07\u202eprices", "Nothing was done")
    found = await program("audit", "search", "prices", folder=env.folder, environ=env.environ)
    assert found.code == 0
    assert "<U+202E>" in found.out
    assert "\x1b" not in found.out
    assert "\u202e" not in found.out


def column(printed: str, name: str) -> list[str]:
    """The cells of a column of an aligned table."""
    head, *rows = printed.splitlines()
    start = head.index(name)
    return [row[start:].split("  ")[0].strip() for row in rows]


async def test_an_audit_search_has_the_zone_of_the_terminal_and_names_and_finds_a_person_by_name(
    program: Program, env: World
) -> None:
    """Names are those that the bot has seen; a channel has its name too."""
    await env.does("status acc:shop/prices", "status acc:shop/prices")
    await env.does("history acc:shop/prices", "history acc:shop/prices", user="U0LEE")
    await env.until(lambda: "done" in env.events("history"))
    environ = {**env.environ, "TZ": "Asia/Kathmandu"}

    def search(*options: str) -> Awaitable[Ended]:
        return program("audit", "search", *options, folder=env.folder, environ=environ)

    few = await search("--count", "2")
    assert len(column(few.out, "When")) == 2
    assert "older entries match too; see them with --count 4" in few.err
    every, lee, by_lee, none, ana, nobody, lately, longer = await asyncio.gather(
        search(),
        search("--user", "@lee"),
        search("by", "lee", "since", "yesterday"),
        search("denied", "today"),
        search("--user", "U0ANA"),
        search("--user", "@nobody"),
        search("--since", "1h"),
        search("--since", "long"),
    )
    assert lately.out == every.out
    assert "older entries" not in every.err
    assert (longer.code, "--since: " in longer.err) == (2, True)
    assert set(column(lee.out, "Who")) == {"Lee Ling"}
    assert by_lee.out == lee.out
    assert "no matching audit entries for denied since" in none.err
    assert set(column(lee.out, "Where")) == {"crawl-ops"}
    assert set(column(ana.out, "Who")) == {"Ana Alves"}
    assert all(one.endswith(" +0545") for one in column(every.out, "When"))
    assert (nobody.code, "has seen no person called nobody" in nobody.err) == (2, True)


async def test_the_audit_log_is_searched_exported_and_verified(program: Program, env: World) -> None:
    await env.does("start acc:shop/prices -- =evil()", "start acc:shop/prices")
    await env.until(lambda: "done" in env.events("start"))
    run = [
        program("audit", "search", "shop", folder=env.folder, environ=env.environ),
        program("audit", "verify", folder=env.folder, environ=env.environ),
        program("audit", "export", "--output", "a.csv", folder=env.folder, environ=env.environ),
    ]
    search, verify, exported = await asyncio.gather(*run)
    assert (search.code, verify.code, exported.code) == (0, 0, 0), (search, verify, exported)
    assert "acc:shop/prices" in search.out
    assert "the chain is intact" in verify.out
    rows = list(csv.DictReader(io.StringIO((env.folder / "a.csv").read_text(encoding="utf-8"))))
    assert {"requested", "sent", "done"} <= {row["event"] for row in rows}
    assert not [row["reason"] for row in rows if row["reason"].startswith("=")]
    lines, bad, unwritable, no_file = await asyncio.gather(
        program("audit", "export", "--format", "jsonl", "--output", "a.jsonl", folder=env.folder, environ=env.environ),
        program("audit", "verify", "--head", "1:" + "0" * 64, folder=env.folder, environ=env.environ),
        program("audit", "export", "--output", "none/a.csv", folder=env.folder, environ=env.environ),
        program("audit", "export", folder=env.folder, environ=env.environ),
    )
    assert (lines.code, bad.code, unwritable.code, no_file.code) == (0, 1, 1, 2)
    assert [row.detail for row in env.audit(event="exported")] == ["csv to a.csv", "jsonl to a.jsonl"]
    again = await program("audit", "export", "--output", "a.csv", folder=env.folder, environ=env.environ)
    assert ("in place of" in exported.out, "in place of the earlier file" in again.out) == (False, True)
    folder = await program("audit", "export", "--output", ".", folder=env.folder, environ=env.environ)
    assert (folder.code, len(env.audit(event="exported"))) == (1, 3), folder
    found = [json.loads(line) for line in (env.folder / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["seq"] for row in found] == list(range(1, len(found) + 1))
    assert any(row["event"] == "exported" for row in found)
    loaded, nothing, odd = await asyncio.gather(
        program("audit", "search", "--event", "policy_loaded", folder=env.folder, environ=env.environ),
        program("audit", "search", "nowhere-to-be-found", folder=env.folder, environ=env.environ),
        program("audit", "search", "--event", "loaded", folder=env.folder, environ=env.environ),
    )
    assert (loaded.code, nothing.code, odd.code) == (0, 0, 2)
    assert set(column(loaded.out, "Event")) == {"policy_loaded"}
    assert env.bot.rules.now.policy.version in loaded.out
    assert (nothing.out, "no matching audit entries" in nothing.err) == ("", True)
    assert "policy_loaded" in odd.err


async def test_the_entries_of_one_incident_are_found_by_its_name(program: Program, env: World) -> None:
    """Only those that were written while it was open there."""
    await env.does("status acc:shop/prices", "status acc:shop/prices")
    await env.does("incident open INC-42 -- checkout is down", "Incident INC-42")
    await env.does("logs acc:shop/prices@last", "Log of shop/prices")
    await env.until(lambda: "done" in env.events("logs"))
    found = await program("audit", "search", "--incident", "INC-42", folder=env.folder, environ=env.environ)
    assert found.code == 0
    typed = await program("audit", "search", "--incident", "inc-42", folder=env.folder, environ=env.environ)
    assert typed.out == found.out
    assert set(column(found.out, "Event")) == {"incident_opened", "requested", "done"}
    assert "logs" in found.out
    assert "status" not in found.out
    await env.does("incident close -- prices restored", "INC-42 is closed")
    closed = await program("audit", "search", "prices restored", folder=env.folder, environ=env.environ)
    assert "close. prices restored" in column(closed.out, "Detail")


async def test_what_a_timer_asked_for_is_told_in_words_and_in_nobodys_name(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deciding(tmp_path, monkeypatch) as team:
        env = team.env
        await env.say("grant @lee start acc:news/* for=1h -- covering", user="U0ROOT")
        await env.sees("Granted: start on")
        team.later(hours=2)
        await env.until(lambda: [row for row in env.audit() if row.verb == "due grant"])
        found = await program("audit", "search", "due", folder=env.folder, environ=env.environ)
    assert column(found.out, "What") == ["end of a grant"]
    assert column(found.out, "Who") == ["Signalbox"]
    assert "g-1" not in found.out


async def test_a_head_that_is_none_is_a_misuse(program: Program, env: World) -> None:
    for head in ("x", "12", "12:abc"):
        ended = await program("audit", "verify", "--head", head, folder=env.folder, environ=env.environ)
        assert ended.code == 2
        assert "SEQ:HASH" in one_line(ended)
        assert "BROKEN" not in ended.out


async def test_the_manifest_is_printed_with_and_without_a_configuration(
    program: Program, env: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = (env.folder / "signalbox.toml").read_text().replace("[slack]", '[slack]\ncommand = "/box"')
    (env.folder / "box.toml").write_text(text)
    empty = tmp_path_factory.mktemp("empty")
    plain, http, named = await asyncio.gather(
        program("manifest", folder=empty),
        program("manifest", "--url", "https://ops.example.com/slack/events", folder=empty),
        program("manifest", "--config", "box.toml", folder=env.folder),  # before there is any token
    )
    assert plain.out == manifest_text()
    assert http.out == manifest_text(url="https://ops.example.com/slack/events")
    assert named.out == manifest_text(command="/box")
    for address in ("http://ops.example.com/slack/events", "https://ops.example.com"):
        refused = await program("manifest", "--url", address, folder=empty)
        assert (refused.code, refused.out) == (2, "")
        assert "like https://" in refused.err
