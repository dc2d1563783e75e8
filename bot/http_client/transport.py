"""The two lanes of connections of one backend: a pool for what may be repeated, and a connection of its own for each
call that may not.

Why a lane of its own: a pooled connection that the server closed meanwhile fails only after the request was written, and
then nobody knows what happened; a new connection fails before. aiohttp would further repeat GET, PUT and DELETE once by
itself when a connection breaks, new or not; `_once` forbids that: what is tried again is counted and paused in `client.py`.
Measured in perf.md section 5: httpx over aiohttp takes a fifth of the CPU of httpx over httpcore.
"""

from __future__ import annotations

import logging
import os
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import SimpleNamespace
from typing import Final, NamedTuple

import aiohttp
import httpx
import truststore
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from bot.core.errors import Problem
from bot.core.network import DIRECT, Proxies
from bot.core.ports.plugin import ClientCertificate

_KEEP_ALIVE: Final = 15.0


@dataclass(slots=True)
class Progress:
    """How far a call is.

    `tries` counts the requests of one attempt; `sent` turns true right before the first byte is written. `body_problem` is why
    the body could not be produced: the request was cut off by us, so the backend did nothing.
    """

    tries: int = 0
    sent: bool = False
    body_problem: Problem | None = None


PROGRESS: Final[ContextVar[Progress]] = ContextVar("httpkit_progress")


async def watched(body: AsyncIterator[bytes], progress: Progress) -> AsyncIterator[bytes]:
    """The body; a problem with it is noted, because the library below reports it as trouble with the connection."""
    try:
        async for chunk in body:
            yield chunk
    except Problem as problem:
        progress.body_problem = problem
        raise


class SentTwice(aiohttp.ClientError):
    """The library was about to send again within one attempt."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    progress = PROGRESS.get()
    if progress.tries:
        raise SentTwice
    progress.tries += 1
    return await handler(request)


async def _writing(
    session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    PROGRESS.get().sent = True


def quiet_logs() -> None:
    """httpx writes every address with its query at INFO, and queries of some vendors carry credentials."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() < logging.WARNING:
            logger.setLevel(logging.WARNING)


class Tls(NamedTuple):
    """PEM files with authorities in addition to the system's, and the certificate that the bot shows."""

    ca_files: tuple[str, ...] = ()
    certificate: ClientCertificate | None = None


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Verification by the system's authorities and those of `tls`. There is no context without verification."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for ca_file in tls.ca_files:
        context.load_verify_locations(cafile=ca_file)
    if tls.certificate is not None:
        with tempfile.NamedTemporaryFile() as key:  # mode 0600, and gone at once: OpenSSL reads keys from files only
            os.write(key.fileno(), tls.certificate.key.get_secret_value().encode())
            context.load_cert_chain(tls.certificate.file, key.name)
    return context


def through(proxies: Proxies) -> aiohttp.ClientMiddlewareType:
    """Sends each request the way that the rule says for its address, whatever the caller or the environment asked for."""

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
    """A session for Slack: the same proxies and authorities as for the control planes."""
    context = tls_context(Tls(() if ca_file is None else (ca_file,)))
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(connector=connector, middlewares=(through(proxies),), trust_env=False)


def lane(
    context: ssl.SSLContext,
    concurrency: int,
    proxies: Proxies = DIRECT,
    *,
    pooled: bool,
) -> httpx.AsyncClient:
    """An httpx client over aiohttp: HTTP/1.1, no redirects, no cookies, nothing from the environment."""

    def session() -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_writing)
        connector = (
            aiohttp.TCPConnector(ssl=context, limit=concurrency, keepalive_timeout=_KEEP_ALIVE)
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

    return httpx.AsyncClient(
        transport=AiohttpTransport(verify=context, trust_env=False, client=session),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept-Encoding": "gzip, deflate", "User-Agent": "signalbox"},
    )
