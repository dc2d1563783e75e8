from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.card import Card, Tone
from bot.core.outcome import Done, Failed, Phase, Refused, RunView, Unknown
from bot.render.card import render_card
from bot.render.outcome import facts_of, progress_of, status_of, tone_of, with_outcome

from .cards import NOON, PLACE, RUN

ANSWERS = {
    "done": Done(summary="s"),
    "accepted": Done(summary="s", run=RUN),
    "refused": Refused(code="c", summary="s"),
    "failed": Failed(code="c", summary="s"),
    "not sent": Failed(code="c", summary="s", sent=False),
    "unknown": Unknown(code="c", summary="s"),
}


def test_no_two_answers_say_the_same():
    assert len({status_of(answer) for answer in ANSWERS.values()}) == len(ANSWERS)


def test_refused_failed_and_unknown_look_different():
    tones = [tone_of(ANSWERS[name]) for name in ("done", "refused", "failed", "unknown")]
    assert tones == [Tone.GOOD, Tone.WARN, Tone.BAD, Tone.UNSURE]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("refused", "nothing happened"),
        ("failed", "did not work"),
        ("not sent", "nothing happened"),
        ("unknown", "may or may not have happened; it was not sent again"),
    ],
)
def test_an_answer_says_whether_anything_happened(name, says):
    card = with_outcome(Card(key="k", place=PLACE, title="t"), ANSWERS[name])
    assert says in render_card(card).blocks[0]["text"]["text"]


@pytest.mark.parametrize("phase", Phase)
def test_a_run_lends_its_phase_to_its_card(phase):
    done = Done(summary="s", run=RUN, view=RunView(state="X", phase=phase))
    assert tone_of(done) == tone_of(phase)
    assert status_of(done) == status_of(phase)
    assert status_of(phase)


def test_a_run_tells_how_long_it_took_or_runs():
    going = RunView(state="R", phase=Phase.ACTIVE, started=NOON)
    over = RunView(state="C", phase=Phase.SUCCEEDED, started=NOON, ended=NOON + timedelta(hours=2))
    assert facts_of(going, NOON + timedelta(minutes=5))[-1].value == timedelta(minutes=5)
    assert facts_of(over)[-1].value == timedelta(hours=2)
    assert [fact.label for fact in facts_of(going)] == ["State", "Started"]


def test_progress_is_there_when_the_vendor_counts():
    assert progress_of(RunView(state="R", phase=Phase.ACTIVE)) is None
    assert progress_of(RunView(state="R", phase=Phase.ACTIVE, done=3)) == (3, 0)
    assert progress_of(RunView(state="R", phase=Phase.ACTIVE, done=3, total=4)) == (3, 4)
