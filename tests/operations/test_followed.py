"""Every run that is followed counts once, whatever the number of requests that follow it."""

from __future__ import annotations

from datetime import timedelta

from bot.core.operation import Target
from bot.core.records import Watch, stamp
from bot.operations.followed import STOPPING, each_run
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
    found = each_run([following("stop", 2), following("start", 1)])
    assert [(one.user_id, one.state) for one in found] == [("U0START", STOPPING)]


def test_a_service_that_is_started_while_it_stops_counts_once_as_started() -> None:
    found = each_run([following("stop", 1), following("start", 2)])
    assert [(one.user_id, one.state) for one in found] == [("U0START", "open")]


def test_two_stops_of_a_service_count_once_by_the_first() -> None:
    found = each_run([following("stop", 2), following("stop", 1)])
    assert [(one.id, one.state) for one in found] == [("w-1", STOPPING)]
