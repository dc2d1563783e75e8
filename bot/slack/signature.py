"""Checks before Bolt in HTTP mode: size, signature and form of the raw bytes, before anything is parsed.

Source of the signing rule: Slack's "Verifying requests from Slack" (v0, HMAC-SHA256 over `v0:timestamp:body`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

from pydantic import SecretStr

MAX_BODY: Final = 1_000_000
MAX_AGE: Final = 300
MOST_FIELDS: Final = 100


class Verdict(NamedTuple):
    """HTTP status and a short reason; 200 accepts the request."""

    status: int
    why: str


def check(headers: Mapping[str, str], body: bytes, secrets: Sequence[SecretStr], now: float) -> Verdict:
    """Whether these bytes come from Slack and are well formed; `headers` have lower-case names, `now` is epoch seconds."""
    if len(body) > MAX_BODY:
        return Verdict(413, "too large")
    signed = _signed(headers, body, secrets, now)
    if signed is not None:
        return signed
    return _well_formed(headers.get("content-type", ""), body)


def _signed(headers: Mapping[str, str], body: bytes, secrets: Sequence[SecretStr], now: float) -> Verdict | None:
    stamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(now - int(stamp)) > MAX_AGE:
        return Verdict(401, "timestamp")
    if not signature.isascii():
        return Verdict(401, "signature")
    base = b"v0:" + stamp.encode() + b":" + body
    for secret in secrets:
        key = secret.get_secret_value().encode()
        expected = "v0=" + hmac.new(key, base, hashlib.sha256).hexdigest()
        if key and hmac.compare_digest(expected, signature):
            return None
    return Verdict(401, "signature")


def _well_formed(content_type: str, body: bytes) -> Verdict:
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return Verdict(200, "ok")
    try:
        fields = body.decode("utf-8").split("&")
    except ValueError:
        return Verdict(400, "form")
    if len(fields) > MOST_FIELDS:
        return Verdict(400, "too many fields")
    names = [_decoded(field.partition("=")[0]) for field in fields if field]
    if len(names) != len(set(names)):
        return Verdict(400, "duplicate field")
    return Verdict(200, "ok")


def _decoded(name: str) -> str:
    """A field's name as a form parser reads it."""
    return unquote_plus(name) if "%" in name or "+" in name else name
