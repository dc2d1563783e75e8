"""Pending decisions: operations that wait for a person, and the votes on them."""

# ruff: noqa: S608 - only constants and names of columns are put together here; every value is bound.

from collections.abc import Iterable, Sequence
from typing import Any, Final

from bot.core.records import CastVote, PendingDecision, VoteResult, When, stamp
from bot.store.database import Statement, Tx
from bot.store.tables.sql import LIMIT, Table, as_models, as_one, changed, dumped, found, inserted, masked

_JSON: Final = ("operation", "intent", "record")
TABLE: Final = Table(
    "pending_decisions",
    "id kind! request_id! operation digest policy_version intent! record! state! due_at! remind_at decided_by decided_at "
    "made_at!",
    "id",
    indexes=(
        "CREATE INDEX pending_request_id ON pending_decisions (request_id)",
        "CREATE INDEX pending_due ON pending_decisions (due_at) WHERE state = 'open'",
        "CREATE INDEX pending_remind ON pending_decisions (remind_at) WHERE state = 'open' AND remind_at IS NOT NULL",
        "CREATE INDEX pending_state ON pending_decisions (state, made_at)",
    ),
)
VOTES: Final = Table(
    "votes",
    "pending_id user_id! person vote! reason at!",
    "pending_id, person",
    references="FOREIGN KEY (pending_id) REFERENCES pending_decisions (id)",
)


def add(db: Tx, pending: PendingDecision) -> None:
    """Insert a pending decision."""
    values: dict[str, Any] = pending.model_dump(exclude=set(_JSON))
    values |= {
        "operation": dumped(pending.operation),
        "intent": dumped(pending.intent),
        "record": dumped(pending.record),
    }
    inserted(db, "pending_decisions", values)


def scrub(db: Tx, request_id: str, secrets: Iterable[str]) -> None:
    """Mask the secrets in the pending decisions of this request that are decided, or that are not about running something."""
    sql = """
        SELECT id, intent, operation FROM pending_decisions
        WHERE request_id = ? AND (operation IS NULL OR state NOT IN ('open', 'approved'))"""
    for pending_id, *texts in db.execute(sql, (request_id,)).fetchall():
        intent, operation = (masked(text, secrets) for text in texts)
        if [intent, operation] != texts:
            update = "UPDATE pending_decisions SET intent = ?, operation = ? WHERE id = ?"
            db.execute(update, (intent, operation, pending_id))


def last_of(db: Tx, request_id: str) -> PendingDecision | None:
    """The decision that this request was last put to."""
    sql = "SELECT * FROM pending_decisions WHERE request_id = ? ORDER BY made_at DESC, id DESC LIMIT 1"
    return as_one(PendingDecision, found(db, sql, (request_id,)), _JSON)


def by_id(db: Tx, pending_id: str) -> PendingDecision | None:
    """One pending decision."""
    return as_one(PendingDecision, found(db, "SELECT * FROM pending_decisions WHERE id = ?", (pending_id,)), _JSON)


def votes(db: Tx, pending_id: str) -> tuple[CastVote, ...]:
    """The votes on a pending decision, in order of arrival."""
    sql = "SELECT user_id, person, vote, reason, at FROM votes WHERE pending_id = ? ORDER BY rowid"
    return tuple(CastVote.stored(row) for row in found(db, sql, (pending_id,)))


def vote(db: Tx, pending_id: str, cast: CastVote, *, needed: int, now: str) -> VoteResult:
    """Count one vote, and end the pending decision when the vote decides it. Must run inside a write transaction.

    An overdue pending decision is reported as expired but not changed: `end` expires it, with its audit entry.
    """
    pending = by_id(db, pending_id)
    if pending is None:
        return VoteResult(won=False, counted=False, state="missing")
    if pending.state != "open":
        return VoteResult(won=False, counted=False, state=pending.state, votes=votes(db, pending_id), pending=pending)
    if now >= pending.due_at:
        return VoteResult(won=False, counted=False, state="expired", votes=votes(db, pending_id), pending=pending)
    sql = """INSERT INTO votes (pending_id, user_id, person, vote, reason, at) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (pending_id, person) DO NOTHING"""
    counted = changed(db, (sql, (pending_id, cast.user_id, cast.person, cast.vote, cast.reason, cast.at)))
    if not counted:
        return VoteResult(won=False, counted=False, state="open", votes=votes(db, pending_id), pending=pending)
    so_far = votes(db, pending_id)
    decision = _decision(so_far, needed)
    if decision is None:
        return VoteResult(won=False, counted=True, state="open", votes=so_far, pending=pending)
    won = changed(db, end(pending_id, decision, cast.user_id, now))
    return VoteResult(won=won, counted=True, state=decision, votes=so_far, pending=by_id(db, pending_id))


def _decision(cast: Sequence[CastVote], needed: int) -> str | None:
    if any(vote.vote == "deny" for vote in cast):
        return "rejected"
    approvals = sum(vote.vote == "approve" for vote in cast)
    return "approved" if approvals >= max(1, needed) else None


def end(pending_id: str, state: str, by: str | None, now: str) -> Statement:
    """Open -> `state`. An approved one can still be cancelled, or taken: see `take` for one that has to be used in time."""
    sql = """UPDATE pending_decisions SET state = ?, decided_by = ?, decided_at = ? WHERE id = ?
        AND (state = 'open' OR (state = 'approved' AND ? IN ('cancelled', 'taken')))"""
    return sql, (state, by, now, pending_id, state)


def replaced(db: Tx, pending: PendingDecision, now: str) -> bool:
    """Its known state -> cancelled. False when it has another state by now."""
    sql = "UPDATE pending_decisions SET state = 'cancelled', decided_at = ? WHERE id = ? AND state = ?"
    return bool(changed(db, (sql, (now, pending.id, pending.state))))


def take(db: Tx, pending_id: str, request_id: str, now: str) -> bool:
    """Use a pending decision once, before its expiry: an approved one, or an open pre-flight or question."""
    sql = """
        UPDATE pending_decisions SET state = 'taken', decided_at = coalesce(decided_at, ?) WHERE id = ? AND request_id = ?
        AND (state = 'approved' OR (state = 'open' AND kind <> 'approval')) AND due_at > ?"""
    return changed(db, (sql, (now, pending_id, request_id, now)))


def listed(db: Tx, state: str | None = None, user: str | None = None) -> Sequence[PendingDecision]:
    """Pending decisions, newest first, at most 1,000, of one state or one requester."""
    wheres, values = ["1 = 1"], []
    if state is not None:
        wheres.append("state = ?")
        values.append(state)
    if user is not None:
        wheres.append(f"{db.dialect.json_text('intent', 'actor', 'user_id')} = ?")
        values.append(user)
    sql = f"""
        SELECT * FROM pending_decisions WHERE {" AND ".join(wheres)} ORDER BY made_at DESC, rowid DESC LIMIT {LIMIT}"""
    return as_models(PendingDecision, found(db, sql, values), _JSON)


def untold(db: Tx, kind: str, prefix: str, since: When) -> Sequence[PendingDecision]:
    """Pending decisions of a kind that ended unused since then, without a message about it (key `prefix` + id + `:` + state);
    newest first."""
    sql = f"""
        SELECT * FROM pending_decisions WHERE kind = ? AND state IN ('rejected', 'expired', 'cancelled') AND decided_at >= ?
        AND NOT EXISTS (SELECT 1 FROM messages WHERE key = ? || pending_decisions.id || ':' || pending_decisions.state)
        ORDER BY made_at DESC, rowid DESC LIMIT {LIMIT}"""
    return as_models(PendingDecision, found(db, sql, (kind, stamp(since), prefix)), _JSON)


def unfinished(db: Tx) -> Sequence[PendingDecision]:
    """Approved pending decisions, and used ones whose request still waits because nobody was told; oldest first."""
    sql = f"""
        SELECT * FROM pending_decisions WHERE state = 'approved' OR id IN (
            SELECT p.id FROM requests q CROSS JOIN pending_decisions p
            WHERE q.state <> 'ended' AND q.state = 'waiting' AND p.request_id = q.request_id AND p.state = 'taken')
        ORDER BY made_at, rowid LIMIT {LIMIT}"""
    return as_models(PendingDecision, found(db, sql), _JSON)


def due(db: Tx, now: When) -> Sequence[PendingDecision]:
    """Open pending decisions that are overdue, the longest first."""
    sql = f"SELECT * FROM pending_decisions WHERE state = 'open' AND due_at <= ? ORDER BY due_at LIMIT {LIMIT}"
    return as_models(PendingDecision, found(db, sql, (stamp(now),)), _JSON)


def to_remind(db: Tx, now: When) -> Sequence[PendingDecision]:
    """Open pending decisions with a due reminder that are not overdue; see `reminded`."""
    sql = f"""
        SELECT * FROM pending_decisions WHERE state = 'open' AND remind_at IS NOT NULL AND remind_at <= ? AND due_at > ?
        ORDER BY remind_at LIMIT {LIMIT}"""
    return as_models(PendingDecision, found(db, sql, (stamp(now), stamp(now))), _JSON)


def reminded(pending_id: str, due_at: str | None, next_at: str | None) -> Statement:
    """Replace the due reminder by the next one. False when another process did."""
    sql = """UPDATE pending_decisions SET remind_at = ? WHERE id = ? AND state = 'open'
        AND (remind_at = ? OR (remind_at IS NULL AND CAST(? AS TEXT) IS NULL))"""
    return sql, (next_at, pending_id, due_at, due_at)
