"""What every handler of the adapter works with."""

from __future__ import annotations

import hashlib
from typing import Final

from bot.backends.prefactor.client import PrefactorClient
from bot.backends.prefactor.settings import PrefactorSettings
from bot.backends.prefactor.targets import Finder
from bot.core import adapter_context as core
from bot.core.operation import Operation

_LONGEST_KEY: Final = 64

AdapterContext = core.AdapterContext[PrefactorSettings, PrefactorClient, Finder]


def key_of(operation: Operation) -> str:
    """The idempotency key of a request: its id, or a digest of it where that is longer than the vendor takes."""
    request = operation.request_id
    return request if len(request) <= _LONGEST_KEY else hashlib.sha256(request.encode()).hexdigest()


def given_text(operation: Operation, name: str) -> str | None:
    """A text parameter as it was written, without blanks around it; None when it was not."""
    value = operation.params.get(name)
    return value.strip() if isinstance(value, str) else None
