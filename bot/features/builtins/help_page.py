"""`help`: a few commands for this person in this channel as buttons, and everything that the rules let them do here."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from bot.core.card import Button, Line
from bot.core.command.builtins import BUILTINS, EXAMPLE_BACKENDS
from bot.core.command.capability import Capability, Risk
from bot.core.command.params import Param, ParamType, as_typed
from bot.core.command.parser import not_here
from bot.core.command.wording import near_verbs
from bot.core.errors import BadRequest
from bot.core.intent import Command, Intent, Source
from bot.core.policy.decide import why_not_administrator, why_not_breakglass
from bot.core.policy.rights import why_not_full
from bot.features.builtins.inventory import concerns, waits_here
from bot.features.forms.fields import default_text, range_text
from bot.features.known_targets import PICKS, likely_commands
from bot.features.replies.answer import LONGEST_BUTTON, command_button, reply
from bot.features.replies.refusal import lead_elsewhere, offered
from bot.features.replies.suggestions import commands_meant
from bot.operations.authorize import catalog_of, not_admitted, rules_and_person, usable, visibility_of
from bot.runtime.context import Context

_RISKS: Final = {Risk.READ: "Read", Risk.CHANGE: "Change", Risk.DANGER: "Danger, asks you first"}
MOST_COMMANDS: Final = 5
_EVERYTHING: Final = "all"
_FIRST: Final = ("find", "targets", "why")  # what a newcomer needs first


async def help_(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`help`, `help all`, `help acc`, `help VERB`."""
    usable_here = await usable(ctx, intent.actor, intent.place)
    if not ask.words or ask.words == ("me",):
        await help_for(ctx, intent, usable_here)
        return
    if ask.words == (_EVERYTHING,):
        await _everything(ctx, intent, usable_here)
        return
    verb, taken = ctx.catalog.canonical_verb(ask.words)
    name = ask.words[0].removesuffix(":")
    seen = await _seen(ctx, intent)
    if verb is None and name in seen:
        verb, taken = None, 1
    if taken and len(ask.words) > taken:
        extra = " ".join(ask.words[taken:])[:80]
        hint = f"Type `{ctx.command} help {' '.join(ask.words[:taken])}`, or `{ctx.command} help all`."
        raise BadRequest(f"`help` takes one verb or one backend, not {as_typed(extra)} as well.", hint, "bad_parameter")
    if verb is None and taken:
        await _plane(ctx, intent, name, [one for backend, one in usable_here if backend == name])
    else:
        await _one(ctx, intent, verb or " ".join(ask.words), usable_here)


async def _seen(ctx: Context, intent: Intent) -> list[str]:
    """The backends that this person may see, by name."""
    visible = await visibility_of(ctx, intent.actor, intent.place)
    return [name for name in sorted(ctx.catalog.backends) if visible.backend(name)]


async def help_for(ctx: Context, intent: Intent, usable_here: Sequence[tuple[str, Capability]]) -> None:
    """A few commands on real targets as buttons, and *More*: it fits on a phone. A terminal, without buttons, gets everything."""
    if not usable_here or intent.source is Source.TERMINAL:
        await _everything(ctx, intent, usable_here)
        return
    commands = await likely_commands(ctx, intent.actor, intent.place, MOST_COMMANDS)
    buttons = [
        command_button(ctx, intent, one.text, confirm=f"Run `{one.text}` now?" if one.at_once else None)
        for one in commands
        if len(one.text) <= LONGEST_BUTTON
    ]
    buttons = [*await _waiting(ctx, intent), *buttons, command_button(ctx, intent, f"help {_EVERYTHING}", label="More")]
    typed = commands[0].text if commands else _example(ctx, usable_here[0][1], usable_here[0][0])
    lines = (
        Line(text=f"Press a command, or type it: `{ctx.command} {typed}`. Write a reason after `--`."),
        Line(text=f"`{ctx.command}` alone opens a form. `{ctx.command} find NAME` finds a target."),
    )
    await reply(ctx, intent, "What you can do here", lines=lines, buttons=tuple(buttons))


async def _waiting(ctx: Context, intent: Intent) -> tuple[Button, ...]:
    """In a direct message, the way to what waits for the person."""
    waits = intent.place.channel_id.startswith("D") and await waits_here(ctx, intent)
    return (command_button(ctx, intent, "approvals"),) if waits else ()


async def _everything(ctx: Context, intent: Intent, usable_here: Sequence[tuple[str, Capability]]) -> None:
    """The verbs by backend, then the built-in commands."""
    nowhere = await not_admitted(ctx, intent) if not usable_here else None
    if nowhere is not None:
        waits = await concerns(ctx, intent, Command(verb="approvals"), nowhere)
        waiting = (Line(text=f"`{ctx.command} approvals` shows what waits for approval."),) if waits else ()
        if await lead_elsewhere(ctx, intent, nowhere, *waiting, *await _waiting(ctx, intent)):
            return
    names = sorted({name for name, _ in usable_here})
    lines = [
        Line(
            heading=_heading(ctx, name),
            text=_overview(ctx, name, [one for backend, one in usable_here if backend == name]),
        )
        for name in names
    ]
    lines += _of_all_runs(ctx, intent, usable_here)
    lines += await _answered_here(ctx, intent)
    if usable_here:
        first, verb = f"`{ctx.command} help {names[0]}`", f"`{ctx.command} help {usable_here[0][1].verb}`"
        lines.append(
            Line(text=f"{first} shows its commands, {verb} the parameters of a verb. Write a reason after `--`.")
        )
    else:
        nothing = "No rule of this channel lets you do anything on a backend."
        lines.insert(0, Line(text=f"{nothing} `{ctx.command} whoami` says why."))
    title = "Everything you can do here" if usable_here else "What you can do here"
    await reply(ctx, intent, title, lines=tuple(lines))


def _of_all_runs(ctx: Context, intent: Intent, usable_here: Sequence[tuple[str, Capability]]) -> list[Line]:
    """The line about `stop everything`, for a person who may stop something here. A terminal has no button that confirms it."""
    if intent.source is Source.TERMINAL or all(one.verb != "stop" for _, one in usable_here):
        return []
    what = "lists the runs in progress that were started in this channel, and stops them when you confirm."
    return [Line(text=f"`{ctx.command} stop everything` {what}")]


def _heading(ctx: Context, name: str) -> str:
    return f"{name} ({ctx.catalog.backends[name].title})"


def _overview(ctx: Context, name: str, here: Sequence[Capability]) -> str:
    """The verbs on a line for each risk, and one command as it is typed: one that does something if there is one."""
    found = [(words, [one for one in here if one.risk is risk]) for risk, words in _RISKS.items()]
    verbs = [
        f"{words}: {', '.join(f'`{verb}`' for verb in dict.fromkeys(one.verb for one in of))}"
        for words, of in found
        if of
    ]
    typical = next((one for one in here if one.risk is Risk.CHANGE), here[0])
    return "\n".join([*verbs, f"For example `{ctx.command} {_example(ctx, typical, name)}`"])


async def _plane(ctx: Context, intent: Intent, name: str, here: Sequence[Capability]) -> None:
    """Each command of one control plane, by risk."""
    lines = []
    for risk, words in _RISKS.items():
        commands_here = [f"`{ctx.command} {_example(ctx, one, name)}` {one.help}" for one in here if one.risk is risk]
        if commands_here:
            lines.append(Line(heading=words, text="\n".join(dict.fromkeys(commands_here))))
    if not lines:
        lines = [Line(text=f"No rule of this channel lets you do anything there. `{ctx.command} whoami` says why.")]
    title = f"What you can do here on {_heading(ctx, name)}"
    await reply(ctx, intent, title, lines=tuple(lines))


async def _answered_here(ctx: Context, intent: Intent) -> list[Line]:
    """The built-in commands: those for everyone in this channel, and those for this person only."""
    if await not_admitted(ctx, intent) is not None:
        return []
    policy, subject = await rules_and_person(ctx, intent.actor)
    verbs = set()
    if why_not_administrator(policy, subject, ctx.home_team) is None:
        verbs |= {builtin.verb for builtin in BUILTINS if builtin.needs == "administrators"}
    else:
        verbs |= {"grant"} if why_not_full(subject, ctx.home_team) is None else set()
        verbs |= {"revoke"} if await _has_grants(ctx, intent.actor.user_id) else set()
    if why_not_breakglass(policy, subject, ctx.home_team) is None:
        verbs |= {builtin.verb for builtin in BUILTINS if builtin.needs == "breakglass"}
    everybody = ", ".join(f"`{builtin.verb}`" for builtin in BUILTINS if builtin.needs is None)
    seen = await _seen(ctx, intent)
    first = [_on_hand(ctx, seen, ctx.catalog.builtins[verb].example) for verb in _FIRST]
    examples = ", ".join(f"`{ctx.command} {example}`" for example in first)
    own = [builtin for builtin in BUILTINS if builtin.verb in verbs]
    text = "\n".join(f"`{ctx.command} {_on_hand(ctx, seen, builtin.example)}` {builtin.help}" for builtin in own)
    found = [Line(heading="For everyone here", text=f"{everybody}\nFor example {examples}")]
    return [*found, Line(heading="You can also", text=text)] if own else found


async def _has_grants(ctx: Context, user_id: str) -> bool:
    """Whether the person holds or gave a grant, and may therefore end it."""
    grants = await ctx.store.open_grants(ctx.clock.now())
    return any(user_id in (grant.user_id, *grant.granted_by.split(", ")) for grant in grants)


def _example(ctx: Context, capability: Capability, backend: str) -> str:
    """The capability's example on this backend's own name; a run is picked by the name of what it belongs to, not by its id."""
    words, spec = capability.example.split(" "), ctx.catalog.backends[backend]
    run = next(
        (kind.name for kind in spec.targets if kind.selected), None
    )  # of several kinds, the one that is picked first
    whose = spec.default_target.example if capability.target == run and spec.default_target.selects else ""
    for index, word in enumerate(words):
        head, colon, rest = word.partition(":")
        if colon and head.isalnum() and index > 0:
            words[index] = f"{backend}:{whose}@{PICKS.get(capability.verb, 'last')}" if whose else f"{backend}:{rest}"
            break
    return " ".join(words)


def _on_hand(ctx: Context, seen: Sequence[str], example: str) -> str:
    """An example of a built-in verb with the first of these backends."""
    if not seen:
        return example
    name, spec = seen[0], ctx.catalog.backends[seen[0]]
    words = example.split(" ")
    for index, word in enumerate(words):
        head, colon, _ = word.partition(":")
        if head in EXAMPLE_BACKENDS and head not in seen:
            words[index] = f"{name}:{spec.default_target.example}" if colon else name
    return " ".join(words)


async def _one(ctx: Context, intent: Intent, verb: str, usable_here: Sequence[tuple[str, Capability]]) -> None:
    mine = [(name, one) for name, one in usable_here if one.verb == verb]
    builtin = ctx.catalog.builtin(verb)
    lines = [Line(heading=f"{name}: {one.verb} on {one.target}", text=_explained(ctx, name, one)) for name, one in mine]
    if builtin is not None:
        example = _on_hand(ctx, await _seen(ctx, intent), builtin.example)
        params = (param_line(param) for param in builtin.params)
        lines.append(Line(text="\n".join([builtin.help, f"`{ctx.command} {example}`", *params])))
    lines += _of_all_runs(ctx, intent, mine)
    buttons: list[Button] = []
    if any(one.resumes is not None for _, one in mine):
        others = _pausing(usable_here, {name for name, _ in mine})
        told = [f"On {', '.join(names)}, `{other}` pauses {what}." for (other, what), names in others.items()]
        lines += [Line(text=" ".join(told))] if told else []
        buttons += [command_button(ctx, intent, f"help {other}") for other in dict.fromkeys(verb for verb, _ in others)]
    catalog = await catalog_of(ctx, intent.actor, intent.place)
    if not lines and verb in catalog.verbs:
        lines.append(Line(text=f"No rule here lets you use `{verb}`. `{ctx.command} why {verb} ...` shows the rules."))
    elif not lines:
        unknown = not_here(verb.partition(" ")[0], catalog) or f"{as_typed(verb, 80)} is not a verb or a backend."
        lines.append(Line(text=f"{unknown} `{ctx.command} help all` lists the commands."))
        meant = await offered(ctx, intent, await commands_meant(ctx, intent.actor, intent.place, verb))
        fit = (text for text in meant if text != "help" and len(text) <= LONGEST_BUTTON)
        buttons += [command_button(ctx, intent, text) for text in fit]
    if not mine and builtin is None:
        near = [one for one in near_verbs(verb, ctx.catalog) if one in {own.verb for _, own in usable_here}]
        buttons[:0] = [command_button(ctx, intent, f"help {one}") for one in near]
    await reply(ctx, intent, f"help {verb[:80]}", lines=tuple(lines), buttons=tuple(buttons))


def _pausing(
    usable_here: Sequence[tuple[str, Capability]], without: Collection[str]
) -> dict[tuple[str, str], list[str]]:
    """Other backends by the verb that pauses something there and by what it pauses, such as `schedules`."""
    kinds: dict[tuple[str, str], set[str]] = {}
    for name, one in usable_here:
        if one.resumes is not None and name not in without:
            kinds.setdefault((name, one.verb), set()).add(one.target)
    found: dict[tuple[str, str], list[str]] = {}
    for (name, verb), paused in kinds.items():
        what = "schedule" if "schedule" in paused else min(paused)  # of an agent, all its schedules
        found.setdefault((verb, f"{what}s"), []).append(f"`{name}`")
    return found


def _explained(ctx: Context, name: str, capability: Capability) -> str:
    parts = [f"{capability.help} ({capability.risk})", f"`{ctx.command} {_example(ctx, capability, name)}`"]
    parts += [param_line(param) for param in capability.params]
    if capability.reason_required:
        parts.append("A reason is required.")
    return "\n".join(parts)


def param_line(param: Param) -> str:
    """One parameter in one line: how it is written, what it means, what it is when left out."""
    written = {ParamType.MAP: "NAME=" if param.name == "*" else f"{param.name}.NAME="}.get(param.type, f"{param.name}=")
    values = "|".join(param.choices) if param.choices else ""
    limits = f", {text}" if (text := range_text(param)) else ""
    default = f" (default {default_text(param)})" if param.default is not None else ""
    return f"`{written}{values}` {param.help}{limits}{default}"
