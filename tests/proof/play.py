"""Steps of a history, done to the model and to the program alike, and what is then compared."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.core.intent import Intent
from bot.store.sqlite.database import SqliteDatabase
from tests.proof import model
from tests.proof.harness import Program, read_policy
from tests.proof.memory import Gate
from tests.proof.model import Cut, Is, Now, State, Told
from tests.proof.outside import ELSEWHERE, GROUP, LIFE, START, Account, Outside
from tests.proof.rules_file import policy_text

TICK: Final = LIFE / model.LIFE
ENDED: Final = frozenset({Now.REFUSED, Now.DONE, Now.UNKNOWN, Now.REJECTED, Now.CANCELLED, Now.EXPIRED, Now.VOID})
_ACCOUNTS: Final = {
    Is.MEMBER: Account(),
    Is.GUEST: Account(flags=("is_restricted",)),
    Is.EXTERNAL: Account(team=ELSEWHERE),
    Is.GONE: Account(flags=("deleted",)),
    Is.UNREADABLE: Account(known=False),
}
_SAID: Final = (
    (r"^Your vote counts\.", Told.COUNTED),
    (r"^Your vote counts, but it did not run: it expired", Told.OVER),
    (r"^Your vote counts, but it did not run: ", Told.CHANGED),
    (r"^Your approval already counts", Told.TWICE),
    (
        r"^You can't decide your own request|^You can't decide this|^Only the requester can|^You may not cancel",
        Told.NO_RIGHT,
    ),
    (r"^Too late|^This request expired|^This button was used|was already decided", Told.OVER),
    (r"^Nothing was done: I answered too late|^Slack delivered this press late", Told.OVER),
    (r"^Not counted: |^Something changed, so the card was updated|^Nothing was done: ", Told.CHANGED),
    (r"has claimed it|^You have claimed", Told.CLAIMED),
    (r"^Denied: ", Told.NO_RIGHT),
)


@dataclass(frozen=True, slots=True)
class Step:
    """`what` is one of the model's steps; `who` acts or is acted upon; `more` is what changes, hashable."""

    what: str
    who: str = ""
    more: Any = None

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.what, self.who, self.more) if part not in ("", None))


class DifferenceError(AssertionError):
    """The program did something else than the model."""


def outside_of(state: State) -> Outside:
    """The world in which that state begins."""
    made = Outside(people={}, groups={}, policy="")
    agree(made, state)
    return made


def agree(outside: Outside, state: State) -> None:
    """Make the world outside what the model says of it."""
    outside.people = {who: _ACCOUNTS[status] for who, status in state.statuses}
    outside.groups = {GROUP: None if state.group is None else tuple(sorted(state.group))}
    outside.policy = policy_text(state.policy, state.aliases)
    outside.lamp_state = f"seen {state.target} times"
    outside.now = START + state.clock * TICK


class Play:
    """A history under way: `state` is the model's, `team` the program's; `trail` tells it."""

    def __init__(self, state: State, database: SqliteDatabase | None = None) -> None:
        self.state = state
        self.team = Program(outside_of(state), database)
        self.request_id = ""
        self.shown: dict[str, str] = {}
        self.first: dict[str, str] = {}
        self.trail: list[Step] = []

    def mark(self) -> tuple[Any, ...]:
        """How everything is now, to come back to with `back`."""
        self.team.memory.mark()
        outside = self.team.outside.copy()
        return self.state, outside, self.request_id, dict(self.shown), dict(self.first), list(self.trail)

    def back(self, mark: tuple[Any, ...]) -> None:
        """As it was at the mark, with a process that has just started."""
        self.team.memory.back()
        self.state, self.team.outside, self.request_id, self.shown, self.first, self.trail = mark
        self.team.boot()

    async def step(self, step: Step, *, dies_after: int | None = None) -> Gate:
        """Do it to both and compare. With `dies_after` the process dies after so many durable things and starts again."""
        self.trail.append(step if dies_after is None else replace(step, what=f"{step.what}, dead after {dies_after}:"))
        expected, told = self.expected(step, self.state)
        if dies_after is None:
            intent = await self.begin(step)
            self.note()
            found = self._told(intent, step) if intent is not None else Told.NOTHING
            self.state = expected
            self.compare(told, found)
            return self.team.gate
        gate = Gate(dies_after)
        self.team.boot(gate)
        before = self.state
        await self.begin(step)
        await self.team.restart()
        self.team.outside.forms.clear()
        self.note()
        if gate.dead:
            self._after_death(step, before, expected)
        else:
            self.state = model.restart(expected)[0]
            self.compare()
        return gate

    def expected(self, step: Step, state: State) -> model.Answer:
        """What the model says to this step."""
        who = step.who
        if step.what == "request":
            return model.request(state)
        if step.what in ("approve", "old approve", "deny", "claim", "cancel"):
            if self.plain(step).what == "old approve":
                return state, Told.NO_RIGHT if model.outside(state, who, state.first_asked) else Told.OVER
            act: Callable[[State, str], model.Answer] = getattr(model, step.what.removeprefix("old "))
            return act(state, who)
        if step.what == "wait":
            return model.wait(state, step.more)
        if step.what == "crash":
            return model.restart(state)
        if step.what == "policy":
            return model.edit(state, lambda policy: _edited(policy, step))
        if step.what == "group":
            return model.regroup(state, step.more)
        if step.what == "become":
            return model.become(state, who, step.more)
        assert step.what == "drift", step
        return model.drift(state)

    def plain(self, step: Step) -> Step:
        """The same step; an old approval is an ordinary one as long as its button is the one that is shown."""
        same = step.what == "old approve" and self.shown.get("approve") == self.first.get("approve")
        return replace(step, what="approve") if same else step

    async def begin(self, step: Step) -> Intent | None:
        """Do it to the program; the request that answers it, None for what nobody asked for."""
        team = self.team
        if step.what == "request":
            intent = await team.asks(step.who)
            self.request_id = intent.request_id
            return intent
        if step.what in ("approve", "claim", "old approve"):
            buttons = self.first if step.what == "old approve" else self.shown
            action = step.what.removeprefix("old ")
            return await team.presses(step.who, buttons[action], f"approval:{self.request_id}", action)
        if step.what == "deny":
            opened = await self._open_form(step)
            if step.who in team.outside.forms and not team.gate.dead:
                return await team.submits(step.who, "not today")
            return opened
        if step.what == "cancel":
            return await team.presses(step.who, self.shown["cancel"], f"op:{self.request_id}", "cancel")
        if step.what == "crash":
            await team.restart()
        else:
            await self.team.gate.enter()
            agree(team.outside, self.expected(step, self.state)[0])
            if step.what == "wait":
                await team.beats()
        return None

    async def _open_form(self, step: Step) -> Intent | None:
        """Press Deny, unless its modal is open already."""
        if step.who in self.team.outside.forms:
            return None
        return await self.team.presses(step.who, self.shown["deny"], f"approval:{self.request_id}", "deny")

    async def opened(self, steps: Sequence[Step]) -> State:
        """Open the modals of what is denied, so that only their sending is left; the state, which stays as it is."""
        for step in steps:
            if step.what == "deny":
                await self._open_form(step)
        return self.state

    async def voted_and_died(self, who: str) -> None:
        """The process dies when the deciding vote is on the disk and nothing was sent."""
        for after in range(1, 20):
            mark = self.mark()
            self.team.boot(Gate(after))
            await self.team.presses(who, self.shown["approve"], f"approval:{self.request_id}")
            await self.team.tasks.close(0)
            if self.stands() is Now.APPROVED:
                self.team.boot()
                return
            self.back(mark)
        raise AssertionError("no death lies between the vote and the call")

    def seen(self, steps: Sequence[Step], intents: Sequence[Intent | None]) -> tuple[Any, ...]:
        """What came of these steps, in the form in which the model's outcomes are compared with it."""
        told = [
            self._told(intent, step) if intent is not None else Told.NOTHING
            for step, intent in zip(steps, intents, strict=True)
        ]
        stands = self.stands()
        self._check_words(stands)
        votes = self.votes() if stands is Now.OPEN else frozenset()
        return (stands, len(self.team.outside.calls), votes, *told)

    def _check_words(self, stands: Now) -> None:
        """Nobody is told that it runs unless it does, and one person claims a question."""
        for pending in self._all_pending():
            if stands not in (Now.DONE, Now.UNKNOWN) and self.team.card(f"told:{pending['id']}:approved") is not None:
                raise DifferenceError(f"{self.told()}: the requester was told that it runs, and it is {stands}")
            sql = "SELECT seq FROM audit WHERE approval_id = ? AND event = 'claimed'"
            if len(self.team.rows(sql, pending["id"])) > 1:
                raise DifferenceError(f"{self.told()}: claimed twice")

    def note(self) -> None:
        """Which buttons there are to press: those that are shown, or were shown last."""
        for key in (f"approval:{self.request_id}", f"op:{self.request_id}"):
            card = self.team.card(key)
            for button in card.buttons if card is not None else ():
                self.shown[button.action] = button.id
                self.first.setdefault(button.action, button.id)

    def _told(self, intent: Intent, step: Step) -> Told:
        card = self.team.card(f"say:{intent.request_id}")
        if card is not None:
            for pattern, told in _SAID:
                if re.search(pattern, card.title):
                    gap = any(fact.value == "no_approvers" for fact in card.details)
                    return Told.GAP if gap else told
            raise DifferenceError(f"{self.told()}: an answer that nobody foresaw: {card.title!r}")
        stands = self.stands()
        if stands is Now.OPEN and step.what == "request":
            return Told.ASKED
        if step.what == "claim":
            return Told.CLAIMED
        renewed = stands is Now.OPEN and self.rounds() > 1
        if stands is Now.VOID or renewed:
            return Told.CHANGED
        return {Now.DONE: Told.RAN, Now.REJECTED: Told.REJECTED, Now.CANCELLED: Told.CANCELLED}.get(
            stands, Told.NOTHING
        )

    def rounds(self) -> int:
        """How often it was asked."""
        return len(self._all_pending())

    def _all_pending(self) -> list[dict[str, Any]]:
        sql = "SELECT * FROM pending_decisions WHERE request_id = ? AND kind = 'approval' ORDER BY rowid DESC"
        return self.team.rows(sql, self.request_id)

    def stands(self) -> Now:
        """Where the request stands in the store."""
        pending_decisions = self._all_pending()
        rows = self.team.rows("SELECT event, code FROM audit WHERE request_id = ? ORDER BY seq", self.request_id)
        events = [(row["event"], row["code"]) for row in rows]
        if not pending_decisions:
            return Now.REFUSED if any(event == "denied" for event, _ in events) else Now.NONE
        state = pending_decisions[0]["state"]
        if state == "taken":
            for event, now in (("done", Now.DONE), ("unknown", Now.UNKNOWN)):
                if any(found == event for found, _ in events):
                    return now
            raise DifferenceError(f"{self.told()}: sent, and no outcome: {events}")
        if state == "cancelled":
            if ("expired", "expired") in events:
                return Now.EXPIRED
            return Now.VOID if ("abandoned", "void") in events else Now.CANCELLED
        return Now(state)

    def votes(self) -> frozenset[str]:
        """Who agreed, as people, to the newest question."""
        pending_decisions = self._all_pending()
        sql = "SELECT person FROM votes WHERE pending_id = ? AND vote = 'approve'"
        return (
            frozenset(row["person"] for row in self.team.rows(sql, pending_decisions[0]["id"]))
            if pending_decisions
            else frozenset()
        )

    def told(self) -> str:
        """The history so far."""
        return " > ".join(str(step) for step in self.trail)

    def compare(self, told: Told | None = None, found: Told | None = None) -> None:
        """Raise when the program and the model say different things."""
        state = self.state
        self._same("calls", state.calls, len(self.team.outside.calls))
        self._same("state", state.now, self.stands())
        if told is not None:
            self._same("answer", told, found)
        if state.now is Now.OPEN:
            self._same("votes", state.votes, self.votes())
        self.check_shown()

    def check_shown(self) -> None:
        """Cards agree with the state: an open question can be pressed, an ended one cannot, and its requester was told."""
        if not self.request_id or self.state.now is Now.REFUSED:
            return
        live = self.live_buttons()
        if self.state.now is Now.OPEN:
            claims = "release" if self.state.claim else "claim"
            allows = {"allow"} if self.state.asked_count == 1 else set()
            self._same("buttons", {"approve", "deny", claims, "cancel", *allows}, live)
            return
        if self.state.now not in ENDED:
            return
        self._same("buttons", set(), live)
        sql = "SELECT state FROM requests WHERE request_id = ?"
        self._same("request", "ended", self.team.rows(sql, self.request_id)[0]["state"])
        mine = self.team.card(f"op:{self.request_id}")
        if mine is None or "Waiting" in mine.status or "Working" in mine.status:
            raise DifferenceError(f"{self.told()}: the requester's card says {mine.status if mine else 'nothing'}")

    def live_buttons(self) -> set[str]:
        """Actions of this request's buttons that count now."""
        sql = "SELECT payload FROM buttons WHERE retired_at IS NULL AND message_key IN (?, ?)"
        keys = (f"approval:{self.request_id}", f"op:{self.request_id}")
        payloads = [json.loads(row["payload"]) for row in self.team.rows(sql, *keys)]
        return {str(payload.get("choice")) for payload in payloads if payload.get("tag") == "pending1"}

    def _same(self, what: str, expected: object, found: object) -> None:
        if expected != found:
            raise DifferenceError(f"{self.told()}: {what}: the model says {expected}, the program {found}")

    def _after_death(self, step: Step, before: State, expected: State) -> None:
        """After a death and a start the step happened, or it did not; or a call was cut and nobody knows."""
        possible = [expected, model.restart(before)[0]]
        if step.what in ("approve", "old approve"):
            possible += [model.restart(model.approve(before, step.who, cut)[0])[0] for cut in Cut]
        calls, stands = len(self.team.outside.calls), self.stands()
        for state in possible:
            votes = state.votes if state.now is Now.OPEN else self.votes()
            if (state.calls, state.now, votes) == (calls, stands, self.votes()):
                self.state = state
                self.check_shown()
                return
        known = sorted({(str(state.now), state.calls) for state in possible})
        raise DifferenceError(f"{self.told()}: the model allows {known}, the program says {stands}, {calls} calls")

    def print_of(self) -> str:
        """A fingerprint of everything that the future can depend on: the model, the store without its history, the world.

        Ids count by their order, versions and states of the target by whether they are those that were asked about.
        """
        team, state = self.team, self.state
        as_asked = (state.policy.version == state.asked_version, state.target == state.asked_target)
        plain_policy = replace(state.policy, version=0)
        parts: list[Any] = [
            repr(replace(state, policy=plain_policy, target=0, asked_version=0, asked_target=0)),
            as_asked,
            [self._plain(pending) for pending in self._all_pending()],
            team.rows("SELECT pending_id, person, vote FROM votes ORDER BY pending_id, person"),
            team.rows("SELECT request_id, state FROM requests WHERE state <> 'ended' ORDER BY rowid"),
            team.rows("SELECT key, value FROM key_values WHERE key LIKE 'claim:%' ORDER BY key"),
            team.rows(
                "SELECT id, payload, retired_at IS NULL AS live FROM buttons "
                "WHERE message_key LIKE 'approval:%' OR message_key LIKE 'op:%' ORDER BY rowid"
            ),
            sorted(self.shown.items()),
            sorted(self.first.items()),
        ]
        names: dict[str, str] = {}

        def renamed(found: re.Match[str]) -> str:
            return names.setdefault(found.group(), f"#{len(names)}")

        plain = re.sub(r"[rs]-?\d{14,25}", renamed, json.dumps(parts, default=str, sort_keys=True))
        return hashlib.sha256(plain.encode()).hexdigest()

    def _plain(self, pending: dict[str, Any]) -> list[Any]:
        facts = json.loads(pending["record"])
        now = (read_policy(self.team.outside.policy).version, self.team.outside.lamp_state)
        kept = {name: facts[name] for name in ("sort", "count", "groups", "round", "eligible", "buttons", "expires")}
        same = (pending["policy_version"] == now[0], facts["state"] == now[1])
        return [pending["id"], pending["state"], pending["due_at"], pending["remind_at"], same, kept]


def _edited(policy: model.Policy, step: Step) -> model.Policy:
    changes: dict[str, Any] = dict(step.more or ())
    return replace(policy, **changes)


def members(*names: str, **others: Is) -> tuple[tuple[str, Is], ...]:
    """Accounts: full members by name, others with what they are."""
    return (*((name, Is.MEMBER) for name in names), *others.items())
