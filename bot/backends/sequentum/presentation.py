"""Runs, job runs, schedules and servers as people see them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot.backends.sequentum.capabilities import JOB_RUN, RUN
from bot.backends.sequentum.models import JobRun, Run, Schedule, ServerStatus, moment, span
from bot.backends.sequentum.states import SCHEDULE, named
from bot.core.operation import brief_id
from bot.core.outcome import Fact, Level, Phase, RunView, State, Suggestion, Table, facts_of
from bot.core.text import utc_text, written
from bot.core.vendor_json import mark, table_of, unreadable

Clean = Callable[[str], str]
_USAGE: Final = re.compile(r"(?:(?P<label>[A-Za-z])\s*:)?\s*(?P<value>\d{1,5}(?:\.\d{1,3})?)\s*%")
# In order of priority: while one run is active, all count as active; after that the worst outcome counts.
_GOING: Final = (Phase.ACTIVE, Phase.WAITING, Phase.UNREADABLE)
_ENDS: Final = (Phase.FAILED, Phase.STOPPED, Phase.SUCCEEDED)
_MEANING: Final = {"": "now", "a": "average", "p": "peak"}


def run_view(backend: str, run: Run, clean: Clean, run_id: str = "") -> RunView:
    """The state of a run and its buttons; `run_id` stands in for an unreadable id. The ACC's API has no stop."""
    phase = run.phase
    test = Fact(label="Production", value="no (no data is delivered)")
    inner = (
        ("Run", run_id or run.id or None),
        ("Run time", span(run.run_time)),
        ("Pages", run.page_load_count),
        ("Server", run.server_ip),
        ("Session", run.session_id),
        ("Job run", str(run.run_id) if run.run_id else None),
    )
    return RunView(
        state=run.state,
        phase=phase,
        facts=(
            *_counts(run.data_count, run.errors),
            *((test,) if run.is_production_run is False else ()),
            *unreadable(run),
        ),
        details=facts_of(inner),
        message=clean(run.status_message or ""),
        started=moment(run.start_time),
        ended=moment(run.end_time) if phase.ended else None,
        expected_end=moment(run.expected_end_time) if not phase.ended else None,
        next=next_of_run(backend, run_id or run.id, phase),
    )


def _counts(data: float | None, errors: float | None) -> tuple[Fact, ...]:
    """What a run has collected; errors only when there are any."""
    return facts_of((("Data rows", data), ("Errors", errors or None)))


def next_of_run(backend: str, run_id: str, phase: Phase, kind: str = RUN) -> tuple[Suggestion, ...]:
    """Buttons for a run: refresh while it is active, its log, and retry if an agent run failed."""
    if not run_id:
        return ()
    target = written(backend, f"{kind}/{run_id}")
    log = Suggestion(label="Log", verb="logs", target=target)
    if not phase.ended:
        return (Suggestion(label="Refresh", verb="status", target=target), log)
    if phase is Phase.SUCCEEDED or kind == JOB_RUN:
        return (log,)
    return (log, Suggestion(label="Retry", verb="retry", target=target))


def together(backend: str, views: Mapping[str, RunView]) -> RunView:
    """Several runs that one start began (`useMultipleSessions`), as one run that ends when the last of them ends.

    `views` are by the ids of the runs, at least one, in the ACC's order.
    """
    worst = min(views.values(), key=lambda view: (*_GOING, *_ENDS).index(view.phase))
    over = [view for view in views.values() if view.phase.ended]
    starts = [view.started for view in views.values() if view.started]
    ends = [view.ended for view in over if view.ended]
    messages = [(view.state, f" ({view.message})" if view.message else "") for view in views.values()]
    texts = [f"run {number} {state}{more}" for number, (state, more) in enumerate(messages, 1)]
    return RunView(
        state=worst.state,
        phase=worst.phase,
        facts=tuple(Fact(label=f"Run {number}", value=_counted(view)) for number, view in enumerate(views.values(), 1)),
        details=tuple(Fact(label=f"Run {number}", value=id_) for number, id_ in enumerate(views, 1)),
        message="; ".join(texts) if worst.phase.ended else "",
        started=min(starts, default=None),
        ended=max(ends, default=None) if worst.phase.ended else None,
        done=len(over),
        total=len(views),
        counted="run",
        next=_next_of_all(backend, views),
    )


def _counted(view: RunView) -> str:
    counts = [f"{fact.value:,} {fact.label.lower()}" for fact in view.facts if isinstance(fact.value, int | float)]
    return ", ".join([view.state, *counts])


def _next_of_all(backend: str, views: Mapping[str, RunView]) -> tuple[Suggestion, ...]:
    """The buttons of the failed runs, or of all runs if none failed; with several runs the label names the run."""
    numbered = list(enumerate(views.items(), 1))
    bad = [one for one in numbered if one[1][1].phase in (Phase.FAILED, Phase.STOPPED)]
    chosen = bad or numbered
    return tuple(
        step if len(chosen) == 1 else step.model_copy(update={"label": f"{step.label} run {number}"})
        for number, (id_, view) in chosen
        for step in next_of_run(backend, id_, view.phase)
    )


def job_view(backend: str, job: JobRun, job_run_id: str) -> RunView:
    """The state of a job run; the ACC reports no message for it."""
    phase = job.phase
    return RunView(
        state=job.state,
        phase=phase,
        facts=(*_counts(job.total_data_count, job.total_errors), *unreadable(job)),
        details=facts_of(
            (
                ("Job run", None if job.run_id is None else str(job.run_id)),
                ("Id", job_run_id),
                ("Pages", job.total_page_load_count),
            )
        ),
        started=moment(job.start_time),
        ended=moment(job.end_time) if phase.ended else None,
        done=job.completed_run_count,
        total=job.total_run_count,
        counted="run",
        next=next_of_run(backend, job_run_id, phase, JOB_RUN),
    )


def view_of(backend: str, found: Run | JobRun, clean: Clean, id_: str = "") -> RunView:
    """The state of a run or a job run; `id_` stands in for an unreadable id."""
    if isinstance(found, Run):
        return run_view(backend, found, clean, id_)
    return job_view(backend, found, id_ or found.id)


def schedule_table(schedules: Sequence[Schedule], clean: Clean) -> Table:
    """Schedules as rows: `When` is in the zone of the schedule, `Next` in the reader's."""
    columns: dict[str, Callable[[Schedule], object]] = {
        "On": lambda one: mark(switched(one), one),
        "When": lambda one: clean(one.cron_description or one.cron or ""),
        "Next": lambda one: utc_text(moment(one.next_run_time)),
        "Zone": lambda one: one.time_zone_id,
        "Last run": lambda one: _last(one, clean),
        "Schedule": lambda one: one.id and f"schedule/{brief_id(one.id)}",
    }
    return table_of(schedules, columns)


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
    """Whether the ACC reports an error on the server, or a present usage at or above its limit."""
    if status.is_error is None:
        return State(text="unknown", level=Level.UNSURE)
    if status.is_error:
        return State(text="error", level=Level.BAD)
    limits = (
        ("CPU", status.cpu_usages, status.cpu_threshold),
        ("memory", status.memory_usages, status.memory_threshold),
    )
    over = [what for what, usages, limit in limits if limit is not None and _now(usages) >= limit]
    if over:
        return State(text=f"answers, {' and '.join(over)} at the limit", level=Level.WARN)
    return State(text="answers", level=Level.GOOD)


def _now(usages: str | None) -> float:
    """The present usage; 0 if it can't be read."""
    values = (match["value"] for match in _USAGE.finditer(usages or "") if not match["label"])
    return float(next(values, 0))


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
