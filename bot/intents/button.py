"""A pressed button. It carries an id and never authority: its meaning is read from the store and decided again."""

from collections.abc import Callable, Mapping
from functools import partial

from bot.core.approval import Approval
from bot.core.card import Tone
from bot.core.command.capability import Risk
from bot.core.command.parser import parse
from bot.core.intent import Command, Intent, Open, ParseError, Press
from bot.core.policy.decide import Denied, admits
from bot.core.policy.rights import why_not_full
from bot.core.records import StoredButton
from bot.core.value import Json
from bot.features import approvals, home, incidents, preflight, stop_everything
from bot.features.access import breakglass, breakglass_review
from bot.features.forms import launcher
from bot.features.refresh import refresh
from bot.features.replies import refusal
from bot.features.replies.answer import ONCE, PRESS_AGAIN, clean, say
from bot.features.replies.double_press import earlier_press, tell_earlier
from bot.intents.command import run_command
from bot.intents.form import opened
from bot.operations import asking, cards
from bot.operations.authorize import read_situation
from bot.operations.newer_run import meant, newer_run
from bot.runtime.context import Context


async def press(ctx: Context, intent: Intent, pressed: Press, begin: Callable[[Intent], object]) -> None:
    """Run the meaning of the pressed button, or show why it doesn't count. `begin` starts a further request that it made."""
    button = await _current(ctx, pressed.button)
    refused = await _refused(ctx, intent, button)
    if refused is not None:
        await refusal.unseen(ctx, intent, None, refused)
        return
    why_not = not_valid(button, intent)
    means = button.means if button is not None else {}
    if button is None or why_not is not None:
        if button is not None and button.retired_at is not None:
            # Slack may still show the older state: an earlier update that arrived late has undone the last one.
            await ctx.presenter.show_again(button.message_key)
        if button is not None and await _was_used(ctx, intent, button, means):
            return
        await say(ctx, intent, why_not or "This button is not known.")
        return
    if means.get("tag") == stop_everything.TAG:
        await stop_everything.confirmed(ctx, intent, button, means, begin)
    else:
        await _carry_out(ctx, intent, button, means)


async def _current(ctx: Context, button_id: str) -> StoredButton | None:
    """The pressed button; after an update of the card, the one with the same meaning that the card shows now.

    A question is an exception: its answer counts only on the form of the question that the person saw.
    """
    button = await ctx.store.button(button_id)
    if button is None or button.retired_at is None or button.means.get("tag") == "pending1":
        return button
    return await ctx.store.same_button(button) or button


async def _refused(ctx: Context, intent: Intent, button: StoredButton | None) -> Denied | None:
    """Why this person is told nothing of any card: no rule here names them, and they are a guest or of another workspace.

    The people that the card asks are not looked up: the modal of a denial has to open within three seconds.
    """
    if button is not None and button.only_user == intent.actor.user_id:
        return None
    pending = await ctx.store.open_pending(str(button.means.get("pending"))) if button is not None else None
    approval = Approval.of(pending)
    if approval is not None and intent.actor.user_id in approval.record.eligible:
        return None
    now = await read_situation(ctx, intent.actor, intent.place)
    return admits(now) if why_not_full(now.subject, now.home_team) is not None else None


async def _carry_out(ctx: Context, intent: Intent, button: StoredButton, means: dict[str, Json]) -> None:
    tag = means.get("tag")
    if tag == "command1" and (command := meant(ctx.catalog, means)) is not None:
        await _from_card(ctx, intent, button, command)
    elif tag == "say1":
        await _typed(ctx, intent, button, str(means.get("text")))
    elif tag == "refresh1":
        said = partial(asking.say, ctx, _in_thread(intent), Command(verb="refresh"))
        with ctx.tasks.slow(asking.AFTER, said, f"{intent.request_id} slow"):
            await refresh(ctx, intent, str(means.get("request")))
    elif tag == "pending1":
        await _pending(ctx, intent, means)
    elif tag == launcher.FILL_TAG:
        await launcher.fill_in(ctx, intent, means)
    elif tag == approvals.ASK_TAG:
        await approvals.open_ask(ctx, intent, means)
    elif tag == home.TAG:
        await _at_home(ctx, intent, means)
    elif tag == breakglass.REVIEW_TAG:
        await breakglass_review.open_review(ctx, intent, str(means.get("grant")))
    else:
        await say(
            ctx, intent, "This button is from a version of the bot that is no longer supported. Type the command."
        )


def not_valid(button: StoredButton | None, intent: Intent) -> str | None:
    """Why this press does not count, None for a known button on its own message that is for this person."""
    if button is None:
        return "This button is not known here. Type the command."
    if button.retired_at is not None:
        return "This button was used or replaced. The message shows the current state."
    if button.only_user is not None and button.only_user != intent.actor.user_id:
        return "Only the requester can press this."
    if button.channel_id and button.channel_id != intent.place.channel_id:
        return "This button belongs to another channel."
    # A person may press before Slack's answer with the `ts` is stored. No message but ours can have the id, which is a secret; a
    # copy of it in the same channel has the same readers, and whatever it says, the button does what its own card asks.
    if button.ts and button.ts != intent.place.message_ts:
        return "This is a copy of the message. Press the button on the original."
    return None


async def _was_used(ctx: Context, intent: Intent, button: StoredButton, means: Mapping[str, Json]) -> bool:
    """Whether a press on a retired button was answered with what came of its first press: a decision, or a run."""
    live = button.model_copy(update={"retired_at": None})
    if button.retired_at is None or not_valid(live, intent) is not None:
        return False
    command = meant(ctx.catalog, means)
    newer = await newer_run(ctx, button) if command is not None else None
    if command is not None and newer is not None:
        await tell_earlier(ctx, intent, button, command, newer)
        return True
    pending = await ctx.store.open_pending(str(means.get("pending"))) if means.get("tag") == "pending1" else None
    approval = Approval.of(pending)
    choice = str(means.get("choice"))
    if approval is None or (approval.pending.state == "open" and choice not in ("claim", "release")):
        return False
    if approval.pending.state != "open":
        await approvals.too_late(ctx, intent, approval)
    else:  # claimed or released meanwhile: say who holds it
        await approvals.decide(ctx, intent, approval, choice)
    return True


async def _at_home(ctx: Context, intent: Intent, means: Mapping[str, Json]) -> None:
    """A button of the Home tab: it opens the launcher, or changes the tab."""
    text = means.get("open")
    if isinstance(text, str):
        await opened(ctx, intent, Open(what="launcher", text=text))
    else:
        await home.pressed(ctx, intent, means)


async def _from_card(ctx: Context, intent: Intent, button: StoredButton, command: Command) -> None:
    """Run the command of a button. A read-only answer goes to the thread of the card, a change gets its own card: in the channel,
    unless the button is in a thread, or an incident is open in the thread of its card."""
    earlier = await earlier_press(ctx, intent, button, command)
    if earlier is not None:
        await tell_earlier(ctx, intent, button, command, earlier)
        return
    capabilities = ctx.catalog.capabilities(command.verb, (command.target or "").partition(":")[0])
    reads = bool(capabilities) and all(capability.risk is Risk.READ for _, capability in capabilities)
    await run_command(ctx, _in_thread(intent) if reads else await _beside(ctx, intent), command)


def _in_thread(intent: Intent) -> Intent:
    """The press with the thread of its card as its place."""
    place = intent.place
    thread = place.thread_ts or place.message_ts
    return intent.model_copy(update={"place": place.model_copy(update={"thread_ts": thread})})


async def _beside(ctx: Context, intent: Intent) -> Intent:
    """The press with the place of its card as its own, also where replies make that card the beginning of a thread: unless an
    incident is open in that thread, whose name the request carries."""
    place = intent.place
    if place.thread_ts is not None and await incidents.at(ctx.store, place.channel_id, place.thread_ts) is not None:
        return intent
    return intent.model_copy(update={"place": place.model_copy(update={"thread_ts": incidents.thread_of(place)})})


async def _typed(ctx: Context, intent: Intent, button: StoredButton, text: str) -> None:
    read = parse(text, ctx.catalog)
    if isinstance(read, ParseError):
        await refusal.misread(ctx, intent, read)
    elif (earlier := await earlier_press(ctx, intent, button, read)) is not None:
        await tell_earlier(ctx, intent, button, read, earlier)
    else:
        if button.means.get(ONCE):
            over = cards.private(intent, f"Tried again: `{clean(ctx, text)}`", key=f"again:{intent.request_id}")
            await ctx.presenter.show(over, intent.reply, replace=True)
        await run_command(ctx, await _beside(ctx, intent) if ctx.catalog.changes(read.verb) else intent, read)


async def _pending(ctx: Context, intent: Intent, means: Mapping[str, Json]) -> None:
    if means.get("choice") not in ("deny", "cancel") and intent.is_late(ctx.clock.now()):
        await say(ctx, intent, PRESS_AGAIN)
        return
    pending = await ctx.store.open_pending(str(means.get("pending")))
    if pending is None:
        await say(ctx, intent, "This was already decided. The message shows who decided.", tone=Tone.PLAIN)
    elif (approval := Approval.of(pending)) is not None:
        await approvals.decide(ctx, intent, approval, str(means.get("choice")))
        ctx.stale_homes.stale(intent.actor.user_id)
    else:
        await preflight.decide(ctx, intent, pending, str(means.get("choice")))
