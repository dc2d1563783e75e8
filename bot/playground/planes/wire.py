"""The values passed between a plane's socket and its handlers: calls, replies, routes, log rows."""

import contextlib
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from multidict import CIMultiDictProxy

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

SESSION_HEADERS = frozenset({"authorization", "cookie", "infa-session-id", "icsessionid", "ids-session-id"})
SECRET_KEYS = frozenset(
    {"password", "key", "token", "ictoken", "sessionid", "icsessionid", "oauthtoken", "client_secret"}
)
_LOGGED_BODY = 4000


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, or a `stream` of chunks in place of `body` if it is too large for memory."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    stream: Callable[[], Iterator[bytes]] | None = None


def json_reply(value: object, status: int = 200) -> Reply:
    """`value` as JSON."""
    return Reply(status, json.dumps(value).encode(), JSON)


def text_reply(text: str, status: int = 200) -> Reply:
    """Plain text."""
    return Reply(status, text.encode(), TEXT)


def html_reply(title: str, status: int = 200) -> Reply:
    """A small HTML page such as web servers and proxies send."""
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body>"
    return Reply(status, f"{page}</html>\n".encode(), HTML)


def file_reply(body: bytes, filename: str, content_type: str) -> Reply:
    """A download with its file name."""
    disposition = ("Content-Disposition", f'attachment; filename="{filename}"')
    return Reply(200, body, content_type, (disposition,))


class Refusal(Exception):
    """Raised by a handler to answer with `reply` at once."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a handler sees it; `args` are the decoded parts of the path."""

    method: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    headers: CIMultiDictProxy[str]
    body: bytes
    args: Mapping[str, str]

    def first(self, name: str) -> str | None:
        """The first query value of that exact name."""
        return next((value for key, value in self.query if key == name), None)

    def json(self) -> Any:
        """The parsed body; raises ValueError if it is not valid JSON."""
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()


Handler = Callable[[Call], Reply | Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a path template matched on the undecoded path, and its handler."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    public: bool = False

    def match(self, raw_path: str) -> dict[str, str] | None:
        """The decoded path arguments, or None if the path doesn't match."""
        found = self.pattern.fullmatch(raw_path)
        if found is None:
            return None
        return {name: unquote(value) for name, value in found.groupdict().items()}


def route(method: str, template: str, handler: Handler, *, public: bool = False) -> Route:
    """A route from a template such as `/api/run/{runId}`; a public one needs no credentials."""
    parts = re.split(r"\{(\w+)\}", template)
    pattern = "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return Route(method, re.compile(pattern), handler, public)


@dataclass(slots=True)
class Received:
    """One request in full, for tests in the same process; `status` stays None when cut off."""

    at: float
    method: str
    raw_path: str
    raw_query: str
    headers: CIMultiDictProxy[str]
    body: bytes = b""
    status: int | None = None
    fault: str | None = None
    query: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.query = tuple(parse_qsl(self.raw_query, keep_blank_values=True))

    def json(self) -> Any:
        """The parsed body; raises ValueError if it is not valid JSON."""
        return json.loads(self.body)

    def row(self) -> dict[str, object]:
        """The log row: JSON-safe, credentials replaced by fingerprints."""
        return {
            "at": self.at,
            "method": self.method,
            "path": self.raw_path,
            "query": [[name, _veil(name, value)] for name, value in self.query],
            "headers": {name: _veil_header(name, value) for name, value in self.headers.items()},
            "body": _veiled_body(self.body),
            "body_size": len(self.body),
            "body_sha256": hashlib.sha256(self.body).hexdigest(),
            "status": self.status,
            "fault": self.fault,
        }


def fingerprint(secret: str) -> str:
    """A fingerprint: equal for equal secrets, and not reversible."""
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()[:12]


def _veil(name: str, value: str) -> str:
    return fingerprint(value) if name.lower() in SECRET_KEYS else value


def _veil_header(name: str, value: str) -> str:
    if name.lower() not in SESSION_HEADERS:
        return value
    scheme, blank, rest = value.partition(" ")
    return f"{scheme} {fingerprint(rest.strip())}" if blank else fingerprint(value)


def _veiled_body(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    with contextlib.suppress(ValueError):
        text = json.dumps(_veil_json(json.loads(text)))
    text = re.sub(r"(?<=client_secret=)[^&\s]+", lambda found: fingerprint(unquote(found[0])), text)
    return text if len(text) <= _LOGGED_BODY else text[:_LOGGED_BODY] + "..."


def _veil_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _veil(key, item) if isinstance(item, str) else _veil_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_veil_json(item) for item in value]
    return value
