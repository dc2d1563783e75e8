"""Holds: operations that wait for a person, and the votes on them."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlite_utils import Database

from bot.core.records import Hold, HoldVote, VoteResult
from bot.store.sqlite.tables.sql import LIMIT, as_model, changed, dumped, found, inserted, masked, table

_JSON: Final = ("operation", "intent", "facts")


def create(db: Database) -> None:
    """Make both tables."""
    texts = "id kind request_id operation digest policy_version intent facts state due_at remind_at decided_by decided_at made_at"
    holds = table(db, "holds")
    holds.create(
        dict.fromkeys(texts.split(), str),
        pk="id",
        not_null=("kind", "request_id", "intent", "facts", "state", "due_at", "made_at"),
    )
    holds.create_index(["request_id"], "holds_request_id")
    db.execute("CREATE INDEX holds_due ON holds (due_at) WHERE state = 'open'")
    db.execute("CREATE INDEX holds_remind ON holds (remind_at) WHERE state = 'open' AND remind_at IS NOT NULL")
    db.execute("CREATE INDEX holds_state ON holds (state, made_at)")
    votes = table(db, "hold_votes")
    votes.create(
        dict.fromkeys(["hold_id", "user_id", "person", "vote", "reason", "at"], str),
        pk=("hold_id", "person"),
        not_null=("user_id", "vote", "at"),
        foreign_keys=[("hold_id", "holds", "id")],
    )


def add(db: Database, hold: Hold) -> None:
    """Insert a hold."""
    values: dict[str, Any] = hold.model_dump(exclude=set(_JSON))
    values |= {"operation": dumped(hold.operation), "intent": dumped(hold.intent), "facts": dumped(hold.facts)}
    inserted(db, "holds", values)


def scrub(db: Database, request_id: str) -> None:
    """Mask the secrets in what was held for this request, as far as it is decided."""
    sql = "SELECT id, intent, operation FROM holds WHERE request_id = ? AND state NOT IN ('open', 'approved')"
    for hold_id, *texts in db.conn.execute(sql, (request_id,)).fetchall():
        intent, operation = (masked(text) for text in texts)
        if [intent, operation] != texts:
            db.conn.execute("UPDATE holds SET intent = ?, operation = ? WHERE id = ?", (intent, operation, hold_id))


def by_id(db: Database, hold_id: str) -> Hold | None:
    """One hold."""
    rows = found(db, "SELECT * FROM holds WHERE id = ?", (hold_id,))
    return as_model(Hold, rows[0], _JSON) if rows else None


def votes(db: Database, hold_id: str) -> tuple[HoldVote, ...]:
    """The votes on a hold, in the order in which they came."""
    sql = "SELECT user_id, person, vote, reason, at FROM hold_votes WHERE hold_id = ? ORDER BY rowid"
    return tuple(HoldVote.model_validate(row) for row in found(db, sql, (hold_id,)))


def vote(db: Database, hold_id: str, cast: HoldVote, *, needed: int, now: str) -> VoteResult:
    """Count one vote, and decide the hold when it is the deciding one. Must run inside a write transaction.

    A hold whose time is over is reported as expired and left to `end`, which registers the expiry with it.
    """
    hold = by_id(db, hold_id)
    if hold is None:
        return VoteResult(won=False, counted=False, state="missing")
    if hold.state != "open":
        return VoteResult(won=False, counted=False, state=hold.state, votes=votes(db, hold_id), hold=hold)
    if now >= hold.due_at:
        return VoteResult(won=False, counted=False, state="expired", votes=votes(db, hold_id), hold=hold)
    sql = (
        "INSERT INTO hold_votes (hold_id, user_id, person, vote, reason, at) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (hold_id, person) DO NOTHING"
    )
    counted = changed(db, sql, (hold_id, cast.user_id, cast.person, cast.vote, cast.reason, cast.at))
    if not counted:
        return VoteResult(won=False, counted=False, state="open", votes=votes(db, hold_id), hold=hold)
    so_far = votes(db, hold_id)
    decision = _decision(so_far, needed)
    if decision is None:
        return VoteResult(won=False, counted=True, state="open", votes=so_far, hold=hold)
    won = end(db, hold_id, decision, cast.user_id, now)
    return VoteResult(won=won, counted=True, state=decision, votes=so_far, hold=by_id(db, hold_id))


def _decision(cast: Sequence[HoldVote], needed: int) -> str | None:
    if any(vote.vote == "deny" for vote in cast):
        return "rejected"
    approvals = sum(vote.vote == "approve" for vote in cast)
    return "approved" if approvals >= max(1, needed) else None


def end(db: Database, hold_id: str, state: str, by: str | None, now: str) -> bool:
    """Open -> `state`; what was approved can still be cancelled, and nothing else."""
    sql = (
        "UPDATE holds SET state = ?, decided_by = ?, decided_at = ? WHERE id = ? "
        "AND (state = 'open' OR (state = 'approved' AND ? = 'cancelled'))"
    )
    return changed(db, sql, (state, by, now, hold_id, state))


def take(db: Database, hold_id: str, request_id: str, now: str) -> bool:
    """Use a hold, once and in time: an approved one, or a pre-flight or question that is open."""
    sql = (
        "UPDATE holds SET state = 'taken', decided_at = coalesce(decided_at, ?) WHERE id = ? AND request_id = ? "
        "AND (state = 'approved' OR (state = 'open' AND kind <> 'approval')) AND due_at > ?"
    )
    return changed(db, sql, (now, hold_id, request_id, now))


def listed(db: Database, state: str | None, user: str | None) -> Sequence[Hold]:
    """Holds, newest first, at most 1000; of one state, or asked for by one user."""
    wheres, values = ["1"], []
    if state is not None:
        wheres.append("state = ?")
        values.append(state)
    if user is not None:
        wheres.append("json_extract(intent, '$.actor.user_id') = ?")
        values.append(user)
    sql = f"SELECT * FROM holds WHERE {' AND '.join(wheres)} ORDER BY made_at DESC, rowid DESC LIMIT {LIMIT}"
    return [as_model(Hold, row, _JSON) for row in found(db, sql, values)]


def untold(db: Database, kind: str, told: str, since: str) -> Sequence[Hold]:
    """Holds that ended since then without being used, and of whose end no message speaks; newest first."""
    sql = (
        "SELECT * FROM holds WHERE kind = ? AND state IN ('rejected', 'expired', 'cancelled') AND decided_at >= ? "
        "AND NOT EXISTS (SELECT 1 FROM messages WHERE key = ? || holds.id || ':' || holds.state) "
        f"ORDER BY made_at DESC, rowid DESC LIMIT {LIMIT}"
    )
    return [as_model(Hold, row, _JSON) for row in found(db, sql, (kind, since, told))]


def due(db: Database, now: str) -> Sequence[Hold]:
    """Open holds whose time is over, the longest overdue first."""
    sql = f"SELECT * FROM holds WHERE state = 'open' AND due_at <= ? ORDER BY due_at LIMIT {LIMIT}"
    return [as_model(Hold, row, _JSON) for row in found(db, sql, (now,))]


def to_remind(db: Database, now: str) -> Sequence[Hold]:
    """Open holds that are in time and to be reminded of."""
    sql = (
        "SELECT * FROM holds WHERE state = 'open' AND remind_at IS NOT NULL AND remind_at <= ? AND due_at > ? "
        f"ORDER BY remind_at LIMIT {LIMIT}"
    )
    return [as_model(Hold, row, _JSON) for row in found(db, sql, (now, now))]


def reminded(db: Database, hold_id: str, due_at: str | None, next_at: str | None) -> bool:
    """Set the next reminder from the one that is due now; False when somebody else did."""
    sql = "UPDATE holds SET remind_at = ? WHERE id = ? AND state = 'open' AND remind_at IS ?"
    return changed(db, sql, (next_at, hold_id, due_at))
