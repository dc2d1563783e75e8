"""Help: a few commands as buttons that fit on a phone, and everything after *More*."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.demo.run import POLICY
from tests.scenarios.steps import do, private
from tests.world import OPEN_POLICY, World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLANES = ("acc", "infa", "itn", "pre", "res")
TITLE = "What you can do here"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The demo's rules on all five control planes."""
    async with world(tmp_path_factory.mktemp("demo"), policy=POLICY, only=PLANES, agents=True, speed=60.0) as made:
        await made.bot.ctx.listings.refresh()
        yield made


def _blocks(message: dict[str, Any]) -> str:
    """What is read, without the notification, which is short."""
    return shown({**message, "text": ""})


async def helped(env: World, user: str = "U0ANA", channel: str = "C0CRAWL") -> dict[str, Any]:
    """The newest short help of this person."""
    before = {message["ts"] for message in env.person(user).messages(channel)}
    await env.say("help", user=user, channel=channel)

    def look(person: Any) -> dict[str, Any] | None:
        newest = [one for one in person.messages(channel) if one["ts"] not in before and TITLE in shown(one)]
        return dict(newest[-1]) if newest else None

    return dict(await env.person(user).wait_for(look))


@pytest.mark.parametrize(
    ("verb", "says", "leads"),
    [
        ("pause", "On `acc`, `infa`, `schedule off` pauses schedules.", "help schedule off"),
        ("schedule off", "On `itn`, `pause` pauses jobs. On `res`, `pause` pauses agents.", "help pause"),
    ],
)
async def test_help_for_a_pause_says_what_pauses_on_the_other_control_planes(
    tmp_path: Path, verb: str, says: str, leads: str
) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, only=PLANES) as env:
        answer = await env.does(f"help {verb}", f"help {verb}", says)
        assert labels(answer) == [leads]


async def test_help_is_five_real_commands_and_more(demo: World) -> None:
    """Each names a target that exists. None is dangerous, and what changes something at once asks before it runs."""
    card = await helped(demo)
    *commands, more = labels(card)
    assert more == "More"
    assert len(commands) == 5
    assert commands[0].startswith("start ")
    assert len({command.partition(" ")[0] for command in commands}) == 5
    assert len(_blocks(card)) < 1_000
    buttons = [one for block in card["blocks"] if block["type"] == "actions" for one in block["elements"]]
    confirmed = [one["text"]["text"] for one in buttons if "confirm" in one]
    assert commands[0] in confirmed
    assert not any(text.startswith(("status", "logs", "history")) for text in confirmed)


async def test_a_command_of_help_runs_when_it_is_pressed(demo: World) -> None:
    card = await helped(demo)
    status = next(label for label in labels(card) if label.startswith("status "))
    await demo.ana.press_label("C0CRAWL", card["ts"], status, seen=card)
    await demo.until(lambda: "done" in demo.events("status"))


async def test_examples_name_a_run_by_its_target_and_not_by_an_id(demo: World) -> None:
    for words, example in (
        ("help retry", "retry acc:shop/prices@failed"),
        ("help itn", "retry itn:cluster_1/my-tofu-service@failed"),
    ):
        answer = await demo.does(words, words.partition(" ")[2], example)
        assert "itn:job/" not in shown(answer), words


async def test_every_command_of_the_first_help_works(tmp_path: Path) -> None:
    """In a workspace where nothing was done yet."""
    async with world(tmp_path, only=PLANES, agents=True, speed=60.0) as new:
        await new.bot.ctx.listings.refresh()
        card = await helped(new)
        *commands, _ = labels(card)
        assert len(commands) == 5
        for command in commands:
            verb = command.partition(" acc:")[0]
            await new.ana.press_label("C0CRAWL", card["ts"], command, seen=card)
            await new.until(lambda verb=verb: {"done", "failed", "denied"} & set(new.events(verb)))
            assert "done" in new.events(verb), command


async def test_retry_is_offered_once_a_run_has_failed(tmp_path: Path) -> None:
    """Before that, nobody knows of a failed run."""
    async with world(tmp_path, agents=True, speed=60.0) as new:
        assert not any(command.startswith("retry") for command in labels(await helped(new)))
        await new.does("start acc:labs/broken", "start acc:labs/broken", "Failed")
        await new.until(lambda: "failed" in [entry.code for entry in new.audit(event="ended")])
        assert "retry acc:labs/broken@failed" in labels(await helped(new))


async def test_what_the_channel_uses_comes_first(demo: World) -> None:
    for _ in range(3):
        await do(demo, "history acc:news/feed", user="U0RUI")
    assert labels(await helped(demo))[0] == "history acc:news/feed"


async def test_a_person_without_the_right_gets_other_commands(demo: World) -> None:
    """Lee is not in the crawl team: he reads, and asks approvers."""
    commands = labels(await helped(demo, "U0LEE"))[:-1]
    assert commands
    assert not any(command.startswith("start") for command in commands)


async def test_a_guest_is_told_that_there_is_nothing(demo: World) -> None:
    card = await helped(demo, "U0GUEST")
    assert labels(card) == []
    assert "/ops whoami" in shown(card)


async def test_more_leaves_nothing_out(demo: World) -> None:
    """It names every verb that this person may use; each control plane's page has every command with its example."""
    channel = "C0INC"  # everyone may do everything there
    card = await helped(demo, channel=channel)
    await demo.ana.press_label(channel, card["ts"], "More", seen=card)
    overview = _blocks(await private(demo, "Everything you can do here", channel=channel))
    assert "Not shown" not in overview
    assert len(overview) < 6_500
    for name in PLANES:
        rows = demo.bot.ctx.catalog.backends[name].capabilities
        assert all(f"`{row.verb}`" in overview for row in rows)
        page = _blocks(await demo.does(f"help {name}", f"What you can do here on {name} (", channel=channel))
        assert all(row.help.split(":", maxsplit=1)[0] in page for row in rows)
        assert "Not shown" not in page
        assert "characters)" not in page


async def test_the_help_of_a_verb_shows_types_defaults_and_ranges(demo: World) -> None:
    text = shown(await demo.does("help history", "help history", "`count=`"))
    assert "1 to 100 (default 10)" in text


async def test_help_says_that_a_restart_stops_a_run_in_progress(demo: World) -> None:
    await demo.does("help restart", "in progress is stopped first")


@pytest.mark.parametrize("typed", ["help start please now", "help acc start", "help all of it"])
async def test_words_that_help_does_not_take_are_refused_with_what_to_type(demo: World, typed: str) -> None:
    await demo.does(typed, "/ops help all")


async def test_help_with_a_sentence_offers_the_command_that_is_meant(demo: World) -> None:
    card = await demo.does("help me start the prices agent", "`me start the prices agent` is not a verb or a backend")
    assert labels(card)[0] == "start acc:shop/prices"


async def test_help_for_a_control_plane_on_which_nothing_is_allowed_says_so(tmp_path: Path) -> None:
    """A member learns no command, only where the reason is found. A guest reads the same as for a name that doesn't exist."""
    async with world(tmp_path, policy=OPEN_POLICY.replace('targets = ["*"]', 'targets = ["pre:*"]')) as env:
        await env.does("help acc:", "lets you do anything there", "/ops whoami")
        answers = []
        for name in ("acc", "nowhere"):
            answer = await env.does(f"help {name}", f"`{name}` is not a verb or a backend", user="U0GUEST")
            answers.append((shown(answer).replace(name, "NAME"), labels(answer)))
        assert answers[0] == answers[1]
