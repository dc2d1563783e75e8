"""The built-in commands `whoami`, `why` and `grants`."""

import re
from collections.abc import Mapping
from typing import Any

from bot.core.approval import ANY_PARAMETERS
from bot.core.card import Line, Tone
from bot.core.command.parser import parse
from bot.core.errors import BadRequest
from bot.core.intent import Actor, Command, Intent, ParseError, Source
from bot.core.outcome import Fact, Table
from bot.core.policy.compile import Policy
from bot.core.policy.decide import Denied, decide, standing, why_not_administrator
from bot.core.policy.decide import why as trace_rules
from bot.core.policy.match import Member
from bot.core.policy.visibility import decision_word
from bot.core.records import Grant
from bot.core.text import first_of, utc_text
from bot.features.access.grants import NotPermittedError, needs_person
from bot.features.replies import grant_card
from bot.features.replies.answer import LONGEST_BUTTON, reply, with_names
from bot.features.replies.refusal import lead_elsewhere
from bot.operations import cards
from bot.operations.authorize import (
    catalog_of,
    not_admitted,
    not_in_force,
    read_situation,
    rules_and_person,
    visibility_of,
)
from bot.operations.resolve import resolve, resolve_seen
from bot.runtime.context import Context

_ALLOW = re.compile(r"\b([CG][A-Z0-9]{2,}) allow (\d+)\b")
_NAMED = 3  # verbs and targets of a rule that a sentence names
_REVOKED = 10  # grants with a button
_PERSON = r"(?P<person><@[UW][A-Z0-9]{1,30}(?:\|[^>]*)?>)"
_AS = (  # a person, before or after the command; `as=run` is a parameter
    re.compile(rf"(?P<typed>.+?)\s+as={_PERSON}\s*", re.DOTALL),
    re.compile(rf"\s*(?:as=)?{_PERSON}\s+(?P<typed>.+)", re.DOTALL),
)


async def whoami(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """What the rules know of this person here."""
    policy, subject = await rules_and_person(ctx, intent.actor)
    _, words = standing(subject, ctx.home_team)
    mine = {subject.user_id, *(group for group, member in subject.groups.items() if member is Member.YES)}
    groups = [name for name, members in policy.file.groups.items() if mine.intersection(members)]
    refused = await not_admitted(ctx, intent)
    admin = why_not_administrator(policy, subject, ctx.home_team) is None
    accounts = [
        account for account, person in policy.accounts.items() if person == policy.accounts.get(subject.user_id)
    ]
    people = {subject.user_id}
    who = _administrators(policy, people) if refused is None else ""
    shown = (
        Fact(label="You", value=f"<@{subject.user_id}> ({subject.user_id}), {words or 'a full member'}"),
        Fact(label="Workspace", value=subject.team_id),
        Fact(label="Groups", value=", ".join(f"`{name}`" for name in groups) or "none"),
        *(
            (Fact(label="Your accounts", value=f"{', '.join(accounts)}, which count as one person"),)
            if accounts
            else ()
        ),
        Fact(label="Administrator", value="yes" if admin else "no"),
        *((Fact(label="Administrators", value=who),) if who else ()),
        Fact(label="Here", value=refused.reason if refused is not None else "you can use Signalbox in this channel"),
        Fact(label="Read from Slack", value=f"{subject.user_age:.0f} s ago"),
    )
    await reply(ctx, intent, "Who you are here", facts=shown, mention=tuple(people))


def _administrators(policy: Policy, people: set[str]) -> str:
    """The people and groups of `[administrators]`, each group with its members. Adds the people it names to `people`."""
    said = []
    for word in policy.administrators.words:
        members = ", ".join(cards.principal(one, people) for one in policy.file.groups.get(word, ()))
        said.append(f"{cards.principal(word, people)}{f' ({members})' if members else ''}")
    return ", ".join(said)


async def why(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """Check a command against every rule and say which condition failed first. Nothing is run."""
    typed, other = ask.words[0] if ask.words else "", given.get("as")
    found = next(filter(None, (pattern.fullmatch(typed) for pattern in _AS)), None)
    if found is not None and other is None:
        typed, other = found["typed"], found["person"]
    trusted = intent.source is Source.TERMINAL  # the shell of the installation reads the rules anyway
    refused = None if trusted else await not_admitted(ctx, intent)
    if refused is not None:
        await _denied(ctx, intent, typed, refused)
        return
    inner = parse(typed, ctx.catalog if trusted else await catalog_of(ctx, intent.actor, intent.place))
    if typed and isinstance(inner, ParseError):
        raise BadRequest(inner.problem, f"`{ctx.command} help` lists what you can do here.", code="misread")
    if not typed or not isinstance(inner, Command):
        raise BadRequest("Write a command after `why`, for example `why start acc:shop/prices`.", code="misread")
    if ctx.catalog.builtin(inner.verb) is not None and inner.target is None:
        raise BadRequest(f"`{inner.verb}` is a built-in command. `why` checks commands for a backend.", code="builtin")
    resolved = await resolve(ctx, intent, inner) if trusted else await resolve_seen(ctx, intent, inner)
    if isinstance(resolved, Denied):
        await _denied(ctx, intent, typed, resolved)
        return
    seen = await _as_person(ctx, intent, other)
    now = await read_situation(ctx, seen, intent.place)
    if not now.subject.known and (trusted or seen != intent.actor):
        hint = "Check the id, or try again in a moment."
        raise BadRequest(f"Slack doesn't say who <@{seen.user_id}> is.", hint, "unknown_person")
    policy = now.policy
    operation = resolved.operation
    question = now.question(resolved.capability, operation.target, operation.params, ctx.clock.now())
    traces = trace_rules(policy, question)
    decision, word = traces[-1], decision_word(decide(policy, question))
    lines = [
        Line(text=f"`{'yes' if trace.matched else 'no'}` {cards.rules_named(trace.label)}{line}: {trace.says}")
        for trace in traces[:-1]
        for line in (f" (line {trace.line})" if trace.line is not None else "",)
    ]
    if seen != intent.actor:
        lines.insert(0, Line(text=f"“You” means <@{seen.user_id}> here."))
    await reply(
        ctx,
        intent,
        f"Why: {resolved.operation.title}",
        tone=Tone.GOOD if decision.matched else Tone.WARN,
        status=f"{word[:1].upper()}{word[1:]}: {_in_words(policy, decision.says.removeprefix(f'{word} here: '))}",
        lines=tuple(lines),
        footer=(f"as <@{seen.user_id}>", f"policy {policy.version}"),
        mention=(seen.user_id, intent.place.channel_id),
    )


async def _denied(ctx: Context, intent: Intent, typed: str, denied: Denied) -> None:
    if not await lead_elsewhere(ctx, intent, denied):
        await reply(ctx, intent, f"Why: {typed}" if typed else "Why", tone=Tone.WARN, status=f"Denied: {denied.reason}")


def _in_words(policy: Policy, says: str) -> str:
    """A sentence about rules with the name of each rule's channel, and what it allows, instead of its label."""

    def words(found: re.Match[str]) -> str:
        rule = policy.channels[found[1]].allows[int(found[2]) - 1]
        allows = f"{first_of(rule.verbs, _NAMED, ', ')} on {first_of(rule.targets, _NAMED, ', ')}"
        return f"{cards.channel(found[1])} allow {found[2]} ({allows})"

    return _ALLOW.sub(words, says)


async def _as_person(ctx: Context, intent: Intent, other: object) -> Actor:
    """The asker, or for administrators another person of the workspace."""
    if other is None:
        return intent.actor
    policy, subject = await rules_and_person(ctx, intent.actor)
    refused = why_not_administrator(policy, subject, ctx.home_team)
    if refused is not None:
        raise NotPermittedError(
            f"Only administrators can check as another person: {refused}.", code="not_administrator"
        )
    return Actor(user_id=needs_person(str(other)), team_id=ctx.home_team)


async def grants(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """Grants in force: the asker's own, and to full members those of this channel; to administrators all."""
    policy, subject = await rules_and_person(ctx, intent.actor)
    everywhere = why_not_administrator(policy, subject, ctx.home_team) is None
    here = (await visibility_of(ctx, intent.actor, intent.place)).patterns is None
    found = [
        g
        for g in await ctx.store.open_grants(ctx.clock.now())
        if everywhere or g.user_id == intent.actor.user_id or (here and g.channel_id in (None, intent.place.channel_id))
    ]
    mine = [g for g in found if everywhere or intent.actor.user_id in (g.user_id, *g.granted_by.split(", "))]
    names = {g.id: f"Revoke {_given(g)} from {await grant_card.holder(ctx, g)}" for g in mine[:_REVOKED]}
    alike = {g for g, name in names.items() if len(name) > LONGEST_BUTTON or [*names.values()].count(name) > 1}
    ids = bool(alike) or len(mine) > _REVOKED  # what has no button, or none of its own name, is revoked by its id
    over = {g.id: await not_in_force(ctx, g) for g in found}
    rows = tuple(
        (
            cards.person(g.user_id),
            ("anything (break-glass)" if g.breakglass else f"{_given(g)}, {ANY_PARAMETERS}")
            + (f" (not in force: {over[g.id]})" if over[g.id] else ""),
            cards.channel(g.channel_id) or "every channel",
            utc_text(g.until_at, seconds=True),
            cards.person(g.granted_by),
            *((g.id,) if ids else ()),
        )
        for g in found
    )
    columns = ("Who", "May", "Where", "Until", "By", *(("Id",) if ids else ()))
    table = await with_names(ctx, Table(columns=columns, rows=rows, total=len(rows), exact=("Id",)))
    buttons = [
        await grant_card.revoke_button(
            ctx,
            g,
            f"Revoke {g.id}" if g.id in alike else names[g.id],
            f", not {utc_text(g.until_at)}{f'. Its id is {g.id}' if ids else ''}",
        )
        for g in mine[:_REVOKED]
    ]
    how = f"`{ctx.command} revoke ID -- why` ends the others." if len(mine) > _REVOKED else ""
    lines = (Line(text=how or "No grants are in force."),) if how or not rows else ()
    await reply(ctx, intent, "Grants", lines=lines, table=table if rows else None, buttons=tuple(buttons))


def _given(grant: Grant) -> str:
    return "break-glass" if grant.breakglass else grant_card.what(grant)
