"""What every handler of the adapter works with."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.backends.informatica.client import InfaClient
from bot.backends.informatica.settings import InformaticaSettings
from bot.backends.informatica.targets import Finder
from bot.core.ports import Clock, Names
from bot.core.redact import redact


@dataclass(frozen=True, slots=True)
class Desk:
    """One organization: its settings, its client, what is known of names, and which values must not show."""

    settings: InformaticaSettings
    client: InfaClient
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
