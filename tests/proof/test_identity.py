"""Who asks, who presses and where: Slack's ids from one envelope, read again from Slack, never what a name claims."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.command.capability import Risk
from bot.core.intent import Actor, Command, Place, Source
from bot.core.operation import Operation, Target
from bot.playground.workspace.payloads import slash_command
from tests.proof.model import Now
from tests.proof.play import Play, Step
from tests.proof.test_interleavings import three
from tests.scenarios.team import APPROVERS, CRAWL, RULES, Team, deciding
from tests.world import World, shown

LEE = "U0LEE"


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """The whole program; Lee alone decides what Ana starts."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def asked(team: Team) -> dict[str, Any]:
    """Ana asks; the approvers' card."""
    await team.env.say("start acc:shop/prices")
    return await team.card("start acc:shop/prices")


def value_of(card: dict[str, Any], label: str = "Approve") -> str:
    """The opaque id of a button."""
    return next(
        str(found["value"])
        for block in card["blocks"]
        for found in block.get("elements", ())
        if found.get("type") == "button" and found["text"]["text"] == label
    )


async def pressed(scene: Team, card: dict[str, Any], **changes: Any) -> None:
    """A press on Approve whose payload says of user, team, enterprise and channel what the test wants; it is acked."""
    env = scene.env
    scene.forgeries += 1
    payload = {
        "type": "block_actions",
        "user": {"id": LEE, "team_id": env.ws.team_id, "username": "lee", "name": "lee"},
        "team": {"id": env.ws.team_id},
        "enterprise": None,
        "api_app_id": env.ws.app_id,
        "trigger_id": f"pressed.{scene.forgeries}",
        "container": {"type": "message", "channel_id": APPROVERS, "message_ts": card["ts"]},
        "channel": {"id": APPROVERS},
        "actions": [
            {"type": "button", "action_id": "approve", "value": value_of(card), "action_ts": env.ws.clock.next_ts()}
        ],
    }
    before = len(presses(env))
    assert (await env.ws.deliver("interactive", payload | changes)).acked
    await env.until(lambda: len(presses(env)) > before)


def presses(env: World) -> list[Any]:
    """Presses in the audit log that came to an end that can be seen: refused, or a vote."""
    return [*env.audit(event="denied"), *env.audit(event="approved"), *env.audit(event="abandoned")]


def undecided(team: Team) -> bool:
    """No vote, no call."""
    return not team.env.audit(event="approved") and not team.effects()


async def test_a_name_gives_no_right_and_takes_none(team: Team) -> None:
    """Rui and the guest bear Lee's names in every field that has one; the ids decide, and Lee renamed is still Lee."""
    env = team.env
    card = await asked(team)
    for user in ("U0RUI", "U0GUEST"):
        env.ws.set_user(user, name="lee", real_name="Lee Ling")
        await pressed(team, card, user={"id": user, "team_id": env.ws.team_id, "username": "lee", "name": "lee"})
    assert undecided(team)
    env.ws.set_user(LEE, name="nobody", real_name="Nobody")
    await pressed(team, card, user={"id": LEE, "team_id": env.ws.team_id, "username": "mallory", "name": "mallory"})
    await env.until(lambda: len(team.effects()) == 1)


async def test_the_name_in_a_command_is_nobody(team: Team) -> None:
    """`user_name` and `channel_name` of the form say Ana and #crawl-ops; the ids say the guest and another channel."""
    env = team.env
    core = env.ws.core
    users, channels = core.state.users, core.state.channels
    claims = {"user_name": "ana", "channel_name": "crawl-ops"}
    guest = slash_command(core, users["U0GUEST"], channels[CRAWL], "/ops", "start acc:shop/prices")
    elsewhere = slash_command(core, users["U0ANA"], channels["C0INC"], "/ops", "start acc:shop/prices")
    for payload in (guest, elsewhere):
        assert (await env.ws.deliver("slash_commands", payload | claims)).acked
    rows = await env.until(lambda: env.audit(event="denied") if len(env.audit(event="denied")) == 2 else None)
    assert {(row.user_id, row.channel_id) for row in rows} == {("U0GUEST", CRAWL), ("U0ANA", "C0INC")}


async def test_the_same_ids_in_another_workspace_are_other_people_and_places(team: Team) -> None:
    """Lee's id and the card's channel under another team, in the person's part, the payload's part, and both."""
    env = team.env
    card = await asked(team)
    home, other = env.ws.team_id, "T0OTHER"
    await pressed(team, card, user={"id": LEE, "team_id": other})
    await pressed(team, card, user={"id": LEE, "team_id": other}, team={"id": other})
    await pressed(team, card, user={"id": LEE, "team_id": home}, team={"id": other})
    assert undecided(team)
    codes = [row.code for row in env.audit(event="denied")]
    assert codes[0] == "not_eligible"
    assert codes[1:] == ["other_workspace", "other_workspace"]


def test_enterprise_workspace_and_person_are_all_in_what_is_approved() -> None:
    """A digest made under one organization, workspace or id is none under another, though the other ids are equal."""
    target = Target(backend="acc", kind="agent", id="1", name="shop/prices", scope="acc:shop/prices")
    operation = Operation(
        request_id="r-1", verb="start", target=target, risk=Risk.CHANGE, idempotent=False, timeout=1.0
    )
    place = Place(team_id="T0ACME", channel_id=CRAWL)
    actors = [
        Actor(user_id=user, team_id=team, enterprise_id=enterprise)
        for user in ("U0ANA", "U0LEE")
        for team in ("T0ACME", "T0OTHER")
        for enterprise in (None, "E0ACME", "E0OTHER")
    ]
    places = [place, place.model_copy(update={"team_id": "T0OTHER"}), place.model_copy(update={"channel_id": "C0INC"})]
    digests = {operation.digest(actor, where, "v1") for actor in actors for where in places}
    assert len(digests) == len(actors) * len(places)


STANDINGS: dict[str, dict[str, Any]] = {
    "a guest": {"is_restricted": True},
    "a single-channel guest": {"is_restricted": True, "is_ultra_restricted": True},
    "somebody of a connected workspace": {"team_id": "T0OTHER"},
    "a stranger of another workspace": {"is_stranger": True, "team_id": "T0OTHER"},
    "a bot": {"is_bot": True},
    "deactivated": {"deleted": True},
}


@pytest.mark.parametrize("name", STANDINGS)
async def test_who_is_no_full_member_at_the_press_decides_nothing(team: Team, name: str) -> None:
    """Lee was one when the card was shown and named on it; now Slack says otherwise. As a member again Lee decides."""
    env = team.env
    card = await asked(team)
    before = {field: getattr(env.ws.core.state.users[LEE], field) for field in STANDINGS[name]}
    env.ws.set_user(LEE, **STANDINGS[name])
    await pressed(team, card)
    assert undecided(team)
    assert (await team.event("denied")).code == "not_eligible"
    env.ws.set_user(LEE, **before)
    await pressed(team, card)
    await env.until(lambda: len(team.effects()) == 1)


async def test_outsiders_of_every_sort_press_in_vain_on_the_card_that_they_see(team: Team) -> None:
    """Guest, partner, the bot itself, Slackbot, a workflow, an id that nobody has, none at all."""
    env = team.env
    env.ws.edit_group("S0LEADS", [LEE, "U0GUEST", "U0EXT", "U0BOT"])
    card = await asked(team)
    home = env.ws.team_id
    for user, team_id in (
        ("U0GUEST", home),
        ("U0EXT", "T0OTHER"),
        ("U0EXT", home),
        ("U0BOT", home),
        ("USLACKBOT", home),
        ("Wf0WORKFLOW", home),
        ("B0SIGNAL", home),
        ("U0NOBODY", home),
        ("", home),
    ):
        await pressed(team, card, user={"id": user, "team_id": team_id})
        assert undecided(team), user


async def test_a_channel_whose_id_changed_keeps_neither_its_old_rules_nor_rules_under_the_new_id(
    team: Team,
) -> None:
    """Slack Connect gave it another id: frozen under both, for asking and for what was asked, until an administrator confirms."""
    env = team.env
    card = await asked(team)
    await env.ws.change_channel_id(CRAWL, "C0NEW")
    await team.new_rules(RULES.replace(CRAWL, "C0NEW"))
    await pressed(team, card)
    assert undecided(team)
    await env.say("start acc:shop/prices", channel="C0NEW")
    await env.until(lambda: [row for row in env.audit(event="denied") if row.channel_id == "C0NEW"])
    await env.does("policy confirm -- it is ours", "are confirmed", user="U0ROOT", channel="C0NEW")
    await env.say("start acc:shop/prices", channel="C0NEW")
    await env.until(lambda: [row for row in env.audit(event="approval_requested") if row.channel_id == "C0NEW"])


async def test_a_channel_that_is_renamed_to_a_privileged_name_has_the_rules_of_its_id(team: Team) -> None:
    """#incident-42 becomes #crawl-ops, #crawl-ops becomes #lobby: starts are asked where the id says, as before."""
    env = team.env
    env.ws.set_channel(CRAWL, name="lobby")
    env.ws.set_channel("C0INC", name="crawl-ops")
    team.later(minutes=2)
    await env.say("start acc:shop/prices", channel="C0INC")
    assert (await team.event("denied")).channel_id == "C0INC"
    await env.say("start acc:shop/prices")
    assert (await team.event("approval_requested")).channel_id == CRAWL


async def test_a_direct_message_that_no_rule_names_is_no_place_to_ask(team: Team) -> None:
    """Ana, who may start with an approval elsewhere, types in the bot's DM: denied, looking too."""
    env = team.env
    core = env.ws.core
    for verb in ("start", "status"):
        channel = core.state.channels[env.ana.dm]
        payload = slash_command(core, core.state.users["U0ANA"], channel, "/ops", f"{verb} acc:shop/prices")
        assert (await env.ws.deliver("slash_commands", payload)).acked
    rows = await env.until(lambda: env.audit(event="denied") if len(env.audit(event="denied")) == 2 else None)
    assert {row.channel_id for row in rows} == {env.ana.dm}
    assert not team.effects()


@pytest.mark.parametrize("flags", [{"is_dm": True}, {"known": False}, {"frozen": True}], ids=str)
async def test_what_its_conversation_has_become_counts_before_the_call(flags: dict[str, bool]) -> None:
    """The channel became a DM, unreadable or frozen: nothing is asked there, and what was asked is not run."""
    asking = Play(three(1))
    asking.team.outside.channel = flags
    refused = await asking.team.asks("U0ANA")
    rows = asking.team.rows("SELECT event FROM audit WHERE request_id = ? ORDER BY seq", refused.request_id)
    assert [row["event"] for row in rows] == ["requested", "denied"]
    asking.team.close()
    play = Play(three(1))
    await play.step(Step("request", "U0ANA"))
    play.team.outside.channel = flags
    await play.team.presses(LEE, play.shown["approve"], f"approval:{play.request_id}")
    assert play.stands() is Now.VOID
    assert not play.team.outside.calls
    play.team.close()


@pytest.mark.parametrize("channel", ["G0FEW", "C0FEW"])
async def test_a_group_dm_that_no_rule_names_is_no_place_to_ask(channel: str) -> None:
    """A conversation of a few, whatever letter its id begins with."""
    play = Play(three(1))
    play.team.outside.channel = {"is_mpim": True}
    ask = Command(verb="start", target="box:lamp")
    intent, _ = await play.team.enter("U0ANA", ask, Place(team_id="T0ACME", channel_id=channel), source=Source.MENTION)
    await play.team.settle()
    rows = play.team.rows("SELECT event FROM audit WHERE request_id = ? ORDER BY seq", intent.request_id)
    assert [row["event"] for row in rows] == ["requested", "denied"]
    play.team.close()


async def test_the_approver_who_is_deactivated_between_card_and_press_is_nobody_at_the_next_press_too(
    team: Team,
) -> None:
    """And the only approver gone means that nobody can be asked any more."""
    env = team.env
    card = await asked(team)
    env.ws.set_user(LEE, deleted=True)
    await pressed(team, card)
    await pressed(team, card)
    assert undecided(team)
    team.later(minutes=2)
    await env.does("start acc:shop/prices", "Denied", "Nobody can approve it now")


async def test_who_is_put_into_the_group_may_decide_and_who_is_taken_out_may_not(team: Team) -> None:
    """The group is edited twice while the request waits; both edits count at the press, and the audit log names who pressed."""
    env = team.env
    card = await asked(team)
    team.regroup("S0LEADS", ["U0RUI"])
    await pressed(team, card)
    assert (await team.event("denied")).user_id == LEE
    team.regroup("S0LEADS", ["U0RUI", "U0ANA"])
    await pressed(team, card, user={"id": "U0ANA", "team_id": env.ws.team_id})
    assert undecided(team)
    await pressed(team, card, user={"id": "U0RUI", "team_id": env.ws.team_id})
    assert (await team.event("approved")).user_id == "U0RUI"


FAULTS: dict[str, dict[str, Any]] = {
    "an error": {"status": 500},
    "a refusal": {"error": "user_not_found"},
    "a cut connection": {"drop": True},
    "a limit": {"error": "ratelimited", "status": 429},
    "a delay": {"delay": 3.0},
}


@pytest.mark.parametrize("method", ["users.info", "usergroups.list"])
@pytest.mark.parametrize("name", FAULTS)
async def test_what_slack_does_not_say_at_the_press_is_a_no(
    team: Team, monkeypatch: pytest.MonkeyPatch, method: str, name: str
) -> None:
    """Errors, limits, cut connections and answers that take too long; the request stays open, and Lee decides later."""
    env = team.env
    card = await asked(team)
    monkeypatch.setattr("bot.slack.directory._WITHIN", 0.5)
    team.later(seconds=4)
    env.ws.faults.fail(method, **FAULTS[name])
    await pressed(team, card)
    assert undecided(team)
    env.ws.faults.clear()
    card = await env.until(lambda: _open_card(env) or _void(env))
    assert card is not None


def _open_card(env: World) -> Any:
    return next((m for m in env.person(LEE).messages(APPROVERS) if "Waiting" in shown(m)), None)


def _void(env: World) -> Any:
    return next(iter(env.audit(event="abandoned")), None)


async def test_at_asking_an_unreadable_group_is_a_gap_that_is_named(team: Team) -> None:
    """Nobody is guessed to be in it: refused at once, with what Slack did not say."""
    env = team.env
    env.ws.faults.fail("usergroups.list", status=500)
    await env.say("start acc:shop/prices")
    row = await team.event("denied")
    assert not env.audit(event="approval_requested")
    assert "S0" in (row.detail or "")


async def test_how_old_the_facts_were_is_in_the_audit_log(team: Team) -> None:
    """A decision from a cache says the age; the dispatch of an approval was read anew."""
    env = team.env
    await env.does("status acc:shop/prices", "acc:shop/prices")
    team.later(seconds=40)
    await env.does("schedule on acc:shop/prices", "Denied")
    aged = await team.event("denied")
    assert "person read 40 s ago" in aged.detail or "person read 41 s ago" in aged.detail
    card = await asked(team)
    await pressed(team, card)
    sent = await team.event("sent")
    assert "person read 0 s ago, groups at most 0 s ago" in sent.detail


async def test_a_person_of_one_envelope_and_the_right_of_another_make_nothing(team: Team) -> None:
    """Lee's id in the message, in the action and beside the user: who presses is the user of the envelope."""
    env = team.env
    card = await asked(team)
    forged = {
        "user": {"id": "U0RUI", "team_id": env.ws.team_id},
        "message": {"user": LEE, "ts": card["ts"], "text": "approved by lee"},
        "user_id": LEE,
        "actions": [
            {
                "type": "button",
                "action_id": "approve",
                "value": value_of(card),
                "action_ts": env.ws.clock.next_ts(),
                "selected_user": LEE,
                "user": {"id": LEE},
            }
        ],
    }
    await pressed(team, card, **forged)
    assert undecided(team)
    assert (await team.event("denied")).user_id == "U0RUI"


async def test_a_modal_that_lee_opened_is_not_sent_by_somebody_else(team: Team) -> None:
    """The token of Lee's denial in a form of Rui's envelope."""
    env = team.env
    card = await asked(team)
    await team.press(card, "Deny")
    modal = await env.person(LEE).wait_for(lambda p: p.modal())
    assert modal is not None
    block = next(block for block in modal["blocks"] if block["type"] == "input")
    values = {block["block_id"]: {block["element"]["action_id"]: {"type": "plain_text_input", "value": "mine now"}}}
    payload = {
        "type": "view_submission",
        "user": {"id": "U0RUI", "team_id": env.ws.team_id},
        "team": {"id": env.ws.team_id},
        "api_app_id": env.ws.app_id,
        "trigger_id": "stolen.1",
        "view": {**modal, "state": {"values": values}},
    }
    assert (await env.ws.deliver("interactive", payload)).acked
    await env.until(lambda: [row for row in env.audit(user_id="U0RUI") if str(row.verb).startswith("form")])
    await env.quiet()
    assert not env.audit(event="rejected")
