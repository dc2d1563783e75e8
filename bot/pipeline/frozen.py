"""A channel whose rules stopped counting: the security channel is told, and who is refused there reads what ends it."""

from __future__ import annotations

from typing import Final

from bot.core.card import Card, Line, Tone
from bot.core.intent import Intent, Place
from bot.core.policy import Denied, why_not_administrator
from bot.pipeline.authorize import facts
from bot.pipeline.deps import Deps

SHARED: Final = "shared"
RENUMBERED: Final = "renumbered"
_WHY: Final = {
    SHARED: "It is shared with another organization now, whose people read what is written there.",
    RENUMBERED: "Slack gave the channel another id. Rules name ids: write the new one into the rules file, if it is to count.",
}


async def tell_security(deps: Deps, channel_id: str, why: str) -> None:
    """Say once where it is watched that everything is refused in a channel from now on."""
    if deps.security_channel is None:
        return
    command = f"{deps.command} policy confirm -- why"
    await deps.presenter.show(
        Card(
            key=f"frozen:{deps.ids.request()}",
            place=Place(team_id=deps.home_team, channel_id=deps.security_channel),
            title=f"The rules of {channel_id} stopped counting",
            tone=Tone.WARN,
            status=f"Everything is refused in <#{channel_id}> until an administrator confirms",
            lines=(
                Line(text=_WHY[why]),
                Line(heading="What to do", text=f"Look who is in there, then say `{command}` there."),
            ),
            mention=(channel_id,),
            at=deps.clock.now(),
        )
    )


async def remedy(deps: Deps, intent: Intent, denied: Denied) -> tuple[Line, ...]:
    """What ends it, for who may; for the others who may. Nothing for a denial of another sort."""
    if denied.code != "place_frozen":
        return ()
    command = f"`{deps.command} policy confirm -- why`"
    policy, subject, _ = await facts(deps, intent.actor, intent.place)
    if why_not_administrator(policy, subject, deps.home_team) is None:
        text = f"You may end this: look who is in this channel now, then say {command} here."
    else:
        who = ", ".join(f"`{word}`" for word in policy.administrators.words)
        text = f"An administrator ({who or 'the rules name none'}) ends this by saying {command} here."
    return (Line(heading="What to do", text=text),)
