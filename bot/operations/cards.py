"""Cards of operations: pure functions from what is known to what is shown."""

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from textwrap import shorten
from typing import Final

from bot.core.audit import Event
from bot.core.card import Button, Card, Line, Tone, operation_key
from bot.core.command.capability import Risk
from bot.core.command.catalog import Catalog
from bot.core.command.target_ref import TargetRef
from bot.core.intent import Intent, Place, Source
from bot.core.log_diff import DIFF, NOT_COMPARED
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, Failed, Outcome, Phase, Refused, RunView, Unknown, facts_of
from bot.core.records import ABANDONED_AS, StoredEntry
from bot.core.text import capitalized, utc_text, without_level
from bot.core.value import Json
from bot.operations.progress import late_words, progress_of

MASKED: Final = "known secrets and lines that look like secrets are masked"
_STARTED_BY: Final = re.compile(r"started by <@(\w+)>, not verified\)?$")  # who, as the inputs of a workflow step say
LABELS: Final = {"logs": "Log", "retry": "Retry", "stop": "Stop", "status": "Refresh"}
_TONES: Final = {
    Phase.WAITING: Tone.WORKING,
    Phase.ACTIVE: Tone.WORKING,
    Phase.SUCCEEDED: Tone.GOOD,
    Phase.FAILED: Tone.BAD,
    Phase.STOPPED: Tone.WARN,
    Phase.UNREADABLE: Tone.UNSURE,
}
_HEADS: Final = {
    "refused": "Refused: nothing was done",
    "failed": "Failed",
    "unknown": "Unknown: it may or may not have happened",
}

_CHANNEL: Final = re.compile(r"\b[CG][A-Z0-9]{2,30}(?= (?:allow|deny) \d)")
_LONGEST_GIVEN: Final = 160  # characters of parameters, or of the reason, that a card shows outside its details
_ERROR_LINES: Final = 6


def note_key(request_id: str) -> str:
    """Where the note of a request is remembered."""
    return f"note:{request_id}"


def refreshed_key(request_id: str) -> str:
    """Where it is remembered when a person refreshed the card of a request, and in which state its run was."""
    return f"refreshed:{request_id}"


def written(target: Target) -> str:
    """The target as a person types it, quoted where the grammar needs it."""
    head, _, path = target.text.partition(":")
    return str(TargetRef(backend=head, path=path))


def working(operation: Operation, intent: Intent, text: str) -> Card:
    """The card of an operation in progress."""
    return _card(operation, intent, Tone.WORKING, text)


def undecided(operation: Operation, intent: Intent, until: datetime, *buttons: Button) -> Card:
    """The card of a call whose sender has ended, and whose effect is looked for until then. It has no time: it is not the last
    word, so its outcome is shown after a restart."""
    unknown, once = "We don't know yet whether it took effect", "" if operation.idempotent else " It is not sent again."
    line = Line(text=f"{unknown}.{once} I look again until {utc_text(until)}.")
    status = "Unknown: the bot that sent it has ended"
    return _card(operation, intent, Tone.UNSURE, status, lines=(line,), buttons=buttons)


def outcome(
    operation: Operation,
    intent: Intent,
    result: Outcome,
    buttons: Sequence[Button],
    now: datetime,
    rule: str = "",
    no_stop: str = "",
) -> Card:
    """The card of an outcome. A run keeps the working colour until it ends. `no_stop` says why its run can't be stopped."""
    if isinstance(result, Done):
        return _done(operation, intent, result, buttons, now, rule, no_stop)
    lines = [Line(text=result.summary)]
    if result.hint:
        lines.append(Line(heading="What to do", text=result.hint))
    tone = {"refused": Tone.WARN, "failed": Tone.BAD, "unknown": Tone.UNSURE}[result.kind]
    card = _card(
        operation, intent, tone, _head(operation, result), lines=lines, facts=result.facts, buttons=buttons, now=now
    )
    code = (Fact(label="Code", value=result.code),) if result.code else ()
    return card.model_copy(update={"details": (*card.details, *code, *_rule(rule))})


def _head(operation: Operation, result: Refused | Failed | Unknown) -> str:
    if isinstance(result, Failed) and operation.risk is Risk.READ:
        return "Couldn't be read"  # "Failed" would be the state of what was asked for
    if isinstance(result, Failed) and result.nothing_done:
        return f"Failed: nothing was {'done' if result.sent else 'sent'}"
    # Another call may have been repeated before its answer was given up.
    return _HEADS[result.kind] + ", and it was not sent again" * (result.kind == "unknown" and not operation.idempotent)


def _done(
    operation: Operation,
    intent: Intent,
    result: Done,
    buttons: Sequence[Button],
    now: datetime,
    rule: str,
    no_stop: str,
) -> Card:
    view = result.view
    if view is not None:
        summary = "" if _is_followed(operation, result) else result.summary
        extra = (result.beside if result.beside is not None else summary, *result.remarks)
        card = _run_card(operation, intent, view, extra, result.facts, buttons, now, no_stop)
    else:
        tone, status = Tone.GOOD, "Started" if operation.starts_run else "Done"
        if operation.risk is Risk.READ:  # the answer, not that there is one
            status = result.summary or status
        if _is_followed(operation, result):
            tone = Tone.WORKING
        if result.state is not None:
            tone, status = Tone(result.state.level), capitalized(result.state.text)
        summary = "" if tone is Tone.WORKING else result.beyond_state
        lines = _other_than(status, summary, *result.remarks)
        card = _card(operation, intent, tone, status, lines=lines, facts=_once(result.facts), buttons=buttons, now=now)
    ids = (Fact(label="Run", value=result.run.id),) if result.run is not None else ()
    found = (*card.lines, *_preview(operation, result))
    masked = (Fact(label="Masking", value=capitalized(f"{MASKED}.")),) if result.preview else ()
    details = _once((*result.details, *masked, *card.details, *ids, *_rule(rule)))
    shown = {"lines": found, "chart": result.chart, "table": result.table, "details": details}
    return card.model_copy(update=shown)


def _is_followed(operation: Operation, result: Done) -> bool:
    """Whether the operation began a run whose end is still to come."""
    ended = result.view is not None and result.view.phase.ended
    return operation.starts_run and result.run is not None and not ended


def _preview(operation: Operation, result: Done) -> tuple[Line, ...]:
    """Lines of a log, and what they are."""
    not_compared = [remark for remark in result.remarks if remark.startswith(NOT_COMPARED)]
    compared = operation.params.get(DIFF.name) is True and not not_compared
    if not result.preview:
        return ()
    if compared and "\n" not in result.preview:  # a sentence that there is no difference
        return (Line(text=result.preview),)
    grep = None if len(result.remarks) > len(not_compared) else operation.params.get("grep")
    heading = f"Lines with “{grep}”" if grep else "Against the last successful run" if compared else "Last lines"
    return (Line(heading=heading, text=result.preview, code=True),)


def run_update(
    operation: Operation,
    intent: Intent,
    view: RunView,
    buttons: Sequence[Button],
    now: datetime,
    *,
    run: Target,
    note: str = "",
    refreshed: datetime | None = None,
    no_stop: str = "",
) -> Card:
    """The card of a run that is followed. `note` is what stays true of its start, such as that its answer was lost;
    `refreshed` is when a person refreshed the card in this state."""
    over = view.phase.ended
    again = facts_of((("Refreshed", refreshed),))
    card = _run_card(operation, intent, view, ("" if over else note,), again, buttons, now, no_stop)
    more = facts_of((("Run", run.id), ("Start", note if over else None)))
    return card.model_copy(update={"details": _once((*card.details, *more))})


def _run_card(
    operation: Operation,
    intent: Intent,
    view: RunView,
    extra: Sequence[str],
    facts: Sequence[Fact],
    buttons: Sequence[Button],
    now: datetime,
    no_stop: str,
) -> Card:
    """What matters of a run on one line each, its end or progress, its error, and the rest as details."""
    view = view.after(operation.verb)
    stopped = operation.verb == "stop" and view.phase is Phase.STOPPED and view.by is None
    tone = Tone.GOOD if stopped else _TONES[view.phase]
    good, active = view.phase is Phase.SUCCEEDED, view.phase in (Phase.WAITING, Phase.ACTIVE)
    progress = progress_of(view, now)
    bad = view.phase is Phase.FAILED and "\n" not in view.message
    hides = good or bad or "\n" in view.message
    lines = _other_than(view.state, *extra, "" if hides else view.message, late_words(view, now))
    if "\n" in view.message:
        last = view.message.splitlines()[-_ERROR_LINES:]
        lines.append(Line(heading="Last lines of the error", text="\n".join(last), code=True))
    if active and no_stop and "Stop" not in [button.label for button in buttons]:
        lines.append(Line(text=no_stop))
    took = view.ended - view.started if view.ended and view.started and view.ended >= view.started else None
    times = (("Started", view.started), ("Ended", view.ended))
    error = facts_of((("Error", without_level(view.message) if bad else None),))
    rows = (*error, *facts, *view.facts, *facts_of((("Took", took), ("Started", view.started if active else None))))
    hidden = (*view.details, *facts_of(times), *facts_of((("Message", view.message if good else None),)))
    card = _card(operation, intent, tone, capitalized(view.state), lines=lines, buttons=buttons, now=now)
    shown = _once([fact for fact in (*error, *card.rows, *rows) if fact.value != view.state])
    return card.model_copy(
        update={
            "rows": shown,
            "details": _once((*[fact for fact in hidden if fact not in shown], *card.details)),
            "progress": (progress.done, progress.total) if progress is not None else None,
            "progress_note": progress.note if progress is not None else "",
        }
    )


def _once(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Each label once, with its first value."""
    return tuple({fact.label: fact for fact in reversed(facts)}.values())[::-1]


def _other_than(status: str, *texts: str) -> list[Line]:
    """Paragraphs for the texts that differ from the status."""
    return [Line(text=text) for text in dict.fromkeys(texts) if text and text.casefold() != status.casefold()]


def _card(
    operation: Operation,
    intent: Intent,
    tone: Tone,
    status: str,
    *,
    lines: Sequence[Line] = (),
    facts: Sequence[Fact] = (),
    buttons: Sequence[Button] = (),
    now: datetime | None = None,
) -> Card:
    request = Fact(label="Request", value=operation.request_id)
    part = (Fact(label="Target", value=written(operation.target)),) if _title(operation) != operation.title else ()
    incident = (Fact(label="Break-glass", value=operation.incident),) if operation.incident else ()
    claimed = _STARTED_BY.findall(operation.reason or "") if intent.source is Source.STEP else ()
    return Card(
        key=operation_key(operation.request_id),
        place=place_of(intent),
        title=_title(operation),
        tone=tone,
        status=status,
        byline=_byline(operation, intent),
        lines=tuple(lines),
        rows=_given(operation),
        facts=tuple(fact for fact in facts if str(fact.value).casefold() != status.casefold()),
        details=(
            *part,
            *(given if (given := _given(operation, sys.maxsize)) != _given(operation) else ()),
            *facts_of((("Why", operation.reason if len(operation.reason or "") > _LONGEST_GIVEN else None),)),
            request,
            *incident,
        ),
        buttons=tuple(buttons),
        mention=tuple(filter(None, (intent.actor.user_id, *operation.approved_by, *claimed, intent.place.channel_id))),
        at=now,
    )


def _title(operation: Operation) -> str:
    """Verb and target. A run is named by what it is a run of: its id is among the details."""
    target = operation.target
    about_run = target.parent is not None and target.scope and (operation.starts_run or operation.risk is Risk.READ)
    return f"{operation.verb} {target.scope}" if about_run else operation.title


def _byline(operation: Operation, intent: Intent) -> str:
    """Who asked and why, who approved, and the incident or emergency access that it belongs to."""
    named = f"<@{intent.actor.user_id}>"
    asker = {Source.STEP: "A workflow", Source.TERMINAL: f"From the terminal as {named}"}.get(intent.source, named)
    reason = shorten(operation.reason or "", _LONGEST_GIVEN, placeholder="… (all in Details)")
    who = asker + (f": {reason}" if reason else "")
    approvers = ", ".join(f"<@{user}>" for user in operation.approved_by)
    approved = f"approved by {approvers}" if approvers else ""
    incident = f"incident {intent.incident}" if intent.incident else ""
    return " · ".join(part for part in (who, approved, incident, "BREAK-GLASS" if operation.incident else "") if part)


def _given(operation: Operation, most: int = _LONGEST_GIVEN) -> tuple[Fact, ...]:
    """The typed parameters in one line, the rest of a long one among the details."""
    given = ", ".join(f"{name}={text}" for name, text in operation.masked_words)
    short = given if len(given) <= most else f"{given[:most].rpartition(', ')[0] or given[:most]}… (all in Details)"
    return facts_of((("With", short),))


def _rule(label: str) -> tuple[Fact, ...]:
    return (Fact(label="Rule", value=rules_named(label.removesuffix(" rule"))),) if label else ()


def happened(catalog: Catalog, entry: StoredEntry) -> str:
    """The event in a word that a person uses: a run starts, and succeeds or fails later."""
    event = entry.event
    if said := {Event.ENDED: entry.code, Event.ABANDONED: ABANDONED_AS.get(entry.code or "", "unknown")}.get(event):
        return said
    if event is Event.RECONCILED:
        event = Event.DONE if entry.code == "done" else Event.FAILED
    capability = catalog.capability(entry.backend or "", entry.verb or "", entry.target_kind or "")
    if event is Event.BREAKGLASS or (event is Event.DONE and capability is not None and capability.starts_run):
        return "started"
    return str(event).replace("_", " ")


def person(user_id: str | None) -> str:
    """A person as a cell of a table; other ids, as of an app, stay as they are."""
    return f"<@{user_id}>" if user_id and user_id[0] in "UW" else user_id or ""


def channel(channel_id: object) -> str:
    """A channel as a cell of a table; a direct message has no name that others could read."""
    return f"<#{channel_id}>" if isinstance(channel_id, str) and channel_id[:1] in ("C", "G") else str(channel_id or "")


def principal(word: str, people: set[str]) -> str:
    """A user id as a mention, a group by its name, `*` in words. Adds mentioned users to `people`."""
    if word[:1] in "UWS" and word.isupper() and word.isalnum():
        people.add(word)
        return f"<!subteam^{word}>" if word[0] == "S" else f"<@{word}>"
    return "every full member" if word == "*" else f"`{word}`"


def rules_named(text: str) -> str:
    """A text with the name of the channel instead of its id in the label of each rule."""
    return _CHANNEL.sub(r"<#\g<0>>", text)


def short(given: str) -> str:
    """Given parameters in one short line. The audit log has all of them."""
    return shorten(given, _LONGEST_GIVEN, placeholder=" …")


def place_of(intent: Intent) -> Place:
    """The place of this request's card: its thread if it has one, never the pressed message."""
    return intent.place.model_copy(update={"message_ts": None})


def value_text(value: Json) -> str:
    """A parameter as a person reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{name}={value_text(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(value_text(inner) for inner in value)
    return str(value)


def private(intent: Intent, title: str, *, tone: Tone = Tone.PLAIN, key: str = "", **parts: object) -> Card:
    """An answer that only the requester sees."""
    return Card.model_validate(
        {
            "key": key or f"say:{intent.request_id}",
            "place": intent.place.aside,
            "title": title,
            "tone": tone,
            "only_for": intent.actor.user_id,
            **parts,
        }
    )


def command_means(
    verb: str, target: str, params: Sequence[tuple[str, str]] = (), reason: str | None = None
) -> dict[str, Json]:
    """The stored meaning of a button that runs a command. `tag` names this shape, which may get keys but never changes."""
    means: dict[str, Json] = {
        "tag": "command1",
        "verb": verb,
        "target": target,
        "params": [list(pair) for pair in params],
    }
    return {**means, "reason": reason} if reason else means


def say_means(text: str) -> dict[str, Json]:
    """The stored meaning of a button that says this command."""
    return {"tag": "say1", "text": text, "verb": text.partition(" ")[0]}


def pending_means(pending_id: str, choice: str) -> dict[str, Json]:
    """The stored meaning of a button on a pre-flight or an approval."""
    return {"tag": "pending1", "pending": pending_id, "choice": choice}


def refresh_means(request_id: str) -> dict[str, Json]:
    """The stored meaning of a Refresh or Check again button."""
    return {"tag": "refresh1", "request": request_id}
