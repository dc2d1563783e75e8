"""Who people are and what channels are: what Slack says, for at most a minute; what it does not say is never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.intent import Actor, Place
from bot.core.policy.match import Member, Standing, standing
from bot.playground.workspace import DEMO_SEED, Workspace
from bot.slack.directory import SlackDirectory
from bot.store.open import open_store
from bot.store.store import Store
from tests.slack.support import HandClock
from tests.world import World, shown

ANA = Actor(user_id="U0ANA", team_id="T0ACME")
CRAWL = Place(team_id="T0ACME", channel_id="C0CRAWL")


@dataclass
class Book:
    """A directory over a real workspace and store."""

    ws: Workspace
    clock: HandClock
    store: Store
    directory: SlackDirectory

    def calls(self, method: str) -> int:
        return len([call for call in self.ws.calls if call.method == method])

    async def standing(self, user: str, team: str = "T0ACME") -> Standing:
        subject = await self.directory.subject(Actor(user_id=user, team_id=team), (), max_age=0)
        return standing(subject, "T0ACME")[0]


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[Book]:
    async with AsyncExitStack() as stack:
        ws = await stack.enter_async_context(Workspace(DEMO_SEED))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        clock = HandClock()
        store = open_store(str(tmp_path / "s.db"))
        client = AsyncWebClient(ws.bot_token, base_url=ws.api_url, session=session)
        yield Book(ws, clock, store, SlackDirectory(client, store, clock, "T0ACME"))
        await store.close()


async def test_a_full_member_and_the_groups(book: Book) -> None:
    subject = await book.directory.subject(ANA, ["S0CRAWL", "S0LEADS"], max_age=60)
    assert (subject.known, subject.team_id) == (True, "T0ACME")
    assert subject.groups == {"S0CRAWL": Member.YES, "S0LEADS": Member.NO}
    assert standing(subject, "T0ACME")[0] is Standing.FULL


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"deleted": True}, Standing.BARRED),
        ({"is_bot": True}, Standing.NAMED_ONLY),
        ({"is_restricted": True}, Standing.NAMED_ONLY),
        ({"is_ultra_restricted": True}, Standing.NAMED_ONLY),
        ({"team_id": "T0OTHER"}, Standing.NAMED_ONLY),
        ({"team_id": "T0OTHER", "is_stranger": True}, Standing.NAMED_ONLY),
        ({}, Standing.FULL),
    ],
)
async def test_each_flag_counts(book: Book, changes: dict[str, Any], wanted: Standing) -> None:
    book.ws.set_user("U0ANA", **changes)
    assert await book.standing("U0ANA") is wanted


async def test_the_external_person_whose_payload_claims_the_home_workspace_stays_external(book: Book) -> None:
    assert await book.standing("U0EXT", "T0ACME") is Standing.NAMED_ONLY
    assert await book.standing("U0EXT", "T0OTHER") is Standing.NAMED_ONLY


async def test_a_payload_of_a_workspace_that_is_neither_is_not_believed(book: Book) -> None:
    assert await book.standing("U0ANA", "T0EVIL") is Standing.BARRED


async def test_an_app_is_a_bot_that_slack_is_not_asked_about(book: Book) -> None:
    subject = await book.directory.subject(Actor(user_id="A0SIGNAL", team_id="T0ACME"), ["S0CRAWL"], max_age=0)
    assert subject.is_workflow_bot
    assert standing(subject, "T0ACME")[0] is Standing.NAMED_ONLY
    assert book.calls("users.info") == 0


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 429}, {"error": "user_not_found"}, {"error": "missing_scope"}, {"drop": True}]
)
async def test_what_cannot_be_read_is_unknown(book: Book, fault: dict[str, Any]) -> None:
    book.ws.faults.fail("*", **fault)
    subject = await book.directory.subject(ANA, ["S0CRAWL"], max_age=60)
    assert (subject.known, subject.groups["S0CRAWL"]) == (False, Member.UNREADABLE)
    assert standing(subject, "T0ACME")[0] is Standing.BARRED
    assert not (await book.directory.where(CRAWL, max_age=60)).known
    assert await book.directory.members("S0CRAWL", max_age=60) is None


async def test_a_failure_is_not_kept(book: Book) -> None:
    book.ws.faults.fail("users.info", status=500, times=1)
    assert await book.standing("U0ANA") is Standing.BARRED
    subject = await book.directory.subject(ANA, (), max_age=60)
    assert subject.known


async def test_an_answer_that_takes_too_long_is_none(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.directory._WITHIN", 0.05)
    book.ws.faults.fail("users.info", delay=0.5, times=1)
    assert await book.standing("U0ANA") is Standing.BARRED


async def test_an_unreadable_group_counts_for_nobody_and_hides_no_other(book: Book) -> None:
    subject = await book.directory.subject(ANA, ["S0CRAWL", "S0NONE"], max_age=60)
    assert subject.known
    assert subject.groups == {"S0CRAWL": Member.YES, "S0NONE": Member.UNREADABLE}


async def test_a_disabled_group_counts_for_nobody(book: Book) -> None:
    book.ws.edit_group("S0CRAWL", ["U0ANA"], disabled=True)
    subject = await book.directory.subject(ANA, ["S0CRAWL", "S0LEADS"], max_age=0)
    assert subject.groups == {"S0CRAWL": Member.UNREADABLE, "S0LEADS": Member.NO}
    assert await book.directory.members("S0CRAWL", max_age=0) is None


async def test_the_user_groups_stay_within_slacks_rate_however_many_people_press(book: Book) -> None:
    """A press every 100 ms for a minute: each reads the groups, at most 3 s old, and Slack limits none of them."""
    book.ws.core.rates.on = True
    for _ in range(600):
        assert await book.directory.members("S0CRAWL", max_age=0) == ("U0ANA", "U0RUI")
        book.clock.advance(0.1)
    assert book.calls("usergroups.list") <= 20


async def test_an_answer_is_kept_for_a_minute_and_its_age_is_told(book: Book) -> None:
    for _ in range(3):
        await book.directory.subject(ANA, ["S0CRAWL"], max_age=60)
        book.clock.advance(20)
    assert (book.calls("users.info"), book.calls("usergroups.list")) == (1, 1)
    subject = await book.directory.subject(ANA, ["S0CRAWL"], max_age=60)
    assert (subject.user_age, subject.group_ages["S0CRAWL"]) == (60, 60)
    book.clock.advance(1)
    subject = await book.directory.subject(ANA, ["S0CRAWL"], max_age=60)
    assert (subject.user_age, book.calls("users.info")) == (0, 2)


async def test_no_age_reads_anew_and_sees_who_left(book: Book) -> None:
    assert (await book.directory.subject(ANA, ["S0CRAWL"], max_age=60)).member("S0CRAWL") is Member.YES
    book.ws.edit_group("S0CRAWL", ["U0RUI"])
    book.clock.advance(4)
    book.ws.set_user("U0ANA", deleted=True)
    assert (await book.directory.subject(ANA, ["S0CRAWL"], max_age=60)).member("S0CRAWL") is Member.YES
    anew = await book.directory.subject(ANA, ["S0CRAWL"], max_age=0)
    assert anew.member("S0CRAWL") is Member.NO
    assert anew.deleted


async def test_many_who_ask_at_once_share_one_question(book: Book) -> None:
    await asyncio.gather(*(book.directory.subject(ANA, ["S0CRAWL"], max_age=60) for _ in range(50)))
    assert (book.calls("users.info"), book.calls("usergroups.list")) == (1, 1)


async def test_when_the_first_who_asked_is_stopped_the_others_are_told_unreadable(book: Book) -> None:
    book.ws.faults.fail("users.info", delay=3.0, times=1)
    first = asyncio.create_task(book.directory.subject(ANA, (), max_age=60))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(book.directory.subject(ANA, (), max_age=60))
    await asyncio.sleep(0.05)
    first.cancel()
    assert not (await second).known
    assert first.cancelled() or first.done()


async def test_conversations_of_every_kind(book: Book) -> None:
    book.ws.core.state.open_im("U0ANA")
    plain = await book.directory.where(CRAWL, max_age=0)
    assert (plain.known, plain.is_dm, plain.is_ext_shared, plain.frozen) == (True, False, False, False)
    dm = await book.directory.where(Place(team_id="T0ACME", channel_id="D0ANA"), max_age=0)
    assert (dm.known, dm.is_dm) == (True, True)
    few = book.ws.open_mpim("U0ANA", "U0LEE").id
    group = await book.directory.where(Place(team_id="T0ACME", channel_id=few), max_age=0)
    assert (group.known, group.is_dm, group.is_mpim) == (True, False, True)
    shared = await book.directory.where(Place(team_id="T0ACME", channel_id="C0SHARED"), max_age=0)
    assert (shared.is_ext_shared, shared.frozen) == (True, False)
    none = await book.directory.where(Place(team_id="T0ACME", channel_id="C0NONE"), max_age=0)
    assert not none.known
    nowhere = await book.directory.where(Place(team_id="T0ACME", channel_id=""), max_age=0)
    assert not nowhere.known


async def test_a_channel_that_became_shared_is_frozen_even_over_a_restart(book: Book) -> None:
    await book.directory.where(CRAWL, max_age=0)
    book.ws.set_channel("C0CRAWL", is_ext_shared=True)
    assert (await book.directory.where(CRAWL, max_age=0)).frozen
    again = SlackDirectory(book.directory._client, book.store, book.clock, "T0ACME")
    assert (await again.where(CRAWL, max_age=0)).frozen


async def test_sharing_that_was_noticed_freezes_though_it_is_taken_back(book: Book) -> None:
    """No event came: what was seen once has to be confirmed, and a later sharing anew."""
    channel = book.ws.core.state.channels["C0CRAWL"]
    await book.directory.where(CRAWL, max_age=0)
    channel.is_ext_shared = True
    assert (await book.directory.where(CRAWL, max_age=0)).frozen
    channel.is_ext_shared = False
    assert (await book.directory.where(CRAWL, max_age=0)).frozen
    channel.is_ext_shared = True
    await book.store.set_value("channel:C0CRAWL", {"shared": True, "frozen": False}, book.clock.now())
    assert not (await book.directory.where(CRAWL, max_age=0)).frozen
    channel.is_ext_shared = False
    assert not (await book.directory.where(CRAWL, max_age=0)).frozen
    channel.is_ext_shared = True
    assert (await book.directory.where(CRAWL, max_age=0)).frozen


async def test_that_a_channel_froze_is_told_once_until_it_is_confirmed(book: Book) -> None:
    """Though it was noticed before the event came, and however often Slack sends the event."""
    channel = book.ws.core.state.channels["C0CRAWL"]
    await book.directory.where(CRAWL, max_age=0)
    channel.is_ext_shared = True
    assert (await book.directory.where(CRAWL, max_age=0)).frozen
    assert [await book.directory.freeze("C0CRAWL") for _ in range(3)] == [True, False, False]
    assert (await book.directory.where(CRAWL, max_age=0)).frozen
    await book.store.set_value("channel:C0CRAWL", {"shared": True, "frozen": False}, book.clock.now())
    assert not (await book.directory.where(CRAWL, max_age=0)).frozen
    assert await book.directory.freeze("C0CRAWL")


async def test_a_frozen_channel_stays_frozen_when_it_is_unshared(book: Book) -> None:
    await book.directory.freeze("C0CRAWL")
    assert (await book.directory.where(CRAWL, max_age=0)).frozen


async def test_a_channel_whose_id_changed_refuses_until_somebody_confirms(env: World) -> None:
    """The whole program: the old rules do not follow, and do not come back with the old id either."""
    await env.does("status acc:shop/prices", "status acc:shop/prices")
    await env.ws.change_channel_id("C0CRAWL", "C0NEW")
    env.bot.rules._path.write_text(env.bot.rules._path.read_text().replace("C0CRAWL", "C0NEW"))
    await env.until(lambda: "C0NEW" in env.bot.rules.now.policy.channels)
    await env.say("start acc:shop/prices", channel="C0NEW")
    await env.until(lambda: "denied" in env.events("start"))
    assert "sent" not in env.events("start")


@dataclass
class Liar:
    """A Slack that answers with whatever it is told."""

    answers: dict[str, Any] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True} | self.answers[request.path.rpartition("/")[2]])


GOOD_USER = {"id": "U0ANA", "team_id": "T0ACME", "deleted": False, "is_bot": False}
CRAWL_CHANNEL = {"id": "C0CRAWL", "is_im": False, "is_ext_shared": False}


@pytest.fixture
async def liar(tmp_path: Path) -> AsyncIterator[tuple[Liar, SlackDirectory]]:
    slack, app = Liar(), web.Application()
    app.router.add_route("*", "/api/{method}", slack.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    store = open_store(str(tmp_path / "s.db"))
    async with aiohttp.ClientSession() as session:
        url = "http://{}:{}/api/".format(*runner.addresses[0][:2])
        client = AsyncWebClient("xoxb-playground-not-a-secret", base_url=url, session=session)
        yield slack, SlackDirectory(client, store, HandClock(), "T0ACME")
    await runner.cleanup()
    await store.close()


@pytest.mark.parametrize(
    "user",
    [
        None,
        [],
        "U0ANA",
        {},
        GOOD_USER | {"id": "U0ROOT"},
        GOOD_USER | {"team_id": None},
        GOOD_USER | {"team_id": 5},
        *(
            GOOD_USER | {flag: value}
            for flag in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_workflow_bot")
            for value in (None, "false", 0, [], {})
        ),
    ],
)
async def test_a_person_of_an_unexpected_shape_is_unknown(liar: tuple[Liar, SlackDirectory], user: object) -> None:
    slack, directory = liar
    slack.answers["users.info"] = {"user": user}
    subject = await directory.subject(ANA, (), max_age=0)
    assert standing(subject, "T0ACME")[0] is Standing.BARRED
    slack.answers["users.info"] = {"user": GOOD_USER}
    assert standing(await directory.subject(ANA, (), max_age=0), "T0ACME")[0] is Standing.FULL


GRID = {"enterprise_id": "E0ACME", "enterprise_name": "Acme", "is_admin": False}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"team_id": None, "enterprise_user": GRID | {"teams": ["T0ACME"]}}, Standing.FULL),
        ({"team_id": "E0ACME", "enterprise_user": GRID | {"teams": ["T0OTHER", "T0ACME"]}}, Standing.FULL),
        ({"team_id": "T0OTHER", "enterprise_user": GRID | {"teams": ["T0OTHER", "T0ACME"]}}, Standing.FULL),
        ({"team_id": "T0ACME", "enterprise_user": GRID | {"teams": None}}, Standing.FULL),
        ({"enterprise_user": "E0ACME"}, Standing.FULL),
        ({"team_id": None, "enterprise_user": GRID | {"teams": ["T0OTHER"]}}, Standing.NAMED_ONLY),
        ({"team_id": "T0OTHER", "enterprise_user": GRID | {"teams": ["T0OTHER"]}}, Standing.NAMED_ONLY),
        ({"team_id": None, "enterprise_user": GRID}, Standing.BARRED),
        ({"team_id": None, "enterprise_user": GRID | {"teams": "T0ACME"}}, Standing.BARRED),
        ({"team_id": None, "enterprise_user": GRID | {"teams": [5, None]}}, Standing.BARRED),
        (
            {"team_id": None, "is_restricted": True, "enterprise_user": GRID | {"teams": ["T0ACME"]}},
            Standing.NAMED_ONLY,
        ),
    ],
)
async def test_a_person_of_an_organization_is_a_member_of_the_workspaces_that_it_lists(
    liar: tuple[Liar, SlackDirectory], changes: dict[str, Any], wanted: Standing
) -> None:
    slack, directory = liar
    user = {key: value for key, value in (GOOD_USER | changes).items() if value is not None}
    slack.answers["users.info"] = {"user": user}
    assert standing(await directory.subject(ANA, (), max_age=0), "T0ACME")[0] is wanted


async def test_a_payload_may_name_any_workspace_of_the_persons_organization(
    liar: tuple[Liar, SlackDirectory],
) -> None:
    """Slack puts the person's first workspace into a button's payload, wherever they press."""
    slack, directory = liar
    grid = GRID | {"teams": ["T0OTHER", "T0ACME"]}
    slack.answers["users.info"] = {"user": GOOD_USER | {"team_id": "T0OTHER", "enterprise_user": grid}}
    for team, wanted in (("T0OTHER", Standing.FULL), ("T0ACME", Standing.FULL), ("T0EVIL", Standing.BARRED)):
        subject = await directory.subject(Actor(user_id="U0ANA", team_id=team), (), max_age=0)
        assert standing(subject, "T0ACME")[0] is wanted


GROUP = {"id": "S0CRAWL", "users": ["U0ANA"]}


@pytest.mark.parametrize(
    "groups",
    [
        *([GROUP | {"users": users}] for users in (None, {}, "U0ANA", 5, True, ["U0ANA", None])),
        *([GROUP | {"id": id_}] for id_ in (None, 5, "s0crawl", ["S0CRAWL"])),
        *(None, {}, "S0CRAWL", 5, [], [None], ["S0CRAWL"], {"S0CRAWL": ["U0ANA"]}, [{"id": "S0CRAWL"}]),
    ],
)
async def test_a_group_of_an_unexpected_shape_is_unreadable(liar: tuple[Liar, SlackDirectory], groups: object) -> None:
    slack, directory = liar
    slack.answers = {"users.info": {"user": GOOD_USER}, "usergroups.list": {"usergroups": groups}}
    subject = await directory.subject(ANA, ["S0CRAWL"], max_age=0)
    assert subject.groups["S0CRAWL"] is Member.UNREADABLE
    assert await directory.members("S0CRAWL", max_age=0) is None


async def test_an_odd_group_hides_no_other(liar: tuple[Liar, SlackDirectory]) -> None:
    slack, directory = liar
    odd = [None, {"id": "S0LEADS", "users": None}, {"id": ["S0CRAWL"]}]
    slack.answers = {"users.info": {"user": GOOD_USER}, "usergroups.list": {"usergroups": [*odd, GROUP]}}
    subject = await directory.subject(ANA, ["S0CRAWL", "S0LEADS"], max_age=0)
    assert subject.groups == {"S0CRAWL": Member.YES, "S0LEADS": Member.UNREADABLE}


@pytest.mark.parametrize(
    "channel",
    [
        None,
        [],
        "C0CRAWL",
        {},
        CRAWL_CHANNEL | {"id": "C0OTHER"},
        *(
            CRAWL_CHANNEL | {flag: value}
            for flag in ("is_im", "is_mpim", "is_ext_shared")
            for value in (None, "true", 1)
        ),
    ],
)
async def test_a_channel_of_an_unexpected_shape_is_unknown(liar: tuple[Liar, SlackDirectory], channel: object) -> None:
    slack, directory = liar
    slack.answers["conversations.info"] = {"channel": channel}
    assert not (await directory.where(CRAWL, max_age=0)).known


async def test_a_reply_that_is_no_json_is_unreadable(liar: tuple[Liar, SlackDirectory]) -> None:
    slack, directory = liar
    slack.answers["users.info"] = {"user": GOOD_USER}
    assert (await directory.subject(ANA, (), max_age=0)).known
    slack.answers.clear()
    assert not (await directory.subject(ANA, (), max_age=0)).known


async def test_who_is_denied_for_slacks_rate_limit_is_told_when_to_try_again(env: World) -> None:
    env.ws.faults.rate_limit("users.info", retry_after=17)
    denied = await env.does("start acc:shop/prices", "Denied")
    words = shown(denied)
    assert "Slack doesn't say who you are" in words
    assert "try again in 17 s" in words
    await env.does("start acc:shop/prices", "Succeeded")
