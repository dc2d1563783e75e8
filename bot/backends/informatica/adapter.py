"""The organization behind the Backend port: finds the target, hands the operation to its handler, follows, tells its health."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.backends.informatica import agents, logs, schedules, services, tasks
from bot.backends.informatica.capabilities import AGENT, ORG, ROWS, SCHEDULE, SERVICE, TASK
from bot.backends.informatica.client import InfaClient
from bot.backends.informatica.context import AdapterContext
from bot.backends.informatica.keys import split_service
from bot.backends.informatica.models import Agent
from bot.backends.informatica.presentation import schedule_word
from bot.backends.informatica.settings import InformaticaSettings
from bot.backends.informatica.states import newest, service_words
from bot.backends.informatica.targets import Finder
from bot.core.adapter_context import handler_of
from bot.core.command.capability import BackendRows
from bot.core.command.params import Param
from bot.core.command.target_ref import TargetRef
from bot.core.errors import CallProblem, CredentialRefused
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, Failed, Health, LookBack, Named, Refused, RunView, Unknown
from bot.core.ports.services import BackendParts, Call
from bot.core.text import utc_text, written

Handler = Callable[[AdapterContext, Operation, Call], Awaitable[Done | Failed | Refused]]

_HANDLERS: Final[Mapping[tuple[str, str], Handler]] = {
    ("status", SERVICE): services.status,
    ("status", AGENT): agents.status,
    ("status", TASK): tasks.status,
    ("status", SCHEDULE): schedules.status,
    ("history", TASK): tasks.history,
    ("history", AGENT): agents.history,
    ("schedules", ORG): schedules.listing,
    ("logs", TASK): logs.session_log,
    ("start", SERVICE): services.start,
    ("stop", SERVICE): services.stop,
    ("restart", SERVICE): services.restart,
    ("start", TASK): tasks.start,
    ("stop", TASK): tasks.stop,
    ("schedule on", SCHEDULE): schedules.switch_on,
    ("schedule off", SCHEDULE): schedules.switch_off,
}
_READ_BACK: Final = frozenset({"start", "stop", "restart"})


class InformaticaBackend:
    """One configured organization; see ports.Backend."""

    rows: BackendRows = ROWS

    def __init__(
        self, settings: InformaticaSettings, parts: BackendParts, client: InfaClient, secrets: tuple[str, ...]
    ) -> None:
        self.name = settings.name
        finder = Finder(settings, parts.names, client)
        self._ctx = AdapterContext(settings, client, finder, parts.names, parts.clock, secrets)

    def __repr__(self) -> str:
        return f"InformaticaBackend({self.name!r})"

    async def resolve(self, ref: TargetRef, kind: str | None) -> Target:
        """The exact target."""
        return await self._ctx.finder.find(ref, kind)

    async def run(self, operation: Operation, call: Call) -> Done | Refused | Failed | Unknown:
        """Do it, once."""
        return await handler_of(_HANDLERS, operation)(self._ctx, operation, call)

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """Starts and stops of services by one reading of their agent, jobs by the monitor and the log."""
        moved = [run for run in runs if run.kind == SERVICE]
        jobs = [run for run in runs if run.kind == TASK]
        views: dict[str, RunView] = {}
        if moved:
            views |= await services.views_of(self._ctx, group, moved)
        if jobs:
            views |= await tasks.views_of(self._ctx, group, jobs)
        return views

    async def look_back(self, operation: Operation, sent_at: datetime) -> LookBack:
        """By the details of the agent, or by the jobs of the task; anything else may simply be done again."""
        if operation.verb not in _READ_BACK:
            return LookBack(evidence="This call ends in the same state when it is made twice, so it may be made again.")
        if operation.target.kind == TASK:
            return await tasks.look_back(self._ctx, operation, sent_at)
        return await services.look_back(self._ctx, operation, sent_at)

    async def check(self, operation: Operation) -> Refused | None:
        """What fits the row can be sent; of what stands against it, the vendor's answer alone tells."""
        return None

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        """Jobs that run now, states, sibling services, last outcomes."""
        target = operation.target
        if target.kind == SERVICE:
            return await services.preflight(self._ctx, target)
        if target.kind == TASK:
            return await tasks.preflight(self._ctx, target)
        if target.kind == SCHEDULE:
            return await schedules.preflight(self._ctx, target)
        return ()

    async def form(self, target: Target) -> tuple[Param, ...]:
        """The vendor describes no parameters of single targets."""
        return ()

    async def state_of(self, target: Target) -> str:
        """The state in one phrase."""
        if target.kind == SERVICE:
            return await services.state_of(self._ctx, target)
        if target.kind == TASK:
            return await tasks.state_of(self._ctx, target)
        if target.kind == SCHEDULE:
            return await schedules.state_of(self._ctx, target)
        if target.kind == AGENT:
            return "active" if (await self._ctx.client.details(target.group)).active else "not active"
        return ""

    async def health(self) -> Health:
        """Lists the agents. A refused sign-in is said as such and not tried again."""
        ctx, clock = self._ctx, self._ctx.clock
        began = clock.monotonic()
        try:
            listed = await ctx.client.agents()
        except CallProblem as problem:
            latency = (clock.monotonic() - began) * 1000
            return Health(ok=False, summary=problem.summary, latency_ms=latency, credential=self._credential())
        latency = (clock.monotonic() - began) * 1000
        away = [agent.name for agent in listed if not agent.active]
        summary = f"{ctx.name} answers; {len(listed) - len(away)} of {len(listed)} agents are active."
        facts = (Fact(label="Not active", value=", ".join(away[:10])),) if away else ()
        return Health(ok=True, summary=summary, latency_ms=latency, credential=self._credential(), facts=facts)

    def _credential(self) -> str:
        sign_in = self._ctx.client.sign_in
        if sign_in.refused:
            return "sign-in refused; not tried again with this secret"
        if sign_in.since is None:
            return "not signed in yet"
        where = f" to {sign_in.organization}" if sign_in.organization else ""
        return f"signed in{where} since {utc_text(sign_in.since)}; renewed by itself"

    async def targets(self) -> Sequence[Named]:
        """Agents and their services, schedules, and what was seen before: stopped services, and tasks."""
        ctx = self._ctx
        found: dict[tuple[str, str], Named] = {}
        for agent in await ctx.client.all_details():
            if agent.federated_id:
                target = ctx.finder.agent_target(agent.name, agent.federated_id, agent.id)
                await ctx.names.remember([target])
                await self._services_of(agent, target, found)
        for schedule in await self._schedules():
            found[SCHEDULE, schedule.target.id] = schedule
        for known, _ in await ctx.names.known(self.name, TASK):
            found[TASK, known.id] = Named(target=known, text=written(self.name, known.name))
        order = (AGENT, SERVICE, TASK, SCHEDULE)
        return sorted(found.values(), key=lambda one: (order.index(one.target.kind), one.text))

    async def _services_of(self, agent: Agent, target: Target, found: dict[tuple[str, str], Named]) -> None:
        ctx = self._ctx
        state = "active" if agent.active else "not active"
        found[AGENT, target.id] = Named(target=target, text=written(self.name, target.name), state=state)
        for service in await ctx.finder.learn(target, agent):
            name = split_service(service)[1]
            latest = newest([one for one in agent.services if one.app_display_name == name])
            words = service_words(latest)[0]
            found[SERVICE, service.id] = Named(
                target=service, text=written(self.name, service.name), state=words, detail=latest.appversion or ""
            )
        for service in await ctx.finder.seen_services(target):
            if (SERVICE, service.id) not in found:
                state = "not listed: stopped" if agent.active else "not listed: the agent is not active"
                found[SERVICE, service.id] = Named(
                    target=service, text=written(self.name, service.name), state=state, detail="seen before"
                )

    async def _schedules(self) -> list[Named]:
        """The schedules; an account without the right to see them still has its agents listed."""
        ctx = self._ctx
        try:
            listed = await ctx.client.schedules()
        except CredentialRefused:
            return []
        named = []
        for schedule in listed:
            target = ctx.finder.schedule_target(schedule)
            text = written(self.name, target.name)
            named.append(Named(target=target, text=text, state=schedule_word(schedule), detail=schedule.interval or ""))
        await ctx.names.remember([one.target for one in named])
        return named

    async def close(self) -> None:
        """Log out and close the connections."""
        await self._ctx.client.close()
