"""Built-in commands that look: backends, health, targets, find, status, approvals, watches, pauses."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bot.all_of import all_of
from bot.core.approval import Approval
from bot.core.card import Button, Line, Tone, approval_key
from bot.core.command.params import as_typed
from bot.core.command.ranking import fit, words_of
from bot.core.errors import BadRequest
from bot.core.intent import Command, Intent
from bot.core.outcome import Table
from bot.core.policy.decide import UNNAMED_PLACES, Denied
from bot.core.policy.match import who_fails
from bot.core.policy.rights import why_not_full
from bot.core.policy.visibility import Visibility
from bot.core.records import expiry
from bot.core.text import capitalized, plural, sentences, shortened, utc_text
from bot.features.access import breakglass
from bot.features.access.grants import NotPermittedError
from bot.features.approvals.cards import link_to
from bot.features.approvals.question import MOST_NAMED, who_decides
from bot.features.builtins.tables import approvals_table, pause_label, pauses_of, pauses_table, watches_table
from bot.features.known_targets import KnownTarget, known_targets, matching
from bot.features.pauses.pause import vendor_says
from bot.features.replies.answer import LONGEST_BUTTON, command_button, named_in, reply, with_names
from bot.features.replies.refusal import MOST_OPENED, MOST_ROOMS, joined
from bot.features.target_watch import stop_button
from bot.operations import cards
from bot.operations.authorize import not_admitted, rules_and_person, visibility_of
from bot.runtime.context import Context
from bot.runtime.health import Checked

LIST_WITHIN: Final = 10.0
FIND_WITHIN: Final = 2.0
MOST_FOUND: Final = 50
HOW_TO_DECIDE: Final = "Approve or deny on the card, or on my Home tab."
MOST_BUTTONS: Final = 10  # of what is open; more would hide the list
_MOST_STATUS: Final = 3  # targets with a button
_IN_CELL: Final = 150  # characters of a problem that the table shows whole
MOST_COMMANDS: Final = 10
MOST_ASKED: Final = 10  # pauses whose state is read
# Most answers arrive by then. A check may take much longer, and the person should not wait for it.
SHOWN_WITHIN: Final = 1.5


async def backends(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The current health of every backend that this person may see."""
    seen = await visibility_of(ctx, intent.actor, intent.place)
    await _health_table(ctx, intent, "Backends", [name for name in ctx.backends if seen.backend(name)])


async def health(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`health`, `health acc`. A backend that is asked for by name is asked with a refused credential too."""
    seen = await visibility_of(ctx, intent.actor, intent.place)
    if ask.target is None:
        await _health_table(ctx, intent, "Health", [name for name in ctx.backends if seen.backend(name)])
        return
    name = _backend(ctx, seen, ask.target.partition(":")[0])
    await _health_table(ctx, intent, f"Health of {name}", (name,), sign_in=True)


async def _health_table(
    ctx: Context, intent: Intent, title: str, names: Sequence[str], *, sign_in: bool = False
) -> None:
    """Show the answers that are there at once, and the late ones in a second message.

    Slack can't update a message that only one person sees, so the first message stays as it is.
    """
    async with asyncio.TaskGroup() as group:
        asked = {name: group.create_task(ctx.health.check(name, sign_in=sign_in)) for name in sorted(names)}
        await asyncio.wait(asked.values(), timeout=SHOWN_WITHIN)
        there = {name: task.result() for name, task in asked.items() if task.done()}
        late = [name for name in asked if name not in there]
        rows = [_health_row(ctx, name, there[name]) if name in there else _no_answer(ctx, name) for name in asked]
        note = f"No answer yet from {', '.join(late)}; a second message follows." if late else ""
        tone = _health_tone(there if not late else None)
        status = _answering(there, late)
        await reply(ctx, intent, title, tone=tone, status=status, lines=_long(there), table=_table(rows, note))
    if late:
        found = {name: asked[name].result() for name in late}
        table = _table([_health_row(ctx, name, checked) for name, checked in found.items()])
        key = f"say:{intent.request_id}:late"
        tone, status = _health_tone(found), _answering(found)
        title = f"{title}: late answers"
        await reply(ctx, intent, title, key=key, tone=tone, status=status, lines=_long(found), table=table)


def _long(found: Mapping[str, Checked]) -> tuple[Line, ...]:
    """The problems that a cell would cut, whole."""
    says = {name: checked.health.summary for name, checked in found.items()}
    return tuple(Line(heading=name, text=text) for name, text in says.items() if len(text) > _IN_CELL)


def _health_tone(found: Mapping[str, Checked] | None) -> Tone:
    return Tone.GOOD if found is not None and all(checked.health.ok for checked in found.values()) else Tone.WARN


def _answering(found: Mapping[str, Checked], late: Sequence[str] = ()) -> str:
    """The backends that do not answer, by name; otherwise that all do."""
    down = [name for name, checked in sorted(found.items()) if not checked.health.ok]
    parts = [f"down: {', '.join(down)}"] if down else []
    parts += [f"no answer yet: {', '.join(late)}"] if late else []
    words = "; ".join(parts) or ("all of them answer" if len(found) > 1 else "it answers")
    return capitalized(words)


def _table(rows: Sequence[tuple[str, ...]], note: str = "") -> Table:
    return Table(columns=("Name", "State", "Says", "Credential", "Latency", "Kind"), rows=tuple(rows), note=note)


def _health_row(ctx: Context, name: str, checked: Checked) -> tuple[str, ...]:
    result = checked.health
    latency = f"{result.latency_ms:.0f} ms" if result.latency_ms is not None else ""
    credential = result.credential
    if result.credential_ends is not None:
        days = (result.credential_ends - ctx.clock.now()).days
        credential = f"{credential} ends {result.credential_ends:%Y-%m-%d} ({plural(days, 'day')})".strip()
    state = "ok" if result.ok else "down"
    return (name, state, shortened(result.summary, _IN_CELL), credential, latency, ctx.catalog.backends[name].title)


def _no_answer(ctx: Context, name: str) -> tuple[str, ...]:
    """A row for a backend that has not answered yet, with its last known state."""
    last = ctx.health.latest(name)
    known = f"; {'ok' if last.health.ok else 'down'} {utc_text(last.at)}" if last is not None else ""
    says = f"no answer within {SHOWN_WITHIN:g} s{known}"
    return (name, "slow", says, "", "", ctx.catalog.backends[name].title)


async def targets(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`targets infa`, `targets infa:eu`: what the backend lists now, or what is known of it when it doesn't answer."""
    seen = await visibility_of(ctx, intent.actor, intent.place)
    if ask.target is None:
        names = ", ".join(f"`{name}`" for name in sorted(ctx.backends) if seen.backend(name))
        raise BadRequest(f"`targets` needs a backend: {names}.", code="target_missing")
    name, _, part = ask.target.partition(":")
    _backend(ctx, seen, name)
    await ctx.listings.refresh(name, within=LIST_WITHIN)
    known = await known_targets(ctx, seen, within=0, only=(name,))
    found = matching(ctx, [one for one in known.targets if one.listed or name in known.silent], part)
    unlisted = ctx.catalog.backends[name].unlisted.format(backend=name)
    await _show_targets(ctx, intent, f"Targets of {name}", found, known.silent, given["count"], unlisted)


async def find(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`find prices`: configured, listed and seen targets of all backends. Waits only for those without a current list,
    and for the state of what it shows."""
    typed = " ".join(ask.words)
    if not words_of(typed):
        raise BadRequest("`find` needs a part of a name.", "For example: `find prices`.", "target_missing")
    visible = await visibility_of(ctx, intent.actor, intent.place)
    known = await known_targets(ctx, visible, within=FIND_WITHIN)
    found, remark = matching(ctx, known.targets, typed), ""
    past = {one.target.backend for one in found[:MOST_FOUND] if one.past} - known.silent.keys()
    if past:
        await ctx.listings.refresh(*past, within=SHOWN_WITHIN)
        known = await known_targets(ctx, visible, within=0)
        found = matching(ctx, known.targets, typed)
    if not (found and fit(words_of(typed), found[0].plain)):
        partial = [name for name, spec in ctx.catalog.backends.items() if spec.unlisted and visible.backend(name)]
        more = f"Type a full path or id for what is not listed on {' and '.join(partial)}." if partial else ""
        remark = (
            f"No target has {as_typed(typed, 80)} in its name. {'These names are close:' if found else more}".strip()
        )
    await _show_targets(ctx, intent, f"Targets with {typed[:80]}", found, known.silent, MOST_FOUND, remark)


def _backend(ctx: Context, seen: Visibility, name: str) -> str:
    """The name. A person who may not see a backend gets the same answer whether it exists or not."""
    if not seen.backend(name):
        raise NotPermittedError(f"No rule that names you here covers {as_typed(name)}.", code="no_rule")
    if name not in ctx.backends:
        raise BadRequest(f"No backend is named {as_typed(name)}.", code="no_such_backend")
    return name


async def _show_targets(
    ctx: Context,
    intent: Intent,
    title: str,
    found: Sequence[KnownTarget],
    silent: Mapping[str, str],
    count: int,
    remark: str,
) -> None:
    """A table of targets. It names the backends that don't answer, because the table lacks what only they know."""
    rows: tuple[tuple[str, ...], ...] = tuple((one.text, one.target.kind, _state_of(one)) for one in found[:count])
    more = len(found) - count
    note = f"{plural(more, 'more match', 'more matches')}. Type more of the name." if more > 0 else ""
    lines = [Line(text=remark or ("" if rows else "No targets found."))]
    lines += [Line(heading=name, text=why) for name, why in silent.items()]
    verb = "doesn't" if len(silent) == 1 else "don't"
    status = f"{', '.join(silent)} {verb} answer, so targets may be missing" if silent else ""
    columns: tuple[str, ...] = ("Target", "Kind", "State")
    if not any(row[2] for row in rows):
        columns, rows = columns[:2], tuple(row[:2] for row in rows)
    table = Table(columns=columns, rows=rows, total=len(found), note=note, exact=("Target",))
    await reply(
        ctx,
        intent,
        title,
        tone=Tone.WARN if silent else Tone.PLAIN,
        status=status,
        lines=tuple(line for line in lines if line.text),
        table=table if rows else None,
        buttons=tuple(_status_buttons(ctx, intent, found[:_MOST_STATUS])),
    )


def _state_of(known: KnownTarget) -> str:
    """Its state and detail in the last list, otherwise when it was last seen."""
    if known.listed is not None:
        return known.state(detail=True)
    return f"seen {utc_text(known.seen)}" if known.seen is not None else "configured"


def _status_buttons(ctx: Context, intent: Intent, found: Sequence[KnownTarget]) -> Iterator[Button]:
    """The next step for the best matches."""
    for one in found:
        text = f"status {one.text}"
        if ctx.catalog.capability(one.target.backend, "status", one.target.kind) and len(text) <= LONGEST_BUTTON:
            yield command_button(ctx, intent, text)


async def status(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`status` without a target: what is open in this channel; of a control plane itself, whether it answers."""
    if ask.target is not None:
        await health(ctx, intent, ask, given)
        return
    reading = await _reading(ctx, intent)
    waiting, runs, paused = await all_of(
        (approvals_table(ctx, *reading), watches_table(ctx, *reading), pauses_table(ctx, *reading))
    )
    counted = (
        (waiting.total or 0, "decision waits", "decisions wait", "approvals"),
        (runs.total or 0, "run in progress", "runs in progress", "watches"),
        (paused.total or 0, "pause", "pauses", "pauses"),
    )
    words = ", ".join(plural(number, one, many) for number, one, many, _ in counted if number)
    rows = (
        *((title, f"Waits for a decision until {due}", by) for title, by, _, _, due in waiting.rows),
        *((label, state, by) for label, state, by, *_ in runs.rows),
        *(
            (label, f"Paused until {until}" if until[0].isdigit() else capitalized(until), by)
            for label, until, by, *_ in paused.rows
        ),
    )
    more = ", ".join(f"`{ctx.command} {command}`" for number, _, _, command in counted if number)
    total = sum(number for number, *_ in counted)
    await reply(
        ctx,
        intent,
        "Open in this channel",
        status=words or "Nothing waits, runs or is paused",
        table=await with_names(ctx, Table(columns=("What", "State", "By"), rows=rows, total=total)) if rows else None,
        lines=(Line(text=f"For details: {more}"),) if rows else (),
    )


async def approvals(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The approvals that are open here, and those elsewhere that the person asked for or decides."""
    table, reader = await _approvals(ctx, intent), intent.actor.user_id
    pending = await ctx.store.pending_decisions(state="open") if table.rows else ()
    waiting = [Approval.of(one) for one in sorted(pending, key=expiry)]
    theirs = [one for one in waiting if one is not None and reader in one.record.eligible]
    names = await ctx.directory.names({one.requester for one in theirs[:MOST_BUTTONS]})
    links = []
    for one in theirs[:MOST_BUTTONS]:
        who = f" for {names.get(one.requester, one.requester)}"
        label = f"Open {one.operation.title}"[: LONGEST_BUTTON - len(who)] + who
        links.append(await link_to(ctx, approval_key(one.pending.request_id), label))
    buttons = [Button(label=link[0], action="open", url=link[1]) for link in links if link is not None]
    reviews = [used for _, used in await breakglass.to_review(ctx, intent.actor)][:MOST_BUTTONS]
    names = await ctx.directory.names({used.user_id for used in reviews})
    for used in reviews:
        which = f" ({used.id})" if len(reviews) > 1 else ""
        label = f"Close review of {names.get(used.user_id, used.user_id)}"[: LONGEST_BUTTON - len(which)]
        buttons.append(breakglass.close_button(ctx, used, f"{label}{which}"))
    own = [one for one in waiting if one is not None and one.requester == reader][:MOST_BUTTONS]
    text = "\n".join([HOW_TO_DECIDE] * bool(theirs) + [who_decides(one) for one in own])
    people = [user for one in own for user in one.record.eligible[:MOST_NAMED]]
    where = await _elsewhere(ctx, intent)
    text, people = "\n".join(filter(None, (text, where))), [*people, *named_in((), where)]
    none, mention = sentences("Nothing waits for your decision", where), tuple(dict.fromkeys(people))
    await _open(ctx, intent, "Waiting for approval", table, tuple(buttons), text, none, mention=mention)


async def _elsewhere(ctx: Context, intent: Intent) -> str:
    """Where no rule names the place: in which of the person's channels commands run."""
    refused = await not_admitted(ctx, intent)
    if refused is None or refused.code not in UNNAMED_PLACES:
        return ""
    channels = (await joined(ctx, intent, refused.where_else[:MOST_ROOMS]))[:MOST_OPENED]
    return f"I run commands in {' or '.join(map(cards.channel, channels))}." if channels else ""


async def concerns(ctx: Context, intent: Intent, ask: Command, refused: Denied) -> bool:
    """Whether `approvals` answers in a place that no rule names: those who decide requests or review break-glass are told that
    nothing waits, everyone what waits for them."""
    if ask.verb != "approvals" or refused.code not in UNNAMED_PLACES:
        return False
    policy, subject = await rules_and_person(ctx, intent.actor)
    failed = why_not_full(subject, ctx.home_team) or who_fails(policy.approvers, subject, ctx.home_team)
    decides = failed is None or breakglass.may_review(policy, subject, ctx.home_team)
    return decides or await waits_here(ctx, intent)


async def waits_here(ctx: Context, intent: Intent) -> bool:
    """Whether `approvals` lists anything for this person here."""
    return bool((await _approvals(ctx, intent)).rows)


async def _approvals(ctx: Context, intent: Intent) -> Table:
    reviews = {pending.id for pending, _ in await breakglass.to_review(ctx, intent.actor)}
    return await approvals_table(ctx, *await _reading(ctx, intent), anywhere=True, reviews=reviews)


async def _reading(ctx: Context, intent: Intent) -> tuple[str, Visibility, str]:
    """The channel, what the reader may see there, and who that is."""
    visible = await visibility_of(ctx, intent.actor, intent.place)
    return intent.place.channel_id, visible, intent.actor.user_id


async def watches(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The runs that are followed here, and the targets that people watch here, with buttons to end one's own."""
    channel, visible, reader = await _reading(ctx, intent)
    here = [
        one for one in await ctx.store.subscriptions() if one.place.channel_id == channel and visible.target(one.target)
    ]
    table = await watches_table(ctx, channel, visible, reader, here)
    mine = [one for one in here if one.user_id == reader]
    times = Counter(one.target_key for one in mine)  # a press ends all of them
    targets = [*{one.target_key: one.target for one in mine}.items()]
    buttons = tuple(
        stop_button(
            ctx, target, f"Stop watching {target.label}" + (f" in {times[key]} places" if times[key] > 1 else "")
        )
        for key, target in targets[:MOST_BUTTONS]
    )
    left = [f"unwatch {cards.written(target)}" for _, target in targets[MOST_BUTTONS:]]
    await _open(ctx, intent, "Runs in progress and watched targets", table, buttons, _by_command(ctx, left))


async def pauses(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The pauses of this channel, with buttons that end the first ones and the commands that end others, and which of them the
    control plane reports as on."""
    reading = await _reading(ctx, intent)
    groups = await pauses_of(ctx, *reading)
    commands = [
        (f"{group[0].verb_back} {written}", f"End pause of {await pause_label(ctx, written, group, reading[1])}")
        for written, group in groups[: MOST_BUTTONS + MOST_COMMANDS]
    ]
    shown = [(text, label) for text, label in commands[:MOST_BUTTONS] if len(label) <= LONGEST_BUTTON]
    buttons = tuple(command_button(ctx, intent, text, label=label) for text, label in shown)
    left = [text for text, label in commands if (text, label) not in shown]
    asked = [(written, group) for written, group in groups[:MOST_ASKED] if group[0].backend in ctx.backends]
    said = zip(asked, await all_of(vendor_says(ctx, group) for _, group in asked), strict=True)
    on = [
        f"{(await pause_label(ctx, written, group, reading[1])).removesuffix(':')}: {says}."
        for (written, group), says in said
        if says
    ]
    text = "\n".join([*on, *filter(None, [_by_command(ctx, left)])])
    await _open(ctx, intent, "Pauses", await pauses_table(ctx, *reading), buttons, text)


def _by_command(ctx: Context, texts: Sequence[str]) -> str:
    """How to do it in the rows that have no button."""
    return (
        f"Without a button: {', '.join(f'`{ctx.command} {text}`' for text in texts[:MOST_COMMANDS])}" if texts else ""
    )


async def _open(
    ctx: Context,
    intent: Intent,
    title: str,
    table: Table,
    buttons: Sequence[Button] = (),
    text: str = "",
    none: str = "None.",
    **parts: Any,
) -> None:
    text, table = text if table.rows else none, await with_names(ctx, table)
    lines = (Line(text=text),) if text else ()
    await reply(ctx, intent, title, lines=lines, table=table if table.rows else None, buttons=buttons, **parts)
