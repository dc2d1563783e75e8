"""Masks a log in bounded memory: a single text, or the texts in a zip one after the other.

A zip is never extracted. Refused: too many members or unpacked bytes, and the compression ratios of a zip bomb.
Left out with a note: members that are encrypted or not text. Everything here blocks: call it in a worker thread.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Final

from bot.core.errors import BadReply
from bot.core.log_diff import COMPARED
from bot.core.redact import LineSplitter, Redactor

MOST_MEMBERS: Final = 500
MOST_UNPACKED: Final = 512 << 20
_RATIO: Final = 250
_RATIO_FROM: Final = 32 << 20
_CHUNK: Final = 64 * 1024
_LONGEST_SHOWN: Final = 240
_MOST_HITS: Final = 50
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError)
_LABEL: Final = re.compile(r"[^A-Za-z0-9._ -]+")


@dataclass(slots=True)
class Seen:
    """What to keep (`tail` last lines, lines with `grep`) and what was found; `compared` holds more of the last lines."""

    tail: int
    grep: str
    lines: int = 0
    size: int = 0
    redactions: int = 0
    hits: list[str] = field(default_factory=list)
    hit_count: int = 0
    last: deque[str] = field(default_factory=deque)
    compared: deque[str] = field(default_factory=lambda: deque(maxlen=COMPARED))
    notes: list[str] = field(default_factory=list)
    digest: str = ""

    def take(self, block: str) -> None:
        """Scan masked lines."""
        wanted = self.grep.casefold()
        for line in block.splitlines():
            self.lines += 1
            self.last.append(line[:_LONGEST_SHOWN])
            self.compared.append(line[:_LONGEST_SHOWN])
            if len(self.last) > self.tail:
                self.last.popleft()
            if wanted and wanted in line.casefold():
                self.hit_count += 1
                if len(self.hits) < _MOST_HITS:
                    self.hits.append(line[:_LONGEST_SHOWN])

    def preview(self) -> str:
        """The last lines or the matching lines; empty if there are none."""
        if not self.grep:
            return "\n".join(self.last)
        if not self.hits:
            return ""
        more = f" (the first {_MOST_HITS})" if self.hit_count > len(self.hits) else ""
        return "\n".join([f"Lines with “{self.grep}”: {self.hit_count}{more}", *self.hits])


def masked_file(source: Path, out: BinaryIO | None, secrets: Iterable[str], seen: Seen) -> None:
    """Write `source` masked into `out` (None: only scan it). Raises BadReply for a damaged or harmful archive."""
    digest = hashlib.sha256()
    for block in _blocks(source, secrets, seen):
        seen.take(block)
        data = block.encode()
        digest.update(data)
        seen.size += len(data)
        if out is not None:
            out.write(data)
    if out is not None:
        out.flush()
    seen.digest = digest.hexdigest()


def _blocks(source: Path, secrets: Iterable[str], seen: Seen) -> Iterator[str]:
    with source.open("rb") as file:
        packed = file.read(2) == b"PK"
        file.seek(0)
        if not packed:
            yield from _masked(file, "the log", secrets, seen)
            return
        try:
            yield from _members(file, secrets, seen)
        except _BROKEN as broken:
            raise BadReply("The session log is a damaged archive.") from broken


def _members(file: BinaryIO, secrets: Iterable[str], seen: Seen) -> Iterator[str]:
    with zipfile.ZipFile(file) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) > MOST_MEMBERS:
            raise BadReply(f"The session log has more than {MOST_MEMBERS} files, so it was not opened.")
        for info in members:
            label = _LABEL.sub("_", re.split(r"[/\\]", info.filename)[-1])[-80:] or "a file"
            if info.flag_bits & 1:
                seen.notes.append(f"{label} is encrypted and was left out")
                continue
            if len(members) > 1:
                yield f"==== {label} ====\n"
            with archive.open(info) as member:
                yield from _masked(member, label, secrets, seen, info.compress_size)


def _masked(
    source: IO[bytes], label: str, secrets: Iterable[str], seen: Seen, packed: int | None = None
) -> Iterator[str]:
    chunk = source.read(_CHUNK)
    if b"\0" in chunk[:4096] and not chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        seen.notes.append(f"{label} is not text and was left out")
        return
    encoding = "utf-16" if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    splitter, redactor, size = LineSplitter(), Redactor(secrets), 0
    while chunk:
        size += len(chunk)
        _check(size, packed, seen)
        block = splitter.feed(decoder.decode(chunk))
        if block:
            yield redactor.feed(block)
        chunk = source.read(_CHUNK)
    rest = splitter.feed(decoder.decode(b"", True)) + splitter.flush()
    if rest:
        yield redactor.feed(rest if rest.endswith("\n") else f"{rest}\n")
    seen.redactions += redactor.count


def _check(size: int, packed: int | None, seen: Seen) -> None:
    if seen.size + size > 2 * MOST_UNPACKED or size > MOST_UNPACKED:
        raise BadReply(f"The session log unpacks to more than {MOST_UNPACKED >> 20} MB, so reading stopped.")
    if packed is not None and size > _RATIO_FROM and size > _RATIO * max(1, packed):
        raise BadReply("The session log unpacks to far more than a log would, so reading stopped.")
