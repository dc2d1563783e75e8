"""Break-glass: its own right, loud, marked, short, reviewed by somebody else, and nagged about until it is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.core.audit import AuditEntry, Event
from bot.core.records import StoredEntry
from tests.scenarios.team import APPROVERS, CRAWL, INCIDENT, RULES, SECURITY, Team, deciding
from tests.world import labels, shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def opened(team: Team) -> str:
    """Rui breaks the glass in #crawl-ops; the grant's id."""
    await team.env.say("breakglass for=30m -- approvers unreachable, checkout is down", user="U0RUI")
    row = await team.event("breakglass")
    assert isinstance(row.rule, str)
    return row.rule.removeprefix("grant ")


async def test_the_audit_log_finds_its_uses_by_the_name_that_lists_give_them(team: Team) -> None:
    """And its ends, but not those of grants. Also in two words, and with the name of the event beside it."""
    await team.env.say("grant @ana start acc:news/feed -- help", user="U0ROOT")
    await team.event("granted")
    await team.env.say("revoke @ana -- done", user="U0ROOT")
    await team.event("revoked")
    await team.env.say("breakglass for=10m -- approvers unreachable", user="U0ROOT")
    given = (await team.event("breakglass")).rule or ""
    await team.env.say(f"revoke {given.removeprefix('grant ')} -- over", user="U0ROOT")
    await team.env.until(lambda: len(team.env.audit(event="revoked")) == 2)
    listed = await team.env.does("audit break-glass", "Audit log", "breakglass", "revoked", user="U0ROOT")
    assert "of <@U0ANA>" not in shown(listed)
    listed = await team.env.does("audit break glass", "Audit log", "breakglass", user="U0ROOT")
    for words in (
        "break-glass revoked",
        "revoked break-glass",
        "Break-Glass Revoked",
        "break-glass event=revoked",
        "event=revoked break glass",
    ):
        ended = shown(await team.env.does(f"audit {words}", "Audit log", user="U0ROOT"))
        assert "revoked" in ended, (words, ended)
        assert "<@U0ROOT>" in ended, (words, ended)
        assert "of <@U0ANA>" not in ended, (words, ended)


async def test_the_end_of_a_grant_of_all_verbs_on_a_target_is_not_listed_as_break_glass(team: Team) -> None:
    await team.env.say("grant @ana * acc:news/feed for=1h -- all", user="U0ROOT")
    await team.event("granted")
    await team.env.say("revoke @ana -- over", user="U0ROOT")
    await team.event("revoked")
    listed = await team.env.does("audit break-glass", "Audit log", "No matching entries.", user="U0ROOT")
    assert "grant of" not in shown(listed)


async def test_it_is_loud_marked_and_the_skipped_approvers_are_told(team: Team) -> None:
    """A card in both channels; the start needs nobody, carries the mark and the incident; the leads hear of it."""
    env = team.env
    grant = await opened(team)
    loud = await env.sees("Break-glass", "checkout is down", "<@U0RUI>", "<@U0ROOT>", channel=SECURITY)
    assert labels(loud) == ["Close review", "End it now"]
    assert labels(await env.sees("Break-glass", "checkout is down", channel=INCIDENT)) == ["End it now"]
    await env.say("start acc:shop/prices -- restore prices", user="U0RUI")
    await env.sees("start acc:shop/prices", "Succeeded", "BREAK-GLASS", grant, timeout=30)
    assert len(team.effects()) == 1

    def effects() -> list[StoredEntry]:
        return [row for row in env.audit() if row.verb == "start" and row.event in ("sent", "done", "ended")]

    await env.until(lambda: {str(row.event) for row in effects()} == {"sent", "done", "ended"})
    rows = effects()
    assert {row.incident for row in rows} == {grant}
    assert rows[0].rule == f"grant {grant}"
    notice = await env.sees("without your approval", "break-glass", "<@U0LEE>", user="U0LEE", channel=APPROVERS)
    assert "start acc:shop/prices" in shown(notice)
    assert not env.audit(event="approval_requested")


async def test_the_channel_where_it_is_active_reads_what_it_means_until_when_and_who_reviews_it(team: Team) -> None:
    """In plain words for everyone there; at the end the same message says how much was done, and later who reviewed it."""
    env = team.env
    await opened(team)
    notice = await env.sees("Break-glass is active for <@U0RUI>", "checkout is down")
    assert not [
        one for one in env.person("U0RUI").messages(CRAWL) if one["ts"] != notice["ts"]
    ]  # the notice is the answer
    assert f"What it means:* <@U0RUI> can run anything in <#{CRAWL}> that no rule denies, without approval" in shown(
        notice
    )
    assert "*Ends:* <!date^" in shown(notice)
    assert f"must review what was done and close this in <#{SECURITY}>" in shown(notice)
    await env.say("start acc:shop/prices", user="U0RUI")
    await env.sees("start acc:shop/prices", "Succeeded", user="U0RUI", timeout=30)
    await team.event("ended")
    team.later(minutes=30)
    over = await env.sees("Break-glass of <@U0RUI>", "has ended", "ran 1 command with it")
    assert over["ts"] == notice["ts"]


@pytest.mark.parametrize("text", ["breakglass start acc:labs/new -- prod is down", "breakglass banana for=5m -- x"])
async def test_breakglass_refuses_words_that_it_does_not_understand(team: Team, text: str) -> None:
    """A command behind it is not run and opens nothing: the answer says what breakglass does, and how it is written."""
    env = team.env
    parts = "it takes only `for=`", "allow everything in this channel", "breakglass for=30m -- "
    await env.does(text, "Nothing was done", "`breakglass` doesn't take", *parts, user="U0RUI")
    assert not env.audit(event="breakglass")


async def test_only_who_has_the_right_may_and_only_so_long(team: Team) -> None:
    """Ana may not; no reason, two hours, or a second one beside the first: no."""
    env = team.env
    await env.does("breakglass for=30m -- please", "Denied: you can't use break-glass.", "You are not in")
    assert (await team.event("denied")).code == "not_breakglass"
    await env.does("breakglass for=30m", "needs a reason", user="U0RUI")
    await env.does("breakglass for=2h -- please", "at most 1 h", user="U0RUI")
    assert not env.audit(event="breakglass")
    await opened(team)
    await env.does("breakglass -- once more", "already active", user="U0RUI")
    assert len(env.audit(event="breakglass")) == 1


async def test_ending_it_with_the_button_is_told_in_its_channel_once(team: Team) -> None:
    env = team.env
    await opened(team)
    notice = await env.sees("Break-glass is active for <@U0RUI>", user="U0RUI")
    (asked,) = re.findall(r"The break-glass for [^']*ends now\.[^']*", str(notice["blocks"]))
    assert asked.endswith(
        "ends now."
    )  # Slack shows no time in the reader's zone there, and an id tells nobody anything
    await team.press(notice, "End it now", user="U0RUI", channel=CRAWL)
    over = await env.sees("Break-glass ended for <@U0RUI>", "Revoked by <@U0RUI>", user="U0RUI")
    await env.sees("Break-glass of <@U0RUI>", "has ended", user="U0RUI")
    assert "with a button" not in shown(over)
    assert len(env.person("U0RUI").messages(CRAWL)) == 2
    assert (await team.event("revoked")).reason == "ended with a button"


async def test_who_asks_for_it_in_a_thread_is_answered_there(team: Team) -> None:
    """Its card is in the channel, which a person who reads the thread doesn't see."""
    env, rui = team.env, team.env.person("U0RUI")
    await rui.post(CRAWL, "The checkout is down.")
    ts = next(one["ts"] for one in rui.messages(CRAWL) if "checkout is down" in one["text"])
    await rui.post(CRAWL, "<@U0BOT> breakglass for=30m -- approvers unreachable", ts)
    await rui.wait_for(lambda one: [m for m in one.messages(CRAWL, ts) if "Break-glass is active until" in shown(m)])
    grant = (await team.event("breakglass")).incident
    await rui.post(CRAWL, f"<@U0BOT> revoke {grant} -- over", ts)
    await rui.wait_for(
        lambda one: [m for m in one.messages(CRAWL, ts) if "Break-glass of <@U0RUI> is revoked" in shown(m)]
    )
    await env.sees("Break-glass ended for <@U0RUI>")


async def test_it_overrides_no_deny_and_ends_by_itself(team: Team) -> None:
    """A deny is a deny; after thirty minutes the leads are asked again."""
    env = team.env
    grant = await opened(team)
    await env.does("agent approve acc:labs/new -- please", "Denied", "approved elsewhere", user="U0RUI")
    await env.say("start acc:shop/prices", user="U0RUI")
    await env.until(lambda: len(team.effects()) == 1)
    await env.sees("start acc:shop/prices", "Succeeded", user="U0RUI", timeout=30)
    await team.event("ended")
    team.later(minutes=30)
    over = await env.sees("Break-glass", "has ended", "must review", "start acc:shop/prices", channel=SECURITY)
    assert labels(over) == ["Close review"]
    assert "'succeeded'" in str(over["blocks"])
    assert "'done'" not in str(over["blocks"])
    row = await team.event("expired")
    assert row.incident == grant
    await env.say("start acc:shop/stock", user="U0RUI")
    await env.sees("Waiting for approval", "start acc:shop/stock")
    assert len(team.effects()) == 1


async def test_the_reviewer_reads_with_which_parameters_a_command_ran(team: Team) -> None:
    """As typed: marking a run as failed is not the same as marking it as a success."""
    await opened(team)
    await team.env.say("mark acc:shop/prices as=failed -- wrong prices", user="U0RUI")
    await team.event("done")
    team.later(minutes=30)
    over = await team.env.sees("Break-glass", "has ended", "must review", channel=SECURITY)
    assert "'mark acc:shop/prices as=failed'" in str(over["blocks"])


async def test_the_reviewer_reads_what_was_done_however_much_was_looked_at_afterwards(team: Team) -> None:
    """What a person does meanwhile without it pushes nothing out."""
    await opened(team)
    await team.env.say("mark acc:shop/prices as=failed -- wrong prices", user="U0RUI")
    done = await team.event("done")
    look = AuditEntry(
        at=done.at, request_id="r-1", event=Event.REQUESTED, channel_id=CRAWL, user_id="U0RUI", verb="help"
    )
    await team.env.bot.store.append(*[look] * 600)
    team.later(minutes=30)
    over = await team.env.sees("Break-glass", "has ended", "must review", channel=SECURITY)
    assert "'mark acc:shop/prices as=failed'" in str(over["blocks"])


async def reviewed(team: Team, note: str, *, user: str = "U0ROOT") -> None:
    """Press `Close review` on the newest card, write the note, submit."""
    env = team.env
    card = await env.sees("Break-glass", "must review", channel=SECURITY)
    await team.press(card, "Close review", user=user, channel=SECURITY)
    person = env.person(user)
    form = await person.wait_for(lambda p: p.modal())
    assert "<@U0RUI> from <!date^" in form["blocks"][0]["text"]["text"]  # by name, as on the card
    receipt = await person.submit("modal", {"note": note})
    assert not receipt.errors, receipt


async def test_the_review_is_closed_by_a_different_person_with_the_right(team: Team) -> None:
    """Rui's own press and Ana's are refused and registered; Root's closes it, and what was open ends with it."""
    env = team.env
    grant = await opened(team)
    card = await env.sees("Break-glass", channel=SECURITY)
    await team.press(card, "Close review", user="U0RUI", channel=SECURITY)
    await env.sees("You can't review your own", user="U0RUI", channel=SECURITY)
    await team.press(card, "Close review", user="U0ANA", channel=SECURITY)
    await env.sees("You can't close a review", channel=SECURITY)
    assert {row.code for row in env.audit(event="denied")} == {"own_review", "not_eligible"}
    assert not env.ana.modal()
    await reviewed(team, "Nothing was started; it was right to be ready.")
    closed = await env.sees("Break-glass", "Reviewed by <@U0ROOT>", "right to be ready", channel=SECURITY)
    assert labels(closed) == []
    row = await team.event("reviewed")
    assert (row.user_id, row.incident, row.channel_id) == ("U0ROOT", grant, SECURITY)
    assert row.reason == "Nothing was started; it was right to be ready."
    await env.say("start acc:shop/prices", user="U0RUI")
    await env.sees("Waiting for approval", "start acc:shop/prices")


async def test_no_command_is_reviewed_that_the_reviewer_did_not_see(team: Team) -> None:
    """The form lists what was done; what is added while it is open is told before the review is closed. The card of a closed
    review lists how it ended."""
    env = team.env
    await opened(team)
    env.acc.world.speed = 1.0
    await env.say("start acc:shop/prices", user="U0RUI")
    await env.until(lambda: len(team.effects()) == 1)
    card = await env.sees("Break-glass", channel=SECURITY)
    await team.press(card, "Close review", user="U0ROOT", channel=SECURITY)
    root = env.person("U0ROOT")
    form = shown({"blocks": (await root.wait_for(lambda p: p.modal()))["blocks"]})
    assert "What was done with it so far" in form
    assert "`start acc:shop/prices`: " in form
    await env.say("start acc:shop/stock", user="U0RUI")
    await env.until(lambda: len(team.effects()) == 2)
    receipt = await root.submit("modal", {"note": "prices looked at"})
    assert "start acc:shop/stock: " in receipt.errors["note"]
    assert "shop/prices" not in receipt.errors["note"]
    assert not env.audit(event="reviewed")
    receipt = await root.submit("modal", {"note": "prices and stock looked at"})
    assert not receipt.errors, receipt
    await env.sees("Break-glass", "Reviewed by <@U0ROOT>", channel=SECURITY)
    env.acc.world.speed = 100.0
    await env.until(lambda: len(env.audit(event="ended")) == 2)
    ended = await env.until(
        lambda: [one for one in env.person("U0ROOT").messages(SECURITY) if str(one["blocks"]).count("'succeeded'") == 2]
    )
    assert "Reviewed by <@U0ROOT>" in shown(ended[0])


async def test_the_reviewer_reads_how_it_ended_also_within_an_incident(team: Team) -> None:
    """A run that failed is not "started"."""
    env = team.env
    await env.does("incident open INC-46 -- feed is down", "Incident INC-46")
    grant = await opened(team)
    for agent, end in (("labs/broken", "Failed"), ("shop/prices", "Succeeded")):
        await env.say(f"start acc:{agent} -- fix", user="U0RUI")
        await env.sees(f"start acc:{agent}", end, "incident INC-46", "BREAK-GLASS", user="U0RUI", timeout=30)
    await env.until(lambda: len(env.audit(event="ended")) == 2)
    card = await env.sees("Break-glass", channel=SECURITY)
    await team.press(card, "Close review", user="U0ROOT", channel=SECURITY)
    root = env.person("U0ROOT")
    form = shown({"blocks": (await root.wait_for(lambda p: p.modal()))["blocks"]})
    assert "`start acc:labs/broken`: failed" in form
    assert "`start acc:shop/prices`: succeeded" in form
    await root.submit("modal", {"note": "right"})
    closed = str((await env.sees("Break-glass", "Reviewed by <@U0ROOT>", channel=SECURITY))["blocks"])
    assert "'failed" in closed
    assert "'succeeded'" in closed
    assert "'started'" not in closed
    await env.does(
        f"audit {grant}", "Audit log", "sent", "start acc:labs/broken", "start acc:shop/prices", user="U0ROOT"
    )


async def test_a_review_is_of_every_command_however_many(team: Team) -> None:
    """The form names them all, and those that follow while it is open are named before it is closed, a few at a time."""
    env, root = team.env, team.env.person("U0ROOT")
    await opened(team)
    paths = [f"shop/an-agent-with-a-long-name-{number:02}" for number in range(32)]
    for path in paths:
        env.acc.add_agent(path)

    async def start(more: list[str], total: int) -> None:
        for path in more:
            await env.say(f"start acc:{path} input.region=north-and-south-and-east", user="U0RUI")
        await env.until(lambda: len(team.effects()) == total, 60)

    await start(paths[:25], 25)
    card = await env.sees("Break-glass", channel=SECURITY)
    await team.press(card, "Close review", user="U0ROOT", channel=SECURITY)
    form = shown({"blocks": (await root.wait_for(lambda p: p.modal()))["blocks"]})
    assert [path for path in paths if path in form] == paths[:25]
    assert "more command" not in form
    for number in range(25, 32):  # one after the other: they are named in the order in which they began
        await start(paths[number : number + 1], number + 1)
    for first, last, words in ((25, 30, "the first 5 of 7: "), (30, 32, "Done since you opened this: ")):
        receipt = await root.submit("modal", {"note": "looked at"})
        assert words in receipt.errors["note"]
        assert [path for path in paths if path in receipt.errors["note"]] == paths[first:last]
    assert not env.audit(event="reviewed")
    assert not (await root.submit("modal", {"note": "looked at all"})).errors
    await env.sees("Break-glass", "Reviewed by <@U0ROOT>", channel=SECURITY)


async def test_words_in_capitals_of_a_review_are_no_people_and_no_channels(team: Team) -> None:
    """The detail of its entry names the person by an id; the note is what a person wrote."""
    await opened(team)
    await reviewed(team, "URGENT: the CEO asked at 10:00 UTC")
    await team.event("reviewed")
    text = shown(await team.env.does("audit reviewed", "Audit log", user="U0ROOT"))
    assert "what \n<@U0RUI>\n did with it: URGENT: the CEO asked at 10:00 UTC" in text


async def test_no_review_is_closed_without_a_note(team: Team) -> None:
    """An empty or blank one goes back to its field; nothing is registered, and what is open stays so."""
    env = team.env
    await opened(team)
    card = await env.sees("Break-glass", channel=SECURITY)
    await team.press(card, "Close review", user="U0ROOT", channel=SECURITY)
    root = env.person("U0ROOT")
    modal = await root.wait_for(lambda p: p.modal())
    assert modal is not None
    assert "checkout is down" in shown(modal)
    for note in ("", "  \n "):
        receipt = await root.submit("modal", {"note": note} if note else {})
        assert "note" in str(receipt.errors)
    assert not env.audit(event="reviewed")
    await env.say("start acc:shop/prices", user="U0RUI")
    await env.until(lambda: len(team.effects()) == 1)


async def test_of_two_reviewers_one_closes_it_and_who_lost_the_right_meanwhile_does_not(team: Team) -> None:
    """Both opened the form. Lee left the administrators before sending it; of two sent, the second hears who was first."""
    env = team.env
    await opened(team)
    card = await env.sees("Break-glass", channel=SECURITY)
    people = [env.person(user) for user in ("U0LEE", "U0ROOT")]
    for person in people:
        await team.press(card, "Close review", user=person.id, channel=SECURITY)
        await person.wait_for(lambda p: p.modal())
    await team.new_rules(RULES.replace('admins = ["U0ROOT", "U0LEE"]', 'admins = ["U0ROOT"]'))
    await people[0].submit("modal", {"note": "looked"})
    await env.sees("You can't close a review", user="U0LEE", channel=SECURITY)
    await team.new_rules(RULES)
    await team.press(card, "Close review", user="U0LEE", channel=SECURITY)
    await people[0].wait_for(lambda p: p.modal())
    await people[1].submit("modal", {"note": "all right"})
    await env.sees("Reviewed by <@U0ROOT>", channel=SECURITY)
    await people[0].submit("modal", {"note": "not right"})
    await env.sees("<@U0ROOT> has already reviewed", user="U0LEE", channel=SECURITY)
    (row,) = env.audit(event="reviewed")
    assert row.reason == "all right"


async def test_the_review_is_nagged_about_until_it_is_closed(team: Team) -> None:
    """After half of 72 hours, and every day after; never again once it is closed, restarts or not."""
    env = team.env
    await opened(team)
    card = await env.sees("Break-glass", channel=SECURITY)

    def nags() -> int:
        thread = env.person("U0ROOT").messages(SECURITY, card["ts"])
        return len([message for message in thread if "is not reviewed yet" in shown(message)])

    team.later(hours=35)
    await env.restart()
    await team.event("expired")
    assert nags() == 0
    team.later(hours=1, seconds=1)
    await env.until(lambda: nags() == 1)
    team.later(hours=24, seconds=1)
    await env.until(lambda: nags() == 2)
    await env.restart()
    await reviewed(team, "seen")
    await env.sees("Reviewed by <@U0ROOT>", channel=SECURITY)
    team.later(hours=25)
    await env.say("whoami", channel=CRAWL)
    await env.sees("Who you are here")
    assert not [pending for pending in await env.bot.store.pending_decisions(state="open") if pending.kind == "review"]
    assert nags() == 2


async def test_a_dangerous_verb_is_still_looked_at_first(team: Team) -> None:
    """Break-glass skips the approvers, not the look before the leap."""
    env = team.env
    await opened(team)
    await env.say("schedule delete acc:news/feed -- it floods us", user="U0RUI")
    look = await env.sees("Dangerous", "schedule delete acc:news/feed", user="U0RUI")
    await team.press(look, "Run it", user="U0RUI", channel=CRAWL)
    await env.until(lambda: not [s for s in env.acc.world.schedules.values() if s.agent.path == "news/feed"])
    await env.sees("without your approval", "schedule delete", user="U0LEE", channel=APPROVERS)


async def test_it_counts_only_while_its_holder_could_open_it_now(team: Team) -> None:
    """Rui leaves the circle, or nobody may break the glass any more: from then on the leads are asked, and `why` says it."""
    env = team.env
    await opened(team)
    await team.new_rules(RULES.replace('who = ["admins", "U0RUI"]', 'who = ["admins"]'))
    await env.say("start acc:shop/prices", user="U0RUI")
    await env.sees("Waiting for approval", "start acc:shop/prices", user="U0RUI")
    await env.does("start acc:news/feed", "Denied", user="U0RUI")
    await env.does("why start acc:news/feed", "you can't use break-glass now", user="U0RUI")
    table = RULES[RULES.index("[breakglass]") : RULES.index("[administrators]")]
    await team.new_rules(RULES.replace(table, ""))
    await env.say("start acc:shop/stock", user="U0RUI")
    await env.sees("Waiting for approval", "start acc:shop/stock", user="U0RUI")
    assert not team.effects()
    await team.new_rules(RULES)
    await env.say("start acc:news/feed", user="U0RUI")
    await env.until(lambda: len(team.effects()) == 1)


async def test_a_dangerous_verb_that_was_looked_at_under_it_is_not_run_after_the_right_is_lost(team: Team) -> None:
    """The pre-flight was shown under break-glass; `Run it` comes when Rui is out of the circle."""
    env = team.env
    await opened(team)
    await env.say("schedule delete acc:news/feed -- it floods us", user="U0RUI")
    look = await env.sees("Dangerous", "schedule delete acc:news/feed", user="U0RUI")
    await team.new_rules(RULES.replace('who = ["admins", "U0RUI"]', 'who = ["admins"]'))
    await team.press(look, "Run it", user="U0RUI", channel=CRAWL)
    await env.sees("The rules changed since this was shown", user="U0RUI")
    assert [s for s in env.acc.world.schedules.values() if s.agent.path == "news/feed"]


async def test_the_approvers_are_told_also_when_the_rule_that_asks_them_is_not_for_the_holder(team: Team) -> None:
    """Root is in no rule of the start; Ana would have had to ask the leads, and they hear of it."""
    env = team.env
    await env.say("breakglass for=30m -- checkout is down", user="U0ROOT")
    await env.sees("Break-glass", f"<#{CRAWL}>", channel=SECURITY, user="U0ROOT")
    await env.say("mark acc:shop/prices as=failed -- stuck", user="U0ROOT")
    await env.sees("without your approval", "<@U0LEE>", user="U0LEE")
    assert not env.audit(event="approval_requested")


@pytest.mark.parametrize("place", [SECURITY, INCIDENT])
async def test_the_button_ends_it_in_each_channel_that_has_its_card_also_where_no_rule_names_the_channel(
    team: Team, place: str
) -> None:
    """The rules name neither channel; who may end it is checked there too."""
    env = team.env
    await opened(team)
    card = await env.sees("Break-glass is active for <@U0RUI>", channel=place, user="U0ROOT")
    await team.press(card, "End it now", user="U0ROOT", channel=place)
    await env.sees("Break-glass of <@U0RUI>", "has ended", channel=place, user="U0ROOT")
    assert [row.user_id for row in env.audit(event="revoked")] == ["U0ROOT"]


async def test_the_button_ends_it_also_where_the_rules_no_longer_name_the_channel(team: Team) -> None:
    """Who may end it does: to take a right away needs no rule. Others are refused there as elsewhere."""
    env = team.env
    await opened(team)
    card = await env.sees("Break-glass is active for <@U0RUI>")
    await team.new_rules(RULES.replace('"C0CRAWL"', '"C0OTHER"'))
    await team.press(card, "End it now", user="U0ANA", channel=CRAWL)
    await env.sees("Only an administrator, its giver or its holder can end a grant")
    assert not env.audit(event="revoked")
    await team.press(card, "End it now", user="U0ROOT", channel=CRAWL)
    await env.sees("Break-glass of <@U0RUI>", "has ended")
    assert [row.user_id for row in env.audit(event="revoked")] == ["U0ROOT"]


async def test_the_button_on_its_card_ends_it_for_those_who_may(team: Team) -> None:
    """Ana is neither its holder nor an administrator; Rui is its holder. What the button ends counts no longer."""
    env = team.env
    await opened(team)
    card = await env.sees("Break-glass is active for <@U0RUI>")
    await team.press(card, "End it now", user="U0ANA", channel=CRAWL)
    await env.sees("Denied", "Only an administrator, its giver or its holder can end a grant")
    assert not env.audit(event="revoked")
    await team.press(card, "End it now", user="U0RUI", channel=CRAWL)
    await env.sees("Break-glass of <@U0RUI>", "has ended")
    assert len(env.audit(event="revoked")) == 1


async def test_the_reviewer_reads_when_each_command_was_sent_and_which_were_not_done(team: Team) -> None:
    """Not when a run ended; and what the control plane refused was neither run nor did it fail."""
    env = team.env
    await opened(team)
    await env.say("start acc:shop/prices", user="U0RUI")
    sent = datetime.fromisoformat((await team.event("sent")).at)
    team.later(minutes=3)
    await team.event("ended")
    for event in ("done", "failed"):  # the second one is refused: it is marked already
        await env.say("mark acc:shop/prices as=failed -- wrong prices", user="U0RUI")
        await env.until(lambda event=event: event in env.events("mark"))
    await env.sees("<@U0RUI> tried to run `mark acc:shop/prices` without your approval", "How it went:* refused")
    team.later(minutes=30)
    await env.sees("Break-glass of <@U0RUI>", "has ended", "ran 2 commands with it")
    over = await env.sees("Break-glass", "has ended", "must review", channel=SECURITY)
    words = str(over["blocks"])
    assert f"'timestamp': {int(sent.timestamp())}" in words
    assert "'failed" not in words
    assert "'not done: " in words


async def test_who_may_close_its_review_reads_that_it_waits_wherever_they_ask(team: Team) -> None:
    """With the button that opens the form; the person who used it has nothing to close."""
    await opened(team)
    for channel in (SECURITY, "C0APPR"):
        listed = await team.env.does("approvals", "review of break-glass", user="U0ROOT", channel=channel)
        assert [label for label in labels(listed) if label.startswith("Close review of ")]
    own = await team.env.does("approvals", "Waiting for approval", user="U0RUI", channel=CRAWL)
    assert not [label for label in labels(own) if label.startswith("Close review")]
    await team.press(
        listed, next(one for one in labels(listed) if one.startswith("Close")), user="U0ROOT", channel="C0APPR"
    )
    assert "What was done" in str(await team.env.person("U0ROOT").wait_for(lambda who: who.modal()))


async def test_each_of_several_reviews_has_a_button_that_names_it(team: Team) -> None:
    """The rows and their buttons have the same order, and both have the id, so that the right one is closed."""
    env, ids = team.env, []
    for count, why in enumerate(("checkout is down", "prices are wrong"), 1):
        await env.say(f"breakglass for=30m -- {why}", user="U0RUI")
        await env.sees("Break-glass is active for <@U0RUI>", why, channel=SECURITY, user="U0ROOT")
        ids += [one.id for one in await env.bot.store.open_grants(team.now())]
        team.later(minutes=31)
        await env.until(lambda count=count: len(env.audit(event="expired")) == count)
    listed = await env.does("approvals", "review of break-glass", user="U0ROOT", channel=SECURITY)
    closing = [label for label in labels(listed) if label.startswith("Close review")]
    assert closing == [f"Close review of Rui Reis ({one})" for one in ids]
    (table,) = [block for block in listed["blocks"] if block["type"] in ("table", "data_table")]
    rows = [str(row) for row in table["rows"][1:]]
    assert [one in row and CRAWL in row for one, row in zip(ids, rows, strict=True)] == [True, True]
    await team.press(listed, closing[0], user="U0ROOT", channel=SECURITY)
    assert "checkout is down" in str(await env.person("U0ROOT").wait_for(lambda who: who.modal()))


@pytest.mark.parametrize("typed", ["breakglass close", "breakglass end", "breakglass review"])
async def test_words_that_end_it_do_not_offer_to_begin_it(team: Team, typed: str) -> None:
    """The lists of grants and of reviews have the buttons."""
    told = await team.env.does(typed, "Nothing was done", user="U0ROOT", channel=CRAWL)
    assert labels(told) == ["grants", "approvals"]
