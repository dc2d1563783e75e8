"""Grants by command: bounded by the granter's own rights, limited in time, listed, revoked; and frozen channels confirmed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.core.records import stamp
from tests.scenarios.team import APPROVERS, CRAWL, RULES, SECURITY, Team, deciding
from tests.world import labels, request_id, shown, world


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


def epoch(at: str) -> int:
    """The seconds of a stamp."""
    return int(datetime.fromisoformat(at).timestamp())


async def test_an_administrator_grants_and_the_person_acts_until_it_ends(team: Team) -> None:
    """Granted by Root for two hours, told to Ana, used, over by itself, told again."""
    env = team.env
    await env.say("grant @ana start acc:news/* for=2h -- covering for Lee", user="U0ROOT")
    card = await env.sees("*Granted: start on* `acc:news/*`", "<@U0ANA>", "covering for Lee")
    row = await team.event("granted")
    assert (row.user_id, row.verb, row.target_name, row.reason) == ("U0ROOT", "start", "acc:news/*", "covering for Lee")
    await env.say("start acc:news/feed")
    await env.until(lambda: len(team.effects()) == 1)
    assert (await team.event("sent")).rule == row.rule
    team.later(hours=2)
    await team.sees_in_thread("Grant ended", "<@U0ANA>", "Its time is over")
    assert "Its time is over" in shown(await env.sees("*Granted: start on* `acc:news/*`"))
    await env.does("start acc:news/feed", "Denied", "start acc:news/feed")
    assert len(team.effects()) == 1
    assert request_id(card) == row.request_id
    text = shown(await env.does("audit due", "Audit log", user="U0ROOT"))
    assert "end of a grant" in text
    assert "Signalbox" in text
    assert row.rule.removeprefix("grant ") not in text


async def test_who_grants_in_a_thread_is_answered_there(team: Team) -> None:
    """Its card is in the channel, which a person who reads the thread doesn't see. The answer has the card's warnings, too."""
    env, root = team.env, team.env.person("U0ROOT")
    await root.post(CRAWL, "The checkout is down.")
    ts = next(one["ts"] for one in root.messages(CRAWL) if "checkout is down" in one["text"])
    await root.post(CRAWL, "<@U0BOT> grant <@U0ANA> start acc:* for=2h -- covering for Lee", ts)
    told = ("The grant of start on acc:* for <@U0ANA> is active until ", "no grant overrides an approval")
    await root.wait_for(
        lambda one: [m for m in one.messages(CRAWL, ts) if all(part in shown(m).replace("`", "") for part in told)]
    )
    card = await env.sees("*Granted: start on* `acc:*`", user="U0ROOT")
    assert card.get("thread_ts") in (None, card["ts"])


async def test_who_grants_in_a_channel_gets_only_the_card(team: Team) -> None:
    env, root = team.env, team.env.person("U0ROOT")
    await root.post(CRAWL, "<@U0BOT> grant <@U0ANA> start acc:news/* for=2h -- covering for Lee")
    await env.sees("*Granted: start on* `acc:news/*`", user="U0ROOT")
    await env.quiet()
    assert [shown(one) for one in root.messages(CRAWL) if "is active until" in shown(one)] == []


async def test_a_grant_may_name_its_end(team: Team) -> None:
    """With `until=`; not with `for=` as well, and its length counts as that of `for=` does."""
    env = team.env
    await env.say("grant @ana start acc:news/* until=2029-01-01T00:00 -- x", user="U0ROOT")
    await env.sees("more than 31 days ahead", user="U0ROOT")
    spoken = "grant @ana start acc:news/* until friday -- x"
    await env.does(spoken, "The end of a grant is one word: write `until=", "Fri 00:00", user="U0ROOT")
    await env.does(spoken.replace("until friday", "for 2 hours"), "write `for=2h`", user="U0ROOT")
    words = "grant @ana schedule on acc:shop/* {} -- x"
    await env.does(words.format("for=1h until=23:00"), "Give `for=` or `until=`, not both.", user="U0RUI")
    ends = (team.now() + timedelta(days=2)).replace(microsecond=0)
    await env.does(words.format(f"until={ends:%Y-%m-%dT%H:%M:%SZ}"), "Denied", "Only administrators", user="U0RUI")
    ends -= timedelta(days=2, hours=-1)
    await env.say(words.format(f"until={ends:%Y-%m-%dT%H:%M:%SZ}"), user="U0RUI")
    assert (await team.event("granted")).detail.endswith(f" until {stamp(ends)}")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("revoke g-7K2M no longer needed", "revoke g-7K2M -- no longer needed"),
        ("breakglass for=30m approvers unreachable", "breakglass for=30m -- approvers unreachable"),
        ("breakglass 10m approvers unreachable", "breakglass for=10m -- approvers unreachable"),
        ("breakglass 1h30m approvers unreachable", "breakglass for=1h30m -- approvers unreachable"),
        ("breakglass 90 seconds approvers unreachable", "breakglass for=1m30s -- approvers unreachable"),
        ("breakglass for 10 minutes, approvers unreachable", "breakglass for=10m -- approvers unreachable"),
        ("breakglass 1h 30 min the shop is down", "breakglass for=1h30m -- the shop is down"),
        ("breakglass 1 hour 30m the shop is down", "breakglass for=1h30m -- the shop is down"),
        ("breakglass 1 hour and 30 minutes the shop is down", "breakglass for=1h30m -- the shop is down"),
        ("breakglass 1h, 30m the shop is down", "breakglass for=1h30m -- the shop is down"),
        ("breakglass 1d2h3m the shop is down", "breakglass for=1d2h3m -- the shop is down"),
        ("breakglass 1d 2h 3m the shop is down", "breakglass for=1d2h3m -- the shop is down"),
        ("breakglass for ten minutes the shop is down", "breakglass for=10m -- the shop is down"),
        ("breakglass five minutes, the shop is down", "breakglass for=5m -- the shop is down"),
        ("breakglass two hours - the shop is down", "breakglass for=2h -- the shop is down"),
        ("breakglass half an hour the shop is down", "breakglass for=30m -- the shop is down"),
        ("breakglass 2 nodes are down", "breakglass -- 2 nodes are down"),
        ("breakglass 503 errors on the shop", "breakglass -- 503 errors on the shop"),
        ("breakglass 1 node is down", "breakglass -- 1 node is down"),
        ("breakglass 3 of 4 nodes are down", "breakglass -- 3 of 4 nodes are down"),
        ("breakglass 10 minutes ago the shop went down", "breakglass -- 10 minutes ago the shop went down"),
        ("breakglass half the nodes are down", "breakglass -- half the nodes are down"),
    ],
)
async def test_words_without_dashes_are_offered_as_the_reason(team: Team, typed: str, meant: str) -> None:
    """The rest of the command stays as it was typed."""
    refused = await team.env.does(typed, "Nothing was done", "The reason comes after `--`.", user="U0ROOT")
    assert labels(refused) == [meant]


@pytest.mark.parametrize(
    "end",
    [
        *("until 22:30", "30", "22:30", "1-2 hours", "1 hour or so", "one to two hours", "2 hours 30", "10 minuts"),
        *("1h and a bit", "a few minutes", "a quarter of an hour", "for=5m 1h", "for=soon", "for=5m for=10m"),
    ],
)
async def test_an_end_that_breakglass_does_not_take_is_not_offered_as_its_reason(team: Team, end: str) -> None:
    refused = await team.env.does(f"breakglass {end} Lee is away", "Nothing was done", user="U0ROOT")
    assert labels(refused) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("grant @rui start acc:news/feed --for=30m -- help", "grant @Rui Reis start acc:news/feed for=30m -- help"),
        ("grant @rui start acc:news/feed --for 30m -- help", "grant @Rui Reis start acc:news/feed for=30m -- help"),
        ('grant @rui start acc:news/feed --reason "the help"', "grant @Rui Reis start acc:news/feed -- the help"),
        ("breakglass --for 5m -- approvers unreachable", "breakglass for=5m -- approvers unreachable"),
        ("breakglass --for 5m approvers unreachable", "breakglass for=5m -- approvers unreachable"),
        ("breakglass --for 1 hour outage", "breakglass for=1h -- outage"),
    ],
)
async def test_a_parameter_in_dashes_is_offered_as_one(team: Team, typed: str, meant: str) -> None:
    assert labels(await team.env.does(typed, "Nothing was done", user="U0ROOT")) == [meant]


async def test_the_card_of_a_grant_has_who_gave_it_and_why_apart(team: Team) -> None:
    env = team.env
    await env.say("grant @ana start acc:news/* for=2h -- covering for Lee", user="U0ROOT")
    text = shown(await env.sees("*Granted: start on* `acc:news/*`"))
    assert re.search(r"Granted by\W+<@U0ROOT>\n", text), text
    assert re.search(r"Why\W+covering for Lee", text), text


async def test_a_grant_is_revoked_with_a_reason(team: Team) -> None:
    """After revoke the next start is denied; a stranger to the grant cannot revoke it."""
    env = team.env
    await env.say("grant @ana start acc:news/feed -- covering", user="U0ROOT")
    rule = (await team.event("granted")).rule
    grant = rule.removeprefix("grant ")
    await env.does(f"revoke {grant}", "needs a reason", user="U0ROOT")
    await env.does(f"revoke {grant} -- no", "Denied", user="U0RUI")
    await env.say(f"revoke {grant} -- Lee is back", user="U0LEE")
    await team.sees_in_thread("Grant ended", "Revoked by <@U0LEE>", "Lee is back")
    await env.sees("Granted: start on acc:news/feed", "Revoked by <@U0LEE>: Lee is back")
    row = await team.event("revoked")
    assert (row.user_id, row.reason, row.rule) == ("U0LEE", "Lee is back", rule)
    await env.does("start acc:news/feed", "Denied", "start acc:news/feed")
    await env.does(f"revoke {grant} -- again", "has already ended", user="U0LEE")


async def test_the_timeline_keeps_the_end_of_a_grant_as_it_was_given(team: Team) -> None:
    """And says when it was revoked."""
    await team.env.say("grant @ana start acc:news/feed for=2h -- covering", user="U0ROOT")
    given = await team.event("granted")
    revoke = f"revoke {(given.rule or '').removeprefix('grant ')} -- Lee is back"
    await team.env.does(revoke, "is revoked", user="U0ROOT")
    revoked = (await team.event("revoked")).at
    text = shown(await team.env.does("timeline since=1h", "Timeline since", "revoked", user="U0ROOT"))
    assert re.search(rf"until <!date\^{epoch((given.detail or '').rpartition(' ')[2])}\D", text), text
    assert f"ended <!date^{epoch(revoked)}" in text, text


async def test_the_end_of_a_grant_tells_of_another_one_of_the_same(team: Team) -> None:
    """The person keeps the right until that one ends, too."""
    env = team.env
    await env.say("grant @ana start acc:news/feed for=2h -- covering", user="U0ROOT")
    first = (await team.event("granted")).rule.removeprefix("grant ")
    await env.say("grant @ana start acc:news/feed for=1h -- once more", user="U0ROOT")
    await env.sees("Granted: start on acc:news/feed", "once more")
    second = next(
        one.rule.removeprefix("grant ") for one in env.audit(event="granted") if first not in (one.rule or "")
    )
    await env.say(f"revoke {second} -- enough", user="U0ROOT")
    await team.sees_in_thread("Grant ended", "Another grant of it is active until", f"revoke {first} -- why")
    await env.sees("is revoked", f"revoke {first} -- why", user="U0ROOT")
    await env.say(f"revoke {first} -- all of it", user="U0ROOT")
    ended = await team.sees_in_thread("Grant ended", "all of it")
    assert "Another grant" not in shown(ended)


async def test_a_grant_is_for_what_runs_and_not_for_one_of_its_runs(team: Team) -> None:
    """`@failed` counts as its agent, as in the rules; a run by its id is refused."""
    env = team.env
    run = "acc:run/7f1f3a8e-0c55-4c0e-9a55-2f5c6a1d9b01"
    await env.does(f"grant @ana retry {run} -- hers", "A grant is not for a single run.", user="U0ROOT")
    await env.say("grant @ana start acc:news/feed@failed -- covering", user="U0ROOT")
    await env.sees("Granted: start on acc:news/feed", "covering")
    await env.say("start acc:news/feed")
    await env.until(lambda: len(team.effects()) == 1)


@pytest.mark.parametrize(
    "typed", ['"acc:news/my feed@failed"', 'acc:"news/my feed"@failed', '"acc:news/my feed"@latest']
)
async def test_a_grant_for_a_name_with_a_blank_is_for_none_of_its_runs_either(team: Team, typed: str) -> None:
    await team.env.say(f"grant @ana start {typed} for=1h -- covering", user="U0ROOT")
    assert (await team.event("granted")).target_name == "acc:news/my feed"


async def test_nobody_grants_what_they_may_not_do_themselves(team: Team) -> None:
    """Rui may switch schedules of the shop on and grants that; everything wider, or that needs an approval, is refused."""
    env = team.env
    for words, why in (
        ("start acc:shop/*", "You need an approval for `start` on `acc:shop/*` (<#C0CRAWL> allow 2)"),
        ("schedule on acc:*", "may not `schedule on` all of"),
        ("schedule * acc:shop/*", "yourself"),
        ("* acc:shop/prices", "yourself"),
        ("agent approve acc:labs/new", "denied to you"),
    ):
        await env.does(f"grant @ana {words} -- please", "Denied", why, user="U0RUI")
    assert not env.audit(event="granted")
    await env.say("grant @ana schedule on acc:shop/* for=1h -- please", user="U0RUI")
    await env.sees("Granted: schedule on on `acc:shop/*`")
    codes = {row.code for row in env.audit(event="denied")}
    assert codes == {"beyond_own_rights"}


async def test_a_grant_counts_only_while_who_gave_it_could_give_it(team: Team) -> None:
    """Rui grants, Ana acts; Rui is deactivated: Ana is denied and `why` says it; Rui is back: she acts again."""
    env = team.env
    await env.say("grant @ana schedule on acc:shop/* for=2h -- please", user="U0RUI")
    await env.sees("Granted: schedule on on `acc:shop/*`")
    await env.say("schedule on acc:shop/prices")
    await env.until(lambda: env.events("schedule on").count("done") == 1)
    env.ws.set_user("U0RUI", deleted=True)
    team.later(seconds=61)
    await env.does("schedule on acc:shop/prices", "Denied", "schedule on acc:shop/prices")
    await env.does("why schedule on acc:shop/prices", "who gave it could not give it now")
    env.ws.set_user("U0RUI", deleted=False)
    team.later(seconds=61)
    await env.say("schedule on acc:shop/prices")
    await env.until(lambda: env.events("schedule on").count("done") == 2)


async def test_a_grant_shrinks_with_the_rules_of_who_gave_it(team: Team) -> None:
    """The rules are changed so that Rui may not do it any more: neither may Ana by his grant. Root's grant stays."""
    env = team.env
    await env.say("grant @ana schedule on acc:shop/prices for=2h -- please", user="U0RUI")
    await env.sees("Granted: schedule on on acc:shop/prices")
    await team.new_rules(RULES.replace('verbs = ["schedule on"]', 'verbs = ["schedule start"]'))
    await env.does("schedule on acc:shop/prices", "Denied", "schedule on acc:shop/prices")
    assert "sent" not in env.events("schedule on")
    await env.say("grant @ana schedule on acc:shop/prices for=2h -- please", user="U0ROOT")
    await env.until(lambda: len(env.audit(event="granted")) == 2)
    await env.say("schedule on acc:shop/prices")
    await env.until(lambda: env.events("schedule on").count("done") == 1)


async def test_only_an_administrator_lets_a_guest_do_something(team: Team) -> None:
    """Rui, who may do it himself, cannot hand it to a guest; Root can."""
    env = team.env
    await env.does(
        "grant @gus schedule on acc:shop/* -- help",
        "Only an administrator can grant <@U0GUEST>",
        "a guest",
        user="U0RUI",
    )
    assert not env.audit(event="granted")
    await env.say("grant @gus schedule on acc:shop/* -- help", user="U0ROOT")
    await env.sees("Granted: schedule on on `acc:shop/*`", "<@U0GUEST> is a guest, not a full member")


async def test_a_grant_is_for_somebody_else_with_a_reason_for_at_most_a_day(team: Team) -> None:
    """To oneself: refused, an administrator's too. Two days: administrators only. No reason, no grant."""
    env = team.env
    await env.does("grant @root start acc:news/feed -- me", "Denied", "You can't grant yourself", user="U0ROOT")
    await env.does("grant @ana schedule on acc:shop/* for=2d -- x", "Denied", "Only administrators", user="U0RUI")
    await env.does("grant @ana start acc:news/feed", "needs a reason", user="U0ROOT")
    await env.does("grant @ana start -- x", "names a person, a verb and a target", user="U0ROOT")
    await env.does("grant @ana begin acc:news/feed -- x", "No control plane has a verb", user="U0ROOT")
    await env.say("grant @ana start acc:news/feed for=2d -- covering", user="U0ROOT")
    await env.sees("Granted: start on acc:news/feed")


async def test_a_grant_lifts_no_deny_and_no_approval(team: Team) -> None:
    """Granted the labs and the shop, Ana still meets the deny and still has to ask the leads."""
    env = team.env
    await env.say("grant @ana * acc:* for=1h -- everything", user="U0ROOT")
    await env.sees("Granted: `*` on `acc:*`")
    await env.does("agent approve acc:labs/new -- please", "Denied", "approved elsewhere")
    await env.say("start acc:shop/prices")
    await env.sees("Waiting for approval", "start acc:shop/prices")
    assert not team.effects()


async def test_a_grant_ends_while_the_program_is_down(team: Team) -> None:
    """Its end is kept up with at the next start."""
    env = team.env
    await env.say("grant @ana start acc:news/feed for=1h -- covering", user="U0ROOT")
    await env.sees("Granted: start on acc:news/feed")
    await env.bot.close()
    team.later(hours=1)
    await env.restart()
    await team.sees_in_thread("Grant ended", "<@U0ANA>")
    assert len(env.audit(event="expired")) == 1


async def test_an_end_while_the_program_is_down_is_recorded_as_one_while_it_runs(team: Team) -> None:
    """An act of the timer for the holder, in the incident of the request; nobody typed it."""
    env = team.env
    await env.say("incident open INC-42 -- checkout is down", user="U0ROOT")
    await team.event("incident_opened")
    await env.say("grant @ana start acc:news/feed for=1h -- covering", user="U0ROOT")
    await env.sees("Granted: start on acc:news/feed")
    await env.say("breakglass for=30m -- down", user="U0RUI")
    await team.event("breakglass")
    await env.bot.close()
    team.later(hours=1)
    await env.restart()
    await env.until(lambda: len(env.audit(event="expired")) == 2)
    assert {(row.source, row.user_id, row.incident) for row in env.audit(event="expired")} == {
        ("timer", "U0ANA", "INC-42"),
        ("timer", "U0RUI", "INC-42"),
    }
    asked = {row.request_id for event in ("granted", "breakglass") for row in env.audit(event=event)}
    assert not asked & {row.request_id for row in env.audit(event="expired")}
    told = shown(await env.does("audit expired", "Audit log", "automatic, for", user="U0ROOT"))
    assert "of \n<@" not in told  # for the person who is named already


async def test_a_frozen_channel_counts_again_when_an_administrator_confirms(team: Team) -> None:
    """The channel begins to be shared: everything is refused there until Root confirms, in the channel itself."""
    env = team.env
    await env.does("status acc:shop/prices", "acc:shop/prices")
    env.ws.set_channel(CRAWL, is_ext_shared=True)
    await env.sees(f"<#{CRAWL}> are suspended", "policy confirm", channel="C0SEC")
    row = await team.event("denied")
    assert (row.channel_id, row.code, row.user_id) == (CRAWL, "place_frozen", None)
    team.later(minutes=2)
    await env.does("status acc:shop/prices", "Denied", "an administrator must confirm")
    await env.does("policy confirm", "Denied", "Only administrators")
    await env.does("policy confirm -- the partner is known", "are confirmed", user="U0ROOT")
    row = await team.event("reviewed")
    assert (row.user_id, row.verb, row.reason) == ("U0ROOT", "policy confirm", "the partner is known")
    before = len(env.audit(event="done"))
    await env.say("status acc:shop/prices")
    await env.until(lambda: len(env.audit(event="done")) > before)


async def test_a_shared_channel_says_what_ends_it_and_the_security_channel_is_told(team: Team) -> None:
    """Who may confirm reads how, the others read who may."""
    env = team.env
    await env.does("status acc:shop/prices", "acc:shop/prices")
    env.ws.set_channel(CRAWL, is_ext_shared=True)
    await env.sees("are suspended", f"<#{CRAWL}>", "policy confirm", user="U0ROOT", channel=SECURITY)
    await env.does("status acc:shop/prices", "Denied", "An administrator (`admins`)", "policy confirm -- why")
    await env.does(
        "status acc:shop/prices", "Denied", "Check who is in this channel", "policy confirm -- why", user="U0ROOT"
    )


PEOPLE = '[people]\nana = ["U0ANA", "U0LEE"]\n'


async def test_two_accounts_of_one_person_count_once(team: Team) -> None:
    """Lee's account is written to be Ana's too: it cannot approve what Ana asks, and that is refused at once."""
    env = team.env
    before = env.bot.rules.now.policy.version
    await team.new_rules(RULES + PEOPLE)
    assert env.bot.rules.now.policy.version != before
    await env.does("start acc:shop/prices", "Denied", "requester can't decide")
    assert (await team.event("denied")).code == "no_approvers"
    await env.does("whoami", "Your accounts", "U0LEE")
    await env.does("grant @ana start acc:news/feed -- me", "Denied", "You can't grant yourself", user="U0LEE")
    await env.say("breakglass for=30m -- down", user="U0LEE")
    await team.event("breakglass")
    card = await env.sees("Break-glass", channel="C0SEC")
    await team.press(card, "Close review", user="U0ANA", channel="C0SEC")
    await env.sees("You can't review your own break-glass", channel="C0SEC")


async def test_an_alias_noted_after_the_card_was_shown_counts_too(team: Team) -> None:
    """Who is whose account is read at the press."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.new_rules(RULES + PEOPLE)
    await team.press(card, "Approve")
    await env.sees("your own request", user="U0LEE", channel=APPROVERS)
    assert not team.effects()


async def test_accounts_are_written_in_the_file_and_nowhere_else(team: Team) -> None:
    """No word in chat makes two accounts one person, or one two."""
    env = team.env
    await env.does("policy alias @lee @ana -- same person", "`policy` doesn't take", user="U0ROOT")
    await env.does("policy alias @lee -- same person", "Unknown `policy alias`", user="U0ROOT")
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Approve")
    await env.until(lambda: len(team.effects()) == 1)


async def test_a_grant_that_a_deny_stands_above_says_so(team: Team) -> None:
    """An administrator may give it, and whoever reads the card knows what will still be denied; another grant is in force."""
    env = team.env
    await env.say("grant @ana agent approve acc:labs/* for=1h -- trying", user="U0ROOT")
    await env.sees("Granted: agent approve", "no grant overrides a deny", "<#C0CRAWL> deny 1")
    await env.does("agent approve acc:labs/new -- please", "Denied", "approved elsewhere")
    await env.say("grant @ana agent approve acc:news/* for=1h -- trying", user="U0ROOT")
    assert "overrides a deny" not in shown(await env.sees("Granted: agent approve on `acc:news/*`"))


async def test_a_grant_of_what_needs_an_approval_says_that_it_replaces_none(team: Team) -> None:
    """Ana, whom the rule names, will still have to ask; Lee, whom it doesn't name, won't."""
    env = team.env
    await env.say("grant @ana start acc:shop/* for=1h -- covering", user="U0ROOT")
    await env.sees(
        "Granted: start on `acc:shop/*`", "<#C0CRAWL> allow 2 demands approval: no grant overrides an approval"
    )
    await env.say("grant @lee start acc:shop/prices for=1h -- covering", user="U0ROOT")
    assert "demands approval" not in shown(await env.sees("Granted: start on acc:shop/prices"))
    await env.say("grant @ana * acc:* for=1h -- everything", user="U0ROOT")
    await env.sees(
        "deny 1 denies it and where <#C0CRAWL> allow 2 demands approval: no grant overrides a deny or an approval"
    )


async def test_the_list_of_grants_has_a_button_that_revokes_one(team: Team) -> None:
    """For its giver; the list of a person who may not end it has none."""
    env = team.env
    await env.say("grant @ana start acc:news/* for=1h -- covering for Lee", user="U0ROOT")
    await env.sees("*Granted: start on* `acc:news/*`")
    assert labels(await env.does("grants", "Grants", "start on acc:news/*", user="U0RUI")) == []
    listed = await env.does("grants", "Grants", "start on acc:news/*", user="U0ROOT")
    await env.person("U0ROOT").press_label(
        "C0CRAWL", listed["ts"], "Revoke start on acc:news/* from Ana Alves", seen=listed
    )
    await team.sees_in_thread("Grant ended", "<@U0ANA>")


async def test_each_of_several_grants_has_a_button(team: Team) -> None:
    env = team.env
    verbs = ("start", "mark", "status", "history", "logs", "schedules")
    for verb in verbs:
        await env.say(f"grant @ana {verb} acc:news/* for=1h -- covering for Lee", user="U0ROOT")
    await env.until(lambda: len(env.audit(event="granted")) == len(verbs))
    listed = await env.does("grants", "Grants", "<@U0ANA>", user="U0ROOT")
    assert sorted(labels(listed)) == sorted(f"Revoke {verb} on acc:news/* from Ana Alves" for verb in verbs)


async def test_two_grants_of_the_same_are_revoked_by_buttons_and_questions_that_name_the_person(team: Team) -> None:
    """Two of one person differ by their ids, which the list shows."""
    env = team.env
    for person, length in (("@ana", "1h"), ("@rui", "1h"), ("@rui", "2h")):
        await env.say(f"grant {person} start acc:news/* for={length} -- covering for Lee", user="U0ROOT")
    await env.until(lambda: len(env.audit(event="granted")) == 3)
    ids = {str(row.rule).removeprefix("grant "): str(row.detail) for row in env.audit(event="granted")}
    of_rui = [one for one, detail in ids.items() if "U0RUI" in detail]
    listed = await env.does("grants", "Grants", "<@U0ANA>", "<@U0RUI>", user="U0ROOT")
    assert sorted(labels(listed)) == sorted(
        ["Revoke start on acc:news/* from Ana Alves", *[f"Revoke {one}" for one in of_rui]]
    )
    asked = [one["confirm"]["text"]["text"] for block in listed["blocks"] for one in block.get("elements", ())]
    assert ["Ana Alves" in one for one in asked].count(True) == 1
    assert ["Rui Reis" in one for one in asked].count(True) == 2
    assert all(any(one in question for question in asked) for one in ids)
    assert all(one in str(listed["blocks"]) for one in of_rui)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("grant @ana strat acc:shop/* for=1h -- x", "Did you mean `start`?"),
        ("grant @ana start -- x", "A grant names a person, a verb and a target."),
        (
            "grant @nobody start acc:labs/slow for=5m -- x",
            "I don't know the person `@nobody`.\nMention them, or write the id",
        ),
        ("grant @ana start acc:shop/* for=soon -- x", "is not a duration"),
        ("breakglass now for=5m -- x", "takes only `for=`"),
    ],
)
async def test_a_mistyped_permission_is_explained_and_no_button_gives_another_one(
    team: Team, command: str, says: str
) -> None:
    """The person types it again: a guess could name another target, or leave out the time."""
    card = await team.env.does(command, says, user="U0ROOT")
    assert labels(card) == []


@pytest.mark.parametrize("target", ["acc:tokens-weekly/eu-west-1/*", "acc:password/reset_2024"])
async def test_a_grant_for_a_folder_whose_name_is_a_secret_s_is_given(team: Team, target: str) -> None:
    await team.env.does(f"grant @ana start {target} for=1h -- x", "Granted: start on", user="U0ROOT")


@pytest.mark.parametrize(
    "word", ["password=correct-horse-7", "labs/token=correct-horse-7", "postgres://u:horse-7@db/x"]
)
async def test_a_grant_whose_target_holds_a_secret_is_refused(team: Team, word: str) -> None:
    await team.env.does(f"grant @ana start acc:{word} for=1h -- x", "The target looks like a secret", user="U0ROOT")
    assert team.env.audit(event="granted") == []


@pytest.mark.parametrize("command", ["grant {} start acc:news/* -- x", "why as={} start acc:news/feed"])
async def test_a_user_group_is_no_person(team: Team, command: str) -> None:
    said = shown(await team.env.does(command.format("@leads"), "A user group is not a person.", user="U0ROOT"))
    assert "subteam" not in said


async def test_a_person_stands_for_the_only_grant_they_hold(team: Team) -> None:
    """With two, the answer says that one has to be named, and nothing ends."""
    env = team.env
    for verb in ("start", "status"):
        await env.say(f"grant @ana {verb} acc:news/* for=2h -- x", user="U0ROOT")
        await env.sees(f"*Granted: {verb} on* `acc:news/*`")
    await env.does("revoke @ana -- done", "Say which grant of <@U0ANA> you mean", "/ops grants", user="U0ROOT")
    await env.does("revoke @lee -- done", "I don't know this grant", user="U0ROOT")
    assert not env.audit(event="revoked")
    other = next(row for row in env.audit(event="granted") if row.verb == "status")
    await env.does(f"revoke {other.rule.removeprefix('grant ')} -- done", "is revoked", user="U0ROOT")
    await env.does("revoke @ana -- done", "The grant of start on `acc:news/*` of <@U0ANA> is revoked", user="U0ROOT")


async def test_the_answer_to_a_wrong_command_has_the_names_of_the_people_in_it(team: Team) -> None:
    """Code shows no mention."""
    env = team.env
    refused = shown(await env.does("revoke start acc:labs/slow from @rui", "doesn't take", user="U0ROOT"))
    assert "from @Rui Reis`" in refused
    assert "U0RUI" not in refused


@pytest.mark.parametrize("why", ["", " -- enough"])
async def test_a_grant_that_is_revoked_by_what_it_permits_is_offered_as_the_list_with_its_button(
    team: Team, why: str
) -> None:
    env = team.env
    await env.say("grant @rui start acc:labs/slow -- covering", user="U0ROOT")
    await team.event("granted")
    offered = await env.does(f"revoke start acc:labs/slow from @rui{why}", "doesn't take", user="U0ROOT")
    assert labels(offered) == ["grants"]
    assert "revoke start --" not in shown(offered)


async def test_a_long_list_of_grants_names_the_people(team: Team) -> None:
    """It is code, where Slack shows no mention."""
    env = team.env
    for number in range(12):
        await env.say(f"grant @ana start acc:news/feed-{number} -- covering", user="U0ROOT")
    await env.until(lambda: len(env.audit(event="granted")) == 12)
    listed = shown(await env.does("grants", "Grants", "@Ana", user="U0ROOT"))
    assert "U0ANA" not in listed


async def test_a_grant_whose_giver_lost_the_right_to_give_it_is_told_nowhere_as_active(team: Team) -> None:
    """Lee granted it too, and isn't an administrator anymore."""
    env = team.env
    await env.say("grant @ana start acc:news/feed for=2h -- covering", user="U0ROOT")
    first = (await team.event("granted")).rule.removeprefix("grant ")
    await env.say("grant @ana start acc:news/feed for=1h -- once more", user="U0LEE")
    await env.until(lambda: len(env.audit(event="granted")) == 2)
    await team.new_rules(RULES.replace('admins = ["U0ROOT", "U0LEE"]', 'admins = ["U0ROOT"]'))
    answer = shown(await env.does(f"revoke {first} -- enough", "is revoked", user="U0ROOT"))
    assert "Another grant of it is active" not in answer
    listed = "start on acc:news/feed, with any parameters (not in force: who gave it could not give it now)"
    await env.does("grants", listed, user="U0ROOT")
    await env.ana.open_home()
    assert "granted to you" not in shown(await env.ana.wait_for(lambda ana: ana.home()))


@pytest.mark.parametrize("gone", ["left", "deactivated", None])
async def test_an_allowed_hour_is_told_as_active_only_while_its_approver_may_approve(
    team: Team, gone: str | None
) -> None:
    """Lee allowed it, and is no lead anymore: Ana's start waits for approval again, and no list says that she may."""
    env = team.env
    await env.say("start acc:shop/prices -- month end")
    await team.press(await team.card("start acc:shop/prices"), "Allow for 1 hour")
    await env.until(lambda: env.audit(event="granted") and team.effects())
    if gone == "deactivated":
        env.ws.set_user("U0LEE", deleted=True)
    team.regroup("S0LEADS", ["U0ROOT", *(["U0LEE"] if gone != "left" else [])])
    team.later(minutes=11)
    await env.say("start acc:shop/prices -- once more")
    await env.until(lambda: len(env.audit(event="approval_requested")) == 2 if gone else len(team.effects()) == 2)
    listed = shown(await env.does("grants", "start on acc:shop/prices"))
    assert ("(not in force: who approved it could not approve it now)" in listed) is (gone is not None)
    await env.ana.open_home()
    assert ("granted to you" in shown(await env.ana.wait_for(lambda ana: ana.home()))) is (gone is None)


async def test_a_short_list_of_grants_on_long_targets_names_the_people(team: Team) -> None:
    """It is code, too."""
    env, folder = team.env, "very-long-folder-name-/" * 4
    for number in range(8):
        await env.say(f"grant @ana start acc:news/{folder}feed-{number} -- covering", user="U0ROOT")
    await env.until(lambda: len(env.audit(event="granted")) == 8)
    listed = shown(await env.does("grants", "Grants", "@Ana", user="U0ROOT"))
    assert "U0ANA" not in listed


async def test_a_grant_for_a_target_with_a_misspelled_name_is_offered_for_the_one_that_exists(tmp_path: Path) -> None:
    """A pattern and a name that is like none are granted as they are."""
    async with world(tmp_path, policy=RULES, only=("acc",), agents=True) as env:
        typed = "grant @ana start acc:shop/prises for=1h -- x"
        refused = await env.does(typed, "`acc:shop/prises` doesn't exist.", user="U0ROOT")
        assert labels(refused)[0].endswith("start acc:shop/prices for=1h -- x")
        assert not env.audit(event="granted")
        for target in ("acc:shop/prises*", "acc:other/thing", "acc:shop/prices"):
            await env.say(f"grant @ana start {target} for=1h -- x", user="U0ROOT")
            await env.until(
                lambda target=target: [one for one in env.audit(event="granted") if one.target_name == target]
            )
