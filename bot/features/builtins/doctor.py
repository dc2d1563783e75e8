"""The built-in command `doctor`: what is wrong with the installation."""

from collections.abc import Mapping
from typing import Any

from bot.all_of import all_of
from bot.core.audit import Event
from bot.core.card import Line, Tone
from bot.core.intent import Command, Intent
from bot.core.outcome import Fact
from bot.core.policy.visibility import unknown_names
from bot.core.records import Filters
from bot.core.text import plural, utc_text
from bot.features.access.grants import NotPermittedError
from bot.features.access.policy_reload import named_channels, review_warning
from bot.features.replies.answer import reply
from bot.operations.authorize import visibility_of
from bot.runtime.context import Context


async def doctor(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """Check the installation. It names every backend and channel, so only full members may ask."""
    if (await visibility_of(ctx, intent.actor, intent.place)).patterns is not None:
        raise NotPermittedError("`doctor` is for full members of the workspace.")
    checks = await ctx.health.check_all()
    policy = ctx.policy()
    facts = [
        Fact(label="Rules", value=f"version {policy.policy.version}, loaded {utc_text(policy.loaded_at)}"),
        Fact(label="Audit log", value=f"head {await ctx.store.head() or 'empty'}"),
    ]
    facts += [
        Fact(label=name, value="ok" if checked.health.ok else f"down: {checked.health.summary}")
        for name, checked in sorted(checks.items())
    ]
    rules = policy.policy.channels.get(intent.place.channel_id)
    if rules is None:
        facts.append(Fact(label="This channel", value=f"the policy has no rules for {intent.place.channel_id}"))
    where = await ctx.directory.where(intent.place, max_age=0)
    facts.append(Fact(label="Slack", value="answers" if where.known else "can't see this channel: invite the bot"))
    named = named_channels(policy.policy, ctx.security_channel, ctx.incident_channel)
    reaches = await all_of(ctx.directory.reach(channel) for channel in named)
    bad = [
        Line(text=f"<#{channel}> ({use}): {found.trouble}.")
        for (channel, use), found in zip(named.items(), reaches, strict=True)
        if found.trouble
    ]
    facts.append(Fact(label="Channels", value=f"{len(named) - len(bad)} of {len(named)} can be used"))
    if (gap := await review_warning(ctx.directory, policy.policy)) is not None:
        bad.append(Line(text=f"{gap}."))
    bad += [Line(text=f"Rules, {sentence}.") for sentence in unknown_names(policy.policy, ctx.catalog)]
    if (refused := await _refused_rules(ctx)) is not None:
        bad.insert(0, Line(heading="The rules file can't be used, so the older rules stay in force", text=refused))
    wrong = len(bad) + sum(not checked.health.ok for checked in checks.values()) + (rules is None) + (not where.known)
    await reply(
        ctx,
        intent,
        "Doctor",
        tone=Tone.WARN if wrong else Tone.GOOD,
        status=f"{plural(wrong, 'problem')} found" if wrong else "No problems found",
        facts=tuple(facts),
        lines=tuple(bad),
        mention=tuple(named),
    )


async def _refused_rules(ctx: Context) -> str | None:
    """What is wrong with the rules file since it was changed; None while the file's rules are the ones in force."""
    found = [await ctx.store.search(Filters(event=one), limit=1) for one in (Event.POLICY_REFUSED, Event.POLICY_LOADED)]
    refused, loaded = (page[0] if page else None for page in found)
    if refused is None or (loaded is not None and loaded.seq > refused.seq):
        return None
    return f"Since {utc_text(refused.at)}: {refused.detail}"
