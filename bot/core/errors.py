"""The tree of errors. A class says what is known of the call; wording for people is in its fields.

Problem                      code, summary, hint
|-- NoSuchTarget             the backend has no such thing
|-- Ambiguous                several things answer to that name
|-- BadRequest               the words or parameters do not fit (ours to say)
`-- CallProblem              something about one call to a backend
    |-- NotSent              nothing left this program: refused connection, name, TLS, deadline while connecting
    |-- Lost                 it was sent, and no usable answer came: nobody knows
    |   `-- Redirected       it answered with another address (3xx) to what must not be sent twice: nobody knows either
    |-- Rejected             the backend answered no (4xx): it did nothing
    |   |-- CredentialRefused    401 or 403
    |   `-- RateLimited          429; `retry_after` seconds
    |-- ServerError          the backend answered that it broke (5xx): it may have done part
    `-- BadReply             it answered success and the body cannot be read
"""

from __future__ import annotations


class Problem(Exception):
    """What went wrong, as a person may read it. `code` is stable and goes to the audit log."""

    code = "problem"

    def __init__(self, summary: str, hint: str = "", code: str | None = None) -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint
        if code is not None:
            self.code = code


class NoSuchTarget(Problem):
    """The backend has no such thing; `nearest` are names that exist."""

    code = "no_such_target"

    def __init__(self, summary: str, hint: str = "", nearest: tuple[str, ...] = (), code: str | None = None) -> None:
        super().__init__(summary, hint, code)
        self.nearest = nearest


class Ambiguous(Problem):
    """Several things answer to that name; `candidates` are their exact forms."""

    code = "ambiguous"

    def __init__(self, summary: str, candidates: tuple[str, ...]) -> None:
        super().__init__(summary, "Say which one: " + ", ".join(f"`{c}`" for c in candidates[:10]))
        self.candidates = candidates


class BadRequest(Problem):
    """The words or the parameters do not fit; nothing was sent."""

    code = "bad_request"


class CallProblem(Problem):
    """Something about one call to a backend. `status` is the HTTP status where there was one."""

    code = "call"

    def __init__(self, summary: str, hint: str = "", code: str | None = None, status: int | None = None) -> None:
        super().__init__(summary, hint, code)
        self.status = status


class NotSent(CallProblem):
    """Nothing left this program, so nothing can have happened."""

    code = "not_sent"


class Lost(CallProblem):
    """The request was sent and no usable answer came; some, all or nothing of it may have happened."""

    code = "reply_lost"


class Redirected(Lost):
    """What must not be sent twice was answered with another address; it may have been done here, there, or not at all."""

    code = "redirected"


class Rejected(CallProblem):
    """The backend answered no and did nothing."""

    code = "rejected"


class CredentialRefused(Rejected):
    """The backend does not accept the credential."""

    code = "credential_refused"


class RateLimited(Rejected):
    """Too many requests; `retry_after` is seconds, None when the backend did not say."""

    code = "rate_limited"

    def __init__(self, summary: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(summary, hint, status=429)
        self.retry_after = retry_after


class ServerError(CallProblem):
    """The backend answered that it broke; part of the work may have been done."""

    code = "server_error"


class BadReply(CallProblem):
    """The backend answered success and the body cannot be read as what was promised."""

    code = "bad_reply"
