"""The context of an adapter's handlers, and checks that all kinds of backend share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bot.core.errors import BadReply, BadRequest
from bot.core.operation import Operation
from bot.core.outcome import Phase
from bot.core.ports.plugin import BackendSettings
from bot.core.ports.services import Clock, TargetCache
from bot.core.redact import SecretList, redact

SettingsT = TypeVar("SettingsT", bound=BackendSettings)
ClientT = TypeVar("ClientT")
FinderT = TypeVar("FinderT")
H = TypeVar("H")

# The phases that `@failed`, `@running` and `@last` select.
SELECTED: Final[Mapping[str, frozenset[Phase]]] = {
    "failed": frozenset({Phase.FAILED}),
    "running": frozenset({Phase.ACTIVE, Phase.WAITING}),
    "last": frozenset(Phase),
}


@dataclass(frozen=True)  # no slots: a generic dataclass can't have them
class AdapterContext(Generic[SettingsT, ClientT, FinderT]):
    """One backend: its settings, client, target finder, known names, and secrets."""

    settings: SettingsT
    client: ClientT
    finder: FinderT
    target_cache: TargetCache
    clock: Clock
    secrets: SecretList

    @property
    def name(self) -> str:
        """The backend's name."""
        return self.settings.name

    def clean(self, text: str) -> str:
        """The control plane's text on one line, without secrets."""
        return redact(" ".join(text.split()), self.secrets)[0]

    def hidden(self, text: str) -> str:
        """The control plane's text, line by line, without secrets."""
        return self.masked(text)[0]

    def masked(self, text: str) -> tuple[str, int]:
        """The output without secrets, and how many secrets were masked."""
        return redact(text, self.secrets)


def handler_of(handlers: Mapping[tuple[str, str], H], operation: Operation) -> H:
    """The handler of this verb for this kind of target. Raises BadRequest when there isn't one."""
    target = operation.target
    handler = handlers.get((operation.verb, target.kind))
    if handler is None:
        raise BadRequest(f"{target.backend} doesn't support `{operation.verb}` for targets of kind {target.kind}.")
    return handler


def unnamed(count: int, row: str, *fields: str) -> str:
    """A sentence about rows of a list in which a field that names them can't be read; empty without any."""
    names = " or ".join(f"`{field}`" for field in fields)
    return f"{count} {row} can't be read, because {names} is missing." if count else ""


def check_same(backend: str, field: str, asked: str, got: str) -> None:
    """Raises BadReply when the backend answered for another id. Ignores case, and accepts an id that can't be read."""
    if got and asked.casefold() != got.casefold():
        raise BadReply(f"Asked for {asked[:80]}, {backend} answered with another `{field}`: {got[:80]}.")
