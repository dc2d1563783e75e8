"""The check of the chain: recomputes every hash and checks the link of every entry to the one before."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from bot.core.audit import ZERO_HASH
from bot.core.records import Verdict
from bot.store.database import Tx, Unit
from bot.store.errors import UnreadableError

CHUNK: Final = 20_000
HEAD_FORM: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
Read = Callable[[Unit[Any]], Any]


@dataclass(slots=True)
class _Walk:
    """The progress of the check. `last` is the hash of entry `seq`."""

    seq: int = 0
    last: str = ZERO_HASH
    head_seq: int = 0
    head_seen: str | None = None


class _BadError(Exception):
    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq = seq
        self.why = why


def verify(read: Read, head: str | None = None) -> Verdict:
    """Check the whole audit log. `read` runs a function in one short read transaction.

    `head` is a published `SEQ:HASH`. Without it a truncated end can't be detected, and the verdict says so. Entries that are
    added meanwhile may be left out.
    """
    walk = _Walk()
    wanted = None
    if head is not None:
        form = HEAD_FORM.fullmatch(head.strip())
        if form is None:
            return _verdict(walk, None, "The head must have the form SEQ:HASH, with 64 hex digits.", tail=False)
        walk.head_seq, wanted = int(form[1]), form[2]
    missing = read(lambda db: db.dialect.missing_guards(db))
    try:
        while read(lambda db: _chunk(db, walk)) == CHUNK:
            pass
    except _BadError as bad:
        return _verdict(walk, bad.seq, bad.why, tail=False)
    if wanted is not None and walk.head_seen is None and walk.head_seq > walk.seq:
        why = f"The audit log ends at entry {walk.seq}, but entry {walk.head_seq} was published: the last entries were deleted."
        return _verdict(walk, walk.seq + 1, why, tail=True)
    if wanted is not None and walk.head_seq > 0 and walk.head_seen != wanted:
        why = f"Entry {walk.head_seq} differs from the published one: the audit log was rewritten from some entry on."
        return _verdict(walk, walk.head_seq, why, tail=True)
    if missing:
        return _verdict(
            walk, None, f"Every entry is intact, but triggers are missing: {', '.join(missing)}.", tail=True
        )
    tail = wanted is not None
    why = "" if tail else "Without a published head, deleted last entries can't be detected."
    return Verdict(True, walk.seq, None, why, _head(walk), tail)


def _verdict(walk: _Walk, seq: int | None, why: str, *, tail: bool) -> Verdict:
    return Verdict(False, walk.seq, seq, why, _head(walk), tail)


def _head(walk: _Walk) -> str | None:
    return f"{walk.seq}:{walk.last}" if walk.seq else None


def _chunk(db: Tx, walk: _Walk, limit: int = CHUNK) -> int:
    """Check the next entries, at most `limit`. Returns their number."""
    before = walk.seq
    try:
        why = _check(db.dialect.chained(db, before, limit), walk)
    except UnreadableError as error:
        if limit > 1:
            # The driver reads one row ahead, so only reading each one alone shows which row failed.
            while _chunk(db, walk, 1):
                pass
            return walk.seq - before
        why = f"can't be read: {error}"
    if why:
        raise _BadError(walk.seq + 1, f"Entry {walk.seq + 1} {why}.")
    return walk.seq - before


def _check(rows: Iterable[tuple[Any, ...]], walk: _Walk) -> str:
    """Check `rows` up to the first bad one. Returns what is wrong with it. A blob instead of text is wrong."""
    sha256, seq, last = hashlib.sha256, walk.seq, walk.last
    try:
        for at, prev, digest, body in rows:
            if at != seq + 1:
                return "is missing"
            if prev != last:
                return f"doesn't follow from entry {seq}: an entry was changed, swapped or deleted"
            if body is None:
                return "has an unknown version, or was changed"
            if sha256(body).hexdigest() != digest:
                return "was changed after it was written"
            seq, last = at, digest
            if at == walk.head_seq:
                walk.head_seen = digest
        return ""
    finally:
        walk.seq, walk.last = seq, last
