"""What exists and is hidden from a person changes nothing that they are told: two worlds that differ in it answer alike."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes
from tests.world import World, labels, shown, world

RULES = """\
version = 1
[groups]
admins = ["U0ROOT"]
[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["U0ANA", "U0ROOT"]
  [[channel.allow]]
  verbs = ["risk:read", "start", "schedule off"]
  targets = ["acc:shop/*"]
  who = ["U0GUEST"]
[administrators]
who = ["admins"]
[breakglass]
who = ["U0ANA"]
"""
TYPED = (
    *(
        "status X",
        "help",
        "help all",
        "help retire",
        "find X",
        "why start X",
        "why retire X",
        "watch X",
        "unwatch X",
        "star X",
    ),
    *(
        "unstar X",
        "stat X",
        "X start",
        "X",
        "start X -- r",
        "start X no=such -- r",
        "start X\nretire X",
        "status X@last",
    ),
    *(
        "status acc:shop/prices\nretire X",
        "start acc:shop/prices -- check\nretire X",
        "status X; status acc:shop/prices",
    ),
    *(
        "status acc:shop/prices X",
        "status X X",
        "grant @lee start X for=1h -- r",
        "grant @lee retire X -- r",
        "retire X",
    ),
    *("retire", "retire acc:shop/prices", "retire -- r", "retir acc:shop/prices", "agents", "please retire the reader"),
    *("history acc:shop/prices\nand retire X", "stop everything", "status", "targets", "find a"),
    *("find reader", "find slow", "watches", "pauses", "approvals", "grants", "incident", "policy", "doctor", "whoami"),
    *(
        "incident close",
        "revoke g-0000 -- r",
        "status acc:shop/prices",
        "history acc:shop/prices",
        "targets acc",
        "help acc",
    ),
    *("status X/more", "logs X@failed", "help X", "targets X", "retire acc:", "schedule off X for=1h -- r"),
    *("timeline", "audit count=200", "audit X", "audit target=X", "audit retire", "audit misread", "audit user=@ana"),
)
MENTIONED = ("status X", "retire X", "X", "help X", "start X -- r", "audit", "find reader", "retire acc:shop/prices")
UNSENT = "SELECT count(*) FROM messages WHERE have < want AND gone = 0"
VARIES = re.compile(
    r"(?:\d[\dhmins ]* ago: [^;\n]+;? ?)+"  # the spans of a chart: which of them has an entry depends on when it was made
    r"|r-[0-9a-z]{14}|\b[0-9a-z]{26}\b|\b[0-9a-f]{12,64}\b|\"(?:block_id\": \"[\w-]{5}|hash\": \"[^\"]*)\"|<!date\^[^>]*>"
    r"|\d+ (?:second|minute|hour)s?\b|\d+(?:\.\d+)? (?:ms|s|min|h)\b|\d[\d:.-]*|\n[^\n]*… \(\+"
)


class Hidden(NamedTuple):
    """What only one of the worlds has: its name, and what Ana does with it there."""

    name: str
    done: tuple[str, ...]


PLANE = Hidden(
    "pre:invoice-reader",
    (
        "agents pre:",
        "retire X -- figures",
        "watch X",
        "star X",
        "grant @rui status pre:* for=1h -- trying",
        "retire acc:shop/stock",
    ),
)
TARGET = Hidden(
    "acc:labs/slow",
    (
        "start X -- figures",
        "status X",
        "watch X",
        "schedule off acc:news/feed for=2h",
        "grant @rui start acc:labs/* for=1h -- r",
    ),
)


def plain(said: Any, hidden: Hidden) -> str:
    """What was said without ids, times and other numbers, and with X for the hidden name."""
    return VARIES.sub("N", json.dumps(said, ensure_ascii=False).replace("\\n", "\n").replace(hidden.name, "X"))


async def told(env: World, typed: str) -> list[Any]:
    """What the guest reads after these words in the channel, its threads and their direct messages."""
    guest = env.person("U0GUEST")

    def read() -> list[dict[str, Any]]:
        there = [*guest.messages("C0CRAWL"), *guest.messages(guest.dm)]
        parents = [each["ts"] for each in there if each.get("reply_count")]
        threads = [one for ts in parents for one in guest.messages("C0CRAWL", ts)[1:]]
        return [one for one in (*there, *threads) if one.get("user") != "U0GUEST"]

    before = {one["ts"] for one in read()}
    receipt = await (guest.command("C0CRAWL", typed) if typed.startswith("/") else guest.post("C0CRAWL", typed))
    await settled(env)
    new = [one for one in read() if one["ts"] not in before]
    return [receipt.acked, receipt.body, sorted(_told(one) for one in new)]


def _told(message: dict[str, Any]) -> tuple[str, list[str], list[str]]:
    return shown(message), labels(message), [file["title"] for file in message.get("files", ())]


async def settled(env: World) -> None:
    """Until nothing is under way and Slack has every message."""
    await env.quiet()
    await env.until(lambda: env.bot.store.database.read_sync(lambda db: db.execute(UNSENT).fetchone()[0] == 0))


async def forms(env: World, hidden: Hidden) -> list[Any]:
    """What the launcher, the shortcut of a message and the Home tab show the guest, and what their menus offer."""
    guest, found = env.person("U0GUEST"), list[Any]()
    posted = [f"/ops retire {hidden.name} failed", f"see {hidden.name}", "please retire the reader"]
    for text in posted:
        await env.ana.post("C0CRAWL", text)
        await settled(env)
        await guest.message_shortcut("work_on_message", "C0CRAWL", env.ana.messages("C0CRAWL")[-1]["ts"])
        found.append(await modal(env))
    await guest.command("C0CRAWL", "/ops")
    found.append(await modal(env))
    await guest.open_home()
    await settled(env)
    return [*found, await guest.wait_for(lambda one: one.home())]


async def modal(env: World) -> list[Any]:
    """The modal that opens for the guest and what its menus offer; it is closed then."""
    guest = env.person("U0GUEST")
    view = await guest.wait_for(lambda one: one.modal())
    offered = [
        await guest.suggest("modal", menu, typed)
        for menu in ("suggest_verb", "suggest_target")
        for typed in ("", "ret", "retire", "pre", "reader", "slow", "labs", "acc:labs/slow", "pre:x")
    ]
    await guest.close()
    return [view, offered]


async def answers(folder: Path, hidden: Hidden, *, exists: bool) -> dict[str, str]:
    """Everything that the guest is told in a world that has it, or doesn't."""

    def planes(clock: Any) -> tuple[Plane, ...]:
        made = demo_planes(clock)
        agents = made[0].world.agents  # type: ignore[attr-defined]
        for name in [] if exists else [one for one, agent in agents.items() if agent.path.startswith("labs/")]:
            del agents[name]
        return made

    only = ("acc", "pre") if hidden is TARGET or exists else ("acc",)
    async with world(folder, policy=RULES, planes=planes, only=only, agents=True) as env:
        for words, part in (
            ("status acc:shop/prices", "newest run"),
            ("health", "answer"),
            ("targets acc", "shop/stock"),
        ):
            await env.does(words, part)  # what is remembered of a plane doesn't depend on how soon it answers
        for words in hidden.done if exists else ():
            await env.say(words.replace("X", hidden.name))
            await settled(env)
        asked = [*(f"/ops {words}" for words in TYPED), *(f"<@U0BOT> {words}" for words in MENTIONED)]
        asked += [f"please let <@U0BOT> {words}" for words in MENTIONED]
        found = {typed: plain(await told(env, typed.replace("X", hidden.name)), hidden) for typed in asked}
        return found | {"forms": plain(await forms(env, hidden), hidden)}


@pytest.mark.parametrize("hidden", [PLANE, TARGET], ids=["a control plane", "a target"])
async def test_what_is_hidden_from_a_guest_changes_no_answer(tmp_path: Path, hidden: Hidden) -> None:
    there = await answers(tmp_path / "there", hidden, exists=True)
    absent = await answers(tmp_path / "absent", hidden, exists=False)
    differ = {asked: (told, absent[asked]) for asked, told in there.items() if told != absent[asked]}
    assert not differ
