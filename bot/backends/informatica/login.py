"""One session for everything: signed in once, shared, renewed, and never tried again with a password that was refused.

DOC Login_2 (v3 login), Session_IDs (30 idle minutes; one id is good for v2 and v3 under different header names).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from bot.backends.informatica.errors import error_in, problem_of
from bot.backends.informatica.models import Login
from bot.backends.informatica.settings import InformaticaSettings
from bot.core.errors import BadReply, CredentialRefused, RateLimited, Rejected
from bot.core.ports.plugin import checked_url
from bot.core.ports.services import Clock
from bot.core.redact import redact
from bot.http_client import Credential, HttpClient, Reply, Session

V3_HEADER: Final = "INFA-SESSION-ID"
V2_HEADER: Final = "icSessionId"
_LOGIN_TIME: Final = 30.0


class SignIn:
    """Signs in when asked. A refusal is remembered: accounts get locked after a few wrong passwords, so there is one try
    until the program is started again or the settings change (which makes a new object)."""

    def __init__(self, settings: InformaticaSettings, http: HttpClient, clock: Clock) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._refused = ""
        self.since: datetime | None = None
        self.organization = ""
        self.current: Credential | None = None

    def __repr__(self) -> str:
        return f"SignIn({self._settings.name!r})"

    @property
    def refused(self) -> str:
        """Why there will be no other try; empty while all is well."""
        return self._refused

    async def __call__(self) -> Credential:
        """A session. Raises CredentialRefused for ever after the first refusal."""
        if self._refused:
            raise self._stopped()
        self.current = None
        said = ""
        try:
            login = await self._log_in()
        except RateLimited:
            raise
        except Rejected as no:
            # A wrong password may come as 400, 401 or 403 (DOC, a comment on the page) or as an error with 200.
            said = no.summary
        if said:
            self._refused = said
            raise self._stopped()
        self.since, self.organization = self._clock.now(), login.user_info.org_name or ""
        session = login.user_info.session_id
        self.current = Credential(base_url=self._base(login), secrets=(session,))
        return self.current

    async def _log_in(self) -> Login:
        settings = self._settings
        reply = await self._http.call(
            "POST",
            "/saas/public/core/v3/login",
            json={"username": settings.username, "password": settings.password.get_secret_value()},
            auth=None,
            deadline=_LOGIN_TIME,
        )
        self._check(reply)
        return reply.read(Login)

    def _check(self, reply: Reply) -> None:
        error = error_in(reply.body)
        if error is not None:
            said, _ = redact(error.sentence, (self._settings.password.get_secret_value(),))
            raise problem_of(self._settings.name, error, said, None)

    def _stopped(self) -> CredentialRefused:
        return CredentialRefused(
            f"Signing in was refused and is not tried again, because accounts get locked. {self._refused}",
            "Correct the user name or password in the settings, unlock the account if need be, and start again.",
            code="sign_in_refused",
        )

    def _base(self, login: Login) -> str:
        """Where calls go: the session is not carried to a host outside the login's domain that nobody named."""
        named = [product for product in login.products if product.name == self._settings.product]
        url = (named or login.products)[0].base_api_url
        host = ""
        try:
            host = urlsplit(checked_url(url)).hostname or ""
        except ValueError:
            host = ""
        if host and (_domain(host) == _domain(self._login_host) or host in self._settings.hosts):
            return checked_url(url)
        raise BadReply(
            f"{self._settings.name}: the login's reply names {host or 'an unusable address'} for further calls, which is"
            f" outside the domain of {self._login_host}.",
            "If it is right, name that host in `hosts`.",
        )

    @property
    def _login_host(self) -> str:
        return urlsplit(self._settings.login_url).hostname or ""


def _domain(host: str) -> str:
    return host if host.replace(".", "").isdigit() or ":" in host else ".".join(host.split(".")[-2:])


@dataclass(frozen=True, slots=True)
class _Worn(Credential):
    """A session under the header of one version of the API."""

    session: Credential | None = None


class Sessions:
    """The session that all calls share; one that lay idle for `idle` seconds is given up before it is used again."""

    def __init__(self, sign_in: SignIn, clock: Clock, idle: float) -> None:
        self._session = Session(sign_in, clock)
        self._clock = clock
        self._idle = idle
        self._used = clock.monotonic()

    async def credential(self) -> Credential:
        """The session, fresh enough to be used."""
        now = self._clock.monotonic()
        if now - self._used >= self._idle:
            self._session.forget()
        self._used = now
        return await self._session.credential()

    async def renew(self, refused: Credential) -> Credential | None:
        """Another session after this one was refused."""
        self._used = self._clock.monotonic()
        return await self._session.renew(refused)


class Source:
    """The shared session as the Auth of calls of one version of the API."""

    def __init__(self, sessions: Sessions, header: str) -> None:
        self._sessions = sessions
        self._header = header

    async def credential(self) -> Credential:
        """The session under this door's header."""
        return self._worn(await self._sessions.credential())

    async def renew(self, refused: Credential) -> Credential | None:
        """A new session, or the one that another call has fetched meanwhile."""
        session = refused.session if isinstance(refused, _Worn) and refused.session is not None else refused
        renewed = await self._sessions.renew(session)
        return None if renewed is None else self._worn(renewed)

    def _worn(self, session: Credential) -> _Worn:
        headers = ((self._header, session.secrets[0]),)
        return _Worn(headers=headers, base_url=session.base_url, secrets=session.secrets, session=session)
