"""The local Slack workspace for tests and the demo."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any, Self

from .clock import PlaygroundClock
from .core import ApiCall, Core
from .courier import Courier
from .faults import Faults
from .payloads import own_message, sharing_changed
from .person import Person
from .receipt import Receipt
from .responding import Responder
from .seed import DEMO_SEED, Seed
from .server import Server
from .socket_mode import SocketMode
from .state import Channel, Group, Json, Message, StoredFile, User


class Workspace:
    """`async with Workspace(DEMO_SEED) as ws`: a Slack on 127.0.0.1, on a free port when `port` is 0."""

    def __init__(
        self,
        seed: Seed = DEMO_SEED,
        port: int = 0,
        clock: PlaygroundClock | None = None,
        *,
        own_events: bool = False,
    ) -> None:
        """With `own_events`, the app also gets the message.im events of its own posts and updates, as in Slack."""
        self.seed = seed
        self.clock = clock or PlaygroundClock()
        self.core = Core.from_seed(seed, self.clock)
        self._sockets = SocketMode(self.core)
        self._courier = Courier(self.core, self._sockets)
        self._responder = Responder(self.core)
        self._people: dict[str, Person] = {}
        self._planes: dict[str, Any] = {}
        self.processes: Any = None
        if own_events:
            self.core.on_own_message = self._announce_own
        self._server = Server(self, self._sockets, self._responder, port)

    def _announce_own(self, message: Message, before: Json | None) -> None:
        channel = self.core.state.channels[message.channel]
        if channel.is_im:
            event = own_message(message, before, self.clock.next_ts())
            self.core.tasks.start(self._courier.event(event, channel=channel.id, keep=False))

    async def start(self) -> Self:
        await self._server.start()
        return self

    async def stop(self) -> None:
        await self.core.tasks.close()
        await self._courier.close()
        await self._server.stop()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def base_url(self) -> str:
        return self.core.base_url

    @property
    def api_url(self) -> str:
        return self.core.base_url + "/api/"

    @property
    def host(self) -> str:
        """HOST:PORT of response_url and upload_url."""
        return self.core.base_url.removeprefix("http://")

    @property
    def bot_token(self) -> str:
        return self.seed.app.bot_token

    @property
    def app_token(self) -> str:
        return self.seed.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.seed.app.signing_secret

    @property
    def team_id(self) -> str:
        return self.seed.team_id

    @property
    def app_id(self) -> str:
        return self.seed.app.id

    @property
    def bot_user_id(self) -> str:
        return self.seed.app.bot_user_id

    @property
    def bot_id(self) -> str:
        return self.seed.app.bot_id

    @property
    def faults(self) -> Faults:
        return self.core.faults

    @property
    def calls(self) -> list[ApiCall]:
        """The Web API log, oldest first; response_url posts count as "response_url"."""
        return self.core.calls

    @property
    def files(self) -> dict[str, StoredFile]:
        """Files that were completed or posted; uploads that were never completed aren't included."""
        return {k: f for k, f in self.core.state.files.items() if not f.pending}

    @property
    def steps(self) -> dict[str, Json]:
        """Workflow step runs by function_execution_id: status running, completed (outputs) or failed (error)."""
        return self.core.state.steps

    @property
    def connected(self) -> int:
        """Socket Mode connections now open (1 in HTTP mode)."""
        return self._courier.connected

    @property
    def planes(self) -> dict[str, Any]:
        return self._planes

    def register_plane(self, plane: Any) -> None:
        """Show a simulated control plane (name, kind, base_url, set_fault, clear_faults, log) on the page."""
        self._planes[plane.name] = plane

    def register_processes(self, processes: Any) -> None:
        """Show the processes of the app on the page: `rows()` lists them, `act(name, action)` kills, pauses or deploys."""
        self.processes = processes

    def person(self, user_id: str) -> Person:
        """The object to act as this person; always the same one."""
        if user_id not in self._people:
            self._people[user_id] = Person(self.core, self._courier, self._responder, user_id)
        return self._people[user_id]

    def deliver_http(self, url: str | None) -> None:
        """Deliver by signed HTTP to this request URL; None goes back to Socket Mode."""
        self._courier.use_http(url)

    async def deliver(self, kind: str, payload: Json) -> Receipt:
        """Send any payload (kind slash_commands, interactive or events_api) unchanged, for hostile tests."""
        return Receipt.of(await self._courier.send(kind, payload))

    def enforce_limits(self) -> None:
        """Be as strict as Slack from now on: limit the rate of calls, and refresh sockets after their time."""
        self.core.rates.on = True
        self.core.sockets_refresh = True

    async def verify_url(self) -> Receipt:
        """Send the url_verification challenge that Slack sends when a request URL is saved."""
        payload = {
            "token": self.seed.app.verification_token,
            "challenge": self.core.state.ids.make("challenge"),
            "type": "url_verification",
        }
        return await self.deliver("events_api", payload)

    async def wait_connected(self, count: int = 1, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        """Wait until the app has this many Socket Mode connections. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            await self._sockets.wait_open(count)

    async def disconnect_sockets(self, reason: str | None = "refresh_requested") -> None:
        """Ask the app to reconnect (refresh_requested, warning, link_disabled), or cut TCP with None."""
        await self._sockets.disconnect(reason)

    def redeliver(self, last: bool = True) -> asyncio.Task[Receipt]:
        """Send the last event again as Slack's retry does; may be awaited."""
        if not last:
            raise ValueError("only the last event can be sent again")
        sent = self._courier.redeliver()

        async def receipt() -> Receipt:
            return Receipt.of(await sent, error=None)

        return self.core.tasks.start(receipt())

    def edit_group(self, group_id: str, users: list[str], *, disabled: bool = False) -> Group:
        """Change a user group's members, or disable it."""
        group = self.core.state.groups[group_id]
        group.users, group.date_update = list(users), int(self.clock.now())
        group.date_delete = int(self.clock.now()) if disabled else 0
        return group

    def set_user(self, user_id: str, **changes: Any) -> User:
        """Change fields of a person: deleted, is_restricted, team_id, is_stranger, ..."""
        user = self.core.state.users[user_id]
        _change(user, changes)
        return user

    def set_channel(self, channel_id: str, **changes: Any) -> Channel:
        """Change fields of a channel: is_ext_shared (the app gets an event), is_private, is_archived, members, name."""
        channel = self.core.state.channels[channel_id]
        shared = channel.is_ext_shared
        _change(channel, changes)
        if channel.is_ext_shared is not shared:
            event = sharing_changed(channel, self.clock.next_ts())
            self.core.tasks.start(self._courier.event(event, channel=channel.id, keep=False))
        return channel

    def open_mpim(self, *users: str) -> Channel:
        """The group DM of these people and the bot, made if necessary."""
        return self.core.state.open_mpim(users)

    def change_channel_id(self, old: str, new: str) -> asyncio.Task[Receipt]:
        """Give a channel another id, as Slack Connect does: channel_id_changed; may be awaited."""
        channel = self.core.state.channels.pop(old)
        channel.id = new
        self.core.state.channels[new] = channel
        for message in channel.messages:
            message.channel = new
        event = {
            "type": "channel_id_changed",
            "old_channel_id": old,
            "new_channel_id": new,
            "event_ts": self.clock.next_ts(),
        }

        async def announce() -> Receipt:
            answer = await self._courier.event(event, channel=new)
            return Receipt.of(answer, error=None) if answer else Receipt()

        return self.core.tasks.start(announce())


def _change(thing: User | Channel, changes: dict[str, Any]) -> None:
    known = {f.name for f in fields(thing)}
    for name, value in changes.items():
        if name not in known:
            raise AttributeError(f"{type(thing).__name__} has no {name}")
        setattr(thing, name, value)
