"""What a channel uses, from its audit log: verbs, targets, whole commands and parameters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.audit import Event
from bot.core.intent import Place
from bot.core.policy.visibility import Visibility
from bot.core.records import Filters
from bot.runtime.context import Context

RECENT: Final = 200  # audit entries
_WORKED: Final = frozenset({Event.SENT, Event.DONE})


@dataclass(frozen=True, slots=True)
class UsedHere:
    """What worked in a channel lately. `targets` are written targets, newest first, with the names of parameters that were
    given for each; `verbs` and `commands` (verb, written target) come most used first."""

    targets: Mapping[str, tuple[str, ...]]
    verbs: Sequence[str]
    commands: Sequence[tuple[str, str]]


async def used_here(ctx: Context, place: Place, sight: Visibility) -> UsedHere:
    """What this channel used lately, as far as the person may see the targets."""
    entries = await ctx.store.search(Filters(channel_id=place.channel_id), limit=RECENT) if place.channel_id else ()
    targets: dict[str, tuple[str, ...]] = {}
    commands: dict[str, tuple[str, str]] = {}
    for entry in entries:
        written = entry.target_name
        if entry.event in _WORKED and entry.verb and written and sight.written(written):
            targets[written] = (*targets.get(written, ()), *_names_of(entry.params))
            commands[entry.request_id] = (entry.verb, written)
    used = Counter(commands.values())
    verbs = Counter(verb for verb, _ in commands.values())
    return UsedHere(targets, [verb for verb, _ in verbs.most_common()], [command for command, _ in used.most_common()])


def _names_of(params: str) -> tuple[str, ...]:
    """The names of an entry's parameters as they are typed: `input.region`."""
    given = json.loads(params)
    nested = {f"{name}.{key}" for name, value in given.items() if isinstance(value, dict) for key in value}
    return (*(name for name, value in given.items() if not isinstance(value, dict)), *sorted(nested))
