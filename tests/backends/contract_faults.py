"""What each fault of a control plane must become, and why. The planes' own names of the faults are in planes/faults.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.core.command.capability import Capability, Risk

SHORT: Final = 0.7  # seconds that the operation is given where a fault takes longer than any deadline
BOMB: Final = 64 << 20  # bytes unpacked: four times the cap; the plane has to pack them for each test


@dataclass(frozen=True)
class Fault:
    """`spec` is what the plane is told. `read`, `safe` and `once` are the outcomes of a read, of a change that may be sent
    again, and of one that may not; `a or b` where either is right. `sent` False: the outcome must say that nothing left the
    program. `slow`: the fault outlasts the deadline, which is shortened for the test. `bent`: the change took place although
    its reply cannot be read.
    """

    name: str
    spec: Mapping[str, Any]
    read: str
    once: str
    because: str
    safe: str = "failed"
    code: str = ""
    sent: bool = True
    slow: bool = False
    renewed: Mapping[str, str] = field(default_factory=dict)


FAULTS: Final = (
    Fault(
        "delay", {"fault": "delay", "seconds": 30}, "failed", "unknown",
        "Nobody knows what a control plane does after the deadline; a read lost its answer, that is all.",
        safe="unknown", slow=True,
    ),
    Fault(
        "refused", {"fault": "refuse"}, "failed", "failed",
        "No connection, so nothing was sent and nothing can have happened.", code="not_sent", sent=False,
    ),
    Fault(
        "dropped_before", {"fault": "drop_before"}, "failed", "unknown",
        "The request was written; from here it cannot be told from one that was accepted.", safe="unknown", code="reply_lost",
    ),
    Fault(
        "reset_before", {"fault": "drop_before", "reset": True}, "failed", "unknown",
        "A reset says no more than a close.", safe="unknown", code="reply_lost",
    ),
    Fault(
        "dropped_after", {"fault": "drop_after"}, "failed", "unknown",
        "It took place and the answer was lost: the same sight from here.", safe="unknown", code="reply_lost",
    ),
    Fault(
        "401_once", {"fault": "401_once"}, "failed", "failed",
        "A 401 did nothing. A kept session is renewed and a read asked again; a change is not sent twice.",
        code="credential_refused", renewed={"read": "done", "safe": "done"},
    ),
    Fault(
        "401_for_good", {"fault": "401"}, "failed", "failed",
        "The credential is not accepted, before and after a renewal.", code="credential_refused",
    ),
    Fault(
        "429", {"fault": "429", "retry_after": 2}, "failed", "failed",
        "Too many requests: it did nothing; a read was asked again after the pause it named.", code="rate_limited",
    ),
    Fault(
        "429_once", {"fault": "429", "times": 1, "retry_after": 2}, "done", "failed",
        "The pause is honoured where a repeat is safe.", safe="done",
    ),
    Fault(
        "500", {"fault": "500"}, "failed", "unknown",
        "A 5xx may come after part of the work.", code="server_error",
    ),
    Fault(
        "503", {"fault": "503"}, "failed", "unknown",
        "As 500: a gateway in between may have passed it on.", code="server_error",
    ),
    Fault(
        "500_done", {"fault": "500", "done": True}, "failed", "unknown",
        "It did the work and then broke: exactly what a 5xx hides.", code="server_error",
    ),
    Fault(
        "html", {"fault": "html"}, "failed", "unknown",
        "A sign-in page with status 200 is not the answer; who wrote it is not known.", code="bad_reply",
    ),
    Fault(
        "empty", {"fault": "empty"}, "failed", "unknown",
        "Success without the promised body.", code="bad_reply",
    ),
    Fault(
        "bad_json", {"fault": "bad_json"}, "failed", "unknown",
        "Success with half a body.", code="bad_reply",
    ),
    Fault(
        "wrong_types", {"fault": "wrong_types"}, "done or failed", "done or unknown",
        "Success with numbers for words: what nobody needs is read around, what is needed is named; never good news.",
        safe="done or failed", code="bad_reply",
    ),
    Fault(
        "unknown_enum", {"fault": "unknown_enum"}, "done", "done",
        "A state nobody documented is shown as that, and never as success.", safe="done",
    ),
    Fault(
        "drip", {"fault": "drip", "seconds": 0.5}, "failed", "unknown",
        "A byte now and then keeps a socket alive, not a deadline.", safe="unknown", slow=True,
    ),
    Fault(
        "huge", {"fault": "huge"}, "failed", "unknown",
        "200 MB are cut off at the cap; the status said success.", code="bad_reply",
    ),
    Fault(
        "gzip_bomb", {"fault": "huge_gzip", "size": BOMB}, "failed", "unknown",
        "The cap counts what is unpacked.", code="bad_reply",
    ),
    Fault(
        "redirect", {"fault": "redirect"}, "failed", "unknown",
        "It is not followed, and no credential goes to the other host; whether the plane did it before, no 3xx says.",
        code="redirected",
    ),
)  # fmt: skip


def expected(fault: Fault, row: Capability, *, renews: bool, bare: Mapping[str, str]) -> str:
    """The kind of outcome for this row."""
    sort = "read" if row.risk is Risk.READ else "safe" if row.idempotent else "once"
    if sort != "read" and fault.name in bare:
        return "done"
    if renews and sort in fault.renewed:
        return fault.renewed[sort]
    return str(getattr(fault, sort))
