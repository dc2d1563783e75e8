"""The audit log as a file: CSV that a spreadsheet doesn't run, or JSON Lines with exact values."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

import csv
import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from bot.core.audit import COLUMNS
from bot.core.text import guarded
from bot.store.database import Unit

CHUNK: Final = 5_000
_READ: Final = f"SELECT {', '.join(COLUMNS)} FROM audit WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
Read = Callable[[Unit[Any]], Any]


def export(read: Read, path: str, form: str, opened: Callable[[], object] = lambda: None) -> int:
    """Write the audit log to `path`, as `csv` or `jsonl`. Returns the number of entries. Calls `opened` once it can be written.

    The complete file appears in one step, with mode 0600; until then it is a temporary file next to `path`. Raises OSError.
    """
    if form not in ("csv", "jsonl"):
        raise ValueError(f"the format of an export is csv or jsonl, not {form}")
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            opened()
            count = _write_csv(read, file) if form == "csv" else _write_jsonl(read, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return count


def _rows(read: Read) -> Iterator[tuple[Any, ...]]:
    """Every entry up to the current head, in short reads."""
    last = int(read(lambda db: db.execute("SELECT max(seq) FROM audit").fetchone()[0]) or 0)
    seq = 0
    while seq < last:
        after = seq
        rows = read(lambda db: db.execute(_READ, (after, last, CHUNK)).fetchall())  # noqa: B023 - called at once
        if not rows:
            return
        yield from rows
        seq = rows[-1][0]


def _write_csv(read: Read, file: TextIO) -> int:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    for row in _rows(read):
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
        count += 1
    return count


def _write_jsonl(read: Read, file: TextIO) -> int:
    count = 0
    for row in _rows(read):
        line = json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False, separators=(",", ":"))
        file.write(line + "\n")
        count += 1
    return count
