"""Refusals and denials: an audit entry first, then a card with the reason and the next step."""

import difflib
import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from bot.all_of import all_of, both
from bot.core.audit import AuditEntry, Event
from bot.core.card import Button, Line, Tone, slack_url
from bot.core.command.capability import Risk
from bot.core.command.doubt import against
from bot.core.command.parser import ONE_TARGET, format_command, parse, parse_target
from bot.core.command.target_ref import SELECTORS, TargetRef
from bot.core.effects import Ruling
from bot.core.errors import MAY_PASS, Ambiguous, BadRequest, NoSuchTarget, Problem, Redirected
from bot.core.intent import Command, Doubt, Intent, ParseError, Source
from bot.core.operation import Operation
from bot.core.outcome import Fact, facts_of
from bot.core.policy.decide import BUILT_IN_RULE, NO_RULE_ALLOWS, UNNAMED_PLACES, Denied
from bot.core.policy.visibility import Visibility
from bot.core.text import asked_text, capitalized, sentences, third_person
from bot.features.replies import channel_freeze
from bot.features.replies.answer import (
    MOST_NEAR,
    as_typed,
    clean,
    command_button,
    lasting,
    named_in,
    reply,
    say,
    say_buttons,
    shown_as,
)
from bot.features.replies.suggestions import (
    commands_meant,
    for_runs,
    repeats,
    said_instead,
    with_another_target,
    with_its_thread,
    with_reason,
)
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import CACHED, usable, visibility_of
from bot.operations.next_steps import link_to
from bot.runtime.context import Context

# Problems with what was typed, where another command may have been meant.
_MISTYPED: Final = frozenset({
    "bad_parameter", "unknown_parameter", "wrong_target_kind", "no_such_verb", "no_such_target", "target_missing", "misread",
})  # fmt: skip
_RUNS: Final = {"retry": ("failed", "last"), "stop": ("running", "last"), "pause": ("running", "last")}
MOST_ASKED: Final = 5  # channels whose members are asked for one denial
MOST_ROOMS: Final = 20  # the same where the bot runs nothing at all
MOST_OPENED: Final = 2
_CAN_NOT: Final = re.compile(r"(?i)(you can't [^:.]+)[:.] ?")  # what a built-in rule denies, before its reason
_MENTIONED: Final = re.compile(r"<[@#]([CGUW][A-Z0-9]+)>")


async def misread(ctx: Context, intent: Intent, ask: ParseError) -> None:
    """Offer the nearest commands that this person may use here as buttons, and say what could not be read."""
    if re.match(r"(?:un)?freeze\b|thaw\b", ask.text, re.IGNORECASE):
        hint = f"An administrator writes a `[[freeze]]` table into the rules. `{ctx.command} policy` shows them."
        button = command_button(ctx, intent, "policy")
        await say(ctx, intent, "Freezes are part of the rules.", lines=(Line(text=hint),), buttons=(button,))
        return
    meant = ask.nearest or await commands_meant(ctx, intent.actor, intent.place, ask.text)
    if not ask.nearest and ask.problem.startswith(ONE_TARGET) and not any(":" in one for one in meant):
        acts = ctx.catalog.changes(ask.understood) and not against(ask.text)
        meant = (*(await for_runs(ctx, intent.place, ask.understood) if acts else ()), "status")
    nearest = await offered(ctx, intent, meant)
    lines = [] if nearest else [Line(text=f"`{ctx.command} help` shows what you can do here.")]
    buttons = await say_buttons(ctx, intent, nearest, lines)
    guessed = bool(nearest) and nearest != ["help"]
    title = "Did you mean this?" if guessed and not ask.nearest else "I can't read this command"
    instead = await said_instead(ctx, intent, ask.text, ask.problem, nearest) if guessed else None
    problem, tone = (clean(ctx, ask.problem), Tone.WARN) if instead is None else (instead, Tone.PLAIN)
    await say(ctx, intent, title, tone=tone, status=problem, lines=lines, buttons=buttons, mention=named_in(lines))


async def offered(ctx: Context, intent: Intent, texts: Sequence[str]) -> list[str]:
    """Those of the commands that can run as far as their text tells, and that this person may see and use here."""
    seen = await visibility_of(ctx, intent.actor, intent.place)
    usable_here = {(backend, capability.verb) for backend, capability in await usable(ctx, intent.actor, intent.place)}
    return [text for text in texts if _may_offer(ctx, seen, usable_here, text)]


def _may_offer(ctx: Context, seen: Visibility, usable_here: Collection[tuple[str, str]], text: str) -> bool:
    read = parse(text, ctx.catalog)
    if not isinstance(read, Command):
        return False
    ref = parse_target(read.target, ctx.catalog) if read.target else None
    if not isinstance(ref, TargetRef):
        return True
    answers = not ref.path and ctx.catalog.builtin(read.verb) is not None  # the bot itself: `status acc:`
    if (
        not answers
        and ctx.catalog.capabilities(read.verb, ref.backend)
        and ((ref.backend, read.verb) not in usable_here or not ctx.catalog.takes(read, ref))
    ):
        return False
    return seen.written(f"{ref.backend}:{ref.path}") if ref.path else seen.backend(ref.backend)


_WHY_NOT_RUN: Final = {
    Doubt.IN_SENTENCE: ("Did you ask me to run this?",
        "A command counts only at the beginning of a message, after my name."),
    Doubt.BY_APP: ("Another app posted this in your name",
        "I run what people type or press themselves. Nothing was done."),
    Doubt.EDITED: ("I don't run edited messages again", "The first version still counts. The edit changed nothing."),
    Doubt.LATE: ("", "Slack delivered it late, so I ask again before anything changes."),
    Doubt.TOO_LATE: ("Nothing was done: I answered too late",
        "Slack stopped waiting after 3 seconds and showed you an error. Ask again if you still want it."),
}  # fmt: skip


async def set_aside(ctx: Context, intent: Intent, doubt: Doubt, command: Command | None = None) -> None:
    """Record that the request is not run, show its requester why, and offer its command as a button."""
    await both(abandon(ctx, intent, doubt, command), show_set_aside(ctx, intent, doubt, command))


async def abandon(ctx: Context, intent: Intent, doubt: Doubt, command: Command | None = None) -> None:
    """End the request in the audit log without doing anything."""
    now, ask = ctx.clock.now(), command or intent.payload
    columns = _typed(ctx, ask) if isinstance(ask, Command) else {}
    entry = AuditWriter(ctx.secrets).plain(Event.ABANDONED, intent, now, code=str(doubt), **columns)
    await ctx.store.finish(intent.request_id, (entry,), now)


async def show_set_aside(ctx: Context, intent: Intent, doubt: Doubt, command: Command | None = None) -> None:
    """Show the requester of an abandoned request why nothing was done."""
    ask, (title, why) = command or intent.payload, _WHY_NOT_RUN[doubt]
    lines = [Line(text=why)]
    again = await offered(ctx, intent, [format_command(ask)]) if isinstance(ask, Command) else ()
    if not again and doubt is Doubt.IN_SENTENCE and isinstance(ask, Command) and ask.target:
        again = await offered(ctx, intent, _of_its_runs(ctx, ask, ask.target))
    buttons = await say_buttons(ctx, intent, again, lines)
    asked, tone = title or asked_text(intent, ctx.clock.now()), Tone.ASK if buttons else Tone.WARN
    await reply(ctx, intent, asked, tone=tone, lines=tuple(lines), buttons=buttons, mention=named_in(lines))


async def offer(ctx: Context, intent: Intent, title: str, command: Command) -> None:
    """End the request with a sentence and the command that it is about as a button."""
    lines: list[Line] = []
    buttons = await say_buttons(ctx, intent, (format_command(command),), lines)
    await say(ctx, intent, title, tone=Tone.PLAIN, lines=tuple(lines), buttons=buttons)


async def problem(
    ctx: Context, intent: Intent, error: Problem, operation: Operation | None = None, *, more: Sequence[Button] = ()
) -> None:
    """End the request with a problem that occurred before anything was sent. `more` are further buttons."""
    intent, text = await with_its_thread(ctx, intent, error)
    ask, now, writer = intent.payload, ctx.clock.now(), AuditWriter(ctx.secrets)
    if operation is None:
        typed = _typed(ctx, ask) if isinstance(ask, Command) else {}
        entry = writer.plain(Event.FAILED, intent, now, **typed, code=error.code, detail=error.summary)
    else:
        entry = writer.about(Event.FAILED, operation, intent, now, code=error.code, detail=error.summary)
    nearest = await offered(ctx, intent, with_reason(ctx.catalog, ask) or await _nearest(ctx, intent, error))
    builtin = ctx.catalog.builtin(ask.verb) if isinstance(ask, Command) else None  # a guess at a grant could give more
    if not nearest and error.code in _MISTYPED:
        found = await commands_meant(ctx, intent.actor, intent.place, text)
        meant = [one for one in found if builtin is None or builtin.needs is None or one in ("grants", "approvals")]
        if isinstance(ask, Command) and ask.target is None and (runs := await for_runs(ctx, intent.place, ask.verb)):
            meant = [*dict.fromkeys((*runs, *[one for one in meant if not one.endswith("@running")]))]
        nearest = await offered(ctx, intent, [one for one in meant if not repeats(ctx.catalog, one, ask, error.code)])
    more = (*more, *(await _console(ctx, intent) if error.code == "no_such_verb" else ()))
    more = (*more, Button(label=error.link[0], action="open", url=error.link[1])) if error.link else more
    named, nothing = "", "Nothing was done"
    if (isinstance(error, MAY_PASS) or error.code == Redirected.code) and isinstance(ask, Command):
        more = (*more, *await _again(ctx, intent, ask))
        named = clean(ctx, " ".join(filter(None, (ask.verb, ask.target))))  # Slack doesn't show a slash command
        known = ctx.catalog.capabilities(ask.verb, _typed(ctx, ask).get("backend"))
        nothing = "Couldn't be read" if {one.risk for _, one in known} == {Risk.READ} else nothing
    vague = (instead := await said_instead(ctx, intent, intent.typed, error.summary, nearest)) is not None
    lines = [Line(text=error.hint)] if error.hint and not vague else []
    buttons = (*await say_buttons(ctx, intent, nearest, lines), *more)
    await say(
        ctx,
        intent,
        "Did you mean this?" if vague else f"{nothing}: `{named}`" if named else nothing,
        entries=(entry,),
        tone=Tone.PLAIN if vague else Tone.WARN,
        status=clean(ctx, error.summary) if instead is None else instead,
        lines=tuple(lines),
        buttons=buttons,
        details=facts_of((("Request", intent.request_id), ("Code", error.code))),
        mention=named_in(lines, error.summary if isinstance(error, BadRequest) else ""),
    )


def _typed(ctx: Context, command: Command) -> dict[str, str | None]:
    """Columns of the audit log for a command whose target was not looked up: what was typed, and the kind that it names."""
    ref = parse_target(command.target, ctx.catalog) if command.target else None
    kind = {"backend": ref.backend, "target_kind": ctx.catalog.kind_of(ref)} if isinstance(ref, TargetRef) else {}
    return {"verb": command.verb, "target_name": command.target} | kind


async def _again(ctx: Context, intent: Intent, ask: Command) -> tuple[Button, ...]:
    """The next steps when a control plane doesn't answer: the same command again, and whether it answers now."""
    backend = (ask.target or "").partition(":")[0]
    text = lasting(ctx, intent, format_command(ask))
    button = command_button(ctx, intent, text, label="Try again", once=True)
    again = (button,) if await shown_as(ctx, text) == text else ()
    return (*again, command_button(ctx, intent, f"health {backend}")) if backend in ctx.backends else again


async def _console(ctx: Context, intent: Intent) -> tuple[Button, ...]:
    """The target's page in the vendor's own console, for what the vendor's API can't do."""
    ask = intent.payload
    ref = parse_target(ask.target, ctx.catalog) if isinstance(ask, Command) and ask.target else ""
    if isinstance(ref, str):
        return ()
    seen = await visibility_of(ctx, intent.actor, intent.place)
    known = (target for target, _ in await ctx.target_cache.known(ref.backend) if seen.target(target))
    written = str(ref.model_copy(update={"selector": None}))
    return next((link_to(ctx, target) for target in known if cards.written(target) == written), ())


async def _nearest(ctx: Context, intent: Intent, error: Problem) -> Sequence[str]:
    """The whole command for each target that may have been meant: the backend's candidates, otherwise remembered names."""
    ask = intent.payload
    if not isinstance(ask, Command) or ask.target is None:
        return with_another_target(ask, error)
    if error.code == "wrong_target_kind":
        return _of_its_runs(ctx, ask, ask.target)
    names: Sequence[str] = error.candidates if isinstance(error, Ambiguous) else ()
    if isinstance(error, NoSuchTarget):
        names = error.nearest or await _remembered(ctx, ask.target)
    backend = ask.target.partition(":")[0]
    targets = [name if name.startswith(f"{backend}:") else str(TargetRef(backend=backend, path=name)) for name in names]
    seen = await visibility_of(ctx, intent.actor, intent.place)
    visible_targets = [target for target in dict.fromkeys(targets) if seen.written(target.replace('"', ""))]
    fit = [target for target in visible_targets if _acts_on(ctx, ask.verb, target)]
    if not fit and ask.target.rpartition("@")[2] in SELECTORS:  # nothing to pick: how the target itself is
        return [f"status {target}" for target in visible_targets if _acts_on(ctx, "status", target)]
    return [format_command(ask.model_copy(update={"target": target})) for target in fit]


def _acts_on(ctx: Context, verb: str, target: str) -> bool:
    """Whether the verb exists for that kind of target. A built-in verb takes any."""
    ref = parse_target(target, ctx.catalog)
    if isinstance(ref, str) or not ctx.catalog.capabilities(verb, ref.backend):
        return True
    return ref.selector is not None or bool(ctx.catalog.meant(verb, ref))


def _of_its_runs(ctx: Context, ask: Command, target: str) -> Sequence[str]:
    """The same command for runs of the agent that was named, those that the verb is mostly about first."""
    ref = parse_target(target, ctx.catalog)
    if isinstance(ref, str) or not ctx.catalog.has_runs(ref):
        return ()
    selected = (ref.model_copy(update={"selector": one}) for one in _RUNS.get(ask.verb, ("last", "failed")))
    return [format_command(ask.model_copy(update={"target": str(one)})) for one in selected]


async def _remembered(ctx: Context, written: str) -> Sequence[str]:
    """Remembered targets whose names are close to the one that was typed."""
    ref = parse_target(written, ctx.catalog)
    if isinstance(ref, str) or ref.selector is not None:
        return ()
    known = {target.scope: target for target, _ in await ctx.target_cache.known(ref.backend) if target.parent is None}
    near = difflib.get_close_matches(str(ref), [scope for scope in known if scope], n=MOST_NEAR, cutoff=0.6)
    return [str(TargetRef(backend=ref.backend, path=known[scope].name)) for scope in near]


async def denied(
    ctx: Context, intent: Intent, operation: Operation, ruling: Ruling, buttons: Sequence[Button] = ()
) -> None:
    """Show why the rules deny it, who may do it, and where the requester may."""
    decision = ruling.decision
    if not isinstance(decision, Denied):
        raise TypeError("only a denial is shown as one")
    detail = f"{decision.reason} ({ruling.ages})"
    entry = denial_entry(ctx, intent, operation, ruling, rule=decision.rule, code=decision.code, detail=detail)
    command = f"{operation.verb} {cards.written(operation.target)}"
    await _show_denied(ctx, intent, operation.title, decision, entry, buttons, command)


def denial_entry(ctx: Context, intent: Intent, operation: Operation, ruling: Ruling, **columns: str) -> AuditEntry:
    """The audit entry of a denial; `columns` are its rule, code and detail."""
    policy = {"policy_version": ruling.policy.version, "digest": ruling.digest}
    return AuditWriter(ctx.secrets).about(Event.DENIED, operation, intent, ctx.clock.now(), **policy, **columns)


async def unseen(ctx: Context, intent: Intent, command: Command | None, denied: Denied) -> None:
    """Deny a command whose target was not looked up. People who may use nothing here get one answer to all, also to None."""
    columns: dict[str, Any] = {"rule": denied.rule, "code": denied.code, "detail": denied.reason}
    columns |= _typed(ctx, command) if command is not None else {}
    now, version = ctx.clock.now(), ctx.policy().policy.version
    entry = AuditWriter(ctx.secrets).plain(Event.DENIED, intent, now, policy_version=version, **columns)
    words = (command.verb, command.target) if command is not None else ()
    asked = as_typed(intent) if denied.whole else ""
    await _show_denied(ctx, intent, asked or " ".join(filter(None, words)), denied, entry)


async def _show_denied(
    ctx: Context,
    intent: Intent,
    title: str,
    decision: Denied,
    entry: AuditEntry,
    buttons: Sequence[Button] = (),
    command: str = "",
) -> None:
    """End the request with a denial in one sentence, and lead to who can help. `command`: what `why` explains, or empty."""
    place = intent.place
    if decision.code == "not_a_member":  # Slack shows them nothing in that channel: the denial goes to their messages
        intent = intent.model_copy(update={"place": place.model_copy(update={"channel_id": ""})})
    people = {intent.actor.user_id, *_MENTIONED.findall(decision.reason)}
    most = MOST_ROOMS if decision.code in UNNAMED_PLACES else MOST_ASKED
    where_else = await joined(ctx, intent, decision.where_else[:most])
    said, status = _denial(title, decision, place.channel_id), _next_step(decision, where_else, people)
    if intent.source is Source.STEP:  # the people who look at a failed step were not denied
        said, status = third_person(said.replace("you ", "this workflow ", 1)), third_person(status)
    await say(
        ctx,
        intent,
        said,
        entries=(entry,),
        tone=Tone.BAD,
        status=status,
        lines=await channel_freeze.remedy(ctx, intent, decision),
        details=_why_denied(ctx, intent, decision, command, people),
        buttons=(*buttons, *[await _open_button(ctx, one) for one in where_else[:MOST_OPENED] if ctx.workspace_url]),
        mention=tuple(sorted({*people, place.channel_id, *where_else})),
    )


async def lead_elsewhere(ctx: Context, intent: Intent, decision: Denied, *more: Line | Button) -> bool:
    """Where the bot runs nothing at all, say in which of the person's channels it does, then `more`. False elsewhere."""
    if decision.code not in UNNAMED_PLACES:
        return False
    where_else = await joined(ctx, intent, decision.where_else[:MOST_ROOMS])
    title = _denial("", decision, intent.place.channel_id).removeprefix("Denied: ").rstrip(".")
    links = [await _open_button(ctx, one) for one in where_else[:MOST_OPENED] if ctx.workspace_url]
    lines, buttons = (tuple(one for one in more if isinstance(one, kind)) for kind in (Line, Button))
    mention, status = (*where_else, intent.place.channel_id), _next_step(decision, where_else, set())
    await reply(ctx, intent, title, status=status, lines=lines, buttons=(*buttons, *links), mention=mention)
    return True


def _denial(title: str, decision: Denied, channel_id: str) -> str:
    """The sentence: what can't be done, and where."""
    here = "in this direct message" if channel_id.startswith("D") else f"in <#{channel_id}>" if channel_id else "here"
    if decision.code in UNNAMED_PLACES:
        return f"Denied: I don't run commands {here}."
    if decision.rule == BUILT_IN_RULE and (can_not := _CAN_NOT.match(decision.reason)):
        return f"Denied: {can_not[1][:1].lower()}{can_not[1][1:]}."
    what = title if "`" in title else f"`{title}`" if title else "commands"
    return f"Denied: you can't run {what} {here}."


def _next_step(decision: Denied, where_else: Sequence[str], people: set[str]) -> str:
    """The reason unless only no rule allows it, where the person can do it, and who may run a built-in command: `people` too."""
    channels = " or ".join(f"<#{channel}>" for channel in where_else[:MOST_OPENED])
    if decision.code in UNNAMED_PLACES:
        return f"Use {channels}." if channels else "Ask an administrator of Signalbox in which channel you can use it."
    only_no_rule = decision.reason.startswith(f"{NO_RULE_ALLOWS};")  # other parameters may be allowed: that is said
    can = f"You can run it in {channels}" if channels else ""
    who = (
        ", ".join(cards.principal(word, people) for word in decision.who_can) if decision.rule == BUILT_IN_RULE else ""
    )
    reason = "" if only_no_rule else decision.reason
    if decision.rule == BUILT_IN_RULE:
        reason = _CAN_NOT.sub("", reason)  # the title has it
    said = cards.rules_named(capitalized(reason))
    return sentences(said, can, f"Ask {who}" if who else "") or "No rule allows it."


def _why_denied(ctx: Context, intent: Intent, decision: Denied, command: str, people: set[str]) -> tuple[Fact, ...]:
    """What explains the denial to a person who wants to know more. Adds the people it names to `people`."""
    # People exempt from a freeze may still lack a rule that allows it.
    who = "Exempt from the freeze" if decision.code == "freeze" else "Who may do it here"
    facts = (
        (who, ", ".join(cards.principal(word, people) for word in decision.who_can)),
        ("Who approves it", ", ".join(cards.principal(word, people) for word in decision.rule_approvers)),
        ("Reason", cards.rules_named(capitalized(decision.reason))),
        ("Rule", cards.rules_named(decision.rule)),
        ("Request", intent.request_id),
        ("Every rule", f"`{ctx.command} why {command}`" if command else ""),
    )
    return facts_of(facts)


async def _open_button(ctx: Context, channel_id: str) -> Button:
    """A link to a channel of which the person is a member."""
    reach = await ctx.directory.reach(channel_id)
    label = f"Open #{reach.name}" if reach.known and reach.name else "Open the channel"
    return Button(label=label, action="open", id="", url=slack_url(ctx.workspace_url, channel_id))


async def joined(ctx: Context, intent: Intent, channels: Sequence[str]) -> list[str]:
    """Those of the channels that the person is a member of. The existence of a private channel is not revealed to others."""
    found = await all_of(ctx.directory.is_member(one, intent.actor.user_id, max_age=CACHED) for one in channels)
    return [channel for channel, joined in zip(channels, found, strict=True) if joined]
