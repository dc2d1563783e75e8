"""A denial for want of a rule leads somewhere: once, or for half an hour; a decision to forbid leads nowhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.deciding import CRAWL, RULES, SECURITY, Deciding, deciding
from tests.world import labels, shown


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deciding]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def ask(town: Deciding, text: str, lasts: str, *, user: str = "U0ANA") -> dict[str, Any]:
    """Be denied, press `Ask for it`, choose, and give the approvers' card."""
    here = town.here
    no = await here.does(text, "Denied", text, user=user)
    assert labels(no) == ["Ask for it"]
    await town.press(no, "Ask for it", user=user, channel=CRAWL)
    person = here.person(user)
    await person.wait_for(lambda p: p.modal())
    receipt = await person.submit("modal", {"lasts": lasts, "reason": "Lee is away"})
    assert not receipt.errors, receipt
    channel = "C0APPR" if text.startswith("start acc:shop") else CRAWL
    return await town.card(text, channel=channel)


async def test_once_runs_exactly_what_was_asked_and_no_more(town: Deciding) -> None:
    """An administrator approves; the start runs; the same words are denied the next time."""
    here = town.here
    card = await ask(town, "start acc:news/feed", "once")
    assert "No rule allows this" in shown(card)
    await town.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await here.until(lambda: len(town.effects()) == 1)
    await here.sees("start acc:news/feed", "approved by <@U0ROOT>")
    row = await town.event("granted")
    assert (row.verb, row.target_name) == ("start", "acc:news/feed")
    assert row.approval_id == (await town.event("approved")).approval_id
    sent = await town.event("sent")
    assert sent.rule == row.rule
    before = len(here.register(event="denied"))
    await here.say("start acc:news/feed")
    await here.until(lambda: len(here.register(event="denied")) == before + 1)
    assert len(town.effects()) == 1


async def test_half_an_hour_is_a_grant_for_this_verb_target_person_and_time(town: Deciding) -> None:
    """Within it Ana starts news/feed as often as she likes; other things, other people and later are denied."""
    here = town.here
    card = await ask(town, "start acc:news/feed", "30 minutes")
    await town.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await here.sees("Granted for 30 minutes")
    await town.told("Approved by <@U0ROOT>", "<@U0ANA>")
    assert not town.effects()
    await here.say("start acc:news/feed")
    await here.until(lambda: len(town.effects()) == 1)
    await here.does("start acc:labs/slow", "Denied", "start acc:labs/slow")
    await here.does("retry acc:news/feed@last", "Denied")
    await here.does("start acc:news/feed", "Denied", user="U0RUI")
    await here.does("grants", "Grants", "acc:news/feed", "U0ANA")
    town.later(minutes=30)
    await town.told("Over", "<@U0ANA>")
    denied = len(here.register(event="denied"))
    await here.say("start acc:news/feed")
    await here.until(lambda: len(here.register(event="denied")) == denied + 1)
    assert len(town.effects()) == 1
    assert [str(r.event) for r in here.register() if (r.rule or "").startswith("grant g-")][-1] == "expired"


async def test_it_is_asked_of_those_whom_the_rule_names(town: Deciding) -> None:
    """Root is in no crawl team: his start of the shop is put to the leads, in their channel."""
    card = await ask(town, "start acc:shop/prices", "once", user="U0ROOT")
    assert "leads" in shown(card)
    await town.press(card, "Approve", user="U0LEE")
    await town.here.until(lambda: len(town.effects()) == 1)


async def test_a_denied_wish_grants_nothing(town: Deciding) -> None:
    """Deny with a reason: told, and nothing is granted."""
    here = town.here
    card = await ask(town, "start acc:news/feed", "30 minutes")
    await town.deny(card, "wait for Lee", user="U0ROOT", channel=CRAWL)
    await here.sees("Denied by <@U0ROOT>", "wait for Lee")
    assert not here.register(event="granted")


async def test_a_decision_to_forbid_has_no_button(town: Deciding) -> None:
    """A deny rule, a freeze and a guest are no questions."""
    here = town.here
    no = await here.does("agent approve acc:labs/new -- please", "Denied", "approved elsewhere")
    assert labels(no) == []
    no = await here.does("start acc:news/feed", "Denied", "start acc:news/feed", user="U0GUEST")
    assert labels(no) == []
    begins, ends = town.now().replace(microsecond=0), "2099-01-01T00:00:00Z"
    freeze = f'[[freeze]]\nfrom = {begins.isoformat()}\nuntil = {ends}\nverbs = ["risk:change"]\nbecause = "year end"\n'
    await town.new_rules(RULES + freeze)
    no = await here.does("start acc:news/feed", "Denied", "year end")
    assert labels(no) == []


async def test_a_deny_that_comes_meanwhile_voids_it(town: Deciding) -> None:
    """Between asking and approving the rules forbid it: nothing is granted."""
    here = town.here
    card = await ask(town, "start acc:news/feed", "once")
    deny = '[[channel.deny]]\nverbs = ["start"]\ntargets = ["acc:news/*"]\nbecause = "news is closed"\n[[channel]]\nid = "C0INC"'
    await town.new_rules(RULES.replace('[[channel]]\nid = "C0INC"', deny))
    await town.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await here.sees("Nothing was done", "news is closed", user="U0ROOT")
    assert not town.effects()
    assert not here.register(event="granted")


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
    ("value", "waits"), [("failed", "Waiting for 2 of `pair`"), ("succeeded", "Waiting for 1 of `admins`")]
)
async def test_the_number_of_a_rule_means_its_own_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, waits: str
) -> None:
    """Two of the pair where a rule says so; where its parameters do not fit, one administrator and not two."""
    async with deciding(
        tmp_path, monkeypatch, PAIRED.replace('admins = ["U0ROOT", "U0LEE"]', 'admins = ["U0ROOT"]')
    ) as town:
        no = await town.here.does(f"mark acc:shop/prices as={value}", "Denied", "mark acc:shop/prices")
        await town.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
        person = town.here.person("U0ANA")
        await person.wait_for(lambda p: p.modal())
        receipt = await person.submit("modal", {"lasts": "once", "reason": "month end"})
        assert not receipt.errors, receipt
        await town.here.sees("mark acc:shop/prices", waits)


async def test_what_the_rules_cover_by_then_is_a_button(town: Deciding) -> None:
    """Between the denial and the form somebody granted it: nobody is asked, and one press does it."""
    here = town.here
    no = await here.does("start acc:news/feed", "Denied")
    await town.press(no, "Ask for it", user="U0ANA", channel=CRAWL)
    await here.ana.wait_for(lambda person: person.modal())
    await here.say("grant @ana start acc:news/feed for=1h -- go on", user="U0ROOT")
    await here.sees("Granted: start on acc:news/feed")
    assert (await here.ana.submit("modal", {"lasts": "once", "reason": "Lee is away"})).acked
    told = await here.sees("The rules cover it now.")
    assert labels(told) == ["start acc:news/feed -- Lee is away"]
    await here.ana.press_label(CRAWL, told["ts"], "start acc:news/feed -- Lee is away")
    await here.until(lambda: len(town.effects()) == 1)
    assert not here.register(event="approval_requested")


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


async def test_what_is_asked_for_in_a_direct_message_is_asked_where_somebody_looks(town: Deciding) -> None:
    """An administrator reads it in the security channel; what a rule would ask of people who cannot see it is refused."""
    here = town.here
    dm = here.ana.dm
    await town.new_rules(RULES.replace("\n[breakglass]", IN_A_DM.format(dm=dm), 1))
    no = await here.does("start acc:news/feed", "Denied", "start acc:news/feed", channel=dm)
    await town.press(no, "Ask for it", user="U0ANA", channel=dm)
    await here.ana.wait_for(lambda p: p.modal())
    receipt = await here.ana.submit("modal", {"lasts": "once", "reason": "Lee is away"})
    assert not receipt.errors, receipt
    card = await town.card("start acc:news/feed", user="U0ROOT", channel=SECURITY)
    await town.press(card, "Approve", user="U0ROOT", channel=SECURITY)
    await here.until(lambda: len(town.effects()) == 1)
    await here.does("mark acc:shop/prices as=failed -- stuck", "nobody but you looks", channel=dm)
    assert len(here.register(event="approval_requested")) == 1
