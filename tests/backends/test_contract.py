"""What every kind of control plane promises, whichever it is: complete rows, and each of them works on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import plugins
from bot.core.command.capability import Capability, KindSpec, Risk
from bot.core.command.catalog import Catalog, check_params
from bot.core.command.params import ParamType
from bot.core.command.parser import parse, parse_target
from bot.core.intent import Command
from bot.core.outcome import Done, Refused
from tests.backends.contract_samples import SAMPLES
from tests.backends.contract_stand import samples_of, standing

KINDS = plugins.kinds()
NEEDS_UNIT = {ParamType.DURATION, ParamType.INTEGER}
SOURCE = re.compile(r"\b(SEED|DOC|CODE|GUESS)\b")
NO_AMOUNT = {"log_level": "ranks", "run": "names a run by its number"}  # whole numbers that count nothing


def rows_of(kind: str) -> KindSpec:
    return plugins.load(kind).spec


def every_row() -> Iterator[object]:
    for kind in KINDS:
        for row in rows_of(kind).capabilities:
            yield pytest.param(kind, row, id=f"{kind}-{row.verb.replace(' ', '_')}-{row.target}")


ROWS = tuple(every_row())


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_of_target_is_written_without_a_prefix(kind: str) -> None:
    """Exactly one default, every kind explained by a help and an example that is of that kind."""
    rows = rows_of(kind)
    assert rows.kind == kind
    assert rows.title
    assert [target.prefix for target in rows.targets].count(None) == 1
    assert len({target.prefix for target in rows.targets}) == len(rows.targets)
    assert len({target.name for target in rows.targets}) == len(rows.targets)
    name = samples_of(kind).name
    catalog = Catalog({name: rows})
    for target in rows.targets:
        assert target.help
        assert not target.example.startswith(f"{name}:"), "an example is a path: the backend's name is the operator's"
        ref = parse_target(
            f'"{name}:{target.example}"' if '"' not in target.example else f"{name}:{target.example}", catalog
        )
        assert not isinstance(ref, str), (target.example, ref)
        if target.prefix is not None and target.example:
            assert catalog.split_path(ref.backend, ref.path)[0] == target.name, target.example


def test_an_order_that_only_starts_or_stops_a_run_undoes_no_other() -> None:
    """A stop of a job leaves nothing to resume, so it does."""
    catalog = Catalog({kind: rows_of(kind) for kind in KINDS})
    none = {(kind, row.verb) for kind, row in catalog.everything() if catalog.sets(kind, row.verb, row.target) is None}
    assert {verb for _, verb in none} == {"start", "stop", "restart", "retry", "schedule start", "destroy"}
    assert ("itential", "stop") not in none
    for verb in ("schedule on", "schedule off", "schedule set", "schedule delete"):
        assert catalog.sets("sequentum", verb, "agent") == "schedule"


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_a_row_says_what_it_does(kind: str, row: Capability) -> None:
    """Help, the vendor's call with its source, a deadline; and for what changes something, the effect."""
    assert row.help
    assert row.endpoint
    assert SOURCE.search(row.endpoint), row.endpoint
    assert 0 < row.timeout <= 3_600
    assert row.risk in Risk
    if row.risk is not Risk.READ:
        assert row.effect
    if row.risk is Risk.READ:
        assert row.idempotent
        assert not row.starts_run
    if row.pausable:
        assert {"for", "until"} <= {param.name for param in row.params}
    if row.resumes:
        assert row.resumes in {other.verb for other in rows_of(kind).capabilities if other.target == row.target}
    assert len(row.help) <= 120
    assert len(row.effect) <= 300


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_the_example_of_a_row_is_read_as_that_row(kind: str, row: Capability) -> None:
    """The grammar reads it, verb and kind of target are the row's, and its parameters pass the row's own checks."""
    rows = rows_of(kind)
    catalog = Catalog({samples_of(kind).name: rows})
    command = parse(row.example, catalog)
    assert isinstance(command, Command), command
    assert command.verb == row.verb
    assert command.target is not None
    ref = parse_target(command.target, catalog)
    assert not isinstance(ref, str), ref
    named = catalog.split_path(ref.backend, ref.path)[0]
    if ref.path:
        assert (named or rows.default_target.name) == row.target
    check_params(row.params, command.params)
    assert command.reason or not row.reason_required


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_the_parameters_of_a_row_are_explained(kind: str, row: Capability) -> None:
    """Each has a help; numbers and durations have a unit; choices are listed, and no default is outside its own rules."""
    assert len({param.name for param in row.params}) == len(row.params)
    for param in row.params:
        assert param.help, param.name
        if param.type in NEEDS_UNIT and param.name not in NO_AMOUNT:
            assert param.unit, f"{param.name} has no unit"
        assert bool(param.choices) == (param.type is ParamType.CHOICE), param.name
        assert not (param.required and param.default is not None), param.name
        if param.default is not None and param.type is ParamType.CHOICE:
            assert param.default in param.choices
        if isinstance(param.default, int) and not isinstance(param.default, bool):
            assert param.minimum is None or param.default >= param.minimum
            assert param.maximum is None or param.default <= param.maximum
        if param.example is not None:
            assert isinstance(param.example, str)


def test_no_kind_is_without_samples_and_no_sample_without_a_kind() -> None:
    """The table of samples and the folders under backends/ name the same kinds and rows."""
    assert set(SAMPLES) == set(KINDS)
    for kind in KINDS:
        declared = {(row.verb, row.target) for row in rows_of(kind).capabilities}
        assert set(samples_of(kind).rows) == declared, kind


@pytest.mark.parametrize(("kind", "row"), ROWS)
async def test_a_row_works_on_the_wire(kind: str, row: Capability, tmp_path: Path) -> None:
    """Typed, resolved and run by the real adapter, the row reaches its call on the simulated plane and is done."""
    sample = samples_of(kind).rows[row.verb, row.target]
    async with standing(kind, tmp_path) as stand:
        operation = await stand.prepared(sample)
        assert (operation.verb, operation.target.kind) == (row.verb, row.target)
        since, told = len(stand.plane.requests), len(stand.told)
        result = await stand.call(operation)
        assert isinstance(result, Refused if sample.refused else Done), result
        assert any(re.search(sample.wire, one) for one in stand.requests(since)), stand.requests(since)
        assert result.summary
        assert (len(stand.told) > told) == sample.progress or not sample.progress
        if isinstance(result, Done) and row.starts_run:
            assert result.run is not None
            assert result.view is None or result.view.state
        if isinstance(result, Done) and row.takes_files:
            assert result.run is None
        if isinstance(result, Done) and result.files:
            assert all(Path(one.path).stat().st_size == one.size for one in result.files)  # noqa: ASYNC240  local files


@pytest.mark.parametrize(("kind", "row"), [entry for entry in ROWS if entry.values[1].starts_run])  # type: ignore[attr-defined]
async def test_what_a_row_starts_can_be_followed_to_its_end(kind: str, row: Capability, tmp_path: Path) -> None:
    """A run is polled by its group until its view has ended; a view that is gone counts as an end."""
    sample = samples_of(kind).rows[row.verb, row.target]
    async with standing(kind, tmp_path) as stand:
        result = await stand.call(await stand.prepared(sample))
        assert isinstance(result, Done), result
        assert result.run is not None
        for _ in range(200):
            views = await stand.backend.poll(result.run.group or result.run.id, [result.run])
            view = views.get(result.run.id)
            if view is None or view.phase.ended:
                break
            await stand.given.clock.sleep(5)
        else:
            raise AssertionError(view)
        assert view is None or view.state
