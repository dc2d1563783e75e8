"""For each kind of message and each class of refusal, somebody who needs to know gets to know."""

from __future__ import annotations

from typing import Any, Final

import pytest

from bot.core.card import Card, Delivery, HomeView, Line, Question
from bot.core.intent import Place
from bot.core.outcome import FileOut
from bot.slack.errors import REMEDIES, Remedy
from tests.slack.sender_world import HERE, SenderWorld, card
from tests.world import shown

CLASSES: Final[dict[Remedy, dict[str, Any]]] = {
    Remedy.RETRY: {"status": 503},
    Remedy.WAIT: {"error": "message_limit_exceeded"},
    Remedy.UNTHREAD: {"error": "restricted_action_thread_locked"},
    Remedy.ANEW: {"error": "edit_window_closed"},
    Remedy.PLAIN: {"error": "invalid_blocks"},
    Remedy.REFUSED: {"error": "no_permission"},
    Remedy.UNKNOWN: {"error": "some_error_of_the_future"},
}
METHODS: Final = {
    "card": "chat.postMessage",
    "update": "chat.update",
    "approval": "chat.postMessage",
    "private": "chat.postEphemeral",
    "file": "files.completeUploadExternal",
    "home": "views.publish",
    "step": "functions.completeSuccess",
}


async def send(world: SenderWorld, kind: str, mark: str) -> None:
    """A message of that kind whose outcome is `mark`. It waits in the outbox."""
    if kind == "approval":
        asked = Question(asked_by="U0ANA", asked_in=HERE, deciders=("U0LEE",))
        place = Place(team_id="T0ACME", channel_id="C0APPR")
        await world.sender.show(Card(key=mark, place=place, title=mark, question=asked, mention=("U0ANA", "U0LEE")))
    elif kind == "file":
        path = world.path / f"{mark}.log"
        path.write_bytes(b"line\n")
        file = FileOut(path=str(path), name=f"{mark}.log", title=mark, size=5, sha256="0" * 64)
        await world.sender.deliver(Delivery(key=mark, place=HERE, under="op:0", files=(file,)))
    elif kind == "home":
        section = Card(key="s", place=Place(team_id="T0ACME", channel_id=""), title=mark, lines=(Line(text=mark),))
        await world.sender.home(HomeView(user_id="U0ANA", sections=(section,)))
    elif kind == "step":
        await world.sender.step(mark, ok=True, text=mark)
    else:
        await world.sender.show(card(mark, key=f"op:{mark}", **({"only_for": "U0ANA"} if kind == "private" else {})))


def told(world: SenderWorld, kind: str, mark: str) -> bool:
    """Whether the message, or another one about it, reached the person who needs it."""
    places = (("C0CRAWL", "U0ANA"), ("D0ANA", "U0ANA"), ("D0LEE", "U0LEE"), ("C0SEC", "U0LEE"))
    texts = [shown(message) for channel, user in places for message in world.seen(channel, user)]
    if kind == "home":
        return any("I can't show your Home tab" in text for text in texts)
    return any(mark in text for text in texts)


@pytest.mark.parametrize("kind", METHODS)
async def test_whoever_needs_a_message_gets_to_know_whatever_slack_answers(world: SenderWorld, kind: str) -> None:
    """For good, in this channel and with this method: within a quarter of an hour, by another way."""
    await world.sender.show(card("Succeeded", key="op:0"))
    await world.settle(1)
    for remedy, fault in CLASSES.items():
        mark = f"outcome-{remedy}"
        if kind == "update":
            await world.sender.show(card("Working on it", key=f"op:{mark}"))
            await world.settle(1)
        channel = {"card": "C0CRAWL", "update": "C0CRAWL", "approval": "C0APPR"}.get(kind)
        world.ws.faults.fail(METHODS[kind], channel=channel, **fault)
        await send(world, kind, mark)
        for _ in range(30):
            if told(world, kind, mark):
                break
            await world.settle(30)
        assert told(world, kind, mark), (kind, remedy)
        world.ws.faults.clear()
        await world.settle(400)


def test_each_class_has_an_example() -> None:
    """`over` needs nobody, and `fatal` stops the program."""
    assert set(CLASSES) == set(Remedy) - {Remedy.OVER, Remedy.FATAL}
    for remedy, fault in CLASSES.items():
        if "error" in fault and remedy is not Remedy.UNKNOWN:
            assert REMEDIES[fault["error"]] is remedy
