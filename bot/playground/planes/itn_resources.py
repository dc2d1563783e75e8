"""Gateways, connections, service groups and certificates of the simulated Itential Platform.

The titles are SEED, paths, bodies and replies DOC docs.itential.com/itential-cloud/api-reference/gateway-manager; the page of
each is named at its reply.
"""

from collections.abc import Iterable
from typing import Any

from bot.playground.planes.itn_base import ItentialBase
from bot.playground.planes.itn_model import iso
from bot.playground.planes.wire import Call, Reply, json_reply

_GATEWAY = ("cluster_id", "enabled", "readonly", "description", "certificates", "groups")
_GROUP = ("name", "cluster_id", "description", "services", "groups")


class ResourceCalls(ItentialBase):
    """The operations on gateways and related objects; lists are under `results`."""

    def _one(self, store: dict[str, dict[str, Any]], call: Call, what: str) -> dict[str, Any]:
        found = store.get(call.args["id"])
        if found is None:
            raise self.failed(f"{what} {call.args['id']} not found")
        return found

    def _need(self, inner: dict[str, Any], names: Iterable[str]) -> None:
        for name in names:
            if name not in inner:
                raise self.failed(f"request body must have required property '{name}'")

    # --- gateways ------------------------------------------------------------------------------

    def list_gateways(self, call: Call) -> Reply:
        """DOC get-gateways: `{state, results: [...]}`."""
        return _listed(self.gateways.values())

    def one_gateway(self, call: Call) -> Reply:
        """DOC get-gateway-by-id: the same, with one."""
        return _listed([self._one(self.gateways, call, "Gateway")])

    def create_gateway(self, call: Call) -> Reply:
        """DOC create-gateway: `{gateway: {cluster_id*, enabled*, readonly*, groups*}}` gives `{state, message, id}`."""
        inner = self.part(call, "gateway")
        self._need(inner, ("cluster_id", "enabled", "readonly", "groups"))
        if any(one["cluster_id"] == inner["cluster_id"] for one in self.gateways.values()):
            raise self.failed(f"Gateway {inner['cluster_id']} already exists")
        made = self.add_gateway(str(inner["cluster_id"]), connected=False)
        made.update({name: inner[name] for name in _GATEWAY if name in inner})
        self.note("gateway create", made["cluster_id"])
        text = f"Created gateway {made['cluster_id']}"
        return json_reply({"state": "Success", "message": text, "id": made["_id"]})

    def set_gateway(self, call: Call) -> Reply:
        """DOC update-gateway: `{payload: {...}}` is answered with `{state, result: {value}}`."""
        gateway = self._one(self.gateways, call, "Gateway")
        inner = self.part(call, "payload")
        gateway.update({name: inner[name] for name in _GATEWAY if name in inner})
        self.note("gateway set", gateway["cluster_id"])
        return json_reply({"state": "Success", "result": {"value": gateway}})

    def delete_gateway(self, call: Call) -> Reply:
        """DOC delete-gateway-by-id: `{state, result}`."""
        gateway = self._one(self.gateways, call, "Gateway")
        del self.gateways[gateway["_id"]]
        self.connected.pop(gateway["cluster_id"], None)
        self.note("gateway delete", gateway["cluster_id"])
        return json_reply({"state": "Success", "result": {"deletedCount": 1}})

    def list_connections(self, call: Call) -> Reply:
        """DOC get-connections: cluster id -> `connected`, `disconnected`."""
        return json_reply({name: "connected" if up else "disconnected" for name, up in self.connected.items()})

    def one_connection(self, call: Call) -> Reply:
        """DOC get-device-health: `{id, jsonrpc, result: {reply}, receiveTime, status}`; 500 where there is none."""
        if not self.connected.get(call.args["id"], False):
            raise self.failed(f"No connection to {call.args['id']}")
        answer = {"id": self.new_id("ping"), "jsonrpc": "2.0", "result": {"reply": "pong"}}
        rest = {"receiveTime": iso(self.clock.now()), "status": "completed"}
        return json_reply({**answer, **rest})

    # --- service groups ------------------------------------------------------------------------

    def list_groups(self, call: Call) -> Reply:
        """DOC get-service-groups: all, or those of one cluster with `cluster_id`."""
        cluster = call.first("cluster_id")
        return _listed(one for one in self.groups.values() if cluster in {None, one["cluster_id"]})

    def one_group(self, call: Call) -> Reply:
        """DOC get-service-group-by-id."""
        return _listed([self._one(self.groups, call, "Service group")])

    def create_group(self, call: Call) -> Reply:
        """DOC create-service-group: `{serviceGroup: {name*, cluster_id*}}` is answered with `{state, message, id}`."""
        inner = self.part(call, "serviceGroup")
        self._need(inner, ("name", "cluster_id"))
        now = iso(self.clock.now())
        made: dict[str, Any] = {
            "_id": self.new_id("group"),
            "name": inner["name"],
            "cluster_id": inner["cluster_id"],
            "is_default": False,
            "description": inner.get("description", ""),
            "created": now,
            "created_by": self.username,
            "last_updated": now,
            "last_updated_by": self.username,
            "groups": inner.get("groups", []),
            "services": inner.get("services", []),
        }
        self.groups[made["_id"]] = made
        self.note("group create", str(made["name"]))
        text = f"Created service group {made['name']}"
        return json_reply({"state": "Success", "message": text, "id": made["_id"]})

    def set_group(self, call: Call) -> Reply:
        """DOC update-service-group: PATCH `{patches: {...}}`; its reply is not shown."""
        group = self._one(self.groups, call, "Service group")
        inner = self.part(call, "patches")
        group.update({name: inner[name] for name in _GROUP if name in inner})
        group["last_updated"] = iso(self.clock.now())
        self.note("group set", group["name"])
        return json_reply({"state": "Success", "message": "Updated service group"})

    def delete_group(self, call: Call) -> Reply:
        """DOC delete-service-group; its reply is not shown."""
        group = self._one(self.groups, call, "Service group")
        del self.groups[group["_id"]]
        self.note("group delete", group["name"])
        return json_reply({"state": "Success", "message": "Deleted service group"})

    # --- certificates --------------------------------------------------------------------------

    def list_certificates(self, call: Call) -> Reply:
        """DOC get-certificates: `{state, results: [...]}`."""
        return _listed(self.certificates.values())

    def one_certificate(self, call: Call) -> Reply:
        """DOC get-certificate-by-id."""
        return _listed([self._one(self.certificates, call, "Certificate")])

    def add_certificate(self, call: Call) -> Reply:
        """DOC create-certificate: `{raw_certificate, contract_id, alias}` is answered with `{state, results}`."""
        made = self._certificate(call, self.new_id("certificate"))
        self.note("cert add", made["_id"])
        return _listed([made])

    def set_certificate(self, call: Call) -> Reply:
        """DOC update-certificate: the same body and reply."""
        old = self._one(self.certificates, call, "Certificate")
        made = self._certificate(call, old["_id"])
        self.note("cert set", made["_id"])
        return _listed([made])

    def delete_certificate(self, call: Call) -> Reply:
        """DOC delete-certificate-by-id: `{state, results}`."""
        old = self._one(self.certificates, call, "Certificate")
        del self.certificates[old["_id"]]
        self.note("cert delete", old["_id"])
        return _listed([old])

    def _certificate(self, call: Call, key: str) -> dict[str, Any]:
        body = self.body(call)
        self._need(body, ("raw_certificate",))
        if "BEGIN CERTIFICATE" not in str(body["raw_certificate"]):
            raise self.failed("raw_certificate is not a PEM certificate")
        now = self.clock.now()
        made = {
            "_id": key,
            "certificate": body["raw_certificate"],
            "contract_id": body.get("contract_id", ""),
            "alias": body.get("alias", ""),
            "host": "gateway.example.com",
            "issuer": "Playground CA",
            "self_signed": True,
            "type": "x509",
            "validity": {"notBefore": iso(now), "notAfter": iso(now + 365 * 86_400)},
            "gateways": [],
        }
        self.certificates[key] = made
        return made


def _listed(rows: Iterable[dict[str, Any]]) -> Reply:
    return json_reply({"state": "Success", "results": list(rows)})
