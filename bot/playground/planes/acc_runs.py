"""Agents, runs and jobs of the simulated ACC: operations 1 to 10 and 20 of seed 003."""

import asyncio
from collections.abc import Sequence

from bot.playground.planes import acc_input as read
from bot.playground.planes.acc_base import AccBase
from bot.playground.planes.acc_files import table, tables
from bot.playground.planes.acc_jobs import JobRun
from bot.playground.planes.acc_model import Agent, Run, RunStatus
from bot.playground.planes.acc_world import Broken, World
from bot.playground.planes.archives import ZIP, zipped
from bot.playground.planes.wire import Call, Reply, file_reply, json_reply


class RunCalls(AccBase):
    """The operations on agents, runs and jobs."""

    def _lookup(self, call: Call) -> Reply:
        """SEED 1: the agent of a path. GUESS: 404 for an unknown path."""
        return json_reply(self.found_by_path(call).details())

    async def _start(self, call: Call) -> Reply:
        """SEED 2, by id: the ids of the runs, or the data of a synchronous start."""
        return await self._start_agent(call, self.found_agent(call))

    async def _start_by_path(self, call: Call) -> Reply:
        """SEED 2, by path."""
        return await self._start_agent(call, self.found_by_path(call))

    async def _start_agent(self, call: Call, agent: Agent) -> Reply:
        body = read.json_object(call, empty_is_default=True)
        self.expect(call, body, read.CLUSTER_FIELDS)
        several = read.several_sessions(body)
        timeout, delivery = read.waiting(body)
        runs = self.world.start(agent, read.start_options(body), several=several)
        if timeout is not None:
            await self._wait(runs, timeout)
            if delivery != "None":
                return self._delivered(runs[0], delivery)
        return json_reply({"agentRunHistoryIds": [run.run_id for run in runs]})

    async def _wait(self, runs: list[Run], seconds: float) -> None:
        deadline = self.clock.now() + seconds
        while any(run.active(self.clock.now()) for run in runs):
            if self.clock.now() >= deadline:
                for run in runs:
                    if run.active(self.clock.now()):
                        run.finish(deadline, RunStatus.STOPPED, "Stopped at synchronous timeout")
                return
            await asyncio.sleep(0.02)

    def _delivered(self, run: Run, delivery: str) -> Reply:
        now = self.clock.now()
        if delivery == "Plain":
            return file_reply(table(run, now, 0), run.agent.data_files[0], "text/plain")
        return file_reply(zipped(tables(run, now)), f"{run.agent.name}.zip", ZIP)

    def _restart(self, call: Call) -> Reply:
        """SEED 3; its reply is not shown."""
        run = self.world.again(self.found_run(call), "restart")
        return self.written(f"Agent run {run.run_id} has been started.")

    def _retry(self, call: Call) -> Reply:
        """SEED 4, with six methods; its reply is not shown."""
        run = self.found_run(call)
        method = call.first("RunMethod")
        if method is None:
            method = "ContinueAndRetryErrorsRefreshAgent"
        if method not in World.METHODS:
            raise Broken(400, f"The value '{method}' is not valid for RunMethod.")
        fresh = self.world.again(run, method)
        return self.written(f"Agent run {fresh.run_id} has been started.")

    def _run(self, call: Call) -> Reply:
        """SEED 5: the Run record with its 28 fields."""
        return json_reply(self.found_run(call).details(self.clock.now(), self.zone))

    def _history(self, call: Call) -> Reply:
        """SEED 6: the newest Run records, active ones included, 100 without `count`."""
        return self._listed(self.world.runs_of[self.found_agent(call).agent_id], read.count(call))

    def _listed(self, runs: Sequence[Run | JobRun], count: int) -> Reply:
        now = self.clock.now()
        newest = runs[max(0, len(runs) - count) :]
        return json_reply([run.details(now, self.zone) for run in reversed(newest)])

    def _start_job(self, call: Call) -> Reply:
        """SEED 7: id and number of the job run. GUESS: a second run of a job is refused with 409."""
        agent = self.found_agent(call)
        body = read.json_object(call, empty_is_default=True)
        self.expect(call, body, read.START_FIELDS)
        job = self.world.start_job(agent, read.start_options(body))
        return json_reply({"agentJobHistoryId": job.job_id, "jobRunId": job.number})

    def _job(self, call: Call) -> Reply:
        """SEED 8: the JobRun record with its 20 fields."""
        return json_reply(self.found_job(call).details(self.clock.now(), self.zone))

    def _job_history(self, call: Call) -> Reply:
        """SEED 9: the newest JobRun records."""
        return self._listed(self.world.jobs_of[self.found_agent(call).agent_id], read.count(call))

    def _job_runs(self, call: Call) -> Reply:
        """SEED 10: the runs of a job run by its number, as in the sample's `run/5` (GUESS)."""
        agent = self.found_agent(call)
        number = call.args["number"]
        if not number.isascii() or not number.isdigit():
            raise Broken(400, f"The value '{number}' is not valid for Int32.")
        runs = [run for run in self.world.runs_of[agent.agent_id] if run.job_number == int(number)]
        return self._listed(runs if int(number) else [], read.count(call))

    def _mark(self, call: Call) -> Reply:
        """SEED 20: the status of the latest job run; its reply is not shown."""
        agent = self.found_agent(call)
        self.world.mark(agent, read.job_status(read.json_object(call)))
        return self.written("The job status has been set.")
