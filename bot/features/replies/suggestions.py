"""What a text may mean: the target that it names, or the commands for words that are not a command."""

import asyncio
import re
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from bot.core.audit import Event
from bot.core.command.builtins import Takes
from bot.core.command.capability import Risk
from bot.core.command.catalog import Catalog
from bot.core.command.ends import length_before
from bot.core.command.flags import without_dashes
from bot.core.command.lexer import DOUBLE, REASON, unescape
from bot.core.command.offers import Surroundings
from bot.core.command.params import BadParam, Param, ParamType
from bot.core.command.parser import NOT_HERE, format_command, parse, parse_target
from bot.core.command.ranking import MOST, Known, parts_of
from bot.core.command.rewording import ME
from bot.core.command.suggest import certain_read, meant
from bot.core.command.suggest import suggest as suggest_commands
from bot.core.command.target_ref import PICKS, TargetRef, plain
from bot.core.command.untargeted import STARTING, asked_of_it
from bot.core.errors import NoSuchTarget, Problem
from bot.core.intent import Actor, Command, Intent, Payload, Place
from bot.core.operation import Target
from bot.core.outcome import Phase, RunView
from bot.core.policy.decide import Denied
from bot.core.policy.rights import why_not_full
from bot.core.policy.visibility import Visibility
from bot.core.records import NAME_KEY, Filters
from bot.core.text import person_in
from bot.features.known_targets import WITHIN, known_targets, used_here
from bot.features.replies.thread_of_pause import meant_of_pause
from bot.operations.authorize import catalog_of, foresee, read_situation, rules_and_person, usable, visibility_of
from bot.operations.cards import written
from bot.operations.next_steps import again
from bot.runtime.context import Context

_TOKEN: Final = re.compile(rf"(?:[{''.join(DOUBLE)}][^{''.join(DOUBLE)}]*[{''.join(DOUBLE)}]|\S)+")
_ID: Final = 12  # characters of an id that nothing else in a link is
_LIKE_ID: Final = re.compile(rf"(?=\D*\d)[\w-]{{{_ID},}}")
_LINK: Final = re.compile(r"<?https?://[^\s|<>]+(?:\|[^<>]*)?>?")
_ID_ENDS: Final = re.compile(r"[/?&=#<>|]")
_AGAIN: Final = re.compile(
    r"(?i)\b(?:again|once more|one more time|over|re-?run|repeat|redo|retry|nochmal)\b(?!.*fail)"
)
_NO_INPUTS: Final = re.compile(r"(?i)\b(?:no|without(?: (?:any|the|its))?) (?:inputs?|param(?:eter)?s?)\b|\bdefaults\b")
_RUN_IT: Final = re.compile(r"(?i)\b(?:run|(?:re-?)?start) (?:it|this|that)\b")  # with an input, the others stay
_REFERS: Final = re.compile(r"(?i)\b(?:it|this|that)\b")
_WHICH: Final = re.compile(
    r"(?i)@|\b(?:last|latest|newe(?:st|r)|recent|previous|other|running|failed|first|old(?:er|est)?)\b"
)
_ENDING: Final = frozenset({"close", "end", "stop", "off", "over", "done", "cancel", "revoke", "review"})
_FOR_SOMEBODY: Final = re.compile(r"(grant |why as=|audit user=)@([\w.-]+)")
_AROUND: Final = ".,;!?()[]{}<>…'`*_~"


async def _known(ctx: Context, actor: Actor, place: Place) -> Sequence[Target]:
    """The known targets of all backends that this person may see."""
    found = await known_targets(ctx, await visibility_of(ctx, actor, place), within=WITHIN)
    return [known.target for known in found.targets]


def as_target(typed: str, catalog: Catalog, visible: Visibility) -> str | None:
    """The typed text as a target, quoted where necessary; None when it is not a target, or on a hidden backend."""
    text = typed.strip()
    ref = parse_target(text, catalog)
    backend, colon, path = text.partition(":")
    if isinstance(ref, str) and colon and backend in catalog.backends and not DOUBLE & set(path):
        ref = parse_target(str(TargetRef(backend=backend, path=path.strip())), catalog)
    if isinstance(ref, str) or (not ref.path and catalog.backends[ref.backend].default_target.example):
        return None
    if not visible.backend(ref.backend):
        return None
    return str(ref)


async def named_in(ctx: Context, actor: Actor, place: Place, text: str) -> str | None:
    """The first target in the text: a full target, otherwise a remembered name, otherwise a backend; None without any."""
    remembers, seen = await _known(ctx, actor, place), await visibility_of(ctx, actor, place)
    whole = {plain(written(target)): target for target in remembers}
    words = [word for each in _TOKEN.findall(unescape(text)) for word in _taken(each, whole)]
    for word in words:
        if word in whole:
            return written(whole[word])
        if ":" in word and (target := as_target(word, ctx.catalog, seen)) is not None:
            return target
    known = {target.name.lower(): target for target in remembers}
    names = (word.lower().rstrip(":") for word in words if "/" in word)
    remembered = next((known[name] for name in names if name in known), None)
    if remembered is not None:
        return written(remembered)
    visible_backends = [name for name in ctx.catalog.backends if seen.backend(name)]
    return next((f"{word.rstrip(':')}:" for word in words if word.rstrip(":") in visible_backends), None)


def _taken(token: str, whole: Container[str]) -> Sequence[str]:
    """The words of a token, without what ends a sentence or encloses it. A remembered name is one word, in quotes or not; the
    colon of a backend alone stays."""
    if (bare := plain(token.strip(f"{_AROUND}:"))) in whole:
        return [bare]
    words = (word.strip(_AROUND) for word in "".join(char for char in token if char not in DOUBLE).split())
    return [word.rstrip(f"{_AROUND}:") if ":" in word.rstrip(":") else word for word in words]


async def _of_thread(ctx: Context, place: Place) -> tuple[str, bool]:
    """The target of the card in whose thread this is, as it is written, or an empty text; of a run, what it is a run of, and
    that it is one."""
    about = await ctx.store.thread_target(place.channel_id, place.thread_ts) if place.thread_ts is not None else None
    if about is None or about.parent is None:
        return (written(about) if about is not None else ""), False
    return str(TargetRef(backend=about.backend, path=about.owner)), True


async def _once_more(ctx: Context, place: Place) -> tuple[Command | None, bool]:
    """The command whose run this thread is about, and whether it is what `run it again` means: a retry is for what failed."""
    run = await ctx.store.thread_target(place.channel_id, place.thread_ts) if place.thread_ts is not None else None
    maker = await ctx.store.maker_of(run.backend, run.id) if run is not None else None
    request = await ctx.store.request(maker) if maker is not None else None
    operation = request.operation if request is not None else None
    if run is None or operation is None or not again(operation, RunView(phase=Phase.SUCCEEDED, state=""), run):
        return None, False
    same = Command(verb=operation.verb, target=written(operation.target), params=operation.words)
    ended = await ctx.store.search(Filters(request_id=maker, event=Event.ENDED), limit=1)
    return same, not ended or ended[0].code == "succeeded"


def _changed(same: Command, found: Sequence[str], catalog: Catalog) -> str:
    """The same command with the parameters and the reason that the words state; empty if it doesn't take them."""
    first, *others = [one for one in (parse(text, catalog) for text in found) if isinstance(one, Command)]
    alike = (one for one in (first, *others) if (one.verb, one.target) == (same.verb, same.target))
    own = next(alike, None)
    if own is None and first.params:
        return ""
    said = own.params if own is not None else ()
    names = {name for name, _ in said}
    kept = (pair for pair in same.params if pair[0] not in names)
    return format_command(same.model_copy(update={"params": (*kept, *said), "reason": first.reason}))


async def _with_mention(ctx: Context, actor: Actor, command: str) -> str:
    """The command with a mention for the name of a person, if the bot has seen exactly one of that name, who is a full member,
    or for who asks; otherwise its help."""
    if (found := _FOR_SOMEBODY.match(command)) is None or person_in(found[2]):
        return command
    kept = await ctx.store.values(NAME_KEY)
    people = ((user, map(str, names)) for user, names in kept.items() if user[0] in "UW" and isinstance(names, list))
    name = found[2].casefold()
    if name == ME[1:]:
        return f"{found[1]}<@{actor.user_id}>{command[found.end() :]}"
    ids = [user for user, names in people if any(name in (one, *one.split()[:1]) for one in map(str.casefold, names))]
    if len(ids) == 1:
        _, subject = await rules_and_person(ctx, Actor(user_id=ids[0], team_id=ctx.home_team))
        if why_not_full(subject, ctx.home_team) is None:
            return f"{found[1]}<@{ids[0]}>{command[found.end() :]}"
    return f"help {found[1].split()[0]}"


async def commands_meant(ctx: Context, actor: Actor, place: Place, text: str) -> Sequence[str]:
    """Commands that the text may mean, best first, of those that this person may use and see here. In the thread of a run they
    are about that run, not about a newer one, unless the text says which. A change of the newest run needs its target's name."""
    if of_pause := await meant_of_pause(ctx, place, text):
        return of_pause
    found = [await _with_mention(ctx, actor, one) for one in await _meant(ctx, actor, place, text)]
    about, of_run = await _of_thread(ctx, place)
    run = await ctx.store.thread_target(place.channel_id, place.thread_ts) if of_run and place.thread_ts else None
    owner = run.owner.rpartition("/")[2].casefold() if run is not None else ""  # `stop it`, not `stop load_orders`
    if run is not None and (owner not in text.casefold() or _REFERS.search(text)):
        found = [one for one in found if not _is_of_the_newest(ctx.catalog, one, run)] or ["status"]
    if run is None or _WHICH.search(text):
        return found

    selected = {f"{about}@{one}" for one in PICKS}

    def of_it(offer: str) -> str:
        command = parse(offer, ctx.catalog)
        its = isinstance(command, Command) and command.verb != "status" and owner not in text.casefold()
        if not isinstance(command, Command) or command.target not in selected | {about if its else ""}:
            return offer
        has_verb = ctx.catalog.capability(run.backend, command.verb, run.kind) is not None
        return format_command(command.model_copy(update={"target": None})) if has_verb else offer

    return tuple(dict.fromkeys(map(of_it, found)))


def _is_of_the_newest(catalog: Catalog, offer: str, run: Target) -> bool:
    """Whether a command changes the newest run of its target, which this run may not be."""
    command = parse(offer, catalog)
    if not isinstance(command, Command) or catalog.capability(run.backend, command.verb, run.kind) is not None:
        return False
    return any(row.newest_run for _, row in catalog.capabilities(command.verb, run.backend))


async def _meant(ctx: Context, actor: Actor, place: Place, text: str) -> Sequence[str]:
    visible = await visibility_of(ctx, actor, place)
    if visible.patterns == ():
        return ()
    allowed = {(backend, capability.verb) for backend, capability in await usable(ctx, actor, place)}
    used, known = await used_here(ctx, place, visible), await _known(ctx, actor, place)
    (about, of_run), (same, once_more) = await _of_thread(ctx, place), await _once_more(ctx, place)
    asked = asked_of_it(text) if about else []
    if asked and of_run:
        plane = about.partition(":")[0]
        return [verb for verb in asked if ctx.catalog.builtin(verb) or (plane, verb) in allowed]
    now = await read_situation(ctx, actor, place)
    by_text = {written(target): target for target in known}
    able = (verb for verb in asked if ctx.catalog.capabilities(verb, about.partition(":")[0]))
    text = f"{next(able, asked[0])} {about}" if asked else text

    def may(verb: str, text: str) -> bool:
        target = by_text.get(text)
        capability = ctx.catalog.capability(target.backend, verb, target.kind) if target is not None else None
        if target is not None and capability is not None and isinstance(foresee(ctx, now, capability, target), Denied):
            return False
        return (text.partition(":")[0], verb) in allowed or not text

    text = _without_links(text, known)
    given = {same.target or "": [name for name, _ in same.params]} if same else {}
    same = same.model_copy(update={"params": ()}) if same and _NO_INPUTS.search(text) else same
    around = Surroundings(
        targets=[*_by_name(known), *_whole_backends(ctx.catalog, visible)],
        recent=(*([about] if about else []), *used.targets),
        about=about,
        parameters={**used.targets, **given},
        may=may,
    )
    catalog = await catalog_of(ctx, actor, place)
    found = suggest_commands(text, catalog, around)
    if found == ("help",) and about in by_text:  # `run it again with region south`
        inputs = {about: (*around.parameters.get(about, ()), *await _parameter_names(ctx, by_text[about]))}
        found = suggest_commands(text, catalog, replace(around, parameters={**around.parameters, **inputs}))
    first = parse(found[0], catalog)
    if (
        about in by_text and isinstance(first, Command) and _lists_all(first, about, text)
    ):  # that of the thread before all
        found = (f"status {about}", *found)[:MOST]
        first = parse(found[0], catalog)
    looks = len(found) > 1 and isinstance(first, Command) and first.verb == "status"  # `run it again in 2 hours`
    kept, offers = (found[:1], found[1:]) if looks else ((), found)
    command = parse(offers[0], catalog)
    rerun = isinstance(command, Command) and command.verb in STARTING
    on_it = isinstance(command, Command) and command.target in (about, f"{about}@failed", f"{about}@last")
    with_more = isinstance(command, Command) and bool(command.params)
    anew = (_AGAIN.search(text) and (once_more or with_more)) or (_RUN_IT.search(text) and with_more)
    if same and rerun and on_it and anew and (changed := _changed(same, offers, catalog)):
        return tuple(dict.fromkeys((*kept, changed, *offers)))[:MOST]
    command = first
    target = by_text.get(command.target or "") if isinstance(command, Command) else None
    if target is None or not isinstance(command, Command):
        return found
    capability = ctx.catalog.capability(target.backend, command.verb, target.kind)
    if capability is None or not any(param.type is ParamType.MAP for param in capability.params):
        return found
    names = {written(target): (*used.targets.get(written(target), ()), *await _parameter_names(ctx, target))}
    return suggest_commands(text, catalog, replace(around, parameters={**used.targets, **names}))


def _lists_all(command: Command, about: str, text: str) -> bool:
    """Whether a command lists everything of the target's control plane, and the text has neither its verb nor its name."""
    plane = about.partition(":")[0]
    return command.target == f"{plane}:" != about and {command.verb, plane}.isdisjoint(parts_of(text))


async def for_runs(ctx: Context, place: Place, verb: str) -> list[str]:
    """The command for each run in progress here, the newest first: what "stop everything" can mean. None for a verb that starts
    one: `retry everything` is not about these."""
    here = [watch.target for watch in await ctx.store.open_watches() if watch.channel_id == place.channel_id]
    able = () if verb in STARTING else reversed(here)
    fit = (target for target in able if ctx.catalog.capability(target.backend, verb, target.kind) is not None)
    return list(dict.fromkeys(f"{verb} {written(target)}" for target in fit))[:MOST]


async def with_its_thread(ctx: Context, intent: Intent, error: Problem) -> tuple[Intent, str]:
    """The request and its text, with the target that a command without one got from its thread."""
    ask = intent.payload
    if not isinstance(ask, Command) or ask.target or error.code == "target_missing":
        return intent, intent.typed
    about, _ = await _of_thread(ctx, intent.place) if ctx.catalog.capabilities(ask.verb) else ("", False)
    if not about:
        return intent, intent.typed
    ask = ask.model_copy(update={"target": about})
    return intent.model_copy(update={"payload": ask}), format_command(ask)


def with_reason(catalog: Catalog, ask: Payload) -> list[str]:
    """A built-in command with its surplus words as the reason: `revoke g-7K2M -- over` for `revoke g-7K2M over`. To end or
    review break-glass is not to begin it, and other words name no grant: the lists have the buttons."""
    if isinstance(ask, Command) and ask.verb == "breakglass" and not _ENDING.isdisjoint(ask.words):
        return ["grants", "approvals"]
    which = "".join(ask.words[:1]).strip("`") if isinstance(ask, Command) and ask.verb == "revoke" else ""
    if which and not which.lower().startswith("g-") and person_in(which) is None:
        return ["grants"]  # `revoke Rui's access to labs/slow`, `revoke start acc:labs/slow from @rui`
    if isinstance(ask, Command) and catalog.builtin(ask.verb) and (meant := without_dashes(ask, catalog)) != ask:
        return with_reason(catalog, meant) or [format_command(meant)]  # `breakglass --for 5m outage`
    builtin = catalog.builtin(ask.verb) if isinstance(ask, Command) and not ask.reason else None
    if not isinstance(ask, Command) or builtin is None or builtin.risk is Risk.READ:
        return []
    most = len(ask.words) if builtin.takes is Takes.WORDS and builtin.most_words is None else builtin.most_words or 0
    kept, surplus = ask.words[:most], " ".join(ask.words[most:])
    if any(param.name == "for" for param in builtin.params):
        if (read := length_before(surplus)) is None:
            return []  # `breakglass until 22:30`: another end than was typed
        lasting, surplus = read
        ask = ask.model_copy(update={"params": (*ask.params, *([("for", lasting)] if lasting else []))})
    offer = ask.model_copy(update={"words": kept, "reason": surplus})
    return [format_command(offer)] if surplus and _can_be_read(ask, builtin.params) else []


def _can_be_read(ask: Command, params: Sequence[Param]) -> bool:
    """Whether each parameter takes the value that it is given, once."""
    with suppress(BadParam):
        for param in (one for one in params if one.name in dict(ask.params)):
            param.check([word for name, word in ask.params if name == param.name])
        return True
    return False


def with_another_target(ask: Payload, error: Problem) -> list[str]:
    """The grant for each target that may have been meant."""
    if not isinstance(ask, Command) or ask.verb != "grant" or not isinstance(error, NoSuchTarget):
        return []
    return [format_command(ask.model_copy(update={"words": (*ask.words[:-1], one)})) for one in error.nearest]


def repeats(catalog: Catalog, text: str, refused: Payload, code: str) -> bool:
    """Whether a suggestion is only help, what was refused just now, or on the target that does not exist."""
    if text == "help" or not isinstance(refused, Command):
        return text == "help"
    read = parse(text, catalog)
    gone = isinstance(read, Command) and code == "no_such_target" and read.target == refused.target
    return gone or text == format_command(refused)


async def _parameter_names(ctx: Context, target: Target) -> Sequence[str]:
    """What the backend knows of the target's parameters; empty when it does not answer in time."""
    try:
        async with asyncio.timeout(WITHIN):
            return await ctx.backends[target.backend].parameter_names(target)
    except (TimeoutError, Problem):
        return ()


async def read_meant(ctx: Context, actor: Actor, place: Place, text: str) -> Command | None:
    """The read-only command that the text names without doubt, or one that the control plane can't do, which is then said; among
    the targets that this person may see, and that of the thread. Otherwise None."""
    targets, (about, _) = await _known(ctx, actor, place), await _of_thread(ctx, place)
    known, text = [*_by_name(targets)], _without_links(text, targets)
    around = Surroundings(known, recent=(about,) if about else (), about=about)
    found = certain_read(text, ctx.catalog, known) or meant(text, ctx.catalog, around).cannot
    command = parse(found, ctx.catalog) if found else None
    return command if isinstance(command, Command) else None


def _without_links(text: str, known: Sequence[Target]) -> str:
    """The text with the target in place of each link that has its id, as the links to a vendor's console do. Where another id
    follows, as that of a run after its agent, that is meant. A reason stays."""
    ids = {target.id: written(target) for target in known if len(target.id) >= _ID}

    def named(link: re.Match[str]) -> str:
        parts = _ID_ENDS.split(link[0])
        last = next((part for part in reversed(parts) if part in ids or _LIKE_ID.fullmatch(part)), "")
        return ids.get(last, last) if any(part in ids for part in parts) else link[0]

    reason = REASON.search(text)
    end = reason.start() if reason else len(text)
    return _LINK.sub(named, text[:end]) + text[end:]


def _by_name(targets: Sequence[Target]) -> Iterator[Known]:
    return (Known(one.backend, one.kind, one.name, written(one)) for one in targets)


def _whole_backends(catalog: Catalog, visible: Visibility) -> Iterator[Known]:
    """Backends that are targets themselves, like a Resilio agent."""
    for name, spec in catalog.backends.items():
        if not spec.default_target.example and visible.backend(name):
            yield Known(name, spec.default_target.name, "", f"{name}:")


async def said_instead(ctx: Context, intent: Intent, text: str, problem: str, offered: Sequence[str]) -> str | None:
    """What to say above the offered commands instead of the problem: nothing for words of a sentence rather than of a command,
    where it helps nobody to name the one that doesn't fit. None: the problem."""
    verbs = [ctx.catalog.canonical_verb(one.split())[0] or "" for one in offered]
    if verbs[:1] == ["grant"] or (verbs[:1] == ["status"] and any(ctx.catalog.changes(verb) for verb in verbs)):
        known = [*_by_name(await _known(ctx, intent.actor, intent.place))]
        about, _ = await _of_thread(ctx, intent.place)
        read = (parse(one, ctx.catalog) for one in offered)
        inputs = {about: [name for one in read if isinstance(one, Command) for name, _ in one.params]}
        if meant(text, ctx.catalog, Surroundings(known, about=about, parameters=inputs)).later:
            what = "A grant begins" if verbs[0] == "grant" else "A command runs"
            return f"{what} as soon as you send it, not at a later time."
    if [*offered] in (["help grant"], ["help why"], ["help audit"]) and "<@" not in text:
        return "I can't tell which person you mean. Mention them with `@`."
    words = sum("=" not in word for word in text.partition("--")[0].split())
    said = words > 3 or text.rstrip().endswith("?")
    unread = ("` is not a verb.", "` is not a target.", NOT_HERE)
    return "" if offered and said and any(one in problem for one in unread) else None
