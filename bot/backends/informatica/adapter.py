"""The adapter of an organization: it finds targets, passes operations to their handlers, follows runs and reports health."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final

from bot.backends import LOOK_FIRST, HandlerAdapter, and_seen, measured, named, readable
from bot.backends.informatica import agents, schedules, services, tasks
from bot.backends.informatica.capabilities import AGENT, ORG, SCHEDULE, SERVICE, SPEC, TASK
from bot.backends.informatica.client import InfaClient
from bot.backends.informatica.login import SignIn, translated
from bot.backends.informatica.models import Agent
from bot.backends.informatica.presentation import schedule_word
from bot.backends.informatica.settings import InformaticaSettings
from bot.backends.informatica.states import newest, of_service, service_state
from bot.backends.informatica.targets import AdapterContext, Finder, split_service
from bot.core.command.capability import KindSpec
from bot.core.errors import CallProblem, NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import Fact, Health, LookBack, Named, RecentRun, Refused, RunView
from bot.core.ports.services import BackendParts
from bot.core.text import first_of, plural, utc_text
from bot.http_client import client_for

_READ_BACK: Final = frozenset({"start", "stop", "restart"})


class InformaticaBackend(HandlerAdapter[AdapterContext]):
    """One configured organization; see ports.Backend."""

    spec: KindSpec = SPEC
    handlers: ClassVar = {
        ("status", SERVICE): services.status,
        ("status", AGENT): agents.status,
        ("status", TASK): tasks.status,
        ("status", SCHEDULE): schedules.status,
        ("history", TASK): tasks.history,
        ("history", AGENT): agents.history,
        ("schedules", ORG): schedules.listing,
        ("logs", TASK): tasks.session_log,
        ("start", SERVICE): services.move,
        ("stop", SERVICE): services.move,
        ("restart", SERVICE): services.restart,
        ("start", TASK): tasks.start,
        ("stop", TASK): tasks.stop,
        ("schedule on", SCHEDULE): schedules.switch,
        ("schedule off", SCHEDULE): schedules.switch,
    }
    facts: ClassVar = {SERVICE: services.preflight, TASK: tasks.preflight, SCHEDULE: schedules.preflight}
    states: ClassVar = {
        SERVICE: services.state_of,
        TASK: tasks.state_of,
        SCHEDULE: schedules.state_of,
        AGENT: agents.state_of,
    }

    def __init__(self, settings: InformaticaSettings, parts: BackendParts) -> None:
        accept = (("Accept", "application/json"),)
        http = client_for(settings, parts, headers=accept, translate=translated, base_url=settings.login_url)
        client = InfaClient(http, SignIn(settings, http, parts.clock, parts.sign_in), parts.clock, settings)
        finder = Finder(settings, parts.target_cache, client)
        super().__init__(AdapterContext(settings, client, finder, parts.target_cache, parts.clock, parts.secrets))

    async def check(self, operation: Operation) -> Refused | None:
        """Refuses a stop of what doesn't run. What can't be read, or not soon, may be stopped."""
        target = operation.target
        if operation.verb != "stop":
            return None
        return await readable((tasks if target.kind == TASK else services).check(self._ctx, target), within=LOOK_FIRST)

    async def this_run(self, operation: Operation) -> Target:
        """A stop of a task means the job that runs now."""
        if (operation.verb, operation.target.kind) != ("stop", TASK):
            return operation.target
        return await tasks.with_run(self._ctx, operation.target)

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """Starts and stops of services by one read of their agent; jobs by the monitor and the log."""
        moved = [run for run in runs if run.kind == SERVICE]
        jobs = [run for run in runs if run.kind == TASK]
        views = await services.views_of(self._ctx, group, moved) if moved else {}
        return views | (await tasks.views_of(self._ctx, group, jobs) if jobs else {})

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """The running job of a task and those that ended, from the monitor and the log; of a run that is followed, itself."""
        if target.kind != TASK or target.parent is not None:
            return await super().recent(target, count)
        return await tasks.recent(self._ctx, target, count)

    async def look_back(self, operation: Operation, sent_at: datetime, claimed: Collection[str] = ()) -> LookBack:
        """Looks the call up in the details of the agent or the jobs of the task; any other call may be sent again."""
        if operation.verb not in _READ_BACK:
            return LookBack()
        if operation.target.kind == TASK:
            return await tasks.look_back(self._ctx, operation, sent_at, claimed)
        return await services.look_back(self._ctx, operation, sent_at)

    async def health(self) -> Health:
        """Lists the agents. A refused sign-in is reported as such and not tried again."""
        found = await measured(self._ctx.clock, self._health)
        return found.model_copy(update={"credential": self._credential()})

    async def _health(self) -> Health:
        listed = await self._ctx.client.agents()
        away = [agent.name for agent in listed if not agent.active]
        good = not listed or len(away) < len(listed)
        answers = f"answers; {len(listed) - len(away)} of {len(listed)} agents are active"
        none = f"has {plural(len(listed), 'agent')}, none of them active"
        summary = f"{self.name} {answers if good else none}."
        facts = (Fact(label="Not active", value=first_of(away, 10, ", ")),) if away else ()
        return Health(ok=good, summary=summary, facts=facts)

    def _credential(self) -> str:
        sign_in = self._ctx.client.sign_in
        if sign_in.refused:
            return "sign-in refused; not retried now"
        if sign_in.since is None:
            return "not signed in yet"
        where = f" to {sign_in.organization}" if sign_in.organization else ""
        return f"signed in{where} since {utc_text(sign_in.since)}; renewed by itself"

    async def targets(self) -> Sequence[Named]:
        """Agents with their services, schedules, and what was seen before: stopped services and tasks."""
        ctx = self._ctx
        found: dict[tuple[str, str], Named] = {}
        listed_agents = await ctx.client.all_details()
        for agent in listed_agents:
            if agent.federated_id and agent.id and agent.name:
                target = ctx.finder.agent_target(agent.name, agent.federated_id, agent.id)
                await ctx.target_cache.remember([target])
                await self._services_of(agent, target, found)
        for schedule in await self._schedules():
            found[schedule.target.kind, schedule.target.id] = schedule
        for known, _ in await ctx.target_cache.known(self.name, TASK):
            found[TASK, known.id] = named(known)
        order, listed = (AGENT, SERVICE, TASK, SCHEDULE, ORG), list(found.values())
        if not all(agent.federated_id and agent.id and agent.name and not agent.odd for agent in listed_agents):
            listed = await and_seen(ctx.target_cache, self.name, (AGENT, SERVICE), listed)
        return sorted(listed, key=lambda one: (order.index(one.target.kind), one.text))

    async def _services_of(self, agent: Agent, target: Target, found: dict[tuple[str, str], Named]) -> None:
        ctx = self._ctx
        found[AGENT, target.id] = named(target, "active" if agent.active else "not active")
        for service in await ctx.finder.learn(target, agent):
            name = split_service(service)[1]
            version = newest(of_service(agent, name)).appversion or ""
            found[SERVICE, service.id] = named(service, service_state(agent, name).text, version)
        for service in await ctx.finder.seen_services(target):
            if (SERVICE, service.id) not in found:
                state = f"not known: {agent.unseen}" if agent.unseen else "not listed: stopped"
                found[SERVICE, service.id] = named(service, state, "seen before")

    async def _schedules(self) -> list[Named]:
        """The schedules; one row says so if the account can't read them, and the rest of the list is still shown."""
        ctx = self._ctx
        try:
            listed = [one for one in await ctx.client.schedules() if one.id and one.name]
        except (CallProblem, NoSuchTarget) as problem:
            return [named(ctx.finder.organization(), "schedules can't be read", problem.summary)]
        rows = [named(ctx.finder.schedule_target(one), schedule_word(one), one.interval or "") for one in listed]
        await ctx.target_cache.remember([one.target for one in rows])
        return rows
