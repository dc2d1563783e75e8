"""Interactive elements inside blocks, and the block_id and action_id that Slack generates if none is given."""

import pickle
import secrets
from collections.abc import Iterator
from typing import Any, TypeVar, cast

Json = dict[str, Any]
T = TypeVar("T")

WITHOUT_ACTION = {"image", "plain_text", "mrkdwn"}


def detached(value: T) -> T:
    """A copy of JSON that shares no object or list with it, in a twentieth of the time of `copy.deepcopy`."""
    return cast("T", pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)))  # noqa: S301  our own bytes, of this moment


def fill_ids(blocks: list[Json]) -> list[Json]:
    """A deep copy in which every block has a block_id and every interactive element an action_id."""
    filled = detached(blocks)
    for block in walk_blocks(filled):
        block.setdefault("block_id", secrets.token_urlsafe(4)[:5])
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4)[:5])
    return filled


def walk_blocks(blocks: list[Json]) -> Iterator[Json]:
    """The blocks, including those inside containers and carousels."""
    for block in blocks:
        yield block
        if block["type"] == "container":
            yield from walk_blocks(block["child_blocks"])
        elif block["type"] == "carousel":
            yield from walk_blocks(block["elements"])


def walk_elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """(block, element) of every interactive element, in reading order."""
    for block in walk_blocks(blocks):
        for element in elements_of(block):
            yield block, element


def elements_of(block: Json) -> list[Json]:
    """The interactive elements directly in one block."""
    found: list[Json] = []
    if block["type"] in {"actions", "context_actions"}:
        found = list(block["elements"])
    elif block["type"] == "card":
        found = list(block.get("actions", []))
    elif block["type"] == "input":
        found = [block["element"]]
    elif "accessory" in block:
        found = [block["accessory"]]
    return [e for e in found if e["type"] not in WITHOUT_ACTION]
