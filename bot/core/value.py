"""The base of every value that is stored as JSON or passed between packages."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

Json: TypeAlias = str | int | float | bool | list[Any] | dict[str, Any] | None


class Value(BaseModel):
    """A frozen value. An undeclared field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical(data: object) -> str:
    """JSON text with sorted keys and no blanks: the form that is hashed and stored."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
