"""External menus: block_suggestion and the options in the ack."""

from __future__ import annotations

from .blocks import check_options
from .core import Core
from .courier import Courier
from .errors import CannotAct
from .payloads import interaction
from .places import Place
from .state import Json, User


async def suggest(
    core: Core, courier: Courier, user: User, place: Place, found: tuple[Json, Json], *, query: str
) -> list[Json]:
    """The groups of options for a query, `{"label": text or None, "options": [...]}`; none below min_query_length.

    Raises CannotAct without an answer.
    """
    block, element = found
    if len(query) < element.get("min_query_length", 3):
        return []
    where = place.where(core)
    payload = interaction(core, "block_suggestion", user) | where
    payload |= {"action_id": element["action_id"], "block_id": block["block_id"], "value": query}
    answer = await courier.send("interactive", payload)
    if not answer.acked or not isinstance(answer.body, dict):
        raise CannotAct(f"no options in the answer: {answer.error or 'empty answer'}")
    groups = answer.body.get("option_groups")
    faults = check_options(answer.body)
    if faults:
        raise CannotAct("Slack refuses the options: " + "; ".join(f.text for f in faults))
    if groups is not None:
        return [{"label": group["label"]["text"], "options": group["options"]} for group in groups]
    return [{"label": None, "options": list(answer.body["options"])}]


def flat(groups: list[Json]) -> list[Json]:
    """The options of all groups."""
    return [option for group in groups for option in group["options"]]
