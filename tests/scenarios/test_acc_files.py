"""What goes to the ACC as a file and comes back as one: inputs, logs, stored data."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.scenarios.acc_place import change_of, filled, place, typed
from tests.scenarios.steps import Asked, do, mention
from tests.world import World, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")


def parts_of(body: bytes, content_type: str) -> dict[str, bytes]:
    """The files of a multipart body by name; the closing boundary must be there."""
    boundary = content_type.partition("boundary=")[2].encode()
    head, *parts, tail = body.split(b"--" + boundary)
    assert (head, tail) == (b"", b"--\r\n")
    files = {}
    for part in parts:
        headers, _, content = part.partition(b"\r\n\r\n")
        assert content.endswith(b"\r\n")
        files[headers.partition(b'filename="')[2].partition(b'"')[0].decode()] = content[:-2]
    return files


async def test_files_attached_to_a_mention_are_uploaded(team: World) -> None:
    """26: every file of the message becomes one part of one multipart call, whole and under its own name."""
    at = place(team)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", "a,b\r\n")
    files = (("urls.csv", b"URL\r\n--not-a-boundary\r\n" * 5_000), ("many.zip", packed.getvalue()))
    asked = await mention(team, f"input upload {at}", files=files)
    assert await asked.ends() == "done"
    call = change_of(asked, at)
    assert (call.raw_path, call.raw_query) == (f"/api/input/agent/{at.agent}/files", "")
    assert call.headers["Authorization"] == f"Bearer {team.acc.token}"
    assert call.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert parts_of(call.body, call.headers["Content-Type"]) == dict(files)
    card = await asked.card(f"{at.path} has 2 new input files")
    assert card["thread_ts"], "the answer stands in the thread of the mention"
    assert {"urls.csv", "inner.csv"} <= set(team.acc.inputs[at.path])
    assert asked.events == ["requested", "sent", "done"]


async def test_the_audit_log_of_an_upload_tells_no_parameter_that_was_not_used(team: World) -> None:
    """Attached files keep their names, so there is none in the entry."""
    asked = await mention(team, f"input upload {place(team)}", files=(("urls.csv", b"URL\r\n"),))
    assert await asked.ends() == "done"
    assert [json.loads(row.params or "{}") for row in asked.rows] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("words", "says"),
    [("name=a.csv", "Attached files keep their names"), ('name=a.csv text="x"', "Attached files keep their names")],
)
async def test_an_upload_of_files_refuses_what_it_would_ignore(team: World, words: str, says: str) -> None:
    asked = await mention(team, f"input upload {place(team)} {words}", files=(("urls.csv", b"URL\r\n"),))
    assert says in shown(await asked.card("keep their names"))
    assert asked.events == ["requested", "failed"]


async def test_an_attached_file_whose_name_has_an_invisible_character_is_not_sent(team: World) -> None:
    """U+202E turns the order of what follows, so that a person reads another name than the control plane gets."""
    asked = await mention(team, f"input upload {place(team)}", files=(("a\u202evsc.exe.csv", b"URL\r\n"),))
    card = await asked.card("contains the character U+202E, which is not allowed")
    assert "\u202e" not in shown(card)
    assert asked.changes == []


async def test_text_can_be_uploaded_without_a_file(team: World) -> None:
    """26: `name=` and `text=` make the one part."""
    at = place(team)
    asked = await typed(team, f'input upload {at} name=more.txt text="one line"', danger=False)
    call = change_of(asked, at)
    assert parts_of(call.body, call.headers["Content-Type"]) == {"more.txt": b"one line"}


async def test_a_csv_can_come_from_an_attached_file(team: World) -> None:
    """25: the attached file's bytes are the body."""
    at = place(team)
    asked = await mention(team, f"input put {at} name=prices.csv", files=(("x.csv", b"a,b\r\n1,\xc3\xbc\r\n"),))
    assert await asked.ends() == "done"
    call = change_of(asked, at)
    assert (call.raw_query, call.body) == ("name=prices.csv", b"a,b\r\n1,\xc3\xbc\r\n")


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def uploaded(env: World, asked: Asked) -> tuple[str, bytes]:
    """The file in the thread of its card."""
    card = await asked.card()

    def look() -> Any:
        return next((f for f in env.ws.files.values() if f.name and card["ts"] in str(vars_of(f))), None)

    found = await env.until(look)
    return found.name, found.bytes


def vars_of(file: Any) -> dict[str, Any]:
    return {name: getattr(file, name) for name in dir(file) if not name.startswith("_") and name != "bytes"}


@pytest.mark.parametrize("target", ["run/{run}", "jobrun/{job}"])
async def test_a_log_is_uploaded_into_the_thread_without_its_secrets(team: World, target: str) -> None:
    """21, 22: the zip arrives as a zip, its members by name, with every secret masked in it and on the card."""
    at = place(team)
    await do(team, f"status {at}")
    asked = await typed(team, f"logs acc:{filled(target, at)}", danger=False)
    path = "/api/run/{run}/log" if target.startswith("run") else "/api/job/run/{job}/logs"
    assert (("GET", filled(path, at))) in [(call.method, call.raw_path) for call in asked.calls]
    name, content = await uploaded(team, asked)
    assert name.endswith(".zip")
    texts = b"\n".join(members(content).values())
    assert b"password=[redacted]" in texts
    assert b"Run ended" in texts
    secrets = [word for word in texts.split() if word.startswith(b"password=") and word != b"password=[redacted]"]
    assert secrets == []
    assert "password=[redacted]" in shown(await asked.card())


@pytest.mark.parametrize("also", ["", " diff=true"])
async def test_a_search_in_vain_is_told_in_a_sentence(team: World, also: str) -> None:
    """No line of the log says so, so it stands in no code block; a comparison beside it keeps its own heading."""
    at = place(team)
    asked = await typed(team, filled("logs acc:run/{run} grep=nowhere", at) + also, danger=False)
    words = shown(await asked.card("No line contains “nowhere”."))
    assert "Lines with" not in words
    assert all("No line contains" not in block for block in words.split("```")[1::2])


@pytest.mark.parametrize("target", ["run/{run}", "jobrun/{job}"])
async def test_data_is_uploaded_as_the_control_plane_packed_it(team: World, target: str) -> None:
    """23, 24: stored data arrives byte by byte."""
    at = place(team)
    asked = await typed(team, f"data acc:{filled(target, at)}", danger=False)
    name, content = await uploaded(team, asked)
    assert name.endswith(".zip")
    assert {"a.csv", "b.csv"} <= {member.rsplit("/", 1)[-1] for member in members(content)}


@pytest.mark.parametrize(("delivery", "suffix"), [("plain", ".csv"), ("zip", ".zip")])
async def test_a_synchronous_start_brings_its_data_into_the_thread(team: World, delivery: str, suffix: str) -> None:
    """2: `delivery=` uploads what the control plane answers with, the first file as text or all as a zip."""
    at = place(team)
    asked = await typed(team, f"start {at} sync=true delivery={delivery}", danger=False)
    name, content = await uploaded(team, asked)
    assert name.endswith(suffix)
    assert (content[:2] == b"PK") is (suffix == ".zip")
