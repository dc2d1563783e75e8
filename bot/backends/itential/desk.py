"""What every handler of the adapter works with."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.backends.itential.client import ItnClient
from bot.backends.itential.settings import ItentialSettings
from bot.backends.itential.targets import Finder
from bot.core.ports import Clock, Names
from bot.core.redact import redact


@dataclass(frozen=True, slots=True)
class Desk:
    """One platform: its settings, its client, what is known of names, and which values must not show."""

    settings: ItentialSettings
    client: ItnClient
    finder: Finder
    names: Names
    clock: Clock
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """The backend's name."""
        return self.settings.name

    def clean(self, text: str) -> str:
        """What the platform says, on one line and without secrets."""
        return redact(" ".join(text.split()), self.secrets)[0]

    def masked(self, text: str) -> tuple[str, int]:
        """Output with its lines, without secrets, and how many there were."""
        return redact(text, self.secrets)
