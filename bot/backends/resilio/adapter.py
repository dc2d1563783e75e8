"""Implements ports.Backend for one Resilio agent. Its targets are the agent itself and its current runs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from bot.backends import HandlerAdapter, measured, named, readable
from bot.backends.resilio import operations
from bot.backends.resilio.capabilities import AGENT, RUN, SPEC
from bot.backends.resilio.client import ResilioClient, TokenKeeper
from bot.backends.resilio.models import Run
from bot.backends.resilio.presentation import bar, client_facts, client_state, run_state, run_view, runs_text
from bot.backends.resilio.settings import ResilioSettings
from bot.backends.resilio.targets import AdapterContext, Finder
from bot.core.command.capability import KindSpec
from bot.core.command.params import map_of, number_of
from bot.core.errors import CallProblem, NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import Binds, Done, Health, Level, LookBack, Named, RecentRun, RunView, Unread, Weighs
from bot.core.ports.services import BackendParts
from bot.core.text import seconds_words, written
from bot.http_client import client_for


class ResilioBackend(HandlerAdapter[AdapterContext]):
    """One configured agent; see ports.Backend."""

    spec: KindSpec = SPEC
    handlers: ClassVar = {
        ("status", AGENT): operations.agent_status,
        ("status", RUN): operations.run_status,
        ("history", AGENT): operations.history,
        ("tags", AGENT): operations.tags,
        ("pause", AGENT): operations.pause,
        ("resume", AGENT): operations.resume,
        ("tag", AGENT): operations.tag,
        ("restart", AGENT): operations.restart,
    }

    def __init__(self, settings: ResilioSettings, parts: BackendParts) -> None:
        http = client_for(settings, parts, concurrency=4)
        keeper = TokenKeeper(http, parts.clock) if settings.token_auth else None
        client = ResilioClient(http, keeper, settings.refused_statuses)
        finder = Finder(settings, parts.target_cache, client)
        super().__init__(AdapterContext(settings, client, finder, parts.target_cache, parts.clock, parts.secrets))

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """All runs by one request. A run that is no longer listed is left out, because the API doesn't report how it ended."""
        wanted = {run.id for run in runs}
        listed = await self._ctx.client.runs()
        return {
            str(run.run_id): run_view(self.name, run, self._ctx.clean) for run in listed if str(run.run_id) in wanted
        }

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """The current runs of the agent; it keeps no record of earlier ones."""
        if target.kind != AGENT:
            return await super().recent(target, count)
        runs = (await self._ctx.finder.numbered_runs())[:count]
        clean = self._ctx.clean
        return [
            RecentRun(id=str(run_id), view=run_view(self.name, run, clean), job=clean(run.name)) for run_id, run in runs
        ]

    async def look_back(self, operation: Operation, sent_at: datetime, claimed: Collection[str] = ()) -> LookBack:
        """Checks for the state that the call leads to. A restart can't be looked up: the API doesn't report the start time."""
        if operation.verb == "tag":
            wanted = map_of(operation, "*")
            stored = {tag.name: tag.value or "" for tag in await self._ctx.client.tags()}
            if all(stored.get(name) == value for name, value in wanted.items()):
                return LookBack(found=Done(summary="The tags are set."), evidence="The agent shows them.")
            return LookBack(evidence="The agent doesn't show all of the tags.")
        if operation.verb not in ("pause", "resume", "restart"):
            return LookBack(evidence="This call only reads.")
        agent = await self._ctx.client.client()
        if operation.verb == "restart":
            return LookBack(
                evidence=f"The agent answers and is {client_state(agent).text}; it doesn't report how long it has been running."
            )
        if agent.paused is (operation.verb == "pause"):
            word = "paused" if agent.paused else "not paused"
            return LookBack(found=Done(summary=f"The agent is {word}."), evidence="The agent reports it.")
        return LookBack(absent=agent.paused is not None, evidence=f"The agent is {client_state(agent).text}.")

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        """The agent's state and current runs; for tags, their present values."""
        if operation.target.kind == RUN:
            state, _ = run_state((await self._ctx.client.run(operation.target.id)).status)
            return (("State", state),)
        changed = await self._tags_before(operation) if operation.verb == "tag" else []
        agent = await self._ctx.client.client()
        facts = [
            (fact.label, str(fact.value))
            for fact in client_facts(agent, self._ctx.clean)
            if isinstance(fact.value, str)
        ]
        runs = await readable(self._ctx.client.runs())
        facts.append(Weighs("Runs", "can't be read" if runs is None else runs_text(runs)))
        seconds = number_of(operation, "for")
        if operation.verb == "pause" and seconds is not None:
            facts.append(("Resumes", f"automatically after {seconds_words(seconds)}"))
        return (*facts, *changed)

    async def _tags_before(self, operation: Operation) -> list[tuple[str, str]]:
        wanted, clean = map_of(operation, "*"), self._ctx.clean
        tags = await readable(self._ctx.client.tags())
        if tags is None:
            return [Unread("Tags now", "can't be read")]
        stored = {tag.name: tag.value or "" for tag in tags}
        return [
            Binds(
                f"Tag {clean(name)}",
                f"{clean(stored[name])} becomes {clean(value)}" if name in stored else f"new: {clean(value)}",
            )
            for name, value in wanted.items()
        ]

    async def state_of(self, target: Target) -> str:
        """The state of a run, or whether the agent is paused (`unknown` when it doesn't say) and connected."""
        if target.kind == RUN:
            return run_state((await self._ctx.client.run(target.id)).status)[0]
        agent = await self._ctx.client.client()
        return f"{'unknown, ' if agent.paused is None else ''}{client_state(agent).text}"

    async def health(self) -> Health:
        """GET client; an agent that lost its Management Console is not well, although it answers."""

        async def ask() -> Health:
            agent = await self._ctx.client.client()
            state = client_state(agent)
            required = " It needs a restart." if agent.restart_required else ""
            who = self._ctx.clean(agent.name) or self.name
            return Health(ok=state.level is not Level.BAD, summary=f"{who} is {state.text}.{required}")

        found = await measured(self._ctx.clock, ask)
        return found.model_copy(update={"credential": self._ctx.client.credential_text()})

    async def targets(self) -> Sequence[Named]:
        """The agent and its current runs."""
        agent = await self._ctx.client.client()
        itself = Named(
            target=self._ctx.finder.agent_target(agent),
            text=written(self.name),
            state=client_state(agent).text,
            detail=self._ctx.clean(agent.name),
        )
        runs: list[tuple[int, Run]] = []
        try:
            runs = await self._ctx.finder.numbered_runs()
        except NoSuchTarget:
            pass
        except CallProblem as problem:
            itself = itself.model_copy(update={"detail": f"{itself.detail}; runs can't be read: {problem.summary}"})
        targets = [self._ctx.finder.run_target(run_id, agent) for run_id, _ in runs]
        await self._ctx.target_cache.remember([itself.target, *targets])
        listed = [
            named(
                target,
                run_state(run.status)[0],
                f"{self._ctx.clean(run.name)} {bar(run.size_completed, run.size_total)}".strip(),
            )
            for target, (_, run) in zip(targets, runs, strict=True)
        ]
        return [itself, *listed]
