"""The tree of errors. The class tells what is known about the call; its fields hold the text for people.

Problem                      code, summary, hint
|-- NoSuchTarget             the backend has no such thing
|-- Ambiguous                several things have that name
|-- BadRequest               the words or parameters are wrong; Signalbox itself decides that
`-- CallProblem              something about one call to a backend
    |-- NotSent              nothing was sent: connection refused, unknown host, TLS, timeout while connecting
    |-- Lost                 it was sent, and no usable answer came: the outcome is unknown
    |   `-- Redirected       a call that must not be sent twice was redirected (3xx): unknown too
    |-- Rejected             the backend answered no (4xx): it did nothing
    |   |-- CredentialRefused    401
    |   |   `-- Forbidden        403
    |   `-- RateLimited          429; `retry_after` seconds
    |-- ServerError          the backend failed (5xx): it may have done a part
    `-- BadReply             it answered with success, but the body can't be read
"""

from typing import Final


class Problem(Exception):
    """What went wrong, in text for people. `code` is stable and goes to the audit log. `link` leads to what the text names."""

    code = "problem"
    link: tuple[str, str] | None = None

    def __init__(self, summary: str, hint: str = "", code: str | None = None) -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint
        if code is not None:
            self.code = code


def code_of(error: BaseException) -> str:
    """The code of a problem. Of any other error only the type, because its text may hold a secret."""
    return error.code if isinstance(error, Problem) else type(error).__name__


class NoSuchTarget(Problem):
    """The backend has no such thing; `nearest` are names that exist."""

    code = "no_such_target"

    def __init__(self, summary: str, hint: str = "", nearest: tuple[str, ...] = (), code: str | None = None) -> None:
        super().__init__(summary, hint, code)
        self.nearest = nearest


class Ambiguous(Problem):
    """Several things have that name; `candidates` are their exact forms."""

    code = "ambiguous"

    def __init__(self, summary: str, candidates: tuple[str, ...]) -> None:
        more = f" and {len(candidates) - 10} more" if len(candidates) > 10 else ""
        super().__init__(summary, "Choose one: " + ", ".join(f"`{c}`" for c in candidates[:10]) + more)
        self.candidates = candidates


class BadRequest(Problem):
    """The words or parameters are wrong; nothing was sent."""

    code = "bad_request"


class CallProblem(Problem):
    """A problem with one call to a backend. `status` is the HTTP status, if any."""

    code = "call"

    def __init__(self, summary: str, hint: str = "", code: str | None = None, status: int | None = None) -> None:
        super().__init__(summary, hint, code)
        self.status = status


class NotSent(CallProblem):
    """Nothing was sent, so nothing happened."""

    code = "not_sent"


class Lost(CallProblem):
    """The request was sent and no usable answer came; all, part or none of it may have happened."""

    code = "reply_lost"


class Redirected(Lost):
    """A call that must not be sent twice was redirected. It may have been done here, there, or not at all."""

    code = "redirected"


class Rejected(CallProblem):
    """The backend answered no and did nothing."""

    code = "rejected"


class CredentialRefused(Rejected):
    """The backend does not accept the credential."""

    code = "credential_refused"


class Forbidden(CredentialRefused):
    """The backend knows the credential and refuses this call: the account may not make it, or the target can't take it now."""

    code = "forbidden"


class RateLimited(Rejected):
    """Too many requests; `retry_after` is seconds, None when the backend did not say."""

    code = "rate_limited"

    def __init__(self, summary: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(summary, hint, status=429)
        self.retry_after = retry_after


class ServerError(CallProblem):
    """The backend failed with a 5xx status; part of the work may have been done."""

    code = "server_error"


class BadReply(CallProblem):
    """The backend answered with success, but the body can't be read as documented."""

    code = "bad_reply"


# Problems of a control plane that may be over when the command is sent again.
MAY_PASS: Final = (NotSent, Lost, ServerError, BadReply, RateLimited, CredentialRefused)
