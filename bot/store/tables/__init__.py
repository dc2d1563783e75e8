"""The tables, with the SQL that every database understands."""

from typing import Final

from bot.store.tables import (
    audit,
    buttons,
    grants,
    messages,
    pauses,
    pending_decisions,
    requests,
    subscriptions,
    target_names,
    watches,
)
from bot.store.tables.sql import Table

TABLES: Final[tuple[Table, ...]] = (
    audit.TABLE,
    requests.TABLE,
    messages.TABLE,
    buttons.TABLE,
    pending_decisions.TABLE,
    pending_decisions.VOTES,
    watches.TABLE,
    pauses.TABLE,
    grants.TABLE,
    target_names.NAMES,
    target_names.KEY_VALUES,
    subscriptions.TABLE,
    subscriptions.WATCHED,
)
