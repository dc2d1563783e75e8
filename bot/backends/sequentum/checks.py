"""Refuses parameters that can't work, before anything is decided, written to the audit log, or sent."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.backends.sequentum.file_names import input_name
from bot.backends.sequentum.times import START_FORMAT
from bot.core.command.arguments import Arguments, flag_of, text_of
from bot.core.errors import BadRequest

CSV: Final = (".csv",)
UPLOADS: Final = (".csv", ".txt", ".zip")
MOST_FILES: Final = 10
_RUN_ONLY: Final = ("sessions", "sync")
NEW_SCHEDULE: Final = 'A new schedule needs `cron=` and `start=`, like `cron="0 0 0 1" start=2026-07-16T11:21:20`.'


def start(asked: Arguments) -> None:
    """Raises BadRequest for start parameters that contradict each other."""
    job, sync = text_of(asked, "as") == "job", flag_of(asked, "sync")
    if job and any(flag_of(asked, name) for name in _RUN_ONLY):
        raise BadRequest("A job doesn't take `sessions` or `sync`. Leave them out, or use `as=run`.")
    if flag_of(asked, "sessions") and text_of(asked, "session"):
        raise BadRequest("`sessions=true` starts new sessions, so leave out `session=`.")
    if not sync and (text_of(asked, "delivery") != "none" or "timeout" in asked.given):
        raise BadRequest("`timeout` and `delivery` need `sync=true`.")


def schedule(asked: Arguments) -> None:
    """Raises BadRequest for a `start` that is not in the vendor's exact form, and for a new schedule without times."""
    begins = text_of(asked, "start")
    if begins and (not START_FORMAT.fullmatch(begins) or not _is_time(begins)):
        raise BadRequest("`start` is a time in the schedule's time zone, written exactly like `2026-07-16T11:21:20`.")
    if not text_of(asked, "id") and not (begins and text_of(asked, "cron")):
        raise BadRequest(NEW_SCHEDULE)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def put(asked: Arguments) -> None:
    """Raises BadRequest unless there is exactly one content, under a name that the ACC accepts."""
    input_name(text_of(asked, "name"), CSV)
    if asked.params.get("text"):
        if asked.files:
            raise BadRequest("Give either `text=` or one attached file, not both.")
    elif len(asked.files) != 1:
        raise BadRequest('Give the content with `text="..."`, or attach one file.')


def upload(asked: Arguments) -> None:
    """Raises BadRequest unless there are files, or a text under a name that the ACC accepts."""
    if asked.params.get("text"):
        input_name(text_of(asked, "name"), UPLOADS)
    elif not asked.files:
        raise BadRequest('Attach the files to the message, or give `name=` and `text="..."`.')
    elif len(asked.files) > MOST_FILES:
        raise BadRequest(f"At most {MOST_FILES} files are possible at once.")
