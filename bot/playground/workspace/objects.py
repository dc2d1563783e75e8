"""Slack's JSON for users, channels, files, groups and the team, as in Web API answers."""

from urllib.parse import quote

from .state import Channel, Group, Json, State, StoredFile, User


def user_json(state: State, user: User) -> Json:
    """users.info's `user`; a person of another team has few fields."""
    external = user.team_id != state.seed.team_id
    shown = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": "4bbe2e",
        "real_name": user.real_name,
        "tz": user.tz,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": state.started,
        "profile": _profile(user),
    }
    if user.deleted:
        return shown
    shown |= {
        "is_admin": user.is_admin,
        "is_owner": user.is_owner,
        "is_primary_owner": user.is_owner,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_email_confirmed": True,
    }
    if external:
        shown["is_stranger"] = user.is_stranger
    return shown


def _profile(user: User) -> Json:
    first, _, last = user.real_name.partition(" ")
    profile: Json = {
        "title": user.title,
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": first,
        "last_name": last,
        "team": user.team_id,
        "status_text": "",
        "status_emoji": "",
    }
    return profile


def channel_json(state: State, channel: Channel) -> Json:
    """conversations.info's `channel`; a DM has `user` and few other fields; a group DM is neither channel nor group."""
    if channel.is_im:
        return {
            "id": channel.id,
            "created": channel.created,
            "is_im": True,
            "is_org_shared": False,
            "is_archived": False,
            "user": channel.im_user,
            "context_team_id": state.seed.team_id,
        }
    shared = channel.is_ext_shared
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_mpim,
        "is_group": False,
        "is_im": False,
        "is_mpim": channel.is_mpim,
        "is_private": channel.is_private,
        "created": channel.created,
        "creator": channel.members[0] if channel.members else "",
        "is_archived": channel.is_archived,
        "is_general": False,
        "is_shared": shared,
        "is_ext_shared": shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "is_member": state.bot_user in channel.members,
        "context_team_id": state.seed.team_id,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def file_json(state: State, file: StoredFile, base_url: str) -> Json:
    """files.info's `file`; both private addresses need the bot's token."""
    kind = file.name.rpartition(".")[2].lower() if "." in file.name else "text"
    private = f"{base_url}/files-pri/{state.seed.team_id}-{file.id}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": file.user,
        "user_team": state.seed.team_id,
        "editable": False,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": False,
        "url_private": f"{private}/{quote(file.name, safe='')}",
        "url_private_download": f"{private}/download/{quote(file.name, safe='')}",
        "permalink": f"{base_url}/playground/files/{file.id}?user={file.user}",
        "channels": list(file.channels),
        "has_rich_preview": False,
        "file_access": "visible",
    }


def group_json(state: State, group: Group, *, with_users: bool, with_count: bool) -> Json:
    """An entry of usergroups.list."""
    row: Json = {
        "id": group.id,
        "team_id": state.seed.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_create": state.started,
        "date_update": group.date_update,
        "date_delete": group.date_delete,
        "auto_type": None,
        "prefs": {"channels": [], "groups": []},
    }
    if with_users:
        row["users"] = list(group.users)
    if with_count:
        row["user_count"] = len(group.users)
    return row


def team_json(state: State) -> Json:
    """team.info's `team`."""
    seed = state.seed
    row: Json = {"id": seed.team_id, "name": seed.team_name, "domain": seed.team_domain, "email_domain": ""}
    row |= {"icon": {"image_default": True}, "url": f"https://{seed.team_domain}.slack.com/"}
    if seed.enterprise_id:
        row |= {"enterprise_id": seed.enterprise_id, "enterprise_name": seed.enterprise_name}
    return row
