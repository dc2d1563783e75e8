"""A channel's rules stopped counting: registered, and told to those who can confirm them."""

from __future__ import annotations

from bot.core.card import Card, Line, Tone
from bot.core.intent import Place
from bot.core.register import Event
from bot.pipeline.deps import Deps
from bot.pipeline.record import Scribe


async def tell_frozen(deps: Deps, channel_id: str, event: str) -> None:
    """`event` is Slack's: channel_shared or channel_id_changed. A channel that no rule names has nothing to lose."""
    policy, request_id, now = deps.policy().policy, deps.ids.request(), deps.clock.now()
    if channel_id not in policy.channels:
        return
    what = "it is shared with another organization" if event == "channel_shared" else "its id changed"
    row = Scribe(deps.secrets).system(
        Event.DENIED,
        request_id,
        now,
        deps.home_team,
        channel_id=channel_id,
        code="place_frozen",
        policy_version=policy.version,
        detail=f"the rules of {channel_id} stopped counting: {what}",
    )
    await deps.store.append(row)
    if deps.security_channel is None:
        return
    confirm = f"Until an administrator says `{deps.command} policy confirm` there, everything is denied in it."
    card = Card(
        key=f"frozen:{request_id}",
        place=Place(team_id=deps.home_team, channel_id=deps.security_channel),
        title=f"The rules of <#{channel_id}> stopped counting",
        tone=Tone.WARN,
        status=what[:1].upper() + what[1:],
        lines=(Line(text=confirm),),
        footer=(channel_id, f"request {request_id}"),
        mention=(channel_id,),
        at=now,
    )
    await deps.presenter.show(card)
