"""A simulated Sequentum Agent Control Center: the 31 operations of seed 003 over HTTP.

Sources: SEED N is operation N of the vendor's page from top to bottom; GUESS is what that page leaves open.
"""

from collections.abc import Awaitable
from functools import wraps

from bot.playground.planes.acc_base import Server
from bot.playground.planes.acc_downloads import FileCalls
from bot.playground.planes.acc_model import Agent, RunStatus, Script
from bot.playground.planes.acc_runs import RunCalls
from bot.playground.planes.acc_schedules import ScheduleCalls
from bot.playground.planes.acc_world import Broken, Rules
from bot.playground.planes.wire import Call, Handler, Reply, Route, json_reply, route, text_reply

__all__ = ["Agent", "Rules", "RunStatus", "Script", "SequentumPlane", "Server"]


class SequentumPlane(RunCalls, ScheduleCalls, FileCalls):
    """A stateful ACC; its constructor, knobs and effects are those of `AccBase`."""

    def routes(self) -> tuple[Route, ...]:
        table_ = (
            ("GET", "/api/agent", self._lookup),
            ("POST", "/api/agent/cluster/start", self._start_by_path),
            ("POST", "/api/agent/{agentId}/cluster/start", self._start),
            ("POST", "/api/run/{runId}/restart", self._restart),
            ("POST", "/api/run/{runId}/retry", self._retry),
            ("GET", "/api/run/{runId}", self._run),
            ("GET", "/api/agent/{agentId}/history", self._history),
            ("POST", "/api/job/{agentId}/start", self._start_job),
            ("GET", "/api/job/run/{jobId}", self._job),
            ("GET", "/api/job/{agentId}/history", self._job_history),
            ("GET", "/api/agent/{agentId}/run/{number}/history", self._job_runs),
            ("GET", "/api/job/{agentId}/schedules", self._schedules),
            ("POST", "/api/job/{agentId}/schedule", self._put_schedule),
            ("DELETE", "/api/job/schedule/{scheduleId}", self._drop_schedule),
            ("DELETE", "/api/job/{agentId}/schedules", self._drop_schedules),
            ("POST", "/api/job/schedule/{scheduleId}/start", self._start_schedule),
            ("POST", "/api/job/schedule/{scheduleId}/off", self._schedule_off),
            ("POST", "/api/job/{agentId}/schedules/off", self._schedules_off),
            ("POST", "/api/job/schedule/{scheduleId}/on", self._schedule_on),
            # As printed, without a slash after the id, and as the page's own sample has it.
            ("POST", "/api/job/{agentId}schedules/on", self._schedules_on),
            ("POST", "/api/job/{agentId}/schedules/on", self._schedules_on),
            ("POST", "/api/job/{agentId}/status", self._mark),
            ("GET", "/api/run/{runId}/log", self._log_zip),
            ("GET", "/api/job/run/{jobId}/logs", self._job_logs),
            ("GET", "/api/job/run/{jobId}/backup", self._job_backup),
            ("GET", "/api/run/{runId}/backup", self._backup),
            ("POST", "/api/input/agent/{agentId}/csv", self._put_csv),
            ("POST", "/api/input/agent/{agentId}/files", self._upload),
            ("DELETE", "/api/input/agent/{agentId}", self._clear_inputs),
            ("POST", "/api/input/agent/{agentId}/disable", self._disable_inputs),
            ("POST", "/api/server/check", self._check_server),
            ("POST", "/api/agent/{agentId}/toggleAgentApproval/True", self._disapprove),
            ("POST", "/api/agent/{agentId}/toggleAgentApproval/False", self._approve),
        )
        return tuple(route(method, path, _guarded(handler)) for method, path, handler in table_)


def _guarded(handler: Handler) -> Handler:
    """Broken rules become answers (GUESS: the page shows no errors): some as plain text, others as a JSON message."""

    @wraps(handler)
    async def guarded(call: Call) -> Reply:
        try:
            answer = handler(call)
            return await answer if isinstance(answer, Awaitable) else answer
        except Broken as broken:
            if broken.status == 404 and call.method == "GET":
                return json_reply({"message": str(broken)}, 404)
            if broken.status in {404, 409}:
                return text_reply(str(broken), broken.status)
            return json_reply({"message": str(broken)}, broken.status)

    return guarded
