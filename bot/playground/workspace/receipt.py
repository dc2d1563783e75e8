"""The result of a person's act."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .state import Json
from .transport import Answer


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one act.

    `acked` and `ack_ms`: whether and how fast the app answered; `body`: the parsed ack payload; `status`: the
    HTTP status in HTTP mode; `errors`: a form's errors by block_id; `error`: what Slack would show
    ("operation_timeout", "dispatch_failed", ...); `detail`: why Slack refused the app's answer; `ts`: the
    message that the act posted; `execution_id`: the workflow step run; `delivered`: something was sent to the app.
    """

    acked: bool = False
    ack_ms: float = 0.0
    body: Any = None
    status: int | None = None
    errors: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    detail: tuple[str, ...] = ()
    ts: str | None = None
    execution_id: str | None = None
    delivered: bool = False

    @classmethod
    def of(cls, answer: Answer, **more: Any) -> Receipt:
        made = cls(answer.acked, answer.ms, answer.body, answer.status, error=answer.error, delivered=True)
        return replace(made, **more)

    def as_json(self) -> Json:
        return asdict(self) | {"ack_ms": round(self.ack_ms, 2)}
