"""`signalbox policy test|replay|schema`, entered by the command line's own function."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.cli import main
from bot.features.access.policy_reload import SETTLED, settled_rules
from bot.runtime.clock import SystemClock
from tests.world import OPEN_POLICY, World, world

CONFIG = """\
[slack]
team = "T0ACME"
bot_token = "env:NOT_THERE"
app_token = "env:NOT_THERE"

[[backend]]
name = "acc"
kind = "sequentum"
base_url = "https://acc.example.com"
token = "env:NOT_THERE"
"""
RULES = """\
version = 1

[groups]
crawl = ["U0ANA", "S0CRAWL"]
leads = ["S0LEADS"]
admins = ["U0ROOT"]

[[channel]]
id = "C0CRAWL"

  [[channel.allow]]
  verbs = ["risk:read"]
  targets = ["acc:*"]
  who = ["*"]

  [[channel.allow]]
  verbs = ["start", "retry"]
  targets = ["acc:shop/*"]
  who = ["crawl"]
  params = { production = [true] }

  [[channel.allow]]
  verbs = ["mark"]
  targets = ["acc:shop/*"]
  who = ["crawl"]
  approvals = { count = 1, from = ["leads"] }

  [[channel.deny]]
  verbs = ["start"]
  targets = ["acc:labs/*"]
  because = "ask Rui"

[breakglass]
who = ["admins"]

[administrators]
who = ["admins"]
"""


def case(who: str, say: str, expect: str, channel: str = "C0CRAWL") -> str:
    return f'\n[[case]]\nas = "{who}"\nin = "{channel}"\nsay = \'{say}\'\nexpect = "{expect}"\n'


class PolicyFolder:
    """A folder with rules, and the command line run in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def write(self, text: str, *, config: bool = True) -> None:
        """A file of an earlier time, which is tested at once."""
        file = self.folder / "policy.toml"
        file.write_text(text, encoding="utf-8")
        os.utime(file, (0, 0))
        if config:
            (self.folder / "signalbox.toml").write_text(CONFIG, encoding="utf-8")

    def run(self, action: str, *more: str) -> tuple[int, str]:
        """The exit code, and everything that was printed."""
        config = str(self.folder / "signalbox.toml")
        code = main.main(["policy", action, *(more or (str(self.folder / "policy.toml"),)), "--config", config])
        out, err = self._capsys.readouterr()
        return code, out + err


@pytest.fixture
def rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> PolicyFolder:
    return PolicyFolder(tmp_path, capsys)


@pytest.mark.parametrize(
    ("who", "say", "expect", "by"),
    [
        ("crawl", "start acc:shop/prices", "allowed", "C0CRAWL allow 2"),
        ("U0ANA", "retry acc:shop/prices@last method=Continue", "allowed", "C0CRAWL allow 2"),
        ("S0CRAWL", "rerun acc:shop/prices@failed", "allowed", "C0CRAWL allow 2"),
        ("crawl", "start acc:shop/prices production=false", "denied", "no rule"),
        ("crawl", "mark acc:shop/prices as=failed -- broken", "needs approval", "C0CRAWL allow 3"),
        ("crawl", "start acc:labs/slow", "denied", "C0CRAWL deny 1"),
        ("leads", "start acc:shop/prices", "denied", "no rule"),
        ("U0NEW", "status acc:shop/prices", "allowed", "C0CRAWL allow 1"),
        ("U0NEW", "logs acc:shop/prices@last", "denied", "no rule"),
        ("crawl", "help", "allowed", "built-in rule"),
        ("crawl", "audit prices", "allowed", "built-in rule"),
        ("crawl", "grant @lee start acc:shop/* for=2h", "denied", "[administrators]"),
        ("admins", "grant @lee start acc:shop/* for=2h", "allowed", "[administrators]"),
        ("admins", "breakglass for=30m", "allowed", "[breakglass]"),
    ],
)
def test_a_case_gets_the_answer_and_the_rule(rules: PolicyFolder, who: str, say: str, expect: str, by: str) -> None:
    """Each kind of answer comes out as the bot itself would give it, with the rule that decided."""
    rules.write(RULES + case(who, say, expect))
    code, output = rules.run("test")
    assert code == 0, output
    assert f"{say}: {expect} by {by}" in output
    assert "1 case, 0 with a different answer." in output


def test_a_channel_without_rules_denies(rules: PolicyFolder) -> None:
    """A case elsewhere is denied, and the answer names the channel."""
    rules.write(RULES + case("crawl", "start acc:shop/prices", "denied", "C0OTHER"))
    code, output = rules.run("test")
    assert (code, "denied by built-in rule" in output) == (0, True), output


def test_a_differing_case_exits_1_and_says_why(rules: PolicyFolder) -> None:
    """A case that comes out otherwise is named by line, with the rule's reason."""
    rules.write(RULES + case("leads", "start acc:shop/prices", "allowed"))
    code, output = rules.run("test")
    assert code == 1
    line = RULES.count("\n") + 2
    assert f"DIFF  line {line}: leads in C0CRAWL: start acc:shop/prices: denied by no rule, expected allowed" in output
    assert "closest is C0CRAWL allow 2" in output


@pytest.mark.parametrize("say", ["strat acc:shop/prices", "start acc:shop/prices colour=red", "start infa:x"])
def test_words_that_fit_nothing_differ_from_every_answer(rules: PolicyFolder, say: str) -> None:
    """A case with a mistyped verb, parameter or backend never passes, not even as denied."""
    rules.write(RULES + case("crawl", say, "denied"))
    code, output = rules.run("test")
    assert (code, "not understood, expected" in output) == (1, True), output


def test_cases_do_not_depend_on_the_calendar(rules: PolicyFolder) -> None:
    """A freeze that is in force now is told beside a case and changes no answer."""
    freeze = '\n[[freeze]]\nfrom = 2020-01-01T00:00:00Z\nuntil = 2099-01-01T00:00:00Z\nverbs = ["start"]\n'
    rules.write(RULES + freeze + case("crawl", "start acc:shop/prices", "allowed"))
    code, output = rules.run("test")
    assert (code, "Now it is denied by freeze 1" in output) == (0, True), output


def test_a_time_in_a_case_is_read_as_the_bot_reads_it(rules: PolicyFolder) -> None:
    """It is a moment on the clock of `[time] zone`, on which no day of the year has an effect; what is not a time is refused."""
    allow = '  [[channel.allow]]\n  verbs = ["schedule off"]\n  targets = ["acc:*"]\n  who = ["*"]\n'
    only = "  params = {{ until = [{}] }}\n"
    channel = 'version = 1\n[[channel]]\nid = "C0CRAWL"\n'
    for limit, until, expect in (
        ("18:00", "18:00", "denied"),
        ("2020-02-03T17:00Z", "2020-02-03T18:00", "allowed"),
        ("2020-02-03T18:00", "2020-02-03T18:00", "denied"),
        ("25:00", "25:00", "not understood"),
    ):
        say = f"schedule off acc:shop/prices until={until}"
        rules.write(
            channel + allow + only.format(f'"{limit}"') + case("U0ANA", say, expect.replace("not understood", "denied"))
        )
        (rules.folder / "signalbox.toml").write_text(f'{CONFIG}\n[time]\nzone = "Europe/Berlin"\n', encoding="utf-8")
        _, output = rules.run("test")
        assert f"{say}: {expect}" in output
    (rules.folder / "signalbox.toml").write_text(f'{CONFIG}\n[time]\nzone = "Europe/Berlim"\n', encoding="utf-8")
    code, output = rules.run("test")
    assert (code, "`Europe/Berlim` isn't a known time zone" in output) == (2, True), output


RUN_ID = "9040f86d-bbc1-4038-9868-501145cc2370"


@pytest.mark.parametrize("kind", ["run", "jobrun", "schedule"])
def test_a_run_by_its_id_is_covered_by_the_whole_backend_alone(rules: PolicyFolder, kind: str) -> None:
    """Its path is not known here: no rule of a path or of the id covers it, `acc:*` does, any deny may."""
    verb = "schedule start" if kind == "schedule" else "status" if kind == "jobrun" else "retry"
    say = f"{verb} acc:{kind}/{RUN_ID}"
    rule = '  [[channel.allow]]\n  verbs = ["retry", "status", "schedule start"]\n  targets = [{}]\n  who = ["*"]\n'
    channel = 'version = 1\n[[channel]]\nid = "C0CRAWL"\n'
    for targets, expect in (('"acc:shop/*"', "denied"), (f'"acc:{kind}/*"', "denied"), ('"acc:*"', "allowed")):
        rules.write(channel + rule.format(targets) + case("U0ANA", say, expect))
        code, output = rules.run("test")
        assert code == 0, output
        assert "Write the path instead" in output
    deny = '  [[channel.deny]]\n  verbs = ["*"]\n  targets = ["acc:labs/*"]\n'
    rules.write(channel + rule.format('"acc:*"') + deny + case("U0ANA", say, "denied"))
    assert rules.run("test")[0] == 0


def test_a_case_may_say_the_path_of_a_run(rules: PolicyFolder) -> None:
    """By what it belongs to; then the path's rule counts, and there is nothing to add."""
    rules.write(RULES + case("crawl", "retry acc:shop/prices@last", "allowed"))
    code, output = rules.run("test")
    assert (code, "belongs to" in output) == (0, False), output


def test_a_review_that_nobody_could_close_is_warned_of(rules: PolicyFolder) -> None:
    """One person in [breakglass] and [administrators] together; two accounts of one person are one."""
    rules.write(RULES)
    assert "nobody can review their own break-glass: name a second person" in rules.run("test")[1]
    rules.write(
        RULES.replace('admins = ["U0ROOT"]', 'admins = ["U0ROOT", "U0ROOT2"]\n[people]\nx = ["U0ROOT", "U0ROOT2"]')
    )
    assert "name a second person" in rules.run("test")[1]
    rules.write(RULES.replace('admins = ["U0ROOT"]', 'admins = ["U0ROOT", "U0LEE"]'))
    assert "warn" not in rules.run("test")[1]


def test_mistyped_names_are_warned_of(rules: PolicyFolder) -> None:
    """A deny of a verb or a backend that nobody has would forbid nothing: its line is named."""
    rules.write(RULES.replace('targets = ["acc:labs/*"]', 'targets = ["ac:labs/*"]'))
    code, output = rules.run("test")
    assert code == 0
    assert "no configured backend matches `ac:labs/*`" in output
    assert "The file has no [[case]] tables." in output


def test_without_a_configuration_the_usual_names_count(rules: PolicyFolder) -> None:
    """In CI there may be no signalbox.toml: every kind is there under the name that the documentation uses."""
    rules.write(RULES + case("crawl", "start acc:shop/prices", "allowed"), config=False)
    code, output = rules.run("test")
    assert (code, "acc (sequentum)" in output) == (0, True), output


@pytest.mark.parametrize("text", ["version = 1\n[[channel]]\nid = '#crawl-ops'\n", "not toml at all [", ""])
def test_a_file_that_cannot_be_used_exits_2(rules: PolicyFolder, text: str) -> None:
    """Broken rules are answered with their lines."""
    rules.write(text)
    code, output = rules.run("test")
    assert (code, "line 1" in output or "line 3" in output) == (2, True), output


def test_a_file_that_is_still_being_written_is_judged_when_it_is_whole(rules: PolicyFolder) -> None:
    """Cut exactly between two tables, it is valid: it counts once it has been the same for two seconds, as for the bot."""
    rules.write(RULES[: RULES.index("  [[channel.deny]]")])
    file, parts = rules.folder / "policy.toml", [RULES[RULES.index("  [[channel.deny]]") :], "# and a last line\n"]
    os.utime(file)

    def sleep(_: float) -> None:
        """The editor writes on meanwhile, and then no more."""
        more = parts.pop(0) if parts else ""
        file.write_text(file.read_text() + more)
        os.utime(file, None if more else (0, 0))

    assert settled_rules(file, SystemClock(), sleep).text == RULES + "# and a last line\n"
    os.utime(file)
    began = file.stat().st_mtime
    assert rules.run("test")[0] == 0
    assert SystemClock().now().timestamp() - began >= SETTLED


def test_misuse_exits_2(rules: PolicyFolder) -> None:
    """No file, a file that is not there, an unknown schema, a time that is none."""
    rules.write(RULES)
    assert rules.run("test", str(rules.folder / "missing.toml"))[0] == 2
    assert rules.run("schema", "slack")[0] == 2
    assert rules.run("replay", str(rules.folder / "policy.toml"), "--since", "soon")[0] == 2
    assert main.main(["policy", "test"]) == 2


def test_the_schema_of_the_rules_knows_every_table(rules: PolicyFolder) -> None:
    """Editors learn every key of policy.toml."""
    code, output = rules.run("schema", "policy")
    schema = json.loads(output)
    assert code == 0
    assert {"version", "groups", "channel", "freeze", "breakglass", "administrators", "people", "case"} == set(
        schema["properties"]
    )


def test_the_schema_of_the_configuration_takes_references_for_secrets(rules: PolicyFolder) -> None:
    """Editors learn every key of signalbox.toml; a secret is a reference and nothing else."""
    code, output = rules.run("schema", "config")
    schema = json.loads(output)
    slack = schema["properties"]["slack"]["properties"]
    assert code == 0
    assert {"slack", "store", "policy", "time", "network", "backend"} == set(schema["properties"])
    assert slack["bot_token"]["anyOf"][0]["pattern"].startswith("^(env:")
    assert {"const": "sequentum"} in [
        kind["properties"]["kind"] for kind in schema["properties"]["backend"]["items"]["anyOf"]
    ]


@pytest.fixture
async def guested(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which the guest may look: what he is denied then has its exact target in the audit log."""
    allow = '[[channel.allow]]\nverbs = ["status"]\ntargets = ["*"]\nwho = ["U0GUEST"]\n'
    async with world(tmp_path, policy=OPEN_POLICY.replace("[administrators]", f"{allow}[administrators]")) as made:
        yield made


async def test_a_replay_says_who_gains_and_who_loses(
    guested: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What Ana did and the guest was denied is decided again by a new file, with Slack's user groups of now."""
    env = guested
    for name, value in env.environ.items():
        monkeypatch.setenv(name, value)
    await env.does("status acc:shop/prices", "Succeeded")
    await env.does("schedule off acc:shop/prices -- closed", "are off")
    await env.say("start acc:shop/prices", user="U0GUEST")
    await env.until(lambda: "denied" in env.events("start"))
    new = tmp_path / "new.toml"
    new.write_text(
        RULES.replace('who = ["crawl"]', 'who = ["U0GUEST"]', 1).replace("acc:*", "acc:news/*", 1), encoding="utf-8"
    )
    config = str(env.folder / "signalbox.toml")
    code = await asyncio.to_thread(main.main, ["policy", "replay", str(new), "--config", config, "--since", "1h"])
    output = capsys.readouterr().out
    assert code == 0
    assert "3 requests of the last 1h decided again. Those under a grant or break-glass are left out." in output
    assert "gains   U0GUEST in C0CRAWL: start acc:shop/prices: denied -> allowed by C0CRAWL allow 2" in output
    assert "loses   U0ANA in C0CRAWL: schedule off acc:shop/prices: allowed -> denied by no rule" in output
    assert "1 gain, 2 lose, 0 unclear." in output
