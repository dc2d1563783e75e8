"""When a token expires, read from the token without checking its signature: only for a warning in time."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Final

WARNED_AHEAD: Final = timedelta(days=7)


def ends_at(token: str) -> datetime | None:
    """The `exp` of a JSON web token; None for any other token, and for one that doesn't expire."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(body["exp"], UTC)
    except (ValueError, binascii.Error, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None


def warning(ends: datetime | None, now: datetime) -> str:
    """A sentence if the token has expired or will within a week, else empty."""
    if ends is None:
        return ""
    if ends <= now:
        return f"The token expired on {ends:%Y-%m-%d}."
    if ends - now <= WARNED_AHEAD:
        days = (ends - now).days
        return f"The token expires on {ends:%Y-%m-%d}, in {f'{days} days' if days != 1 else 'one day'}."
    return ""
