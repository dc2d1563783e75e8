"""The vendor's two error objects, whatever HTTP status they come with.

v2: `{"@type":"error","code","description","statusCode"}`; v3: `{"error":{"code","message","requestId","details"}}` (DOC
Error_object). Public clients find them under status 200 too (CODE infapy), so the body decides and not the status.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from bot.core.errors import CredentialRefused, NoSuchTarget, Problem, RateLimited, Rejected, ServerError

_LARGEST: Final = 64 * 1024


class VendorError(NamedTuple):
    """An error of the vendor: `status` is the statusCode of a v2 error, None for a v3 error."""

    code: str
    text: str
    status: int | None

    @property
    def sentence(self) -> str:
        """The text, followed by the code."""
        text = " ".join(self.text.split()) or "an error without a message"
        return f"{text} ({self.code})" if self.code else text


def error_in(body: bytes) -> VendorError | None:
    """The error in a body, in either shape; None for any other body."""
    if len(body) > _LARGEST or body.lstrip()[:1] != b"{":
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    inner = value.get("error")
    if isinstance(inner, dict) and ("code" in inner or "message" in inner):
        return VendorError(_text(inner.get("code")), _text(inner.get("message")), None)
    if value.get("@type") == "error":
        status = value.get("statusCode")
        whole = isinstance(status, int) and not isinstance(status, bool)
        return VendorError(_text(value.get("code")), _text(value.get("description")), status if whole else None)
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)[:200]


def problem_of(name: str, error: VendorError, reason: str, missing: str | None) -> Problem:
    """The problem for an error object that came with a success status; `reason` is its message without secrets."""
    status = error.status
    if status in (401, 403):
        what = "does not accept the session" if status == 401 else "does not allow this account to do that"
        return CredentialRefused(f"{name} {what}: {reason}", "Ask an administrator to check it.", status=status)
    if status == 404 and missing is not None:
        return NoSuchTarget(f"{name} has no {missing}.")
    if status == 429:
        return RateLimited(f"{name} reports too many requests: {reason}")
    if status is not None and status >= 500:
        return ServerError(f"{name} reports an internal error: {reason}", status=status)
    return Rejected(f"{name} refused the request: {reason}", status=status)


def translated(_status: int, body: bytes) -> bytes:
    """An error body for the HTTP client: the vendor's message, followed by its code."""
    error = error_in(body)
    return body if error is None else json.dumps({"message": error.sentence}).encode()
