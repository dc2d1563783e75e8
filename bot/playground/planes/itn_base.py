"""The ground of the simulated Itential Platform: credentials, knobs, effects, error bodies."""

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.playground.planes.clock import Clock
from bot.playground.planes.common import Plane
from bot.playground.planes.itn_model import ItnJob, ItnService, hex_id
from bot.playground.planes.wire import Call, Refusal, Reply, fingerprint, json_reply

Shape = Literal["asynchronous", "synchronous"]


@dataclass(frozen=True, slots=True)
class Deed:
    """One change made by a call: what, on which thing."""

    at: float
    action: str
    subject: str


class ItentialBase(Plane):
    """State and credentials.

    `shape` is how `services/run` replies: at once with ids, or after the run with its result.
    With `strict` a run must name service, cluster and params and nothing else; without, the
    empty body of the seed's sample runs the first service.
    """

    kind = "itential"
    enum_keys = frozenset({"state", "status"})

    def __init__(
        self,
        name: str = "itn",
        *,
        clock: Clock | None = None,
        port: int = 0,
        username: str = "signalbox",
        password: str = "itn-playground-not-a-secret",  # noqa: S107 - a fake one
        shape: Shape = "asynchronous",
        strict: bool = False,
    ) -> None:
        super().__init__(name, clock=clock, port=port)
        self.username = username
        self.password = password
        self.shape: Shape = shape
        self.strict = strict
        self.services: list[ItnService] = []
        self.jobs: list[ItnJob] = []
        self.gateways: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.certificates: dict[str, dict[str, Any]] = {}
        self.connected: dict[str, bool] = {}
        self.effects: list[Deed] = []
        self._count = 0

    # --- knobs ---------------------------------------------------------------------------------

    def new_id(self, sort: str) -> str:
        """The next id of that sort."""
        self._count += 1
        return hex_id(f"{self.name}/{sort}/{self._count}")

    def add_service(
        self, service_name: str, cluster: str = "cluster_1", sort: str = "python-script", **fields: Any
    ) -> ItnService:
        """A service of a cluster; `fields` as in `itn_model.ItnService`."""
        made = ItnService(self.new_id("service"), service_name, cluster, sort, self.clock.now() - 86_400, **fields)
        self.services.append(made)
        return made

    def add_gateway(
        self, cluster: str, *, enabled: bool = True, readonly: bool = False, connected: bool = True
    ) -> dict[str, Any]:
        """A gateway and its connection."""
        key = self.new_id("gateway")
        gateway = {
            "_id": key,
            "cluster_id": cluster,
            "description": "",
            "enabled": enabled,
            "readonly": readonly,
            "groups": [],
            "certificates": [],
        }
        self.gateways[key] = gateway
        self.connected[cluster] = connected
        return gateway

    # --- the plane -----------------------------------------------------------------------------

    def tick(self) -> None:
        """Nothing happens between calls: states follow from the clock when they are read."""

    def note(self, action: str, subject: str) -> None:
        """Keep an effect."""
        self.effects.append(Deed(self.clock.now(), action, subject))

    @property
    def _login_token(self) -> str:
        return fingerprint(f"{self.username}:{self.password}").removeprefix("sha256:")

    def authorize(self, call: Call) -> Reply | None:
        scheme, _, packed = call.headers.get("Authorization", "").partition(" ")
        cookies = call.headers.get("Cookie", "").split("; ")
        if call.first("token") == self._login_token or f"token={self._login_token}" in cookies:
            return None
        try:
            pair = base64.b64decode(packed.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        if scheme.lower() == "basic" and pair == f"{self.username}:{self.password}":
            return None
        return self.fault_reply(401)

    def fault_reply(self, status: int) -> Reply:
        if status == 401:
            return Reply(401, b"User is not authenticated", "text/html; charset=utf-8")
        if status == 500:
            return json_reply({"message": "Internal Server Error", "data": None}, 500)
        return super().fault_reply(status)

    def log_in(self, call: Call) -> Reply:
        """`POST /login`: a token for `?token=`, and the same as a cookie."""
        user = self.body(call).get("user")
        if user != {"username": self.username, "password": self.password}:
            raise Refusal(self.fault_reply(401))
        cookie = (("Set-Cookie", f"token={self._login_token}; Path=/; HttpOnly"),)
        return replace(json_reply(self._login_token), headers=cookie)

    def whoami(self, call: Call) -> Reply:
        """Who the credentials belong to."""
        return json_reply({"username": self.username, "provenance": "Local AAA"})

    def failed(self, text: str) -> Refusal:
        """The only error that the vendor documents: 500 with a body of any form."""
        return Refusal(json_reply({"state": "Error", "message": text, "result": None}, 500))

    def body(self, call: Call) -> dict[str, Any]:
        """The JSON object of the body."""
        try:
            body = call.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refusal(json_reply({"message": "Invalid JSON body"}, 400))
        return body

    def part(self, call: Call, name: str) -> dict[str, Any]:
        """The object under the one key of a body: `{"gateway": {...}}`."""
        inner = self.body(call).get(name)
        if not isinstance(inner, dict):
            raise self.failed(f"request body must have required property '{name}'")
        return inner
