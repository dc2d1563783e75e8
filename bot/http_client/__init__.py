"""The HTTP client for control planes. A backend uses:

    http = client_for(settings, parts, auth=Bearer(settings.token))       # one per backend; opens nothing yet
    reply = await http.call("GET", f"/api/run/{segment(run_id)}", idempotent=True, missing=f"run {run_id}")
    run = reply.read(Run)                                                 # Run: a WireModel, whose odd fields are read around
    got = await http.download("GET", "/api/run/1/log", to=file, cap=1 << 30, idempotent=True)
    await http.close()

`client_for(settings, parts, *, auth=None, headers=(), deadline=30.0, concurrency=8, translate=None,
            base_url=None) -> HttpClient`
    takes `base_url` and `ca_file` from the settings, the name, clock and ids from the parts. `translate(status, body)`
    reads the vendor's error bodies: it returns the body that holds the message, or the Problem to raise (for 4xx except
    401, 403 and 429).

`HttpClient.call(method, path, *, query=(), json=None, content=None, stream=None, headers=(), auth=<the client's>,
                 base_url=None, idempotent=False, reads=False, missing=None, judge=..., renew_on=(401,), deadline=None,
                 cap=16 MB) -> Reply`
    `path` begins with `/` and is already percent-encoded (`segment` for one part of it). `query` is a sequence of pairs,
    encoded here, or a string that is sent as it is. `json` is any JSON value but null (a bare string too). `stream` is a function
    that returns a new iterator of the body for each attempt. `missing` names what a 404 means: with it a 404 raises
    NoSuchTarget, without it Rejected with status 404. `base_url` replaces the client's for one call.
    `idempotent` means that the call is idempotent. Only then is it sent again (429, 502, 503, 504, connection errors: at
    most twice more, including the library's own repeats, with growing pauses and Retry-After).
    `reads` marks a call that changes nothing although it is not a GET. `judge(reply)` raises the problem that a success means,
    for vendors that report errors with a success status: it counts like one with its own status. On a status of `renew_on`,
    the credential is renewed once.
    `deadline` is the timeout in seconds for everything: waiting for a slot, connecting, sending, reading, repeats.

`HttpClient.download(..., to=binary file, cap=bytes) -> Download`      the same parameters; the body is written to the file, at
    most `cap` bytes. A repeat starts the file again. `judge` sees a body of at most 16 KiB.

`Reply`     status, headers (lower-case names), body (bytes, unpacked); `.read(Model, "needed", ...)` and
            `.rows(Model, at=keys)` parse as in core/vendor_json, or raise BadReply, which names the field; `.value()` any
            JSON; `.text()`; `.empty`; `.date` the server's clock (aware) or None; `.media_type`.
`Download`  status, headers, media_type, size, sha256 (hex), head (the first 512 bytes).

Errors, all from bot.core.errors: NotSent when nothing was written (no slot, DNS, connection, TLS, the sign-in for a call
that is not idempotent, or a timeout before the first byte), Lost from the first written byte on, Redirected (a Lost) for a
redirect of a call that is not idempotent and a plain CallProblem for one that is, Rejected (other 4xx, `.status`),
CredentialRefused (401), its subclass Forbidden (403), RateLimited (`.retry_after`), ServerError (5xx), BadReply (success with
HTML, an oversized or a broken body), NoSuchTarget (see `missing`). A change whose first try may have had its effect (Lost,
ServerError) keeps that problem when a later try is refused, with the later status. Their text is for people and contains no
credential, query or header.
"""

from bot.http_client.auth import Auth, Basic, Bearer, Credential, Session
from bot.http_client.client import HttpClient, client_for
from bot.http_client.errors import forbidden, renewal
from bot.http_client.request import Judge, host_of, segment
from bot.http_client.response import Download, Reply

__all__ = [
    "Auth", "Basic", "Bearer", "Credential", "Download", "HttpClient", "Judge", "Reply", "Session", "client_for",
    "forbidden", "host_of", "renewal", "segment",
]  # fmt: skip
