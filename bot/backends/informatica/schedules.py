"""Schedules: list, status, on and off."""

from bot.backends.informatica.models import Schedule
from bot.backends.informatica.presentation import interval_text, schedule_table, schedule_word
from bot.backends.informatica.targets import AdapterContext
from bot.core.errors import NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import GONE, Binds, Done, Fact, Level, State
from bot.core.ports.services import Call
from bot.core.text import plural, suggest, utc_text
from bot.core.vendor_json import moment, unreadable


async def listing(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All schedules of the organization."""
    schedules = await ctx.client.schedules()
    await ctx.target_cache.remember([ctx.finder.schedule_target(one) for one in schedules if one.id])
    if not schedules:
        return Done(summary=f"{ctx.name} has no schedules.")
    on = sum(schedule_word(one) == "on" for one in schedules)
    return Done(
        summary=f"{ctx.name} has {plural(len(schedules), 'schedule')}, {on or 'none'} of them on.",
        table=schedule_table(schedules),
    )


async def _one(ctx: AdapterContext, target: Target) -> Schedule:
    for schedule in await ctx.client.schedules():
        if schedule.id == target.id:
            return schedule
    raise NoSuchTarget(f"{ctx.name} no longer lists {target.name} in `schedules`.")


async def status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One schedule."""
    target = operation.target
    schedule = await _one(ctx, target)
    word = schedule_word(schedule)
    facts = (
        Fact(label="Switched", value=word),
        Fact(label="Interval", value=interval_text(schedule)),
        Fact(label="From", value=utc_text(moment(schedule.start_time))),
        Fact(label="Zone", value=schedule.time_zone_id or "not reported"),
        *unreadable(schedule),
    )
    verb = {"on": "schedule off", "off": "schedule on"}.get(word)
    step = (suggest(f"Switch {'off' if word == 'on' else 'on'}", verb, target),) if verb else ()
    state = None if verb else State(text=word, level=Level.UNSURE)
    return Done(summary=f"The schedule {schedule.name} is {word}.", state=state, facts=facts, next=step)


async def switch(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Switch a schedule on or off. The end of a pause switches on only a schedule that was on."""
    target, on = operation.target, operation.verb == "schedule on"
    if not on and ("for" in operation.given or "until" in operation.given):
        await call.note_enabled(() if schedule_word(await _one(ctx, target)) == "off" else (target,))
    await ctx.client.switch_schedule(target.id, on=on)
    word, other = ("on", "off") if on else ("off", "on")
    return Done(
        summary=f"The schedule {target.name.partition('/')[2]} is {word}.",
        next=(suggest(f"Switch {other}", f"schedule {other}", target),),
    )


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """On or off."""
    try:
        return schedule_word(await _one(ctx, target))
    except NoSuchTarget:
        return GONE


async def preflight(ctx: AdapterContext, operation: Operation) -> list[tuple[str, str]]:
    """On or off, and when it runs."""
    schedule = await _one(ctx, operation.target)
    start = f"from {utc_text(moment(schedule.start_time))}" if schedule.start_time else ""
    when = " ".join(filter(None, (interval_text(schedule), start, schedule.time_zone_id)))
    return [Binds("Schedule", f"{schedule_word(schedule)}; {when}", {when: when})]  # the state is compared too
