"""auth.test, apps.connections.open, team.info, bots.info."""

from __future__ import annotations

import secrets

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.objects import team_json
from bot.playground.workspace.state import Json

from .common import Caller, Method


def _auth_test(core: Core, _args: Json, caller: Caller) -> Json:
    seed = core.seed
    reply: Json = {
        "url": f"{core.base_url}/",
        "team": seed.team_name,
        "team_id": seed.team_id,
        "is_enterprise_install": seed.org_wide,
    }
    if seed.enterprise_id:
        reply["enterprise_id"] = seed.enterprise_id
    if seed.org_wide:
        reply |= {"team_id": seed.enterprise_id, "team": seed.enterprise_name}
    if caller.kind == "app":
        return reply | {"app_name": seed.app.name, "app_id": seed.app.id}
    return reply | {"user": seed.app.name, "user_id": seed.app.bot_user_id, "bot_id": seed.app.bot_id}


def _teams_list(core: Core, _args: Json, _caller: Caller) -> Json:
    teams = [{"id": core.seed.team_id, "name": core.seed.team_name}]
    return {"teams": teams, "response_metadata": {"next_cursor": ""}}


def _connections_open(core: Core, args: Json, _caller: Caller) -> Json:
    """A websocket address that opens once (slack.md, Socket Mode)."""
    ticket = secrets.token_urlsafe(24)
    core.tickets.add(ticket)
    host = core.base_url.removeprefix("http://")
    link = f"ws://{host}/link/?ticket={ticket}&app_id={core.seed.app.id}"
    return {"url": link + ("&debug_reconnects=true" if args.get("debug_reconnects") else "")}


def _team_info(core: Core, args: Json, _caller: Caller) -> Json:
    if args.get("team") not in (None, "", core.seed.team_id):
        raise ApiError("team_not_found")
    return {"team": team_json(core.state)}


def _bots_info(core: Core, args: Json, _caller: Caller) -> Json:
    app = core.seed.app
    if args.get("bot") not in (None, "", app.bot_id):
        raise ApiError("bot_not_found")
    bot = {"id": app.bot_id, "deleted": False, "name": app.name, "updated": core.state.started}
    return {"bot": {**bot, "app_id": app.id, "user_id": app.bot_user_id, "icons": {}}}


METHODS = {
    "auth.test": Method(_auth_test, caller="any"),
    "auth.teams.list": Method(_teams_list),
    "apps.connections.open": Method(_connections_open, caller="app"),
    "team.info": Method(_team_info, ("team:read",)),
    "bots.info": Method(_bots_info, ("users:read",)),
}
