"""Block Kit as Slack judges it: structure, limits, surfaces; and the ids Slack fills in."""

from .ids import fill_ids, walk_elements
from .validate import check_blocks, check_options, check_view
from .walker import Fault

__all__ = ["Fault", "check_blocks", "check_options", "check_view", "fill_ids", "walk_elements"]
