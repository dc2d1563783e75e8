"""The same button pressed again: within a moment, or after it started a run. The store lets one press go first, and the other
does nothing."""

import hashlib
from datetime import timedelta
from typing import Final

from bot.core.audit import Event
from bot.core.card import Button, Line, Tone
from bot.core.command.parser import format_command
from bot.core.intent import Command, Intent
from bot.core.records import StoredButton, StoredRequest
from bot.core.text import ago_text
from bot.core.value import canonical
from bot.features.replies.answer import say, to_copy
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter, columns_of
from bot.operations.newer_run import newer_run, state_of
from bot.runtime.context import Context

DOUBLE_CLICK: Final = timedelta(seconds=3)  # one person's second press within it is the same press
MOMENT: Final = timedelta(minutes=1)  # for that long a card may not show yet what another press began


async def earlier_press(ctx: Context, intent: Intent, button: StoredButton, command: Command) -> StoredRequest | None:
    """The request of the earlier press that counts instead of this one, None when this one counts.

    Buttons are compared by card and meaning, because an update of the card gives them new ids. An idempotent command is
    compared with the same person's presses only. Each press that counts is the next link of a chain in the store, so that of
    two at once only one counts, also across processes. A button that started a run
    has had its press, however long ago.
    """
    newer = await newer_run(ctx, button)
    if newer is not None and newer.request_id != intent.request_id:
        return newer
    whose = "" if ctx.catalog.acts_once(command.verb, command.target) else intent.actor.user_id
    meaning = hashlib.sha256(canonical(button.payload).encode()).hexdigest()
    key = f"press:{button.message_key}:{whose}:{meaning}"
    link = key
    while not await ctx.store.claim(link, intent.request_id, (), ctx.clock.now()):
        request_id = str(await ctx.store.value(link))
        if request_id == intent.request_id:  # picked up again after a restart
            return None
        earlier = await ctx.store.request(request_id)
        if earlier is not None and _counts(earlier, intent):
            return earlier
        link = f"{key}:{request_id}"
    return None


def _counts(earlier: StoredRequest, intent: Intent) -> bool:
    """Whether the earlier press is recent and was not denied or refused. Otherwise this one is the first that counts."""
    same = earlier.intent.actor.user_id == intent.actor.user_id
    ran = earlier.state != "ended" or earlier.operation is not None
    return (same or ran) and intent.at - earlier.intent.at < (DOUBLE_CLICK if same else MOMENT)


async def tell_earlier(
    ctx: Context, intent: Intent, button: StoredButton, command: Command, earlier: StoredRequest
) -> None:
    """End this press and show who pressed first, and the outcome. A double click by the same person gets no answer."""
    first, now, since = earlier.intent.actor.user_id, ctx.clock.now(), intent.at - earlier.intent.at
    ago = f"{ago_text(max(since, timedelta(seconds=1)))} ago"
    about = columns_of(earlier.operation.target) if earlier.operation is not None else {"target_name": command.target}
    columns = {"verb": command.verb, "code": "pressed_already", "detail": f"{first} pressed it {ago}"}
    entry = AuditWriter(ctx.secrets).plain(Event.DENIED, intent, now, **columns, **about)
    own = first == intent.actor.user_id
    if own and since < DOUBLE_CLICK:
        await ctx.store.finish(intent.request_id, (entry,), now)
        return
    anyway = Button(
        label="Run it anyway",
        action="run_anyway",
        id=ctx.ids.secret(),
        only_user=intent.actor.user_id,
        means=cards.command_means(command.verb, command.target or "", command.params, command.reason)
        | {"card": button.message_key},
    )
    state = await state_of(ctx, earlier.request_id)
    lines = [Line(heading="That run", text=state)] if state is not None else []
    lines.append(Line(text="`Run it anyway` starts another run."))
    await say(
        ctx,
        intent,
        f"{'You' if own else f'<@{first}>'} pressed {cards.LABELS.get(command.verb, command.verb)} {ago}",
        first,
        entries=(entry,),
        tone=Tone.ASK,
        status="Your press did nothing",
        lines=(Line(text=to_copy(ctx, intent, format_command(command)), code=True), *lines),
        buttons=(anyway,),
    )
