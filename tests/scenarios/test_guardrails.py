"""What a sceptical reviewer tries: outsiders who look, people who widen their rights, the same wish twice, freeze and glass."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.team import APPROVERS, CRAWL, RULES, SECURITY, Team, deciding
from tests.world import labels, shown

FREEZE = '[[freeze]]\nfrom = {}\nuntil = 2099-01-01T00:00:00Z\nverbs = ["risk:change", "risk:danger"]\nbecause = "year end"\n'


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


def seen(team: Team, user: str, channel: str = CRAWL) -> str:
    """All that this person sees there."""
    return "\n".join(shown(message) for message in team.env.person(user).messages(channel))


@pytest.mark.parametrize("text", ["start acc:shop/prics", "status acc:shop/prics", "retry acc:nothing@last"])
async def test_who_is_not_admitted_learns_no_names(team: Team, text: str) -> None:
    """A guest guesses: denied in the same words as for a name that exists, without the near ones."""
    env = team.env
    await env.does(text, "Denied", "You are a guest", user="U0GUEST")
    assert (await team.event("denied")).code == "no_rule"
    assert "shop/prices" not in seen(team, "U0GUEST")
    await env.does(text, "Nothing was done")


async def test_who_is_not_admitted_is_told_why_and_not_the_rules(team: Team) -> None:
    """`why` says to a guest that no rule names them; to a member it prints the rules."""
    env = team.env
    await env.does("why start acc:shop/prices", "guest", user="U0GUEST")
    assert "allow" not in seen(team, "U0GUEST")
    assert "leads" not in seen(team, "U0GUEST")
    await env.does("why start acc:shop/prices", "<#C0CRAWL> allow 2", "leads", "Needs approval: ")
    await env.does("why start acc:news/feed", "Denied: no rule of this channel allows it")
    await env.does("why status acc:news/feed", "Allowed: ")


async def test_why_where_nothing_runs_leads_to_where_it_does(team: Team) -> None:
    """Also without a command; no id stands for the channel."""
    for words in ("why", "why start acc:shop/prices"):
        answer = await team.env.does(words, f"I don't run commands in <#{APPROVERS}>", user="U0LEE", channel=APPROVERS)
        assert f"({APPROVERS})" not in shown(answer)


async def test_to_ask_why_as_another_person_is_for_administrators_and_trying_is_registered(team: Team) -> None:
    """Ana is denied; Root sees what Ana would."""
    env = team.env
    await env.does("why as=@lee start acc:shop/prices", "Denied", "Only administrators")
    assert (await team.event("denied")).code == "not_administrator"
    await env.does(
        "why as=@ana start acc:shop/prices",
        "as <@U0ANA>",
        "“You” means <@U0ANA> here.",
        "allowed here with 1 of `leads`: `start` on `acc:shop/*` for `crawl`",
        user="U0ROOT",
    )
    await env.does("why as=U0GUEST start acc:shop/prices", "as <@U0GUEST>", "guest", user="U0ROOT")


async def test_a_guest_who_may_act_may_not_hand_it_on(team: Team) -> None:
    """Named by their own id the guest starts; a grant takes a full member."""
    env = team.env
    await team.new_rules(RULES.replace('who = ["U0RUI"]', 'who = ["U0RUI", "U0GUEST"]'))
    await env.does("grant @ana schedule on acc:shop/* for=1h -- please", "Denied", "full member", user="U0GUEST")
    assert not env.audit(event="granted")


async def test_who_was_granted_something_cannot_grant_it_on(team: Team) -> None:
    """Neither what somebody granted nor a broken glass is a right of one's own."""
    env = team.env
    await env.say("grant @rui start acc:news/* for=1h -- covering", user="U0ROOT")
    await env.sees("*Granted: start on* `acc:news/*`")
    await env.say("breakglass for=30m -- down", user="U0RUI")
    await team.event("breakglass")
    await env.does("grant @ana start acc:news/feed -- please", "Denied", "yourself", user="U0RUI")
    assert len(env.audit(event="granted")) == 1


async def test_a_guest_with_a_grant_has_what_everybody_has_here(team: Team) -> None:
    """Until it ends; the lists of everybody, too."""
    env = team.env
    await env.does("grants", "Denied", user="U0GUEST")
    await env.say("grant @gus start acc:news/feed for=1h -- contractor", user="U0ROOT")
    await env.sees("Granted: start on acc:news/feed")
    await env.does("grants", "Grants", "U0GUEST", user="U0GUEST")
    await env.does("help", "start", user="U0GUEST")
    await env.does("whoami", "you can use Signalbox in this channel", user="U0GUEST")
    team.later(hours=1)
    await team.sees_in_thread("Grant ended", "<@U0GUEST>")
    await env.does("backends", "Denied", "backends", user="U0GUEST")


async def ask_again(team: Team, no: dict[str, Any], lasts: str) -> None:
    """Press `Ask for it` on that denial and send the form."""
    await team.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
    await team.env.ana.wait_for(lambda p: p.modal())
    receipt = await team.env.ana.submit("modal", {"lasts": lasts, "reason": "Lee is away"})
    assert not receipt.errors, receipt


async def test_the_same_thing_asked_for_twice_waits_once(team: Team) -> None:
    """The button pressed again, the command denied again: it waits already. Decided, it may be asked for anew."""
    env = team.env
    no = await env.does("start acc:news/feed", "Denied", "start acc:news/feed")
    await ask_again(team, no, "once")
    card = await team.card("start acc:news/feed", channel=CRAWL)
    await ask_again(team, no, "30 minutes")
    await env.sees("already waiting for approval")
    await env.say("start acc:news/feed")
    no = await env.until(lambda: _newest_denial(team, no))
    await ask_again(team, no, "once")
    await asyncio.sleep(0.5)
    assert len(env.audit(event="approval_requested")) == 1
    await team.deny(card, "wait for Lee", user="U0ROOT", channel=CRAWL)
    await env.sees("Denied by <@U0ROOT>", "wait for Lee")
    await ask_again(team, no, "once")
    await env.until(lambda: len(env.audit(event="approval_requested")) == 2)


def _newest_denial(team: Team, older: dict[str, Any]) -> dict[str, Any] | None:
    for message in reversed(team.env.ana.messages(CRAWL)):
        if "Ask for it" in labels(message) and float(message["ts"]) > float(older["ts"]):
            return dict(message)
    return None


async def test_the_approvers_hear_of_a_broken_glass_in_a_freeze_too(team: Team) -> None:
    """It lifted the freeze and spared their approval: they are told all the same."""
    env = team.env
    await team.new_rules(RULES + FREEZE.format(team.now().replace(microsecond=0).isoformat()))
    await env.does("start acc:shop/prices", "Denied", "year end", user="U0RUI")
    await env.say("breakglass for=30m -- down", user="U0RUI")
    await team.event("breakglass")
    await env.say("start acc:shop/prices -- restore", user="U0RUI")
    await env.until(lambda: len(team.effects()) == 1)
    await env.sees("without your approval", "<@U0LEE>", user="U0LEE", channel=APPROVERS)


async def test_a_guest_and_a_workflow_break_no_glass(team: Team) -> None:
    """Not even named: it takes a full member."""
    env = team.env
    app = env.ws.app_id
    named = RULES.replace('who = ["admins", "U0RUI"]', f'who = ["U0GUEST", "{app}"]')
    await team.new_rules(named.replace('who = ["U0RUI"]', f'who = ["U0RUI", "U0GUEST", "{app}"]'))
    await env.does("breakglass -- let me in", "Denied", "full member", user="U0GUEST")
    receipt = await env.ana.run_step(
        "run_operation", {"command": "breakglass -- let me in", "channel": CRAWL, "user": "U0ROOT"}
    )
    step = await env.until(lambda: _ended(env.ws.steps[str(receipt.execution_id)]))
    assert step["status"] == "failed"
    assert not env.audit(event="breakglass")
    assert [row.code for row in env.audit(event="denied")] == ["not_breakglass", "chosen_place"]


def _ended(step: dict[str, Any]) -> dict[str, Any] | None:
    return step if step["status"] != "running" else None


async def test_a_workflow_that_asks_for_what_is_dangerous_ends_at_once(team: Team) -> None:
    """Nobody could look and press `Run it`: the step fails and says so, and nothing waits."""
    env = team.env
    app = env.ws.app_id
    await team.new_rules(RULES.replace('who = ["U0RUI"]', f'who = ["U0RUI", "{app}"]').replace('"schedule on"', '"*"'))
    inputs = {"command": "input clear acc:shop/stock", "channel": CRAWL, "user": "U0ROOT"}
    receipt = await env.ana.run_step("run_operation", inputs)
    step = await env.until(lambda: _ended(env.ws.steps[str(receipt.execution_id)]))
    assert step["status"] == "failed"
    assert not await env.bot.store.pending_decisions(state="open")


async def test_the_denial_of_a_workflow_says_it_not_you(team: Team) -> None:
    """Whoever reads the failed step is not who was denied. A name in the command stays as it is."""
    env = team.env
    named = RULES.replace('who = ["U0RUI"]', f'who = ["U0RUI", "{env.ws.app_id}"]')
    for rules, denial in (
        ("", f"no rule of this channel names its id {env.ws.app_id}"),
        (named, "No rule that names it here covers"),
    ):
        if rules:
            await team.new_rules(rules)
        receipt = await env.ana.run_step("run_operation", {"command": "schedule on acc:labs/you", "channel": CRAWL})
        step = await env.until(lambda receipt=receipt: _ended(env.ws.steps[str(receipt.execution_id)]))
        assert step["error"].startswith("Denied: this workflow can't run schedule on acc:labs/you here. "), step[
            "error"
        ]
        assert denial in step["error"]
        assert not re.search(r"(?i)(?<!labs/)\byour?\b", step["error"]), step["error"]


async def test_every_load_is_registered_with_the_digest_of_its_file(team: Team) -> None:
    """SHA-256 of the bytes, so that an auditor finds the very file; refused ones too."""
    env = team.env

    def digests(event: str) -> list[str | None]:
        return [row.digest for row in env.audit(event=event)]

    assert digests("policy_loaded") == [hashlib.sha256(RULES.encode()).hexdigest()]
    new = RULES + "# a remark\n"
    team.rules(new)
    await env.until(lambda: len(digests("policy_loaded")) == 2)
    await env.sees("The rules changed", "No rule changed", "+# a remark", channel=SECURITY)
    assert digests("policy_loaded")[1] == hashlib.sha256(new.encode()).hexdigest()
    team.rules("version = 1\n[[channel]]\n")
    await env.until(lambda: digests("policy_refused"))
    assert digests("policy_refused") == [hashlib.sha256(b"version = 1\n[[channel]]\n").hexdigest()]


async def test_a_refused_file_that_is_put_right_is_told_of_and_registered_once(team: Team) -> None:
    """The very bytes of before, after a refusal: nothing else in force, but nobody need look after the file any more."""
    env = team.env
    version = env.bot.rules.now.policy.version
    (first,) = env.audit(event="policy_loaded")
    team.rules("version = 1\n[[channel]]\n")
    await team.settled()
    await env.until(lambda: env.audit(event="policy_refused"))
    team.rules(RULES)
    await team.settled()
    await env.sees(
        "The rules file is valid again", "stayed in force", f"*Version in force*\n{version}", channel=SECURITY
    )
    await asyncio.sleep(2.5)
    (_, again) = env.audit(event="policy_loaded")
    assert (again.digest, again.policy_version) == (first.digest, first.policy_version)
    assert "stayed in force" in str(again.detail)


async def test_a_file_that_cannot_be_used_changes_nothing(team: Team) -> None:
    """Cut in a line, emptied, deleted, not UTF-8: refused once each, told, and the last good one decides."""
    env = team.env
    version = env.bot.rules.now.policy.version
    path = env.folder / "policy.toml"

    async def refused(number: int) -> None:
        await team.settled()
        await env.until(lambda: len(env.audit(event="policy_refused")) == number)

    team.rules(RULES[: RULES.index("approvals =") + 14])
    await refused(1)
    team.rules("")
    await refused(2)
    path.write_bytes(b"\xff\xfe" + RULES.encode())
    await refused(3)
    path.unlink()
    await refused(4)
    await asyncio.sleep(2.5)
    await refused(4)
    assert env.bot.rules.now.policy.version == version
    await env.sees(
        "The changed rules file can't be used", "stay in force", f"*Version in force*\n{version}", channel=SECURITY
    )
    await env.does("doctor", "1 problem found", "The rules file can't be used", "Since ")
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")


async def test_a_rule_is_withdrawn_by_deleting_its_lines(team: Team) -> None:
    """A shorter file is a change like any other, also without a final line break and with a byte order mark."""
    env = team.env
    longer = (
        f'{RULES}\n[[channel]]\nid = "C0MORE"\n[[channel.allow]]\nverbs = ["start"]\ntargets = ["acc:*"]\nwho = ["*"]\n'
    )
    await team.new_rules(longer)
    await team.new_rules("\ufeff" + RULES.rstrip("\n"))
    assert "C0MORE" not in env.bot.rules.now.policy.channels
    assert not env.audit(event="policy_refused")


async def test_a_file_that_is_still_being_written_is_never_in_force(team: Team) -> None:
    """A cut between two lines is valid TOML and may allow more; what changes within seconds does not count."""
    env = team.env
    half = RULES[: RULES.index("  [[channel.deny]]")]
    new = RULES + "# written in two goes\n"
    team.rules(half)
    await env.until(lambda: env.bot.rules._seen[0].text == half)
    team.rules(new)
    await env.until(lambda: len(env.audit(event="policy_loaded")) == 2)
    digests = [row.digest for row in env.audit() if str(row.event) in ("policy_loaded", "policy_refused")]
    assert digests == [hashlib.sha256(text.encode()).hexdigest() for text in (RULES, new)]


async def test_a_secret_in_the_rules_file_is_not_shown_when_the_file_changes(team: Team) -> None:
    """Somebody left the bot's token in a comment: the change is told without it, the refusal of a broken file too."""
    env, token = team.env, team.env.ws.bot_token
    team.rules(f"# was {token}\n{RULES}")
    await team.settled()
    notice = shown(await env.sees("The rules changed", "No rule changed", "+# was", channel=SECURITY, user="U0ROOT"))
    team.rules(f'{RULES}\n"{token}" = 1\n')
    notice += shown(await env.sees("The changed rules file can't be used", channel=SECURITY, user="U0ROOT"))
    assert token not in notice
    assert all(token not in (row.detail or "") for row in env.audit())


async def test_a_mistyped_deny_is_warned_of_when_the_rules_change_and_by_doctor(team: Team) -> None:
    """A verb or a backend that doesn't exist: the rule forbids nothing, and its line is named."""
    env = team.env
    deny = 'verbs = ["agent approve"]\n  targets = ["acc:labs/*"]'
    assert deny in RULES
    await team.new_rules(RULES.replace(deny, 'verbs = ["strat"]\n  targets = ["acx:labs/new"]'))
    warnings = ("no configured backend has the verb `strat`", "no configured backend matches `acx:labs/new`")
    await env.sees("The rules changed", "line ", *warnings, channel=SECURITY)
    await env.does("doctor", "2 problems found", *warnings)
    await team.new_rules(RULES)
    await env.does("doctor", "No problems found")


async def test_a_value_to_write_into_the_rules_file_is_shown_as_it_is_to_be_written(team: Team) -> None:
    """Not as a time in the reader's zone, which the file doesn't take."""
    env = team.env
    freeze = '[[freeze]]\nfrom = 2026-11-01T00:00:00\nuntil = 2026-12-01T00:00:00Z\nverbs = ["*"]\n'
    team.rules(RULES + freeze)
    await team.settled()
    write = "write `2026-11-01T00:00:00Z` or an offset like `+01:00`"
    await env.sees("The changed rules file can't be used", write, channel=SECURITY)
    await env.does("doctor", "The rules file can't be used", write)


async def test_the_error_of_a_workflow_step_has_no_raw_mention(team: Team) -> None:
    """A step's error is plain text."""
    env = team.env
    command = {"command": "start acc:shop/prices", "channel": APPROVERS}
    receipt = await env.ana.run_step("run_operation", command)
    step = await env.until(lambda: _ended(env.ws.steps[str(receipt.execution_id)]))
    assert "Use C0CRAWL or C0INC." in step["error"]
