"""The one way to speak HTTP to a control plane. What a backend uses:

    http = client_for(settings, parts, auth=Bearer(settings.token))       # one per backend; opens nothing yet
    reply = await http.call("GET", f"/api/run/{segment(run_id)}", repeat_safe=True, missing=f"run {run_id}")
    run = reply.read(Run)                                                 # Run: a WireModel, whose odd fields are read around
    got = await http.download("GET", "/api/run/1/log", to=file, cap=1 << 30, repeat_safe=True)
    await http.close()

`client_for(settings, parts, *, auth=None, headers=(), deadline=30.0, concurrency=8, translate=None,
            base_url=None) -> HttpClient`
    takes `base_url` and `ca_file` from the settings, the name, clock and chance from the parts. `translate(status, body)`
    reads the vendor's own error bodies: it gives back the body to take the sentence from, or the Problem to raise (which
    counts for 4xx but 401, 403 and 429).

`HttpClient.call(method, path, *, query=(), json=None, content=None, stream=None, headers=(), auth=<the client's>,
                 base_url=None, repeat_safe=False, missing=None, deadline=None, cap=16 MB) -> Reply`
    `path` begins with `/` and is already percent-encoded (`segment` for one part of it). `query` is a sequence of pairs,
    encoded here, or a string that is sent as it is. `json` is any JSON value but null (a bare string too). `stream` is a function
    that gives a fresh iterator of the body, so that a repeat can begin again. `missing` names what a 404 means: with it a
    404 raises NoSuchTarget, without it Rejected with status 404. `base_url` replaces the client's for one call.
    `repeat_safe` is the caller's word that the same call twice is as good as once: only then is anything ever sent again
    (429, 502, 503, 504, connection trouble: twice more at most, the library's own repeats included, with a growing pause,
    honouring Retry-After).
    `deadline` is seconds for everything: waiting for a slot, connecting, sending, reading, repeats.

`HttpClient.download(..., to=binary file, cap=bytes) -> Download`      the same words; the body goes to the file, at most
    `cap` bytes of it. A repeat begins the file again.

`Reply`     status, headers (lower-case names), body (bytes, unpacked); `.read(Model, "needed", ...)` and
            `.rows(Model, at=keys)` parse as core/vendor_json says, or raise BadReply that names the field; `.value()` any
            JSON; `.text()`; `.empty`; `.date` the server's clock (aware) or None; `.media_type`.
`Download`  status, headers, media_type, size, sha256 (hex), head (the first 512 bytes).

What is raised, all of bot.core.errors: NotSent when nothing of the request was written (no slot, name, connection, TLS,
sign-in of what must be sent once, deadline before that), Lost from the first written byte on, Redirected (a Lost) for a
redirect of what must be sent once and a plain CallProblem for one of what is safe, Rejected (other 4xx, `.status`),
CredentialRefused (401, 403), RateLimited (`.retry_after`), ServerError (5xx), BadReply (success with HTML, an oversized or
a broken body), NoSuchTarget (see `missing`). Their text is for people and holds no credential, no query and no header.

`auth.py`   `Credential(headers=, query=, base_url=, secrets=, lifetime=)`; `Bearer(token)`; `Basic(username, password)`;
            `Session(sign_in, clock, lifetime=)`, where
            `sign_in` is a coroutine function that returns a Credential (use `http.call(..., auth=None)` inside it). A session
            is renewed once at a time however many calls find it refused; after a renewal a call is sent again only when it
            is repeat-safe.
`urls.py`   `segment(text)` one part of a path; `host_of(url)`.
"""

from bot.http_client.auth import Auth, Basic, Bearer, Credential, Session
from bot.http_client.client import HttpClient
from bot.http_client.factory import client_for
from bot.http_client.response import Download, Reply
from bot.http_client.urls import host_of, segment

__all__ = [
    "Auth",
    "Basic",
    "Bearer",
    "Credential",
    "Download",
    "HttpClient",
    "Reply",
    "Session",
    "client_for",
    "host_of",
    "segment",
]
