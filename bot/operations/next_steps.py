"""Next steps -> buttons: only what this person may do, each with an opaque id."""

from collections.abc import Sequence
from typing import Final

from bot.core.card import Button
from bot.core.command.catalog import check_params
from bot.core.command.parser import parse_target
from bot.core.errors import BadRequest
from bot.core.intent import Intent
from bot.core.masking.redact import is_secret, redact
from bot.core.network import console_url
from bot.core.operation import Operation, Target
from bot.core.outcome import Phase, RunView, Suggestion
from bot.core.policy.decide import Denied, decide_in
from bot.core.policy.match import Situation
from bot.operations import cards
from bot.operations.authorize import read_situation
from bot.operations.cards import LABELS, command_means, refresh_means
from bot.runtime.context import Context

MOST = 5
MOST_OF_A_LIST = 11  # two for each of the newest runs, and one more
_AGAIN: Final = "Try again"


def again(operation: Operation, view: RunView, run: Target) -> tuple[Suggestion, ...]:
    """Another run like the one that ended: Retry or Run again.

    None for a run with attached files, for the retry of a run that was not started here, and where the target itself is
    followed, such as a service that starts.
    """
    if run.id == operation.target.id:
        return ()
    target = operation.target
    if not operation.starts_run or operation.files or target.parent is not None:
        return ()
    label = "Retry" if view.phase is Phase.FAILED else "Run again"
    return (Suggestion(label=label, verb=operation.verb, target=cards.written(target), params=operation.words),)


async def _started_by(ctx: Context, intent: Intent, operation: Operation) -> Operation:
    """Of the retry of a run, the operation that started the run in this channel; otherwise the operation itself."""
    target = operation.target
    maker = await ctx.store.maker_of(target.backend, target.id) if operation.starts_run and target.parent else None
    request = await ctx.store.request(maker) if maker is not None else None
    here = request is not None and request.intent.place.channel_id == intent.place.channel_id
    return request.operation if here and request is not None and request.operation is not None else operation


def once_more(operation: Operation) -> tuple[Suggestion, ...]:
    """The same command, after a call that had no effect for certain. None with attached files: they would have to be attached
    again."""
    if operation.files:
        return ()
    target = cards.written(operation.target)
    return (
        Suggestion(label=_AGAIN, verb=operation.verb, target=target, params=operation.words, reason=operation.reason),
    )


def link_to(ctx: Context, target: Target) -> tuple[Button, ...]:
    """A button that opens the target in the vendor's console, if one is configured."""
    url = console_url(ctx.consoles.get(target.backend, ""), target)
    if not url or ctx.secrets.hide(url) != url:
        return ()
    return (Button(label=f"Open in {ctx.catalog.backends[target.backend].vendor}", action="open", url=url),)


def check_again(ctx: Context, operation: Operation) -> tuple[Button, ...]:
    """A button that looks once more whether a call took effect: for those who may read the target's `status`, if it has one."""
    target = operation.target
    if ctx.catalog.capability(target.backend, "status", target.kind) is None:
        return ()
    means = refresh_means(operation.request_id)
    return (Button(label="Check again", action="refresh", id=ctx.ids.secret(), means=means),)


async def buttons_for(
    ctx: Context,
    intent: Intent,
    operation: Operation,
    suggestions: Sequence[Suggestion],
    *,
    about: Target,
    refresh: bool,
    view: RunView | None = None,
    linked: bool = True,
    situation: Situation | None = None,
    most: int = MOST,
) -> tuple[Button, ...]:
    """At most that many: the adapter's suggestions that the rules allow here, another run like an ended one, the vendor's
    console, Notify me while a run goes on, and Refresh when there is a status that may still change.

    `linked` False: the target may not exist, so the console has no page for it. `situation` is the person and the place if
    already read, None to read them.
    """
    over = view is not None and view.phase.ended
    another = again(await _started_by(ctx, intent, operation), view, about) if view is not None and over else ()
    if (suggestions or another) and situation is None:
        situation = await read_situation(ctx, intent.actor, intent.place)
    allowed = [
        one
        for one in (*suggestions, *another)
        if situation is not None
        and (one.verb != "status" or one.label == _AGAIN)
        and _allowed(ctx, intent, one, about, situation)
    ]
    if any(ctx.catalog.starts_run(one.verb, one.target) for one in allowed if one not in another):
        allowed = [one for one in allowed if one not in another]
    out = [
        Button(
            label=_label(suggestion, operation),
            action=f"do_{suggestion.verb.replace(' ', '_')}",
            id=ctx.ids.secret(),
            style="danger" if suggestion.verb == "stop" else None,
            means=command_means(
                suggestion.verb,
                suggestion.target,
                suggestion.params,
                # A button is kept longer than a request.
                None if suggestion.reason is None else redact(suggestion.reason, ctx.secrets)[0],
            ),
        )
        for suggestion in allowed
    ]
    out += link_to(ctx, about) if linked else ()
    if view is not None and not view.phase.ended and about.parent is not None:
        # A run that has no name of its own is the one of the card's thread.
        means = cards.say_means("watch" if about.parent == about.id else f"watch {cards.written(about)}")
        out.append(Button(label="Notify me", action="watch", id=ctx.ids.secret(), means=means))
    # What is followed itself, such as a service that starts, may change after that. A run that has ended doesn't.
    is_run = about.kind in ctx.catalog.backends[about.backend].selected or (
        operation.starts_run and view is not None and view.ended is not None
    )
    if refresh and not (over and is_run):
        out.append(
            Button(label="Refresh", action="refresh", id=ctx.ids.secret(), means=refresh_means(operation.request_id))
        )
    return tuple(out[:most])


def _label(suggestion: Suggestion, operation: Operation) -> str:
    """The usual label of the verb, with what is meant where the suggestion says which of several. After a stop, another run is
    not the same once more."""
    if (operation.verb, suggestion.verb) == ("stop", "start"):
        return "Start"
    if suggestion.label == _AGAIN:
        return _AGAIN
    usual = LABELS.get(suggestion.verb, suggestion.label)
    return suggestion.label if suggestion.label.startswith(f"{usual} ") else usual


def _allowed(ctx: Context, intent: Intent, suggestion: Suggestion, about: Target, situation: Situation) -> bool:
    """Whether the rules let this person do it to the target of the card; decided again when it is pressed. A command with
    a secret has to be typed again: a button would keep it."""
    ref = parse_target(suggestion.target, ctx.catalog)
    if isinstance(ref, str) or any(is_secret(pair, ctx.secrets) for pair in suggestion.params):
        return False
    capability = ctx.catalog.capability(ref.backend, suggestion.verb, ctx.catalog.kind_of(ref))
    if capability is None:
        return False
    try:
        given = check_params(capability.params, suggestion.params)
        operation = Operation.of(capability, request_id=intent.request_id, target=about, given=given, reason=None)
    except BadRequest:
        return False
    decision = decide_in(situation, capability, about, operation.params, ctx.clock.now())
    return not isinstance(decision, Denied)
