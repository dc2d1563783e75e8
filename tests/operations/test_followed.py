"""Every run that is followed counts once, whatever the number of requests that follow it."""

from __future__ import annotations

from datetime import timedelta

from bot.core.operation import Target
from bot.core.records import Watch, stamp
from bot.operations.followed import each_run
from tests.slack.support import NOON


def following(verb: str, seconds: int) -> Watch:
    """What follows a start or a stop of one service, sent at this second."""
    id_ = "agent/service"
    run = Target(backend="box", kind="service", id=id_, name=id_, parent=id_, group=f"agent@{verb}|{seconds}")
    at = stamp(NOON + timedelta(seconds=seconds))
    return Watch(
        id=f"w-{seconds}",
        request_id=f"r-{seconds}",
        backend="box",
        group_key=run.group,
        target=run,
        user_id=f"U0{verb.upper()}",
        due_at=at,
        made_at=at,
        verb=verb,
    )


def test_a_service_that_is_stopped_while_it_starts_counts_once_as_being_stopped() -> None:
    start, stop = following("start", 1), following("stop", 2)
    assert each_run([stop, start]) == [(start, stop)]


def test_a_service_that_is_started_while_it_stops_counts_once_as_started() -> None:
    start = following("start", 2)
    assert each_run([following("stop", 1), start]) == [(start, None)]


def test_two_stops_of_a_service_count_once_by_the_first_and_say_the_last() -> None:
    first, last = following("stop", 1), following("stop", 2)
    assert each_run([last, first]) == [(first, last)]


def test_a_run_is_listed_by_its_own_requests_and_is_being_stopped_by_any() -> None:
    """As where only the person who started it looks."""
    start, stop = following("start", 1), following("stop", 2)
    assert each_run([start, stop], lambda one: one.user_id == "U0START") == [(start, stop)]
    assert each_run([start, stop], lambda one: one.user_id == "U0STOP") == [(stop, stop)]
    assert each_run([start, stop], lambda one: one.user_id == "U0LEE") == []
