"""The JSON API of the page and of tests in other processes, with live events."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from . import person_view
from .acting import act
from .downloads import attachment
from .errors import CannotAct
from .state import Change, Json
from .whole import Whole

PAGE = Path(__file__).parent.parent / "page"
PING_SECONDS = 15.0


class PageApi:
    """Routes under /playground/ and the page itself."""

    def __init__(self, workspace: Whole) -> None:
        self._ws = workspace
        self._streams: set[asyncio.Queue[Change | None]] = set()
        workspace.core.state.listeners.append(self._spread)

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/", self.index)
        if PAGE.is_dir():
            app.router.add_static("/page/", PAGE)
        app.router.add_get("/archives/{channel}", self.archive)
        app.router.add_get("/archives/{channel}/{link}", self.archive)
        app.router.add_get("/playground/state", self.state)
        app.router.add_get("/playground/messages", self.messages)
        app.router.add_get("/playground/modal", self.modal)
        app.router.add_get("/playground/home", self.home)
        app.router.add_get("/playground/events", self.events)
        app.router.add_post("/playground/act", self.act)
        app.router.add_get("/playground/files/{id}", self.file)
        app.router.add_get("/playground/steps/{id}", self.step)
        app.router.add_get("/playground/planes", self.planes)
        app.router.add_post("/playground/planes/{name}/faults", self.plane_faults)
        app.router.add_get("/playground/planes/{name}/log", self.plane_log)
        app.router.add_get("/playground/processes", self.processes)
        app.router.add_post("/playground/processes/{name}/{action}", self.process_action)

    async def index(self, _request: web.Request) -> web.StreamResponse:
        page = PAGE / "index.html"
        if not page.is_file():
            return web.Response(status=404, text="the page is not installed")
        return web.FileResponse(page)

    async def archive(self, request: web.Request) -> web.StreamResponse:
        """A permalink: the page, at that channel and message."""
        link = request.match_info.get("link", "").removeprefix("p")
        where = f"/?channel={request.match_info['channel']}" + (f"&ts={link[:-6]}.{link[-6:]}" if link else "")
        return web.Response(status=302, headers={"Location": where})

    def _me(self, request: web.Request) -> str:
        user = request.query.get("user", "")
        if user not in self._ws.core.state.users:
            raise web.HTTPNotFound(text=json.dumps({"error": "no such user"}), content_type="application/json")
        return user

    async def state(self, request: web.Request) -> web.StreamResponse:
        me = self._me(request)
        core = self._ws.core
        app = core.seed.app
        people = [self._person(u) for u in core.state.users if not core.state.users[u].is_bot]
        channels = [
            {"id": c.id, "name": c.name, "is_private": c.is_private, "is_im": c.is_im, "is_ext_shared": c.is_ext_shared}
            for c in (*core.state.channels.values(), core.state.open_im(me))
            if me in c.members
        ]
        reply = {
            "team": {"id": core.seed.team_id, "name": core.seed.team_name},
            "me": self._person(me),
            "people": people,
            "channels": list({c["id"]: c for c in channels}.values()),
            "all_channels": [
                {"id": c.id, "name": c.name} for c in core.state.channels.values() if not (c.is_private or c.is_im)
            ],
            "groups": [{"id": g.id, "handle": g.handle, "name": g.name} for g in core.state.groups.values()],
            "app": {
                "id": app.id,
                "name": app.name,
                "bot_user_id": app.bot_user_id,
                "command": app.commands[0].command if app.commands else None,
                "commands": [
                    {"command": c.command, "description": c.description, "usage_hint": c.usage_hint}
                    for c in app.commands
                ],
                "shortcuts": [{"callback_id": s.callback_id, "name": s.name, "kind": s.kind} for s in app.shortcuts],
                "steps": [
                    {"callback_id": s.callback_id, "title": s.title, "inputs": [name for name, _ in s.inputs]}
                    for s in app.steps
                ],
                "connected": self._ws.connected,
            },
            "examples": [asdict(example) for example in core.seed.examples],
            "planes": self._planes(),
            "now": core.clock.now(),
        }
        return web.json_response(reply)

    def _person(self, user_id: str) -> Json:
        user = self._ws.core.state.users[user_id]
        return {
            "id": user.id,
            "name": user.name,
            "real_name": user.real_name,
            "title": user.title,
            "is_restricted": user.is_restricted,
            "is_external": user.team_id != self._ws.team_id,
            "deleted": user.deleted,
        }

    def _planes(self) -> list[Json]:
        return [{"name": p.name, "kind": p.kind, "base_url": p.base_url} for p in self._ws.planes.values()]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        rows = person_view.messages(self._ws.core, self._me(request), request.query.get("channel", ""))
        return web.json_response({"messages": rows})

    async def modal(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"view": person_view.view_drawn(self._ws.core.views.top(self._me(request)))})

    async def home(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"view": person_view.view_shown(self._ws.core.views.homes.get(self._me(request)))})

    def _spread(self, change: Change) -> None:
        for stream in self._streams:
            stream.put_nowait(change)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events for one person, until the client disconnects or the workspace stops."""
        me = self._me(request)
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(b": connected\n\n")
        stream: asyncio.Queue[Change | None] = asyncio.Queue()
        self._streams.add(stream)
        try:
            while await self._forward(stream, response, me):
                pass
        except ConnectionError:
            return response
        finally:
            self._streams.discard(stream)
        return response

    async def _forward(self, stream: asyncio.Queue[Change | None], response: web.StreamResponse, me: str) -> bool:
        try:
            change = await asyncio.wait_for(stream.get(), PING_SECONDS)
        except TimeoutError:
            await response.write(b": ping\n\n")
            return True
        if change is None:
            return False
        if change.user in (None, me):
            data = {"type": "changed", "what": change.what, "channel": change.channel}
            await response.write(f"data: {json.dumps(data)}\n\n".encode())
        return True

    async def act(self, request: web.Request) -> web.StreamResponse:
        """POST an act as a person: its Receipt, 400 for a malformed act, 409 if Slack doesn't offer it."""
        given = await _json_object(request)
        for plane in self._ws.planes.values() if given.get("act") != "suggest" else ():
            plane.person_acts()
        try:
            return web.json_response(await act(self._ws, given))
        except CannotAct as refused:
            return web.json_response({"error": "cannot_act", "detail": [str(refused)]}, status=409)
        except (TypeError, ValueError) as wrong:
            return web.json_response({"error": "bad_request", "detail": [str(wrong)]}, status=400)

    async def file(self, request: web.Request) -> web.StreamResponse:
        me = self._me(request)
        file = self._ws.files.get(request.match_info["id"])
        channels = self._ws.core.state.channels
        if file is None or not (file.user == me or any(me in channels[c].members for c in file.channels)):
            return web.json_response({"error": "no such file"}, status=404)
        return attachment(file)

    async def planes(self, _request: web.Request) -> web.StreamResponse:
        """Every control plane, with its active faults, and in how many seconds it accepts connections again."""
        now = {
            plane.name: {"faults": list(getattr(plane, "faults", ())), "ends_in": getattr(plane, "away_for", None)}
            for plane in self._ws.planes.values()
        }
        return web.json_response({"planes": [row | now[row["name"]] for row in self._planes()]})

    async def processes(self, _request: web.Request) -> web.StreamResponse:
        """The processes of the app; none unless it runs as several."""
        found = self._ws.processes
        return web.json_response({"processes": await found.rows() if found is not None else []})

    async def process_action(self, request: web.Request) -> web.StreamResponse:
        """Kill, pause or resume a process, or deploy all."""
        found = self._ws.processes
        if found is None:
            return web.json_response({"error": "the app runs as one process"}, status=400)
        try:
            await found.act(request.match_info["name"], request.match_info["action"])
        except ValueError as wrong:
            return web.json_response({"error": str(wrong)}, status=400)
        return web.json_response({"ok": True})

    async def step(self, request: web.Request) -> web.StreamResponse:
        """The state of a workflow step: running, completed with outputs, or failed with an error."""
        found = self._ws.core.state.steps.get(request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound(text=json.dumps({"error": "no such step"}), content_type="application/json")
        return web.json_response({name: found[name] for name in ("status", "outputs", "error") if name in found})

    async def plane_faults(self, request: web.Request) -> web.StreamResponse:
        """POST a fault to a control plane; `{"fault": null}` or `{"clear": true}` clears them."""
        plane = self._plane(request)
        given = await _json_object(request)
        if given.get("clear") or given.get("fault", "") is None:
            await plane.clear_faults()
        else:
            try:
                await plane.set_fault(given)
            except ValueError as wrong:
                return web.json_response({"error": str(wrong)}, status=400)
        return web.json_response({"ok": True})

    async def plane_log(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"log": await self._plane(request).log()})

    def _plane(self, request: web.Request) -> Any:
        plane = self._ws.planes.get(request.match_info["name"])
        if plane is None:
            raise web.HTTPNotFound(text=json.dumps({"error": "no such control plane"}), content_type="application/json")
        return plane

    async def close(self) -> None:
        """End the live streams."""
        for stream in self._streams:
            stream.put_nowait(None)


async def _json_object(request: web.Request) -> Json:
    """The body; 415 for any type but JSON, so that a form on another site can't post here."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(
            text=json.dumps({"error": "send application/json"}), content_type="application/json"
        )
    try:
        given = json.loads(await request.text())
    except json.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise web.HTTPBadRequest(text=json.dumps({"error": "not a JSON object"}), content_type="application/json")
    return given
