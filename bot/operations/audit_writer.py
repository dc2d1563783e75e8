"""Entries for the audit log: every column in one place, secrets masked before anything is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.core.audit import AuditEntry, Event
from bot.core.effects import Attempt
from bot.core.intent import Command, Form, Intent, Open, ParseError, Press
from bot.core.masking.redact import SecretList, redact, redact_json
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Outcome
from bot.core.records import PendingDecision, stamp
from bot.core.value import Json, canonical

LONGEST_DETAIL = 2_000
_NAMED = frozenset({Event.SENT, Event.ENDED})  # entries that a search must find by the parent of a run too
_OPEN_A_FORM = frozenset({"ask1", "review1", "fill1"})  # tags of buttons


class AuditWriter:
    """Makes audit entries, with `secrets` masked in every text."""

    def __init__(self, secrets: SecretList | None = None) -> None:
        self._secrets = secrets or SecretList()

    def clean(self, text: str | None, longest: int = LONGEST_DETAIL) -> str | None:
        """The text with secrets masked, cut to its longest; None stays None."""
        if text is None:
            return None
        masked, _ = redact(text, self._secrets)
        return masked if len(masked) <= longest else masked[: longest - 1] + "\u2026"

    def params(self, params: Mapping[str, Json]) -> str:
        """Canonical JSON text of the parameters, secrets masked by value and by the name of their key."""
        return canonical(redact_json(dict(params), known=self._secrets))

    def requested(
        self, intent: Intent, means: Mapping[str, Json] | None = None, command: Command | None = None
    ) -> AuditEntry:
        """The first entry of a request, written before it is acked. `means` is what a pressed button or a sentence stands for,
        `command` the command of the button, if it is one."""
        payload = intent.payload
        columns: dict[str, Any] = {}
        event = Event.REQUESTED
        if isinstance(payload, Command):
            columns = {
                "verb": payload.verb,
                "backend": payload.target.partition(":")[0] if payload.target else None,
                "target_name": payload.target,
                "params": self.params(_by_name(payload.params)),
                "reason": payload.reason,
                "detail": " ".join(payload.words) if payload.words else None,
            }
        elif isinstance(payload, ParseError):
            event, code = (Event.REQUESTED, None) if means else (Event.MISREAD, "misread")
            columns = {"detail": payload.text, "code": code, "verb": payload.understood.partition(" ")[0] or None}
            columns |= means or {}
        elif isinstance(payload, Press):
            columns = _press(payload, means or {})
            if command is not None:
                columns |= {
                    "verb": command.verb,
                    "target_name": command.target,
                    "params": self.params(_by_name(command.params)),
                    "reason": command.reason,
                    "detail": " ".join(command.words) or None,
                }
        elif isinstance(payload, Form):
            columns = {"verb": f"form {payload.form}", "reason": payload.text("reason") or None}
        elif isinstance(payload, Open):
            columns = {"verb": f"open {payload.what}"}
        else:
            columns = {"verb": f"due {payload.what}", "detail": payload.row}
        return self._entry(intent.at, event, intent.request_id, intent, **columns)

    def about(self, event: Event, operation: Operation, intent: Intent, at: datetime, **columns: Any) -> AuditEntry:
        """An entry about an operation. `columns` are further columns of the audit log; texts are cleaned."""
        filled = {
            "verb": operation.verb,
            **columns_of(operation.target),
            "params": self.params(operation.params),
            "reason": operation.reason,
            "risk": str(operation.risk),
            "incident": operation.incident,
            **columns,
        }
        if event in _NAMED and operation.target.label != operation.target.text:
            filled["detail"] = "; ".join(filter(None, (of_parent(operation.target), filled.get("detail"))))
        return self._entry(at, event, operation.request_id, intent, **filled)

    def attempted(self, attempt: Attempt, event: Event, at: datetime, **columns: Any) -> AuditEntry:
        """An entry about an operation that is carried out, with what allowed it."""
        ruling = attempt.ruling
        return self.about(
            event,
            attempt.operation,
            attempt.intent,
            at,
            rule=attempt.rule or None,
            policy_version=ruling.policy.version if ruling is not None else None,
            digest=ruling.digest if ruling is not None else None,
            approval_id=attempt.approval_id,
            **columns,
        )

    def outcome(
        self, attempt: Attempt, result: Outcome, event: Event, at: datetime, monotonic: float, **columns: Any
    ) -> AuditEntry:
        """The entry of an outcome. `monotonic` is now, in seconds, from which the duration is taken."""
        took = None if attempt.began is None else round((monotonic - attempt.began) * 1000)
        filled: dict[str, Any] = {"detail": result.summary, "duration_ms": took}
        if isinstance(result, Done):
            filled |= {"code": "done" if event is Event.RECONCILED else None, "backend_ref": result.backend_ref}
        else:
            filled["code"] = result.code
        return self.attempted(attempt, event, at, **filled | columns)

    def pending(
        self, event: Event, pending: PendingDecision, at: datetime, by: Intent | None = None, **columns: Any
    ) -> AuditEntry:
        """An entry about a pending decision. `by` is the request of the person who acts, None for the requester's own."""
        if pending.operation is None:
            raise TypeError("only the pending decision on an operation has such entries")
        rule = pending.record.get("rule")
        filled = {
            "rule": rule if isinstance(rule, str) else None,
            "policy_version": pending.policy_version,
            "digest": pending.digest,
            "approval_id": pending.id,
            "incident": pending.intent.incident or pending.operation.incident,
            **columns,
        }
        return self.about(event, pending.operation, by or pending.intent, at, **filled)

    def plain(self, event: Event, intent: Intent, at: datetime, **columns: Any) -> AuditEntry:
        """An entry about a request that has no operation."""
        return self._entry(at, event, intent.request_id, intent, **columns)

    def system(self, event: Event, request_id: str, at: datetime, team_id: str, **columns: Any) -> AuditEntry:
        """An entry that no person asked for: a policy load, a published head."""
        return AuditEntry(at=stamp(at), request_id=request_id, event=event, team_id=team_id, **self._cleaned(columns))

    def _entry(self, at: datetime, event: Event, request_id: str, intent: Intent, **columns: Any) -> AuditEntry:
        """The incident of the request's place wins over another mark."""
        actor, place = intent.actor, intent.place
        filled = {
            "team_id": place.team_id or actor.team_id or None,
            "channel_id": place.channel_id or None,
            "user_id": actor.user_id or None,
            "source": str(intent.source),
            **self._cleaned(columns),
            **({"incident": intent.incident} if intent.incident else {}),
        }
        return AuditEntry(at=stamp(at), request_id=request_id, event=event, **filled)

    def _cleaned(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._masked(name, value) if isinstance(value, str) else value for name, value in columns.items()}

    def _masked(self, name: str, value: str) -> str | None:
        """Free text is searched for anything that looks like a secret, other columns for known secrets only."""
        return self.clean(value) if name in ("detail", "reason", "target_name") else self._secrets.hide(value)


def _by_name(words: Sequence[tuple[str, str]]) -> dict[str, Json]:
    """The typed parameters by name; a list of the values of one that is given more than once."""
    found: dict[str, list[Json]] = {}
    for name, value in words:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def columns_of(target: Target) -> dict[str, str]:
    """The columns that name a target."""
    kind, name = target.kind, target.text
    return {"backend": target.backend, "target_kind": kind, "target_id": target.id, "target_name": name}


def of_parent(target: Target) -> str:
    """The beginning of the detail of such an entry."""
    return f"of {target.scope}"


def _press(payload: Press, means: Mapping[str, Json]) -> dict[str, Any]:
    """A press that only opens a form is recorded as that: what the form is about has not been asked for yet."""
    verb = str(means.get("verb") or means.get("choice") or payload.action)
    opens = means.get("tag") in _OPEN_A_FORM or means.get("choice") == "deny"
    pending, target, about = means.get("pending"), means.get("target"), means.get("about")
    return {
        "verb": f"open {verb}" if opens else verb,
        "target_name": target if isinstance(target, str) else None,
        "approval_id": pending if isinstance(pending, str) else None,
        "detail": about if isinstance(about, str) else None,
    }
