"""The base of every value that is stored as JSON or passed between packages."""

import json
from typing import Any, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

Json: TypeAlias = str | int | float | bool | list[Any] | dict[str, Any] | None
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class Value(BaseModel):
    """A frozen value. An undeclared field is an error, except where a stored value is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def stored(cls, data: object) -> Self:
        """A value from the store. Fields that the next version added are left out, because it may run beside this one."""
        return cls.model_validate(data, extra="ignore")


def canonical(data: object) -> str:
    """JSON text with sorted keys and no blanks: the form that is hashed and stored."""
    return _ENCODER.encode(data)
