"""A log archive without its secrets: read member by member, masked, and written to a new archive, in bounded memory.

Nothing is extracted to disk, and member names are labels only. Refused: more than 2,000 members, overlapping members,
a directory or content larger than the caps, and the ratios of a zip bomb (security.md D46, D47). Left out with a note:
encrypted members, members that are not text (they can't be masked), and compressions that can't be unpacked
in bounded steps. The checks are our own, because `zipfile` reads a directory of any size and refuses neither overlaps nor
bombs. Everything here blocks: call it in a worker thread.
"""

from __future__ import annotations

import codecs
import hashlib
import struct
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from typing import BinaryIO, Final

from bot.backends.sequentum.file_names import label_of
from bot.core.errors import BadReply
from bot.core.log_diff import COMPARED
from bot.core.redact import LineSplitter, Redactor

MOST_MEMBERS: Final = 2_000
LARGEST_DIRECTORY: Final = 4 << 20
MOST_UNPACKED: Final = 2 << 30
MOST_RATIO: Final = 250
# Below this size the ratio is not checked: a small log of equal lines compresses very well.
_RATIO_FROM: Final = 32 << 20
_CHUNK: Final = 64 * 1024
_LONGEST_SHOWN: Final = 400
MOST_HITS: Final = 50
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, ValueError)
_END: Final = b"PK\x05\x06"
_LOCATOR: Final = struct.Struct("<4sLQL")  # the last but one is the offset of the zip64 end record
_END64: Final = struct.Struct("<4sQHHLLQQQ")  # up to the count of members and the size of the directory
_USUAL: Final = frozenset(b"\t\n\v\f\r\b\a\x1b")
_MOST_STRANGE: Final = 0.05  # share of control characters that a text may have
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Stopped(Exception):
    """The caller no longer waits for the result."""


@dataclass(slots=True)
class LogRead:
    """The results of a scan: the last lines, the last matching lines, and what was left out."""

    tail: deque[str]
    last: deque[str]
    grep: str = ""
    hits: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_HITS))
    hit_count: int = 0
    lines: int = 0
    members: int = 0
    redactions: int = 0
    notes: list[str] = field(default_factory=list)

    def take(self, block: str) -> None:
        """Scan masked lines."""
        lines = block.splitlines()
        self.lines += len(lines)
        newest = [line[:_LONGEST_SHOWN] for line in lines[-COMPARED:]]
        self.tail.extend(newest)
        self.last.extend(newest)
        if self.grep and self.grep in block.casefold():
            found = [line[:_LONGEST_SHOWN] for line in lines if self.grep in line.casefold()]
            self.hit_count += len(found)
            self.hits.extend(found)


def rewrite(
    source: Path, target: BinaryIO | None, secrets: Iterable[str], read: LogRead, stopped: Callable[[], bool]
) -> None:
    """Mask `source` into `target` (None: only scan it). Raises Stopped, and BadReply for a damaged or harmful zip."""
    with source.open("rb") as file:
        _check_directory(file)
        try:
            with zipfile.ZipFile(file) as archive:
                _copy(archive, target, secrets, read, stopped)
        except _BROKEN as broken:
            raise BadReply("The log archive is damaged.") from broken


def _check_directory(file: BinaryIO) -> None:
    """Size and count of the directory, before zipfile reads all of it into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557 - _LOCATOR.size))
    end = file.read()
    at = end.rfind(_END)
    if at < 0 or len(end) < at + 22:
        raise BadReply("The log is not a zip archive.")
    count, length = struct.unpack("<HL", end[at + 10 : at + 16])
    if count == 0xFFFF or length == 0xFFFFFFFF:
        count, length = _zip64_directory(file, end[max(0, at - _LOCATOR.size) : at]) or (count, length)
    if count > MOST_MEMBERS or length > LARGEST_DIRECTORY:
        raise BadReply(f"The log archive has more than {MOST_MEMBERS} members, so it was not opened.")
    file.seek(0)


def _zip64_directory(file: BinaryIO, locator: bytes) -> tuple[int, int] | None:
    """Count and size of the directory by the zip64 end record, which large-file writers add to small archives too."""
    if len(locator) < _LOCATOR.size or not locator.startswith(b"PK\x06\x07"):
        return None
    start = _LOCATOR.unpack(locator)[2]
    if start > file.seek(0, 2):
        return None
    file.seek(start)
    record = file.read(_END64.size)
    if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        return None
    *_, count, length = _END64.unpack(record)
    return count, length


def _copy(
    archive: zipfile.ZipFile,
    target: BinaryIO | None,
    secrets: Iterable[str],
    read: LogRead,
    stopped: Callable[[], bool],
) -> None:
    budget = _Budget(stopped)
    members = [info for info in archive.infolist() if not info.is_dir()]
    _check_overlap(members)
    if target is None:
        for info in members:
            for block in _masked(archive, info, secrets, read, budget):
                read.take(block)
        return
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as out:
        for label, info in _labelled(members):
            blocks = _masked(archive, info, secrets, read, budget)
            first = next(blocks, None)
            if first is None:
                continue
            with out.open(zipfile.ZipInfo(label), "w", force_zip64=True) as member:
                for text in chain((first,), blocks):
                    read.take(text)
                    member.write(text.encode())


def _check_overlap(members: Sequence[zipfile.ZipInfo]) -> None:
    ordered = sorted(members, key=lambda info: info.header_offset)
    for one, following in pairwise(ordered):
        if one.header_offset + one.compress_size > following.header_offset:
            raise BadReply("The members of the log archive overlap, so it was not opened.")


def _labelled(members: Sequence[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    used: set[str] = set()
    for number, info in enumerate(members, 1):
        label = label_of(info.filename, f"log-{number}.log")
        if label.casefold() in used:
            label = f"{number}-{label}"
        used.add(label.casefold())
        yield label, info


class _Budget:
    """Counts unpacked bytes of the whole archive and of one member."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._total = 0
        self._stopped = stopped

    def spend(self, size: int, member: int, packed: int) -> None:
        self._total += size
        if self._stopped():
            raise Stopped
        if self._total > MOST_UNPACKED:
            raise BadReply(f"The log unpacks to more than {MOST_UNPACKED >> 30} GB, so reading stopped.")
        if member > _RATIO_FROM and member > MOST_RATIO * max(1, packed):
            raise BadReply("The log unpacks to far more than a log would, so reading stopped.")


def _masked(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, secrets: Iterable[str], read: LogRead, budget: _Budget
) -> Iterator[str]:
    """Blocks of whole masked lines of one member; none for a member that is left out (see `notes`)."""
    label = label_of(info.filename, "a member")
    if info.flag_bits & 1:
        read.notes.append(f"{label} is encrypted and was left out")
        return
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        read.notes.append(f"{label} uses an unsupported compression and was left out")
        return
    splitter, redactor, size = LineSplitter(), Redactor(secrets), 0
    with archive.open(info) as source:
        chunk = source.read(_CHUNK)
        encoding = _encoding(chunk)
        if encoding is None:
            read.notes.append(f"{label} is not text and was left out")
            return
        read.members += 1
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        while chunk:
            size += len(chunk)
            budget.spend(len(chunk), size, info.compress_size)
            block = splitter.feed(decoder.decode(chunk).replace("\0", ""))
            if block:
                yield redactor.feed(block)
            chunk = source.read(_CHUNK)
    rest = splitter.feed(decoder.decode(b"", True)) + splitter.flush()
    yield redactor.feed(rest)
    read.redactions += redactor.count
    if splitter.cut_lines:
        read.notes.append(f"{splitter.cut_lines} overlong lines of {label} were cut")


def _encoding(start: bytes) -> str | None:
    """How the text is encoded, by its byte order mark or the position of its zero bytes; None if it is not text.

    A few zero bytes don't make a binary file: a killed program can leave some in its log.
    """
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    sample = start[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > len(sample) * 0.4 and even == 0:
        return "utf-16-le"
    if even > len(sample) * 0.4 and odd == 0:
        return "utf-16-be"
    strange = sum(byte < 32 and byte not in _USUAL for byte in sample)
    return "utf-8" if strange <= max(4, len(sample) * _MOST_STRANGE) or strange == 0 else None


def sha256_of(path: Path) -> tuple[str, int]:
    """Hex SHA-256 and size of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
