"""What the handlers of an adapter work with, and how the one for an operation is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.core.errors import BadRequest
from bot.core.operation import Operation
from bot.core.ports.plugin import BackendSettings
from bot.core.ports.services import Clock, Names
from bot.core.redact import redact

SettingsT = TypeVar("SettingsT", bound=BackendSettings)
ClientT = TypeVar("ClientT")
FinderT = TypeVar("FinderT")
H = TypeVar("H")


@dataclass(frozen=True)  # no slots: a generic one cannot be made with them
class AdapterContext(Generic[SettingsT, ClientT, FinderT]):
    """One backend: its settings, its client, what finds its targets, what is known of names, and which values must not show."""

    settings: SettingsT
    client: ClientT
    finder: FinderT
    names: Names
    clock: Clock
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """The backend's name."""
        return self.settings.name

    def clean(self, text: str) -> str:
        """What the control plane says, on one line and without secrets."""
        return redact(" ".join(text.split()), self.secrets)[0]

    def masked(self, text: str) -> tuple[str, int]:
        """Output with its lines, without secrets, and how many there were."""
        return redact(text, self.secrets)


def handler_of(handlers: Mapping[tuple[str, str], H], operation: Operation) -> H:
    """What does this verb on this kind of target; raises BadRequest where nothing does."""
    handler = handlers.get((operation.verb, operation.target.kind))
    if handler is None:
        target = operation.target
        raise BadRequest(f"`{operation.verb}` is nothing that a {target.kind} of {target.backend} can do.")
    return handler
