"""The v2 operations of the simulated IICS: login, agents, jobs and their logs (DOC: REST API reference, version 2)."""

from typing import Any

from bot.playground.planes.archives import zipped
from bot.playground.planes.infa_base import InfaBase, base62
from bot.playground.planes.infa_model import Job, SecureAgent, Task
from bot.playground.planes.wire import Call, Reply, file_reply, json_reply

_SORTS = frozenset({"DMASK", "DRS", "DSS", "MTT", "PCS", "WORKFLOW"})


class V2Calls(InfaBase):
    """The operations under `/api/v2`."""

    def v2_login(self, call: Call) -> Reply:
        """DOC login: the user object, with the session id and the base of all further calls."""
        return self._user(self.log_in(call))

    def oauth_login(self, call: Call) -> Reply:
        """DOC loginOAuth: `{"oauthToken", "orgId"}` is answered with the user object, as a login with a password is."""
        return self._user(self.log_in_by_identity(call))

    def _user(self, session_id: str) -> Reply:
        return json_reply(
            {
                "@type": "user",
                "id": "playgroundUser0000001",
                "orgId": self.org_id,
                "name": self.username,
                "timezone": "GMT",
                "serverUrl": f"{self.base_url}/saas",
                "icSessionId": session_id,
            }
        )

    def valid_session(self, call: Call) -> Reply:
        """DOC validSessionId: minutes until an idle session ends."""
        body = self.body(call)
        session = self.sessions.get(str(body.get("icToken")))
        idle = 0.0 if session is None else self.clock.now() - session.used
        left = 0 if session is None else max(0, int(self.idle_minutes - idle / 60))
        valid = session is not None and left > 0
        answer = {"@type": "validatedToken", "timeUntilExpire": left, "isValidToken": valid}
        return json_reply(answer)

    # --- agents --------------------------------------------------------------------------------

    def list_agents(self, call: Call) -> Reply:
        """DOC Secure_Agents_and_services: all agents, without paging (CODE iics-cli)."""
        return json_reply([agent.record(self.clock.now()) for agent in self.agents])

    def _found_agent(self, call: Call) -> SecureAgent:
        for agent in self.agents:
            by_id = call.args.get("agentId") == agent.v2_id
            if by_id or call.args.get("agentName") == agent.name:
                return agent
        raise self.refuse(call, "UI_10000", "The agent was not found.", 404)

    def one_agent(self, call: Call) -> Reply:
        """DOC Secure_Agents_and_services: one agent by its v2 id or its name."""
        return json_reply(self._found_agent(call).record(self.clock.now()))

    def all_details(self, call: Call) -> Reply:
        """DOC Secure_Agents_and_services: the details of all agents."""
        return json_reply([self._details(call, agent) for agent in self.agents])

    def one_details(self, call: Call) -> Reply:
        """DOC Secure_Agents_and_services: the details of one agent, by its v2 id only."""
        return json_reply(self._details(call, self._found_agent(call)))

    def _details(self, call: Call, agent: SecureAgent) -> dict[str, object]:
        with_configs = (call.first("onlyStatus") or "").lower() == "false"
        return agent.details(self.clock.now(), self.pace, with_configs)

    # --- jobs ----------------------------------------------------------------------------------

    def _found_task(self, call: Call, body: dict[str, Any]) -> Task:
        if body.get("taskType") not in _SORTS:
            raise self.refuse(call, "UI_10002", "The taskType is not valid.", 400)
        for task in self.tasks:
            same = (
                body.get("taskId") == task.task_id
                or body.get("taskFederatedId") == task.federated_id
                or body.get("taskName") == task.name
            )
            if same and body["taskType"] == task.sort:
                return task
        raise self.refuse(call, "UI_10003", "The task was not found.", 404)

    def start_job(self, call: Call) -> Reply:
        """DOC jobs: run a task; its agent must have a running Data Integration Server (the codes of refusals are made up)."""
        body = self.body(call)
        task = self._found_task(call, body)
        server = task.agent.services.get("Data Integration Server")
        if not task.agent.active or (server is not None and server.phase != "running"):
            raise self.refuse(call, "UI_10004", "The agent is not ready to run jobs.", 403)
        run_id = 1 + self.ids_made + sum(job.task is task for job in self.jobs)
        log_id = base62(f"{self.name}/job/{self.ids_made + len(self.jobs)}", 20)
        length = self.pace.job if task.lasts is None else task.lasts
        self.jobs.append(Job(log_id, run_id, task, self.clock.now(), length, utc_fields=self.utc_fields))
        self.note("job start", task.name)
        answer = {"@type": "job", "taskId": task.task_id, "taskName": task.name}
        rest = {"taskType": task.sort, "runId": run_id, "callbackURL": body.get("callbackURL")}
        return json_reply({**answer, **rest})

    def stop_job(self, call: Call) -> Reply:
        """DOC jobs: stop the running job of a task; `cleanStop=true` takes longer. DOC Error_object: 403 is a missing right."""
        task = self._found_task(call, self.body(call))
        now = self.clock.now()
        running = [job for job in self.jobs if job.task is task and job.active(now)]
        if not running:
            raise self.refuse(call, "UI_10005", "The task is not running.", 400)
        if task.stop_refused:
            raise self.refuse(call, "UI_10009", "The user does not have the privilege to stop this task.", 403)
        clean = (call.first("cleanStop") or "").lower() == "true"
        for job in running:
            job.stopping = now + (3 if clean else 1)
            job.stopped_for = "The job was stopped by a user."
        self.note("job stop", task.name)
        text = f"The task {task.name} will be stopped."
        return json_reply({"@type": "success", "code": None, "description": text})

    # --- logs ----------------------------------------------------------------------------------

    def monitor(self, call: Call) -> Reply:
        """DOC activityMonitor: the jobs that run now, and for `lingers` seconds those that have ended. GUESS: one that has
        just started may be missing."""
        now = self.clock.now()
        listed = [job for job in self.jobs if job.started + self.lists_after <= now < job.end() + self.lingers]
        return json_reply([job.monitor(now) for job in listed])

    def activity_log(self, call: Call) -> Reply:
        """DOC activityLog: ended jobs, newest first; `runId` needs `taskId`."""
        run_id, task_id = call.first("runId"), call.first("taskId")
        if run_id is not None and task_id is None:
            raise self.refuse(call, "UI_10006", "The taskId is required with the runId.", 400)
        now = self.clock.now()
        rows = [job for job in reversed(self.jobs) if not job.active(now)]
        rows = [job for job in rows if task_id in {None, job.task.task_id}]
        rows = [job for job in rows if run_id in {None, str(job.run_id)}]
        first = self._number(call, "offset", 0)
        last = first + self._number(call, "rowLimit", 200)
        return json_reply([job.log() for job in rows[first:last]])

    def _number(self, call: Call, name: str, default: int) -> int:
        text = call.first(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit():
            raise self.refuse(call, "UI_10008", f"The {name} is not valid.", 400)
        return int(text)

    def _ended_job(self, call: Call) -> Job:
        now = self.clock.now()
        for job in self.jobs:
            if job.log_id == call.args["logId"] and not job.active(now):
                return job
        raise self.refuse(call, "UI_10007", "The log entry was not found.", 404)

    def one_log(self, call: Call) -> Reply:
        """DOC activityLog/ID."""
        return json_reply(self._ended_job(call).log())

    def session_log(self, call: Call) -> Reply:
        """DOC activityLog/ID/sessionLog: a download, as a text or as a zip."""
        job = self._ended_job(call)
        name, text = f"{job.log_id}.log", job.session_log().encode()
        if not self.zip_session_log:
            return file_reply(text, name, "text/plain")
        return file_reply(zipped({name: text}), f"{job.log_id}.zip", "application/zip;charset=UTF-8")
