"""One package for each kind of control plane, and the answers that their adapters share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime

from bot.core.command.params import Param
from bot.core.errors import BadRequest, CallProblem
from bot.core.operation import Operation, Target
from bot.core.outcome import Health, LookBack, Named, RecentRun, Refused, RunView
from bot.core.ports.services import Clock, TargetCache
from bot.core.text import written


class AdapterBase:
    """The default answers of ports.Backend; an adapter overrides those for which its vendor offers more."""

    name: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def check(self, operation: Operation) -> Refused | None:
        """None: only the vendor's reply shows whether the operation is possible."""
        return None

    async def form(self, target: Target) -> tuple[Param, ...]:
        """Empty: the vendor does not describe the parameters of single targets."""
        return ()

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        """No facts for the approver."""
        return ()

    async def state_of(self, target: Target) -> str:
        """Empty: the target has no state to compare at approval and before the call."""
        return ""

    async def look_back(
        self, operation: Operation, sent_at: datetime, claimed: Collection[str] = frozenset()
    ) -> LookBack:
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
        views = await self.poll(target.group, (target,)) if target.parent is not None else {}
        if target.id not in views:
            raise BadRequest(f"`{target.text}` has no runs that Signalbox can follow.", code="no_runs")
        return (RecentRun(id=target.id, view=views[target.id]),)


async def and_seen(target_cache: TargetCache, backend: str, kinds: Sequence[str], found: list[Named]) -> list[Named]:
    """`found` plus the targets seen earlier that it lacks: for a list with rows that can't be read."""
    listed = {(one.target.kind, one.target.id) for one in found}
    seen = [target for kind in kinds for target, _ in await target_cache.known(backend, kind)]
    missing = [target for target in seen if (target.kind, target.id) not in listed]
    rows = [Named(target=one, text=written(backend, one.name), state="can't be read now") for one in missing]
    return [*found, *rows]


async def measured(clock: Clock, ask: Callable[[], Awaitable[Health]]) -> Health:
    """The health that `ask` returns, with its latency; a call problem counts as bad health."""
    began = clock.monotonic()
    try:
        found = await ask()
    except CallProblem as problem:
        found = Health(ok=False, summary=f"{problem.summary} {problem.hint}".strip())
    return found.model_copy(update={"latency_ms": (clock.monotonic() - began) * 1000})
