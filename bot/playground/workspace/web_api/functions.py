"""functions.*: the end of a custom workflow step."""

from __future__ import annotations

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.state import Json

from .common import Caller, Method, required


def _running(core: Core, args: Json, caller: Caller) -> Json:
    execution_id = str(required(args, "function_execution_id"))
    step = core.state.steps.get(execution_id)
    if step is None:
        raise ApiError("function_execution_not_found")
    if caller.execution is not None and caller.execution["execution_id"] != execution_id:
        raise ApiError("access_denied")
    if step["status"] != "running":
        raise ApiError("execution_not_in_running_state")
    return step


def _complete_success(core: Core, args: Json, caller: Caller) -> Json:
    step = _running(core, args, caller)
    outputs = args.get("outputs")
    if not isinstance(outputs, dict):
        raise ApiError("parameter_validation_failed")
    unknown = set(outputs) - set(step["outputs_declared"])
    if unknown:
        raise ApiError("parameter_validation_failed")
    step |= {"status": "completed", "outputs": outputs}
    return {}


def _complete_error(core: Core, args: Json, caller: Caller) -> Json:
    step = _running(core, args, caller)
    step |= {"status": "failed", "error": str(required(args, "error"))}
    return {}


METHODS = {
    "functions.completeSuccess": Method(_complete_success),
    "functions.completeError": Method(_complete_error),
}
