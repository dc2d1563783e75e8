"""What each fault of a simulated control plane is to an adapter that nobody answers for: the same problem for every kind."""

from __future__ import annotations

from typing import Any, Final

from bot.core.errors import BadReply, CallProblem, CredentialRefused, Lost, NotSent, Problem, RateLimited, ServerError

TOO_MUCH: Final = 40_000_000  # bytes: more than twice what is read of an answer

FAULTS: Final[list[tuple[dict[str, Any], type[Problem]]]] = [
    ({"fault": "refuse"}, NotSent),
    ({"fault": "drop_before"}, Lost),
    ({"fault": "drop_after"}, Lost),
    ({"fault": "401"}, CredentialRefused),
    ({"fault": "429", "retry_after": 30}, RateLimited),
    ({"fault": "429", "retry_after": 3600}, RateLimited),
    ({"fault": "500"}, ServerError),
    ({"fault": "html"}, BadReply),
    ({"fault": "empty"}, BadReply),
    ({"fault": "bad_json"}, BadReply),
    ({"fault": "wrong_types"}, BadReply),
    ({"fault": "huge", "size": TOO_MUCH}, BadReply),
    ({"fault": "huge_gzip", "size": TOO_MUCH}, BadReply),
    ({"fault": "redirect"}, CallProblem),
]
# Without the fault of single fields: those that nobody needs are read around.
WHOLE: Final = [row for row in FAULTS if row[0]["fault"] != "wrong_types"]
WHOLE_IDS: Final = [f"{fault['fault']} {fault.get('retry_after', '')}".rstrip() for fault, _ in WHOLE]
IDS: Final = [f"{fault['fault']} {fault.get('retry_after', '')}".rstrip() for fault, _ in FAULTS]
