"""Moments: the last millisecond, and the nights in which the clocks are set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.proof.harness import Program
from tests.proof.model import Now
from tests.proof.outside import LIFE, START, Account, Outside
from tests.proof.play import Play, Step
from tests.proof.test_interleavings import ANA, LEE, three

ROOT = "U0ROOT"
MILLISECOND = timedelta(milliseconds=1)
AROUND = (-MILLISECOND, timedelta(), MILLISECOND)
RULES = """\
version = 1
[groups]
deciders = ["U0LEE"]
[[channel]]
id = "C0ROOM"
  [[channel.allow]]
  verbs = ["start", "pause", "resume"]
  targets = ["box:*"]
  who = ["U0ROOT"]
  [[channel.allow]]
  verbs = ["start"]
  targets = ["box:*"]
  who = ["U0RUI"]
  approvals = { count = 1, from = ["deciders"], expires = "1h", in = "C0APPR" }
[administrators]
who = ["U0ROOT"]
"""
FREEZE = """\
[[freeze]]
from = {begins}
until = {ends}
verbs = ["start"]
because = "night of the clocks"
"""
# Berlin: at 01:00 UTC the clocks go from 02:00 to 03:00 in March, and from 03:00 back to 02:00 in October.
SPRING = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)


@pytest.fixture
async def asked() -> AsyncIterator[Play]:
    """Ana asked; one of Lee and Rui decides, within ten minutes."""
    play = Play(three(1))
    await play.step(Step("request", ANA))
    yield play
    play.team.close()


@pytest.fixture
async def night() -> AsyncIterator[Program]:
    """A program with people, whose clock each test sets."""
    people = {user: Account() for user in (ANA, LEE, "U0RUI", ROOT)}
    team = Program(Outside(people=people, groups={}, policy=RULES))
    yield team
    team.close()


def events(team: Program, request_id: str) -> list[str]:
    """What the audit log has of a request."""
    sql = "SELECT event FROM audit WHERE request_id = ? ORDER BY seq"
    return [str(row["event"]) for row in team.rows(sql, request_id)]


@pytest.mark.parametrize(
    ("moment", "expected"), [(-MILLISECOND, Now.DONE), (timedelta(), Now.EXPIRED), (MILLISECOND, Now.EXPIRED)]
)
async def test_a_press_a_millisecond_before_the_end_counts_and_one_at_it_does_not(
    asked: Play, moment: timedelta, expected: Now
) -> None:
    """-1, 0 and +1 ms; afterwards the timers look."""
    asked.team.outside.now = START + LIFE + moment
    await asked.team.presses(LEE, asked.shown["approve"], f"approval:{asked.request_id}")
    await asked.team.beats()
    assert asked.stands() is expected
    assert len(asked.team.outside.calls) == (expected is Now.DONE)


@pytest.mark.parametrize(
    ("moment", "expected"), [(-MILLISECOND, Now.OPEN), (timedelta(), Now.EXPIRED), (MILLISECOND, Now.EXPIRED)]
)
async def test_time_ends_it_at_its_very_instant(asked: Play, moment: timedelta, expected: Now) -> None:
    """-1, 0 and +1 ms: what the timers make of it, what a restart makes of it."""
    asked.team.outside.now = START + LIFE + moment
    mark = asked.mark()
    await asked.team.beats()
    assert asked.stands() is expected
    asked.back(mark)
    await asked.team.restart()
    assert asked.stands() is expected


@pytest.mark.parametrize(("moment", "calls"), [(-MILLISECOND, 1), (timedelta(), 0), (MILLISECOND, 0)])
async def test_what_was_approved_is_sent_in_its_time_and_not_after(asked: Play, moment: timedelta, calls: int) -> None:
    """The vote was in time, the process died, and comes back -1, 0 or +1 ms from the end."""
    await asked.voted_and_died(LEE)
    asked.team.outside.now = START + LIFE + moment
    await asked.team.restart()
    assert len(asked.team.outside.calls) == calls


@pytest.mark.parametrize("what", ["deny", "cancel"])
@pytest.mark.parametrize(("moment", "in_time"), [(-MILLISECOND, True), (timedelta(), False), (MILLISECOND, False)])
async def test_deny_and_cancel_know_the_same_instant(asked: Play, what: str, moment: timedelta, in_time: bool) -> None:
    """A denial whose modal was opened in time and sent too late is too late."""
    if what == "deny":
        await asked.opened((Step("deny", LEE),))
    asked.team.outside.now = START + LIFE + moment
    await asked.begin(Step(what, LEE if what == "deny" else ANA))
    await asked.team.beats()
    ended = Now.REJECTED if what == "deny" else Now.CANCELLED
    assert asked.stands() is (ended if in_time else Now.EXPIRED)


@pytest.mark.parametrize("change", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("moment", AROUND)
async def test_an_approval_lasts_its_hour_over_a_change_of_the_clocks(
    night: Program, change: datetime, moment: timedelta
) -> None:
    """Asked half an hour before the change, it ends an hour of real time later, to the millisecond."""
    night.outside.now = change - timedelta(minutes=30)
    intent = await night.asks("U0RUI")
    night.outside.now = change + timedelta(minutes=30) + moment
    await night.beats()
    assert ("expired" in events(night, intent.request_id)) is (moment >= timedelta())


@pytest.mark.parametrize("change", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("moment", AROUND)
async def test_a_grant_lasts_its_two_hours_over_a_change_of_the_clocks(
    night: Program, change: datetime, moment: timedelta
) -> None:
    """Given an hour before the change for two hours: good until an hour of real time after it, whatever the clocks show."""
    night.outside.now = change - timedelta(hours=1)
    await night.says(ROOT, f"grant <@{ANA}> start box:* for=2h -- the night shift")
    night.outside.now = change + timedelta(hours=1) + moment
    intent = await night.asks(ANA)
    assert ("done" in events(night, intent.request_id)) is (moment < timedelta())
    await night.beats()
    (grant,) = night.rows("SELECT state FROM grants")
    assert grant["state"] == ("open" if moment < timedelta() else "expired")


@pytest.mark.parametrize(
    ("now", "words", "back"),
    [
        (SPRING - timedelta(hours=3), "until=03:30", SPRING + timedelta(minutes=30)),
        (SPRING - timedelta(hours=3), "until=07:00", SPRING + timedelta(hours=4)),
        (AUTUMN - timedelta(hours=3), "until=03:30", AUTUMN + timedelta(hours=1, minutes=30)),
        (AUTUMN - timedelta(hours=3), "until=07:00", AUTUMN + timedelta(hours=5)),
        (AUTUMN - timedelta(hours=3), "until=2026-10-25T02:30:00+02:00", AUTUMN - timedelta(minutes=30)),
        (AUTUMN - timedelta(hours=3), "until=2026-10-25T02:30:00+01:00", AUTUMN + timedelta(minutes=30)),
        (SPRING - timedelta(hours=1), "for=2h", SPRING + timedelta(hours=1)),
        (AUTUMN - timedelta(hours=1), "for=2h", AUTUMN + timedelta(hours=1)),
    ],
)
@pytest.mark.parametrize("moment", AROUND)
async def test_a_pause_ends_at_the_instant_that_was_meant(
    night: Program, now: datetime, words: str, back: datetime, moment: timedelta
) -> None:
    """By the wall clock of Berlin or by its length, over the change in spring and in autumn, to the millisecond."""
    night.outside.now = now
    await night.says(ROOT, f"pause box:lamp {words}")
    night.outside.now = back + moment
    await night.beats()
    assert night.outside.calls == (["pause"] if moment < timedelta() else ["pause", "resume"])


@pytest.mark.parametrize(
    ("now", "word"), [(SPRING - timedelta(hours=3), "02:30"), (AUTUMN - timedelta(hours=3), "02:30")]
)
async def test_a_time_that_the_night_skips_or_has_twice_is_asked_back(night: Program, now: datetime, word: str) -> None:
    """Nothing is sent on a guess."""
    night.outside.now = now
    intent = await night.says(ROOT, f"pause box:lamp until={word}")
    assert not night.outside.calls
    card = night.card(f"say:{intent.request_id}")
    assert card is not None
    assert any(part in card.status for part in ("does not exist", "ambiguous"))


@pytest.mark.parametrize(
    ("begins", "ends", "first", "last"),
    [
        (
            "2026-03-29T01:30:00+01:00",
            "2026-03-29T03:30:00+02:00",
            SPRING - timedelta(minutes=30),
            SPRING + timedelta(minutes=30),
        ),
        (
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:30:00+01:00",
            AUTUMN - timedelta(minutes=30),
            AUTUMN + timedelta(minutes=30),
        ),
        ("2026-10-25T02:59:59+02:00", "2026-10-25T02:00:00+01:00", AUTUMN - timedelta(seconds=1), AUTUMN),
    ],
    ids=["spring", "autumn", "the second in which the clocks go back"],
)
async def test_a_freeze_holds_from_its_first_instant_to_before_its_last(
    night: Program, begins: str, ends: str, first: datetime, last: datetime
) -> None:
    """Its ends are written with their offsets; the same time of day with two offsets is an hour."""
    night.outside.policy = RULES + FREEZE.format(begins=begins, ends=ends)
    for moment, frozen in (
        (first - MILLISECOND, False),
        (first, True),
        (first + MILLISECOND, True),
        (last - MILLISECOND, True),
        (last, False),
        (last + MILLISECOND, False),
    ):
        night.outside.now = moment
        intent = await night.asks(ROOT)
        assert ("denied" in events(night, intent.request_id)) is frozen, moment


async def test_a_freeze_that_began_after_the_vote_stops_the_call(night: Program) -> None:
    """Approved a millisecond before it, at the call a millisecond later: void."""
    begins, ends = SPRING, SPRING + timedelta(hours=1)
    night.outside.policy = RULES + FREEZE.format(begins=begins.isoformat(), ends=ends.isoformat())
    night.outside.now = begins - MILLISECOND
    intent = await night.asks("U0RUI")
    card = night.card(f"approval:{intent.request_id}")
    assert card is not None
    night.outside.now = begins
    await night.presses(LEE, card.buttons[0].id, card.key)
    assert not night.outside.calls
    assert "abandoned" in events(night, intent.request_id)
