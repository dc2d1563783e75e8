"""The base of the simulated Itential Platform: credentials, knobs, effects, error bodies."""

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qsl

from bot.playground.planes.clock import Clock
from bot.playground.planes.common import Plane
from bot.playground.planes.itn_model import ItnJob, ItnService, hex_id
from bot.playground.planes.wire import Call, Refusal, Reply, fingerprint, json_reply, text_reply

Shape = Literal["asynchronous", "synchronous"]


@dataclass(frozen=True, slots=True)
class Deed:
    """One change made by a call: the action and its object."""

    at: float
    action: str
    subject: str


class ItentialBase(Plane):
    """State and credentials.

    Three ways to sign in, as the page "API authentication" lists them: Basic, a token of `POST /login` (`?token=` or a
    cookie), and the bearer token of a service account (`POST /oauth/token`), which ends after `token_seconds`.
    `accepts_basic = False` is a platform that accepts only tokens. `shape` is how `services/run` replies: at once with ids, or
    after the run with its result. With `strict` a run must name service, cluster and params; without, the empty body of
    the seed's sample runs the first service.
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
        client_id: str = "66f1c0ffee00c0ffee00c0de",
        client_secret: str = "itn-client-not-a-secret",  # noqa: S107 - a fake one
        token_seconds: int = 3600,
        accepts_basic: bool = True,
        shape: Shape = "asynchronous",
        strict: bool = False,
    ) -> None:
        super().__init__(name, clock=clock, port=port)
        self.username = username
        self.password = password
        self.client_id = client_id
        self.client_secret = client_secret
        self.token_seconds = token_seconds
        self.accepts_basic = accepts_basic
        self.tokens: dict[str, float | None] = {}  # each with its expiry
        self.shape: Shape = shape
        self.strict = strict
        self.services: list[ItnService] = []
        self.jobs: list[ItnJob] = []
        self.gateways: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.certificates: dict[str, dict[str, Any]] = {}
        self.connected: dict[str, bool] = {}
        self.effects: list[Deed] = []
        self.ids_made = 0

    # --- knobs ---------------------------------------------------------------------------------

    def new_id(self, sort: str) -> str:
        """The next id of this kind."""
        self.ids_made += 1
        return hex_id(f"{self.name}/{sort}/{self.ids_made}")

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
        """Record an effect."""
        self.effects.append(Deed(self.clock.now(), action, subject))

    def end_sessions(self) -> None:
        """Drop all tokens, as a restart of the platform does."""
        self.tokens.clear()

    def _issue(self, seconds: float | None) -> str:
        token = fingerprint(self.new_id("token")).removeprefix("sha256:") * 3
        self.tokens[token] = None if seconds is None else self.clock.now() + seconds
        return token

    def _knows(self, token: str) -> bool:
        ends = self.tokens.get(token, 0.0)
        return ends is None or ends > self.clock.now()

    def authorize(self, call: Call) -> Reply | None:
        scheme, _, packed = call.headers.get("Authorization", "").partition(" ")
        cookies = dict(part.partition("=")[::2] for part in call.headers.get("Cookie", "").split("; "))
        bearer = packed.strip() if scheme.lower() == "bearer" else ""
        if any(self._knows(token) for token in (bearer, call.first("token") or "", cookies.get("token", ""))):
            return None
        try:
            pair = base64.b64decode(packed.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        if self.accepts_basic and scheme.lower() == "basic" and pair == f"{self.username}:{self.password}":
            return None
        return self.fault_reply(401)

    def fault_reply(self, status: int) -> Reply:
        if status == 401:
            return Reply(401, b"User is not authenticated", "text/html; charset=utf-8")
        if status == 500:
            return json_reply({"message": "Internal Server Error", "data": None}, 500)
        return super().fault_reply(status)

    def log_in(self, call: Call) -> Reply:
        """DOC api/authentication: `POST /login {"user": {username, password}}` answers with the token as plain text; CODE ipsdk
        takes it from the cookie."""
        user = self.body(call).get("user")
        if user != {"username": self.username, "password": self.password}:
            raise Refusal(self.fault_reply(401))
        token = self._issue(None)
        return replace(text_reply(token), headers=(("Set-Cookie", f"token={token}; Path=/; HttpOnly"),))

    def oauth_token(self, call: Call) -> Reply:
        """DOC api-reference/oauth/machine-authentication: a form with `grant_type=client_credentials`, `client_id` and
        `client_secret`; the reply contains the token's lifetime in seconds. The answer to a wrong secret is not documented."""
        form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
        wanted = {
            "grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret
        }  # fmt: skip
        if call.media_type != "application/x-www-form-urlencoded" or form != wanted:
            return json_reply({"error": "invalid_client", "error_description": "Invalid credentials"}, 401)
        token = self._issue(self.token_seconds)
        return json_reply({"access_token": token, "token_type": "bearer", "expires_in": self.token_seconds})

    def whoami(self, call: Call) -> Reply:
        """DOC api/authentication: `GET /whoami` validates the credentials."""
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
