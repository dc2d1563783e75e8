"""A denial for want of a rule leads somewhere: once, or for half an hour; a decision to forbid leads nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bot.store.errors import StoreProblem
from bot.store.tables import grants, requests
from tests.scenarios.steps import everything_seen
from tests.scenarios.team import CRAWL, RULES, SECURITY, Team, deciding
from tests.world import labels, shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def ask(team: Team, text: str, lasts: str, *, user: str = "U0ANA") -> dict[str, Any]:
    """Be denied, press `Ask for it`, choose, and give the approvers' card."""
    env = team.env
    command = " ".join(text.split()[:2])
    no = await env.does(text, "Denied", command, user=user)
    assert labels(no) == ["Ask for it"]
    await team.press(no, "Ask for it", user=user, channel=CRAWL)
    person = env.person(user)
    await person.wait_for(lambda p: p.modal())
    receipt = await person.submit("modal", {"lasts": lasts, "reason": "Lee is away"})
    assert not receipt.errors, receipt
    channel = "C0APPR" if text.startswith("start acc:shop") else CRAWL
    return await team.card(command, channel=channel)


async def test_once_runs_exactly_what_was_asked_and_no_more(team: Team) -> None:
    """An administrator approves; the start runs; the same words are denied the next time."""
    env = team.env
    await env.does("incident open INC-43", "Incident INC-43")
    card = await ask(team, "start acc:news/feed", "once")
    assert "No rule allows this" in shown(card)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.until(lambda: len(team.effects()) == 1)
    await env.sees("start acc:news/feed", "approved by <@U0ROOT>")
    row = await team.event("granted")
    assert (row.verb, row.target_name) == ("start", "acc:news/feed")
    assert row.approval_id == (await team.event("approved")).approval_id
    sent = await team.event("sent")
    assert sent.rule == row.rule
    before = len(env.audit(event="denied"))
    await env.say("start acc:news/feed")
    await env.until(lambda: len(env.audit(event="denied")) == before + 1)
    assert len(team.effects()) == 1
    await team.event("ended")
    report = shown(await env.does("incident close", "INC-43 is closed"))
    assert "`start acc:news/feed` (Lee is away), approved by <@U0ROOT>: succeeded" in report


@pytest.mark.parametrize(("table", "name"), [(requests, "sending"), (grants, "add")], ids=["request", "grant"])
async def test_once_that_the_store_delays_is_tried_again(
    team: Team, monkeypatch: pytest.MonkeyPatch, table: ModuleType, name: str
) -> None:
    """Whichever row the store can't write for a moment: nothing is recorded of it, and a minute later it runs, once."""
    env, real, busy = team.env, getattr(table, name), asyncio.Event()
    card = await ask(team, "start acc:news/feed", "once")

    def write(*given: Any) -> Any:
        if not busy.is_set():
            busy.set()
            raise StoreProblem("Another program has locked the store.", code="store_busy")
        return real(*given)

    monkeypatch.setattr(table, name, write)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.sees("Nothing was sent yet. It is tried again", user="U0ROOT")
    assert not env.audit(event="sent") + env.audit(event="granted")
    assert not team.effects()
    team.later(seconds=90)
    await env.bot.leader.timers.beat()
    await team.sees_in_thread("Approved by <@U0ROOT>. It runs now")
    await env.quiet()
    assert len(team.effects()) == 1
    assert len(env.audit(event="sent")) == len(env.audit(event="granted")) == 1
    assert "Type the command again" not in everything_seen(env, "U0ANA")


async def test_what_nobody_else_could_allow_is_not_offered(team: Team) -> None:
    """Lee is the only one of those who approve starts of the shop."""
    no = await team.env.does("start acc:shop/prices", "Denied", user="U0LEE")
    assert labels(no) == []


async def test_half_an_hour_is_a_grant_for_this_verb_target_person_and_time(team: Team) -> None:
    """Within it Ana starts news/feed as often as she likes; other things, other people and later are denied."""
    env = team.env
    card = await ask(team, "start acc:news/feed", "30 minutes")
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.sees("Granted for 30 minutes")
    await team.sees_in_thread("Approved by <@U0ROOT>", "<@U0ANA>")
    assert (await team.event("granted")).user_id == "U0ROOT"
    assert not team.effects()
    await env.say("start acc:news/feed")
    await env.until(lambda: len(team.effects()) == 1)
    await env.does("start acc:labs/slow", "Denied", "start acc:labs/slow")
    await env.does("retry acc:news/feed@last", "Denied")
    await env.does("start acc:news/feed", "Denied", user="U0RUI")
    await env.does("grants", "Grants", "acc:news/feed", "U0ANA")
    team.later(minutes=30)
    await team.sees_in_thread("Grant ended", "<@U0ANA>")
    denied = len(env.audit(event="denied"))
    await env.say("start acc:news/feed")
    await env.until(lambda: len(env.audit(event="denied")) == denied + 1)
    assert len(team.effects()) == 1
    assert [str(r.event) for r in env.audit() if (r.rule or "").startswith("grant g-")][-1] == "expired"


@pytest.mark.parametrize("lasts", ["30 minutes", "once"])
async def test_a_grant_is_asked_for_with_any_parameters_and_one_run_with_its_own(team: Team, lasts: str) -> None:
    """The card, the Home tabs, `approvals`, the form of a denial and its outcome don't name the typed ones as a limit."""
    env, root = team.env, team.env.person("U0ROOT")
    typed, terms = "production=false", "for 30 minutes, with any parameters"
    card = await ask(team, f"start acc:news/feed {typed}", lasts)
    one = lasts == "once"
    title = f"`start acc:news/feed {typed}`" if one else f"`start acc:news/feed` {terms}"
    words = shown(card)
    assert f"wants to run {title}" in words
    assert f"<@U0ANA> may run it {terms}. Each time: The agent starts." in words or one
    assert "Parameters" in words
    places = [words.partition("Details")[0].partition("Parameters")[0]]
    await env.ana.open_home()
    await root.open_home()
    places.append(await _tab(team, "U0ANA", "Your requests"))
    places.append(await _tab(team, "U0ROOT", "Waiting for your decision"))
    await root.press_label("home", label="Review")
    places.append(await _tab(team, "U0ROOT", "wants to run"))
    places.append(shown(await env.does("approvals", "Waiting for approval", "start acc:news/feed", user="U0ROOT")))
    await team.press(card, "Deny", user="U0ROOT", channel=CRAWL)
    await root.wait_for(lambda _: root.modal())
    places.append(shown(root.modal() or {}))
    receipt = await root.submit("modal", {"reason": "no"})
    assert not receipt.errors, receipt
    places.append(shown(await env.sees("Denied by <@U0ROOT>: `start acc:news/feed", "Reason: no", user="U0ROOT")))
    for place in places:
        assert (typed in place, terms in place) == (one, not one), place


async def _tab(team: Team, user: str, *parts: str) -> str:
    """The Home tab once it shows all parts."""
    person = team.env.person(user)

    def look(_: object) -> str | None:
        words = shown(person.home() or {})
        return words if all(part in words for part in parts) else None

    return str(await person.wait_for(look))


async def test_the_form_says_what_half_an_hour_covers(team: Team) -> None:
    no = await team.env.does("start acc:news/feed production=false", "Denied", "start acc:news/feed")
    await team.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
    await team.env.ana.wait_for(lambda person: person.modal())
    words = shown(team.env.ana.modal() or {})
    assert "30 minutes: you can `start` it here for half an hour, with any parameters." in words


async def test_what_was_granted_is_told_with_any_parameters(team: Team) -> None:
    """The decided card, the requester's card and message, `grants` and the Home tab; other parameters run, as they say."""
    env, covers = team.env, "with any parameters"
    card = await ask(team, "start acc:shop/prices input.region=north", "30 minutes", user="U0ROOT")
    waiting = await env.sees("Not granted yet", user="U0ROOT")
    assert "30 minutes, with any parameters" in shown(waiting)
    assert "region=north" not in shown(waiting)
    await team.press(card, "Approve")
    await team.sees(f"`start acc:shop/prices` for <@U0ROOT>. Granted for 30 minutes, {covers}.")
    granted = shown(await env.sees("Granted for 30 minutes", covers, user="U0ROOT"))
    assert "region=north" not in granted
    await team.sees_in_thread(f"You can `start` it here for 30 minutes, {covers}.", user="U0ROOT")
    await env.does("grants", "Grants", f"start on acc:shop/prices, {covers}")
    await env.person("U0ROOT").open_home()
    await _tab(team, "U0ROOT", "granted to you in", covers)
    await env.say("start acc:shop/prices input.region=south", user="U0ROOT")
    await env.until(lambda: len(team.effects()) == 1)


async def test_a_grant_that_is_asked_for_covers_the_same_command_with_other_parameters(team: Team) -> None:
    """Approvers are not asked twice for what reads the same."""
    env = team.env
    await ask(team, "start acc:news/feed production=false", "30 minutes")
    no = await env.does("start acc:news/feed production=true", "Denied", "start acc:news/feed")
    await team.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
    await env.ana.wait_for(lambda person: person.modal())
    assert (await env.ana.submit("modal", {"lasts": "30 minutes", "reason": "Lee is away"})).acked
    await env.sees("It is already waiting for approval")
    assert len(env.audit(event="approval_requested")) == 1


async def test_it_is_asked_of_those_whom_the_rule_names(team: Team) -> None:
    """Root is in no crawl team: his start of the shop is put to the leads, in their channel."""
    card = await ask(team, "start acc:shop/prices", "once", user="U0ROOT")
    assert "leads" in shown(card)
    await team.press(card, "Approve", user="U0LEE")
    await team.env.until(lambda: len(team.effects()) == 1)


async def test_a_denied_wish_grants_nothing(team: Team) -> None:
    """Deny with a reason: told, and nothing is granted."""
    env = team.env
    card = await ask(team, "start acc:news/feed", "30 minutes")
    await team.deny(card, "wait for Lee", user="U0ROOT", channel=CRAWL)
    await env.sees("Denied by <@U0ROOT>", "wait for Lee")
    assert not env.audit(event="granted")


async def test_a_decision_to_forbid_has_no_button(team: Team) -> None:
    """A deny rule, a freeze and a guest are no questions."""
    env = team.env
    no = await env.does("agent approve acc:labs/new -- please", "Denied", "approved elsewhere")
    assert labels(no) == []
    no = await env.does("start acc:news/feed", "Denied", "start acc:news/feed", user="U0GUEST")
    assert labels(no) == []
    begins, ends = team.now().replace(microsecond=0), "2099-01-01T00:00:00Z"
    freeze = f'[[freeze]]\nfrom = {begins.isoformat()}\nuntil = {ends}\nverbs = ["risk:change"]\nbecause = "year end"\n'
    await team.new_rules(RULES + freeze)
    no = await env.does("start acc:news/feed", "Denied", "year end")
    assert labels(no) == []


async def test_a_deny_that_comes_meanwhile_voids_it(team: Team) -> None:
    """Between asking and approving the rules forbid it: nothing is granted."""
    env = team.env
    card = await ask(team, "start acc:news/feed", "once")
    deny = '[[channel.deny]]\nverbs = ["start"]\ntargets = ["acc:news/*"]\nbecause = "news is closed"\n[[channel]]\nid = "C0INC"'
    await team.new_rules(RULES.replace('[[channel]]\nid = "C0INC"', deny))
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.sees("Nothing was done", "news is closed", user="U0ROOT")
    assert not team.effects()
    assert not env.audit(event="granted")


PAIRED = RULES.replace(
    """  verbs = ["mark"]
  targets = ["acc:*"]
  who = ["crawl"]
  approvals = { count = 2, from = ["pair", "leads"], expires = "1h" }""",
    """  verbs = ["mark"]
  targets = ["acc:*"]
  who = ["U0RUI"]
  params = { as = ["failed"] }
  approvals = { count = 2, from = ["pair"], expires = "1h" }""",
)


@pytest.mark.parametrize(
    ("value", "waits"), [("failed", "Waiting for 2 of `pair`"), ("succeeded", "Waiting for one of `admins`")]
)
async def test_the_number_of_a_rule_means_its_own_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, waits: str
) -> None:
    """Two of the pair where a rule says so; where its parameters do not fit, one administrator and not two."""
    async with deciding(
        tmp_path, monkeypatch, PAIRED.replace('admins = ["U0ROOT", "U0LEE"]', 'admins = ["U0ROOT"]')
    ) as team:
        no = await team.env.does(f"mark acc:shop/prices as={value}", "Denied", "mark acc:shop/prices")
        await team.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
        person = team.env.person("U0ANA")
        await person.wait_for(lambda p: p.modal())
        receipt = await person.submit("modal", {"lasts": "once", "reason": "month end"})
        assert not receipt.errors, receipt
        await team.env.sees("mark acc:shop/prices", waits)


async def test_what_the_rules_cover_by_then_is_a_button(team: Team) -> None:
    """Between the denial and the form somebody granted it: nobody is asked, and one press does it."""
    env = team.env
    no = await env.does("start acc:news/feed", "Denied")
    await team.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
    await env.ana.wait_for(lambda person: person.modal())
    await env.say("grant @ana start acc:news/feed for=1h -- go on", user="U0ROOT")
    await env.sees("Granted: start on acc:news/feed")
    assert (await env.ana.submit("modal", {"lasts": "once", "reason": "Lee is away"})).acked
    card = await env.sees("The rules cover it now.")
    assert labels(card) == ["start acc:news/feed -- Lee is away"]
    await env.ana.press_label(CRAWL, card["ts"], "start acc:news/feed -- Lee is away")
    await env.until(lambda: len(team.effects()) == 1)
    assert not env.audit(event="approval_requested")


IN_A_DM = """
[[channel]]
id = "{dm}"
  [[channel.allow]]
  verbs = ["risk:read"]
  targets = ["acc:*"]
  who = ["U0ANA"]
  [[channel.allow]]
  verbs = ["mark"]
  targets = ["acc:*"]
  who = ["U0ANA"]
  approvals = {{ count = 1, from = ["leads"] }}

[breakglass]"""


async def test_what_is_asked_for_in_a_direct_message_is_asked_where_somebody_looks(team: Team) -> None:
    """An administrator reads it in the security channel; what a rule would ask of people who cannot see it is refused."""
    env = team.env
    dm = env.ana.dm
    await team.new_rules(RULES.replace("\n[breakglass]", IN_A_DM.format(dm=dm), 1))
    no = await env.does("start acc:news/feed", "Denied", "start acc:news/feed", channel=dm)
    await team.press(no, "Ask for it", user="U0ANA", channel=dm)
    await env.ana.wait_for(lambda p: p.modal())
    receipt = await env.ana.submit("modal", {"lasts": "once", "reason": "Lee is away"})
    assert not receipt.errors, receipt
    card = await team.card("start acc:news/feed", user="U0ROOT", channel=SECURITY)
    await team.press(card, "Approve", user="U0ROOT", channel=SECURITY)
    await env.until(lambda: len(team.effects()) == 1)
    await env.does("mark acc:shop/prices as=failed -- stuck", "can't see this direct message", channel=dm)
    assert len(env.audit(event="approval_requested")) == 1


async def test_a_form_that_was_opened_and_closed_is_recorded_as_that_and_asks_for_nothing(team: Team) -> None:
    """Neither the audit log nor the timeline says that an exception was requested."""
    env = team.env
    no = await env.does("start acc:news/feed", "Denied", "acc:news/feed")
    await team.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
    await env.ana.wait_for(lambda person: person.modal())
    await env.ana.close()
    (opened,) = await env.until(lambda: [row for row in env.audit() if row.verb and "ask for it" in row.verb])
    assert (opened.event, opened.verb, opened.target_name) == ("requested", "open ask for it", "acc:news/feed")
    await env.quiet()
    assert [str(row.event) for row in env.audit(request_id=opened.request_id)] == ["requested"]
    await env.say("timeline since=1h")
    card = await env.sees("Timeline")
    assert "ask for it" not in shown(card)
