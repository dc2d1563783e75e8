"""A card never goes back to what was read before a newer state of it was stored: every interleaving of two acts on one card."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from bot.core.card import Card
from bot.core.intent import Form, Place, Source
from tests.proof.harness import Program
from tests.proof.memory import Gate, PlannedTurns, TurnsOfTwo, every_order
from tests.proof.outside import HOME, ROOM, Account, Outside

RULES = """\
version = 1
[[channel]]
id = "C0ROOM"
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["*"]
[administrators]
who = ["U0LEE"]
[breakglass]
who = ["U0ANA"]
"""
ANA, LEE = "U0ANA", "U0LEE"
ID = f"{1:014d}"  # of the first request
Act = Callable[[Program], Coroutine[Any, Any, Any]]


def says(user: str, words: str) -> Act:
    """Type these words."""
    return lambda program: program.says(user, words)


async def reviews(program: Program) -> None:
    """Press Close review and send the form with a note."""
    card = f"breakglass:g-{ID}:{ROOM}"
    posted = await program.store.message(card)
    buttons = Card.model_validate(posted.body).buttons if posted is not None else ()
    button = next((one.id for one in buttons if one.action == "close_review"), "")
    await program.presses(LEE, button, card, "close_review")
    if LEE not in program.outside.forms:
        return
    form, token = program.outside.forms.pop(LEE)
    ask = Form(form=form, token=token, values={"note": "It was right."})
    intent, _ = await program.enter(LEE, ask, Place(team_id=HOME, channel_id=""), source=Source.MODAL)
    await program.ended(intent)


async def expires(program: Program) -> None:
    """Its time is over, and the timer says so."""
    program.outside.now += timedelta(hours=2)
    await program.beats()


OPENS = says(ANA, "breakglass for=30m -- it is dark")
GRANTS = says(LEE, "grant <@U0ANA> start box:lamp for=1h -- covering")
REVOKES = says(ANA, f"revoke g-{ID} -- over")
CASES: dict[str, tuple[tuple[Act, ...], Act, Act]] = {
    "break-glass opened and ended": ((), OPENS, REVOKES),
    "break-glass opened and reviewed": ((), OPENS, reviews),
    "break-glass ended and reviewed": ((OPENS,), REVOKES, reviews),
    "break-glass expired and reviewed": ((OPENS,), expires, reviews),
    "a grant made and revoked": ((), GRANTS, REVOKES),
    "an incident opened and closed": ((), says(ANA, "incident open INC-1 -- dark"), says(LEE, "incident close")),
    "a watch begun and ended": ((), says(ANA, "watch box:lamp"), says(ANA, "unwatch box:lamp")),
}


def stale(program: Program) -> list[str]:
    """What cards offer that is over."""
    rows, found = program.rows, list[str]()

    def offered(key: str) -> set[str]:
        card: Card | None = program.card(key)
        return {one.action for one in card.buttons} if card is not None else set()

    for grant in rows("SELECT * FROM grants"):
        key = f"breakglass:{grant['id']}:{ROOM}" if grant["breakglass"] else f"grant:{grant['id']}"
        over = {"revoke"} if grant["state"] != "open" else set()
        over |= {"close_review"} if grant["reviewed_by"] else set()
        found += [f"{key} offers {one}" for one in offered(key) & over]
        found += [] if grant["state"] != "open" or offered(key) else [f"{key} offers nothing"]
    if not rows("SELECT 1 FROM key_values WHERE key LIKE 'incident:%' AND value <> 'null'"):
        found += [f"incident offers {one}" for one in offered(f"incident:r-{ID}")]
    if not rows("SELECT 1 FROM subscriptions"):
        found += [f"watch offers {one}" for one in offered(f"watch:r-{ID}")]
    return found


@pytest.mark.parametrize("name", CASES)
async def test_a_card_offers_nothing_that_is_over(name: str) -> None:
    """In every order of the turns of the two acts."""
    before, *acts = CASES[name]
    program, found = Program(Outside(people={ANA: Account(), LEE: Account()}, groups={}, policy=RULES)), set[str]()
    for act in before:
        await act(program)
    outside = program.outside

    async def run(first: int, second: int) -> TurnsOfTwo:
        program.memory.mark()
        program.outside = outside.copy()
        turns = PlannedTurns([(0, first), (1, second), (0, None), (1, None)])
        program.boot(Gate(turn=turns))
        await asyncio.gather(*(turns.as_owner(owner, act(program)) for owner, act in enumerate(acts)))
        await program.settle()
        found.update(f"{first}, {second}: {one}" for one in stale(program))
        program.memory.back()
        return turns.turns

    await every_order(run)
    program.close()
    assert not found, "\n".join(sorted(found)[:6])
