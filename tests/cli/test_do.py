"""`signalbox do`: the same path as in Slack, without buttons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot import config, plugins
from bot.cli.do import do
from bot.core.command.capability import Risk
from bot.core.masking.redact import redact
from bot.operations import asking
from bot.playground.planes.sequentum import Script
from tests.backends.contract_samples import SAMPLES
from tests.backends.contract_stand import wire_of
from tests.cli.program import Ended, Program
from tests.world import OPEN_POLICY, World, labels, shown, stored, world

PLACE = ("--channel", "C0CRAWL", "--user", "U0ANA")


async def ran(program: Program, env: World, command: str, *options: str) -> Ended:
    return await program("do", command, *PLACE, *options, folder=env.folder, environ=env.environ)


@pytest.mark.parametrize("kind", sorted(SAMPLES))
async def test_yes_runs_every_dangerous_command(program: Program, kind: str, tmp_path: Path) -> None:
    samples = SAMPLES[kind]
    async with world(tmp_path, only=(samples.name,)) as env:
        plane = env.planes[samples.name]
        words = samples.prepare(plane)
        rows = [row for row in plugins.load(kind).spec.capabilities if row.risk is Risk.DANGER]
        assert rows
        for row in rows:
            sample = samples.rows[row.verb, row.target]
            for typed in (*sample.first, sample.typed):
                before = len(plane.requests)
                ended = await ran(program, env, typed.format(**words), "--yes")
                assert ended.code == 0, ended
                asked = [entry.request_id for entry in env.audit() if str(entry.event) == "requested"][-1]
                rows = env.audit(request_id=asked)
                words["run"] = rows[-1].backend_ref or words.get("run", "")
            assert any(re.search(sample.wire, wire_of(one)) for one in plane.requests[before:]), ended
            assert [str(entry.event) for entry in rows[:2]] == ["requested", "sent"], rows


async def test_without_yes_a_dangerous_command_shows_what_it_would_do_and_ends(program: Program, env: World) -> None:
    ended = await ran(program, env, "input clear acc:shop/stock")
    assert ended.code == 1
    assert "What happens" in ended.out
    assert "Pass --yes to run it." in ended.out.replace("`", "")
    assert [entry.code for entry in env.audit() if str(entry.event) == "abandoned"] == ["not_confirmed"]
    assert not await env.bot.store.pending_decisions(state="open")
    assert not [one for one in env.acc.requests if one.method == "DELETE"]


async def test_of_a_slow_answer_only_the_answer_is_printed(
    env: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(asking, "AFTER", 0.2)
    monkeypatch.chdir(tmp_path)
    await env.acc.set_fault({"fault": "delay", "seconds": 1, "match": "GET"})
    lines: list[str] = []
    settings = config.load(env.folder / "signalbox.toml", env.environ)
    code = await do(settings, env.environ, "status acc:shop/prices", "C0CRAWL", "U0ANA", yes=False, say=lines.append)
    assert (code, "Succeeded" in lines[0], "Asking" in str(lines)) == (0, True, False), lines


async def test_a_command_that_failed_or_whose_outcome_is_unknown_ends_with_1(program: Program, env: World) -> None:
    await env.acc.set_fault({"fault": "500", "match": "history"})
    failed = await ran(program, env, "history acc:shop/prices")
    assert (failed.code, "Couldn't be read" in failed.out) == (1, True), failed
    await env.acc.set_fault({"fault": "drop_before", "match": "POST .*/start$"})
    unknown = await ran(program, env, "start acc:shop/prices")
    assert (unknown.code, "Unknown" in unknown.out) == (1, True), unknown
    assert str(env.audit(event="unknown")[-1].verb) == "start"


async def test_what_was_done_from_the_terminal_is_told_apart_from_what_the_person_did(
    program: Program, env: World
) -> None:
    """In the audit log in Slack and in the terminal, on the card, and in the timeline, its files and the report of an incident:
    whoever has a shell there may name anyone."""
    told = "from the terminal as <@U0ANA>"
    await env.does("incident open INC-42 -- feed is down", "Incident INC-42", user="U0LEE")
    ended = await ran(program, env, "schedule off acc:shop/prices for=1h -- fix")
    assert "From the terminal as @Ana Alves: fix" in ended.out, ended
    audit = shown(await env.does("audit user=@ana", "Audit log", user="U0ROOT")).replace("\n", "")
    assert audit.count(told) >= 3, audit
    timeline = shown(await env.does("timeline", "Timeline of INC-42 since", user="U0LEE"))
    assert f"schedule off acc:shop/prices paused · {told} · " in timeline
    found = await program("audit", "search", "prices", folder=env.folder, environ=env.environ)
    assert "from the terminal as Ana Alves" in found.out, found
    report = shown(await env.does("incident close", "INC-42 is closed", user="U0LEE"))
    assert f"{told} `schedule off acc:shop/prices for=1h` (fix): paused" in report
    assert f", {told}" in report[report.index("*People:*") :]
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.thread_ts} or None)
    for name in ("timeline.md", "timeline.csv"):
        assert "from the terminal as U0ANA" in files[name].bytes.decode()


async def test_an_approver_reads_that_it_was_asked_for_from_the_terminal(program: Program, tmp_path: Path) -> None:
    ask = 'approvals = { count = 1, from = ["leads"], in = "C0APPR" }\n'
    async with world(tmp_path, policy=OPEN_POLICY.replace("[administrators]", ask + "[administrators]")) as env:
        await ran(program, env, "start acc:shop/prices")
        asked = "<@U0ANA> (from the terminal) wants to run `start acc:shop/prices`"
        await env.sees(asked, user="U0LEE", channel="C0APPR", timeout=40)
        listed = shown(await env.does("approvals", "Waiting for approval", "start acc:shop/prices", user="U0LEE"))
        assert re.search(r"<@U0ANA>\s+\(from the terminal\)", listed), listed
        lee = env.person("U0LEE")
        await lee.open_home()
        await lee.wait_for(lambda one: "for <@U0ANA> (from the terminal)" in shown(one.home() or {}))


async def test_ids_and_rules_are_printed_when_they_are_asked_for(program: Program, env: World) -> None:
    plain = await ran(program, env, "status acc:shop/prices")
    assert "@Ana Alves" in plain.out
    assert not re.search("<[@#!]|U0ANA", plain.out)
    verbose = await ran(program, env, "status acc:shop/prices", "--verbose")
    assert not re.search(r"r-[0-9a-z]{14}", plain.out)
    assert re.search(r"Request +r-[0-9a-z]{14}", verbose.out)
    assert "#crawl-ops allow 1" in verbose.out
    why = await program("why", "start acc:shop/prices", *PLACE, folder=env.folder, environ=env.environ)
    assert "#crawl-ops allow 1" in why.out
    assert not re.search("<[@#!]", why.out)


async def test_yes_does_not_replace_an_approval(program: Program, tmp_path: Path) -> None:
    ask = 'approvals = { count = 1, from = ["leads"], in = "C0APPR" }\n'
    async with world(tmp_path, policy=OPEN_POLICY.replace("[administrators]", ask + "[administrators]")) as env:
        ended = await ran(program, env, "input clear acc:shop/stock", "--yes")
        assert ended.code == 1, ended
        assert "Waiting for approval" in ended.out
        assert not [one for one in env.acc.requests if one.method == "DELETE"]
        await env.sees("input clear acc:shop/stock", user="U0LEE", channel="C0APPR", timeout=40)
        for user in ("U0ANA", "U0RUI", "U0LEE"):  # again, by the requester, a person who joins, and one who may decide
            place = ("--channel", "C0CRAWL", "--user", user)
            again = await program(
                "do", "input clear acc:shop/stock", *place, "--yes", folder=env.folder, environ=env.environ
            )
            assert (again.code, "already asked for this" in again.out) == (1, True), again


async def test_why_and_replay_need_no_token_of_slack(program: Program, env: World) -> None:
    """Without Slack a person counts as a full member, and a rule for a user group is not guessed."""
    await env.does("start acc:shop/prices", "start acc:shop/prices")
    environ = {name: value for name, value in env.environ.items() if not name.startswith("SLACK")}
    rules = (env.folder / "policy.toml").read_text().replace('["crawl", "leads", "admins"]', '["*"]')
    (env.folder / "open.toml").write_text(rules)
    text = (env.folder / "signalbox.toml").read_text()
    (env.folder / "open-box.toml").write_text(text.replace('"policy.toml"', '"open.toml"'))

    async def why(config: str) -> Ended:
        command = ("why", "start acc:shop/prices", *PLACE, "--config", config)
        return await program(*command, folder=env.folder, environ=environ)

    unknown, allowed = await why("signalbox.toml"), await why("open-box.toml")
    assert (unknown.code, allowed.code) == (1, 0), (unknown, allowed)
    assert "Slack can't be asked" in unknown.out
    replayed = await program("policy", "replay", "open.toml", folder=env.folder, environ=environ)
    assert replayed.code == 0, replayed
    assert "Slack can't be asked" in replayed.out


async def test_bytes_that_are_not_utf_8_are_replaced(program: Program, env: World) -> None:
    ended = await ran(program, env, "start acc:shop/prices -- Gr\udcfc\udcdfe")
    assert "Traceback" not in ended.err
    assert ended.code == 0, ended
    assert "Gr\ufffd\ufffde" in {entry.reason for entry in env.audit()}


async def test_a_configured_secret_in_a_command_is_neither_stored_nor_printed(program: Program, tmp_path: Path) -> None:
    """Masked by value on the approvers' card in the store, in the request and in the terminal."""
    ask = 'approvals = { count = 1, from = ["leads"], in = "C0APPR" }\n'
    async with world(tmp_path, policy=OPEN_POLICY.replace("[administrators]", ask + "[administrators]")) as env:
        secret = max(
            (value for value in env.bot.built.secrets if not redact(value)[1]), key=len
        )  # known by value alone
        ended = await ran(program, env, f"start acc:shop/prices -- about {secret} here")
        assert "Waiting for approval" in ended.out
        assert secret not in ended.out + ended.err
        messages = await env.bot.store.database.read(lambda db: str(db.execute("SELECT * FROM messages").fetchall()))
        assert "about [redacted] here" in messages
        assert secret not in messages


async def test_a_configured_secret_in_a_finished_command_is_not_in_the_store(program: Program, env: World) -> None:
    secret = max((value for value in env.bot.built.secrets if not redact(value)[1]), key=len)  # known by value alone
    ended = await ran(program, env, f"start acc:shop/prices -- about {secret} here")
    assert ended.code == 0, ended
    tables = await stored(env.bot.store)
    assert secret not in tables


@pytest.mark.parametrize(
    ("channel", "user"), [("#crawl-ops", "U0ANA"), ("C0CRAWL", "ana"), ("C0CRAWL", "@ana"), ("", "U0ANA")]
)
async def test_names_in_place_of_ids_are_a_misuse(program: Program, env: World, channel: str, user: str) -> None:
    ended = await program(
        "do", "status acc:shop/prices", "--channel", channel, "--user", user, folder=env.folder, environ=env.environ
    )
    assert ended.code == 2
    assert "is not an id of Slack" in ended.err
    assert not env.events("status")


async def test_a_built_in_command_that_changed_something_ends_with_0(program: Program, env: World) -> None:
    """Also one whose card goes to the channel or is a warning."""

    async def code(command: str, user: str = "U0ROOT") -> int:
        place = ("--channel", "C0CRAWL", "--user", user)
        return (await program("do", command, *place, folder=env.folder, environ=env.environ)).code

    for command in (
        "grant U0ANA start acc:labs/slow for=5m -- covering",
        "breakglass for=5m -- the approvers are away",
        "incident open INC-42 -- checkout is down",
        "incident",
        "incident close -- prices restored",
        "watch acc:shop/prices",
        "unwatch acc:shop/prices",
        "star acc:shop/prices",
        "unstar acc:shop/prices",
    ):
        assert await code(command) == 0, command
    grant = str(env.audit(event="granted")[-1].rule).removeprefix("grant ")
    assert await code(f"revoke {grant} -- done") == 0
    for refused in (
        f"revoke {grant} -- done",
        "breakglass for=5m -- again",
        "incident close",
        "grant U0ROOT start acc:* -- x",
    ):
        assert await code(refused) == 1, refused
    assert await code("breakglass for=5m -- let me", "U0ANA") == 1


async def test_what_everyone_in_the_channel_reads_is_posted_there_and_kept_up_to_date(
    program: Program, env: World
) -> None:
    """Break-glass and grants, as from Slack: opened and ended in the terminal, in the channel where they count."""

    async def root(command: str) -> None:
        place = ("--channel", "C0CRAWL", "--user", "U0ROOT")
        ended = await program("do", command, *place, folder=env.folder, environ=env.environ)
        assert ended.code == 0, ended

    for command, event, began, over in (
        ("breakglass for=5m -- down", "breakglass", "Break-glass is active for", ("Break-glass of", "has ended")),
        (
            "grant U0ANA start acc:labs/slow -- covering",
            "granted",
            "Granted: start",
            ("Granted: start", "Revoked from the terminal as"),
        ),
    ):
        await root(command)
        card = await env.sees(began, timeout=40)
        (made,) = env.audit(event=event)
        await root(f"revoke {str(made.rule).removeprefix('grant ')} -- done")
        assert (await env.sees(*over, timeout=40))["ts"] == card["ts"]


async def test_an_incident_from_the_terminal_is_read_in_its_channel(program: Program, env: World) -> None:
    """Its card, its end on the same card, and its report with the timeline in the thread, as the terminal prints it."""
    for command in ("incident open INC-42 -- checkout is down", "incident close -- prices restored"):
        ended = await ran(program, env, command)
        assert ended.code == 0, ended
        if " open " in command:
            card = await env.sees("Incident INC-42: checkout is down", "Open", user="U0RUI", timeout=40)
    assert "The timeline is in the thread" in ended.out
    report = await env.sees("INC-42 is closed", "prices restored", user="U0RUI", timeout=40)
    over = await env.sees("Incident INC-42", "Closed from the terminal as", user="U0RUI", timeout=40)
    assert (over["ts"], labels(over)) == (card["ts"], [])
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.thread_ts} or None)
    assert {file.thread_ts for file in files.values()} == {report["ts"]}
    assert (env.folder / "timeline.csv").read_bytes() == files["timeline.csv"].bytes


@pytest.mark.parametrize(
    ("typed", "began", "ends", "over"),
    [
        ("incident open INC-42 -- checkout is down", "Open", "incident close", "Closed from the terminal as"),
        ("schedule off acc:shop/prices for=1h", "Paused until", "schedule on acc:shop/prices", "This pause is over"),
        ("watch acc:shop/prices for=8h", "is told here", "unwatch acc:shop/prices", "stopped watching"),
    ],
)
async def test_what_ends_in_the_terminal_ends_on_its_card_in_slack(
    program: Program, env: World, typed: str, began: str, ends: str, over: str
) -> None:
    card = await env.does(typed, began)
    assert labels(card)
    ended = await ran(program, env, ends)
    assert ended.code == 0, ended
    changed = await env.sees(over, timeout=40)
    assert (changed["ts"], labels(changed)) == (card["ts"], [])


async def test_a_run_that_was_retried_in_the_terminal_is_not_offered_again_in_slack(
    program: Program, env: World
) -> None:
    env.acc.add_agent("shop/broken", scripts=(Script(end="Failure", message="broke"), Script()))
    card = await env.does("start acc:shop/broken", "Failed")
    assert "Retry" in labels(card)
    run = [one for one in env.audit(event="done") if one.verb == "start"][-1].backend_ref
    ended = await ran(program, env, f"retry acc:run/{run}")
    assert ended.code == 0, ended
    changed = await env.sees("Retried by", timeout=40)
    assert changed["ts"] == card["ts"]
    assert "Retry" not in labels(changed)


async def test_a_search_of_the_audit_log_says_what_happened_by_itself_and_calls_break_glass_so(
    program: Program, env: World
) -> None:
    await env.does("breakglass for=5m -- the approvers are away", "Break-glass is active", user="U0ROOT")
    grant = str(env.audit(event="breakglass")[-1].rule).removeprefix("grant ")
    await env.say(f"revoke {grant} -- over", user="U0ROOT")
    await env.until(lambda: env.audit(event="revoked"))
    await env.does("schedule off acc:shop/prices for=1s -- closed", "Paused until")
    await env.until(lambda: env.audit(event="resumed"))
    found = await program("audit", "search", "--count", "100", folder=env.folder, environ=env.environ)
    ended, revoked = (
        next(line for line in found.out.splitlines() if f" {event} " in line) for event in ("resumed", "revoked")
    )
    assert "automatic, for Ana Alves" in ended
    assert re.search(r"Root Rivera .* revoked +break-glass ", revoked), revoked
