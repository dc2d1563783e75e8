"""What somebody may be told who counts only where a rule names their own id: a guest, an external, a bot."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit import Event
from bot.core.intent import Actor, Place
from bot.core.records import stamp
from bot.features.forms import menus
from bot.playground.planes.sequentum import Script
from tests.store.samples import row
from tests.world import World, labels, shown, world

NAMED = """\
version = 1
[groups]
admins = ["U0ROOT"]
[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["risk:read"]
  targets = ["*"]
  who = ["*"]
  [[channel.allow]]
  verbs = ["status"]
  targets = ["acc:shop/prices"]
  who = ["U0GUEST"]
[administrators]
who = ["admins"]
"""
OTHERS = ("pre:", "shop/stock", "Invoice Reader", "invoice-reader")


def without_ids(message: dict[str, Any]) -> str:
    """What is shown, without ids: a random one may hold any three letters, also the name of a backend."""
    return re.sub(r"r-[0-9a-z]{14}|\b[0-9a-z]{26}\b", "ID", shown(message))


async def test_a_guest_hears_of_nothing_but_what_names_them(tmp_path: Path) -> None:
    """One agent is theirs to look at; lists, search, health and near names tell of nothing else."""
    async with world(tmp_path, policy=NAMED, only=("acc", "pre")) as env:
        await env.does("status acc:shop/prices", "newest run", user="U0GUEST")
        await env.does("status acc:shop/stock", "never run")
        assert "pre" in shown(
            await env.does(
                "backends",
                "Backends",
            )
        )
        for words, expected in (
            ("targets acc", "acc:shop/prices"),
            ("find shop", "acc:shop/prices"),
            ("backends", "Backends"),
            ("health", "Health"),
        ):
            answer_text = shown(await env.does(words, expected, user="U0GUEST"))
            assert not [other for other in OTHERS if other in answer_text], words
            assert "Prefactor" not in answer_text
        await env.does("doctor", "Denied", "for full members", user="U0GUEST")


async def test_a_greeting_is_answered_with_help_and_not_denied(tmp_path: Path) -> None:
    """To a guest, and in a direct message, where nothing can be run."""
    async with world(tmp_path, only=("acc",)) as env:
        for person, channel, words, expected in (
            ("U0GUEST", "C0CRAWL", "@signalbox hello", "What you can do here"),
            ("U0RUI", "D0RUI", "thanks", "I don't run commands in this direct message"),
        ):
            await env.person(person).post(channel, words)
            answer = await env.sees(expected, user=person, channel=channel)
            assert "Denied" not in shown(answer)
            assert "can't run" not in shown(answer)
        assert not env.audit(event="denied")


@pytest.mark.parametrize(
    ("rules", "offered", "for_target"),
    [
        (NAMED, {"Look up…"}, {"Status"}),
        (NAMED.replace('"status"', '"status", "start"'), {"Start…"}, {"Start"}),
        (NAMED.replace('"U0GUEST"', '"U0RUI"'), set(), set()),
    ],
)
async def test_the_home_tab_offers_what_the_rules_let_a_person_do(
    rules: str, offered: set[str], for_target: set[str], tmp_path: Path
) -> None:
    """A guest who may only look up, one who may start, and one whom no rule names; each has a favourite."""
    async with world(tmp_path, policy=rules) as env:
        if offered:
            await env.does("star acc:shop/prices", "is on your Home tab", user="U0GUEST")
        guest = env.person("U0GUEST")
        await guest.open_home()
        view = await guest.wait_for(lambda p: found if "Backends" in shown(found := p.home() or {}) else None)
        assert {"Start…", "Look up…"} & set(labels(view)) == offered
        assert {"Start", "Status"} & set(labels(view)) == for_target


@pytest.mark.parametrize(
    "words",
    [
        "status X:x",
        "targets X",
        "health X",
        "help X",
        "why status X:x",
        "watch X:x",
        "retire X:x",
        "X",
        "start X:x -- r",
    ],
)
async def test_a_hidden_backend_is_answered_as_one_that_does_not_exist(tmp_path: Path, words: str) -> None:
    """Sentence and buttons, also for a verb that only the hidden one has."""
    async with world(tmp_path, policy=NAMED, only=("acc", "pre")) as env:
        guest, told = env.person("U0GUEST"), []
        for name in ("pre", "qxz"):
            asked = words.replace("X", name)
            await env.say(asked, user="U0GUEST")
            count = len(told) + 1
            await guest.wait_for(lambda _, count=count: len(_private(env, "U0GUEST")) >= count)  # type: ignore[misc]
            answer = _private(env, "U0GUEST")[count - 1]
            told.append((without_ids(answer).replace(asked, "ASKED").replace(name, "X"), labels(answer)))
        assert told[0] == told[1]


@pytest.mark.parametrize("words", ["status acc:shop/stok", "retry acc:shop/stok@last", "why status acc:shop/stok"])
async def test_a_guess_beside_it_is_not_answered_with_the_names_that_it_is_near_to(tmp_path: Path, words: str) -> None:
    """The same denial as for a name that exists; a member is offered what was meant."""
    async with world(tmp_path, policy=NAMED, only=("acc", "pre")) as env:
        await env.does("status acc:shop/stock", "never run")
        answer = await env.does(words, "names you", user="U0GUEST")
        assert not [other for other in OTHERS if other in shown(answer).replace(words, "")]
        assert labels(answer) == []
        await env.does("stats shop/stock", "I can't read this command", user="U0GUEST")
        await env.does(words.removeprefix("why "), "has no agent")


LIMITED = NAMED.replace(
    "[administrators]",
    """\
[[channel]]
id = "C0INC"
  [[channel.allow]]
  verbs = ["start"]
  targets = ["acc:shop/*"]
  who = ["*"]
[administrators]""",
)


async def test_the_home_tab_names_only_backends_that_a_rule_opens(tmp_path: Path) -> None:
    """A guest of one agent sees its backend; a guest, an external and a bot whom no rule names see none."""
    async with world(tmp_path, policy=NAMED, only=("acc", "pre")) as env:
        env.ws.set_user("U0RUI", is_restricted=True)
        for user, expected in (("U0ROOT", {"acc", "pre"}), ("U0GUEST", {"acc"}), ("U0RUI", set()), ("U0EXT", set())):
            person = env.person(user)
            await person.open_home()
            home = await person.wait_for(lambda one: one.home())
            words = shown(home)
            assert {name for name in ("acc", "pre") if re.search(rf"\b{name}\b", words)} == expected, (
                user,
                words,
            )


async def test_an_id_of_another_target_is_answered_as_one_that_does_not_exist(tmp_path: Path) -> None:
    """The path behind an id was learned from somebody else's request; no guess reaches the backend."""
    async with world(tmp_path, policy=NAMED, only=("acc",)) as env:
        await env.does("status acc:shop/stock", "never run")
        await env.quiet()
        foreign = env.acc.agent("shop/stock").agent_id
        calls = len([one for one in env.acc.requests if "health-check" not in one.raw_query])
        answers = []
        for target in (f"acc:{foreign}", "acc:00000000-1111-2222-3333-444444444444", "acc:shop/stock", "acc:no/such"):
            message = await env.does(f"status {target}", "Denied", target, user="U0GUEST")
            answers.append(shown(message).replace(target, "X").partition("*Request*")[0])
        assert len(set(answers)) == 1, answers
        assert "shop/stock" not in "".join(answers)
        assert len([one for one in env.acc.requests if "health-check" not in one.raw_query]) == calls
        mine = env.acc.agent("shop/prices").agent_id
        await env.does("status acc:shop/prices", "newest run", user="U0GUEST")
        await env.does(f"status acc:{mine}", "newest run", user="U0GUEST")


async def test_the_menu_of_a_form_without_a_channel_offers_what_a_rule_names(tmp_path: Path) -> None:
    """A full member whom no rule names anywhere is offered nothing."""
    nobody = NAMED.replace('who = ["*"]', 'who = ["U0LEE"]')
    async with world(tmp_path, policy=nobody, only=("acc",)) as env:
        await env.does("status acc:shop/stock", "never run", user="U0LEE")
        place = Place(team_id="T0ACME", channel_id="")
        for user, offered in (("U0LEE", True), ("U0ANA", False), ("U0GUEST", False)):
            found = await menus.targets(env.bot.ctx, Actor(user_id=user, team_id="T0ACME"), place, "", "stock")
            assert bool(found) is offered, (user, found)
        await env.person("U0ANA").shortcut("launcher")
        await env.until(lambda: env.audit(user_id="U0ANA"))
        assert env.person("U0ANA").modal() is None


async def test_grants_of_other_channels_are_told_to_administrators_alone(tmp_path: Path) -> None:
    """Ana sees those of her channel, a guest his own, Root all."""
    async with world(tmp_path, policy=LIMITED, only=("acc",)) as env:
        await env.does("grant @gus start acc:labs/new for=1h -- trying", "", user="U0ROOT")
        await env.sees("Granted: start on acc:labs/new")
        await env.say("grant @rui start acc:news/feed for=1h -- trying", user="U0ROOT", channel="C0INC")
        await env.sees("Granted: start on acc:news/feed", channel="C0INC")
        for user, expected in (("U0ANA", {"labs"}), ("U0GUEST", {"labs"}), ("U0ROOT", {"labs", "news"})):
            words = shown(await env.does("grants", "Grants", user=user))
            assert {name for name in ("labs", "news") if f"acc:{name}/" in words} == expected, user


async def test_where_you_may_names_only_channels_that_you_are_in(tmp_path: Path) -> None:
    """A rule of a private channel would allow it; its name is told to its members."""
    async with world(tmp_path, policy=LIMITED, only=("acc",)) as env:
        assert "<#C0INC>" in shown(await env.does("start acc:shop/prices", "Denied"))
        env.ws.set_channel("C0INC", is_private=True, members=["U0LEE", env.ws.core.state.bot_user])
        answer_text = shown(await env.does("start acc:shop/prices", "Denied", user="U0RUI"))
        assert "C0INC" not in answer_text


OTHERS_WORK = """\
version = 1
[groups]
admins = ["U0ROOT", "U0LEE"]
[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["U0ANA", "U0ROOT"]
  [[channel.allow]]
  verbs = ["agent approve"]
  targets = ["*"]
  who = ["U0RUI"]
  approvals = { count = 1, from = ["admins"] }
  [[channel.allow]]
  verbs = ["risk:read", "schedule off"]
  targets = ["acc:shop/prices"]
  who = ["U0GUEST"]
[administrators]
who = ["admins"]
"""
SECRET_NAMES = ("labs", "news", "shop/stock", "quarterly figures")
ABOUT_ALL = ("audit count=50", "audit stock", "timeline", "status", "watches", "pauses", "approvals", "grants")


PRIVATE = """\
version = 1
[groups]
admins = ["U0ROOT"]
[[channel]]
id = "C0INC"
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["*", "A0SIGNAL"]
[administrators]
who = ["admins"]
"""
CHOSEN = (
    *(("start", "acc:shop/prices"), ("status", "acc:shop/prices"), ("input clear", "acc:shop/prices")),
    *(("audit", "acc:shop/prices"), ("timeline", "acc:shop/prices"), ("watch", "acc:shop/prices")),
    *(("approvals", ""), ("policy", ""), ("breakglass", ""), ("grant", "")),
)


async def submit_launcher(env: World, user: str, verb: str, target: str, channel: str) -> None:
    """The launcher's form with these values, also such as its menus don't offer."""
    person = env.person(user)
    await person.shortcut("launcher")
    view = await person.wait_for(lambda one: one.modal())
    values = {
        name: {action: {"type": "external_select", "selected_option": {"value": value}}}
        for name, action, value in (("verb", "suggest_verb", verb), ("target", "suggest_target", target))
    }
    values["channel"] = {"value": {"type": "conversations_select", "selected_conversation": channel}}
    body = {
        "type": "view_submission",
        "team": {"id": "T0ACME"},
        "user": {"id": user, "team_id": "T0ACME"},
        "api_app_id": env.ws.app_id,
        "view": {**view, "state": {"values": values}},
    }
    assert (await env.ws.deliver("interactive", body)).acked
    await person.close()
    await env.quiet()


async def test_who_is_not_in_the_chosen_channel_neither_acts_nor_reads_there(tmp_path: Path) -> None:
    """By the launcher, whatever verb its form carries: one sentence by direct message, and nothing else."""
    async with world(tmp_path, policy=PRIVATE, only=("acc",)) as env:
        env.ws.set_channel("C0INC", is_private=True, members=["U0LEE", env.ws.core.state.bot_user])
        await env.does("start acc:news/feed -- our secret", "news/feed", user="U0LEE", channel="C0INC")
        there = len(env.person("U0LEE").messages("C0INC"))
        calls, rui = len(env.acc.requests), env.person("U0RUI")
        for verb, target in CHOSEN:
            await submit_launcher(env, "U0RUI", verb, target, "C0INC")
        await env.sees("Slack doesn't list you as a member", "input clear", user="U0RUI", channel=rui.dm)
        told = "\n".join(shown(one) for one in rui.messages(rui.dm))
        assert "news/feed" not in told
        assert "secret" not in told
        assert "I can't write" not in told
        assert not [one for one in env.acc.requests[calls:] if "news" not in one.raw_path and one.method != "GET"]
        assert not [one for one in env.audit(user_id="U0RUI") if str(one.event) in ("sent", "done", "granted")]
        assert len(env.person("U0LEE").messages("C0INC")) == there


@pytest.mark.parametrize("channel", ["D0LEE", "C0NOWHERE", ""])
async def test_a_workflow_acts_only_in_channels_that_the_bot_is_in(tmp_path: Path, channel: str) -> None:
    """And tells nothing of them: built-in commands don't take a chosen place."""
    async with world(tmp_path, policy=PRIVATE, only=("acc",)) as env:
        for command, place in (("start acc:shop/prices", channel), ("audit", "C0INC"), ("timeline", "C0INC")):
            ran = await env.ana.run_step("run_operation", {"command": command, "channel": place, "user": "U0ROOT"})
            step = env.ws.steps[str(ran.execution_id)]
            await env.until(lambda step=step: step["status"] != "running")  # type: ignore[misc]
            assert (step["status"], "Denied" in step["error"]) == ("failed", True), step
        assert not [one for one in env.acc.requests if one.method != "GET"]
        assert "invalid_arguments" not in {call.error for call in env.ws.calls}


def _private(env: World, user: str) -> list[dict[str, Any]]:
    """The private answers to a person in the channel."""
    return [one for one in env.person(user).messages("C0CRAWL") if one["ephemeral"]]


def answers(env: World, user: str) -> list[str]:
    """Their texts."""
    return [shown(one) for one in _private(env, user)]


async def test_what_others_did_with_other_targets_is_told_to_members_alone(tmp_path: Path) -> None:
    """Runs, pauses, decisions, grants and the audit log of the channel: a guest reads what concerns their own target."""
    async with world(tmp_path, policy=OTHERS_WORK, only=("acc",), agents=True) as env:
        await env.does("start acc:labs/slow -- quarterly figures", "start acc:labs/slow")
        await env.does("status acc:shop/stock", "shop/stock")
        await env.does("schedule off acc:news/feed for=2h -- quarterly figures", "news/feed", "Paused until")
        await env.does("schedule off acc:shop/prices for=2h", "shop/prices", "Paused until")
        await env.does("watch acc:shop/stock", "shop/stock")
        await env.say("agent approve acc:labs/new -- quarterly figures", user="U0RUI")
        await env.sees("labs/new", "Approve", user="U0LEE")
        told = {}
        for user in ("U0ANA", "U0GUEST"):
            person, before = env.person(user), len(answers(env, user))
            for words in ABOUT_ALL:
                await env.say(words, user=user)
            await person.wait_for(lambda _, u=user, n=before: len(answers(env, u)) >= n + len(ABOUT_ALL), timeout=30)  # type: ignore[misc]
            told[user] = "\n".join(answers(env, user)[before:])
        assert [name for name in SECRET_NAMES if name in told["U0ANA"]] == list(SECRET_NAMES)
        assert not [name for name in SECRET_NAMES if name in told["U0GUEST"]], told["U0GUEST"]
        assert "acc:shop/prices" in told["U0GUEST"]


@pytest.mark.parametrize("words", ["status nowhere:x", "status shop", "stat acc:shop/prices", "targets ac"])
async def test_what_cannot_be_read_names_no_backend_to_a_guest_without_rules(tmp_path: Path, words: str) -> None:
    """Neither in the sentence nor on a button."""
    async with world(tmp_path, policy=NAMED.replace("U0GUEST", "U0LEE"), only=("acc", "pre")) as env:
        answer = await env.does(words, "", user="U0GUEST")
        assert not [
            text
            for text in (*labels(answer), without_ids(answer).replace(words, ""))
            if "pre" in text or "acc:" in text
        ]


NO_RIGHTS = NAMED.replace("U0GUEST", "U0LEE").replace('who = ["*"]', 'who = ["U0LEE"]')
ASKED = (
    *("status X:x", "status X", "health X", "help X", "why start X:x as=@lee", "watch X:x", "X", "find X", "stat X:x"),
    *("start X:x no=such -- r", "grant @lee start X:x for=1h", "X:x start", "status X:x@last", "retire X:x"),
)


@pytest.mark.parametrize("typed", ["/ops {}", "<@U0BOT> {}", "please let <@U0BOT> {}"])
@pytest.mark.parametrize(
    ("user", "channel"), [("U0GUEST", "C0CRAWL"), ("U0ANA", "C0INC"), ("U0ANA", "D0ANA"), ("U0EXT", "C0SHARED")]
)
async def test_without_rights_a_backend_that_exists_is_answered_as_one_that_does_not(
    tmp_path: Path, user: str, channel: str, typed: str
) -> None:
    """A guest, a member where the rules name no channel or direct message, a person of another workspace."""
    async with world(tmp_path, policy=NO_RIGHTS, only=("acc", "pre")) as env:
        assert env.ws.bot_user_id == "U0BOT"
        if channel == env.ana.dm:
            typed = typed.removeprefix("<@U0BOT> ")
        told: dict[str, list[Any]] = {"pre": [], "qxz": []}
        for words in ASKED:
            for name, found in told.items():
                found.append(await _told(env, user, channel, typed.format(words.replace("X", name)), name))
        assert told["pre"] == told["qxz"]


async def _told(env: World, user: str, channel: str, typed: str, name: str) -> list[Any]:
    """What the person reads after these words, in the channel, its threads and their direct messages, without names and ids."""
    person = env.person(user)

    def read() -> list[dict[str, Any]]:
        there = [*person.messages(channel), *(person.messages(person.dm) if person.dm != channel else [])]
        threads = [one for each in there for one in person.messages(channel, each["ts"])[1:]]
        return [one for one in (*there, *threads) if one.get("user") != user]

    before = len(read())
    receipt = await (person.command(channel, typed) if typed.startswith("/") else person.post(channel, typed))
    await env.quiet()
    assert receipt.acked or user == "U0EXT", receipt
    if not typed.startswith("please") and receipt.acked:
        await person.wait_for(lambda _: len(read()) > before)
    said = [(without_ids(one), labels(one)) for one in read()[before:]]
    return [str(one).replace(name, "X") for one in said]


@pytest.mark.parametrize("words", ["X", "X -- r", "X acc:shop/prices", "help X", "why X acc:shop/prices"])
async def test_a_verb_of_a_hidden_backend_is_answered_as_one_of_a_backend_that_does_not_exist(
    tmp_path: Path, words: str
) -> None:
    """Only Prefactor has `retire`; its guest must not hear whether it is configured."""
    told, asked = [], words.replace("X", "retire")
    for only in (("acc", "pre"), ("acc",)):
        async with world(tmp_path / str(len(only)), policy=NAMED, only=only) as env:
            await env.does(asked, "retire", user="U0GUEST")
            newest = _private(env, "U0GUEST")[-1]
            told.append((without_ids(newest), labels(newest)))
    assert told[0] == told[1]


FORGED = (("status", "X:x"), ("start", "X:x"), ("retire", "X:x"), ("no such verb", "X:x"), ("X", "acc:shop/prices"))


async def test_a_forged_form_tells_no_more_than_the_typed_command(tmp_path: Path) -> None:
    """A guest's launcher comes back with what its menus never offered: a hidden backend is answered as one that doesn't exist."""
    async with world(tmp_path, policy=NAMED, only=("acc", "pre")) as env:
        guest, told = env.person("U0GUEST"), dict[str, list[Any]]()
        for name in ("pre", "qxz"):
            for verb, target in FORGED:
                verb_there = verb.replace("X", "retire" if name == "pre" else "retyre")
                told.setdefault(name, []).append(await _forged(env, verb_there, target.replace("X", name)))
            await env.say("", user="U0GUEST")
            view: dict[str, Any] = await guest.wait_for(lambda one: one.modal() or {})
            await env.ws.deliver("interactive", _changed(view, "target", f"{name}:x"))
            told[name].append(await guest.suggest("modal", "suggest_verb", "") == [])
            await guest.close()
        read = [re.sub(rf"\b{name}\b", "X", str(one)).replace("retyre", "retire") for name, one in told.items()]
        assert read[0] == read[1]
        assert ["errors" in one for one in told["pre"][:-1]] == [False] * 4 + [True], told["pre"]


async def _forged(env: World, verb: str, target: str) -> dict[str, Any]:
    """The errors of the form of a guest with these values and an odd parameter, or what the guest reads then."""
    guest, before = env.person("U0GUEST"), len(_private(env, "U0GUEST"))
    await env.say("", user="U0GUEST")
    view: dict[str, Any] = await guest.wait_for(lambda one: one.modal() or {})
    values: dict[str, Any] = {"param:no-such": {"value": {"type": "plain_text_input", "value": "1"}}}
    for name, value in (("verb", verb), ("target", target)):
        values[name] = {f"suggest_{name}": {"type": "external_select", "selected_option": {"value": value}}}
    body = {**_guests(view, "view_submission"), "view": {**view, "state": {"values": values}}}
    receipt = await env.ws.deliver("interactive", body)
    await guest.close()
    assert receipt.acked
    if errors := (receipt.body or {}).get("errors"):
        return {"errors": errors}
    await guest.wait_for(lambda _: len(_private(env, "U0GUEST")) > before)
    return {"told": [(without_ids(one), labels(one)) for one in _private(env, "U0GUEST")[before:]]}


def _guests(view: dict[str, Any], kind: str) -> dict[str, Any]:
    user = {"id": "U0GUEST", "team_id": "T0ACME"}
    return {"type": kind, "team": {"id": "T0ACME"}, "user": user, "view": view}


def _changed(view: dict[str, Any], field: str, value: str) -> dict[str, Any]:
    """A change of a menu to a value that it doesn't offer."""
    chosen = {"type": "external_select", "selected_option": {"value": value}}
    state = {"values": {field: {f"suggest_{field}": chosen}}}
    action = {**chosen, "action_id": f"suggest_{field}", "block_id": field, "action_ts": "1.1"}
    body = _guests({**view, "state": state}, "block_actions")
    return {**body, "container": {"type": "view", "view_id": view["id"]}, "actions": [action]}


SHARED = """\
version = 1
[groups]
admins = ["U0ROOT"]
[[channel]]
id = "C0SHARED"
  [[channel.allow]]
  verbs = ["pause", "resume", "start", "retry", "status", "history", "logs", "schedule delete"]
  targets = ["acc:*"]
  who = ["*"]
  [[channel.allow]]
  verbs = ["schedule off"]
  targets = ["acc:*"]
  who = ["U0ANA"]
  approvals = { count = 1, from = ["admins"] }
[administrators]
who = ["admins"]
"""


def _buttons(message: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The ts of the message, and the action and value of each of its buttons."""
    found = re.findall(r'"action_id": "([a-z_]+)", [^{}]*?"value": "([0-9a-z]{26})"', json.dumps(message))
    return [(str(message["ts"]), action, value) for action, value in found]


@pytest.mark.parametrize("team", ["T0ACME", "T0OTHER"])
async def test_a_press_from_another_workspace_is_refused_and_told_nothing(tmp_path: Path, team: str) -> None:
    """Each button of the cards of a shared channel, used and unused, and of an answer that only Ana was shown."""
    async with world(tmp_path, policy=SHARED, only=("acc",), agents=True, speed=60.0) as env:
        env.acc.add_agent("shop/broken", scripts=(Script(end="Failure", message="broke"), Script()))
        there: dict[str, Any] = {"channel": "C0SHARED"}
        preflight = await env.does("schedule delete acc:shop/prices", "Run it", **there)
        asked = await env.does("schedule off acc:shop/prices -- quarterly figures", "wants to run", **there)
        failed = await env.does("start acc:shop/broken -- quarterly figures", "Failed", "Retry", **there)
        await env.ana.press_label("C0SHARED", failed["ts"], "Retry", seen=failed)
        await env.sees("Retried by <@U0ANA>: succeeded", **there)
        question = await env.sees("schedule off acc:shop/prices", "Approve", user="U0ROOT", **there)
        await env.person("U0ROOT").press_label("C0SHARED", question["ts"], "Approve", seen=question)
        await env.sees("Approved by <@U0ROOT>", **there)
        await env.quiet()
        shared = [preflight, asked, failed, *env.ana.messages("C0SHARED")]
        forged = {button for one in shared for button in _buttons(one)}
        assert {"run_it", "do_retry", "approve", "deny", "do_logs"} <= {action for _, action, _ in forged}
        calls, rows, eve = len(env.acc.requests), len(env.audit()), env.person("U0EXT")
        known = {one["ts"] for one in eve.messages("C0SHARED")}
        for one in sorted(forged):
            await _pressed(env, team, *one)
        await env.quiet()
        assert not [one for one in env.acc.requests[calls:] if "health-check" not in one.raw_query]
        assert {str(one.event) for one in env.audit()[rows:]} == {"requested", "denied"}
        assert eve.modal() is None
        new = await eve.wait_for(lambda one: _all_of(one.messages("C0SHARED"), known, len(forged)))
        answers = [without_ids(one) for one in new]
        assert len(set(answers)) == 1, answers
        assert not [word for word in ("acc", "shop", "quarterly", "U0ANA", "U0ROOT") if word in answers[0]]


def _all_of(messages: list[dict[str, Any]], known: set[str], count: int) -> list[dict[str, Any]]:
    """The messages that are not known, once there are that many."""
    new = [one for one in messages if one["ts"] not in known]
    return new if len(new) >= count else []


async def _pressed(env: World, team: str, ts: str, action: str, value: str) -> None:
    """A press of a person of another workspace, whether or not Slack shows them the button."""
    body = {
        "type": "block_actions",
        "user": {"id": "U0EXT", "team_id": "T0OTHER"},
        "team": {"id": team},
        "api_app_id": env.ws.app_id,
        "trigger_id": f"forged.{value}",
        "container": {"type": "message", "channel_id": "C0SHARED", "message_ts": ts},
        "channel": {"id": "C0SHARED"},
        "actions": [{"type": "button", "action_id": action, "value": value, "action_ts": env.ws.clock.next_ts()}],
    }
    assert (await env.ws.deliver("interactive", body)).acked


async def test_a_guest_whose_entries_are_far_back_is_told_how_far_was_looked_and_how_to_look_further(
    tmp_path: Path,
) -> None:
    """More than 5,000 newer entries are about what they may not see; naming the target finds theirs."""
    async with world(tmp_path, policy=NAMED) as env:
        await env.does("status acc:shop/prices", "newest run", user="U0GUEST")
        at = stamp(env.bot.ctx.clock.now())
        await env.bot.store.append(*[row(Event.DONE, at=at, target_name="acc:shop/stock") for _ in range(5_300)])
        for words, expected in (("audit", "No entries that you may see."), ("timeline", "Timeline since")):
            answer = await env.does(words, expected, user="U0GUEST")
            assert "Only the newest 5,000 entries were searched." in shown(answer)
            assert "`/ops audit BACKEND:PATH`" in shown(answer)
        found = await env.does("audit acc:shop/prices", "Audit log", "status acc:shop/prices", user="U0GUEST")
        assert "5,000" not in shown(found)
        assert "5,000" not in shown(await env.does("audit", "Audit log", "acc:shop/stock"))
