"""What the Slack sources need from the program: submit an intent, check a form while Slack waits, suggest targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.core.card import Choices
from bot.core.command.catalog import Catalog
from bot.core.intent import Actor, FormChange, Intent, Place, Receipt


class IntakePort(Protocol):
    """The intake of requests. `submit` returns when the request is in the audit log."""

    catalog: Catalog

    async def submit(self, intent: Intent) -> Receipt: ...

    async def suggest(self, actor: Actor, place: Place, typed: str, *, menu: str, token: str) -> Sequence[Choices]:
        """At most 100 options that match the typed text, best first. `menu` is `verb` or `target`, `token` that of the modal."""
        ...

    async def changed(self, change: FormChange) -> None:
        """A live field of an open modal was changed: the modal is redrawn soon."""
        ...
