"""The logs and tables of a simulated ACC."""

from zoneinfo import ZoneInfo

from bot.playground.planes.acc_model import Run, RunStatus
from bot.playground.planes.acc_text import stamp

# A line that must never reach a chat: tests check that clients redact it.
LEAKY_LINE = "Connecting to ftp://delivery.example.com user=feed password=hunter2-not-a-secret"


def log_text(run: Run, now: float, zone: ZoneInfo) -> str:
    """The log of a run up to `now`: one line per event, more detailed with a higher log level."""
    status = run.status(now)
    lines = [(run.started, "INFO", f"Starting agent {run.agent.path} ({run.method})")]
    lines.append((run.started, "INFO", LEAKY_LINE))
    if status is not RunStatus.STARTING:
        lines += _work_lines(run, now)
    end = run.end(now)
    if end is not None:
        level = "INFO" if status is RunStatus.SUCCEEDED else "ERROR"
        lines += [(end, level, extra) for extra in run.script.log_lines]
        lines.append((end, level, f"Run ended: {status.name.title()}. {run.message(now)}"))
    return "".join(f"{stamp(at, zone)} {level} {text}\r\n" for at, level, text in lines)


def _work_lines(run: Run, now: float) -> list[tuple[float, str, str]]:
    counters = run.counters(now)
    pages = counters["pageLoadCount"]
    begin = run.started + run.script.starting / run.speed
    step = run.script.running / run.speed / max(1, run.script.pages)
    lines = []
    if run.options.log_level >= 2:
        lines += [
            (begin + page * step, "DEBUG", f"Loaded page {page + 1} of {run.script.pages}") for page in range(pages)
        ]
    lines += [
        (begin + number * step, "ERROR", f"Selector '.price' not found on page {number + 1}")
        for number in range(counters["errors"])
    ]
    lines.append((begin + pages * step, "INFO", f"{pages} pages, {counters['dataCount']} rows"))
    return lines


def table(run: Run, now: float, number: int) -> bytes:
    """Data file `number` of a run as CSV."""
    rows = ["url,title,price"]
    rows += [
        f"https://shop.example.com/{number}/{row},Item {row},{row % 90 + 0.95:.2f}"
        for row in range(run.counters(now)["dataCount"])
    ]
    return ("\r\n".join(rows) + "\r\n").encode()


def tables(run: Run, now: float) -> dict[str, bytes]:
    """Every data file of a run by name."""
    return {name: table(run, now, index) for index, name in enumerate(run.agent.data_files)}
