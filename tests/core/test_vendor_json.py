"""Replies of control planes: one odd field, row or character never hides the others."""

from __future__ import annotations

from datetime import UTC

import pytest
from pydantic import Field

from bot.core.errors import BadReply
from bot.core.vendor_json import Number, Rows, Text, Time, Whole, WireModel, loads, mark, moment, unread
from bot.http_client import Reply


class Inner(WireModel):
    addr: Text | None = None
    port: Whole | None = None


class Run(WireModel):
    run_id: Text = Field(default="", alias="runId")
    errors: Whole | None = None
    speed: Number | None = None
    server: Inner | None = None
    parts: Rows[Inner] = Field(default_factory=list)


class Login(WireModel):
    session: Text
    note: Text | None = None


def reply(body: str | bytes) -> Reply:
    return Reply("acc", 200, {}, body.encode() if isinstance(body, str) else body, "GET /api/run/1")


def test_an_odd_field_is_named_and_the_others_are_read() -> None:
    """The field with the odd value keeps its default."""
    run = reply('{"runId": "a", "errors": {"no": 1}, "speed": 1.5, "extra": []}').read(Run)
    assert (run.run_id, run.errors, run.speed, run.odd) == ("a", None, 1.5, ("errors",))


@pytest.mark.parametrize("value", ["null", "[]", "true", '"x"', "1e400", "NaN", "9" * 5000, "1.5"])
def test_no_value_of_a_number_is_too_odd(value: str) -> None:
    """Whatever stands in a numeric field, the reply is read; null is as good as absent."""
    run = reply(f'{{"runId": "a", "errors": {value}}}').read(Run)
    assert (run.run_id, run.errors, run.odd) == ("a", None, () if value == "null" else ("errors",))


def test_an_inner_object_is_read_as_far_as_it_can_be() -> None:
    """Oddities of inner objects and of their lists are named as well."""
    run = reply('{"server": {"addr": "a", "port": "x"}, "parts": [{"addr": []}, null, {"port": 5}]}').read(Run)
    assert run.server is not None
    assert run.server.addr == "a"
    assert [part.port for part in run.parts] == [None, None, 5]
    assert run.odd == ("port", "addr", "the whole row")


def test_an_odd_row_keeps_its_place_in_a_list() -> None:
    """Every row of the list is there; the odd ones are marked."""
    rows = reply('[{"runId": "a"}, null, {"runId": "b", "errors": "many"}, 7]').rows(Run)
    assert [mark(row.run_id, row) for row in rows] == ["a", "⚠", "b ⚠", "⚠"]
    assert unread(rows) == "⚠ 3 rows can't be read completely: the whole row, errors."


@pytest.mark.parametrize("body", ['{"results": [{"runId": "a"}]}', '[{"runId": "a"}]', '{"result": [{"runId": "a"}]}'])
def test_a_list_is_found_under_its_key(body: str) -> None:
    """A list that may be wrapped is read either way."""
    assert [row.run_id for row in reply(body).rows(Run, at=("results", "result"))] == ["a"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [('{"x": 1}', "`results` is missing"), ('{"results": 5}', "`results` is not a list"), ("5", "is not a list")],
)
def test_what_is_not_a_list_is_never_an_empty_list(body: str, fault: str) -> None:
    """A reply without its list fails; only null stands for an empty one."""
    with pytest.raises(BadReply, match=fault):
        reply(body).rows(Run, at=("results",))
    assert reply('{"results": null}').rows(Run, at=("results",)) == []


def test_a_needed_field_is_named_with_its_call() -> None:
    """The error says which field of which reply is missing."""
    with pytest.raises(BadReply, match=r"^acc answered 200 to GET /api/run/1, but `runId` can't be read\.$"):
        reply('{"runId": [], "errors": []}').read(Run, "run_id")
    with pytest.raises(BadReply, match="`session` can't be read"):
        reply('{"note": 5.5}').read(Login)


def test_half_a_character_is_replaced() -> None:
    """A text that was cut inside an emoji is read; a whole emoji stays."""
    assert loads(rb'{"a\ud83d": "x \ud83d cut", "b": "\ud83d\ude00"}') == {"a�": "x � cut", "b": "\U0001f600"}


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"'a'"])
def test_what_is_not_json_is_an_error(body: bytes) -> None:
    """Neither an empty body nor a bottomless one is a value."""
    with pytest.raises(BadReply, match="not JSON"):
        reply(body).value()


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("2026-05-28T20:26:40.000Z", "2026-05-28T20:26:40+00:00"),
        ("2026-05-28T20:26:40.1234567+10:00", "2026-05-28T20:26:40.123456+10:00"),
        ("2026-05-28T20:26:40", "2026-05-28T20:26:40+00:00"),
        (1_780_000_000, "2026-05-28T20:26:40+00:00"),
        (1_780_000_000_000, "2026-05-28T20:26:40+00:00"),
        ("1780000000000", "2026-05-28T20:26:40+00:00"),
    ],
)
def test_the_ways_in_which_vendors_write_times(when: str | int, text: str) -> None:
    """Text with and without a zone, and epoch numbers of seconds or milliseconds."""
    found = moment(when)
    assert found is not None
    assert found.isoformat() == text


@pytest.mark.parametrize("when", [None, "", "soon", 0, 5, -1, 10**30, "2026-13-01"])
def test_what_is_not_a_time_is_none(when: str | int | None) -> None:
    """A count or a word never becomes a date."""
    assert moment(when) is None


class Timed(WireModel):
    at: Time | None = None


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ('"2026-11-22T12:00:00.1234567+01:00"', "2026-11-22T11:00:00.123456+00:00"),
        ('"2026-11-22"', "2026-11-22T00:00:00+00:00"),
        ("1795348800", "2026-11-22T12:00:00+00:00"),
        ("1795348800000", "2026-11-22T12:00:00+00:00"),
        ("1795348800.5", "2026-11-22T12:00:00+00:00"),
        ('"1795348800"', "2026-11-22T12:00:00+00:00"),
        ("null", None),
        ('""', None),
        ("0", None),
    ],
)
def test_a_time_is_read_in_every_usual_form(sent: str, read: str | None) -> None:
    timed = reply(f'{{"at": {sent}}}').read(Timed)
    found = moment(timed.at)
    assert (found.astimezone(UTC).isoformat() if found else None) == read
    assert timed.odd == ()


@pytest.mark.parametrize("sent", ['"yesterday"', '"/Date(1795348800000)/"', "12", "true", "[]", "1e300"])
def test_a_time_that_cannot_be_read_is_named(sent: str) -> None:
    """It is not just missing."""
    timed = reply(f'{{"at": {sent}}}').read(Timed)
    assert (timed.at, timed.odd) == (None, ("at",))
