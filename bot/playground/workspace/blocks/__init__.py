"""Slack's checks of Block Kit: structure, limits, surfaces; and the ids that Slack fills in."""

from .ids import detached, fill_ids, walk_elements
from .validate import check_blocks, check_options, check_view
from .walker import Fault

__all__ = ["Fault", "check_blocks", "check_options", "check_view", "detached", "fill_ids", "walk_elements"]
