"""Built-in commands that look: backends, health, targets, find, status, approvals, watches, pauses, doctor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.card import Line, Tone
from bot.core.command.params import duration_text
from bot.core.errors import BadRequest, Problem
from bot.core.intent import Command, Intent
from bot.core.outcome import Fact, Named, Table
from bot.core.policy.visibility import Visibility
from bot.core.text import capitalized, plural, utc_text
from bot.features.access.grants import NotPermittedError
from bot.features.access.policy_reload import named_channels, review_warning
from bot.features.builtins.tables import approvals_table, pauses_table, watches_table
from bot.operations import cards
from bot.operations.authorize import sight_of
from bot.runtime.context import Context
from bot.runtime.health import Checked

LIST_WITHIN = 10.0
# Most answers arrive by then. A check may take much longer, and the person should not wait for it.
SHOWN_WITHIN = 1.5


async def backends(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The current health of every backend that this person may see."""
    seen = await sight_of(ctx, intent.actor, intent.place)
    await _health_table(ctx, intent, "Backends", [name for name in ctx.backends if seen.backend(name)])


async def health(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`health`, `health acc`."""
    seen = await sight_of(ctx, intent.actor, intent.place)
    if ask.target is None:
        await _health_table(ctx, intent, "Health", [name for name in ctx.backends if seen.backend(name)])
        return
    name = _backend(ctx, seen, ask.target.partition(":")[0])
    await _health_table(ctx, intent, f"Health of {name}", (name,))


async def _health_table(ctx: Context, intent: Intent, title: str, names: Sequence[str]) -> None:
    """Show the answers that are there at once, and the late ones in a second message.

    Slack can't update a message that only one person sees, so the first message stays as it is.
    """
    async with asyncio.TaskGroup() as group:
        asked = {name: group.create_task(ctx.health.check(name)) for name in sorted(names)}
        await asyncio.wait(asked.values(), timeout=SHOWN_WITHIN)
        there = {name: task.result() for name, task in asked.items() if task.done()}
        late = [name for name in asked if name not in there]
        rows = [_health_row(ctx, name, there[name]) if name in there else _no_answer(ctx, name) for name in asked]
        note = f"No answer yet from {', '.join(late)}; a second message follows." if late else ""
        tone = _health_tone(there if not late else None)
        card = cards.private(intent, title, tone=tone, status=_answering(there, late), table=_table(rows, note))
        await ctx.presenter.show(card, intent.reply)
    if late:
        found = {name: asked[name].result() for name in late}
        table = _table([_health_row(ctx, name, checked) for name, checked in found.items()])
        key = f"say:{intent.request_id}:late"
        tone, status = _health_tone(found), _answering(found)
        card = cards.private(intent, f"{title}: late answers", key=key, tone=tone, status=status, table=table)
        await ctx.presenter.show(card, intent.reply)


def _health_tone(found: Mapping[str, Checked] | None) -> Tone:
    return Tone.GOOD if found is not None and all(checked.health.ok for checked in found.values()) else Tone.WARN


def _answering(found: Mapping[str, Checked], late: Sequence[str] = ()) -> str:
    """The backends that do not answer, by name; otherwise that all do."""
    down = [name for name, checked in sorted(found.items()) if not checked.health.ok]
    said = [f"down: {', '.join(down)}"] if down else []
    said += [f"no answer yet: {', '.join(late)}"] if late else []
    words = "; ".join(said) or ("all of them answer" if len(found) > 1 else "it answers")
    return capitalized(words)


def _table(rows: Sequence[tuple[str, ...]], note: str = "") -> Table:
    return Table(columns=("Name", "Kind", "State", "Says", "Latency", "Credential"), rows=tuple(rows), note=note)


def _health_row(ctx: Context, name: str, checked: Checked) -> tuple[str, ...]:
    said = checked.health
    latency = f"{said.latency_ms:.0f} ms" if said.latency_ms is not None else ""
    credential = said.credential
    if said.credential_ends is not None:
        days = (said.credential_ends - ctx.clock.now()).days
        credential = f"{credential} ends {said.credential_ends:%Y-%m-%d} ({plural(days, 'day')})".strip()
    state = "ok" if said.ok else "down"
    return (name, ctx.catalog.backends[name].title, state, said.summary, latency, credential)


def _no_answer(ctx: Context, name: str) -> tuple[str, ...]:
    """A row for a backend that has not answered yet, with its last known state."""
    last = ctx.health.latest(name)
    known = f"; {'ok' if last.health.ok else 'down'} at {utc_text(last.at)}" if last is not None else ""
    says = f"no answer within {SHOWN_WITHIN:g} s{known}"
    return (name, ctx.catalog.backends[name].title, "slow", says, "", "")


async def targets(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`targets infa`, `targets infa:eu`."""
    seen = await sight_of(ctx, intent.actor, intent.place)
    if ask.target is None:
        names = ", ".join(f"`{name}`" for name in sorted(ctx.backends) if seen.backend(name))
        raise BadRequest(f"`targets` needs a backend: {names}.", code="target_missing")
    name, _, part = ask.target.partition(":")
    _backend(ctx, seen, name)
    listed = [named for named in await _list(ctx, name) if seen.target(named.target)]
    found = [named for named in listed if part.lower() in named.text.lower()]
    unlisted = ctx.catalog.backends[name].unlisted.format(backend=name)
    await _named_table(ctx, intent, f"Targets of {name}", found, given["count"], unlisted)


async def find(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`find prices`: the remembered names of all backends and when each was seen. No backend is asked, so it answers at once."""
    words = [word.lower() for word in ask.words]
    if not words:
        raise BadRequest("`find` needs a part of a name.", code="target_missing")
    now = ctx.clock.now()
    sight = await sight_of(ctx, intent.actor, intent.place)
    found = []
    for name in sorted(ctx.backends):
        for target, seen in await ctx.target_cache.known(name):
            text = cards.written(target)
            if all(word in text.lower() for word in words) and sight.target(target):
                age = duration_text(max(1, int((now - seen).total_seconds())))
                found.append(Named(target=target, text=text, state=target.kind, detail=f"seen {age} ago"))
    await _named_table(ctx, intent, f"Found for {' '.join(ask.words)}", found, 50, columns=("Target", "Kind", "Known"))


def _backend(ctx: Context, seen: Visibility, name: str) -> str:
    """The name. A person who may not see a backend gets the same answer whether it exists or not."""
    if not seen.backend(name):
        raise NotPermittedError(f"No rule that names you here covers `{name}`.", code="no_rule")
    if name not in ctx.backends:
        raise BadRequest(f"No backend is named `{name}`.", code="no_such_backend")
    return name


async def _list(ctx: Context, name: str) -> Sequence[Named]:
    try:
        async with asyncio.timeout(LIST_WITHIN):
            return await ctx.backends[name].targets()
    except TimeoutError:
        raise Problem(f"`{name}` did not answer within {LIST_WITHIN:g} s.", code="deadline") from None


async def _named_table(
    ctx: Context,
    intent: Intent,
    title: str,
    found: Sequence[Named],
    count: int,
    unlisted: str = "",
    columns: tuple[str, ...] = ("Target", "State", "Detail"),
) -> None:
    rows = tuple((named.text, named.state, named.detail) for named in found[:count])
    note = (
        ""
        if len(found) <= count
        else f"{plural(len(found) - count, 'more match', 'more matches')}. Type more of the name."
    )
    nothing = (
        "" if rows else "No targets found. Signalbox learns names as they are used; a full path or id always works."
    )
    lines = tuple(Line(text=text) for text in (nothing, unlisted) if text)
    table = Table(columns=columns, rows=rows, total=len(found), note=note, exact=("Target",)) if rows else None
    await ctx.presenter.show(cards.private(intent, title, lines=lines, table=table), intent.reply)


async def status(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`status` without a target: what is open in this channel; of a control plane itself, whether it answers."""
    if ask.target is not None:
        await health(ctx, intent, ask, given)
        return
    channel = intent.place.channel_id
    sight = await sight_of(ctx, intent.actor, intent.place)
    waiting, runs, paused = await asyncio.gather(
        approvals_table(ctx, channel=channel),
        watches_table(ctx, channel, sight),
        pauses_table(ctx, channel, sight),
    )
    facts = (
        Fact(label="Waiting for approval", value=len(waiting.rows)),
        Fact(label="Runs in progress", value=len(runs.rows)),
        Fact(label="Pauses", value=len(paused.rows)),
    )
    table = runs if runs.rows else paused if paused.rows else waiting if waiting.rows else None
    await ctx.presenter.show(cards.private(intent, "Open in this channel", facts=facts, table=table), intent.reply)


async def approvals(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The approvals that are open here."""
    await _open(ctx, intent, "Waiting for approval", await approvals_table(ctx, channel=intent.place.channel_id))


async def watches(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The runs that are followed here."""
    sight = await sight_of(ctx, intent.actor, intent.place)
    await _open(ctx, intent, "Runs in progress", await watches_table(ctx, intent.place.channel_id, sight))


async def pauses(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """The pauses of this channel."""
    sight = await sight_of(ctx, intent.actor, intent.place)
    await _open(ctx, intent, "Pauses", await pauses_table(ctx, intent.place.channel_id, sight))


async def _open(ctx: Context, intent: Intent, title: str, table: Table) -> None:
    lines = () if table.rows else (Line(text="None."),)
    card = cards.private(intent, title, lines=lines, table=table if table.rows else None)
    await ctx.presenter.show(card, intent.reply)


async def doctor(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """Check the installation. It names every backend and channel, so only full members may ask."""
    if (await sight_of(ctx, intent.actor, intent.place)).patterns is not None:
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
    reaches = await asyncio.gather(*(ctx.directory.reach(channel) for channel in named))
    bad = [
        Line(text=f"<#{channel}> ({use}): {found.trouble}.")
        for (channel, use), found in zip(named.items(), reaches, strict=True)
        if found.trouble
    ]
    facts.append(Fact(label="Channels", value=f"{len(named) - len(bad)} of {len(named)} can be used"))
    if (gap := await review_warning(ctx.directory, policy.policy)) is not None:
        bad.append(Line(text=f"{gap}."))
    wrong = len(bad) + sum(not checked.health.ok for checked in checks.values()) + (rules is None) + (not where.known)
    card = cards.private(
        intent,
        "Doctor",
        tone=Tone.WARN if wrong else Tone.GOOD,
        status=f"{plural(wrong, 'problem')} found" if wrong else "No problems found",
        facts=tuple(facts),
        lines=tuple(bad[:20]),
        mention=tuple(named),
    )
    await ctx.presenter.show(card, intent.reply)
