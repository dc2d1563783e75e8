"""`policy`: the rules of a channel; `policy confirm` by an administrator."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.core.audit import Event
from bot.core.card import Line, Tone
from bot.core.command.params import as_typed
from bot.core.errors import BadRequest
from bot.core.intent import Command, Intent
from bot.core.outcome import Fact
from bot.core.policy.decide import UNNAMED_PLACES, Denied, why_not_administrator
from bot.core.records import stamp
from bot.core.text import utc_text
from bot.features.access.grants import NotPermittedError
from bot.features.replies.answer import reply
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, rules_and_person
from bot.runtime.context import Context

_IN_ONE: Final = 10  # rules in a paragraph; a message has at most 50
_CHANNEL: Final = re.compile(r"<?#?([CGD][A-Z0-9]{1,30})(?:\|[^>]*)?>?")


def checks_itself(ask: Command, refused: Denied) -> bool:
    """`policy confirm` in a frozen channel; `revoke` in each place that no rule names: a card with its button may be there."""
    confirms = refused.code == "place_frozen" and ask.verb == "policy" and ask.words[:1] == ("confirm",)
    return confirms or (refused.code in UNNAMED_PLACES and ask.verb == "revoke")


async def policy(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The rules in force for this channel; and `policy confirm`."""
    word = ask.words[0] if ask.words else ""
    if word == "confirm":
        await _confirm(ctx, intent, ask)
    elif word:
        raise BadRequest(
            f"Unknown {as_typed(f'policy {word}')}. Use `policy` or `policy confirm`.",
            "To try rules before you use them, run `signalbox policy test FILE` in a terminal.",
        )
    else:
        await _shown(ctx, intent)


async def _administrator(ctx: Context, intent: Intent) -> str:
    """The version of the rules; raises NotPermittedError for others."""
    rules, subject = await rules_and_person(ctx, intent.actor, max_age=FRESH)
    refused = why_not_administrator(rules, subject, ctx.home_team)
    if refused is not None:
        raise NotPermittedError(f"Only administrators can do this: {refused}.", code="not_administrator")
    return rules.version


async def _confirm(ctx: Context, intent: Intent, ask: Command) -> None:
    """The channel changed its id or became shared; an administrator confirms its rules."""
    version = await _administrator(ctx, intent)
    match = _CHANNEL.fullmatch(ask.words[1]) if len(ask.words) > 1 else None
    if len(ask.words) > 1 and match is None:
        raise BadRequest("Name the channel as a mention or by its id.", code="bad_parameter")
    place = intent.place if match is None else intent.place.model_copy(update={"channel_id": match.group(1)})
    where = await ctx.directory.where(place, max_age=FRESH)
    if not where.known:
        raise BadRequest(f"Signalbox can't see {place.channel_id}. Invite the bot there.", code="place_unknown")
    now = ctx.clock.now()
    shared = "shared with another organization" if where.is_ext_shared else "not shared"
    row = AuditWriter(ctx.secrets).plain(
        Event.REVIEWED,
        intent,
        now,
        verb="policy confirm",
        reason=ask.reason,
        policy_version=version,
        detail=f"the rules of {place.channel_id} are confirmed; it is {shared}",
    )
    await ctx.store.set_value(
        f"channel:{place.channel_id}", {"shared": where.is_ext_shared, "frozen": False}, stamp(now), (row,)
    )
    named = place.channel_id in ctx.policy().policy.channels
    text = f"It is {shared}." + ("" if named else " The rules do not name this id yet: write it into the rules file.")
    title = f"The rules of <#{place.channel_id}> are confirmed"
    await reply(ctx, intent, title, tone=Tone.GOOD, status=text, mention=(place.channel_id,))


async def _shown(ctx: Context, intent: Intent) -> None:
    """The rules in force for this channel."""
    now = ctx.policy()
    rules = now.policy.channels.get(intent.place.channel_id)
    lines = []
    if rules is not None:
        told = [f"`deny` {', '.join(r.verbs)} on {_patterns(r.targets)}: {r.because}" for r in rules.denies]
        told += [
            f"`allow` {', '.join(r.verbs)} on {_patterns(r.targets)} for {', '.join(r.who.words)}"
            + (f", with {r.approvals.count} of {', '.join(r.approvals.from_)}" if r.approvals else "")
            for r in rules.allows
        ]
        lines += [Line(text="\n".join(told[at : at + _IN_ONE])) for at in range(0, len(told), _IN_ONE)]
    else:
        lines.append(Line(text="The policy has no rules for this channel, so everything is denied here."))
    for freeze in now.policy.freezes:
        if freeze.begins is not None and freeze.ends is not None and freeze.ends > ctx.clock.now():
            lines.append(
                Line(heading="Freeze", text=f"{freeze.because} {utc_text(freeze.begins)} to {utc_text(freeze.ends)}")
            )
    shown = (Fact(label="Version", value=now.policy.version), Fact(label="Loaded", value=now.loaded_at))
    await reply(ctx, intent, "Rules here", facts=shown, lines=tuple(lines))


def _patterns(targets: Sequence[str]) -> str:
    """Each pattern as code, so that one with a space reads as one pattern."""
    return ", ".join(f"`{target}`" for target in targets)
