"""The workspace's state: people, groups, channels, messages, files. No HTTP here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .clock import Ids, PlaygroundClock
from .seed import Seed

Json = dict[str, Any]


@dataclass(slots=True)
class User:
    """A person or bot user in its current state."""

    id: str
    name: str
    real_name: str
    title: str
    team_id: str
    tz: str
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False
    is_stranger: bool = False


@dataclass(slots=True)
class Group:
    """A user group and its members."""

    id: str
    handle: str
    name: str
    users: list[str]
    date_update: int = 0
    date_delete: int = 0  # when it was disabled


@dataclass(slots=True)
class Message:
    """A message: `body` has Slack's own fields; `ephemeral_for` is the only person who sees it."""

    channel: str
    body: Json
    ephemeral_for: str | None = None
    deleted: bool = False
    function: Json | None = None

    @property
    def ts(self) -> str:
        return str(self.body["ts"])

    @property
    def thread_ts(self) -> str | None:
        return self.body.get("thread_ts")

    @property
    def is_reply(self) -> bool:
        return self.thread_ts not in (None, self.ts)


@dataclass(slots=True)
class Channel:
    """A channel, a group DM, or a DM if `im_user` names the person who talks to the bot."""

    id: str
    name: str
    members: list[str]
    created: int
    is_private: bool = False
    is_ext_shared: bool = False
    is_archived: bool = False
    im_user: str | None = None
    is_mpim: bool = False
    messages: list[Message] = field(default_factory=list)

    @property
    def is_im(self) -> bool:
        return self.im_user is not None


@dataclass(slots=True)
class StoredFile:
    """An uploaded file; `pending` until files.completeUploadExternal or a person's post shares it."""

    id: str
    name: str
    title: str
    size: int
    user: str
    created: int
    bytes: bytes = b""
    mimetype: str = "application/octet-stream"
    channel_id: str | None = None
    thread_ts: str | None = None
    channels: list[str] = field(default_factory=list)
    pending: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """A change for live pages: `what` is messages, modal, home or files."""

    what: str
    channel: str | None = None
    user: str | None = None


class State:
    """The workspace's data, made from a seed."""

    def __init__(self, seed: Seed, clock: PlaygroundClock) -> None:
        self.seed = seed
        self.clock = clock
        self.ids = Ids()
        self.started = int(clock.now())
        self.listeners: list[Callable[[Change], None]] = []
        self.users = {u.id: self._user(u) for u in seed.users}
        self.groups = {g.id: Group(g.id, g.handle, g.name, list(g.users), self.started) for g in seed.usergroups}
        self.channels = {
            c.id: Channel(c.id, c.name, list(c.members), self.started, c.is_private, c.is_ext_shared, c.is_archived)
            for c in seed.channels
        }
        self.files: dict[str, StoredFile] = {}
        self.homes: dict[str, Json] = {}
        self.steps: dict[str, Json] = {}

    def _user(self, row: Any) -> User:
        team = row.team_id or self.seed.team_id
        return User(
            id=row.id,
            name=row.name,
            real_name=row.real_name,
            title=row.title,
            team_id=team,
            tz=row.tz,
            is_admin=row.is_admin,
            is_owner=row.is_owner,
            is_restricted=row.is_restricted,
            is_ultra_restricted=row.is_ultra_restricted,
            is_bot=row.is_bot,
            deleted=row.deleted,
        )

    def changed(self, what: str, channel: str | None = None, user: str | None = None) -> None:
        """Notify every live listener."""
        for listener in list(self.listeners):
            listener(Change(what, channel, user))

    @property
    def bot_user(self) -> str:
        return self.seed.app.bot_user_id

    def open_im(self, user_id: str) -> Channel:
        """The DM between the bot and a person: its id is the person's with D in front ("D0ANA" for U0ANA)."""
        im_id = "D" + user_id[1:]
        if im_id not in self.channels:
            members = [user_id, self.bot_user]
            self.channels[im_id] = Channel(im_id, "directmessage", members, int(self.clock.now()), im_user=user_id)
        return self.channels[im_id]

    def open_mpim(self, users: Sequence[str]) -> Channel:
        """The group DM of these people and the bot; always the same one."""
        members = list(dict.fromkeys((*users, self.bot_user)))
        for channel in self.channels.values():
            if channel.is_mpim and set(channel.members) == set(members):
                return channel
        made = self.ids.make("G")
        name = "mpdm-" + "--".join(self.users[user].name for user in members) + "-1"
        self.channels[made] = Channel(made, name, members, int(self.clock.now()), is_private=True, is_mpim=True)
        return self.channels[made]

    def channel_for(self, channel_id: str) -> Channel | None:
        """A known channel, or a person's DM, which is opened when its id is first used."""
        if channel_id not in self.channels and channel_id.startswith("D"):
            owner = self.users.get("U" + channel_id[1:]) or self.users.get("W" + channel_id[1:])
            if owner is not None:
                return self.open_im(owner.id)
        return self.channels.get(channel_id)

    def find(self, channel_id: str, ts: str) -> Message | None:
        """A message that isn't deleted, including ephemeral ones."""
        channel = self.channels.get(channel_id)
        found = (m for m in reversed(channel.messages) if m.ts == ts) if channel else iter(())
        return next((m for m in found if not m.deleted), None)

    def replies(self, channel: Channel, thread_ts: str) -> list[Message]:
        return [
            m
            for m in channel.messages
            if m.is_reply and m.thread_ts == thread_ts and not m.deleted and m.ephemeral_for is None
        ]

    def add(self, message: Message) -> Message:
        """Append a message, keep its thread's parent up to date and tell the listeners."""
        channel = self.channels[message.channel]
        channel.messages.append(message)
        if message.is_reply and message.ephemeral_for is None:
            self.refresh_thread(channel, str(message.thread_ts))
        self.changed("messages", channel.id)
        return message

    def remove(self, message: Message) -> None:
        """Delete a message; a parent with replies stays as a tombstone, as in Slack."""
        channel = self.channels[message.channel]
        if message.ephemeral_for is None and self.replies(channel, message.ts):
            kept = {k: v for k, v in message.body.items() if k in _THREAD_FIELDS}
            message.body = {**kept, "type": "message", "subtype": "tombstone", "text": "This message was deleted."}
            message.body |= {"user": "USLACKBOT", "hidden": True}
        else:
            message.deleted = True
            if message.is_reply:
                self.refresh_thread(channel, str(message.thread_ts))
        self.changed("messages", channel.id)

    def refresh_thread(self, channel: Channel, thread_ts: str) -> None:
        """Recount the replies on a thread's parent."""
        parent = next((m for m in channel.messages if m.ts == thread_ts), None)
        if parent is None:
            return
        replies = self.replies(channel, thread_ts)
        for name in _THREAD_FIELDS - {"ts"}:
            parent.body.pop(name, None)
        if replies:
            people = list(dict.fromkeys(m.body.get("user", "") for m in replies))
            parent.body |= {"thread_ts": thread_ts, "reply_count": len(replies), "reply_users": people}
            parent.body |= {"reply_users_count": len(people), "latest_reply": replies[-1].ts}


_THREAD_FIELDS = {"ts", "thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply"}
