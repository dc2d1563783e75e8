"""oauth.v2.access: exchanging a refresh token, for an app with token rotation."""

from __future__ import annotations

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.state import Json

from .common import Caller, Method, required

LASTS = 43_200  # seconds


def _access(core: Core, args: Json, _caller: Caller) -> Json:
    """The used refresh token keeps working until the new token is used for the first time."""
    app, tokens = core.seed.app, core.rotating
    if args.get("client_id") != app.client_id:
        raise ApiError("invalid_client_id")
    if args.get("client_secret") != app.client_secret:
        raise ApiError("bad_client_secret")
    if required(args, "grant_type") != "refresh_token":
        raise ApiError("invalid_grant_type")
    refresh = required(args, "refresh_token")
    if refresh not in (tokens.refresh or {app.refresh_token or ""}):
        raise ApiError("invalid_refresh_token")
    tokens.count += 1
    access, following = f"xoxe.xoxb-{tokens.count}-not-a-secret", f"xoxe-{tokens.count}-not-a-secret"
    tokens.refresh = {refresh, following}
    tokens.access[access] = core.clock.now() + LASTS
    tokens.replaces[access] = refresh
    return {
        "access_token": access,
        "refresh_token": following,
        "token_type": "bot",
        "expires_in": LASTS,
        "scope": ",".join(app.scopes),
        "bot_user_id": app.bot_user_id,
        "app_id": app.id,
        "team": {"id": core.seed.team_id, "name": core.seed.team_name},
    }


def used(core: Core, token: str) -> bool:
    """Whether this token came from an exchange. Raises token_expired. Its first use ends the refresh token of that exchange."""
    tokens = core.rotating
    if token not in tokens.access:
        return False
    if core.clock.now() >= tokens.access[token]:
        raise ApiError("token_expired")
    tokens.refresh.discard(tokens.replaces.pop(token, ""))
    return True


METHODS = {"oauth.v2.access": Method(_access, caller="none")}
