"""Schedules and approvals of the simulated ACC: operations 11 to 19, 30, 31 of seed 003."""

from bot.playground.planes import acc_input as read
from bot.playground.planes.acc_base import AccBase
from bot.playground.planes.acc_jobs import Approval
from bot.playground.planes.acc_world import Broken
from bot.playground.planes.wire import Call, Reply, json_reply


class ScheduleCalls(AccBase):
    """The operations on schedules and approvals."""

    def _schedules(self, call: Call) -> Reply:
        """SEED 11: the Schedule records with their 16 fields."""
        now = self.clock.now()
        listed = self.world.schedules_of(self.found_agent(call))
        return json_reply([schedule.details(now, self.zone) for schedule in listed])

    def _put_schedule(self, call: Call) -> Reply:
        """SEED 12: add or replace by the id in the body; its reply is not shown."""
        agent = self.found_agent(call)
        body = read.json_object(call)
        self.expect(call, body, read.SCHEDULE_FIELDS)
        try:
            self.world.put_schedule(read.schedule(agent, body))
        except ValueError as problem:
            raise Broken(400, str(problem)) from None
        return self.written("The schedule has been saved.")

    def _drop_schedule(self, call: Call) -> Reply:
        """SEED 13; its reply is not shown."""
        self.world.drop_schedule(self.found_schedule(call))
        return self.written("The schedule has been deleted.")

    def _drop_schedules(self, call: Call) -> Reply:
        """SEED 14; its reply is not shown."""
        for schedule in self.world.schedules_of(self.found_agent(call)):
            self.world.drop_schedule(schedule)
        return self.written("The schedules have been deleted.")

    def _start_schedule(self, call: Call) -> Reply:
        """SEED 15; its reply is not shown."""
        self.world.start_schedule(self.found_schedule(call))
        return self.written("The schedule has been started.")

    def _schedule_off(self, call: Call) -> Reply:
        """SEED 16; its reply is not shown."""
        self.world.switch(self.found_schedule(call), False)
        return self.written("The schedule has been disabled.")

    def _schedule_on(self, call: Call) -> Reply:
        """SEED 18; its reply is not shown."""
        self.world.switch(self.found_schedule(call), True)
        return self.written("The schedule has been enabled.")

    def _schedules_off(self, call: Call) -> Reply:
        """SEED 17; its reply is not shown."""
        return self._switch_all(call, False)

    def _schedules_on(self, call: Call) -> Reply:
        """SEED 19; its reply is not shown."""
        return self._switch_all(call, True)

    def _switch_all(self, call: Call, enabled: bool) -> Reply:
        for schedule in self.world.schedules_of(self.found_agent(call)):
            self.world.switch(schedule, enabled)
        return self.written("The schedules have been changed.")

    def _disapprove(self, call: Call) -> Reply:
        """SEED 30: `True` withdraws the approval; its reply is not shown."""
        return self._set_approval(call, False)

    def _approve(self, call: Call) -> Reply:
        """SEED 31: `False` approves; its reply is not shown."""
        return self._set_approval(call, True)

    def _set_approval(self, call: Call, approved: bool) -> Reply:
        agent = self.found_agent(call)
        message = read.json_body(call)
        if not isinstance(message, str) or not message.strip():
            raise Broken(400, "A message is required.")
        agent.approved = approved
        self.world.approvals.append(Approval(self.clock.now(), agent.path, approved, message))
        self.world.note("approve" if approved else "disapprove", agent, message)
        return self.written("The approval has been changed.")
