"""An agent of the ACC with something in everything, and words that name its ids."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from bot.playground.planes.acc_jobs import Input
from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import Asked, ask
from tests.world import World


class Place(NamedTuple):
    """An agent with something in everything: ids as the control plane knows them."""

    path: str
    agent: str
    run: str
    job: str
    schedule: str
    other: str

    def __str__(self) -> str:
        return f"acc:{self.path}"


def place(env: World, *, job: Script | None = None) -> Place:
    """A new agent with a failed run, a job run of two, two schedules and two input files."""
    acc, number = env.acc, len(env.acc.world.agents)
    path = f"shop/case{number}"
    run, job_id, schedule, other = (str(uuid.uuid5(uuid.NAMESPACE_OID, f"{what}{number}")) for what in "rjso")
    agent = acc.add_agent(path, sessions=3, backup=True, data_files=("a.csv", "b.csv"))
    acc.add_run(path, ago=900, run_id=run, script=Script(end="Failure", errors=2, message="2 pages failed"))
    acc.add_job(path, ago=1_800, job_id=job_id, **({"script": job} if job is not None else {}))
    for key in (schedule, other):
        acc.add_schedule(
            path,
            scheduleId=key,
            cron="0 0 0 1",
            startTime="2026-01-05T06:30:00",
            timeZoneId="AUS Eastern Standard Time",
            isWindowless=True,
            isEnabled=True,
        )
    for name in ("input1.csv", "input2.csv"):
        acc.world.inputs[agent.agent_id][name] = Input(name, b"URL\r\n")
    return Place(path, agent.agent_id, run, job_id, schedule, other)


def filled(text: str, at: Place) -> str:
    """`{agent}` and its like replaced; `{place}` is the agent's path."""
    for name in ("agent", "run", "job", "schedule", "other"):
        text = text.replace(f"{{{name}}}", getattr(at, name))
    return text.replace("{place}", at.path)


async def typed(env: World, text: str, *, danger: bool) -> Asked:
    """Type it; what is dangerous is only sent once `Run it` was pressed."""
    asked = await ask(env, text)
    if danger:
        before = await asked.card("Dangerous: check before you run it")
        assert before["ephemeral"]
        await asked.press("Run it")
    assert await asked.ends() == "done"
    return asked


def change_of(asked: Asked, at: Place) -> Any:
    """The one change that the agent's ACC was asked for."""
    (call,) = [call for call in asked.calls if call.method != "GET" and at.agent in call.raw_path]
    return call
