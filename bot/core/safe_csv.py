"""CSV that a spreadsheet doesn't run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

# Spreadsheets take these for a formula or command, also after blanks; the wide forms in East Asian locales.
_DANGEROUS: Final = re.compile(
    r"['\t\r\n]|[\s\u200b\u200c\u200d\u2060\ufeff\x00]*[=+\-@|%\t\r\n\uff1d\uff0b\uff0d\uff20]"
)


def guarded(cell: str) -> str:
    """`cell`, with an apostrophe in front when a spreadsheet might run it or when it starts with one."""
    return "'" + cell if _DANGEROUS.match(cell) else cell


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A header and rows as CSV (RFC 4180), every cell made safe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue()
