"""Implements ports.Backend for one Resilio agent. Its targets are the agent itself and its current runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.backends import AdapterBase, measured
from bot.backends.resilio import changes, reads
from bot.backends.resilio.capabilities import AGENT, RUN, SPEC
from bot.backends.resilio.client import ResilioClient
from bot.backends.resilio.models import Client, Run
from bot.backends.resilio.presentation import bar, clean, client_facts, client_state, run_view, runs_text
from bot.backends.resilio.restart import restart
from bot.backends.resilio.settings import ResilioSettings
from bot.backends.resilio.states import run_state
from bot.core.adapter_context import SELECTED, handler_of
from bot.core.command.arguments import map_of, number_of, text_of
from bot.core.command.capability import KindSpec
from bot.core.command.params import duration_text
from bot.core.command.target_ref import TargetRef
from bot.core.errors import Ambiguous, BadRequest, CallProblem, NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Failed, Health, Level, LookBack, Named, RecentRun, Refused, RunView, Unknown
from bot.core.ports.services import BackendParts, Call
from bot.core.text import written

Handler = Callable[[ResilioClient, Operation, Call], Awaitable[Done | Unknown]]

_HANDLERS: Final[Mapping[tuple[str, str], Handler]] = {
    ("status", AGENT): reads.agent_status,
    ("status", RUN): reads.run_status,
    ("history", AGENT): reads.history,
    ("tags", AGENT): reads.tags,
    ("pause", AGENT): changes.pause,
    ("resume", AGENT): changes.resume,
    ("tag", AGENT): changes.tag,
    ("restart", AGENT): restart,
}
_NEAREST: Final = 5
_GROUP: Final = "runs"


class ResilioBackend(AdapterBase):
    """One configured agent; see ports.Backend."""

    spec: KindSpec = SPEC

    def __init__(self, settings: ResilioSettings, parts: BackendParts, client: ResilioClient) -> None:
        self.name = settings.name
        self._client = client
        self._target_cache = parts.target_cache
        self._clock = parts.clock

    async def resolve(self, ref: TargetRef, kind: str | None) -> Target:
        """The agent that answers now, by its device id, so an approval doesn't count for another agent at this address."""
        if ref.selector is not None:
            if kind is not None or ref.path:
                raise BadRequest(f"`@{ref.selector}` picks a run of the agent. Write `{self.name}:@{ref.selector}`.")
            return await self._selected(ref.selector)
        if kind == RUN:
            return await self._run(ref.path)
        agent = await self._client.client()
        if ref.path not in ("", agent.name, agent.deviceid):
            raise NoSuchTarget(
                f"{self.name} is one agent, called `{clean(agent.name)}`.",
                f"Write `{self.name}:` for it, or `{self.name}:run/NUMBER` for one of its runs.",
                nearest=(written(self.name),),
            )
        target = self._agent_target(agent)
        await self._target_cache.remember([target])
        return target

    def _agent_target(self, agent: Client) -> Target:
        return Target(
            backend=self.name,
            kind=AGENT,
            id=self._device(agent),
            name=agent.name or self._device(agent),
            scope=f"{self.name}:",
        )

    def _device(self, agent: Client) -> str:
        """The agent's device id; for agents before 4.x, which don't report one, their name or the backend's."""
        return agent.deviceid or agent.name or self.name

    def _run_target(self, run_id: int | str, agent: Client) -> Target:
        return Target(
            backend=self.name,
            kind=RUN,
            id=str(run_id),
            name=f"{RUN}/{run_id}",
            scope=f"{self.name}:{RUN}/{run_id}",
            group=_GROUP,
            parent=self._device(agent),
        )

    async def _run(self, run_id: str) -> Target:
        if not run_id.isascii() or not run_id.isdigit():
            raise BadRequest(f"Write the number of the run, like `{self.name}:run/543`.")
        agent = await self._client.client()
        try:
            await self._client.run(run_id)
        except NoSuchTarget as no:
            raise NoSuchTarget(
                no.summary, "The agent may no longer list runs that have ended.", nearest=await self._some_runs()
            ) from None
        return await self._remembered(self._run_target(run_id, agent))

    async def _some_runs(self) -> tuple[str, ...]:
        try:
            runs = await self._numbered_runs()
        except (CallProblem, NoSuchTarget):
            return ()
        return tuple(written(self.name, f"{RUN}/{run_id}") for run_id, _ in runs[:_NEAREST])

    async def _numbered_runs(self) -> list[tuple[int, Run]]:
        """The current runs that have a number, newest first."""
        runs = reads.newest_first(await self._client.runs())
        return [(run.run_id, run) for run in runs if run.run_id is not None]

    async def _selected(self, selector: str) -> Target:
        agent = await self._client.client()
        runs = await self._numbered_runs()
        found = [run_id for run_id, run in runs if run_state(run.status)[1] in SELECTED[selector]]
        if not found:
            raise NoSuchTarget(f"{self.name} has no {'' if selector == 'last' else f'{selector} '}run now.")
        if selector != "last" and len(found) > 1:
            texts = tuple(written(self.name, f"{RUN}/{run_id}") for run_id in found)
            raise Ambiguous(f"{self.name} has {len(found)} {selector} runs.", texts)
        return await self._remembered(self._run_target(found[0], agent))

    async def _remembered(self, target: Target) -> Target:
        await self._target_cache.remember([target])
        return target

    async def run(self, operation: Operation, call: Call) -> Done | Refused | Failed | Unknown:
        """Run the operation, once."""
        return await handler_of(_HANDLERS, operation)(self._client, operation, call)

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """All runs by one request. A run that is no longer listed is left out, because the API doesn't report how it ended."""
        wanted = {run.id for run in runs}
        listed = await self._client.runs()
        return {str(run.run_id): run_view(self.name, run) for run in listed if str(run.run_id) in wanted}

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """The current runs of the agent; it keeps no record of earlier ones."""
        if target.kind != AGENT:
            return await super().recent(target, count)
        runs = (await self._numbered_runs())[:count]
        return [RecentRun(id=str(run_id), view=run_view(self.name, run)) for run_id, run in runs]

    async def look_back(
        self, operation: Operation, sent_at: datetime, claimed: Collection[str] = frozenset()
    ) -> LookBack:
        """Checks for the state that the call leads to. A restart can't be looked up: the API doesn't report the start time."""
        if operation.verb == "tag":
            wanted = map_of(operation, "*")
            stored = {tag.name: tag.value or "" for tag in await self._client.tags()}
            if all(stored.get(name) == value for name, value in wanted.items()):
                return LookBack(found=Done(summary="The tags are set."), evidence="The agent shows them.")
            return LookBack(evidence="The agent doesn't show all of the tags.")
        if operation.verb not in ("pause", "resume", "restart"):
            return LookBack(evidence="This call only reads.")
        agent = await self._client.client()
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
            state, _ = run_state((await self._client.run(operation.target.id)).status)
            return (("State", state),)
        changed = await self._tags_before(operation) if operation.verb == "tag" else []
        agent = await self._client.client()
        facts = [(fact.label, str(fact.value)) for fact in client_facts(agent) if isinstance(fact.value, str)]
        try:
            facts.append(("Runs", runs_text(await self._client.runs())))
        except (CallProblem, NoSuchTarget):
            facts.append(("Runs", "can't be read"))
        if operation.verb == "pause":
            facts += _resumes(operation)
        return (*facts, *changed)

    async def _tags_before(self, operation: Operation) -> list[tuple[str, str]]:
        wanted = map_of(operation, "*")
        try:
            stored = {tag.name: tag.value or "" for tag in await self._client.tags()}
        except (CallProblem, NoSuchTarget):
            return [("Tags now", "can't be read")]
        return [
            (
                f"Tag {clean(name)}",
                f"{clean(stored[name])} becomes {clean(value)}" if name in stored else f"new: {clean(value)}",
            )
            for name, value in wanted.items()
        ]

    async def state_of(self, target: Target) -> str:
        """The state of a run, or whether the agent is paused and connected."""
        if target.kind == RUN:
            return run_state((await self._client.run(target.id)).status)[0]
        return client_state(await self._client.client()).text

    async def health(self) -> Health:
        """GET client; an agent that lost its Management Console is not well, although it answers."""

        async def ask() -> Health:
            agent = await self._client.client()
            state = client_state(agent)
            required = " It needs a restart." if agent.restart_required else ""
            who = clean(agent.name) or self.name
            return Health(ok=state.level is not Level.BAD, summary=f"{who} is {state.text}.{required}")

        found = await measured(self._clock, ask)
        return found.model_copy(update={"credential": self._client.credential_text()})

    async def targets(self) -> Sequence[Named]:
        """The agent and its current runs."""
        agent = await self._client.client()
        itself = Named(
            target=self._agent_target(agent),
            text=written(self.name),
            state=client_state(agent).text,
            detail=clean(agent.name),
        )
        runs: list[tuple[int, Run]] = []
        try:
            runs = await self._numbered_runs()
        except NoSuchTarget:
            pass
        except CallProblem as problem:
            itself = itself.model_copy(update={"detail": f"{itself.detail}; runs can't be read: {problem.summary}"})
        targets = [self._run_target(run_id, agent) for run_id, _ in runs]
        await self._target_cache.remember([itself.target, *targets])
        listed = [
            Named(
                target=target,
                text=written(self.name, target.name),
                state=run_state(run.status)[0],
                detail=f"{clean(run.name)} {bar(run.size_completed, run.size_total)}".strip(),
            )
            for target, (_, run) in zip(targets, runs, strict=True)
        ]
        return [itself, *listed]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _resumes(operation: Operation) -> list[tuple[str, str]]:
    seconds, until = number_of(operation, "for"), text_of(operation, "until")
    if seconds is not None:
        return [("Resumes", f"by itself after {duration_text(seconds)}")]
    return [("Resumes", f"by itself at {until}")] if until else []
