"""Faults that a simulated control plane can show, one request at a time."""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.playground.planes.wire import JSON, Reply, html_reply

HUGE = 200 * 1024 * 1024
_CHUNK = 256 * 1024
_ACT_SECONDS = 5.0

# In place of the call: nothing happens unless the fault has `done`.
INSTEAD = frozenset(
    {
        "refuse", "drop_before", "401", "429", "500", "503", "html", "empty", "bad_json",
        "huge", "huge_gzip", "redirect",
    }
)  # fmt: skip
# The call takes effect and its true reply is altered.
BENDING = frozenset({"drop_after", "wrong_types", "unknown_enum", "drip"})
NAMES = INSTEAD | BENDING | {"delay", "401_once"}
_KEYS = frozenset(
    {"fault", "times", "match", "after", "seconds", "retry_after", "location", "size", "done",
     "reset", "waits"}
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """One fault, with how often it matched and was used.

    `seconds`: of a delay, of an outage (refuse; None: until cleared), between bytes (drip).
    `done`: the call takes effect although the reply is replaced. `reset`: a drop is a TCP reset.
    `waits`: only for requests soon after a person acted, so that no background read uses it up.
    `called`: the name by which it was asked for, when that is another one.
    """

    name: str
    times: int | None = None
    match: re.Pattern[str] | None = None
    after: int = 0
    seconds: float | None = None
    retry_after: float = 1
    location: str = "https://elsewhere.example.com/"
    size: int = HUGE
    done: bool = False
    reset: bool = False
    waits: bool = False
    called: str = ""
    seen: int = 0
    used: int = 0

    def matches(self, method: str, raw_path: str) -> bool:
        """Whether the fault applies to this request."""
        return self.match is None or self.match.search(f"{method} {raw_path}") is not None

    @property
    def spent(self) -> bool:
        """Whether the fault has been used up."""
        return self.times is not None and self.used >= self.times


def parse(spec: Mapping[str, Any]) -> Fault:
    """A fault from `{"fault": NAME, "times"?, "match"?, "after"?, ...}`.

    Raises ValueError for an unknown name or key, or a `match` that is not a regular expression.
    """
    called = name = str(spec.get("fault"))
    unknown = set(spec) - _KEYS
    if name not in NAMES or unknown:
        raise ValueError(f"unknown fault {name!r} or keys {sorted(unknown)}; {sorted(NAMES)}")
    values = {key: value for key, value in spec.items() if key != "fault"}
    if "match" in values:
        try:
            values["match"] = re.compile(values["match"])
        except re.error as problem:
            raise ValueError(f"match is not a regular expression: {problem}") from None
    if name == "401_once":
        name, values["times"] = "401", 1
    return Fault(name, called=called, **values)


class Faults:
    """The active faults, in the order in which they were set."""

    def __init__(self) -> None:
        self._list: list[Fault] = []
        self.acted_at = float("-inf")

    def add(self, fault: Fault) -> None:
        """Activate a fault."""
        self._list.append(fault)

    def clear(self) -> None:
        """End all faults."""
        self._list.clear()

    def take(self, method: str, raw_path: str, now: float) -> list[Fault]:
        """The faults for this request: every due delay and the first other fault."""
        met: list[Fault] = []
        for fault in self._list:
            if fault.spent or not fault.matches(method, raw_path):
                continue
            if fault.waits and now - self.acted_at > _ACT_SECONDS:
                continue
            fault.seen += 1
            if fault.seen <= fault.after:
                continue
            if fault.name != "delay" and any(other.name != "delay" for other in met):
                continue
            fault.used += 1
            met.append(fault)
        self._list = [fault for fault in self._list if not fault.spent]
        return met

    def names(self) -> list[str]:
        """The faults that can still apply to later requests."""
        return [fault.called or fault.name for fault in self._list if not fault.spent]

    def leave_now(self) -> Fault | None:
        """A connection refusal for all requests whose `after` has just been reached; it is used up."""
        for fault in self._list:
            if fault.name == "refuse" and fault.match is None and fault.seen >= fault.after:
                self._list.remove(fault)
                return fault
        return None


def replacement(fault: Fault, plain: Reply) -> Reply:
    """The reply of a fault that replaces the call; `plain` makes errors in the control plane's own shape."""
    retry = (("Retry-After", f"{fault.retry_after:g}"),)
    coded = (("Content-Encoding", "gzip"),)
    replies = {
        "429": replace(plain, headers=retry),
        "html": html_reply("Sign in"),
        "empty": Reply(200, b"", JSON),
        "bad_json": Reply(200, b'{"status": "suc', JSON),
        "redirect": Reply(302, headers=(("Location", fault.location),)),
        "huge": Reply(200, b"", JSON, stream=lambda: _huge_text(fault.size)),
        "huge_gzip": Reply(200, b"", JSON, coded, lambda: _gzipped(_huge_text(fault.size))),
    }
    return replies.get(fault.name, plain)


def _huge_text(size: int) -> Iterator[bytes]:
    yield b'"'
    left = size - 2
    while left > 0:
        yield b"a" * min(left, _CHUNK)
        left -= _CHUNK
    yield b'"'


def _gzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    for chunk in chunks:
        packed = packer.compress(chunk)
        if packed:
            yield packed
    yield packer.flush()


def bent(fault: Fault, reply: Reply, enum_keys: frozenset[str]) -> Reply:
    """The true reply with swapped types or unknown enumeration values."""
    if fault.name not in {"wrong_types", "unknown_enum"} or reply.stream is not None:
        return reply
    try:
        value = json.loads(reply.body)
    except ValueError:
        value = "unexpected"
    bend = _swap(value) if fault.name == "wrong_types" else _unheard(value, enum_keys)
    return replace(reply, body=json.dumps(bend).encode(), content_type=JSON)


def _swap(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _swap(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_swap(item) for item in value]
    if isinstance(value, str):
        return 17
    return [] if value is None else f"not {value}"


def _unheard(value: Any, keys: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_unheard(item, keys) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _novel(item) if key in keys else _unheard(item, keys) for key, item in value.items()}


def _novel(value: Any) -> Any:
    if isinstance(value, str):
        return "SOMETHING_NEW"
    return 99 if isinstance(value, int) else value
