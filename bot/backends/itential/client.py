"""The calls that are made, one method each: 22 of Gateway Manager (titles SEED, shapes DOC), and jobs (CODE itential_mcp)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.backends.itential.models import Certificate, Gateway, Group, Job, Made, RunReply, Service, one, rows, run_reply
from bot.backends.itential.settings import ItentialSettings
from bot.core.errors import BadReply
from bot.core.value import Json
from bot.http_client import HttpClient, Reply, segment

GM: Final = "/gateway_manager/v1"
OM: Final = "/operations-manager/jobs"


class ItnClient:
    """Problems are those of the HTTP kit. The vendor documents 500 as its only error, for wrong words as well."""

    def __init__(self, http: HttpClient, settings: ItentialSettings) -> None:
        self._http = http
        self._settings = settings

    def __repr__(self) -> str:
        return f"ItnClient({self._settings.name!r})"

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    # --- services ------------------------------------------------------------------------------

    async def services(self, cluster: str = "") -> list[Service]:
        """GET services[?cluster_id=]."""
        return rows(await self._get(f"{GM}/services", _cluster(cluster)), Service)

    async def service(self, id: str) -> Service:
        """GET services/ID."""
        return one(await self._get(f"{GM}/services/{segment(id)}"), Service)

    async def run(self, name: str, cluster: str, params: Mapping[str, Json]) -> RunReply:
        """POST services/run: always all three fields, for one page calls them required and another optional."""
        body: dict[str, Json] = {"serviceName": name, "clusterId": cluster, "params": dict(params)}
        reply = await self._http.call(
            "POST", f"{GM}/services/run", json=body, deadline=float(self._settings.run_seconds)
        )
        return run_reply(reply)

    # --- gateways and connections --------------------------------------------------------------

    async def gateways(self) -> list[Gateway]:
        """GET gateways."""
        return rows(await self._get(f"{GM}/gateways"), Gateway)

    async def gateway(self, id: str) -> Gateway:
        """GET gateways/ID."""
        return one(await self._get(f"{GM}/gateways/{segment(id)}"), Gateway)

    async def create_gateway(self, fields: Mapping[str, Json]) -> Made:
        """POST gateways {gateway: {...}}."""
        return await self._made(f"{GM}/gateways", {"gateway": dict(fields)})

    async def set_gateway(self, id: str, fields: Mapping[str, Json]) -> None:
        """PUT gateways/ID {payload: {...}}."""
        await self._change("PUT", f"{GM}/gateways/{segment(id)}", {"payload": dict(fields)}, safe=True)

    async def delete_gateway(self, id: str) -> None:
        """DELETE gateways/ID."""
        await self._change("DELETE", f"{GM}/gateways/{segment(id)}")

    async def connections(self) -> dict[str, str]:
        """GET connections: cluster id -> a word such as `connected`."""
        value = (await self._get(f"{GM}/connections")).value()
        inner = value.get("result", value) if isinstance(value, dict) else None
        if not isinstance(inner, dict):
            raise BadReply(f"{self._settings.name} answered with no list of connections.")
        return {str(cluster): _word(state) for cluster, state in inner.items()}

    async def connection(self, cluster: str) -> str:
        """GET connections/CLUSTER: the status of a ping, `completed` when it went well."""
        value = (await self._get(f"{GM}/connections/{segment(cluster)}")).value()
        if not isinstance(value, dict):
            raise BadReply(f"{self._settings.name} answered with no state of the connection.")
        return _word(value.get("status", value))

    # --- service groups ------------------------------------------------------------------------

    async def groups(self, cluster: str = "") -> list[Group]:
        """GET service-groups[?cluster_id=]."""
        return rows(await self._get(f"{GM}/service-groups", _cluster(cluster)), Group)

    async def group(self, id: str) -> Group:
        """GET service-groups/ID."""
        return one(await self._get(f"{GM}/service-groups/{segment(id)}"), Group)

    async def create_group(self, fields: Mapping[str, Json]) -> Made:
        """POST service-groups {serviceGroup: {...}}."""
        return await self._made(f"{GM}/service-groups", {"serviceGroup": dict(fields)})

    async def set_group(self, id: str, fields: Mapping[str, Json]) -> None:
        """PATCH service-groups/ID {patches: {...}}."""
        await self._change("PATCH", f"{GM}/service-groups/{segment(id)}", {"patches": dict(fields)}, safe=True)

    async def delete_group(self, id: str) -> None:
        """DELETE service-groups/ID."""
        await self._change("DELETE", f"{GM}/service-groups/{segment(id)}")

    # --- certificates --------------------------------------------------------------------------

    async def certificates(self) -> list[Certificate]:
        """GET certificates."""
        return rows(await self._get(f"{GM}/certificates"), Certificate)

    async def certificate(self, id: str) -> Certificate:
        """GET certificates/ID."""
        return one(await self._get(f"{GM}/certificates/{segment(id)}"), Certificate)

    async def add_certificate(self, fields: Mapping[str, Json]) -> Certificate:
        """POST certificates {raw_certificate, contract_id, alias}."""
        return one(await self._change("POST", f"{GM}/certificates", dict(fields)), Certificate)

    async def set_certificate(self, id: str, fields: Mapping[str, Json]) -> None:
        """PUT certificates/ID with the same body."""
        await self._change("PUT", f"{GM}/certificates/{segment(id)}", dict(fields), safe=True)

    async def delete_certificate(self, id: str) -> None:
        """DELETE certificates/ID."""
        await self._change("DELETE", f"{GM}/certificates/{segment(id)}")

    # --- health --------------------------------------------------------------------------------

    async def health(self) -> str:
        """GET health/status, which asks for no credential: its `result` or `status`."""
        reply = await self._http.call("GET", f"{GM}/health/status", auth=None, repeat_safe=True)
        value = reply.value()
        return _word(value.get("result", value.get("status")) if isinstance(value, dict) else value)

    async def version(self) -> str:
        """GET version: a word, or an object that holds one."""
        reply = await self._get(f"{GM}/version")
        if reply.media_type == "text/plain":
            return reply.text().strip()[:80]
        value = reply.value()
        return _word(
            next((value[key] for key in ("version", "result") if key in value), value)
            if isinstance(value, dict)
            else value
        )

    # --- jobs ----------------------------------------------------------------------------------

    async def job(self, id: str) -> Job:
        """GET operations-manager/jobs/ID."""
        return one(await self._get(f"{OM}/{segment(id)}", missing=f"job {id}"), Job)

    async def jobs(self, limit: int, status: str = "") -> list[Job]:
        """GET operations-manager/jobs, newest first (GUESS: the name to sort by); filters are applied again by the caller,
        for a platform that does not know one ignores it without a word."""
        query = [("limit", str(limit)), ("skip", "0"), ("sort", "metrics.start_time"), ("order", "-1")]
        if status:
            query.append(("equals[status]", status))
        return rows(await self._get(OM, query), Job)

    async def job_action(self, action: str, ids: Sequence[str]) -> None:
        """POST operations-manager/jobs/{pause|resume|cancel} {jobIds}, at most 100."""
        await self._change("POST", f"{OM}/{segment(action)}", {"jobIds": list(ids)}, missing=f"job {', '.join(ids)}")

    async def retry_task(self, id: str, task: str) -> None:
        """POST operations-manager/jobs/ID/tasks/TASK/retry."""
        await self._change("POST", f"{OM}/{segment(id)}/tasks/{segment(task)}/retry", missing=f"job {id}")

    async def _get(self, path: str, query: Sequence[tuple[str, str]] = (), missing: str | None = None) -> Reply:
        return await self._http.call("GET", path, query=query, repeat_safe=True, missing=missing)

    async def _change(
        self,
        method: str,
        path: str,
        body: dict[str, Json] | None = None,
        *,
        safe: bool = False,
        missing: str | None = None,
    ) -> Reply:
        if body is None:
            return await self._http.call(method, path, repeat_safe=safe, missing=missing)
        return await self._http.call(method, path, json=body, repeat_safe=safe, missing=missing)

    async def _made(self, path: str, body: dict[str, Json]) -> Made:
        return (await self._change("POST", path, body)).read(Made)


def _cluster(cluster: str) -> list[tuple[str, str]]:
    return [("cluster_id", cluster)] if cluster else []


def _word(value: object) -> str:
    if isinstance(value, dict):
        value = next((value[key] for key in ("status", "state", "reply") if key in value), value)
    if isinstance(value, bool):
        return "connected" if value else "disconnected"
    return str(value)[:80]
