"""What the Slack sources need from the program: submit an intent, check a form while Slack waits, suggest targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.core.command.catalog import Catalog
from bot.core.intent import Actor, Intent, Place, Receipt


class IntakePort(Protocol):
    """The intake of requests. `submit` returns when the request is in the audit log."""

    catalog: Catalog

    async def submit(self, intent: Intent) -> Receipt: ...

    async def suggest(self, actor: Actor, place: Place, typed: str) -> Sequence[str]:
        """At most 100 written targets that match the typed text, best first, then the typed text itself."""
        ...
