"""Services and jobs of the simulated Itential Platform: run, follow, pause, cancel, retry."""

import asyncio
import re
from typing import Any

from bot.playground.planes.itn_base import ItentialBase
from bot.playground.planes.itn_model import ItnJob, ItnService, run_uuid
from bot.playground.planes.wire import Call, Refusal, Reply, json_reply

_RUN_FIELDS = frozenset({"serviceName", "clusterId", "params", "inventory"})


class RunCalls(ItentialBase):
    """The operations on services and jobs."""

    def list_services(self, call: Call) -> Reply:
        """DOC get-services: all, or those of one cluster with `cluster_id`; the list is under `result`."""
        cluster = call.first("cluster_id")
        now = self.clock.now()
        rows = [one.record(now) for one in self.services if cluster in {None, one.cluster}]
        return json_reply({"state": "Success", "result": rows})

    def one_service(self, call: Call) -> Reply:
        """DOC get-service-by-id: `{state, result: {...}}`."""
        for service in self.services:
            if service.service_id == call.args["id"]:
                return json_reply({"state": "Success", "result": service.record(self.clock.now())})
        raise self.failed("Service not found")

    async def run_service(self, call: Call) -> Reply:
        """SEED and DOC run-service: `serviceName`, `clusterId`, `params`, on newer platforms `inventory`; in the chosen shape of
        reply."""
        body = self.body(call)
        service = self._named(body)
        params = body.get("params") or {}
        if not isinstance(params, dict):
            raise self.failed("params must be object")
        self._may_run(service, params)
        inventory = body.get("inventory", [])
        if not isinstance(inventory, list) or not all(
            isinstance(one, dict) and one.get("inventory") for one in inventory
        ):
            raise self.failed("inventory must be an array of objects with the property 'inventory'")
        job = ItnJob(
            self.new_id("job"),
            service,
            params,
            self.clock.now(),
            service.next_script(),
            self.username,
        )
        self.jobs.append(job)
        service.last = job
        self.note("run", f"{service.cluster}/{service.name}")
        if self.shape == "asynchronous":
            return self._accepted(job)
        while not job.ended(self.clock.now()):  # noqa: ASYNC110 - a clock that is moved by hand sets no event
            await asyncio.sleep(0.02)
        return self._finished(job)

    def _named(self, body: dict[str, Any]) -> ItnService:
        unknown = set(body) - _RUN_FIELDS
        missing = {"serviceName", "clusterId", "params"} - set(body)
        if self.strict and (unknown or missing):
            raise self.failed(f"request body: missing {sorted(missing)}, unknown {sorted(unknown)}")
        name, cluster = body.get("serviceName"), body.get("clusterId")
        for service in self.services:
            if name in {None, service.name} and cluster in {None, service.cluster}:
                return service
        raise self.failed(f"Service {name} was not found on {cluster}")

    def _may_run(self, service: ItnService, params: dict[str, Any]) -> None:
        gateways = [one for one in self.gateways.values() if one["cluster_id"] == service.cluster]
        if gateways and (not gateways[0]["enabled"] or gateways[0]["readonly"]):
            raise self.failed(f"Gateway {service.cluster} cannot run services")
        if not self.connected.get(service.cluster, True):
            raise self.failed(f"Gateway {service.cluster} is not connected")
        problem = service.problem(params)
        if problem is not None:
            raise self.failed(f"params {problem}")

    def _accepted(self, job: ItnJob) -> Reply:
        """SEED: the sample reply of the page, `{state, message, result: {_id, job_id, data}}`."""
        ids = {"_id": self.new_id("run"), "job_id": job.job_id, "data": run_uuid(job.job_id)}
        text = f"Running {job.service.name} on {job.service.cluster}"
        return json_reply({"state": "Success", "message": text, "result": ids})

    def _finished(self, job: ItnJob) -> Reply:
        """DOC itential-cloud run-service: `{id, jsonrpc, status, result}` once the run has ended."""
        now = self.clock.now()
        head = {"id": run_uuid(job.job_id), "jsonrpc": "2.0"}
        if job.status(now) == "canceled":
            error = {"code": -32000, "message": "Run failed", "data": "The run was canceled."}
            return json_reply({**head, "status": "error", "error": error})
        status = "completed" if job.status(now) == "complete" else "error"
        return json_reply({**head, "status": status, "result": job.result(now)})

    # --- jobs of the operations manager --------------------------------------------------------

    def list_jobs(self, call: Call) -> Reply:
        """CODE itential-mcp: `{message, data, metadata}`, newest first; a filter by an unknown name is silently ignored."""
        now = self.clock.now()
        rows = [job.record(now) for job in reversed(self.jobs)]
        for key, value in call.query:
            found = re.fullmatch(r"(equals|contains)\[(status|name)\]", key)
            if found is None:
                continue
            exact = found[1] == "equals"
            rows = [row for row in rows if (row[found[2]] == value if exact else value in str(row[found[2]]))]
        skip, limit = (_number(call.first(name), rest) for name, rest in (("skip", 0), ("limit", 25)))
        page = {"total": len(rows), "skip": skip, "limit": limit}
        return _envelope("Successfully retrieved jobs", rows[skip : skip + limit], page)

    def one_job(self, call: Call) -> Reply:
        """CODE itential-mcp: `{message, data, metadata}`; an unknown id is answered with 404 (its form is not documented)."""
        record = self._job(call.args["id"]).record(self.clock.now())
        return _envelope("Successfully retrieved job", record, {})

    def _job(self, job_id: object) -> ItnJob:
        for job in self.jobs:
            if job.job_id == job_id:
                return job
        raise Refusal(json_reply({"message": "Job not found", "data": None, "metadata": {}}, 404))

    def pause_jobs(self, call: Call) -> Reply:
        """DOC operations-manager pause-jobs (title), CODE itential-mcp: `{jobIds}`, at most 100."""
        for job in self._jobs_in(call, {"running"}):
            job.paused_at = self.clock.now()
            self.note("pause", job.job_id)
        return _envelope("Successfully paused jobs", None, {})

    def resume_jobs(self, call: Call) -> Reply:
        """DOC operations-manager resume-jobs (title), CODE itential-mcp: as `pause_jobs`, for paused jobs."""
        for job in self._jobs_in(call, {"paused"}):
            job.paused_for += self.clock.now() - (job.paused_at or 0)
            job.paused_at = None
            self.note("resume", job.job_id)
        return _envelope("Successfully resumed jobs", None, {})

    def cancel_jobs(self, call: Call) -> Reply:
        """DOC cancel-jobs (title), CODE itential-mcp: one in `error` is still active and can be canceled too."""
        for job in self._jobs_in(call, {"running", "paused", "error"}):
            job.canceled_at = self.clock.now()
            self.note("cancel", job.job_id)
        return _envelope("Successfully canceled jobs", None, {})

    def _jobs_in(self, call: Call, states: set[str]) -> list[ItnJob]:
        ids = self.body(call).get("jobIds")
        if not isinstance(ids, list) or not 0 < len(ids) <= 100:
            raise Refusal(json_reply({"message": "jobIds must hold 1 to 100 ids"}, 400))
        jobs = [self._job(job_id) for job_id in ids]
        for job in jobs:
            status = job.status(self.clock.now())
            if status not in states:
                raise Refusal(json_reply({"message": f"Job {job.job_id} is {status}"}, 400))
        return jobs

    def retry_task(self, call: Call) -> Reply:
        """CODE itential-mcp: POST jobs/ID/tasks/TASK/retry runs the failed task again."""
        job = self._job(call.args["id"])
        now = self.clock.now()
        if call.args["taskId"] != job.task_id or job.status(now) != "error":
            raise Refusal(json_reply({"message": "The task cannot be retried"}, 400))
        job.script, job.started = job.service.next_script(), now
        job.paused_for, job.retries = 0.0, job.retries + 1
        self.note("retry", job.job_id)
        return _envelope("Successfully retried task", job.record(now), {})


def _envelope(message: str, data: object, metadata: dict[str, int]) -> Reply:
    return json_reply({"message": message, "data": data, "metadata": metadata})


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else default
