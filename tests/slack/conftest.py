"""The fixture that several files of this folder use."""

from tests.slack.sender_world import world

__all__ = ["world"]
