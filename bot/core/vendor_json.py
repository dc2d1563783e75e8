"""Reads replies of control planes: one unreadable field, row or character never hides the others.

A reply is parsed once, where it arrives (`http_client.Reply.read` and `.rows`), into models of this module. A field with a
default tolerates anything: what can't be read becomes the default, and `odd` names it. A field without a default is one
that every reader of the model needs: without it the whole reply fails, and the error names the field. An operation
that needs more fields names them when it reads: `reply.read(Run, "run_id")`.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from bot.core.outcome import Fact, Table
from bot.core.text import first_of, plural
from bot.core.value import Json

T = TypeVar("T")
W = TypeVar("W", bound="WireModel")
MARK: Final = "⚠"
NOT_READABLE: Final = "Not readable"  # the label of a fact that names unreadable fields
_REPLACED: Final = "\ufffd"
_OUT_OF_RANGE: Final = "(out of range)"
WHOLE_ROW: Final = "the whole row"
_MOST_FIELDS_NAMED: Final = 6
_DATE_DIGITS: Final = 8  # `20260128` is a date
_FIRST_SECONDS: Final = 1e8  # March 1973: a smaller number counts something else
_FIRST_MILLISECONDS: Final = 1e11
_LARGEST: Final = 2**63
_HALF_CHARACTER: Final = re.compile(rb"\\u[dD][89abAB]|\\u[dD][c-fC-F]")


def loads(body: bytes) -> Json:
    """The JSON value of a body. Raises ValueError for anything else.

    Surrogate halves (`\\ud83d`) become U+FFFD. Numbers beyond 64 bits and NaN become text that says so: numeric
    fields reject it, text fields show it.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    try:
        value = json.loads(text, strict=False, parse_int=_whole, parse_float=_fraction, parse_constant=_beyond)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _repaired(value) if _HALF_CHARACTER.search(body) else value  # type: ignore[no-any-return]


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < 20 and abs(int(digits)) < _LARGEST else _beyond(digits)


def _fraction(digits: str) -> float | str:
    number = float(digits)
    return number if abs(number) < _LARGEST else _beyond(digits)


def _beyond(digits: str) -> str:
    return f"{digits[:24]} {_OUT_OF_RANGE}"


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    if isinstance(value, dict):
        return {_repaired(key): _repaired(item) for key, item in value.items()}
    return value


def _no_flag(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("not a number")
    return value


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _whole_name(value: object) -> object:
    if isinstance(value, str) and (_REPLACED in value or value.endswith(_OUT_OF_RANGE)):
        raise ValueError("not a whole name")
    return value


def _row_by_row(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if value is None:
        return []
    if not isinstance(value, list):
        return handler(value)
    rows: list[Any] = []
    for item in value:
        try:
            rows += handler([item])
        except ValidationError:
            rows += [empty.noting(WHOLE_ROW) for empty in handler([{}])]
    return rows


def _as_name(value: object) -> object:
    if not isinstance(value, str) or value.endswith(_OUT_OF_RANGE):
        raise ValueError("not a name")
    return value


def _as_time(value: object) -> object:
    if value and (isinstance(value, bool) or not isinstance(value, str | int | float) or moment(value) is None):
        raise ValueError("not a time")
    return _as_text(int(value) if isinstance(value, float) else value)


Name = Annotated[str, BeforeValidator(_as_name)]
"""A text that names or addresses a thing; a number is not one."""
Text = Annotated[str, BeforeValidator(_as_text)]
"""A text; a number is read as its digits."""
Id = Annotated[str, BeforeValidator(_whole_name)]
"""A text used as an identifier: never a number, and without replaced characters."""
Whole = Annotated[int, BeforeValidator(_no_flag)]
"""A whole number, within 64 bits; digits in quotes are read, true and false are not."""
Number = Annotated[int | float, BeforeValidator(_no_flag)]
"""A number, within 64 bits; digits in quotes are read, true and false are not."""
Time = Annotated[str, BeforeValidator(_as_time)]
"""A text or number that `moment` can read, or an empty one."""
Rows = Annotated[list[T], WrapValidator(_row_by_row)]
"""A list of models without needed fields, read row by row; null is an empty list."""


class WireModel(BaseModel):
    """A vendor's object; see the module docstring."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=False, hide_input_in_errors=True
    )
    _odd: tuple[str, ...] = PrivateAttr(default=())

    @property
    def odd(self) -> tuple[str, ...]:
        """The vendor's names of fields that were sent but can't be read, including those of inner objects."""
        inner = (part for value in self.__dict__.values() for part in (value if isinstance(value, list) else [value]))
        return (*self._odd, *(name for part in inner if isinstance(part, WireModel) for name in part.odd))

    @model_validator(mode="wrap")
    @classmethod
    def _tolerate(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            if not isinstance(data, dict):
                raise
            faults = {str(item["loc"][0]) for item in error.errors(include_url=False) if item["loc"]}
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        # A fault is named by the key that was sent: the vendor's name, or the field's own.
        odd = faults & (optional | {cls.wire_name(name) for name in optional})
        read = handler({key: value for key, value in data.items() if key not in odd})
        return read.noting(*sorted(key for key in odd if data[key] is not None))

    @classmethod
    def wire_name(cls, field: str) -> str:
        return cls.model_fields[field].alias or field

    def noting(self, *odd: str) -> Self:
        """This object, with the names of unreadable fields."""
        self._odd = odd
        return self


def moment(when: str | float | None) -> datetime | None:
    """An aware time of ISO 8601 text (without a zone: UTC) or of epoch seconds or milliseconds; None for anything else."""
    try:
        if isinstance(when, str) and not (when.isdigit() and len(when) > _DATE_DIGITS):
            found = datetime.fromisoformat(when)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        number = float(when or 0)
        seconds = number / 1000 if number >= _FIRST_MILLISECONDS else number
        return datetime.fromtimestamp(seconds, UTC) if seconds >= _FIRST_SECONDS else None
    except (ValueError, OverflowError, OSError):
        return None


def mark(text: str, row: WireModel) -> str:
    """A cell of a row, marked when a part of the row can't be read."""
    return f"{text} {MARK}".strip() if row.odd else text


def unreadable(read: WireModel) -> tuple[Fact, ...]:
    """A fact that names the unreadable fields of an object; empty when there are none."""
    return (Fact(label=NOT_READABLE, value=_listed(read.odd)),) if read.odd else ()


def _listed(names: Iterable[str]) -> str:
    return first_of(dict.fromkeys(names), _MOST_FIELDS_NAMED, ", ")


def unread(rows: Iterable[WireModel]) -> str:
    """A sentence about rows that can't be read completely; empty without any."""
    odd = [row.odd for row in rows if row.odd]
    count = plural(len(odd), "row")
    return f"{MARK} {count} can't be read completely: {_listed(chain(*odd))}." if odd else ""


def table_of(rows: Sequence[W], columns: Mapping[str, Callable[[W], object]], total: int | None = None) -> Table:
    """Objects as rows of a table. Each column has the function of its cells; None is an empty cell."""
    cells = tuple(tuple("" if (cell := of(row)) is None else str(cell) for of in columns.values()) for row in rows)
    return Table(columns=tuple(columns), rows=cells, total=total, note=unread(rows))


def unless_named(
    rows: Sequence[W], name: Callable[[W], str], column: str, typed: Callable[[W], object]
) -> dict[str, Callable[[W], object]]:
    """The column with the id that a command takes, where a name is missing or not unique. Otherwise a command takes the name."""
    names = [name(row) for row in rows]
    return {} if all(names) and len({*names}) == len(names) else {column: typed}
