"""What the Slack sources need of the program: hand over an intent, check a form while Slack waits, offer targets in a menu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.core.command.catalog import Catalog
from bot.core.intent import Actor, Intent, Place, Receipt


class IntakePort(Protocol):
    """The one way in. `submit` returns when the request is in the audit log."""

    catalog: Catalog

    async def submit(self, intent: Intent) -> Receipt: ...

    async def suggest(self, actor: Actor, place: Place, typed: str) -> Sequence[str]:
        """Targets that fit what was typed, as they are written, best first, at most 100; last what was typed itself."""
        ...
