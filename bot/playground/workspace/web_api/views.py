"""views.*: modals and the Home tab."""

from __future__ import annotations

from bot.playground.workspace.blocks import check_blocks, check_view
from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.state import Json

from .common import Caller, Method, required


def _trigger(args: Json) -> object:
    return args.get("trigger_id") or args.get("interactivity_pointer") or required(args, "trigger_id")


def _open_view(core: Core, args: Json, _caller: Caller) -> Json:
    given = core.views.checked(required(args, "view"), "modal")
    trigger = core.triggers.use(_trigger(args))
    return {"view": core.views.open(trigger.user, given).payload()}


def _push(core: Core, args: Json, _caller: Caller) -> Json:
    given = core.views.checked(required(args, "view"), "modal")
    trigger = core.triggers.use(_trigger(args))
    return {"view": core.views.push(trigger.user, given, trigger.view_id).payload()}


def _update(core: Core, args: Json, _caller: Caller) -> Json:
    given = required(args, "view")
    if not args.get("view_id"):
        required(args, "external_id")
    view = core.views.locate(args.get("view_id"), args.get("external_id"))
    return {"view": core.views.update(view, given, args.get("hash")).payload()}


def _publish(core: Core, args: Json, _caller: Caller) -> Json:
    given = required(args, "view")
    user = str(required(args, "user_id"))
    if user not in core.state.users:
        raise ApiError("user_not_found")
    return {"view": core.views.publish(user, given, args.get("hash")).payload()}


def _validate(_core: Core, args: Json, _caller: Caller) -> Json:
    """blocks.validate: exactly one of blocks, message and view."""
    given = [name for name in ("blocks", "message", "view") if args.get(name) not in (None, "")]
    if len(given) != 1:
        raise ApiError("invalid_arguments")
    name, value = given[0], args[given[0]]
    if name == "view":
        faults = check_view(value, "home" if isinstance(value, dict) and value.get("type") == "home" else "modal", "")
    else:
        faults = check_blocks(value["blocks"] if name == "message" else value, pointer="")
    if faults:
        errors = [{"pointer": fault.pointer, "code": "failed_constraint", "message": fault.message} for fault in faults]
        raise ApiError(f"invalid_{name}", errors=errors)
    return {}


METHODS = {
    "blocks.validate": Method(_validate),
    "views.open": Method(_open_view),
    "views.push": Method(_push),
    "views.update": Method(_update),
    "views.publish": Method(_publish),
}
