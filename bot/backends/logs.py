"""Logs of runs: masked in bounded memory, scanned for a preview, and written as an archive or as one text.

Nothing of an archive is extracted to disk, and member names are labels only. Refused: too many members, overlapping members,
a directory or content larger than the limits, and the ratios of a zip bomb (security.md D46, D47). Left out with a note:
encrypted members, members that are not text (they can't be masked), and compressions that can't be unpacked
in bounded steps. The checks are our own, because `zipfile` reads a directory of any size and refuses neither overlaps nor
bombs. What blocks here runs in a worker thread (`fetched`).
"""

from __future__ import annotations

import asyncio
import codecs
import hashlib
import re
import struct
import threading
import zipfile
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple, TypeVar

from bot.core.errors import BadReply
from bot.core.log_diff import COMPARED, NOT_COMPARED
from bot.core.masking.redact import LineSplitter, Redactor, redact
from bot.core.outcome import Done, Fact, FileOut, Phase, State
from bot.core.ports.services import Call
from bot.core.text import ending, no_line, plural

T = TypeVar("T")
LARGEST_DIRECTORY: Final = 4 << 20
MOST_RATIO: Final = 250
# Below this size the ratio is not checked: a small log of equal lines compresses very well.
_RATIO_FROM: Final = 32 << 20
_CHUNK: Final = 64 * 1024
MOST_HITS: Final = 50
LONGEST_PREVIEW: Final = 2_800  # characters
_HEAD: Final = 400  # of them, for the words above the matching lines
LONGEST_LINE: Final = 240  # characters of a line in a preview
LONGEST_LABEL: Final = 100
_UNSAFE: Final = re.compile(r"[^\w.() -]+")
DEVICES: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, ValueError)
_END: Final = b"PK\x05\x06"
_LOCATOR: Final = struct.Struct("<4sLQL")  # the last but one is the offset of the zip64 end record
_END64: Final = struct.Struct("<4sQHHLLQQQ")  # up to the count of members and the size of the directory
_USUAL: Final = frozenset(b"\t\n\v\f\r\b\a\x1b")
_MOST_STRANGE: Final = 0.05  # share of control characters that a text may have
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Stopped(Exception):
    """The caller no longer waits for the result."""


class Limits(NamedTuple):
    """What an archive may hold: the number of members and of unpacked bytes. `what` is its name in messages."""

    what: str = "log"
    members: int = 2_000
    unpacked: int = 2 << 30


@dataclass(slots=True)
class LogRead:
    """The results of a scan: the last lines, the last or the first matching lines, and what was left out.

    `last` are more of the last lines, for a comparison. Lines are cut to `width` characters. `size` and `digest` (SHA-256 in
    hex) are those of the written text.
    """

    tail: deque[str]
    last: deque[str] = field(default_factory=lambda: deque(maxlen=COMPARED))
    grep: str = ""
    hits: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_HITS))
    first_hits: bool = False
    width: int = 400
    hit_count: int = 0
    lines: int = 0
    members: int = 0
    redactions: int = 0
    size: int = 0
    digest: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def sought(self) -> str:
        """The words of `grep`, as an answer shows them."""
        return redact(self.grep)[0]

    def take(self, block: str) -> None:
        """Scan masked lines."""
        lines = block.splitlines()
        self.lines += len(lines)
        newest = [line[: self.width] for line in lines[-COMPARED:]]
        self.tail.extend(newest)
        self.last.extend(newest)
        grep = self.grep.casefold()
        if grep and grep in block.casefold():
            found = [line[: self.width] for line in lines if grep in line.casefold()]
            self.hit_count += len(found)
            self.hits.extend(found[: MOST_HITS - len(self.hits)] if self.first_hits else found)


def label_of(name: str, usual: str = "file") -> str:
    """The last part of a vendor's or a person's name with harmless characters only, never a path; `usual` if nothing is left."""
    last = re.split(r"[/\\]", name.replace("\x00", ""))[-1]
    label = _UNSAFE.sub("_", last).strip(" .")[-LONGEST_LABEL:]
    return usual if not label.strip("._ ") or DEVICES.match(label) else label


def log_done(
    read: LogRead,
    *,
    summary: str,
    title: str,
    name: str,
    path: str,
    facts: tuple[Fact, ...],
    details: tuple[Fact, ...] = (),
    difference: str = "",
    state: State | None = None,
) -> Done:
    """The answer with a log: the masked file at `path` under `name`, and a preview.

    The preview are the matching lines and the differences from a good run, otherwise the last lines. Of a long preview it is
    the end, because errors are in the last lines of a log.
    """
    remarks: tuple[str, ...] = (difference,) if difference.startswith(NOT_COMPARED) else ()
    shown = (_matching(read), "" if remarks else difference)
    parts = [part for part in shown if part] or ([] if read.grep else ["\n".join(read.tail)])
    preview = ending("\n\n".join(parts), LONGEST_PREVIEW, ", in the file")
    file = FileOut(path=path, name=name, title=title, size=read.size, sha256=read.digest, redactions=read.redactions)
    remarks += (no_line(read.sought),) if read.grep and not read.hit_count else ()
    return Done(
        summary=summary, state=state, facts=facts, details=details, files=(file,), preview=preview, remarks=remarks
    )


def _matching(read: LogRead) -> str:
    if not read.hit_count:
        return ""
    left_out = read.hit_count > len(read.hits)
    if read.first_hits:
        head = f"Lines with “{read.sought}”: {read.hit_count}" + (f" (the first {MOST_HITS})" if left_out else "")
    else:
        verb = "contains" if read.hit_count == 1 else "contain"
        more = f" (the last {len(read.hits)})" if left_out else ""
        head = f"{plural(read.hit_count, 'line')} {verb} “{read.sought}”{more}:"
    found = "\n".join(line[:LONGEST_LINE] for line in read.hits)
    return f"{head}\n{ending(found, LONGEST_PREVIEW - _HEAD, ', in the file')}"


def discard(path: str) -> None:
    """Delete a spool file that is no longer needed."""
    Path(path).unlink(missing_ok=True)


def last_good(runs: Iterable[tuple[str, datetime | None, Phase, T]], this: str, began: datetime | None) -> T | None:
    """The newest of these runs (id, start, phase, value) that succeeded and began before `began`; never the run `this`."""
    good = [
        (when, id_, value)
        for id_, when, phase, value in runs
        if phase is Phase.SUCCEEDED and id_ != this and when and (began is None or when < began)
    ]
    return max(good, key=lambda run: run[:2])[2] if good else None


async def fetched(
    call: Call, fetch: Callable[[BinaryIO], Awaitable[None]], use: Callable[[Path, Callable[[], bool]], None]
) -> None:
    """Fetch a log to the spool, use it in a worker thread, because masking needs the CPU, and delete it.

    `use` gets its path, and a function that is true when the caller was cancelled.
    """
    path, stop = "", threading.Event()
    try:
        async with call.spool.create(".raw") as raw:
            path = raw.name
            await fetch(raw)
        await asyncio.to_thread(use, Path(path), stop.is_set)
    finally:
        stop.set()
        if path:
            discard(path)


def rewrite(
    source: Path, target: BinaryIO | None, secrets: Iterable[str], read: LogRead, stopped: Callable[[], bool]
) -> None:
    """Mask an archive into `target` (None: only scan it). Raises Stopped, and BadReply for a damaged or harmful zip."""
    masking = Masking(secrets, read, stopped)
    with source.open("rb") as file:
        _check_directory(file, masking.limits)
        try:
            with zipfile.ZipFile(file) as archive:
                _copy(archive, target, masking)
        except _BROKEN as broken:
            raise BadReply("The log archive is damaged.") from broken


def write_text(source: Path, target: BinaryIO | None, masking: Masking) -> None:
    """Mask a text, or the texts of an archive one after the other, into `target` (None: only scan it). Raises as `rewrite`."""
    digest, read = hashlib.sha256(), masking.read
    with source.open("rb") as file:
        for block in _texts(file, masking):
            read.take(block)
            data = block.encode()
            digest.update(data)
            read.size += len(data)
            if target is not None:
                target.write(data)
    if target is not None:
        target.flush()
    read.digest = digest.hexdigest()


def _texts(file: BinaryIO, masking: Masking) -> Iterator[str]:
    packed = file.read(2) == b"PK"
    file.seek(0)
    if not packed:
        yield from _masked(file, "the log", masking, end="\n")
        return
    _check_directory(file, masking.limits)
    try:
        with zipfile.ZipFile(file) as archive:
            members = _members(archive)
            for label, info in _labelled(members):
                if len(members) > 1 and not info.flag_bits & 1:
                    yield f"==== {label} ====\n"
                yield from _member(archive, info, masking, end="\n")
    except _BROKEN as broken:
        raise BadReply(f"The {masking.limits.what} archive is damaged.") from broken


def _check_directory(file: BinaryIO, limits: Limits) -> None:
    """Size and count of the directory, before zipfile reads all of it into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557 - _LOCATOR.size))
    end = file.read()
    at = end.rfind(_END)
    if at < 0 or len(end) < at + 22:
        raise BadReply(f"The {limits.what} is not a zip archive.")
    count, length = struct.unpack("<HL", end[at + 10 : at + 16])
    if count == 0xFFFF or length == 0xFFFFFFFF:
        count, length = _zip64_directory(file, end[max(0, at - _LOCATOR.size) : at]) or (count, length)
    if count > limits.members or length > LARGEST_DIRECTORY:
        raise BadReply(f"The {limits.what} archive has more than {limits.members:,} members, so it was not opened.")
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


def _copy(archive: zipfile.ZipFile, target: BinaryIO | None, masking: Masking) -> None:
    members, read = _members(archive), masking.read
    if target is None:
        for info in members:
            for block in _member(archive, info, masking):
                read.take(block)
        return
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as out:
        for label, info in _labelled(members):
            blocks = _member(archive, info, masking)
            first = next(blocks, None)
            if first is None:
                continue
            with out.open(zipfile.ZipInfo(label), "w", force_zip64=True) as member:
                for text in chain((first,), blocks):
                    read.take(text)
                    member.write(text.encode())


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of the archive. Raises BadReply if they overlap."""
    members = [info for info in archive.infolist() if not info.is_dir()]
    for one, following in pairwise(sorted(members, key=lambda info: info.header_offset)):
        if one.header_offset + one.compress_size > following.header_offset:
            raise BadReply("The members of the log archive overlap, so it was not opened.")
    return members


def _labelled(members: Sequence[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    used: set[str] = set()
    for number, info in enumerate(members, 1):
        label = label_of(info.filename, f"log-{number}.log")
        if label.casefold() in used:
            label = f"{number}-{label}"
        used.add(label.casefold())
        yield label, info


class Masking:
    """What is masked and read, within which limits. `stopped` is true when the caller was cancelled."""

    def __init__(
        self, secrets: Iterable[str], read: LogRead, stopped: Callable[[], bool], limits: Limits | None = None
    ) -> None:
        self.secrets = secrets
        self.read = read
        self.limits = limits or Limits()
        self._total = 0
        self._stopped = stopped

    def spend(self, size: int, member: int, packed: int | None) -> None:
        """Count unpacked bytes. Raises Stopped, and BadReply beyond the limits. `packed` None: the member is not packed."""
        self._total += size
        if self._stopped():
            raise Stopped
        if self._total > self.limits.unpacked:
            most = self.limits.unpacked >> 30
            raise BadReply(f"The {self.limits.what} unpacks to more than {most} GB, so reading stopped.")
        if packed is not None and member > _RATIO_FROM and member > MOST_RATIO * max(1, packed):
            raise BadReply(f"The {self.limits.what} unpacks to far more than a log would, so reading stopped.")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, masking: Masking, end: str = "") -> Iterator[str]:
    """Blocks of whole masked lines of one member; none for a member that is left out (see `notes`)."""
    read, label = masking.read, label_of(info.filename, "a member")
    if info.flag_bits & 1:
        read.notes.append(f"{label} is encrypted and was left out")
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        read.notes.append(f"{label} uses an unsupported compression and was left out")
    else:
        with archive.open(info) as source:
            yield from _masked(source, label, masking, info.compress_size, end)


def _masked(source: IO[bytes], label: str, masking: Masking, packed: int | None = None, end: str = "") -> Iterator[str]:
    """Blocks of whole masked lines; `end` closes an unfinished last line."""
    read, chunk = masking.read, source.read(_CHUNK)
    encoding = _encoding(chunk)
    if encoding is None:
        read.notes.append(f"{label} is not text and was left out")
        return
    read.members += 1
    splitter, redactor, size = LineSplitter(), Redactor(masking.secrets), 0
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while chunk:
        size += len(chunk)
        masking.spend(len(chunk), size, packed)
        block = splitter.feed(decoder.decode(chunk).replace("\0", ""))
        if block:
            yield redactor.feed(block)
        chunk = source.read(_CHUNK)
    rest = splitter.feed(decoder.decode(b"", True)) + splitter.flush()
    yield redactor.feed(rest + end if rest and not rest.endswith("\n") else rest)
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
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
