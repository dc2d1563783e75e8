"""Idempotent changes: schedules, marks, approvals."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from bot.backends import readable
from bot.backends.sequentum.capabilities import AGENT, NEW_SCHEDULE, SCHEDULE
from bot.backends.sequentum.models import Schedule, is_iana, moment, near_zones, windows_zone
from bot.backends.sequentum.states import JOB, MARKS, named
from bot.backends.sequentum.targets import AdapterContext
from bot.core.command.params import map_of, text_of
from bot.core.errors import BadReply, BadRequest, CallProblem, NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact
from bot.core.ports.services import Call
from bot.core.text import first_of, suggest
from bot.core.value import Json

_SCHEDULE_IDS: Final = UUID("5d0e1f0c-6c1b-4d0b-9a55-3f1f6a1d7c20")
# Parameters of `schedule set`, and the fields that stay as they are without them.
_KEPT: Final = {
    "cron": "cron",
    "start": "startTime",
    "zone": "timeZoneId",
    "session": "sessionId",
    "input": "inputParameters",
    "log_level": "logLevel",
    "windowless": "isWindowless",
    "enabled": "isEnabled",
}


async def switch(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/job/schedule/ID/on or /off, api/job/ID/schedules/on or /off (SEED): switch one or all of an agent on or off.

    The bot ends a pause by itself.
    """
    on = operation.verb == "schedule on"
    target, word, other = operation.target, *(("on", "off") if on else ("off", "on"))
    if not on:
        await _note_enabled(ctx, operation, call)
    if target.kind == AGENT:
        await ctx.client.switch_schedules(target.id, on=on)
        summary = f"All schedules of {target.owner} are {word}."
    else:
        await ctx.client.switch_schedule(target.id, on=on)
        summary = f"The schedule{_of(target)} is {word}."
    back = suggest(f"Switch {other}", f"schedule {other}", target)
    return Done(summary=summary, next=(back,))


async def _note_enabled(ctx: AdapterContext, operation: Operation, call: Call) -> None:
    """Note the schedules to switch off that are on now: the end of a pause switches on exactly these.

    A schedule whose agent is unknown can't be read, and counts as on. The list of an agent is always read, so that pauses of its
    schedules are linked to it.
    """
    target = operation.target
    timed = operation.params.get("for") is not None or operation.params.get("until") is not None
    if target.kind == SCHEDULE and (target.parent is None or not timed):
        if timed:
            await call.note_enabled([target])
        return
    try:
        schedules = await ctx.client.schedules(target.parent or target.id)
    except (CallProblem, NoSuchTarget):
        if timed:
            raise
        return
    if target.kind == SCHEDULE:
        schedules = [item for item in schedules if item.id == target.id]
    if timed and any(item.is_enabled is None or (item.is_enabled and not item.id) for item in schedules):
        raise BadReply(
            f"{ctx.name} lists a schedule whose `scheduleId` or `isEnabled` can't be read, so nothing was switched off.",
            "The end of the pause couldn't switch it on again. To switch off without an end, leave out `for=` and `until=`.",
        )
    if target.kind == AGENT:
        await ctx.finder.learn(SCHEDULE, [item.id for item in schedules], target)
    if timed:
        await call.note_enabled(
            [
                target if target.kind == SCHEDULE else ctx.finder.part(SCHEDULE, item.id, target)
                for item in schedules
                if item.is_enabled and item.id
            ]
        )


def _of(schedule: Target) -> str:
    return f" of {schedule.parent_name}" if schedule.parent_name else ""


async def delete_schedule(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """DELETE api/job/schedule/ID or api/job/ID/schedules (SEED): delete one schedule, or all of an agent."""
    target = operation.target
    if target.kind == AGENT:
        await ctx.client.delete_schedules(target.id)
        return Done(summary=f"All schedules of {target.owner} are deleted.")
    await ctx.client.delete_schedule(target.id)
    return Done(summary=f"The schedule{_of(target)} is deleted.", unlinked=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """The request of `schedule set`. `known` False: the zone has no Windows name and is sent as written."""

    body: dict[str, Json]
    old: Schedule | None
    zone: str
    known: bool


async def plan_schedule(ctx: AdapterContext, operation: Operation) -> Plan:
    """Read the present schedules and check the request; raises BadRequest for an id that doesn't belong to this agent.

    The ACC changes any schedule with that id, even another agent's, which the rules for this agent don't cover. The id
    of a new schedule is derived from the request, so that the same request can never make two.
    """
    wanted = text_of(operation, "id")
    old = await _old(ctx, operation.target, wanted) if wanted else None
    schedule_id = old.id if old else str(uuid5(_SCHEDULE_IDS, operation.request_id))
    zone, known = _zone(ctx, operation, old)
    return Plan(_body(operation, schedule_id, zone, old), old, zone, known)


async def _old(ctx: AdapterContext, agent: Target, wanted: str) -> Schedule:
    schedules = await ctx.client.schedules(agent.id)
    old = next((item for item in schedules if item.id.casefold() == wanted.casefold()), None)
    if old is not None:
        return old
    has = f"It has {first_of((f'`{item.id}`' for item in schedules), 10, ', ')}." if schedules else "It has none."
    raise BadRequest(
        f"{agent.name} has no schedule `{wanted[:80]}`. {has}", "Leave `id=` out to add a new one.", "no_such_schedule"
    )


async def set_schedule(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/job/ID/schedule (SEED): add a schedule, or change one; what you leave out stays as it is."""
    agent, plan = operation.target, await plan_schedule(ctx, operation)
    body, old, zone, known = plan.body, plan.old, plan.zone, plan.known
    schedule_id = str(body["scheduleId"])
    await ctx.client.set_schedule(agent.id, body)
    target = ctx.finder.part(SCHEDULE, schedule_id, agent)
    await ctx.target_cache.remember([target])
    # As the ACC stored it, for its description and next time; the change itself is already done.
    listed = await readable(ctx.client.schedules(agent.id)) or []
    stored = next((item for item in listed if item.id == schedule_id), None)
    facts = [
        Fact(label="When", value=ctx.clean((stored and stored.cron_description) or str(body["cron"]))),
        Fact(label="First time", value=f"{body['startTime']} ({zone})"),
        Fact(label="Switched", value="on" if body["isEnabled"] else "off"),
    ]
    if stored and stored.next_run_time:
        facts.append(Fact(label="Next run", value=moment(stored.next_run_time)))
    if not known:
        facts.append(Fact(label="Warning", value=f"the zone {zone} has no Windows name and was sent as you wrote it"))
    return Done(
        summary=f"A schedule of {agent.name} was {'changed' if old else 'added'}.",
        facts=tuple(facts),
        details=(Fact(label="Schedule", value=schedule_id),),
        backend_ref=schedule_id,
        next=(suggest("Schedules", "schedules", agent),),
    )


def _zone(ctx: AdapterContext, operation: Operation, old: Schedule | None) -> tuple[str, bool]:
    asked = text_of(operation, "zone")
    if not asked and old is not None and old.time_zone_id:
        return old.time_zone_id, True
    wanted = asked or ctx.settings.time_zone
    zone, known = windows_zone(wanted)
    if known or is_iana(wanted):
        return zone, known
    near = ", ".join(f"`{name}`" for name in near_zones(wanted)) or "`UTC`, `Europe/Berlin`, `W. Europe Standard Time`"
    raise BadRequest(
        f"`{wanted[:80]}` is an unknown time zone.",
        f"Write a Windows or IANA name, for example {near}.",
        "no_such_zone",
    )


def _body(operation: Operation, schedule_id: str, zone: str, old: Schedule | None) -> dict[str, Json]:
    """All nine fields of the vendor's body, in its order. Other fields stay as they are, so they must be readable."""
    old = old or Schedule()
    cron, start = text_of(operation, "cron") or old.cron, text_of(operation, "start") or old.start_time
    inputs, params = map_of(operation, "input"), operation.params
    before = old.input_parameters

    def kept(name: str, now: Json, usual: Json) -> Json:
        return params[name] if params.get(name) is not None else usual if now is None else now

    given = {name for name in _KEPT if params.get(name) is not None or (name == "input" and inputs)}
    lost = [field for name, field in _KEPT.items() if name not in given and field in old.odd]
    if old.id and old.is_enabled is None and "enabled" not in given:
        lost.append(_KEPT["enabled"])
    if lost:
        names = ", ".join(f"`{field}`" for field in dict.fromkeys(lost))
        raise BadReply(
            f"The schedule {schedule_id} was not changed: its {names} can't be read, and fields that you leave out must stay.",
            "Add a value: " + ", ".join(f"`{name}=`" for name, field in _KEPT.items() if field in lost) + ".",
        )
    if not cron or not start:
        raise BadRequest(NEW_SCHEDULE)
    return {
        "scheduleId": schedule_id,
        "cron": cron,
        "sessionId": text_of(operation, "session") or old.session_id,
        "startTime": start[:19],
        "timeZoneId": zone,
        "inputParameters": compact(inputs or before) if inputs or isinstance(before, dict) else before or "{}",
        "logLevel": kept("log_level", old.log_level, 1),
        "isWindowless": kept("windowless", old.is_windowless, True),
        "isEnabled": kept("enabled", old.is_enabled, True),
    }


def compact(value: Json) -> str:
    """JSON text for a JSON string, as the ACC requires."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def mark(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/job/ID/status (SEED): set the status of the newest job run."""
    number = MARKS[text_of(operation, "as")]
    await ctx.client.mark(operation.target.id, number)
    state, _ = named(JOB, number)
    return Done(summary=f"The newest job run of {operation.target.owner} is marked as {state}.")


async def approve(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST api/agent/ID/toggleAgentApproval/False or /True (SEED): approve an agent, or withdraw the approval.

    The reason goes into the ACC's file log.
    """
    approved, reason = operation.verb == "agent approve", (operation.reason or "").strip()
    await ctx.client.approve(operation.target.id, reason, approved=approved)
    return Done(summary=f"{operation.target.owner} is {'approved' if approved else 'no longer approved'}.")
