"""Signs in to a platform: a service account by its client credentials, a person by user name and password."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from pydantic import Field

from bot.backends.itential.settings import ItentialSettings
from bot.core.errors import BadReply, CredentialRefused, Rejected
from bot.core.ports.services import BackendParts
from bot.core.vendor_json import Number, WireModel
from bot.http_client import Auth, Basic, Credential, HttpClient, Reply, Session, client_for

# A token is renewed this many seconds before it expires, so that it doesn't expire during a call.
_EARLY: Final = 60.0


class _Token(WireModel):
    """Reply of `POST /oauth/token`; `expires_in` in seconds (DOC itential-cloud machine-authentication: 3600)."""

    access_token: str = Field(min_length=1, repr=False)
    expires_in: Number | None = None


async def _service_account(http: HttpClient, settings: ItentialSettings) -> Credential:
    """`POST /oauth/token`, client credentials as a form (DOC api/authentication; CODE ipsdk sends the same three fields)."""
    (secret,) = settings.secrets
    form = {"grant_type": "client_credentials", "client_id": settings.client_id, "client_secret": secret}
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    reply = await http.call("POST", "/oauth/token", content=urlencode(form).encode(), headers=headers, auth=None)
    token = reply.read(_Token)
    lifetime = max(token.expires_in - _EARLY, token.expires_in / 2) if token.expires_in else None
    return Credential(headers=(("Authorization", f"Bearer {token.access_token}"),), lifetime=lifetime)


async def _user(http: HttpClient, settings: ItentialSettings) -> Credential:
    """`POST /login` (DOC api/authentication). The token goes into a cookie, as in CODE ipsdk: a query ends up in access logs."""
    (password,) = settings.secrets
    user = {"username": settings.username, "password": password}
    token = _bare(await http.call("POST", "/login", json={"user": dict(user)}, auth=None))
    return Credential(headers=(("Cookie", f"token={token}"),), secrets=(token,))


def _bare(reply: Reply) -> str:
    """The token of a login's reply, which comes as text or as a JSON string."""
    token = reply.text().strip().strip('"')
    if not token or not token.isascii() or not token.isprintable() or set(token) & set(' ;,{}[]"'):
        raise BadReply(f"{reply.name} answered {reply.status} to the login, but sent no token.", status=reply.status)
    return token


def signed_in(settings: ItentialSettings, parts: BackendParts) -> HttpClient:
    """The HTTP client of one platform, which signs in when it is first used."""

    async def sign_in() -> Credential:
        try:
            return await (_service_account if settings.client_id else _user)(http, settings)
        except Rejected as no:
            if no.status != 400:
                raise
            # OAuth servers answer a wrong client with 400.
            said = no.summary
        raise CredentialRefused(f"The sign-in failed. {said}", "Check `client_id` and `client_secret`.", status=400)

    fixed = settings.username and settings.sign_in == "basic"
    auth: Auth = Basic(settings.username, *settings.secrets) if fixed else Session(sign_in, parts.clock)
    http = client_for(settings, parts, auth=auth)
    return http
