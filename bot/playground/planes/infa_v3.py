"""The v3 operations of the simulated IICS (SEED: seed 000; DOC: the vendor's REST API reference, version 3)."""

import re
from typing import Any

from bot.playground.planes.infa_base import InfaBase
from bot.playground.planes.infa_model import InfaSchedule, SecureAgent, Service
from bot.playground.planes.wire import Call, Reply, json_reply

_STARTED = (
    "Successfully initiated start action. Note that only the latest version of the service will "
    "be started. Send a GET request to /v2/agent/details API to check the updated status of the "
    "service."
)
_STOPPED = (
    "Successfully initiated stop action. Send a GET request to /v2/agent/details API to check the "
    "updated status of the service."
)


class V3Calls(InfaBase):
    """The operations under `/public/core/v3`."""

    def v3_login(self, call: Call) -> Reply:
        """DOC login: session id and the base of all further calls."""
        session_id = self.log_in(call)
        product = {"name": "Integration Cloud", "baseApiUrl": f"{self.base_url}/saas"}
        user = {
            "sessionId": session_id,
            "id": "playgroundUser0000001",
            "name": self.username,
            "parentOrgId": "52ZSTB0IDK6dXxaEQLUaQu",
            "orgId": "playgroundOrg00000001",
            "orgName": "Acme",
            "groups": {},
            "status": "Active",
        }
        return json_reply({"products": [product], "userInfo": user})

    def v3_logout(self, call: Call) -> Reply:
        """DOC logout: end the session."""
        self.sessions.pop(call.headers.get("INFA-SESSION-ID", ""), None)
        return Reply(200)

    def lookup(self, call: Call) -> Reply:
        """DOC lookup: ids of objects by path and type, and the reverse; the code for `not found` is not documented."""
        wanted = self.body(call).get("objects")
        if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
            raise self.refuse(call, "V3API_007", "The field objects is required.", 400)
        return json_reply({"objects": [self._looked_up(call, one) for one in wanted]})

    def _looked_up(self, call: Call, wanted: Any) -> dict[str, object]:
        rows = [(agent.federated_id, agent.name, "Agent") for agent in self.agents]
        rows += [(task.federated_id, task.name, task.sort) for task in self.tasks]
        rows += [(entry.federated_id, entry.name, "Schedule") for entry in self.schedules]
        for found_id, path, sort in rows:
            by_id = wanted.get("id") == found_id
            by_path = wanted.get("path") == path
            if by_id or (by_path and str(wanted.get("type", "")).lower() == sort.lower()):
                rest = {"description": "", "updatedBy": "admin@example.com"}
                when = {"updateTime": "2026-01-05T08:00:00Z"}
                return {"id": found_id, "path": path, "type": sort, **rest, **when}
        text = f"The object {wanted.get('path') or wanted.get('id')} was not found."
        raise self.refuse(call, "MigrationSvc_009", text, 404)

    # --- services ------------------------------------------------------------------------------

    def agent_service(self, call: Call) -> Reply:
        """SEED: start or stop a service by its display name. CODE iics-cli: the codes _003 and V3API_007; others are made up."""
        body = self.body(call)
        fields = [body.get(name) for name in ("serviceName", "serviceAction", "agentId")]
        if not all(isinstance(value, str) and value for value in fields):
            text = "serviceName, serviceAction and agentId are required."
            raise self.refuse(call, "V3API_007", text, 400)
        agent = next((one for one in self.agents if one.federated_id == body["agentId"]), None)
        if agent is None:
            raise self.refuse(call, "AgentServiceV3APIError_003", "Invalid agent.", 400)
        service = agent.services.get(body["serviceName"])
        if service is None:
            raise self.refuse(call, "AgentServiceV3APIError_002", "Invalid service name.", 400)
        if body["serviceAction"] == "start":
            return self._start(call, agent, service)
        if body["serviceAction"] == "stop":
            return self._stop(call, agent, service)
        raise self.refuse(call, "AgentServiceV3APIError_001", "Invalid service action.", 400)

    def _start(self, call: Call, agent: SecureAgent, service: Service) -> Reply:
        if not agent.active:
            raise self.refuse(call, "AgentServiceV3APIError_004", "The agent is not active.", 400)
        if service.phase == "stopping":
            raise self.refuse(call, "AgentServiceV3APIError_005", "The service is stopping.", 400)
        if service.phase in {"running", "starting"}:
            status, _ = service.status(self.clock.now(), self.pace)
            return json_reply({"serviceState": status, "message": "The service is already up."})
        service.phase, service.since = "starting", self.clock.now()
        service.starts += 1
        self.note("start", f"{agent.name}/{service.display_name}")
        return json_reply({"serviceState": "STARTING", "message": _STARTED})

    def _stop(self, call: Call, agent: SecureAgent, service: Service) -> Reply:
        if service.phase == "starting":
            raise self.refuse(call, "AgentServiceV3APIError_005", "The service is starting.", 400)
        if service.phase == "stopped":
            text = "The service is not running."
            return json_reply({"serviceState": "USER_STOPPED", "message": text})
        if service.phase != "stopping":
            service.phase, service.since = "stopping", self.clock.now()
            self._kill_jobs(agent, service)
            self.note("stop", f"{agent.name}/{service.display_name}")
        return json_reply({"serviceState": "STOPPING", "message": _STOPPED})

    def _kill_jobs(self, agent: SecureAgent, service: Service) -> None:
        now = self.clock.now()
        for job in self.jobs:
            runs_here = job.task.agent is agent and service.display_name == "Data Integration Server"
            if runs_here and job.active(now):
                job.stopping = now
                job.stopped_for = f"The service {service.display_name} was stopped."

    # --- schedules -----------------------------------------------------------------------------

    def list_schedules(self, call: Call) -> Reply:
        """DOC Schedules: all, or those that `q` names: `status=='Disabled'`, `name=='nightly'`."""
        wanted = re.findall(r"(\w+)\s*==\s*'([^']*)'", call.first("q") or "")
        rows = [schedule.record() for schedule in self.schedules]
        for name, value in wanted:
            rows = [row for row in rows if str(row.get(name, "")).lower() == value.lower()]
        return json_reply({"schedules": rows} if self.wrap_schedules else rows)

    def _found_schedule(self, call: Call) -> InfaSchedule:
        for schedule in self.schedules:
            if call.args["scheduleId"] in {schedule.schedule_id, schedule.federated_id}:
                return schedule
        raise self.refuse(call, "SCHEDULER_404", "The schedule was not found.", 404)

    def one_schedule(self, call: Call) -> Reply:
        """DOC Schedules: one."""
        return json_reply(self._found_schedule(call).record())

    def patch_schedule(self, call: Call) -> Reply:
        """DOC Schedules: change `status` (enabled or disabled), `name` or `interval`."""
        schedule = self._found_schedule(call)
        body = self.body(call)
        status = str(body.get("status", "enabled" if schedule.enabled else "disabled")).lower()
        if status not in {"enabled", "disabled"}:
            raise self.refuse(call, "SCHEDULER_400", "The status is not valid.", 400)
        schedule.enabled = status == "enabled"
        schedule.name = str(body.get("name", schedule.name))
        schedule.interval = str(body.get("interval", schedule.interval))
        schedule.updated = self.clock.now()
        self.note(f"schedule {status}", schedule.name)
        return json_reply(schedule.record())
