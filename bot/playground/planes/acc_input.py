"""Reading what callers send to a simulated ACC: start bodies, schedules, uploads."""

import io
import json
import zipfile
from email.message import Message
from typing import Any

from bot.playground.planes.acc_jobs import JobStatus, Schedule
from bot.playground.planes.acc_model import Agent, Options
from bot.playground.planes.acc_text import local_start, zone_of
from bot.playground.planes.acc_world import Broken
from bot.playground.planes.wire import Call

START_FIELDS = frozenset(
    {"sessionId", "logLevel", "isProductionRun", "inputParameters", "inputFiles",
     "isDeleteInputFilesOnCompleted"}
)  # fmt: skip
CLUSTER_FIELDS = START_FIELDS | {
    "useMultipleSessions",
    "isSynchronous",
    "synchronousTimeout",
    "synchronousDataDelivery",
}
SCHEDULE_FIELDS = frozenset(
    {"scheduleId", "cron", "sessionId", "startTime", "timeZoneId", "inputParameters", "logLevel",
     "isWindowless", "isEnabled"}
)  # fmt: skip
SERVER_FIELDS = frozenset({"key", "ipAddress", "port", "useSsl", "serverRefresh"})
DELIVERIES = ("None", "Plain", "Zip")
_UPLOADS = (".csv", ".txt", ".zip")


def json_body(call: Call) -> Any:
    """The JSON body; Broken 415 without the JSON content type, 400 for anything else."""
    if call.media_type != "application/json":
        raise Broken(415, "The request entity's media type is not supported for this resource.")
    try:
        return call.json()
    except ValueError:
        raise Broken(400, "The request body is not valid JSON.") from None


def json_object(call: Call, *, empty_is_default: bool = False) -> dict[str, Any]:
    """The JSON object of the body."""
    if empty_is_default and not call.body:
        return {}
    body = json_body(call)
    if not isinstance(body, dict):
        raise Broken(400, "The request body must be a JSON object.")
    return body


def _typed(body: dict[str, Any], name: str, sort: type, default: Any) -> Any:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, sort) or (sort is int and isinstance(value, bool)):
        raise Broken(400, f"The value of '{name}' is not valid.")
    return value


def parameters(body: dict[str, Any]) -> str | None:
    """`inputParameters`: JSON text of an object inside a JSON string, or nothing."""
    text = _typed(body, "inputParameters", str, None)
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Broken(400, "inputParameters must be a JSON object in a string.")
    return str(text)


def start_options(body: dict[str, Any]) -> Options:
    """The parameters that a cluster start and a job start share."""
    files = _typed(body, "inputFiles", list, [])
    if not all(isinstance(name, str) for name in files):
        raise Broken(400, "The value of 'inputFiles' is not valid.")
    return Options(
        session_id=_typed(body, "sessionId", str, ""),
        log_level=_log_level(body),
        production=_typed(body, "isProductionRun", bool, True),
        parameters=parameters(body),
        input_files=tuple(files),
        delete_inputs=_typed(body, "isDeleteInputFilesOnCompleted", bool, False),
    )


def _log_level(body: dict[str, Any]) -> int:
    level = _typed(body, "logLevel", int, 1)
    if level not in range(4):
        raise Broken(400, "logLevel must be 0, 1, 2 or 3.")
    return int(level)


def several_sessions(body: dict[str, Any]) -> bool:
    """`useMultipleSessions`."""
    return bool(_typed(body, "useMultipleSessions", bool, False))


def waiting(body: dict[str, Any]) -> tuple[float | None, str]:
    """Seconds to wait at most (None: do not wait) and how the data is delivered."""
    delivery = _typed(body, "synchronousDataDelivery", str, "None")
    if delivery not in DELIVERIES:
        raise Broken(400, "synchronousDataDelivery must be None, Plain or Zip.")
    timeout = _typed(body, "synchronousTimeout", int, 60)
    if not _typed(body, "isSynchronous", bool, False):
        return None, delivery
    return float(timeout), delivery


def schedule(agent: Agent, body: dict[str, Any]) -> Schedule:
    """A schedule from the add-or-update body; absent flags are false, because the seed documents no defaults."""
    schedule_id = _typed(body, "scheduleId", str, "")
    cron = _typed(body, "cron", str, "")
    if not schedule_id or not cron:
        raise Broken(400, "scheduleId and cron are required.")
    try:
        start = local_start(_typed(body, "startTime", str, ""))
        zone_of(_typed(body, "timeZoneId", str, ""))
    except ValueError as problem:
        raise Broken(400, str(problem)) from None
    options = Options(
        session_id=_typed(body, "sessionId", str, ""),
        log_level=_log_level(body),
        parameters=parameters(body),
        windowless=_typed(body, "isWindowless", bool, False),
    )
    enabled = _typed(body, "isEnabled", bool, False)
    return Schedule(schedule_id, agent, cron, start, body["timeZoneId"], options, enabled)


def job_status(body: dict[str, Any]) -> JobStatus:
    """`{"status": 0..5}`."""
    status = _typed(body, "status", int, None)
    if status not in range(6):
        raise Broken(400, "The job status is not valid.")
    return JobStatus(status)


def count(call: Call) -> int:
    """`count`, 100 by default."""
    text = call.first("count")
    if text is None:
        return 100
    if not text.isascii() or not text.isdigit():
        raise Broken(400, f"The value '{text}' is not valid for Int32.")
    return int(text)


def uploads(call: Call) -> dict[str, bytes]:
    """File names and contents of a multipart body, any field name; zips are opened.

    Parsed by hand: the seed's own HTTP sample neither closes its boundary nor puts the two
    hyphens before it.
    """
    if call.media_type != "multipart/form-data":
        raise Broken(415, "The request must be multipart/form-data.")
    boundary = _parameter(call.headers.get("Content-Type", ""), "boundary")
    if not boundary:
        raise Broken(400, "The multipart boundary is missing.")
    files: dict[str, bytes] = {}
    mark = b"--" + boundary.encode()
    for part in call.body.split(mark if mark in call.body else mark[2:])[1:]:
        if part.startswith(b"--"):
            break
        name, content = _part(part)
        if name:
            files |= _opened(name, content)
    if not files:
        raise Broken(400, "No file was uploaded.")
    return files


def _part(part: bytes) -> tuple[str | None, bytes]:
    head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = dict(line.partition(":")[::2] for line in head.decode("utf-8", "replace").split("\r\n"))
    disposition = next((value for key, value in headers.items() if key.lower() == "content-disposition"), "")
    return _parameter(disposition, "filename"), content.removesuffix(b"\r\n")


def _parameter(header: str, name: str) -> str | None:
    message = Message()
    message["Content-Type"] = header.strip()
    value = message.get_param(name)
    return value if isinstance(value, str) else None


def _opened(name: str, content: bytes) -> dict[str, bytes]:
    if not name.lower().endswith(_UPLOADS):
        raise Broken(400, f"The file '{name}' must be .csv, .txt or .zip.")
    if not name.lower().endswith(".zip"):
        return {name: content}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {entry: archive.read(entry) for entry in archive.namelist()}
    except zipfile.BadZipFile:
        raise Broken(400, f"The file '{name}' is not a zip file.") from None
