"""The values that the store keeps and gives back."""

from bot.core.rows import (
    ButtonRow,
    Entry,
    Filters,
    Grant,
    Hold,
    HoldVote,
    InboxRow,
    Outgoing,
    Pause,
    Verdict,
    VoteResult,
    Watch,
    stamp,
)

__all__ = [
    "ButtonRow",
    "Entry",
    "Filters",
    "Grant",
    "Hold",
    "HoldVote",
    "InboxRow",
    "Outgoing",
    "Pause",
    "Verdict",
    "VoteResult",
    "Watch",
    "stamp",
]
