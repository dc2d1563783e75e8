"""What every handler of the adapter works with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from bot.backends.prefactor.client import PrefactorClient
from bot.backends.prefactor.settings import PrefactorSettings
from bot.backends.prefactor.targets import Finder
from bot.core.operation import Operation
from bot.core.ports import Clock, Names
from bot.core.redact import redact

_LONGEST_KEY: Final = 64


@dataclass(frozen=True, slots=True)
class Desk:
    """One account: its settings, its client, what is known of names, and which values must not show."""

    settings: PrefactorSettings
    client: PrefactorClient
    finder: Finder
    names: Names
    clock: Clock
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """The backend's name."""
        return self.settings.name

    def clean(self, text: str) -> str:
        """What the vendor says, on one line and without secrets."""
        return redact(" ".join(text.split()), self.secrets)[0]


def key_of(operation: Operation) -> str:
    """The idempotency key of a request: its id, or a digest of it where that is longer than the vendor takes."""
    request = operation.request_id
    return request if len(request) <= _LONGEST_KEY else hashlib.sha256(request.encode()).hexdigest()


def given_text(operation: Operation, name: str) -> str | None:
    """A text parameter as it was written, without blanks around it; None when it was not."""
    value = operation.params.get(name)
    return value.strip() if isinstance(value, str) else None
