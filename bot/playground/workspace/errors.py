"""The workspace's refusals: of the Web API, and of acts that Slack doesn't offer."""

from typing import Any


class ApiError(Exception):
    """A Web API refusal: `{"ok": false, "error": code, **extra}` with the given HTTP status."""

    def __init__(self, code: str, *, status: int = 200, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.extra = extra


class CannotAct(LookupError):
    """The person sees no such message, button, field or view, so Slack doesn't offer this act."""
