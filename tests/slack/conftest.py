"""The fixture that several files of this room use."""

from tests.slack.office import office

__all__ = ["office"]
