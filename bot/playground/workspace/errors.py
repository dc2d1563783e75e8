"""How the workspace refuses: as the Web API does, or because a person could not do that in Slack at all."""

from typing import Any


class ApiError(Exception):
    """A Web API refusal: `{"ok": false, "error": code, **extra}` with the given HTTP status."""

    def __init__(self, code: str, *, status: int = 200, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.extra = extra


class CannotAct(LookupError):
    """The person sees no such message, button, field or view, so Slack offers no way to do this."""
