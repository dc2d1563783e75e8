"""A channel whose rules are suspended: recorded and announced; a denial there says how to end it."""

from bot.core.audit import Event
from bot.core.card import Line, Tone
from bot.core.intent import Intent
from bot.core.policy.decide import Denied, why_not_administrator
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import rules_and_person
from bot.runtime.context import Context


async def tell_frozen(ctx: Context, channel_id: str, event: str) -> None:
    """`event` is Slack's: channel_shared or channel_id_changed. A channel that no rule names has nothing to lose."""
    policy, request_id, now = ctx.policy().policy, ctx.ids.request(), ctx.clock.now()
    if channel_id not in policy.channels:
        return
    what = "it is shared with another organization" if event == "channel_shared" else "its id changed"
    entry = AuditWriter(ctx.secrets).system(
        Event.DENIED,
        request_id,
        now,
        ctx.home_team,
        channel_id=channel_id,
        code="place_frozen",
        policy_version=policy.version,
        detail=f"the rules of {channel_id} are suspended: {what}",
    )
    await ctx.store.append(entry)
    command = f"{ctx.command} policy confirm -- why"
    confirm = f"Everything is denied there until an administrator checks its members and types `{command}` there."
    await ctx.tell_security(
        f"frozen:{request_id}",
        f"The rules of <#{channel_id}> are suspended",
        tone=Tone.WARN,
        status=what[:1].upper() + what[1:],
        lines=(Line(text=confirm),),
        footer=(channel_id, f"request {request_id}"),
        mention=(channel_id,),
    )


async def remedy(ctx: Context, intent: Intent, denied: Denied) -> tuple[Line, ...]:
    """How to end the suspension, or who can. Empty for a denial with another reason."""
    if denied.code != "place_frozen":
        return ()
    command = f"`{ctx.command} policy confirm -- why`"
    policy, subject = await rules_and_person(ctx, intent.actor)
    if why_not_administrator(policy, subject, ctx.home_team) is None:
        text = f"Check who is in this channel now, then type {command} here."
    else:
        who = ", ".join(f"`{word}`" for word in policy.administrators.words)
        text = f"An administrator ({who or 'the rules name none'}) can end this: type {command} here."
    return (Line(heading="What to do", text=text),)
