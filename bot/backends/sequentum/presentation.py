"""Runs, job runs, schedules and servers as people see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from bot.backends.sequentum.models import JobRun, Run, Schedule, ServerStatus
from bot.backends.sequentum.parameters import DEFAULT_METHOD
from bot.backends.sequentum.states import SCHEDULE, named
from bot.backends.sequentum.times import local_text, moment, span
from bot.core.outcome import Fact, FactValue, Level, Phase, RunView, State, Suggestion, Table
from bot.core.text import utc_text, written
from bot.core.vendor_json import mark, unread, unreadable

Clean = Callable[[str], str]
_USAGE: Final = re.compile(r"(?:(?P<label>[A-Za-z])\s*:)?\s*(?P<value>\d{1,5}(?:\.\d{1,3})?)\s*%")
_MEANING: Final = {"": "now", "a": "average", "p": "peak"}


def run_view(backend: str, run: Run, clean: Clean, run_id: str = "") -> RunView:
    """The state of a run and its buttons; `run_id` stands in for an unreadable id. The ACC's API has no stop."""
    state, phase = run.state, run.phase
    message = clean(run.status_message or "")
    length = span(run.run_time)
    optional: tuple[tuple[str, FactValue], ...] = (
        ("Errors", run.errors),
        ("Data rows", run.data_count),
        ("Pages", run.page_load_count),
        ("Server", run.server_ip),
        ("Session", run.session_id),
        ("Expected end", moment(run.expected_end_time) if not phase.ended else None),
        ("Job run", run.run_id or None),
    )
    facts = [Fact(label="State", value=state), Fact(label="Started", value=moment(run.start_time))]
    if length is not None:
        facts.append(Fact(label="Run time", value=length))
    facts += [Fact(label=label, value=value) for label, value in optional if value is not None]
    if run.is_production_run is False:
        facts.append(Fact(label="Production", value="no (no data is delivered)"))
    facts += unreadable(run)
    return RunView(
        state=state,
        phase=phase,
        facts=tuple(facts),
        message=message,
        started=moment(run.start_time),
        ended=moment(run.end_time) if phase.ended else None,
        next=next_of_run(backend, run_id or run.id, phase),
    )


def next_of_run(backend: str, run_id: str, phase: Phase) -> tuple[Suggestion, ...]:
    """Buttons for a run: refresh while it is active, its log, and retry if it failed."""
    if not run_id:
        return ()
    target = written(backend, f"run/{run_id}")
    log = Suggestion(label="Log", verb="logs", target=target)
    if not phase.ended:
        return (Suggestion(label="Refresh", verb="status", target=target), log)
    if phase is Phase.SUCCEEDED:
        return (log,)
    return (log, Suggestion(label="Retry", verb="retry", target=target, params=(("method", DEFAULT_METHOD),)))


def job_view(backend: str, job: JobRun, job_run_id: str) -> RunView:
    """The state of a job run; the ACC reports no message for it."""
    state, phase = job.state, job.phase
    target = written(backend, f"jobrun/{job_run_id}")
    optional: tuple[tuple[str, FactValue], ...] = (
        ("Job run", job.run_id),
        ("Errors", job.total_errors),
        ("Data rows", job.total_data_count),
        ("Pages", job.total_page_load_count),
    )
    facts = [Fact(label="State", value=state), Fact(label="Started", value=moment(job.start_time))]
    facts += [*(Fact(label=label, value=value) for label, value in optional if value is not None), *unreadable(job)]
    log = Suggestion(label="Log", verb="logs", target=target)
    refresh = Suggestion(label="Refresh", verb="status", target=target)
    return RunView(
        state=state,
        phase=phase,
        facts=tuple(facts),
        started=moment(job.start_time),
        ended=moment(job.end_time) if phase.ended else None,
        done=job.completed_run_count,
        total=job.total_run_count,
        next=(log,) if phase.ended else (refresh, log),
    )


def view_of(backend: str, found: Run | JobRun, clean: Clean, id_: str = "") -> RunView:
    """The state of a run or a job run; `id_` stands in for an unreadable id."""
    if isinstance(found, Run):
        return run_view(backend, found, clean, id_)
    return job_view(backend, found, id_ or found.id)


def run_table(runs: Sequence[Run], clean: Clean) -> Table:
    """Runs as rows, in the ACC's order (newest first)."""
    rows = tuple(
        (
            utc_text(moment(run.start_time)),
            mark(run.state, run),
            count_text(run.errors),
            count_text(run.data_count),
            clean(run.status_message or ""),
            run.id and f"run/{run.id}",
        )
        for run in runs
    )
    return Table(columns=("Started", "State", "Errors", "Data rows", "Message", "Run"), rows=rows, note=unread(runs))


def job_table(jobs: Sequence[JobRun]) -> Table:
    """Job runs as rows, in the ACC's order (newest first)."""
    rows = tuple(
        (
            utc_text(moment(job.start_time)),
            mark(job.state, job),
            f"{job.completed_run_count or 0}/{job.total_run_count or 0}",
            count_text(job.total_errors),
            count_text(job.total_data_count),
            job.id and f"jobrun/{job.id}",
        )
        for job in jobs
    )
    return Table(columns=("Started", "State", "Runs", "Errors", "Data rows", "Job run"), rows=rows, note=unread(jobs))


def count_text(count: float | None) -> str:
    """A counter as a cell; empty if not reported."""
    return "" if count is None else str(count)


def schedule_table(schedules: Sequence[Schedule], clean: Clean) -> Table:
    """Schedules as rows; the next time is in the schedule's time zone."""
    rows = tuple(
        (
            mark(switched(schedule), schedule),
            clean(schedule.cron_description or schedule.cron or ""),
            local_text(moment(schedule.next_run_time), schedule.time_zone_id),
            schedule.time_zone_id or "",
            _last(schedule, clean),
            schedule.id and f"schedule/{schedule.id}",
        )
        for schedule in schedules
    )
    return Table(columns=("On", "When", "Next", "Zone", "Last run", "Schedule"), rows=rows, note=unread(schedules))


def switched(schedule: Schedule) -> str:
    """Whether a schedule is on."""
    return {True: "on", False: "off", None: "unknown"}[schedule.is_enabled]


def _last(schedule: Schedule, clean: Clean) -> str:
    state, _ = named(SCHEDULE, schedule.schedule_status)
    fault = f": {clean(schedule.error_message)}" if schedule.error_message else ""
    ran = moment(schedule.last_run_time)
    return f"{state}{fault}" + (f", {utc_text(ran)}" if ran else "")


def usage_text(text: str | None, limit: float | None = None) -> str:
    """`6%, a:13%, p: 23 % ` as `6 % now, 13 % average, 23 % peak`; `C:47%` as `C: 47 %`; any other form is unchanged."""
    if not text:
        return "not reported"
    found = [(match["label"] or "", match["value"]) for match in _USAGE.finditer(text)]
    if not found:
        return text.strip()[:80]
    words = [f"{value} % {_MEANING[label]}" if label in _MEANING else f"{label}: {value} %" for label, value in found]
    return ", ".join(words) + (f" (limit {limit} %)" if limit is not None else "")


def server_state(status: ServerStatus) -> State:
    """Whether the ACC reports an error on the server."""
    return {
        True: State(text="error", level=Level.BAD),
        False: State(text="answers", level=Level.GOOD),
        None: State(text="unknown", level=Level.UNSURE),
    }[status.is_error]


def server_facts(status: ServerStatus, clean: Clean) -> tuple[Fact, ...]:
    """The facts of a server check."""
    return (
        Fact(label="State", value=server_state(status).text),
        Fact(label="Message", value=clean(status.message or "")),
        Fact(label="CPU", value=usage_text(status.cpu_usages, status.cpu_threshold)),
        Fact(label="Memory", value=usage_text(status.memory_usages, status.memory_threshold)),
        Fact(label="Disk", value=usage_text(status.disc_usages)),
        *unreadable(status),
    )
