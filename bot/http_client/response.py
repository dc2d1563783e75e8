"""A whole reply, parsed into models; and bodies unpacked in bounded steps."""

import zlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.core.errors import BadReply
from bot.core.text import first_of
from bot.core.value import Json
from bot.core.vendor_json import Rows, WireModel, loads

T = TypeVar("T")
M = TypeVar("M", bound=WireModel)
_STEP: Final = 256 * 1024
_HTML_STARTS: Final = (b"<!doctype html", b"<html")


def looks_html(media_type: str, head: bytes) -> bool:
    """True for a web page, whatever its media type: sign-in pages and proxies answer with those.

    Text or JSON without tags is not a page: Express sends every text as text/html.
    """
    start = head[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(b"<" if media_type in ("text/html", "application/xhtml+xml") else _HTML_STARTS)


def media_type_of(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in lower case."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Reply:
    """A success (2xx). `headers` have lower-case names, `body` is unpacked.

    For messages: `name` is the backend, `call` the method and path.
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
        """True when the body has only blanks."""
        return not self.body.strip()

    @property
    def date(self) -> datetime | None:
        """The server's clock at the time of the reply, to the second."""
        try:
            date = parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError):
            return None
        return date if date.tzinfo else date.replace(tzinfo=UTC)

    def text(self) -> str:
        """The body as text. Invalid UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def value(self) -> Json:
        """The body as any JSON value. Raises BadReply. See vendor_json for unusual characters and numbers."""
        try:
            return loads(self.body)
        except ValueError:
            raise self.bad("the body is not JSON") from None

    def read(self, shape: type[T] | TypeAdapter[T], *needs: str) -> T:
        """The body as `shape`: a model, or an adapter of any type. Raises BadReply, which names what is missing.

        `needs` are fields with a default that the caller can't do without.
        """
        adapter = shape if isinstance(shape, TypeAdapter) else TypeAdapter(shape)
        value, fault = self.value(), ""
        try:
            read = adapter.validate_python(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            names = list(dict.fromkeys(".".join(map(str, item["loc"])) for item in found))
            fault = f"{_quoted(names)} can't be read" if all(names) else "the body is not what was expected"
        if fault:
            raise self.bad(fault)
        if isinstance(read, WireModel):
            absent = [read.wire_name(name) for name in needs if getattr(read, name) in (None, "", [], ())]
            if absent:
                raise self.bad(f"{_quoted(absent)} can't be read")
        return read

    def rows(self, model: type[M], at: Sequence[str] = ()) -> list[M]:
        """The body as a list, row by row. An unreadable row is empty and marked. Null is an empty list.

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
        """The error for a success without the needed content."""
        call = f" to {self.call}" if self.call else ""
        return BadReply(f"{self.name} answered {self.status}{call}, but {fault}.", status=self.status)


@lru_cache(maxsize=256)
def _rows_adapter_of(model: type[M]) -> TypeAdapter[list[M]]:
    return TypeAdapter(Rows[model])  # type: ignore[valid-type]


@dataclass(frozen=True, slots=True)
class Download:
    """The downloaded file: `size` in bytes, `sha256` in hex, `head` the first 512 bytes."""

    status: int
    headers: Mapping[str, str]
    size: int
    sha256: str
    head: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return media_type_of(self.headers)


def _quoted(names: Sequence[str]) -> str:
    return first_of((f"`{name}`" for name in names), 3, ", ")


class Unpacker:
    """Unpacks one content coding in pieces of at most 256 KB, so that a decompression bomb ends at the cap.

    `coding` is the Content-Encoding. An unknown or stacked one raises BadReply.
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
        """The unpacked pieces of this chunk."""
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
        """Call after the last chunk. Raises BadReply when the packed body was cut off."""
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
            raise BadReply(f"{self._name} answered with a compressed body that can't be unpacked.") from None


async def unpacked(chunks: AsyncIterator[bytes], unpacker: Unpacker, cap: int, name: str) -> AsyncIterator[bytes]:
    """The unpacked pieces, at most `cap` bytes. Raises BadReply when there is more."""
    size = 0
    async for chunk in chunks:
        for piece in unpacker.feed(chunk):
            size += len(piece)
            if size > cap:
                raise BadReply(f"{name} answered with more than {cap // (1 << 20) or 1} MB; Signalbox stopped reading.")
            yield piece
    unpacker.end()
