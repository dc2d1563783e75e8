"""The one place where an HTTP status or a transport error becomes an error of core/errors."""

import html
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp

from bot.core.errors import (
    BadReply,
    CallProblem,
    CredentialRefused,
    Forbidden,
    Lost,
    NoSuchTarget,
    NotSent,
    Problem,
    RateLimited,
    Redirected,
    Rejected,
    ServerError,
)
from bot.core.masking.redact import redact
from bot.core.text import capitalized, sentences
from bot.http_client.request import host_of
from bot.http_client.response import looks_html, media_type_of

LONGEST_SENTENCE: Final = 300
NO_SUCH_PAGE: Final = "no_such_page"  # a web page may come from another server and says little about the target
_BUSY: Final = frozenset({502, 503, 504})
_MESSAGE_KEYS: Final = (
    "message", "error_description", "errormessage", "detail", "description", "statusdescription", "title", "error",
    "reason", "msg", "errors", "statusmessage", "fault",
)  # fmt: skip
_DEEPEST: Final = 5
_TAGS: Final = re.compile(r"<(script|style)\b.{0,20000}?</\1>|<[^>]{0,2000}>", re.IGNORECASE | re.DOTALL)
_TITLE: Final = re.compile(r"<(title|h1)\b[^>]{0,200}>(.{1,300}?)</\1>", re.IGNORECASE | re.DOTALL)


def sentence_of(media_type: str, body: bytes, secrets: Iterable[str] = ()) -> str:
    """The message of an error body in at most 300 characters, without secrets; empty when there is none."""
    text = body[:65_536].decode("utf-8", "replace").strip()
    if looks_html(media_type, body):
        found = _TITLE.search(text)
        message = html.unescape(found[2] if found else _TAGS.sub(" ", text))
    else:
        message = _from_json(text) or ("" if text[:1] in ("{", "[") else text)
    clean, _ = redact(" ".join(message.split()), secrets)
    return clean if len(clean) <= LONGEST_SENTENCE else clean[: LONGEST_SENTENCE - 1].rstrip() + "…"


def _from_json(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return _words(value, 0)


def _words(value: Any, depth: int) -> str:
    if depth > _DEEPEST:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(item, depth + 1) for item in value[:3])))
    if isinstance(value, dict):
        return _words_of(value, depth)
    return ""


def _words_of(record: dict[str, Any], depth: int) -> str:
    folded = {key.lower(): item for key, item in record.items()}
    for key in _MESSAGE_KEYS:
        message = _words(folded.get(key), depth + 1)
        if message:
            return message
    # ASP.NET's `errors` object holds lists by field name.
    if depth:
        return "; ".join(filter(None, (_words(item, depth + 1) for item in list(record.values())[:3])))
    return ""


_MERELY_MISSING: Final = re.compile(
    r"[\w ']{0,60}(\bnot|n't) (be )?(found|exist)\.?", re.IGNORECASE
)  # says nothing new
_CHECK_PROXY: Final = "Check the network and `proxy`."


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds of a Retry-After header, given as a number or a date; None when absent or unreadable."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,6}", value):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())


def problem_of_status(
    name: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    url: str,
    now: datetime,
    secrets: Iterable[str] = (),
    idempotent: bool = False,
    missing: str | None = None,
) -> Problem | None:
    """The problem for a status; None for 2xx. `url` is only used to find the host of a redirect."""
    if 200 <= status < 300:
        return None
    message = sentence_of(media_type_of(headers), body, secrets)
    tail = f": {message}" if message else "."
    if 300 <= status < 400:
        return _redirect(name, status, headers, url, idempotent=idempotent)
    if status == 401:
        return CredentialRefused(
            f"{name} does not accept the credential ({status}){tail}",
            renewal(name),
            status=status,
        )
    if status == 403:
        return forbidden(name, message)
    if status == 407:
        host = host_of(url)
        return NotSent(
            f"Can't reach {name} at {host}: the proxy refused the connection with status 407.", _CHECK_PROXY, status=407
        )
    if status == 429:
        return RateLimited(f"{name} reports too many requests{tail}", retry_after=retry_after(headers, now))
    if status == 404 and missing is not None:
        page = looks_html(media_type_of(headers), body)
        silent = page or not message or _MERELY_MISSING.fullmatch(message)
        text = f"{name} has no {missing}." if silent else f"{name} found nothing for {missing}{tail}"
        return NoSuchTarget(text, code=NO_SUCH_PAGE if page else None)
    if status >= 500:
        return ServerError(f"{name} reports an internal error ({status}){tail}", status=status)
    if status < 200:
        return CallProblem(f"{name} answered with an unexpected status ({status}).", status=status)
    return Rejected(f"{name} refused the request ({status}){tail}", status=status)


def forbidden(name: str, reason: str) -> Forbidden:
    """The problem of a 403. Vendors use it for missing rights and for targets that can't do it now, so their reason decides."""
    if reason:
        return Forbidden(
            f"{name} refused the request (403): {reason}", f"If that is about rights, {_rights(name)}", status=403
        )
    what = f"{name} does not allow this account to do that (403)."
    return Forbidden(what, capitalized(_rights(name)), status=403)


def renewal(name: str) -> str:
    """What to do about a credential that isn't accepted. Administrators read it too, so it says what they do."""
    return f"An administrator renews the credential of `{name}` and restarts the bot."


def _rights(name: str) -> str:
    return f"an administrator checks the rights of the account in `{name}`."


def _redirect(name: str, status: int, headers: Mapping[str, str], url: str, *, idempotent: bool) -> Problem:
    """No 3xx proves that nothing was done. 303 answers a call that was carried out. Frameworks answer an accepted form with
    301 or 302. 307 and 308 ask for the same call elsewhere, but a proxy may send them after the server got the call. So a
    call that must be sent once counts as lost, and an idempotent one has failed."""
    host = host_of(urljoin(url, headers.get("location", ""))) if headers.get("location") else "nowhere"
    problem = CallProblem if idempotent else Redirected
    return problem(
        f"{name} answered with a redirect ({status}) to {host}, which is not followed.",
        "An administrator sets `base_url` to the final address.",
        code=Redirected.code,
        status=status,
    )


def problem_of_transport(name: str, host: str, error: BaseException, *, sent: bool) -> CallProblem:
    """NotSent or Lost for an error of the transport. Its own text is not used: it may contain the address with its query."""
    what = cause_of(error)
    if sent:
        return Lost(f"The request was sent to {name} at {host}, but its answer was lost: {what}.")
    hint = ""
    if "certificate" in what:
        hint = "Check `ca_file`, `client_cert` and the server's certificate."
    elif "proxy" in what or "name" in what:
        hint = _CHECK_PROXY
    return NotSent(f"Can't reach {name} at {host}: {what}.", hint)


def cause_of(error: BaseException) -> str:
    """Why a connection failed, in a few words; never the text of the error, which may contain an address."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and len(chain) < 6:
        chain.append(link)
        link = link.__cause__ or link.__context__
    names = {base.__name__ for item in chain for base in type(item).__mro__}
    refused = next((item for item in chain if isinstance(item, aiohttp.ClientHttpProxyError)), None)
    if refused is not None:
        return f"the proxy refused the connection with status {refused.status}"
    for known, words in _CAUSES:
        if known in names:
            return words
    return "connection problem"


# By class name, most specific first: one table for the errors of ssl, asyncio, aiohttp and httpx.
_CAUSES: Final = (
    ("ClientProxyConnectionError", "the proxy can't be reached"),
    ("SSLCertVerificationError", "its certificate isn't accepted"),
    ("ClientConnectorCertificateError", "its certificate isn't accepted"),
    ("SSLError", "no TLS connection could be made"),
    ("FileNotFoundError", "a file with certificates can't be read"),
    ("ClientConnectorDNSError", "its name can't be resolved"),
    ("gaierror", "its name can't be resolved"),
    ("ConnectionRefusedError", "connection refused"),
    ("ConnectionTimeoutError", "no connection in time"),
    ("SentTwice", "the connection was closed"),
    ("ServerDisconnectedError", "the connection was closed"),
    ("ConnectionResetError", "the connection was reset"),
    ("BrokenPipeError", "the connection was closed"),
    ("ClientPayloadError", "the answer was cut off"),
    ("ClientResponseError", "the answer isn't HTTP"),
    ("TimeoutError", "no answer in time"),
    ("ValueError", "the answer isn't HTTP"),
)


def passes(problem: Problem) -> bool:
    """Whether the same call may be accepted soon."""
    busy = isinstance(problem, ServerError) and problem.status in _BUSY
    return busy or isinstance(problem, RateLimited)


def after_unclear(first: Lost | ServerError | None, later: Problem) -> Problem:
    """The problem of a change whose `first` try may have had its effect: that a `later` try was refused doesn't undo it. That
    the target is gone is an answer. The status is that of the later try."""
    gone = isinstance(later, NoSuchTarget) and later.code != NO_SUCH_PAGE
    if first is None or gone or isinstance(later, Lost | ServerError | BadReply):
        return later
    status = later.status if isinstance(later, CallProblem) else None
    told = sentences(first.summary, f"Another try failed: {later.summary}")
    return type(first)(told, later.hint, first.code, status)


def withheld(name: str, *, sent: bool) -> CallProblem:
    """Another replica may do this work by now. An earlier attempt of the same call may have left."""
    if sent:
        return Lost(f"{name}: the request was not repeated, because this replica lost the database.")
    return NotSent(f"{name}: nothing was sent, because this replica lost the database.", "Try again.", "not_leading")
