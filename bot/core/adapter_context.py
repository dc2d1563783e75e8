"""The context that the handlers of an adapter work with, and rules that are the same for all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bot.core.errors import BadReply, BadRequest
from bot.core.operation import Operation
from bot.core.outcome import Phase
from bot.core.ports.plugin import BackendSettings
from bot.core.ports.services import Clock, Names
from bot.core.redact import SecretList, redact

SettingsT = TypeVar("SettingsT", bound=BackendSettings)
ClientT = TypeVar("ClientT")
FinderT = TypeVar("FinderT")
H = TypeVar("H")

# The phases that `@failed`, `@running` and `@last` pick a run by.
SELECTED: Final[Mapping[str, frozenset[Phase]]] = {
    "failed": frozenset({Phase.FAILED}),
    "running": frozenset({Phase.ACTIVE, Phase.WAITING}),
    "last": frozenset(Phase),
}


@dataclass(frozen=True)  # no slots: a generic one cannot be made with them
class AdapterContext(Generic[SettingsT, ClientT, FinderT]):
    """One backend: its settings, client and finder of targets, the known names, and the values that must not be shown."""

    settings: SettingsT
    client: ClientT
    finder: FinderT
    names: Names
    clock: Clock
    secrets: SecretList

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
    """The handler of this verb for this kind of target; raises BadRequest where there is none."""
    target = operation.target
    handler = handlers.get((operation.verb, target.kind))
    if handler is None:
        raise BadRequest(f"A {target.kind} of {target.backend} doesn't support `{operation.verb}`.")
    return handler


def unnamed(count: int, row: str, *fields: str) -> str:
    """A sentence about rows of a list in which a field that names them can't be read; empty without any."""
    names = " or ".join(f"`{field}`" for field in fields)
    return f"{count} {row} can't be read, because {names} is missing." if count else ""


def check_same(backend: str, field: str, asked: str, got: str) -> None:
    """Raises BadReply when the backend answered for another id, upper and lower case apart; an unreadable id may be any."""
    if got and asked.casefold() != got.casefold():
        raise BadReply(f"{backend} was asked for {asked[:80]} and answered with another `{field}`: {got[:80]}.")
