"""The connections of one backend: a pool for idempotent calls, and a new connection for each other call.

A pooled connection that the server has closed fails only after the request was written, and then the outcome is unknown; a
new connection fails before. aiohttp also repeats GET, PUT and DELETE once when a connection breaks; `_once` forbids that,
because `client.py` counts and spaces all repeats. httpx over aiohttp takes a fifth of the CPU of httpx over httpcore.
"""

import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final, NamedTuple

import aiohttp
import httpx
import truststore
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from bot.core.errors import Lost, Problem, ServerError
from bot.core.network import DIRECT, Proxies
from bot.core.ports.plugin import ClientCertificate
from bot.core.ports.services import CHANGES


@dataclass(slots=True)
class Progress:
    """The progress of a call.

    `changes` tells whether the call may change something. `tries` counts the requests of one attempt. `sent` becomes true right
    before the first byte is written, unless `may_send` refuses then: `withheld`. `body_problem` is why the body can't be
    produced: then the request was cut off, so the backend did nothing. `unclear` is the problem of the first attempt at a change
    that may have had its effect.
    """

    may_send: Callable[[], bool] = lambda: True
    changes: bool = True
    tries: int = 0
    sent: bool = False
    withheld: bool = False
    body_problem: Problem | None = None
    unclear: Lost | ServerError | None = None


_COMMON: Final = {
    "Accept": "*/*", "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive", "User-Agent": "signalbox",
}  # fmt: skip
PROGRESS: Final[ContextVar[Progress]] = ContextVar("httpkit_progress")


async def watched(body: AsyncIterator[bytes], progress: Progress) -> AsyncIterator[bytes]:
    """The body. Records an error in it, because the library reports it as a connection error."""
    try:
        async for chunk in body:
            yield chunk
    except Problem as problem:
        progress.body_problem = problem
        raise


class Withheld(aiohttp.ClientError):
    """This process may not send anymore."""


class SentTwice(aiohttp.ClientError):
    """The library tried to send twice within one attempt."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    progress = PROGRESS.get()
    if progress.tries:
        raise SentTwice
    progress.tries += 1
    return await handler(request)


async def _writing(
    session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    progress = PROGRESS.get()
    if not progress.may_send():
        progress.withheld = True
        raise Withheld
    progress.sent = True
    changes = CHANGES.get()
    if changes is not None and progress.changes:
        changes.begun = True


class Tls(NamedTuple):
    """PEM files with CAs in addition to the system's, and the client certificate."""

    ca_files: tuple[str, ...] = ()
    certificate: ClientCertificate | None = None


def tls_context(tls: Tls) -> ssl.SSLContext:
    """A context that verifies with the system's CAs and those of `tls`. Verification can't be switched off."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for ca_file in tls.ca_files:
        context.load_verify_locations(cafile=ca_file)
    if tls.certificate is not None:
        with tempfile.NamedTemporaryFile() as key:  # mode 0600, deleted at once: OpenSSL only reads keys from files
            os.write(key.fileno(), tls.certificate.key.get_secret_value().encode())
            context.load_cert_chain(tls.certificate.file, key.name)
    return context


def through(proxies: Proxies) -> aiohttp.ClientMiddlewareType:
    """Sends each request through the proxy that the rule gives for its address, whatever the caller or environment says."""

    async def middleware(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        proxy = proxies.route(str(request.url)).proxy
        if proxy is None:
            request.update_proxy(None, None, None)
        else:
            url = URL(proxy)
            headers = None
            if url.user:  # the connector moves it to Proxy-Authorization
                headers = {"Authorization": aiohttp.encode_basic_auth(url.user, url.password or "")}
            request.update_proxy(url.with_user(None), None, headers)
        return await handler(request)

    return middleware


def open_session(proxies: Proxies, ca_file: str | None = None) -> aiohttp.ClientSession:
    """A session for Slack, with the same proxies and CAs as for the control planes."""
    context = tls_context(Tls(() if ca_file is None else (ca_file,)))
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(connector=connector, middlewares=(through(proxies),), trust_env=False)


def with_common(headers: Iterable[tuple[str, str]]) -> httpx.Headers:
    """The headers of a request; those that are given replace the common ones."""
    merged = httpx.Headers(_COMMON)
    merged.update(list(headers))
    return merged


def lane(context: ssl.SSLContext, concurrency: int, proxies: Proxies = DIRECT, *, pooled: bool) -> AiohttpTransport:
    """httpx's transport over aiohttp, without its client: HTTP/1.1, no redirects, no cookies, nothing from the environment."""

    def session() -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_writing)
        connector = (
            aiohttp.TCPConnector(ssl=context, limit=concurrency, keepalive_timeout=15.0)
            if pooled
            else aiohttp.TCPConnector(ssl=context, limit=concurrency, force_close=True)
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
            middlewares=(_once, through(proxies)),
            auto_decompress=False,
            skip_auto_headers=("Content-Type",),
        )

    return AiohttpTransport(verify=context, trust_env=False, client=session)
