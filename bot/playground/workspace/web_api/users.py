"""users.*, usergroups.* and reactions.*."""

from __future__ import annotations

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.objects import channel_json, group_json, user_json
from bot.playground.workspace.state import Group, Json, Message

from .common import Caller, Method, flag, page, required, visible_channel


def _info(core: Core, args: Json, _caller: Caller) -> Json:
    user = core.state.users.get(str(required(args, "user")))
    if user is None:
        raise ApiError("user_not_found")
    return {"user": user_json(core.state, user)}


def _list_all(core: Core, args: Json, _caller: Caller) -> Json:
    rows = [user_json(core.state, u) for u in core.state.users.values()]
    shown, rest = page(rows, args)
    return {"members": shown, "cache_ts": int(core.clock.now()), "response_metadata": rest}


def _conversations(core: Core, args: Json, _caller: Caller) -> Json:
    user = str(args.get("user") or core.state.bot_user)
    if user not in core.state.users:
        raise ApiError("user_not_found")
    rows = [
        channel_json(core.state, c)
        for c in core.state.channels.values()
        if user in c.members and not c.is_im and (not c.is_private or core.state.bot_user in c.members)
    ]
    shown, rest = page(rows, args)
    return {"channels": shown, "response_metadata": rest}


def _groups(core: Core, args: Json) -> list[Group]:
    """The user groups, without the disabled ones unless they are asked for. A token of an organization names the workspace."""
    if core.seed.org_wide and not args.get("team_id"):
        raise ApiError("missing_argument")
    if core.seed.org_wide and args["team_id"] != core.seed.team_id:
        raise ApiError("invalid_team")
    return [g for g in core.state.groups.values() if not g.date_delete or flag(args, "include_disabled")]


def _groups_list(core: Core, args: Json, _caller: Caller) -> Json:
    users, count = flag(args, "include_users"), flag(args, "include_count")
    return {"usergroups": [group_json(core.state, g, with_users=users, with_count=count) for g in _groups(core, args)]}


def _group_users(core: Core, args: Json, _caller: Caller) -> Json:
    wanted = str(required(args, "usergroup"))
    group = next((g for g in _groups(core, args) if g.id == wanted), None)
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}


def _reacted(core: Core, args: Json) -> tuple[Message, str]:
    name = str(required(args, "name")).strip(":")
    channel = visible_channel(core, required(args, "channel"))
    message = core.state.find(channel.id, str(required(args, "timestamp")))
    if message is None or message.ephemeral_for is not None:
        raise ApiError("message_not_found")
    if core.state.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    if not name.replace("_", "").replace("-", "").replace("+", "").replace(":", "").isalnum():
        raise ApiError("invalid_name")
    return message, name


def _add_reaction(core: Core, args: Json, _caller: Caller) -> Json:
    message, name = _reacted(core, args)
    rows = message.body.setdefault("reactions", [])
    row = next((r for r in rows if r["name"] == name), None)
    if row is None:
        row = {"name": name, "users": [], "count": 0}
        rows.append(row)
    if core.state.bot_user in row["users"]:
        raise ApiError("already_reacted")
    row["users"].append(core.state.bot_user)
    row["count"] = len(row["users"])
    core.state.changed("messages", message.channel)
    return {}


def _remove_reaction(core: Core, args: Json, _caller: Caller) -> Json:
    message, name = _reacted(core, args)
    rows = message.body.get("reactions", [])
    row = next((r for r in rows if r["name"] == name), None)
    if row is None or core.state.bot_user not in row["users"]:
        raise ApiError("no_reaction")
    row["users"].remove(core.state.bot_user)
    row["count"] = len(row["users"])
    if not row["users"]:
        rows.remove(row)
    if not rows:
        message.body.pop("reactions")
    core.state.changed("messages", message.channel)
    return {}


METHODS = {
    "users.info": Method(_info, ("users:read",)),
    "users.list": Method(_list_all, ("users:read",)),
    "users.conversations": Method(_conversations, ("channels:read", "groups:read", "im:read", "mpim:read")),
    "usergroups.list": Method(_groups_list, ("usergroups:read",)),
    "usergroups.users.list": Method(_group_users, ("usergroups:read",)),
    "reactions.add": Method(_add_reaction, ("reactions:write",)),
    "reactions.remove": Method(_remove_reaction, ("reactions:write",)),
}
