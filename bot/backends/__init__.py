"""One package for each kind of control plane, and what their adapters share."""

import asyncio
import difflib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, TypeVar

from bot.core.command.params import Param
from bot.core.command.target_ref import TargetRef
from bot.core.errors import BadReply, BadRequest, CallProblem, NoSuchTarget
from bot.core.masking.redact import SecretList, redact
from bot.core.operation import Operation, Target
from bot.core.outcome import (
    Done,
    Failed,
    Health,
    LookBack,
    Named,
    Phase,
    RecentRun,
    Refused,
    RunView,
    Suggestion,
    Unknown,
)
from bot.core.ports.plugin import BackendSettings
from bot.core.ports.services import Call, Clock, TargetCache
from bot.core.text import sentences, written
from bot.http_client import HttpClient

T = TypeVar("T")
LOOK_FIRST: Final = 3.0  # seconds to see whether there is something to stop: an emergency stop isn't held up for longer
# The phases that `@failed`, `@running` and `@last` select.
SELECTED: Final[Mapping[str, frozenset[Phase]]] = {
    "failed": frozenset({Phase.FAILED}),
    "running": frozenset({Phase.ACTIVE, Phase.WAITING}),
    "last": frozenset(Phase),
}


class AdapterBase:
    """The default answers of ports.Backend; an adapter overrides those for which its vendor offers more."""

    name: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def check(self, operation: Operation) -> Refused | None:
        """None: only the vendor's reply shows whether the operation is possible."""
        return None

    async def this_run(self, operation: Operation) -> Target:
        """The target itself: it says exactly what is meant."""
        return operation.target

    async def form(self, target: Target) -> tuple[Param, ...]:
        """Empty: the vendor does not describe the parameters of single targets."""
        return ()

    async def parameter_names(self, target: Target) -> Sequence[str]:
        """Those that the vendor describes."""
        return [param.name for param in await self.form(target)]

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        """No facts for the approver."""
        return ()

    async def state_of(self, target: Target) -> str:
        """Empty: the target has no state to compare at approval and before the call."""
        return ""

    async def look_back(self, operation: Operation, sent_at: datetime, claimed: Collection[str] = ()) -> LookBack:
        """A result without a verdict: a call whose reply was lost can't be looked up, so its outcome stays unknown."""
        return LookBack(evidence="The control plane doesn't offer a way to look up this call.")

    def configured(self) -> Sequence[Named]:
        """Empty: the settings name no targets."""
        return ()

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """Empty: this kind has no runs to follow."""
        return {}

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """The run itself, when the target is one that can be polled."""
        if target.parent is None:
            raise BadRequest(f"`{target.text}` has no runs that Signalbox can follow.", code="no_runs")
        views = await self.poll(target.group, (target,))
        if target.id not in views:
            raise BadReply(f"The status of `{target.text}` can't be read.")
        return (RecentRun(id=target.id, view=views[target.id]),)


class ClientBase:
    """The calls of one vendor's API."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


SettingsT_co = TypeVar("SettingsT_co", bound=BackendSettings, covariant=True)
ClientT_co = TypeVar("ClientT_co", bound=ClientBase, covariant=True)


class FinderBase(ABC, Generic[SettingsT_co, ClientT_co]):
    """Turns what a person wrote into the one target that it means, and remembers targets."""

    def __init__(self, settings: SettingsT_co, target_cache: TargetCache, client: ClientT_co) -> None:
        self._backend = settings.name
        self._settings = settings
        self._target_cache = target_cache
        self._client = client

    @abstractmethod
    async def find(self, ref: TargetRef, kind: str | None) -> Target:
        """The target of `ref`; see ports.Backend.resolve."""

    def target(self, kind: str, id: str, name: str, **more: Any) -> Target:
        """A target of this backend, which rules see by its name unless `scope` says otherwise."""
        fields = {"kind": kind, "id": id, "name": name, "scope": f"{self._backend}:{name}", **more}
        return Target(backend=self._backend, **fields)

    def not_selected(self, ref: TargetRef, kind: str | None, hint: str) -> NoSuchTarget:
        """The problem with `@failed` where this backend picks no run by it; the same without it is offered."""
        whole = str(TargetRef(backend=self._backend, path=f"{kind}/{ref.path}" if kind else ref.path))
        return NoSuchTarget(f"`{self._backend}` can't pick a run by `@{ref.selector}`.", hint, (whole,))

    async def remembered(self, target: Target) -> Target:
        """The target, remembered for later look-ups."""
        await self._target_cache.remember([target])
        return target


FinderT_co = TypeVar("FinderT_co", bound=FinderBase[Any, Any], covariant=True)


@dataclass(frozen=True)  # no slots: a generic dataclass can't have them
class AdapterContext(Generic[SettingsT_co, ClientT_co, FinderT_co]):
    """What every handler of one backend gets: its settings, client, target finder, known names, clock and secrets."""

    settings: SettingsT_co
    client: ClientT_co
    finder: FinderT_co
    target_cache: TargetCache
    clock: Clock
    secrets: SecretList

    @property
    def name(self) -> str:
        """The backend's name."""
        return self.settings.name

    def clean(self, text: str) -> str:
        """The control plane's text on one line, without secrets."""
        return redact(" ".join(text.split()), self.secrets)[0]

    def hidden(self, text: str) -> str:
        """The control plane's text, line by line, without secrets."""
        return self.masked(text)[0]

    def masked(self, text: str) -> tuple[str, int]:
        """The output without secrets, and how many secrets were masked."""
        return redact(text, self.secrets)


ContextT = TypeVar(
    "ContextT", bound=AdapterContext[BackendSettings, ClientBase, FinderBase[BackendSettings, ClientBase]]
)
Handler = Callable[[Any, Operation, Call], Awaitable[Done | Refused | Failed | Unknown]]


class HandlerAdapter(AdapterBase, Generic[ContextT]):
    """An adapter with a finder, and a handler for each verb on each kind of target. Handlers get its context."""

    handlers: ClassVar[Mapping[tuple[str, str], Handler]]
    # By the kind of target; a kind that is not listed has no facts for the approver, or no state.
    facts: ClassVar[Mapping[str, Callable[[Any, Operation], Awaitable[Sequence[tuple[str, str]]]]]] = {}
    states: ClassVar[Mapping[str, Callable[[Any, Target], Awaitable[str]]]] = {}

    def __init__(self, ctx: ContextT) -> None:
        self.name = ctx.name
        self._ctx = ctx

    async def resolve(self, ref: TargetRef, kind: str | None) -> Target:
        """The exact target."""
        return await self._ctx.finder.find(ref, kind)

    async def run(self, operation: Operation, call: Call) -> Done | Refused | Failed | Unknown:
        """Run the operation, once. Raises BadRequest for a verb without a handler."""
        target = operation.target
        handler = self.handlers.get((operation.verb, target.kind))
        if handler is None:
            raise BadRequest(f"{target.backend} doesn't support `{operation.verb}` for targets of kind {target.kind}.")
        return await handler(self._ctx, operation, call)

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        """The facts for this kind of target."""
        ask = self.facts.get(operation.target.kind)
        return () if ask is None else await ask(self._ctx, operation)

    async def state_of(self, target: Target) -> str:
        """The state of this kind of target."""
        ask = self.states.get(target.kind)
        return "" if ask is None else await ask(self._ctx, target)

    async def close(self) -> None:
        """Log out where there is a session, and close the connections."""
        await self._ctx.client.close()


def selected(newest: Iterable[T], selector: str, phase: Callable[[T], Phase]) -> list[T]:
    """The runs that `@failed`, `@running` or `@last` means, the newest first. One that is active comes before one that waits."""
    found = [run for run in newest if phase(run) in SELECTED[selector]]
    return sorted(found, key=lambda run: selector == "running" and phase(run) is not Phase.ACTIVE)


def unknown(word: object) -> str:
    """The name of a state that the vendor doesn't document: `unknown (X)`, `unknown (nothing)`."""
    return f"unknown ({'nothing' if word in (None, '') else ' '.join(str(word).split())[:40]})"


def unnamed(count: int, row: str, *fields: str) -> str:
    """A sentence about rows of a list in which a field that names them can't be read; empty without any."""
    names = " or ".join(f"`{field}`" for field in fields)
    return f"{count} {row} can't be read, because {names} is missing." if count else ""


def check_same(backend: str, field: str, asked: str, got: str) -> None:
    """Raises BadReply when the backend answered for another id. Ignores case, and accepts an id that can't be read."""
    if got and asked.casefold() != got.casefold():
        raise BadReply(f"Asked for {asked[:80]}, {backend} answered with another `{field}`: {got[:80]}.")


def nearest(name: str, names: Iterable[str], cutoff: float = 0.5, most: int = 5) -> list[str]:
    """The most similar of these names, whatever their case, nearest first."""
    known = {one.casefold(): one for one in sorted(names)}
    return [known[match] for match in difflib.get_close_matches(name.casefold(), known, n=most, cutoff=cutoff)]


def of_run(run: Target | None, summary: str, view: RunView, **more: Any) -> Done:
    """The answer about one run. Its state begins the card, so the summary isn't repeated below it."""
    return Done(summary=summary, run=run, view=view, next=view.next, **{"beside": "", **more})


def named(target: Target, state: str = "", detail: str = "") -> Named:
    """A row of the list of targets."""
    return Named(target=target, text=written(target.backend, target.name), state=state, detail=detail)


def nothing_to(
    verb: str, why: str, *steps: Suggestion, last: str = "", hint: str = "", code: str = "nothing_runs"
) -> Refused:
    """The refusal to stop, pause or resume what doesn't run: `why`, so there is nothing to do. `last` is how the newest run
    ended."""
    return Refused(code=code, summary=sentences(f"{why}, so there is nothing to {verb}", last), hint=hint, next=steps)


async def readable(ask: Awaitable[T], *, within: float | None = None) -> T | None:
    """The answer, or None if it can't be read, or not in so many seconds: for what completes an answer, or checks a change
    before or after it."""
    try:
        async with asyncio.timeout(within):
            return await ask
    except (CallProblem, NoSuchTarget, TimeoutError):
        return None


async def and_seen(target_cache: TargetCache, backend: str, kinds: Sequence[str], found: list[Named]) -> list[Named]:
    """`found` plus the targets seen earlier that it lacks: for a list with rows that can't be read."""
    listed = {(one.target.kind, one.target.id) for one in found}
    seen = [target for kind in kinds for target, _ in await target_cache.known(backend, kind)]
    missing = [target for target in seen if (target.kind, target.id) not in listed]
    return [*found, *(named(one, "can't be read now") for one in missing)]


async def measured(clock: Clock, ask: Callable[[], Awaitable[Health]]) -> Health:
    """The health that `ask` returns, with its latency; a call problem counts as bad health."""
    began = clock.monotonic()
    try:
        found = await ask()
    except CallProblem as problem:
        found = Health(ok=False, summary=f"{problem.summary} {problem.hint}".strip())
    return found.model_copy(update={"latency_ms": (clock.monotonic() - began) * 1000})
