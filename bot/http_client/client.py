"""HttpClient: every call to a control plane, with its timeout, size limits and exact outcome. See the package docstring.

The retries are our own: whether a call may be sent again depends on whether it is idempotent, whether its first byte was
sent, and on Retry-After, all within one timeout. Retry libraries repeat a function on an error and know none of these.
"""

from __future__ import annotations

import asyncio
import hashlib
import json as jsonlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import BinaryIO, Final, TypeVar, Unpack

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from bot.core import errors
from bot.core.masking.redact import SecretList
from bot.core.network import DIRECT, Proxies
from bot.core.ports.plugin import BackendSettings
from bot.core.ports.services import BackendParts, Clock, Ids
from bot.core.sign_in import SignInPause
from bot.http_client.auth import Auth, Credential, Fixed
from bot.http_client.errors import after_unclear, passes, problem_of_status, problem_of_transport, retry_after, withheld
from bot.http_client.request import HttpRequest, Options, host_of, query_text
from bot.http_client.response import Download, Reply, Unpacker, looks_html, media_type_of, unpacked
from bot.http_client.transport import PROGRESS, Progress, Tls, lane, tls_context, watched, with_common

T = TypeVar("T")
JSON_CAP: Final = 16 << 20
ERROR_CAP: Final = 64 << 10
CONNECT_TIMEOUT: Final = 10.0
FIRST_WITHIN: Final = 5.0  # seconds that other calls wait while a credential is tried
MOST_TRIES: Final = 3
LONGEST_PAUSE: Final = 20.0
_HEAD: Final = 16_384  # bytes of a download that are looked at: an error in place of it is no longer
# A ValueError is a header that can't be written, or a line of the reply that is too long.
_BROKEN: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, aiohttp.ClientError, OSError, ValueError)
# The client itself handles these (credentials, limits, server errors); a vendor's translation doesn't replace that.
_PLAINLY_NO: Final = frozenset(range(400, 500)) - {401, 403, 429}

# (status, body of an error) -> the body that holds the message, or the problem that it means
Translate = Callable[[int, bytes], "bytes | errors.Problem"]


class _Retry(Exception):
    """`problem` is raised if the attempt is not repeated; `pause` is the wait that the server asked for."""

    def __init__(self, problem: errors.Problem, pause: float | None) -> None:
        super().__init__()
        self.problem = problem
        self.pause = pause


class HttpClient:
    """All calls of one backend. `name` is used in every message; `chance` returns random numbers from 0 to 1.

    `secrets` are masked in the backend's text; fetched credentials are added. `translate` reads the vendor's error bodies.
    All calls must come from one event loop. `may_send` is asked last, right before a request leaves.
    """

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        clock: Clock,
        chance: Callable[[], float],
        auth: Auth | None = None,
        tls: Tls = Tls(),  # noqa: B008  a frozen value
        proxies: Proxies = DIRECT,
        headers: Iterable[tuple[str, str]] = (),
        secrets: Iterable[str] = (),
        deadline: float = 30.0,
        concurrency: int = 8,
        translate: Translate | None = None,
        may_send: Callable[[], bool] = lambda: True,
        sign_in: SignInPause | None = None,
    ) -> None:
        self.name = name
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._chance = chance
        self._auth = auth
        self._tls = tls
        self._proxies = proxies
        self._headers = tuple(headers)
        self._secrets = secrets if isinstance(secrets, SecretList) else SecretList(secrets)
        self._deadline = deadline
        self._concurrency = concurrency
        self._translate = translate
        self._may_send = may_send
        self._sign_in = sign_in or SignInPause()
        self._trying: asyncio.Future[None] | None = None
        self._slots = asyncio.Semaphore(concurrency)
        self._lanes: dict[bool, AiohttpTransport] = {}

    def __repr__(self) -> str:
        return f"HttpClient({self.name!r}, {host_of(self._base_url)!r})"

    async def call(
        self, method: str, path: str, *, deadline: float | None = None, cap: int = JSON_CAP, **options: Unpack[Options]
    ) -> Reply:
        """One call with its whole reply in memory. See the package docstring for parameters and errors."""
        request = self._request(method, path, options)

        async def take(response: httpx.Response, names: Mapping[str, str], pieces: AsyncIterator[bytes]) -> Reply:
            body = b"".join([piece async for piece in pieces])
            reply = Reply(self.name, response.status_code, names, body, f"{method} {path}")
            self._refuse_page(reply.media_type, body, reply.status)
            request.judge(reply)
            return reply

        return await self._within(request, cap, deadline, take)

    async def download(
        self,
        method: str,
        path: str,
        *,
        to: BinaryIO,
        cap: int,
        deadline: float | None = None,
        **options: Unpack[Options],
    ) -> Download:
        """One call whose reply is written to `to`, at most `cap` bytes. BadReply for a longer reply or a web page."""
        request = self._request(method, path, options)

        async def take(response: httpx.Response, names: Mapping[str, str], pieces: AsyncIterator[bytes]) -> Download:
            to.seek(0)
            to.truncate()
            digest, size, head = hashlib.sha256(), 0, b""
            async for piece in pieces:
                head += piece[: _HEAD - len(head)]
                digest.update(piece)
                size += len(piece)
                try:
                    to.write(piece)
                except OSError:
                    raise errors.CallProblem(
                        f"{self.name}: the reply can't be saved; the disk may be full.", code="disk"
                    ) from None
            self._refuse_page(media_type_of(names), head, response.status_code)
            if size == len(head):
                request.judge(Reply(self.name, response.status_code, names, head, f"{method} {path}"))
            return Download(response.status_code, names, size, digest.hexdigest(), head)

        return await self._within(request, cap, deadline, take)

    async def close(self) -> None:
        """Close every connection. A later call would open new ones."""
        lanes, self._lanes = self._lanes, {}
        for used in lanes.values():
            await used.aclose()

    def _request(self, method: str, path: str, options: Options) -> HttpRequest:
        options.setdefault("auth", self._auth)
        request = HttpRequest(method, path, **options)
        headers = (*self._headers, *request.headers)
        if request.json is None:
            return replace(request, headers=headers)
        body = jsonlib.dumps(request.json, ensure_ascii=False, allow_nan=False).encode()
        return replace(request, content=body, headers=(*headers, ("Content-Type", "application/json")))

    async def _within(self, request: HttpRequest, cap: int, deadline: float | None, take: _Take[T]) -> T:
        """All attempts under one timeout. Errors are raised outside the handler, so that they hold no reference to a request."""
        seconds = self._deadline if deadline is None else deadline
        progress = Progress(self._may_send, changes=request.changes)
        problem: errors.Problem
        try:
            async with asyncio.timeout(seconds):
                return await self._attempts(request, cap, take, progress)
        except errors.Problem as found:
            problem = found
        except TimeoutError as late:
            problem = problem_of_transport(self.name, self._host(request), late, sent=progress.sent)
        problem = after_unclear(progress.unclear, problem)
        problem.__context__ = problem.__cause__ = None
        raise problem

    async def _attempts(self, request: HttpRequest, cap: int, take: _Take[T], progress: Progress) -> T:
        renewed, tries = False, 0
        while True:
            tries += 1
            credential = await self._credential(request)
            self._secrets.add(*credential.known())
            try:
                async with self._slots, self._first_alone(request):
                    if isinstance(request.auth, Fixed):  # sessions ask when they sign in
                        self._sign_in.check(self.name, self._clock.now())
                    found = await self._attempt(request, credential, cap, take, progress)
                    if isinstance(request.auth, Fixed):
                        self._sign_in.accepted()
                    return found
            except errors.Rejected as refused:
                progress.sent = False
                if renewed or request.auth is None or refused.status not in request.renew_on:
                    raise
                renewed = True
                await self._renew(request, request.auth, credential, refused)
            except _Retry as again:
                if tries >= MOST_TRIES or not request.idempotent or (again.pause or 0.0) > LONGEST_PAUSE:
                    raise again.problem from None
                if request.changes and isinstance(again.problem, errors.Lost | errors.ServerError):
                    progress.unclear = progress.unclear or again.problem
                progress.sent = progress.sent and not isinstance(again.problem, errors.Rejected)
                # Full jitter over a doubling bound, so that clients that failed together don't retry together.
                pause = again.pause if again.pause is not None else 0.1 + self._chance() * 0.4 * 2 ** (tries - 1)
                await self._clock.sleep(pause)

    @asynccontextmanager
    async def _first_alone(self, request: HttpRequest) -> AsyncIterator[None]:
        """Let one call at a time try a fixed credential that was not accepted yet: an answer may say nothing about it (503).
        Others wait at most FIRST_WITHIN."""
        fixed = isinstance(request.auth, Fixed)
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_WITHIN):
                while fixed and not self._sign_in.proven and self._trying is not None:
                    await asyncio.wait({self._trying})
        if not fixed or self._sign_in.proven or self._trying is not None:
            yield
            return
        trying = self._trying = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            self._trying = None
            trying.set_result(None)

    async def _credential(self, request: HttpRequest) -> Credential:
        if request.auth is None:
            return Credential()
        reason = ""
        try:
            return await request.auth.credential()
        except (errors.Lost, errors.ServerError, errors.BadReply) as problem:
            if request.idempotent:
                raise
            reason = problem.summary
        # The sign-in failed, so the call itself was never sent.
        raise errors.NotSent(f"{self.name}: nothing was sent, because signing in failed. {reason}")

    async def _renew(self, request: HttpRequest, auth: Auth, credential: Credential, refused: errors.Rejected) -> None:
        if await auth.renew(credential) is None and isinstance(refused, errors.CredentialRefused):
            raise self._sign_in.refused(self.name, refused, self._clock.now())
        if not request.idempotent and refused.status != 401:  # maybe it was not about the credential
            raise refused
        if not request.idempotent:
            raise errors.CredentialRefused(
                f"{self.name} ended the session. Signalbox signed in again, but did not repeat the request.",
                "Run it again.",
                status=refused.status,
            )

    async def _attempt(
        self, request: HttpRequest, credential: Credential, cap: int, take: _Take[T], progress: Progress
    ) -> T:
        # `sent` stays true over the attempts: a later failure to connect doesn't undo an earlier attempt.
        progress.tries = 0
        token = PROGRESS.set(progress)
        try:
            response = await self._send(request, credential, progress)
            try:
                return await self._receive(request, credential, response, cap, take)
            finally:
                await response.aclose()
        except _BROKEN as error:
            if progress.withheld:
                raise withheld(self.name, sent=progress.sent) from None
            if progress.body_problem is not None:
                raise progress.body_problem from None
            raise _Retry(
                problem_of_transport(self.name, self._host(request, credential), error, sent=progress.sent), None
            ) from None
        finally:
            PROGRESS.reset(token)

    async def _send(self, request: HttpRequest, credential: Credential, progress: Progress) -> httpx.Response:
        headers = [*request.headers, *credential.headers]
        if not all(value.isascii() and value.isprintable() for _, value in headers):
            raise errors.NotSent(
                f"{self.name}: nothing was sent, because a header or the credential contains characters that can't be sent."
            )
        pooled = request.idempotent
        if pooled not in self._lanes:
            self._lanes[pooled] = lane(tls_context(self._tls), self._concurrency, self._proxies, pooled=pooled)
        prepared = httpx.Request(
            request.method,
            self._url(request, credential),
            headers=with_common(headers),
            content=request.content if request.stream is None else watched(request.stream(), progress),
            extensions={"timeout": {"connect": CONNECT_TIMEOUT, "pool": CONNECT_TIMEOUT}},
        )
        return await self._lanes[pooled].handle_async_request(prepared)

    async def _receive(
        self, request: HttpRequest, credential: Credential, response: httpx.Response, cap: int, take: _Take[T]
    ) -> T:
        names = {name.lower(): value for name, value in response.headers.items()}
        failed = not response.is_success
        unpacker = Unpacker(self.name, names.get("content-encoding", ""))
        pieces = unpacked(response.aiter_raw(), unpacker, ERROR_CAP if failed else cap, self.name)
        if not failed:
            try:
                return await take(response, names, pieces)
            except errors.Problem as judged:
                raise (_Retry(judged, retry_after(names, self._clock.now())) if passes(judged) else judged) from None
        body = await self._error_body(pieces)
        translated = self._translate(response.status_code, body) if self._translate is not None else body
        if isinstance(translated, errors.Problem):
            absent = response.status_code == 404 and request.missing is not None
            if response.status_code in _PLAINLY_NO and not absent:
                raise translated
            translated = body
        problem = problem_of_status(
            self.name,
            response.status_code,
            names,
            translated,
            url=self._url(request, credential),
            now=self._clock.now(),
            secrets=self._secrets,
            idempotent=request.idempotent,
            missing=request.missing,
        )
        if problem is not None and passes(problem):
            raise _Retry(problem, retry_after(names, self._clock.now()))
        raise problem or errors.BadReply(f"{self.name} answered with an unexpected status.")

    async def _error_body(self, pieces: AsyncIterator[bytes]) -> bytes:
        """As much of an error's body as can be read: the status alone already decides the outcome."""
        body = b""
        with suppress(errors.BadReply, *_BROKEN):
            async for piece in pieces:
                body += piece
        return body

    def _refuse_page(self, media_type: str, head: bytes, status: int) -> None:
        if head.strip() and looks_html(media_type, head):
            raise errors.BadReply(
                f"{self.name} answered {status} with a web page, maybe from a sign-in page or a proxy.",
                "Check `base_url` and whether the credential is still valid.",
                status=status,
            )

    def _base(self, request: HttpRequest, credential: Credential) -> str:
        return (request.base_url or credential.base_url or self._base_url).rstrip("/")

    def _host(self, request: HttpRequest, credential: Credential = Credential()) -> str:  # noqa: B008 (a frozen, empty value)
        return host_of(self._base(request, credential))

    def _url(self, request: HttpRequest, credential: Credential) -> str:
        query = "&".join(filter(None, (query_text(request.query), query_text(credential.query))))
        return f"{self._base(request, credential)}{request.path}" + (f"?{query}" if query else "")


_Take = Callable[[httpx.Response, Mapping[str, str], AsyncIterator[bytes]], Awaitable[T]]


def chance_of(ids: Ids) -> Callable[[], float]:
    """Random numbers from 0 to 1, made from the Ids port."""

    def chance() -> float:
        return int(hashlib.sha256(ids.secret().encode()).hexdigest()[:8], 16) / 0xFFFF_FFFF

    return chance


def client_for(
    settings: BackendSettings,
    parts: BackendParts,
    *,
    auth: Auth | None = None,
    headers: Sequence[tuple[str, str]] = (),
    deadline: float = 30.0,
    concurrency: int = 8,
    translate: Translate | None = None,
    base_url: str | None = None,
) -> HttpClient:
    """The client of one configured backend."""
    return HttpClient(
        settings.base_url if base_url is None else base_url,
        name=parts.name,
        clock=parts.clock,
        chance=chance_of(parts.ids),
        auth=auth,
        tls=Tls(settings.authorities, settings.client_certificate),
        proxies=settings.proxies,
        headers=headers,
        secrets=parts.secrets,
        deadline=deadline,
        concurrency=concurrency,
        translate=translate,
        may_send=parts.may_send,
        sign_in=parts.sign_in,
    )
