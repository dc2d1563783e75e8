"""Implements ports.Backend for the ACC: finds targets, passes operations to their handlers, follows runs, reports health."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import ClassVar, Final

from bot.all_of import all_of
from bot.backends import HandlerAdapter, measured, named
from bot.backends.sequentum import changes, files, reads, reconcile, start
from bot.backends.sequentum import preflight as before
from bot.backends.sequentum.capabilities import AGENT, JOB_RUN, RUN, SCHEDULE, SERVER, SPEC
from bot.backends.sequentum.client import AccClient
from bot.backends.sequentum.presentation import run_view, together, view_of
from bot.backends.sequentum.settings import SequentumSettings, ends_at, expiry_warning
from bot.backends.sequentum.targets import AdapterContext, Finder
from bot.core.command.capability import KindSpec
from bot.core.errors import BadRequest, NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import NOT_FOUND, Health, LookBack, Named, Phase, RecentRun, Refused, RunView
from bot.core.ports.services import BackendParts
from bot.http_client import Bearer, client_for

_STARTS: Final = frozenset({"start", "restart", "retry", "schedule start"})
# The history may list newer runs before those that are watched.
_PAGE: Final = 100
_MARGIN: Final = 50
_NOT_THERE: Final = "signalbox/health-check"


class SequentumBackend(HandlerAdapter[AdapterContext]):
    """One configured ACC; see ports.Backend."""

    spec: KindSpec = SPEC
    handlers: ClassVar = {
        ("status", AGENT): reads.agent_status,
        ("status", RUN): reads.run_status,
        ("status", JOB_RUN): reads.job_run_status,
        ("history", AGENT): reads.agent_history,
        ("history", JOB_RUN): reads.job_run_history,
        ("schedules", AGENT): reads.agent_schedules,
        ("health", SERVER): reads.server_health,
        ("logs", RUN): files.logs,
        ("logs", JOB_RUN): files.logs,
        ("data", RUN): files.data,
        ("data", JOB_RUN): files.data,
        ("start", AGENT): start.start,
        ("restart", RUN): start.restart,
        ("retry", RUN): start.retry,
        ("schedule start", SCHEDULE): start.start_schedule,
        ("schedule on", SCHEDULE): changes.switch,
        ("schedule on", AGENT): changes.switch,
        ("schedule off", SCHEDULE): changes.switch,
        ("schedule off", AGENT): changes.switch,
        ("schedule set", AGENT): changes.set_schedule,
        ("schedule delete", SCHEDULE): changes.delete_schedule,
        ("schedule delete", AGENT): changes.delete_schedule,
        ("input put", AGENT): files.put,
        ("input upload", AGENT): files.upload,
        ("input clear", AGENT): files.clear,
        ("input disable", AGENT): files.disable,
        ("mark", AGENT): changes.mark,
        ("agent approve", AGENT): changes.approve,
        ("agent disapprove", AGENT): changes.approve,
    }
    facts: ClassVar = dict.fromkeys((AGENT, RUN, JOB_RUN, SCHEDULE), before.preflight)
    states: ClassVar = dict.fromkeys((AGENT, RUN, JOB_RUN, SCHEDULE), before.state_of)

    def __init__(self, settings: SequentumSettings, parts: BackendParts) -> None:
        client = AccClient(client_for(settings, parts, auth=Bearer(settings.token)), settings.schedules_on_path)
        finder = Finder(settings, parts.target_cache, client)
        super().__init__(AdapterContext(settings, client, finder, parts.target_cache, parts.clock, parts.secrets))

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """All runs of one agent by one request for its history; runs not on that page are read one by one."""
        wanted = [id_ for run in runs if run.kind == RUN for id_ in run.together or (run.id,)]
        jobs = [run.id for run in runs if run.kind == JOB_RUN]
        views = await self._poll(RUN, group, wanted) | await self._poll(JOB_RUN, group, jobs)
        several = {run.id: {id_: views[id_] for id_ in run.together} for run in runs if run.together}
        return views | {id_: together(self.name, of_all) for id_, of_all in several.items()}

    async def _poll(self, kind: str, group: str, wanted: Sequence[str]) -> dict[str, RunView]:
        ctx, views = self._ctx, {}
        if wanted and group:
            listed = (await ctx.client.history(kind, group, max(_PAGE, len(wanted) + _MARGIN))).items
            views = {item.id: view_of(self.name, item, ctx.clean) for item in listed if item.id in wanted}

        async def one(id_: str) -> RunView:
            try:
                return view_of(self.name, await ctx.client.one(kind, id_), ctx.clean, id_)
            except NoSuchTarget as gone:
                return RunView(state=NOT_FOUND, phase=Phase.UNREADABLE, message=gone.summary)

        missing = [id_ for id_ in wanted if id_ not in views]
        return views | dict(zip(missing, await all_of(map(one, missing)), strict=True))

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """The newest runs of an agent, by one request for its history."""
        if target.kind == SCHEDULE:
            raise BadRequest(f"`{target.text}` has no runs that Signalbox can follow.", code="no_runs")
        if target.kind != AGENT:
            return await super().recent(target, count)
        runs = (await self._ctx.client.runs(target.id, count)).items[:count]
        return [RecentRun(id=run.id, view=run_view(self.name, run, self._ctx.clean)) for run in runs if run.id]

    async def parameter_names(self, target: Target) -> Sequence[str]:
        """The inputs of an agent, as far as they are known."""
        if target.kind != AGENT:
            return ()
        agent = await self._ctx.finder.agent(target.name)
        return [f"input.{name}" for name in await reconcile.known_inputs(self._ctx, agent)]

    async def look_back(self, operation: Operation, sent_at: datetime, claimed: Collection[str] = ()) -> LookBack:
        """Looks a start up in the history of the agent; of any other call, says which command shows its effect."""
        if operation.verb not in _STARTS:
            return LookBack(hint=reconcile.shows_effect(operation))
        return await reconcile.look_back(self._ctx, operation, sent_at, claimed)

    async def check(self, operation: Operation) -> Refused | None:
        """Refuses what can't have an effect. Raises BadRequest for a schedule of another agent."""
        return await before.check(self._ctx, operation)

    async def health(self) -> Health:
        """GET api/agent for a known or a made-up agent: that there is none is as good a sign of life."""
        ctx = self._ctx
        known = await ctx.target_cache.known(self.name, AGENT)
        paths = [target.name for target, _ in known if target.scope] or list(ctx.settings.agents) or [_NOT_THERE]
        ends = ends_at(ctx.settings.token.get_secret_value())
        warning = expiry_warning(ends, ctx.clock.now())

        async def ask() -> Health:
            with suppress(NoSuchTarget):
                await ctx.client.agent(paths[0])
            return Health(ok=True, summary=warning or f"{self.name} answers and accepts the token.")

        credential = warning or ("token without a readable expiry" if ends is None else "")
        found = await measured(ctx.clock, ask)
        return found.model_copy(update={"credential": credential, "credential_ends": ends})

    async def targets(self) -> Sequence[Named]:
        """The agents that were seen or configured: the vendor has no list of agents."""
        ctx = self._ctx
        known = [target for target, _ in await ctx.target_cache.known(self.name, AGENT) if target.scope]
        missing = [path for path in ctx.settings.agents if path not in {target.name for target in known}]
        few = asyncio.Semaphore(8)
        found = await all_of(self._configured(path, few) for path in missing)
        if known and not missing:  # the remembered ones say nothing about whether the ACC answers
            with suppress(NoSuchTarget):
                await ctx.client.agent(known[0].name)
        agents = [*known, *(target for target in found if isinstance(target, Target))]
        servers = [ctx.finder.server(server.name) for server in ctx.settings.servers]
        listed = [named(target) for target in (*agents, *servers)]
        return sorted(listed, key=lambda item: (item.target.kind != AGENT, item.text))

    def configured(self) -> Sequence[Named]:
        """The agents and servers of the settings. The path of an agent stands for its id, which only the vendor knows."""
        finder = self._ctx.finder
        agents = [finder.target(AGENT, path, path) for path in self._ctx.settings.agents]
        servers = [finder.server(server.name) for server in self._ctx.settings.servers]
        return [named(target) for target in (*agents, *servers)]

    async def _configured(self, path: str, few: asyncio.Semaphore) -> Target | None:
        try:
            async with few:
                return await self._ctx.finder.agent(path)
        except NoSuchTarget:
            return None
