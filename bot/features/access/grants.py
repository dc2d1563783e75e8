"""The command `grant`: a grant never exceeds its giver's own rights, is announced, and ends by itself."""

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from bot.core.audit import AuditEntry, Event
from bot.core.card import Line, Tone
from bot.core.command.capability import Capability
from bot.core.command.lexer import Word
from bot.core.command.params import Arguments, as_typed
from bot.core.command.parser import read_target
from bot.core.command.phrases import stated, take_phrases
from bot.core.command.target_ref import TargetRef, plain
from bot.core.command.until import ends_at
from bot.core.errors import BadRequest, NoSuchTarget, Problem
from bot.core.intent import Actor, Command, Intent
from bot.core.policy import grant_scope
from bot.core.policy.decide import Policy, Standing, Subject, standing, why_not_administrator
from bot.core.policy.rights import person_of, why_not_full
from bot.core.policy.schema import AllowRule
from bot.core.policy.visibility import Visibility
from bot.core.records import Grant, PendingDecision, grant_id, stamp
from bot.core.text import capitalized, person_in, seconds_words, utc_text
from bot.features.known_targets import WITHIN, known_targets
from bot.features.replies import grant_card
from bot.features.replies.answer import clean, reply_in_thread
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, rules_and_person, visibility_of
from bot.runtime.context import Context
from bot.runtime.until_stored import sure, until_stored

LONGEST: Final = 24 * 3_600
LONGEST_TARGET: Final = 200
_PARTS: Final = re.compile(r"(?<!/)/(?!/)")  # not in an address
_MENTION_THEM: Final = "Mention them, or write the id from their Slack profile, like U0ANA."
_USAGE: Final = "Write it like `grant @ana start acc:shop/* for=2h -- covering for Lee`, or with `until=18:30`."


class NotPermittedError(Problem):
    """The rules deny a built-in command; the audit log gets `denied`."""

    code = "not_permitted"

    def __init__(self, summary: str, code: str | None = None, who: Sequence[str] = ()) -> None:
        super().__init__(summary, code=code)
        self.who = tuple(who)  # words of the rules for the people who may do it


def needs_reason(ask: Command) -> str:
    """The reason; raises BadRequest without one."""
    if not ask.reason:
        raise BadRequest(f"`{ask.verb}` needs a reason. Write it after `--`.", code="reason_missing")
    return ask.reason


async def grant(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`grant @person VERB TARGET for=2h -- reason`, in this channel; `until=` names the end."""
    person, verb, target = _words(ctx, ask)
    reason, now = needs_reason(ask), ctx.clock.now()
    typed = {name: value for name, value in given.items() if name in dict(ask.params)}
    ends = ends_at(Arguments(params=typed, given={}), intent.at, now, ctx.zone)
    lasts = given["for"] if ends is None else int((ends - now).total_seconds())
    _check_patterns(ctx, verb, target)
    capabilities = grant_scope.capabilities_of(ctx.catalog, verb, target)
    policy, receiver = await _check_granter(ctx, intent, person, capabilities, verb, target, lasts)
    await _check_target(ctx, intent, target)
    made = Grant(
        id=grant_id(intent.request_id),
        user_id=person,
        verbs=(verb,),
        targets=(target,),
        channel_id=intent.place.channel_id,
        granted_by=intent.actor.user_id,
        reason=AuditWriter(ctx.secrets).clean(reason),
        from_at=stamp(now),
        until_at=stamp(ends or now + timedelta(seconds=lasts)),
        request_id=intent.request_id,
    )
    entry = AuditWriter(ctx.secrets).plain(
        Event.GRANTED,
        intent,
        now,
        verb=verb,
        target_name=target,
        reason=reason,
        rule=f"grant {made.id}",
        policy_version=policy.version,
        detail=f"to {person} in {made.channel_id} until {made.until_at}",
    )
    made = await add(ctx, made, entry)
    channel, (kind, words) = intent.place.channel_id, standing(receiver, ctx.home_team)
    above = (
        (grant_scope.denies_above(policy, channel, person, capabilities, target), "denies it", "a deny"),
        (
            grant_scope.asks_above(policy, channel, receiver, capabilities, target, ctx.home_team),
            "demands approval",
            "an approval",
        ),
    )
    where = " and where ".join([f"{cards.rules_named(rule)} {does}" for rule, does, _ in above if rule])
    what = " or ".join([thing for rule, _, thing in above if rule])
    guest = "" if kind is Standing.FULL else f"<@{person}> is {words}, not a full member of this workspace."
    status = f"In force, except where {where}: no grant overrides {what}" if where else ""
    await until_stored(ctx.clock, f"grant {made.id}", partial(grant_card.show, ctx, made, status, guest))
    told = f"The grant of {grant_card.what(made)} for <@{person}> is active until {utc_text(made.until_at)}."
    lines = tuple(Line(text=text) for text in (status, guest) if text)
    await reply_in_thread(ctx, intent, told, tone=Tone.GOOD, lines=lines, mention=(person,))


async def add(
    ctx: Context, made: Grant, entry: AuditEntry, review: PendingDecision | None = None, uses: str | None = None
) -> Grant:
    """Store a grant once, however often its request is repeated, and return it as it is stored. What counts has to be announced,
    so a commit in doubt is looked up. One that `uses` an approval is not stored when that has ended: the caller looks."""
    find = partial(ctx.store.grant_by_id, made.id)
    if (found := await find()) is not None:
        return found
    await sure(ctx.clock, f"grant {made.id}", partial(ctx.store.add_grant, made, (entry,), review, uses), find)
    return made


def _words(ctx: Context, ask: Command) -> tuple[str, str, str]:
    if len(ask.words) < 3:
        raise BadRequest("A grant names a person, a verb and a target.", _USAGE, "bad_parameter")
    ends, _ = take_phrases([word.casefold() for word in ask.words[3:]], ())
    if pair := next(stated(ctx.catalog.params(ask.verb), ends, (), (), ()), ""):
        raise BadRequest(f"The end of a grant is one word: write `{pair}`.", _USAGE, "bad_parameter")
    return needs_person(ask.words[0]), " ".join(ask.words[1:-1]), _of_all_runs(ctx, ask.words[-1])


def _of_all_runs(ctx: Context, target: str) -> str:
    """What a grant for `acc:shop/prices@failed` is about: rules and grants name what runs, never one run of it. The target is a
    word without its quotes."""
    ref = _ref(ctx, target)
    if isinstance(ref, str):  # a pattern, or what the check of patterns refuses
        return target
    if ctx.catalog.split_path(ref.backend, ref.path)[0] in ctx.catalog.backends[ref.backend].selected:
        hint = "Write the agent, task or service that it is a run of."
        raise BadRequest("A grant is not for a single run.", hint, "bad_parameter")
    return target.rpartition("@")[0] if ref.selector else target


def _ref(ctx: Context, target: str) -> TargetRef | str:
    return read_target(Word(target, (False,) * len(target), 0, len(target)), ctx.catalog)


async def _check_target(ctx: Context, intent: Intent, target: str) -> None:
    """Raises NoSuchTarget for a name that no target has, if one has a similar name. Patterns cover what doesn't exist yet, and
    without the list of the control plane nobody can tell."""
    ref = _ref(ctx, target)
    if isinstance(ref, str) or not ref.path or {"*", "?", "["} & {*target}:
        return
    for reread in (False, True):
        if reread:  # it may be new
            await ctx.listings.refresh(ref.backend, within=WITHIN)
        found = await known_targets(ctx, Visibility(patterns=None), within=WITHIN, only=(ref.backend,))
        runs = ctx.catalog.backends[ref.backend].selected
        every = [one for one in found.targets if one.target.kind not in runs]
        names = {
            plain(name)
            for one in every
            for name in (one.text, one.target.scope or "", f"{ref.backend}:{one.target.id}")
        }
        if found.silent or plain(target) in names:
            return
    seen = await visibility_of(ctx, intent.actor, intent.place)
    scopes = (one.target.scope for one in every if one.listed and seen.target(one.target))
    known = {plain(scope): scope for scope in scopes if scope}
    if near := difflib.get_close_matches(plain(target), known, n=3, cutoff=0.8):
        hint = f"A pattern like `{ref.backend}:FOLDER/*` also covers what doesn't exist yet."
        raise NoSuchTarget(f"`{target}` doesn't exist.", hint, tuple(known[one] for one in near))


def needs_person(typed: str) -> str:
    """The id of the person; raises BadRequest without one."""
    if (person := person_in(typed)) is not None:
        return person
    is_group = typed.startswith("<!subteam^")
    no = "A user group is not a person." if is_group else f"I don't know the person {as_typed(typed)}."
    raise BadRequest(no, _MENTION_THEM, "bad_parameter")


def _check_patterns(ctx: Context, verb: str, target: str) -> None:
    """The same patterns as in the rules file, refused in the same words. The card of a grant shows them to everyone. A folder may
    be called `tokens`, and what it holds isn't a secret then."""
    parts = _PARTS.split(target.partition(":")[2] or target)
    if ctx.secrets.hide(target) != target or any(clean(ctx, part) != part for part in parts):
        raise BadRequest("The target looks like a secret, so it isn't kept.", _USAGE, "bad_parameter")
    if len(target) > LONGEST_TARGET:
        raise BadRequest(f"A target of a grant has at most {LONGEST_TARGET} characters.", _USAGE, "bad_parameter")
    try:
        AllowRule.model_validate({"verbs": (verb,), "targets": (target,), "who": ("*",)})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        sentence = str(first.get("ctx", {}).get("error", "the verb or the target cannot be read"))
        raise BadRequest(f"{capitalized(sentence)}.", _USAGE, "bad_parameter") from None


async def _check_granter(
    ctx: Context,
    intent: Intent,
    person: str,
    capabilities: list[tuple[str, Capability]],
    verb: str,
    target: str,
    lasts: int,
) -> tuple[Policy, Subject]:
    """The rules, and the receiver as Slack knows them.

    Raises NotPermittedError for a guest, a grant to oneself, one beyond one's own rights, or one longer than a day, and
    BadRequest for a verb that doesn't exist, of which a guest is not told.
    """
    policy, granter = await rules_and_person(ctx, intent.actor, max_age=FRESH)
    outside = why_not_full(granter, ctx.home_team)
    if outside is not None:
        raise NotPermittedError(f"You can't grant anything: {outside}.", code="not_a_member")
    if not capabilities:
        verbs = {one.verb for _, one in grant_scope.capabilities_of(ctx.catalog, "*", target)}
        near = difflib.get_close_matches(verb, verbs, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else _USAGE
        raise BadRequest(f"No control plane has a verb `{verb}` on `{target}`.", hint, "no_such_verb")
    if person_of(person, policy.accounts) == person_of(intent.actor.user_id, policy.accounts):
        raise NotPermittedError("You can't grant yourself anything. Someone else has to.", code="own_grant")
    receiver = Actor(user_id=person, team_id=ctx.home_team)
    _, subject = await rules_and_person(ctx, receiver, max_age=FRESH)
    kind, words = standing(subject, ctx.home_team)
    if kind is Standing.BARRED or subject.is_bot or subject.team_id != ctx.home_team:
        raise NotPermittedError(f"You can't grant <@{person}> anything: {words}.", code="not_grantable")
    if why_not_administrator(policy, granter, ctx.home_team) is None:
        return policy, subject
    if kind is not Standing.FULL:
        raise NotPermittedError(
            f"Only an administrator can grant <@{person}> something: they are {words}.", code="not_grantable"
        )
    if lasts > LONGEST:
        raise NotPermittedError(f"Only administrators grant for longer than {seconds_words(LONGEST)}.", code="too_long")
    out = grant_scope.out_of_bounds(
        policy, intent.place.channel_id, granter, capabilities, target, now=ctx.clock.now(), home_team_id=ctx.home_team
    )
    if out is not None:
        raise NotPermittedError(f"You can't grant more than you may do yourself: {out}.", code="beyond_own_rights")
    return policy, subject
