"""A simulated Itential Platform: gateway manager and operations manager (SEED: seed 001)."""

from bot.playground.planes.itn_model import Script
from bot.playground.planes.itn_resources import ResourceCalls
from bot.playground.planes.itn_runs import RunCalls
from bot.playground.planes.wire import Call, Reply, Route, json_reply, route

__all__ = ["ItentialPlane", "Script"]

GM = "/gateway_manager/v1"
OM = "/operations-manager/jobs"


class ItentialPlane(RunCalls, ResourceCalls):
    """A stateful platform; constructor, knobs and effects are those of `ItentialBase`."""

    version = "2023.2.14"

    def routes(self) -> tuple[Route, ...]:
        return (
            route("POST", "/login", self.log_in, public=True),
            route("POST", "/oauth/token", self.oauth_token, public=True),
            route("GET", "/whoami", self.whoami),
            route("GET", f"{GM}/services", self.list_services),
            route("GET", f"{GM}/services/{{id}}", self.one_service),
            route("POST", f"{GM}/services/run", self.run_service),
            route("GET", f"{GM}/gateways", self.list_gateways),
            route("POST", f"{GM}/gateways", self.create_gateway),
            route("GET", f"{GM}/gateways/{{id}}", self.one_gateway),
            route("PUT", f"{GM}/gateways/{{id}}", self.set_gateway),
            route("DELETE", f"{GM}/gateways/{{id}}", self.delete_gateway),
            route("GET", f"{GM}/connections", self.list_connections),
            route("GET", f"{GM}/connections/{{id}}", self.one_connection),
            route("GET", f"{GM}/service-groups", self.list_groups),
            route("POST", f"{GM}/service-groups", self.create_group),
            route("GET", f"{GM}/service-groups/{{id}}", self.one_group),
            route("PATCH", f"{GM}/service-groups/{{id}}", self.set_group),
            route("DELETE", f"{GM}/service-groups/{{id}}", self.delete_group),
            route("GET", f"{GM}/certificates", self.list_certificates),
            route("POST", f"{GM}/certificates", self.add_certificate),
            route("GET", f"{GM}/certificates/{{id}}", self.one_certificate),
            route("PUT", f"{GM}/certificates/{{id}}", self.set_certificate),
            route("DELETE", f"{GM}/certificates/{{id}}", self.delete_certificate),
            route("GET", f"{GM}/health/status", self._health, public=True),
            route("GET", f"{GM}/version", self._version),
            route("GET", OM, self.list_jobs),
            route("GET", f"{OM}/{{id}}", self.one_job),
            route("POST", f"{OM}/pause", self.pause_jobs),
            route("POST", f"{OM}/resume", self.resume_jobs),
            route("POST", f"{OM}/cancel", self.cancel_jobs),
            route("POST", f"{OM}/{{id}}/tasks/{{taskId}}/retry", self.retry_task),
        )

    def _health(self, call: Call) -> Reply:
        """DOC get-health: needs no credential."""
        return json_reply({"status": "Success", "result": "ok"})

    def _version(self, call: Call) -> Reply:
        """DOC get-version: a version string."""
        return json_reply(self.version)
