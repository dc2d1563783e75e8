"""Logs, data, inputs and servers of the simulated ACC: operations 21 to 29 of seed 003."""

from dataclasses import replace

from bot.playground.planes import acc_input as read
from bot.playground.planes.acc_base import AccBase
from bot.playground.planes.acc_files import log_text, tables
from bot.playground.planes.acc_jobs import Input
from bot.playground.planes.acc_world import Broken
from bot.playground.planes.archives import ZIP, large_log_zip, zipped
from bot.playground.planes.wire import Call, Reply, file_reply, json_reply


class FileCalls(AccBase):
    """The operations on files and servers."""

    def _log_zip(self, call: Call) -> Reply:
        """SEED 21: a zip. GUESS: 404 if nothing was logged."""
        run = self.found_run(call)
        if run.options.log_level == 0:
            raise Broken(404, "The agent run has no log.")
        text = log_text(run, self.clock.now(), self.zone)
        name = run.log_path(self.zone)
        if not run.agent.log_bytes:
            return file_reply(zipped({name: text.encode()}), "log.zip", ZIP)
        size = run.agent.log_bytes
        return replace(file_reply(b"", "log.zip", ZIP), stream=lambda: large_log_zip(name, text, size))

    def _job_logs(self, call: Call) -> Reply:
        """SEED 22: a zip with the logs of all runs."""
        now = self.clock.now()
        logs = {
            f"{number}-{run.log_path(self.zone)}": log_text(run, now, self.zone).encode()
            for number, run in enumerate(self.found_job(call).runs, 1)
            if run.options.log_level
        }
        if not logs:
            raise Broken(404, "The job run has no logs.")
        return file_reply(zipped(logs), "logs.zip", ZIP)

    def _backup(self, call: Call) -> Reply:
        """SEED 24: a zip. GUESS: 404 if storing is not switched on."""
        run = self.found_run(call)
        if not run.agent.backup:
            raise Broken(404, "No backup data is stored for this agent run.")
        return file_reply(zipped(tables(run, self.clock.now())), "data.zip", ZIP)

    def _job_backup(self, call: Call) -> Reply:
        """SEED 23: a zip. GUESS: 404 if storing is not switched on."""
        job = self.found_job(call)
        if not job.agent.backup:
            raise Broken(404, "No backup data is stored for this job run.")
        now = self.clock.now()
        files = {
            f"{number}/{name}": content
            for number, run in enumerate(job.runs, 1)
            for name, content in tables(run, now).items()
        }
        return file_reply(zipped(files), "jobdata.zip", ZIP)

    def _put_csv(self, call: Call) -> Reply:
        """SEED 25: the CSV text under its name; its reply is not shown."""
        agent = self.found_agent(call)
        name = call.first("name")
        if not name:
            raise Broken(400, "The name of the input data is missing.")
        if not name.lower().endswith(".csv"):
            self.surprises.append(f"{call.method} {call.raw_path}: name {name!r} is not a .csv")
        self.world.inputs[agent.agent_id][name] = Input(name, call.body)
        self.world.note("input put", agent, name)
        return self.written("The input data has been saved.")

    def _upload(self, call: Call) -> Reply:
        """SEED 26: multipart, any field name; its reply is not shown."""
        agent = self.found_agent(call)
        for name, content in read.uploads(call).items():
            self.world.inputs[agent.agent_id][name] = Input(name, content)
            self.world.note("input upload", agent, name)
        return self.written("The files have been uploaded.")

    def _clear_inputs(self, call: Call) -> Reply:
        """SEED 27; its reply is not shown."""
        agent = self.found_agent(call)
        self.world.inputs[agent.agent_id].clear()
        self.world.note("input clear", agent, "")
        return self.written("The input files have been deleted.")

    def _disable_inputs(self, call: Call) -> Reply:
        """SEED 28; its reply is not shown."""
        agent = self.found_agent(call)
        for stored in self.world.inputs[agent.agent_id].values():
            stored.enabled = False
        self.world.note("input disable", agent, "")
        return self.written("The input files have been disabled.")

    def _check_server(self, call: Call) -> Reply:
        """SEED 29: the sample's figures. GUESS: an unreachable server is `isError`, without usages."""
        body = read.json_object(call)
        self.expect(call, body, read.SERVER_FIELDS)
        if not all(body.get(name) for name in ("key", "ipAddress", "port")):
            raise Broken(400, "key, ipAddress and port are required.")
        place = f"{body['ipAddress']}:{body['port']}"
        asked = (body["ipAddress"], body["port"], bool(body.get("useSsl", False)))
        server = next((one for one in self.servers if (one.ip_address, one.port, one.use_ssl) == asked), None)
        if server is None:
            return _server_error(f"Connection to server {place} failed.")
        if server.key != body["key"]:
            return _server_error(f"Server {place} refused the API key.")
        return json_reply(
            {
                "isError": False,
                "message": f"Connection to server {place} is successful.",
                "cpuUsages": "0%, a:2%, p:20%",
                "memoryUsages": "6%, a:13%, p: 23 % ",
                "discUsages": "C:47%",
                "cpuThreshold": 100,
                "memoryThreshold": 90,
            }
        )


def _server_error(message: str) -> Reply:
    usages = dict.fromkeys(("cpuUsages", "memoryUsages", "discUsages"))
    limits = {"cpuThreshold": 100, "memoryThreshold": 90}
    return json_reply({"isError": True, "message": message, **usages, **limits})
