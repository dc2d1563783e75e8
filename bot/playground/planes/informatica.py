"""A simulated Informatica Intelligent Cloud Services organization (seed 000)."""

from bot.playground.planes.infa_base import V2, V3
from bot.playground.planes.infa_model import Pace
from bot.playground.planes.infa_v2 import V2Calls
from bot.playground.planes.infa_v3 import V3Calls
from bot.playground.planes.wire import Route, route

__all__ = ["InformaticaPlane", "Pace"]


class InformaticaPlane(V3Calls, V2Calls):
    """A stateful organization; constructor, knobs and effects are those of `InfaBase`."""

    def routes(self) -> tuple[Route, ...]:
        return (
            route("POST", "/saas/public/core/v3/login", self.v3_login, public=True),
            route("POST", "/ma/api/v2/user/login", self.v2_login, public=True),
            route("POST", "/ma/api/v2/user/loginOAuth", self.oauth_login, public=True),
            route("POST", f"{V3}/logout", self.v3_logout),
            route("POST", f"{V3}/lookup", self.lookup),
            route("POST", f"{V3}/agent/service", self.agent_service),
            route("GET", f"{V3}/schedule", self.list_schedules),
            route("GET", f"{V3}/schedule/{{scheduleId}}", self.one_schedule),
            route("PATCH", f"{V3}/schedule/{{scheduleId}}", self.patch_schedule),
            route("POST", f"{V2}/user/validSessionId", self.valid_session, public=True),
            route("GET", f"{V2}/agent", self.list_agents),
            route("GET", f"{V2}/agent/details", self.all_details),
            route("GET", f"{V2}/agent/details/{{agentId}}", self.one_details),
            route("GET", f"{V2}/agent/name/{{agentName}}", self.one_agent),
            route("GET", f"{V2}/agent/{{agentId}}", self.one_agent),
            route("POST", f"{V2}/job", self.start_job),
            route("POST", f"{V2}/job/stop", self.stop_job),
            route("GET", f"{V2}/activity/activityMonitor", self.monitor),
            route("GET", f"{V2}/activity/activityLog", self.activity_log),
            route("GET", f"{V2}/activity/activityLog/{{logId}}", self.one_log),
            route("GET", f"{V2}/activity/activityLog/{{logId}}/sessionLog", self.session_log),
        )
