"""Services, agents, jobs and schedules as people see them."""

from collections.abc import Callable, Sequence
from typing import Final

from bot.backends import unknown
from bot.backends.informatica.models import Agent, Entry, Running, Schedule, Status
from bot.backends.informatica.states import ENDED, RUNNING, named, newest, service_words
from bot.backends.informatica.targets import TaskKey
from bot.core.operation import Target
from bot.core.outcome import Fact, Phase, RunView, Table, facts_of
from bot.core.text import plural, suggest, utc_text
from bot.core.vendor_json import MARK, mark, moment, table_of, unless_named, unread, unreadable

Clean = Callable[[str], str]
ROWS_WRITTEN: Final = "Rows written"


def service_facts(statuses: Sequence[Status]) -> tuple[Fact, ...]:
    """State, version and start of the state for the latest version, and the other versions."""
    latest = newest(statuses)
    words, _ = service_words(latest)
    facts = [Fact(label="State", value=words)]
    if latest.appversion:
        facts.append(Fact(label="Version", value=latest.appversion))
    facts.append(Fact(label="Since", value=latest.since))
    if len(statuses) > 1:
        others = [f"{one.appversion or 'no version'}: {service_words(one)[0]}" for one in statuses if one is not latest]
        facts.append(Fact(label="Other versions", value="; ".join(others[:5])))
    return (*facts, *unreadable(latest))


def service_table(agent: Agent, stopped: Sequence[str]) -> Table:
    """All services of an agent; those not listed are passed by name."""
    old = "last listed as " if agent.unseen else ""
    rows = [
        (
            mark(status.app_display_name, status),
            old + service_words(status)[0],
            status.appversion or "",
            utc_text(status.since),
        )
        for status in agent.services
    ]
    nameless = agent.unnamed[len(stopped) :]  # the others may be the stopped ones
    rows += [
        (f"{one.appname} {MARK}".strip(), old + service_words(one)[0], one.appversion or "", "") for one in nameless
    ]
    maybe = "not listed by its name" if agent.unnamed else "not listed: stopped"
    unlisted = f"not known: {agent.unseen}" if agent.unseen else maybe
    rows += [(name, unlisted, "", "") for name in stopped]
    note = (
        f"{MARK} {plural(len(agent.unnamed), 'service')} without a display name."
        if agent.unnamed
        else unread(agent.services)
    )
    return Table(columns=("Service", "State", "Version", "Since"), rows=tuple(rows), total=len(rows), note=note)


def agent_facts(agent: Agent) -> tuple[Fact, ...]:
    """The state of an agent."""
    active = "active" if agent.active else "not active"
    optional = (
        ("Host", agent.agent_host),
        ("Platform", agent.platform),
        ("Version", agent.agent_version),
        ("Upgrade", agent.upgrade_status),
    )
    ready = "ready" if agent.ready_to_run else "not ready"
    return (Fact(label="Agent", value=f"{active}, {ready} to run jobs"), *facts_of(optional), *unreadable(agent))


def job_name(job: Running) -> str:
    """`load_orders run 3`."""
    number = f" run {job.run_id}" if job.run_id is not None else ""
    return f"{job.task_name or job.task_id or 'a job'}{number}"


def running_text(job: Running) -> str:
    """`load_orders run 3, running since 2026-11-22 02:23 UTC`; of one that stops, no time tells since when."""
    words, _ = named(RUNNING, job.execution_state)
    began = utc_text(job.began, seconds=True)
    return f"{job_name(job)}, {words}{', started' if job.execution_state == 'STOPPING' else ' since'} {began}"


def running_view(target: Target, job: Running) -> RunView:
    """A job of the monitor: it runs, or it has just ended and is not in the log yet."""
    words, phase = named(RUNNING, job.execution_state)
    return RunView(
        state=words,
        phase=phase,
        facts=(
            *facts_of((("Rows", job.success_source_rows), ("Bad rows", job.failed_source_rows or None))),
            *unreadable(job),
        ),
        details=facts_of((("Run", _number(job.run_id)), ("Started by", job.started_by or None))),
        started=job.began,
        next=(suggest("Refresh", "status", target), *(() if phase.ended else (suggest("Stop", "stop", target),))),
    )


def ended_view(target: Target | None, entry: Entry, clean: Clean) -> RunView:
    """A job that has ended, with buttons for its log and, if it failed, for another run."""
    words, phase = named(ENDED, entry.state)
    number = (("run", str(entry.run_id)),) if entry.run_id is not None else ()
    counts = ((ROWS_WRITTEN, entry.success_target_rows), ("Rows not written", entry.failed_target_rows or None))
    again = "Retry" if phase is Phase.FAILED else "Run again"
    return RunView(
        state=words,
        phase=phase,
        facts=(*facts_of(counts), *unreadable(entry)),
        details=facts_of(
            (
                ("Run", _number(entry.run_id)),
                ("Rows read", entry.success_source_rows),
                ("Rows not read", entry.failed_source_rows or None),
            )
        ),
        message=clean(entry.error_msg or ""),
        started=entry.began,
        ended=entry.ended,
        next=(suggest("Log", "logs", target, *number), suggest(again, "start", target)) if target else (),
    )


def _number(run_id: int | None) -> str | None:
    """The number of a run, which names it."""
    return None if run_id is None else str(run_id)


def schedule_word(schedule: Schedule) -> str:
    """`on`, `off`, or `unknown (X)`."""
    word = (schedule.status or "").casefold()
    return {"enabled": "on", "disabled": "off"}.get(word, unknown(schedule.status))


def interval_text(schedule: Schedule) -> str:
    """`Daily`, `every 2 Hourly` as the vendor counts it."""
    often = f", every {schedule.frequency}" if schedule.frequency and schedule.frequency > 1 else ""
    return f"{schedule.interval or 'once'}{often}"


def schedule_table(schedules: Sequence[Schedule]) -> Table:
    """Schedules as rows."""
    columns: dict[str, Callable[[Schedule], object]] = {
        "On": schedule_word,
        "Name": lambda one: mark(one.name, one),
        "Interval": interval_text,
        "From": lambda one: utc_text(moment(one.start_time)),
        "Zone": lambda one: one.time_zone_id,
        **unless_named(schedules, lambda one: one.name, "Schedule", lambda one: f"schedule/{one.id}"),
    }
    return table_of(schedules, columns, len(schedules))


def is_of(task: Target, key: TaskKey, id: str | None, name: str | None, type: str | None) -> bool:
    """Whether a job belongs to a task: by the v2 id where it is known, else by type and the last part of the path."""
    if key.v2:
        return id == key.v2
    path = task.name.partition("/")[2]
    return id == task.id or (name in (path, path.rpartition("/")[2]) and type in (None, key.type))
