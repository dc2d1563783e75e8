"""The state of a simulated ACC and its rules: what a start, a retry, a schedule does.

Where seed 003 leaves a rule open, it follows backends.md section 4 and its guesses.
"""

import uuid
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from bot.playground.planes.acc_jobs import (
    Approval,
    Effect,
    Input,
    JobRun,
    JobStatus,
    Schedule,
)
from bot.playground.planes.acc_model import Agent, Options, Run, RunStatus, Script


class Broken(Exception):
    """Raised if a call breaks a rule; `status` is the HTTP status, the text the message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Rules:
    """Behaviour that the seed doesn't document.

    `retry_makes_new_run` false: restart and retry start the same run again. `job_conflict` is the
    HTTP status of a second job start. `refuse_disapproved`: a disapproved agent does not start.
    """

    retry_makes_new_run: bool = True
    job_conflict: int = 409
    refuse_disapproved: bool = False


class World:
    """Agents, runs, jobs, schedules, inputs and approvals of one ACC."""

    METHODS: ClassVar[tuple[str, ...]] = (
        "Restart",
        "Continue",
        "ContinueRefreshAgent",
        "ContinueAndRetryErrors",
        "ContinueAndRetryErrorsRefreshAgent",
        "New",
    )

    def __init__(self, name: str, now: Callable[[], float], rules: Rules, speed: float) -> None:
        self._name = name
        self._now = now
        self.ids_made = 0
        self.rules = rules
        self.speed = speed
        self.agents: dict[str, Agent] = {}
        self.by_path: dict[str, Agent] = {}
        self.runs: dict[str, Run] = {}
        self.runs_of: dict[str, list[Run]] = {}
        self.jobs: dict[str, JobRun] = {}
        self.jobs_of: dict[str, list[JobRun]] = {}
        self.schedules: dict[str, Schedule] = {}
        self.inputs: dict[str, dict[str, Input]] = {}
        self.approvals: list[Approval] = []
        self.effects: list[Effect] = []
        self._cleaning: list[Run] = []

    def new_id(self, sort: str) -> str:
        """The next GUID; deterministic for each name."""
        self.ids_made += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"acc/{self._name}/{sort}/{self.ids_made}"))

    def note(self, action: str, agent: Agent, ref: str) -> None:
        """Record an effect."""
        self.effects.append(Effect(self._now(), action, agent.path, ref))

    def add(self, agent: Agent) -> None:
        """Put an agent into the repository."""
        self.agents[agent.agent_id] = agent
        self.by_path[agent.path] = agent
        self.runs_of.setdefault(agent.agent_id, [])
        self.jobs_of.setdefault(agent.agent_id, [])
        self.inputs.setdefault(agent.agent_id, {})

    def tick(self) -> None:
        """Start due schedules, and delete the inputs of runs that succeeded."""
        now = self._now()
        for schedule in list(self.schedules.values()):
            if schedule.due is not None and schedule.due <= now:
                self._fire(schedule, schedule.due)
                schedule.plan(now)
        waiting = [run for run in self._cleaning if run.active(now)]
        for run in self._cleaning:
            if run.status(now) is RunStatus.SUCCEEDED:
                self._clean(run)
        self._cleaning = waiting

    def _clean(self, run: Run) -> None:
        for name in run.options.input_files:
            self.inputs[run.agent.agent_id].pop(name, None)

    # --- runs ----------------------------------------------------------------------------------

    def start(self, agent: Agent, options: Options, *, several: bool = False) -> list[Run]:
        """Start one run, or one per performance session."""
        self._may_start(agent, options, several)
        sessions: list[str | None] = [options.session_id or None]
        if several:
            sessions = [f"session_{number + 1}" for number in range(agent.sessions)]
        runs = [self._begin(agent, options, session) for session in sessions]
        for run in runs:
            self.note("start", agent, run.run_id)
        return runs

    def _may_start(self, agent: Agent, options: Options, several: bool) -> None:
        if self.rules.refuse_disapproved and not agent.approved:
            raise Broken(400, "The agent is not approved.")
        if several and options.session_id:
            raise Broken(400, "The sessionId must be empty when useMultipleSessions is true.")
        if (several or options.session_id) and not agent.sessions:
            raise Broken(400, "The agent does not support sessions.")
        for name in options.input_files:
            stored = self.inputs[agent.agent_id].get(name)
            if stored is None or not stored.enabled:
                raise Broken(400, f"The input file '{name}' was not found.")

    def _begin(
        self,
        agent: Agent,
        options: Options,
        session: str | None,
        *,
        at: float | None = None,
        script: Script | None = None,
        run_id: str | None = None,
    ) -> Run:
        started = self._now() if at is None else at
        run = Run(
            run_id or self.new_id("run"),
            agent,
            started,
            script or agent.next_script(),
            options,
            self.speed,
            session,
        )
        self.runs[run.run_id] = run
        insort(self.runs_of[agent.agent_id], run, key=lambda one: one.started)
        if options.delete_inputs and options.input_files:
            self._cleaning.append(run)
        return run

    def again(self, run: Run, method: str) -> Run:
        """Restart or retry a run by one of the six methods; `restart` is the call of that name."""
        now = self._now()
        if run.active(now):
            if method != "restart":
                raise Broken(400, "The agent run is still active.")
            run.finish(now, RunStatus.STOPPED, "Stopped by a restart")
        carried = run.progress(now) if method.startswith("Continue") else 0.0
        carried = min(carried, 0.9)
        fresh = self._fresh(run, carried, method)
        self.note(method, run.agent, fresh.run_id)
        return fresh

    def _fresh(self, run: Run, carried: float, method: str) -> Run:
        if not self.rules.retry_makes_new_run:
            runs = self.runs_of[run.agent.agent_id]
            runs.remove(run)
            runs.append(run)
            run.script, run.started = run.agent.next_script(), self._now()
            run.ended = run.ended_as = run.ended_message = None
            run.carried, run.method = carried, method
            return run
        fresh = self._begin(run.agent, run.options, run.session_id)
        fresh.carried, fresh.method = carried, method
        fresh.job_number, fresh.schedule_id = run.job_number, run.schedule_id
        for job in self.jobs_of[run.agent.agent_id]:
            if job.number == run.job_number:
                job.runs = [fresh if old is run else old for old in job.runs]
                job.marked = None
        return fresh

    # --- jobs ----------------------------------------------------------------------------------

    def start_job(self, agent: Agent, options: Options) -> JobRun:
        """Start the agent's job; refused while another run of it is active."""
        self._may_start(agent, options, False)
        if self.active_job(agent) is not None:
            raise Broken(self.rules.job_conflict, "A job is already running for this agent.")
        job = self._begin_job(agent, options, self._now(), None)
        self.note("job start", agent, job.job_id)
        return job

    def active_job(self, agent: Agent) -> JobRun | None:
        """The job run that is still active."""
        now = self._now()
        return next((job for job in reversed(self.jobs_of[agent.agent_id]) if job.active(now)), None)

    def _begin_job(self, agent: Agent, options: Options, at: float, schedule_id: str | None) -> JobRun:
        agent.jobs_begun += 1
        job = JobRun(self.new_id("job"), agent, agent.jobs_begun, at)
        several = agent.job_runs > 1
        for number in range(agent.job_runs):
            session = f"session_{number + 1}" if several else options.session_id or None
            run = self._begin(agent, options, session, at=at)
            run.job_number, run.schedule_id = job.number, schedule_id
            job.runs.append(run)
        self.jobs[job.job_id] = job
        insort(self.jobs_of[agent.agent_id], job, key=lambda one: one.started)
        return job

    def mark(self, agent: Agent, status: JobStatus) -> None:
        """Set the status of the newest job run; Failed by hand deletes its inputs too."""
        jobs = self.jobs_of[agent.agent_id]
        if not jobs:
            raise Broken(404, "The agent has no job runs.")
        jobs[-1].marked = status
        if status is JobStatus.FAILED:
            for run in jobs[-1].runs:
                if run.options.delete_inputs:
                    self._clean(run)
        self.note(f"status {int(status)}", agent, jobs[-1].job_id)

    # --- schedules -----------------------------------------------------------------------------

    def schedules_of(self, agent: Agent) -> list[Schedule]:
        """The agent's schedules in the order in which they were added."""
        return [entry for entry in self.schedules.values() if entry.agent is agent]

    def put_schedule(self, schedule: Schedule) -> None:
        """Add a schedule, or change the one of that id."""
        known = self.schedules.get(schedule.schedule_id)
        if known is not None:
            if known.agent is not schedule.agent:
                raise Broken(400, "The schedule belongs to another agent.")
            schedule.last_job = known.last_job
        self.plant(schedule)
        self.note("schedule set", schedule.agent, schedule.schedule_id)

    def switch(self, schedule: Schedule, enabled: bool) -> None:
        """Enable or disable one schedule."""
        schedule.enabled = enabled
        schedule.plan(self._now())
        action = "schedule on" if enabled else "schedule off"
        self.note(action, schedule.agent, schedule.schedule_id)

    def drop_schedule(self, schedule: Schedule) -> None:
        """Delete one schedule."""
        del self.schedules[schedule.schedule_id]
        self.note("schedule delete", schedule.agent, schedule.schedule_id)

    def start_schedule(self, schedule: Schedule) -> None:
        """Run a schedule now; as a job start it is refused while the job is active."""
        if self.active_job(schedule.agent) is not None:
            raise Broken(self.rules.job_conflict, "A job is already running for this agent.")
        self._fire(schedule, self._now())
        self.note("schedule start", schedule.agent, schedule.schedule_id)

    def _fire(self, schedule: Schedule, at: float) -> None:
        if self.active_job(schedule.agent) is not None:
            schedule.error = "A job is already running for this agent."
            return
        schedule.error = None
        options = replace(schedule.options)
        schedule.last_job = self._begin_job(schedule.agent, options, at, schedule.schedule_id)

    # --- seeds: the state before any call -------------------------------------------------

    def past_run(self, agent: Agent, ago: float, script: Script, run_id: str | None) -> Run:
        """A run that began `ago` seconds before now."""
        at = self._now() - ago
        return self._begin(agent, Options(), None, at=at, script=script, run_id=run_id)

    def past_job(self, agent: Agent, ago: float, script: Script, job_id: str | None) -> JobRun:
        """A job run that began `ago` seconds before now, with one agent run."""
        agent.jobs_begun += 1
        job = JobRun(job_id or self.new_id("job"), agent, agent.jobs_begun, self._now() - ago)
        run = self.past_run(agent, ago, script, None)
        run.job_number = job.number
        job.runs.append(run)
        self.jobs[job.job_id] = job
        insort(self.jobs_of[agent.agent_id], job, key=lambda one: one.started)
        return job

    def plant(self, schedule: Schedule) -> None:
        """A schedule that existed before any call."""
        schedule.plan(self._now())
        self.schedules[schedule.schedule_id] = schedule
