"""Zip files: whole ones, and one too large to hold."""

import io
import zipfile
from collections.abc import Iterator

ZIP = "application/zip"
_PAD = b"2026-01-01T00:00:00.0000000+00:00 DEBUG Visited another page of the site without change\r\n"
_CHUNK = 256 * 1024


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of whole files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def large_log_zip(name: str, text: str, size: int) -> Iterator[bytes]:
    """A zip, stored and not deflated, of a log padded to `size` bytes, in chunks."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(name, "w", force_zip64=True) as entry:
            block = _PAD * (_CHUNK // len(_PAD))
            left = size - len(text)
            while left > 0:
                entry.write(block[:left])
                left -= len(block)
                yield sink.take()
            entry.write(text.encode())
        yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """A file that can't seek and keeps only the bytes that were not taken yet."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken
