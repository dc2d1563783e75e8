"""POST /playground/act: a person's acts by name, with JSON arguments."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any

from .person import Person
from .receipt import Receipt
from .state import Json
from .whole import Whole


async def act(workspace: Whole, given: Json) -> Json:
    """Do `{user, act, ...}`; the Receipt as JSON, for "suggest" also `groups`. Raises ValueError for a bad request."""
    user, name = given.get("user"), given.get("act")
    if not isinstance(user, str) or not isinstance(name, str) or name not in ACTS:
        raise ValueError(f"give a user and one of these acts: {', '.join(ACTS)}")
    made = await ACTS[name](workspace.person(user), given)
    if isinstance(made, Receipt):
        return made.as_json()
    return Receipt(acked=True, delivered=True).as_json() | {"groups": made}


def _text(given: Json, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing")
    return value


def _container(given: Json) -> str:
    return str(given.get("container") or given.get("view_id") or given.get("channel") or "modal")


def _files(given: Json) -> list[tuple[str, bytes]]:
    """[{name, content_base64}] or [[name, base64]]."""
    rows = given.get("files") or []
    pairs = [(r["name"], r["content_base64"]) if isinstance(r, dict) else (r[0], r[1]) for r in rows]
    try:
        return [(str(name), base64.b64decode(data, validate=True)) for name, data in pairs]
    except (binascii.Error, TypeError):
        raise ValueError("a file's content is base64") from None


def _entered(value: Any) -> Any:
    """A form's value; files ({name, content_base64}) as names and bytes."""
    if isinstance(value, list) and value and all(isinstance(v, dict) and "content_base64" in v for v in value):
        return _files({"files": value})
    return value


def _submit(person: Person, g: Json) -> Awaitable[Receipt]:
    values = {str(k): _entered(v) for k, v in (g.get("values") or {}).items()}
    return person.submit(str(g.get("view_id") or "modal"), values)


def _post(person: Person, g: Json) -> Awaitable[Receipt]:
    return person.post(_text(g, "channel"), str(g.get("text") or ""), g.get("thread_ts"), _files(g))


def _press(person: Person, g: Json) -> Awaitable[Receipt]:
    if g.get("label"):
        return person.press_label(_container(g), g.get("ts"), g["label"])
    value, block, seen = g.get("value"), g.get("block_id"), g.get("seen")
    where = (_container(g), g.get("ts"))
    return person.press(*where, action_id=g.get("action_id"), block_id=block, value=value, seen=seen)


def _choose(person: Person, g: Json) -> Awaitable[Receipt]:
    action, block = g.get("action_id"), g.get("block_id")
    return person.choose(_container(g), g.get("ts"), action, _entered(g.get("value")), block_id=block)


def _suggest(person: Person, g: Json) -> Awaitable[list[Json]]:
    place = (g["channel"], g["ts"]) if g.get("ts") else _container(g)
    return person.suggest_groups(place, _text(g, "action_id"), str(g.get("query") or g.get("value") or ""))


ACTS: dict[str, Callable[[Person, Json], Awaitable[Any]]] = {
    "command": lambda p, g: p.command(_text(g, "channel"), _text(g, "text" if "text" in g else "command")),
    "post": _post,
    "edit": lambda p, g: p.edit(_text(g, "channel"), _text(g, "ts"), _text(g, "text")),
    "delete": lambda p, g: p.delete(_text(g, "channel"), _text(g, "ts")),
    "press": _press,
    "choose": _choose,
    "submit": _submit,
    "close": lambda p, g: p.close(str(g.get("view_id") or "modal"), clear=bool(g.get("clear"))),
    "shortcut": lambda p, g: p.shortcut(_text(g, "callback_id")),
    "message_shortcut": lambda p, g: p.message_shortcut(_text(g, "callback_id"), _text(g, "channel"), _text(g, "ts")),
    "home": lambda p, g: p.open_home(str(g.get("tab") or "home")),
    "step": lambda p, g: p.run_step(_text(g, "callback_id"), g.get("inputs") or {}),
    "suggest": _suggest,
}
