"""What words mean in the thread of a pause: the same pause with another end or once more, and when it ends."""

import re
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from bot.core.audit import Event
from bot.core.card import operation_key
from bot.core.command.params import duration_seconds, duration_text
from bot.core.command.parser import format_command
from bot.core.command.phrases import stated, without_ends
from bot.core.command.ranking import parts_of
from bot.core.command.rewording import reworded
from bot.core.command.vocabulary import GRAMMAR, POLITE, REQUESTING
from bot.core.intent import Command, Place
from bot.core.operation import Operation
from bot.core.records import Pause
from bot.operations.cards import written
from bot.runtime.context import Context

_LOOKED_AT: Final = 20  # outcomes of changes
_ENDS: Final = ("for", "until")
_AGAIN: Final = frozenset({"again", "once", "same", "repeat", "redo", "nochmal"})
_LONGER: Final = re.compile(r"(?i)\b(?:another|more|longer|extra|extend|prolong|add)\b")
_SMALL: Final = (
    ((POLITE | GRAMMAR) - {"not", "has", "have", "had", "been", "if", "why", "how", "whos", "who"})
    | _AGAIN
    | {
        "pause",
        "paused",
        "off",
        "keep",
        "leave",
        "make",
        "change",
        "end",
        "add",
        "extend",
        "prolong",
        "more",
        "another",
        "extra",
    }
    | {"longer", "one", "time", "instead", "rather", "better", "only", "sorry", "ok", "no"}
)
_WHEN: Final = re.compile(
    r"(?i)(?:(?:and|so|ok|hi|please|tell me)\W+)*(?:(?:un)?(?:till|til) when|until when|how (?:long|much longer)\b"
    r"|(?:when|what time) (?:does|do|will|is|are)\b.*\b(?:back|over|on|ends?|resumes?|starts?|continues?|runs?|again)\b)"
)


async def meant_of_pause(ctx: Context, place: Place, text: str) -> list[str]:
    """The commands, best first; none outside of the thread of a pause, and for other words."""
    operation = await _paused_by(ctx, place)
    if operation is None:
        return []
    target, pauses = written(operation.target), await ctx.store.pauses_of(operation.request_id)
    now, newest = ctx.clock.now(), next(iter(pauses), None)
    left = _until(newest) - now if newest is not None and newest.state == "open" else timedelta()
    if _WHEN.match(text):
        return ["pauses", f"status {target}"]
    if text.rstrip().endswith("?") and REQUESTING.search(text.casefold()) is None:
        return []
    kept, ends = without_ends(reworded(text))
    words = {word.casefold() for word in parts_of(kept)}
    params = ctx.catalog.params(operation.verb, operation.target.backend)
    end = next(stated(params, ends, (), (), ()), "")
    if not words <= _SMALL or not (end or words & _AGAIN):
        return []
    name, _, value = end.partition("=")
    if end and name == "for" and left > timedelta() and _LONGER.search(text):
        seconds = duration_seconds(value) + 60 * ceil(left.total_seconds() / 60)
        value = duration_text(seconds)
    elif not end and (given := dict(operation.words).get("for")):
        name, value = "for", given
    elif not end and newest is not None:  # as long as before: the time of `until=` has passed
        minutes = round((_until(newest) - datetime.fromisoformat(newest.from_at)).total_seconds() / 60)
        name, value = "for", duration_text(60 * max(1, minutes))
    others = [pair for pair in operation.words if pair[0] not in _ENDS]
    same = Command(verb=operation.verb, target=target, params=(*others, *([(name, value.strip('"'))] if value else [])))
    return [format_command(same), f"status {target}"]


def _until(pause: Pause) -> datetime:
    return datetime.fromisoformat(pause.until_at)


async def _paused_by(ctx: Context, place: Place) -> Operation | None:
    """The newest pause of the target of this thread whose card, or the card of its end, is in it."""
    if place.thread_ts is None:
        return None
    about = await ctx.store.thread_target(place.channel_id, place.thread_ts)
    for entry in await ctx.store.last_outcomes(about, _LOOKED_AT) if about is not None else ():
        capability = ctx.catalog.capability(entry.backend or "", entry.verb or "", entry.target_kind or "")
        if capability is None or not capability.pausable or entry.event is not Event.DONE or not entry.request_id:
            continue
        request = await ctx.store.request(entry.request_id)
        pauses = await ctx.store.pauses_of(entry.request_id)
        for key in (operation_key(entry.request_id), *(f"pause:{one.id}" for one in pauses)):
            card = await ctx.store.message(key)
            if (
                card is not None
                and place.channel_id == card.channel_id
                and place.thread_ts in (card.ts, card.thread_ts)
            ):
                return request.operation if request is not None else None
    return None
