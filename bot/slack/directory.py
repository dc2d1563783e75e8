"""Who people are and what conversations are: users.info, usergroups.list, conversations.info and .members.

Answers are cached for at most 60 s. An answer that fails, is slow or has an unexpected shape is unreadable, never guessed. In
an Enterprise organization a person belongs to several workspaces, listed in `enterprise_user.teams`.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Collection, Mapping
from math import ceil
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.all_of import all_of
from bot.core.intent import Actor, Place
from bot.core.policy.match import Member, Reach, Subject, Where
from bot.core.ports.services import Clock
from bot.core.ports.store import Store
from bot.core.records import NAME_KEY
from bot.core.value import Json
from bot.slack.errors import TRANSPORT, Remedy, read

NAMES_FOR: Final = 3_600.0  # seconds that a name may be old
_UNNAMED_FOR: Final = 60.0  # seconds in which Slack isn't asked again for a name that it didn't tell
_FLAGS: Final = (
    "deleted", "is_bot", "is_workflow_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_app_user",
)  # fmt: skip
_CHANNEL_FLAGS: Final = ("is_im", "is_mpim", "is_ext_shared")
FROZEN: Final = (
    "it is shared or its id changed, so its rules don't apply; an administrator needs to type `policy confirm` there"
)
_WITHIN: Final = 4.0
_LARGEST: Final = 20_000
_PAGE: Final = 1_000  # members per page, the maximum of Slack
_GROUPS_FOR: Final = 3.0  # seconds that the user groups are always kept: Slack lists them about 20 times a minute

_log = logging.getLogger("signalbox.directory")

Answer = Mapping[str, Any]


class SlackDirectory:
    """Implements core.ports.Directory. `team_id` is the home workspace."""

    def __init__(self, client: AsyncWebClient, store: Store, clock: Clock, team_id: str) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._team_id = team_id
        self._noticing = asyncio.Lock()
        self._not_before: dict[str, float] = {}
        self._kept: dict[str, tuple[float, Answer | None]] = {}
        self._named: dict[str, list[Json]] = {}
        self._unnamed: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[Answer | None] | asyncio.Future[Answer | None]] = {}

    async def subject(self, actor: Actor, groups: Collection[str], *, max_age: float) -> Subject:
        """The person as Slack reports them now. The team comes from the home workspace's record, not from the payload."""
        if not actor.user_id.startswith(("U", "W")):
            return Subject(
                user_id=actor.user_id,
                team_id=actor.team_id,
                enterprise_id=actor.enterprise_id,
                known=True,
                is_workflow_bot=True,
            )
        wanted = [("user", actor.user_id), *([("groups", "")] if groups else [])]
        (user, age), *listed = await all_of(self._ask(kind, id_, max_age) for kind, id_ in wanted)
        lists, lists_age = listed[0] if listed else (None, 0.0)
        known, flags, team, teams = _person(user, actor.user_id, self._team_id)
        wait = self._not_before.get("user", 0.0) - self._clock.monotonic()
        return Subject(
            user_id=actor.user_id,
            team_id=team or actor.team_id,
            enterprise_id=actor.enterprise_id,
            known=known and actor.team_id in ("", team, self._team_id, *teams),
            user_age=age,
            groups={group: _member(lists, group, actor.user_id) for group in groups},
            group_ages=dict.fromkeys(groups, lists_age),
            retry_after=ceil(wait) if user is None and wait > 0 else None,
            **flags,
        )

    def zone(self, user_id: str | None) -> ZoneInfo | None:
        """The person's time zone as Slack last reported it; None when it is not known."""
        _, answer = self._kept.get(f"user:{user_id}", (0.0, None))
        user = answer.get("user") if answer is not None else None
        name = user.get("tz") if isinstance(user, Mapping) else None
        try:
            return ZoneInfo(name) if isinstance(name, str) and name else None
        except (ZoneInfoNotFoundError, ValueError):
            return None

    async def names(self, user_ids: Collection[str]) -> dict[str, str]:
        """The names of these people, as far as Slack tells them. It is asked again for the others after a minute."""
        now = self._clock.monotonic()
        self._unnamed = {user_id: at for user_id, at in self._unnamed.items() if now - at < _UNNAMED_FOR}
        wanted = [user_id for user_id in user_ids if user_id not in self._unnamed]
        found = await all_of(self._ask("user", user_id, NAMES_FOR) for user_id in wanted)
        users = [answer.get("user") if answer is not None else None for answer, _ in found]
        named = {
            user_id: name
            for user_id, user in zip(wanted, users, strict=True)
            if isinstance(user, Mapping) and isinstance(name := user.get("real_name") or user.get("name"), str)
        }
        self._unnamed |= {user_id: now for user_id in wanted if user_id not in named}
        return named

    async def where(self, place: Place, *, max_age: float) -> Where:
        """The conversation. A channel that became shared after it was first seen is frozen."""
        if not place.channel_id:
            return Where(team_id=place.team_id, channel_id="", known=False)
        answer, _ = await self._ask("channel", place.channel_id, max_age)
        channel = answer.get("channel") if answer is not None else None
        if not isinstance(channel, Mapping) or channel.get("id") != place.channel_id:
            return Where(team_id=place.team_id, channel_id=place.channel_id, known=False)
        if any(not isinstance(channel.get(flag, False), bool) for flag in _CHANNEL_FLAGS):
            return Where(team_id=place.team_id, channel_id=place.channel_id, known=False)
        shared = channel.get("is_ext_shared") is True
        return Where(
            team_id=place.team_id,
            channel_id=place.channel_id,
            is_dm=channel.get("is_im") is True,
            is_mpim=channel.get("is_mpim") is True,
            is_ext_shared=shared,
            frozen=await self._frozen(place.channel_id, shared=shared),
            known=True,
        )

    async def is_member(self, channel_id: str, user_id: str, *, max_age: float) -> bool:
        """Whether the person is a member. False when Slack doesn't confirm it in time."""
        if not channel_id:
            return False
        if user_id.startswith(("U", "W")):
            answer, _ = await self._ask("member", f"{channel_id}/{user_id}", max_age)
            return answer is not None and answer.get("found") is True
        answer, _ = await self._ask("channel", channel_id, max_age)
        channel = answer.get("channel") if answer is not None else None
        return isinstance(channel, Mapping) and channel.get("is_member") is True

    async def members(self, group: str, *, max_age: float) -> tuple[str, ...] | None:
        """The user ids of a user group, None when they can't be read."""
        lists, _ = await self._ask("groups", "", max_age)
        return _users(lists, group)

    async def reach(self, channel_id: str) -> Reach:
        """Whether the bot can write there, as Slack reports now. Rules that wait for an administrator count as a problem too."""
        try:
            async with asyncio.timeout(_WITHIN):
                info: Any = (await self._client.conversations_info(channel=channel_id)).get("channel")
        except (SlackApiError, TimeoutError, *TRANSPORT) as error:
            trouble = read(error)
            if trouble.remedy is Remedy.RETRY:
                return Reach(known=False, trouble=f"Slack doesn't answer ({trouble.code}); try again")
            return Reach(
                trouble=f"it doesn't exist, or the bot is not in it ({trouble.code}); correct the id or invite the bot"
            )
        found = _reach(info)
        seen = await self._store.value(f"channel:{channel_id}")
        if found.known and not found.trouble and _seen(seen, shared=found.shared)["frozen"]:
            return dataclasses.replace(found, trouble=FROZEN)
        return found

    async def _frozen(self, channel_id: str, *, shared: bool) -> bool:
        """Whether the channel is frozen: by an event, or because it is shared now and was not when it was last seen or confirmed.

        The change is stored: un-sharing the channel doesn't unfreeze it, and sharing it again freezes it again.
        """
        key = f"channel:{channel_id}"
        kept = await self._store.value(key)
        if (seen := _seen(kept, shared=shared)) == kept:
            return seen["frozen"] is True
        async with self._noticing:
            seen = _seen(await self._store.value(key), shared=shared)
            await self._store.set_value(key, seen, self._clock.now())
        return seen["frozen"] is True

    async def freeze(self, channel_id: str) -> bool:
        """Its rules stop applying until an administrator confirms them. False when the channel is already frozen."""
        key = f"channel:{channel_id}"
        self._kept.pop(key, None)
        async with self._noticing:
            kept = await self._store.value(key)
            if isinstance(kept, dict) and kept.get("told") is True:
                return False
            await self._store.set_value(key, {"shared": False, "frozen": True, "told": True}, self._clock.now())
        return True

    async def _ask(self, kind: str, id: str, max_age: float) -> tuple[Answer | None, float]:
        """The answer and its age in seconds. Concurrent callers for the same key share one request."""
        key = f"{kind}:{id}"
        max_age = max(max_age, _GROUPS_FOR) if kind == "groups" else max_age
        kept = self._kept.get(key)
        now = self._clock.monotonic()
        if kept is not None and max_age > 0 and now - kept[0] <= max_age:
            return kept[1], now - kept[0]
        running = self._asking.get(key)
        if running is None:
            future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
            self._asking[key] = future
            try:
                answer = await self._call(kind, id)
                if answer is not None:
                    if len(self._kept) > _LARGEST:
                        self._kept.clear()
                    self._named.clear()
                    self._kept[key] = (now, answer)
                    await self._note_names(kind, id, answer)
                future.set_result(answer)
            finally:
                self._asking.pop(key, None)
                if not future.done():  # the first caller was cancelled: for the others the answer is unreadable
                    future.set_result(None)
            return answer, 0.0
        return await asyncio.shield(running), 0.0

    async def _note_names(self, kind: str, id: str, answer: Answer) -> None:
        """Keep the names of a person or channel in the store, for lists in the terminal, where Slack isn't asked."""
        names = _names(answer.get(kind))
        if not names or self._named.get(id) == names:
            return
        key = f"{NAME_KEY}{id}"
        if await self._store.value(key) != names:
            await self._store.set_value(key, names, self._clock.now())
        self._named[id] = names

    async def _call(self, kind: str, id: str) -> Answer | None:
        try:
            async with asyncio.timeout(_WITHIN):
                if kind == "member":
                    return {"found": await self._lists(*id.split("/"))}
                if kind == "user":
                    reply = await self._client.users_info(user=id)
                elif kind == "groups":
                    # An organization-wide token must name the workspace; others ignore it. Disabled groups aren't listed.
                    reply = await self._client.usergroups_list(include_users=True, team_id=self._team_id)
                else:
                    reply = await self._client.conversations_info(channel=id)
        except (SlackApiError, TimeoutError, *TRANSPORT) as error:
            trouble = read(error)
            _log.warning("%s %s is unreadable: %s", kind, id, trouble.code)
            if trouble.after is not None:
                self._not_before[kind] = self._clock.monotonic() + trouble.after
            return None
        return reply.data if isinstance(reply.data, dict) else None

    async def _lists(self, channel_id: str, user_id: str) -> bool:
        """Whether conversations.members lists the person on any page."""
        cursor: str | None = None
        while cursor != "":
            reply = await self._client.conversations_members(channel=channel_id, limit=_PAGE, cursor=cursor)
            members, more = reply.get("members"), reply.get("response_metadata")
            if isinstance(members, list) and user_id in members:
                return True
            cursor = str(more.get("next_cursor") or "") if isinstance(more, Mapping) else ""
        return False


def _names(info: Any) -> list[Json]:
    """The names in Slack's record of a person or channel, the full one first."""
    if not isinstance(info, Mapping):
        return []
    profile = info.get("profile")
    more = profile if isinstance(profile, Mapping) else {}
    names = (info.get("real_name"), more.get("real_name"), more.get("display_name"), info.get("name"))
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def _reach(info: Any) -> Reach:
    """The reach of the bot in a channel, from Slack's description of it."""
    if not isinstance(info, Mapping):
        return Reach(known=False, trouble="Slack's answer can't be read; try again")
    name, shared = str(info.get("name") or "direct message"), info.get("is_ext_shared") is True
    if info.get("is_archived") is True:
        return Reach(name, shared, "it is archived; unarchive it, or name another one")
    if info.get("is_member", True) is not True:
        return Reach(name, shared, "the bot is not a member; invite it there")
    return Reach(name, shared)


def _seen(kept: Json, *, shared: bool) -> dict[str, Json]:
    """What to store about a channel, from whether it is shared now and what was stored."""
    if not isinstance(kept, dict):
        return {"shared": shared, "frozen": False}
    if kept.get("frozen") is True:
        return kept
    newly = shared and kept.get("shared") is not True
    return {"shared": shared and not newly, "frozen": newly}


def _person(answer: Answer | None, user_id: str, home: str) -> tuple[bool, dict[str, bool], str, tuple[str, ...]]:
    """Whether the record is reliable, its flags, the person's team, and all teams in the record.

    The team is `home` for a person whose organization lists it among their workspaces, regardless of `team_id`.
    A flag that is not a boolean makes the record unreadable.
    """
    user = answer.get("user") if answer is not None else None
    if not isinstance(user, Mapping) or user.get("id") != user_id:
        return False, {}, "", ()
    flags = {name: user.get(name, False) for name in _FLAGS}
    if not all(isinstance(value, bool) for value in flags.values()):
        return False, {}, "", ()
    organization = user.get("enterprise_user")
    listed = organization.get("teams") if isinstance(organization, Mapping) else None
    teams = tuple(team for team in listed if isinstance(team, str)) if isinstance(listed, list) else ()
    own = user.get("team_id")
    own = own if isinstance(own, str) else ""
    team = home if home in teams else own or next(iter(teams), "")
    return bool(team), flags, team, (*teams, own) if own else teams


def _users(answer: Answer | None, group: str) -> tuple[str, ...] | None:
    """The members of a user group; None when the list can't be read or has no such group, or not its members."""
    rows = answer.get("usergroups") if answer is not None else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and row.get("id") == group:
            users = row.get("users")
            return tuple(users) if isinstance(users, list) and all(isinstance(user, str) for user in users) else None
    return None


def _member(answer: Answer | None, group: str, user_id: str) -> Member:
    users = _users(answer, group)
    if users is None:
        return Member.UNREADABLE
    return Member.YES if user_id in users else Member.NO
