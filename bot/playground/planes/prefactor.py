"""A simulated Prefactor: agents and their instances (seed 002)."""

from typing import Any

from bot.playground.planes.pre_base import PrefactorBase, conflict, error, invalid
from bot.playground.planes.pre_model import FINISHED, Instance, PreAgent
from bot.playground.planes.wire import Call, Refusal, Reply, Route, json_reply, route

__all__ = ["PrefactorPlane"]

API = "/api/v1"


class PrefactorPlane(PrefactorBase):
    """A stateful account; constructor, knobs and effects are those of `PrefactorBase`."""

    def routes(self) -> tuple[Route, ...]:
        return (
            route("GET", f"{API}/ping", self._ping),
            route("GET", f"{API}/api_token", self._list_tokens),
            route("GET", f"{API}/api_token/{{id}}", self._read_token),
            route("POST", f"{API}/agent", self._create),
            route("GET", f"{API}/agent", self._list),
            route("GET", f"{API}/agent/show", self._show),
            route("GET", f"{API}/agent/{{id}}", self._read),
            route("PUT", f"{API}/agent/{{id}}", self._update),
            route("DELETE", f"{API}/agent/{{id}}", self._delete),
            route("POST", f"{API}/agent/{{id}}/retire", self._retire),
            route("POST", f"{API}/agent/{{id}}/reinstate", self._reinstate),
            route("GET", f"{API}/agent_instance", self._list_instances),
            route("GET", f"{API}/agent_instance/{{id}}", self._read_instance),
            route("POST", f"{API}/agent_instance/{{id}}/start", self._start_instance),
            route("POST", f"{API}/agent_instance/{{id}}/finish", self._finish_instance),
            route("POST", f"{API}/agent_instance/{{id}}/terminate", self._terminate_instance),
        )

    def _ping(self, call: Call) -> Reply:
        """CODE typescript-sdk: checks the token."""
        return json_reply({"status": "success"})

    def _list_tokens(self, call: Call) -> Reply:
        """CODE typescript-sdk clients/api-token.ts: the tokens of the account."""
        return self.page(call, self.tokens)

    def _read_token(self, call: Call) -> Reply:
        """CODE typescript-sdk clients/api-token.ts: one token."""
        found = [token for token in self.tokens if token["id"] == call.args["id"]]
        if not found:
            raise Refusal(error("not_found", "The API token was not found.", 404))
        return json_reply({"status": "success", "details": found[0]})

    # --- agents --------------------------------------------------------------------------------

    def _details(self, agent: PreAgent, status: int = 200) -> Reply:
        record = agent.record(self.generation, counts=True)
        return json_reply({"status": "success", "details": record}, status)

    def _agent(self, call: Call) -> PreAgent:
        agent = self.agents.get(call.args["id"])
        if agent is None:
            raise Refusal(error("not_found", "The agent was not found.", 404))
        return agent

    def _create(self, call: Call) -> Reply:
        """SEED POST /api/v1/agent; its body is blank there: `{details, idempotency_key}` is CODE prefactor-http."""
        body = self.body(call)
        return self.once(call, body, lambda: self._created(body.get("details")))

    def _created(self, details: Any) -> Reply:
        if not isinstance(details, dict):
            raise Refusal(error("bad_request", "The field details is missing.", 400))
        name, external = details.get("name"), details.get("external_identifier")
        if not isinstance(name, str) or not name.strip():
            raise invalid({"name": ["can't be blank"]})
        taken = {agent.external_identifier for agent in self.agents.values()} - {None}
        if external in taken:
            raise invalid({"external_identifier": ["has already been taken"]})
        if details.get("id") in self.agents:
            raise invalid({"id": ["has already been taken"]})
        agent = self.add_agent(
            name,
            agent_id=details.get("id"),
            description=details.get("description"),
            external_identifier=external,
            environment_id=details.get("environment_id"),
        )
        self.note("create", agent.agent_id)
        return self._details(agent, self.create_status)

    def _list(self, call: Call) -> Reply:
        """DOC operations/-11: agents without counts, newest first."""
        environment = call.first("environment_id")
        rows = [
            agent.record(self.generation, counts=False)
            for agent in reversed(self.agents.values())
            if environment in {None, agent.environment_id}
        ]
        return self.page(call, rows)

    def _show(self, call: Call) -> Reply:
        """CODE prefactor-http: by id or external identifier."""
        key, external = call.first("agent_id"), call.first("external_identifier")
        counts = call.first("include_counts") == "true"
        for agent in self.agents.values():
            same_name = external is not None and agent.external_identifier == external
            if agent.agent_id == key or same_name:
                record = agent.record(self.generation, counts=counts)
                return json_reply({"status": "success", "details": record})
        raise Refusal(error("not_found", "The agent was not found.", 404))

    def _read(self, call: Call) -> Reply:
        """CODE prefactor-http: one agent with its counts."""
        return self._details(self._agent(call))

    def _update(self, call: Call) -> Reply:
        """CODE prefactor-http: fields that are left out stay."""
        agent, body = self._agent(call), self.body(call)
        return self.once(call, body, lambda: self._updated(agent, body.get("details")))

    def _updated(self, agent: PreAgent, details: Any) -> Reply:
        if not isinstance(details, dict):
            raise Refusal(error("bad_request", "The field details is missing.", 400))
        if not agent.actions()["update"]:
            raise conflict("A retired agent cannot be updated.")
        if details.get("external_identifier", agent.external_identifier) != agent.external_identifier:
            raise invalid({"external_identifier": ["cannot be changed"]})
        if "name" in details and not str(details["name"] or "").strip():
            raise invalid({"name": ["can't be blank"]})
        agent.name = str(details.get("name", agent.name))
        agent.description = details.get("description", agent.description)
        agent.updated = self.clock.now()
        self.note("update", agent.agent_id)
        return self._details(agent)

    def _delete(self, call: Call) -> Reply:
        """CODE prefactor-http: answered with the deleted agent."""
        return self.once(call, self.body(call), lambda: self._deleted(self._agent(call)))

    def _deleted(self, agent: PreAgent) -> Reply:
        if not agent.actions()["delete"]:
            raise conflict("The agent has instances; retire it first.")
        del self.agents[agent.agent_id]
        self.note("delete", agent.agent_id)
        return self._details(agent)

    def _retire(self, call: Call) -> Reply:
        """DOC operations/-18."""
        return self._set_retired(call, "retire", True)

    def _reinstate(self, call: Call) -> Reply:
        """DOC, as `retire`."""
        return self._set_retired(call, "reinstate", False)

    def _set_retired(self, call: Call, action: str, retired: bool) -> Reply:
        agent = self._agent(call)

        def act() -> Reply:
            if not agent.actions()[action]:
                raise conflict(f"The agent is {agent.status}: {action} is not available.")
            agent.retired, agent.updated = retired, self.clock.now()
            self.note(action, agent.agent_id)
            return self._details(agent)

        return self.once(call, self.body(call), act)

    # --- instances -----------------------------------------------------------------------------

    def _instance(self, call: Call) -> Instance:
        instance = self.instances.get(call.args["id"])
        if instance is None:
            raise Refusal(error("not_found", "The agent instance was not found.", 404))
        return instance

    def _list_instances(self, call: Call) -> Reply:
        """DOC queryagentinstancelist: newest first."""
        agent = call.first("agent_id")
        rows = [
            instance.record() for instance in reversed(self.instances.values()) if agent in {None, instance.agent_id}
        ]
        return self.page(call, rows)

    def _instance_details(self, instance: Instance) -> Reply:
        return json_reply({"status": "success", "details": instance.record()})

    def _read_instance(self, call: Call) -> Reply:
        """CODE prefactor-http."""
        return self._instance_details(self._instance(call))

    def _start_instance(self, call: Call) -> Reply:
        """CODE prefactor-http."""
        instance = self._instance(call)

        def act() -> Reply:
            if instance.status != "pending":
                raise conflict(f"The instance is {instance.status}.")
            instance.status, instance.started = "active", self.clock.now()
            self.note("instance start", instance.instance_id)
            return self._instance_details(instance)

        return self.once(call, self.body(call), act)

    def _finish_instance(self, call: Call) -> Reply:
        """CODE prefactor-http: complete, failed, or cancelled while it is pending."""
        instance, body = self._instance(call), self.body(call)
        status = body.get("status", "complete")
        if status not in {"complete", "failed", "cancelled"}:
            raise invalid({"status": ["is invalid"]})

        def act() -> Reply:
            wanted = "pending" if status == "cancelled" else "active"
            if instance.status in FINISHED or instance.status != wanted:
                raise conflict(f"The instance is {instance.status}.")
            instance.finish(self.clock.now(), status)
            self.note(f"instance {status}", instance.instance_id)
            return self._instance_details(instance)

        return self.once(call, body, act)

    def _terminate_instance(self, call: Call) -> Reply:
        """CODE typescript-sdk: an active instance, with a reason."""
        instance, body = self._instance(call), self.body(call)
        if instance.status != "active":
            raise conflict(f"The instance is {instance.status}.")
        instance.finish(self.clock.now(), "terminated", body.get("reason"))
        self.note("instance terminate", instance.instance_id)
        return self._instance_details(instance)
