"""One session for all calls: signed in once, shared, and renewed; a refused secret is not sent again for a while.

DOC Login_2 (v3 login), loginOAuth (identity provider), Session_IDs (30 idle minutes; one id serves v2 and v3 under different
header names).
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from bot.backends.informatica.models import Login, UserLogin
from bot.backends.informatica.settings import InformaticaSettings
from bot.core.errors import BadReply, CredentialRefused, NoSuchTarget, Problem, RateLimited, Rejected, ServerError
from bot.core.masking.redact import redact
from bot.core.ports.plugin import RereadSecret, checked_url
from bot.core.ports.services import Clock
from bot.core.sign_in import SignInPause
from bot.http_client import Credential, HttpClient, Reply, Session, forbidden, renewal

_LARGEST: Final = 64 * 1024
V3_HEADER: Final = "INFA-SESSION-ID"
V2_HEADER: Final = "icSessionId"


class VendorError(NamedTuple):
    """An error of the vendor: `status` is the statusCode of a v2 error, None for a v3 error."""

    code: str
    text: str
    status: int | None

    @property
    def sentence(self) -> str:
        """The text, followed by the code."""
        text = " ".join(self.text.split()) or "an error without a message"
        return f"{text} ({self.code})" if self.code else text


def error_in(body: bytes) -> VendorError | None:
    """The error in a body, in either shape; None for any other body."""
    if len(body) > _LARGEST or body.lstrip()[:1] != b"{":
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    inner = value.get("error")
    if isinstance(inner, dict) and ("code" in inner or "message" in inner):
        return VendorError(_text(inner.get("code")), _text(inner.get("message")), None)
    if value.get("@type") == "error":
        status = value.get("statusCode")
        whole = isinstance(status, int) and not isinstance(status, bool)
        return VendorError(_text(value.get("code")), _text(value.get("description")), status if whole else None)
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)[:200]


def problem_of(name: str, error: VendorError, reason: str, missing: str | None) -> Problem:
    """The problem for an error object that came with a success status; `reason` is its message without secrets."""
    status = error.status
    if status == 401:
        text = f"{name} does not accept the session: {reason}"
        return CredentialRefused(text, renewal(name), status=status)
    if status == 403:
        return forbidden(name, reason)
    if status == 404 and missing is not None:
        return NoSuchTarget(f"{name} has no {missing}.")
    if status == 429:
        return RateLimited(f"{name} reports too many requests: {reason}")
    if status is not None and status >= 500:
        return ServerError(f"{name} reports an internal error: {reason}", status=status)
    return Rejected(f"{name} refused the request: {reason}", status=status)


def translated(_status: int, body: bytes) -> bytes:
    """An error body for the HTTP client: the vendor's message, followed by its code."""
    error = error_in(body)
    return body if error is None else json.dumps({"message": error.sentence}).encode()


class SignIn:
    """Signs in when asked, but not during the pause after a refusal. A token's file is read again each time."""

    def __init__(self, settings: InformaticaSettings, http: HttpClient, clock: Clock, pause: SignInPause) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._pause = pause
        self.since: datetime | None = None
        self.organization = ""
        self.current: Credential | None = None
        self.secret = settings.secret.get_secret_value()  # the secret used last

    def __repr__(self) -> str:
        return f"SignIn({self._settings.name!r})"

    @property
    def refused(self) -> bool:
        """Whether the last sign-in was refused, and isn't repeated now."""
        return self._pause.active(self._clock.now())

    async def __call__(self) -> Credential:
        """A session. Raises CredentialRefused, without a call if this secret was refused shortly before."""
        secret = self._settings.secret
        self.secret = await asyncio.to_thread(secret.latest) if isinstance(secret, RereadSecret) else self.secret
        self._pause.check(self._settings.name, self._clock.now(), self.secret)
        self.current = None
        reason = ""
        try:
            session, base, organization = await (self._by_token() if self._settings.org_id else self._by_password())
        except RateLimited:
            raise
        except Rejected as no:
            # A wrong password may come as 400, 401 or 403 (DOC, a comment on the page) or as an error with 200.
            reason = no.summary
        if reason:
            raise self._pause.refused(
                self._settings.name, self._problem(reason), self._clock.now(), self.secret, session=True
            )
        if not session.isascii() or not session.isprintable():
            field = "icSessionId" if self._settings.org_id else "sessionId"
            raise BadReply(f"{self._settings.name} returned a session (`{field}`) that can't be sent.")
        self._pause.accepted()
        self.since, self.organization = self._clock.now(), organization
        self.current = Credential(base_url=self._checked_base(base), secrets=(session,))
        return self.current

    async def _by_password(self) -> tuple[str, str, str]:
        """`POST /saas/public/core/v3/login` (DOC Login_2): session, base address, name of the organization."""
        reply = await self._post(
            "/saas/public/core/v3/login", {"username": self._settings.username, "password": self.secret}
        )
        login = reply.read(Login)
        usable = sorted(
            (product for product in login.products if product.base_api_url),
            key=lambda product: product.name != self._settings.product,
        )
        if not usable:
            raise reply.bad("no `baseApiUrl` can be read")
        return login.user_info.session_id, usable[0].base_api_url, login.user_info.org_name or ""

    async def _by_token(self) -> tuple[str, str, str]:
        """`POST /ma/api/v2/user/loginOAuth` (DOC loginOAuth): session, base address, id of the organization."""
        body = {"oauthToken": self.secret, "orgId": self._settings.org_id}
        login = (await self._post("/ma/api/v2/user/loginOAuth", body)).read(UserLogin)
        return login.ic_session_id, login.server_url, self._settings.org_id

    async def _post(self, path: str, body: dict[str, str]) -> Reply:
        reply = await self._http.call("POST", path, json=dict(body), auth=None, deadline=30.0)
        error = error_in(reply.body)
        if error is not None:
            raise problem_of(self._settings.name, error, redact(error.sentence, (self.secret,))[0], None)
        return reply

    def _problem(self, reason: str) -> CredentialRefused:
        hint = (
            "Correct the user name or password in the settings, unlock the account if necessary, and restart the bot."
        )
        if self._settings.org_id:
            hint = "Write a new token of the identity provider to the file that `oauth_token` names."
        return CredentialRefused(f"The sign-in was refused. {redact(reason, (self.secret,))[0]}", hint)

    def _checked_base(self, url: str) -> str:
        """The base address for calls. The session goes to no host outside the login's domain that the settings don't name."""
        address, host, login_host = "", "", urlsplit(self._settings.login_url).hostname or ""
        try:
            address = checked_url(url, allow_http=self._settings.allow_http)
            host = urlsplit(address).hostname or ""
        except ValueError:
            pass
        if host and (_domain(host) == _domain(login_host) or host in self._settings.hosts):
            return address
        raise BadReply(
            f"{self._settings.name}: the login's reply names {host or 'an unusable address'} for further calls"
            f" (`{'serverUrl' if self._settings.org_id else 'baseApiUrl'}`), which is outside the domain of {login_host}.",
            "If that is correct, add that host to `hosts`.",
        )


def _domain(host: str) -> str:
    return host if host.replace(".", "").isdigit() or ":" in host else ".".join(host.split(".")[-2:])


@dataclass(frozen=True, slots=True)
class _Worn(Credential):
    """A session under the header of one version of the API."""

    session: Credential | None = None


class Source:
    """The shared session as the Auth of calls of one version of the API."""

    def __init__(self, session: Session, header: str) -> None:
        self._session = session
        self._header = header

    async def credential(self) -> Credential:
        """The session under this version's header."""
        return self._worn(await self._session.credential())

    async def renew(self, refused: Credential) -> Credential | None:
        """A new session, or the one that another call got in the meantime."""
        session = refused.session if isinstance(refused, _Worn) and refused.session is not None else refused
        renewed = await self._session.renew(session)
        return None if renewed is None else self._worn(renewed)

    def _worn(self, session: Credential) -> _Worn:
        headers = ((self._header, session.secrets[0]),)
        return _Worn(headers=headers, base_url=session.base_url, secrets=session.secrets, session=session)
