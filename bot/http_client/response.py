"""A whole answer, read into what was promised or named as unreadable; and bodies unpacked in bounded steps."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.core.errors import BadReply
from bot.core.value import Json
from bot.core.vendor_json import Rows, WireModel, loads

T = TypeVar("T")
M = TypeVar("M", bound=WireModel)
_STEP: Final = 256 * 1024
_HTML_STARTS: Final = (b"<!doctype html", b"<html")
_SHOWN_FIELDS: Final = 3


def looks_html(media_type: str, head: bytes) -> bool:
    """True for a web page, whatever its type says: sign-in pages and proxies answer with those."""
    start = head[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return media_type in ("text/html", "application/xhtml+xml") or start.startswith(_HTML_STARTS)


def media_type_of(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in lower case."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Reply:
    """A success (2xx). `headers` have lower-case names, `body` is unpacked.

    For sentences: `name` is the backend's, `call` the method and the path.
    """

    name: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    call: str = ""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return media_type_of(self.headers)

    @property
    def empty(self) -> bool:
        """True when there is nothing but blanks."""
        return not self.body.strip()

    @property
    def date(self) -> datetime | None:
        """The server's own clock as it answered, to the second."""
        try:
            date = parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError):
            return None
        return date if date.tzinfo else date.replace(tzinfo=UTC)

    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    def value(self) -> Json:
        """The body as any JSON value; raises BadReply. Odd characters and numbers are read as vendor_json says."""
        try:
            return loads(self.body)
        except ValueError:
            raise self.bad("the body is not JSON") from None

    def read(self, shape: type[T] | TypeAdapter[T], *needs: str) -> T:
        """The body as `shape`: a model, or an adapter of any type. Raises BadReply that names what is missing.

        `needs` are fields of the model that have a default, but without which the caller can do nothing.
        """
        adapter = shape if isinstance(shape, TypeAdapter) else TypeAdapter(shape)
        value, fault = self.value(), ""
        try:
            read = adapter.validate_python(value)
        except ValidationError as error:
            fault = _fault(error)
        if fault:
            raise self.bad(fault)
        if isinstance(read, WireModel):
            absent = [read.wire_name(name) for name in needs if getattr(read, name) in (None, "", [], ())]
            if absent:
                raise self.bad(f"{_quoted(absent)} can't be read")
        return read

    def rows(self, model: type[M], at: Sequence[str] = ()) -> list[M]:
        """The body as a list, row by row: one that can't be read is there, empty and marked. Null is an empty list.

        The list is the body itself, or the value of the first key of `at` that the body has. Raises BadReply for others.
        """
        value, named = self.value(), "the body"
        if at and isinstance(value, dict):
            key = next((key for key in at if key in value), None)
            if key is None:
                raise self.bad(f"{' or '.join(f'`{name}`' for name in at)} is missing")
            value, named = value[key], f"`{key}`"
        if value is not None and not isinstance(value, list):
            raise self.bad(f"{named} is not a list")
        return _rows_adapter_of(model).validate_python(value)

    def bad(self, fault: str) -> BadReply:
        """The error for a success that does not hold what it has to."""
        call = f" to {self.call}" if self.call else ""
        return BadReply(
            f"{self.name} answered {self.status}{call}, but {fault}.",
            "Its version may differ from the documented one.",
            status=self.status,
        )


@lru_cache(maxsize=256)
def _rows_adapter_of(model: type[M]) -> TypeAdapter[list[M]]:
    return TypeAdapter(Rows[model])  # type: ignore[valid-type]


@dataclass(frozen=True, slots=True)
class Download:
    """What came into the file: `size` in bytes, `sha256` hex of them, `head` the first 512."""

    status: int
    headers: Mapping[str, str]
    size: int
    sha256: str
    head: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return media_type_of(self.headers)


def _fault(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    names = list(dict.fromkeys(".".join(map(str, item["loc"])) for item in found))
    return f"{_quoted(names)} can't be read" if all(names) else "the body is not what was expected"


def _quoted(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_FIELDS
    return ", ".join(f"`{name}`" for name in names[:_SHOWN_FIELDS]) + (f" and {more} more" if more > 0 else "")


class Unpacker:
    """Unpacks one content coding with at most a quarter of a megabyte in hand, so that a bomb ends at the cap.

    `coding` is the Content-Encoding; an unknown or a stacked one raises BadReply.
    """

    def __init__(self, name: str, coding: str) -> None:
        self._name = name
        coding = coding.strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise BadReply(f"{name} answered with an encoding that was not asked for.")
        self._coding = "" if coding == "identity" else coding
        self._start = b""
        self._zlib: Any = None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Unpacked pieces of this chunk."""
        if not self._coding:
            yield chunk
            return
        if self._zlib is None:
            self._start += chunk
            if len(self._start) < 2:
                return
            chunk, self._start = self._start, b""
            self._zlib = zlib.decompressobj(wbits=self._window(chunk))
        while chunk:
            piece = self._step(chunk)
            chunk = self._zlib.unconsumed_tail
            if piece:
                yield piece
            elif not chunk:
                return

    def end(self) -> None:
        """No more chunks: raises BadReply when the packed body was cut off."""
        if self._start or (self._zlib is not None and not self._zlib.eof):
            raise BadReply(f"{self._name} answered with a compressed body that ends too early.")

    def _window(self, start: bytes) -> int:
        if self._coding != "deflate":
            return 31
        # Some servers send raw deflate under this name, without the two bytes of the zlib format.
        zlib_format = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
        return 15 if zlib_format else -15

    def _step(self, chunk: bytes) -> bytes:
        try:
            return bytes(self._zlib.decompress(chunk, _STEP))
        except zlib.error:
            raise BadReply(f"{self._name} answered with a body whose compression is broken.") from None


async def unpacked(chunks: AsyncIterator[bytes], unpacker: Unpacker, cap: int, name: str) -> AsyncIterator[bytes]:
    """The unpacked pieces, at most `cap` bytes; raises BadReply when there is more."""
    size = 0
    async for chunk in chunks:
        for piece in unpacker.feed(chunk):
            size += len(piece)
            if size > cap:
                raise BadReply(f"{name} answered with more than {cap // (1 << 20) or 1} MB; reading was stopped.")
            yield piece
    unpacker.end()
