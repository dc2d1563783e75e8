"""PATCH client with {"restart": true} (SEED), whose reply may never come: the agent is watched going down and coming back.

Signs of a restart: it was away for a moment, its token is another one (GUESS: a token lives as long as the agent's process), or
it no longer requires a restart. A lost reply without any sign stays unknown; the restart is never sent twice.
"""

from __future__ import annotations

from typing import Final

from bot.backends.resilio.client import ResilioClient
from bot.backends.resilio.models import Client
from bot.backends.resilio.presentation import client_facts, client_next
from bot.backends.resilio.targets import AdapterContext
from bot.core.errors import BadReply, CallProblem, Lost, ServerError
from bot.core.operation import Operation
from bot.core.outcome import Done, Unknown
from bot.core.ports.services import Call

_SEND_TIME: Final = 20.0
_ASK_TIME: Final = 6.0
_PAUSE: Final = 2.0
# How long to wait for a sign of the restart while the agent still answers.
_GOES_DOWN_WITHIN: Final = 20.0
# Together with the calls around it this stays below the capability's timeout.
_COMES_BACK_WITHIN: Final = 170.0
_SENT: Final = "The agent has restarted."
_LOST: Final = "The agent seems to have restarted; its reply was lost, because a restart can cut the connection."


class _Watch:
    """The observations since the restart was sent."""

    def __init__(self, before: Client, token: str) -> None:
        self._before = before
        self._token = token
        self.away = False
        self.trouble = ""

    def sign(self, after: Client, token: str) -> str:
        """The sign of a restart; empty if there is none."""
        if token != self._token:
            return "It answers again, with a new token"
        if self._before.restart_required and not after.restart_required:
            return "It answers again and no longer needs a restart"
        return "It was unreachable and answers again" if self.away else ""


async def restart(ctx: AdapterContext, operation: Operation, call: Call) -> Done | Unknown:
    """Send it once, then ask until the agent answers again."""
    before = await ctx.client.client()
    watch = _Watch(before, await ctx.client.token())
    lost: CallProblem | None = None
    try:
        await ctx.client.restart(_SEND_TIME)
    except (Lost, ServerError, BadReply) as problem:
        lost = problem
    await call.progress("The restart was sent; waiting for the agent to answer again")
    began = call.clock.monotonic()
    while (waited := call.clock.monotonic() - began) < _COMES_BACK_WITHIN:
        await call.clock.sleep(_PAUSE)
        seen = await _ask(ctx.client, watch)
        if seen is None:
            continue
        after, token = seen
        sign = watch.sign(after, token)
        if sign:
            return _back(ctx, operation, after, f"{_SENT if lost is None else _LOST} {sign}.")
        if waited >= _GOES_DOWN_WITHIN:
            if lost is not None:
                raise lost
            return _back(
                ctx, operation, after, "The agent accepted the restart and answers, but it was not seen going down."
            )
    return Unknown(
        code="not_back",
        summary=f"The restart was sent, and the agent has not answered for {_COMES_BACK_WITHIN:g} s. {watch.trouble}".strip(),
        hint="Check its host, and run `status` before you restart it again.",
    )


async def _ask(client: ResilioClient, watch: _Watch) -> tuple[Client, str] | None:
    try:
        return await client.client(_ASK_TIME), await client.token()
    except CallProblem as problem:
        # An unreadable answer doesn't show that the agent was down.
        watch.away = watch.away or not isinstance(problem, BadReply)
        watch.trouble = problem.summary
        return None


def _back(ctx: AdapterContext, operation: Operation, after: Client, summary: str) -> Done:
    return Done(
        summary=summary, facts=tuple(client_facts(after, ctx.clean)), next=client_next(operation.target.backend, after)
    )
