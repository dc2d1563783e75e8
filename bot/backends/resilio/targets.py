"""Turns what a person wrote into the agent itself or one of its current runs."""

from bot import backends
from bot.backends import SELECTED, FinderBase, readable
from bot.backends.resilio.capabilities import AGENT, RUN
from bot.backends.resilio.client import ResilioClient
from bot.backends.resilio.models import Client, Run
from bot.backends.resilio.presentation import run_state
from bot.backends.resilio.settings import ResilioSettings
from bot.core.command.target_ref import TargetRef
from bot.core.errors import Ambiguous, BadRequest, NoSuchTarget
from bot.core.operation import Target
from bot.core.text import written


def newest_first(runs: list[Run]) -> list[Run]:
    """Newest first, by their numbers, which grow."""
    return sorted(runs, key=lambda run: -1 if run.run_id is None else run.run_id, reverse=True)


class Finder(FinderBase[ResilioSettings, ResilioClient]):
    """Finds the agent and its runs."""

    async def find(self, ref: TargetRef, kind: str | None) -> Target:
        """The agent that answers now, by its device id, so an approval doesn't count for another agent at this address."""
        if ref.selector is not None:
            if kind is not None or ref.path:
                raise BadRequest(
                    f"`@{ref.selector}` picks a run of the agent. Write `{self._backend}:@{ref.selector}`."
                )
            return await self._selected(ref.selector)
        if kind == RUN:
            return await self._run(ref.path)
        agent = await self._client.client()
        if ref.path not in ("", agent.name, agent.deviceid):
            raise NoSuchTarget(
                f"{self._backend} is one agent, called `{agent.name}`.",
                f"Write `{self._backend}:` for it, or `{self._backend}:run/NUMBER` for one of its runs.",
                nearest=(written(self._backend),),
            )
        return await self.remembered(self.agent_target(agent))

    def agent_target(self, agent: Client) -> Target:
        """The agent as a target."""
        device = self._device(agent)
        return self.target(AGENT, device, agent.name or device, scope=f"{self._backend}:")

    def _device(self, agent: Client) -> str:
        """The agent's device id; for agents before 4.x, which don't report one, their name or the backend's."""
        return agent.deviceid or agent.name or self._backend

    def run_target(self, run_id: int | str, agent: Client) -> Target:
        """A run as a target."""
        return self.target(RUN, str(run_id), f"{RUN}/{run_id}", group="runs", parent=self._device(agent))

    async def _run(self, run_id: str) -> Target:
        if not run_id.isascii() or not run_id.isdigit():
            raise BadRequest(f"Write the number of the run, like `{self._backend}:run/543`.")
        agent = await self._client.client()
        try:
            await self._client.run(run_id)
        except NoSuchTarget as no:
            runs = await readable(self.numbered_runs()) or []
            near = tuple(written(self._backend, f"{RUN}/{run_id}") for run_id, _ in runs[:5])
            raise NoSuchTarget(no.summary, "The agent may no longer list runs that have ended.", near) from None
        return await self.remembered(self.run_target(run_id, agent))

    async def numbered_runs(self) -> list[tuple[int, Run]]:
        """The current runs that have a number, newest first."""
        runs = newest_first(await self._client.runs())
        return [(run.run_id, run) for run in runs if run.run_id is not None]

    async def _selected(self, selector: str) -> Target:
        agent = await self._client.client()
        runs = await self.numbered_runs()
        found = [run_id for run_id, run in runs if run_state(run.status)[1] in SELECTED[selector]]
        if not found:
            raise NoSuchTarget(f"{self._backend} has no {'' if selector == 'last' else f'{selector} '}run now.")
        if selector != "last" and len(found) > 1:
            texts = tuple(written(self._backend, f"{RUN}/{run_id}") for run_id in found)
            raise Ambiguous(f"{self._backend} has {len(found)} {selector} runs.", texts)
        return await self.remembered(self.run_target(found[0], agent))


AdapterContext = backends.AdapterContext[ResilioSettings, ResilioClient, Finder]
