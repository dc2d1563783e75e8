"""Every fault that a control plane can show becomes the right outcome, for every kind, and no change is sent twice."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bot import plugins
from bot.core.command.capability import Capability, Risk
from bot.core.outcome import Done, Failed, Level, Phase, Unknown
from bot.operations.backend_call import enabled_key
from tests.backends.contract_faults import FAULTS, SHORT, Fault, expected
from tests.backends.contract_samples import Sample
from tests.backends.contract_stand import Stand, samples_of, standing
from tests.http_client.support import always, ok, serving

KINDS = plugins.kinds()
MOST_READS = 6  # three tries, each of which the library below repeats once when its connection breaks


def row_of(kind: str, key: tuple[str, str]) -> tuple[Capability, Sample]:
    rows = {(row.verb, row.target): row for row in plugins.load(kind).spec.capabilities}
    return rows[key], samples_of(kind).rows[key]


def hits(stand: Stand, sample: Sample, since: int) -> list[str]:
    return [one for one in stand.requests(since) if re.search(sample.wire, one)]


async def meet(stand: Stand, fault: Fault, row: Capability, sample: Sample) -> tuple[object, list[str]]:
    """The outcome of the sample while its call meets the fault, and how often the plane saw that call."""
    operation = await stand.prepared(sample)
    if fault.slow:
        operation = operation.model_copy(update={"timeout": SHORT})
    since = len(stand.plane.requests)
    everywhere = fault.spec["fault"] == "refuse"
    await stand.plane.set_fault({**fault.spec, **({} if everywhere else {"match": sample.wire})})
    began = stand.given.clock.monotonic()
    result = await stand.call(operation)
    # On the stand's own clock: the pauses between repeats, whatever the machine does meanwhile.
    assert stand.given.clock.monotonic() - began < row.timeout, "a fault held the call up"
    return result, hits(stand, sample, since)


def check(fault: Fault, row: Capability, result: object, want: str) -> None:
    kind = getattr(result, "kind", None)
    assert kind in want.split(" or "), (fault.because, result)
    if isinstance(result, Failed):
        assert result.sent == fault.sent
    if isinstance(result, Failed | Unknown) and fault.code:
        assert result.code == fault.code, result
    if isinstance(result, Done) and fault.name in ("unknown_enum", "wrong_types"):
        assert result.view is None or result.view.phase is not Phase.SUCCEEDED, result.view
        assert result.state is None or result.state.level is not Level.GOOD, result.state
    assert getattr(result, "summary", "")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_read_that_meets_a_fault(kind: str, fault: Fault, tmp_path: Path) -> None:
    """It fails with a reason, or is asked again where that is of use; it is never unknown."""
    samples = samples_of(kind)
    row, sample = row_of(kind, samples.read)
    async with standing(kind, tmp_path) as stand:
        result, seen = await meet(stand, fault, row, sample)
        check(fault, row, result, expected(fault, row, renews=samples.renews, bare={}))
        assert len(seen) <= MOST_READS, seen


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_that_meets_a_fault(kind: str, fault: Fault, tmp_path: Path) -> None:
    """Failed where it is known not to have happened, unknown where nobody knows, and never sent a second time."""
    samples = samples_of(kind)
    row, sample = row_of(kind, samples.change)
    async with standing(kind, tmp_path) as stand:
        result, seen = await meet(stand, fault, row, sample)
        check(fault, row, result, expected(fault, row, renews=samples.renews, bare=samples.bare))
        if not row.idempotent:
            assert len(seen) <= 1, seen


CHANGES = [
    (kind, (row.verb, row.target))
    for kind in KINDS
    for row in plugins.load(kind).spec.capabilities
    if row.risk is not Risk.READ and (row.verb, row.target) in samples_of(kind).rows
]


@pytest.mark.parametrize(("kind", "key"), CHANGES)
async def test_a_change_whose_reads_are_lost_is_only_unknown_if_it_was_sent(
    kind: str, key: tuple[str, str], tmp_path: Path
) -> None:
    """Every answer to a read is lost, of those that come before the change too: then nothing was done, for certain."""
    _, sample = row_of(kind, key)
    async with standing(kind, tmp_path) as stand:
        operation = await stand.prepared(sample)
        since = len(stand.plane.requests)
        await stand.plane.set_fault({"fault": "drop_after", "match": "GET .*", "times": 100})
        result = await stand.call(operation)
        if all(one.startswith("GET") for one in stand.requests(since)):
            assert isinstance(result, Failed), result
            assert not result.sent
        else:
            assert isinstance(result, Done | Unknown), result


PAUSES = [(kind, key) for kind, key in CHANGES if row_of(kind, key)[0].pausable]


@pytest.mark.parametrize(("kind", "key"), PAUSES)
async def test_a_pause_notes_what_it_switches_off_unless_the_control_plane_ends_it(
    kind: str, key: tuple[str, str], tmp_path: Path
) -> None:
    """The end switches on exactly what was noted."""
    row, sample = row_of(kind, key)
    async with standing(kind, tmp_path) as stand:
        operation = await stand.prepared(replace(sample, typed=f"{sample.typed.partition(' for=')[0]} for=1h"))
        assert isinstance(await stand.call(operation), Done)
        assert (enabled_key(operation.request_id) in stand.given.store.kept) is not row.own_timer


@pytest.mark.parametrize("kind", KINDS)
async def test_a_redirect_takes_no_credential_to_another_host(kind: str, tmp_path: Path) -> None:
    """The other host is never asked, by a read or by a change."""
    samples = samples_of(kind)
    async with serving(always(ok)) as other, standing(kind, tmp_path) as stand:
        for key in (samples.read, samples.change):
            row, sample = row_of(kind, key)
            operation = await stand.prepared(sample)
            await stand.plane.set_fault({"fault": "redirect", "location": f"{other.base_url}/elsewhere"})
            result = await stand.call(operation)
            await stand.plane.clear_faults()
            # A read that goes before the change may be the one that is redirected: then nothing was sent that could be unknown.
            assert result.kind in (("failed",) if row.idempotent else ("failed", "unknown")), (row.verb, result)
        assert other.seen == []


STATES = [
    (kind, key) for kind in KINDS for key, sample in samples_of(kind).rows.items() if key[0] in ("status", "history")
]
STARTED = [
    (kind, (row.verb, row.target)) for kind in KINDS for row in plugins.load(kind).spec.capabilities if row.starts_run
]


@pytest.mark.parametrize(("kind", "key"), STATES)
async def test_a_state_that_nobody_documented_is_never_a_success(
    kind: str, key: tuple[str, str], tmp_path: Path
) -> None:
    """Whatever shows a state shows an unknown one as such: the view is no success, and the card is not green by it."""
    row, sample = row_of(kind, key)
    async with standing(kind, tmp_path) as stand:
        operation = await stand.prepared(sample)
        await stand.plane.set_fault({"fault": "unknown_enum"})
        result = await stand.call(operation)
        assert isinstance(result, Done | Failed), (row.verb, result)
        if isinstance(result, Done) and result.view is not None:
            assert result.view.phase is not Phase.SUCCEEDED, result.view


@pytest.mark.parametrize(("kind", "key"), STARTED)
async def test_a_followed_run_whose_state_is_unheard_of_has_not_succeeded(
    kind: str, key: tuple[str, str], tmp_path: Path
) -> None:
    """Polls that bring undocumented states never end in success, however long it takes."""
    _, sample = row_of(kind, key)
    async with standing(kind, tmp_path) as stand:
        result = await stand.call(await stand.prepared(sample))
        assert isinstance(result, Done), result
        assert result.run is not None
        await stand.plane.set_fault({"fault": "unknown_enum"})
        for _ in range(12):
            views = await stand.backend.poll(result.run.group or result.run.id, [result.run])
            assert all(view.phase is not Phase.SUCCEEDED for view in views.values()), views
            await stand.given.clock.sleep(0 if sample.gone else 5)
