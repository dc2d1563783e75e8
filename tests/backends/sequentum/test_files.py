"""Logs without secrets, data as it is, and archives that mean harm."""

from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
import zipfile
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.backends.logs import LogRead, Stopped, label_of, rewrite
from bot.backends.sequentum.capabilities import input_name
from bot.core.errors import BadReply, BadRequest, NoSuchTarget
from bot.core.outcome import Done, Level, State

from .support import (
    AGENT,
    JOB,
    PATH,
    RUN,
    RUN_REPLY,
    SERVER_KEY,
    TOKEN,
    Joined,
    RecordingAcc,
    file,
    joined,
    said,
    zipped,
)

LOG = ("GET", f"/api/run/{RUN}/log")


def content_of(done: Done) -> dict[str, str]:
    with zipfile.ZipFile(done.files[0].path) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info).decode() for info in archive.infolist()}


def bytes_of(done: Done) -> bytes:
    return Path(done.files[0].path).read_bytes()


async def logs_of(env: Joined, packed: bytes, **words: Any) -> Done:
    env.acc.answers[LOG] = file(packed)
    await env.target(PATH)
    return await env.do("logs", f"run/{RUN}", **words)


async def test_a_log_comes_without_its_secrets() -> None:
    """Named secrets, the token and the server's key are masked in the file and in the preview; the original is gone."""
    text = f"start\npassword=hunter2-canary\nusing {TOKEN} and {SERVER_KEY}\ndone\n"
    async with joined() as env:
        done = await logs_of(env, zipped(quick__log=text), tail=2)
        shown = content_of(done)["quick.log"]
        assert shown == "start\npassword=[redacted]\nusing [redacted] and [redacted]\ndone\n"
        assert done.preview == "using [redacted] and [redacted]\ndone"
        assert done.files[0].redactions == 3
        assert done.summary == f"Log of {PATH}: 4 lines in 1 file, 3 secret values masked."
        assert env.call.spool.left() == [".zip"]
        data = bytes_of(done)
        assert (done.files[0].size, done.files[0].sha256) == (len(data), hashlib.sha256(data).hexdigest())


async def test_logs_of_a_job_run_keep_their_members() -> None:
    """Every log is in the new archive, also two of the same name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for folder in ("s1", "s2"):
            archive.writestr(f"{folder}/quick.log", f"token={folder}-canary\n")
    async with joined(RecordingAcc({("GET", f"/api/job/run/{JOB}/logs"): file(packed.getvalue())})) as env:
        done = await env.do("logs", f"jobrun/{JOB}")
        assert content_of(done) == {"quick.log": "token=[redacted]\n", "2-quick.log": "token=[redacted]\n"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
async def test_secrets_are_found_in_every_encoding(encoding: str) -> None:
    """Logs of Windows programs are often UTF-16; a secret in those is masked too."""
    async with joined() as env:
        done = await logs_of(env, zipped(quick__log="Größe\npassword=hunter2-canary\n".encode(encoding)))
        shown = content_of(done)["quick.log"]
        assert "password=[redacted]" in shown
        assert encoding == "latin-1" or "Größe" in shown


async def test_a_search_shows_its_lines() -> None:
    """`grep` finds plain text without regard to case, masked, and says when there is none."""
    text = "".join(f"line {i} {'TIMEOUT token=abc-canary' if i % 100 == 7 else 'ok'}\n" for i in range(10_000))
    async with joined() as env:
        done = await logs_of(env, zipped(a__log=text), grep="timeout")
        assert done.preview.startswith("100 lines contain “timeout” (the last 50):\nline 5007 TIMEOUT token=[redacted]")
        assert "canary" not in done.preview
        none = await logs_of(env, zipped(a__log=text), grep="[a-z]+")
        assert (none.preview, none.remarks) == ("", ("No line contains “[a-z]+”.",))
        few = (await logs_of(env, zipped(a__log=text), grep="timeout", tail=2)).preview.splitlines()
        assert few[0] == "100 lines contain “timeout” (the last 2):"
        assert [line.split()[1] for line in few[1:]] == ["9807", "9907"]


async def test_one_line_is_one_line() -> None:
    """A count and its word agree."""
    async with joined() as env:
        done = await logs_of(env, zipped(a__log="only timeout\n"), grep="timeout")
        assert "1 line in 1 file." in done.summary
        assert done.preview.startswith("1 line contains “timeout”:")


async def test_a_log_is_compared_with_the_last_good_run() -> None:
    """Times, numbers and ids apart, only what differs is shown."""
    good = "2026-11-21 10:00:00 page 17 read in 0.2 s\nall fine\nended\n"
    bad = "2026-11-22 11:11:11 page 999 read in 7.5 s\nlogin refused password=x-canary\nended\n"
    runs = [
        {**RUN_REPLY, "status": 7},
        {**RUN_REPLY, "agentRunHistoryId": "later", "startTime": "2019-05-22T00:00:00Z"},
        {**RUN_REPLY, "agentRunHistoryId": "bad", "status": 5, "startTime": "2019-05-20T12:00:00Z"},
        {**RUN_REPLY, "agentRunHistoryId": "good", "startTime": "2019-05-20T00:00:00Z"},
    ]
    answers = {
        ("GET", f"/api/agent/{AGENT}/history"): said(runs),
        ("GET", "/api/run/good/log"): file(zipped(a__log=good)),
    }
    async with joined(RecordingAcc(answers)) as env:
        done = await logs_of(env, zipped(a__log=bad), diff=True)
        lines = done.preview.splitlines()
        assert lines[:2] == ["--- last successful run good", f"+++ run {RUN[:8]}"]
        assert "-all fine" in lines
        assert "+login refused password=[redacted]" in lines
        assert not any(line.startswith(("+", "-")) and "page" in line for line in lines)
        assert env.call.spool.left() == [".zip"]
        env.acc.answers["GET", f"/api/agent/{AGENT}/history"] = said([RUN_REPLY])
        alone = await logs_of(env, zipped(a__log=bad), diff=True)
        assert alone.remarks == ("Not compared with a successful run: there is none before this one.",)
        assert "login refused" in alone.preview


async def test_a_long_preview_is_cut_at_its_start() -> None:
    """The end of a log is what people need."""
    async with joined() as env:
        done = await logs_of(env, zipped(a__log="".join(f"{i} {'x' * 300}\n" for i in range(500))), tail=200)
        assert len(done.preview) < 3000
        first, *kept = done.preview.rstrip().splitlines()
        assert kept[-1].startswith("499 ")
        assert first == f"... {200 - len(kept)} earlier lines, in the file"


async def test_a_long_preview_of_matching_lines_says_how_many_there_are_and_are_shown() -> None:
    async with joined() as env:
        text = "".join(f"{i} sought {'x' * 200}\n" for i in range(40))
        done = await logs_of(env, zipped(a__log=text), grep="sought")
        first, second, *kept = done.preview.rstrip().splitlines()
        assert "40" in first
        assert second == f"... {40 - len(kept)} earlier lines, in the file"
        assert kept[-1].startswith("39 sought")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/abs/log.txt",
        "C:\\temp\\x.log",
        "..\\..\\boot.ini",
        "CON",
        "a\x01b.log",
        "x" * 300,
        "...",
        "",
    ],
)
async def test_names_of_members_are_labels_only(name: str) -> None:
    """A member's name never leads anywhere: its last part stays, without anything that means a place."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name or "x/"), b"" if not name else b"text\n")
        archive.writestr("good.log", "text\n")
    async with joined() as env:
        names = content_of(await logs_of(env, packed.getvalue()))
        assert all("/" not in one and "\\" not in one and ".." not in one and len(one) <= 110 for one in names)
        assert "good.log" in names
        assert [path.name for path in env.call.spool.folder.iterdir() if path.suffix != ".zip"] == []


async def test_what_cannot_be_masked_is_left_out() -> None:
    """A picture or a nested archive is not passed on, and that is said."""
    async with joined() as env:
        done = await logs_of(
            env, zipped(a__log="fine\n", shot__png=b"\x89PNG\0\0\0\x01" * 50, inner__zip=zipped(x="y\0"))
        )
        assert list(content_of(done)) == ["a.log"]
        notes = [fact.value for fact in done.facts if fact.label == "Note"]
        assert notes == ["shot.png is not text and was left out", "inner.zip is not text and was left out"]


async def test_members_in_unusual_packings_are_left_out() -> None:
    """What cannot be unpacked in bounded steps is not unpacked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.log", "x\n" * 100, zipfile.ZIP_BZIP2)
        archive.writestr("b.log", "fine\n")
    async with joined() as env:
        done = await logs_of(env, packed.getvalue())
        assert list(content_of(done)) == ["b.log"]


def zip64(packed: bytes) -> bytes:
    """The same archive with a zip64 end record, as writers of streams add it to small archives too."""
    at = packed.rindex(b"PK\x05\x06")
    count, length, start = struct.unpack("<HLL", packed[at + 10 : at + 20])
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return packed[:at] + record + locator + end


async def test_an_archive_with_a_zip64_end_record_is_read() -> None:
    """The count of the usual end record is then a placeholder."""
    async with joined() as env:
        assert content_of(await logs_of(env, zip64(zipped(a__log="fine\n")))) == {"a.log": "fine\n"}


async def test_a_few_zero_bytes_make_no_binary_file() -> None:
    """A log that a killed program left is shown, without them, and masked all the same."""
    async with joined() as env:
        done = await logs_of(env, zipped(a__log=b"one\0\ntwo\npass\0word=hunter2-canary\n"))
        assert content_of(done)["a.log"].startswith("one\ntwo\n")
        assert "hunter2" not in content_of(done)["a.log"] + done.preview


async def test_a_log_of_which_nothing_can_be_shown_is_not_done() -> None:
    """An archive without a text is an error that says what was left out; a log without a line is not good news."""
    async with joined() as env:
        with pytest.raises(BadReply, match=r"has nothing to show: shot\.png is not text and was left out\.$"):
            await logs_of(env, zipped(shot__png=b"\x89PNG\0\0\0\x01" * 50))
        with pytest.raises(BadReply, match="the archive is empty"):
            await logs_of(env, zipped())
        assert env.call.spool.left() == []
        empty = await logs_of(env, zipped(a__log=b""))
        assert empty.state == State(text="The log is empty", level=Level.WARN)


def bomb() -> bytes:
    """A megabyte of zeros a thousand times over."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("a.log", "w") as member,
    ):
        for _ in range(300):
            member.write(b"\n" + b" " * ((1 << 20) - 1))
    return packed.getvalue()


def overlapping() -> bytes:
    """Two members of the directory that share their bytes (CVE-2024-0450)."""
    packed = bytearray(zipped(a__log="text\n" * 50, b__log="text\n" * 50))
    first = packed.index(b"PK\x01\x02")
    second = packed.index(b"PK\x01\x02", first + 4)
    packed[second + 42 : second + 46] = packed[first + 42 : first + 46]
    return bytes(packed)


def crowded() -> bytes:
    """An end record that promises 60,000 members."""
    return b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 60_000, 60_000, 1 << 31, 0, 0)


def crowded64() -> bytes:
    """A zip64 end record that promises a million members."""
    packed = bytearray(zip64(zipped(a__log="x")))
    at = packed.rindex(b"PK\x06\x06")
    packed[at + 24 : at + 40] = struct.pack("<QQ", 1 << 20, 1 << 20)
    return bytes(packed)


def broken() -> bytes:
    """A member whose packed bytes were turned over."""
    packed = bytearray(zipped(a__log="".join(f"line {i}\n" for i in range(3000))))
    packed[60:200] = bytes(140)
    return bytes(packed)


@pytest.mark.parametrize(
    "make", [bomb, overlapping, crowded, crowded64, broken, lambda: b"no zip at all", lambda: b"PK\x03\x04" + bytes(50)]
)
async def test_harmful_archives_are_refused(make: Any) -> None:
    """Bombs, overlaps, crowds and damage end in a BadReply, and nothing is left on the disk."""
    async with joined() as env:
        with pytest.raises(BadReply):
            await logs_of(env, make())
        assert env.call.spool.left() == []


async def test_nothing_stored_is_said_so() -> None:
    """An empty answer, and the 404 of a run without stored data, are told in words."""
    async with joined() as env:
        with pytest.raises(NoSuchTarget):
            await logs_of(env, b"")
        env.acc.answers["GET", f"/api/run/{RUN}/backup"] = lambda: web.Response(status=404)
        with pytest.raises(NoSuchTarget, match="storing must be switched on"):
            await env.do("data", f"run/{RUN}")
        assert env.call.spool.left() == []


async def test_data_is_passed_on_as_it_is() -> None:
    """The stored data is not opened: the bytes are the vendor's."""
    packed = zipped(data__csv="password=stays\n")
    async with joined(RecordingAcc({("GET", f"/api/run/{RUN}/backup"): file(packed)})) as env:
        done = await env.do("data", f"run/{RUN}")
        assert bytes_of(done) == packed


def read_of() -> LogRead:
    return LogRead(deque(maxlen=20), deque(maxlen=1500))


def test_a_large_log_needs_little_memory(tmp_path: Path) -> None:
    """Six megabytes of log are masked with less than two in hand."""
    source, target = tmp_path / "raw.zip", tmp_path / "out.zip"
    line = b"2026-11-22 02:23:37 INFO page https://shop.example.com/products/%d took 0.2 s"
    with (
        zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.log", "w") as member,
    ):
        for block in range(72):
            lines = (line % (block * 1000 + i) + (b"\n" if i % 5 else b" password=x-canary\n") for i in range(200))
            member.write(b"".join(lines) * 5)
    read = read_of()
    tracemalloc.start()
    with target.open("w+b") as out:
        rewrite(source, out, [], read, lambda: False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (read.lines, read.redactions) == (72_000, 14_400)
    assert peak < 2 << 20


def test_a_reader_that_nobody_waits_for_stops(tmp_path: Path) -> None:
    """A caller that went away ends the work at the next chunk."""
    source = tmp_path / "raw.zip"
    source.write_bytes(zipped(a__log="x\n" * 100_000))
    with pytest.raises(Stopped):
        rewrite(source, None, [], read_of(), lambda: True)


@pytest.mark.parametrize(
    "name",
    ["", "../a.csv", "a/b.csv", "a\\b.csv", ".csv", 'a".csv', "a\r\nb.csv", "nul.csv", "a.exe", "x" * 200 + ".csv"],
)
def test_names_of_inputs_are_plain_file_names(name: str) -> None:
    """What could leave the header of its part, or the folder, is no name."""
    with pytest.raises(BadRequest):
        input_name(name, (".csv",))


def test_labels_are_never_empty() -> None:
    """Something harmless is always left."""
    assert [label_of(name) for name in ("a/b.csv", "", "..", "\x00", "ü ß.log")] == [
        "b.csv",
        "file",
        "file",
        "file",
        "ü ß.log",
    ]
