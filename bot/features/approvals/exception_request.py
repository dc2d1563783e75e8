"""`Ask for it`: when no rule allows a command, ask the people who could, for once or for half an hour."""

from dataclasses import replace
from typing import Final

from bot.core.approval import ANY_PARAMETERS, Approval
from bot.core.card import Button, FormField, FormView, Line, Tone
from bot.core.command.capability import Capability
from bot.core.effects import Ruling
from bot.core.intent import Command, Form, Intent, Place
from bot.core.masking.redact import is_secret
from bot.core.operation import Operation
from bot.core.policy.compile import Rule
from bot.core.policy.decide import Denied, NeedsApproval, Standing, standing
from bot.core.policy.match import risk_or_verb, target_covered
from bot.core.value import Json
from bot.features.approvals import question
from bot.features.approvals.request import Terms, grantable, open_approval, same_wish
from bot.features.forms.opened import open_form
from bot.features.replies import refusal
from bot.features.replies.answer import say
from bot.operations import cards
from bot.operations.authorize import CACHED, FRESH, authorize, everybody
from bot.operations.resolve import Resolved
from bot.runtime.context import Context

ASK_FORM: Final = "ask_for_it"
ASK_TAG: Final = "ask1"
ONCE: Final = "once"
HALF_HOUR: Final = "30 minutes"
LASTS: Final = 1_800
EXPIRES: Final = 1_800
RULE: Final = "ask for it"


async def ask_buttons(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling) -> tuple[Button, ...]:
    """The button of a denial, when no rule covers the command and enough people can decide now. A denial by a deny rule, a
    freeze, the place or the person's account type has no button, nor has a command with a secret, which the button would keep."""
    operation, decision = resolved.operation, ruling.decision
    if not isinstance(decision, Denied) or decision.code != "no_rule" or not _approvers(ruling, decision):
        return ()
    if standing(ruling.subject, ctx.home_team)[0] is not Standing.FULL:
        return ()
    if any(is_secret(pair, ctx.secrets) for pair in operation.words):
        return ()
    demand = _demand(ruling, decision, operation, resolved.capability, intent.place.channel_id)
    if (await everybody(ctx, ruling.policy, demand, intent.actor.user_id, max_age=CACHED))[1] is not None:
        return ()
    means: dict[str, Json] = {
        "tag": ASK_TAG,
        "verb": "ask for it",
        "target": operation.target.text,
        "operation": operation.model_dump(mode="json"),
        "thread": intent.place.thread_ts,
    }
    only = intent.actor.user_id
    return (Button(label="Ask for it", action="ask_for_it", id=ctx.ids.secret(), means=means, only_user=only),)


def _approvers(ruling: Ruling, decision: Denied) -> tuple[str, ...]:
    return decision.rule_approvers or ruling.policy.administrators.words


async def open_ask(ctx: Context, intent: Intent, means: dict[str, Json]) -> None:
    """The button was pressed: open the modal."""
    operation = Operation.stored(means.get("operation"))
    capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
    thread = means.get("thread")
    place = intent.place.model_copy(update={"thread_ts": thread if isinstance(thread, str) else None})
    kept: dict[str, Json] = {"operation": means.get("operation"), "place": place.model_dump(mode="json")}
    form = _form(operation, capability, ctx.ids.secret())
    await open_form(ctx, intent, form, kept, "Press `Ask for it` again.")


def _form(operation: Operation, capability: Capability | None, token: str) -> FormView:
    choices: tuple[str, ...] = (ONCE,)
    means = "Once: runs this command as soon as it is approved."
    if grantable(operation):
        choices = (ONCE, HALF_HOUR)
        means += f" 30 minutes: you can `{operation.verb}` it here for half an hour, {ANY_PARAMETERS}."
    effect = capability.effect or capability.help if capability is not None else ""
    return FormView(
        form=ASK_FORM,
        token=token,
        title="Ask for it",
        submit="Ask",
        lines=(Line(heading=question.whole_title(operation), text=effect), Line(text=means)),
        fields=(
            FormField(name="lasts", label="For how long", type="choice", optional=False, initial=ONCE, choices=choices),
            FormField(name="reason", label="Reason", type="text", optional=False, initial=operation.reason),
        ),
    )


async def wanted(ctx: Context, intent: Intent, form: Form, kept: dict[str, Json]) -> None:
    """Handle the submitted modal: decide again, then ask the people who could allow it."""
    words = form.text("reason")
    lasts = form.values.get("lasts")
    intent = intent.model_copy(update={"place": Place.stored(kept.get("place"))})
    operation = Operation.stored(kept.get("operation")).model_copy(
        update={"request_id": intent.request_id, "reason": words}
    )
    capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
    if capability is None:
        await say(ctx, intent, "This control plane no longer supports this.")
        return
    ruling = await authorize(ctx, intent, operation, capability, max_age=FRESH)
    decision = ruling.decision
    if not isinstance(decision, Denied):
        target = cards.written(operation.target)
        again = Command(verb=operation.verb, target=target, params=operation.words, reason=words or None)
        await refusal.offer(ctx, intent, "The rules cover it now.", again)
        return
    if decision.code != "no_rule" or not _approvers(ruling, decision):
        await say(ctx, intent, f"You can't ask for this: {decision.reason}.")
        return
    if await _waits_already(ctx, intent, operation):
        await say(ctx, intent, "It is already waiting for approval; see its card in the channel.", tone=Tone.PLAIN)
        return
    demand = _demand(ruling, decision, operation, capability, intent.place.channel_id)
    if ruling.where.is_dm and demand.in_channel == intent.place.channel_id and not decision.rule_approvers:
        # An administrator can't see a direct message.
        demand = replace(demand, in_channel=ctx.security_channel or demand.in_channel)
    grants = lasts == HALF_HOUR and grantable(operation)
    terms = Terms(demand, "grant", LASTS) if grants else Terms(demand, "once")
    await open_approval(ctx, intent, Resolved(operation, capability), ruling, terms)


async def _waits_already(ctx: Context, intent: Intent, operation: Operation) -> bool:
    """Whether an undecided request by this person that covers the same operation is open here."""
    for pending in await ctx.store.pending_decisions(state="open", user=intent.actor.user_id):
        other = Approval.of(pending)
        if other is None or other.record.sort == "run":
            continue
        asked = {"params": other.operation.params, "files": other.operation.files} if other.terms else {}
        if same_wish(other, intent, operation.model_copy(update=asked)):  # a grant covers any parameters
            return True
    return False


def _demand(
    ruling: Ruling, decision: Denied, operation: Operation, capability: Capability, channel_id: str
) -> NeedsApproval:
    """The approvers and count of a rule about this verb and target, otherwise one administrator.

    A rule that covers the verb and target but not these parameters has no approvers for them: its count is about its own.
    """
    about = [rule.approvals for rule in _rules(ruling, channel_id) if _covers(rule, operation, capability)]
    named = frozenset(decision.rule_approvers)
    approvals = [one for one in about if one is not None and named.issuperset(one.from_)]
    channels = [one.in_channel for one in approvals if one.in_channel is not None]
    return NeedsApproval(
        rule=RULE,
        reason=decision.reason,
        count=max((one.count for one in approvals), default=1),
        from_groups=_approvers(ruling, decision),
        expires=min((one.expires for one in approvals), default=EXPIRES),
        in_channel=channels[0] if channels else channel_id,
    )


def _rules(ruling: Ruling, channel_id: str) -> tuple[Rule, ...]:
    channel = ruling.policy.channels.get(channel_id)
    return channel.allows if channel is not None else ()


def _covers(rule: Rule, operation: Operation, capability: Capability) -> bool:
    verb = any(
        risk_or_verb(pattern, operation.verb, operation.risk, own_verb=capability.own_verb, wide=False)
        for pattern in rule.verbs
    )
    return verb and target_covered(rule.targets, operation.target)
