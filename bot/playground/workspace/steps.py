"""Custom workflow steps: function_executed with its own token (slack.md, Custom steps)."""

from __future__ import annotations

import secrets
from typing import Any

from .core import Core
from .courier import Courier
from .errors import CannotAct
from .receipt import Receipt
from .state import Json, User


async def run_step(core: Core, courier: Courier, user: User, callback_id: str, inputs: dict[str, Any]) -> Receipt:
    """Start the step for a person; the state's `steps[execution_id]` has the result."""
    row = next((s for s in core.seed.app.steps if s.callback_id == callback_id), None)
    if row is None:
        raise CannotAct(f"the app has no step {callback_id!r}")
    execution_id = core.state.ids.make("Fx")
    token = "xwfp-playground-" + secrets.token_hex(8)
    execution = {"execution_id": execution_id, "token": token, "callback_id": callback_id, "inputs": inputs}
    core.function_tokens[token] = execution
    core.state.steps[execution_id] = {
        "status": "running",
        "callback_id": callback_id,
        "inputs": inputs,
        "user": user.id,
        "outputs_declared": [name for name, _ in row.outputs],
    }
    function: Json = {
        "id": core.state.ids.make("Fn"),
        "callback_id": callback_id,
        "title": row.title,
        "description": row.description,
        "type": "app",
        "input_parameters": [_parameter(name, kind) for name, kind in row.inputs],
        "output_parameters": [_parameter(name, kind) for name, kind in row.outputs],
        "app_id": core.seed.app.id,
        "date_created": core.state.started,
        "date_updated": core.state.started,
        "date_deleted": 0,
        "form_enabled": False,
    }
    event: Json = {
        "type": "function_executed",
        "function": function,
        "inputs": inputs,
        "function_execution_id": execution_id,
        "workflow_execution_id": core.state.ids.make("Wx"),
        "event_ts": core.clock.next_ts(),
        "bot_access_token": token,
    }
    answer = await courier.event(event)
    return Receipt.of(answer, execution_id=execution_id) if answer else Receipt(execution_id=execution_id)


def _parameter(name: str, kind: str) -> Json:
    return {"type": kind, "name": name, "description": "", "title": name, "is_required": False}
