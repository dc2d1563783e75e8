"""Stored documents of every released version can be read, and those of the next version, which only adds.

When a document gets a field, the newest file still has to match what is written. Write it again for the version that is not
released yet: `python -m tests.store.test_released VERSION`. Never change the file of a released version.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.core.approval import ApprovalRecord
from bot.core.audit import ZERO_HASH, Event, chain
from bot.core.card import Button, Card, HomeRow, HomeSection, HomeView, Line, Question, Tone
from bot.core.intent import Command, Doubt, Due, Form, Open, ParseError, Press, Reply
from bot.core.outcome import Fact, Phase, RunView, Table
from bot.core.records import Filters, StoredEntry, StoredRequest, Subscription, WatchedTarget, stamp
from bot.core.runs import SeenRuns
from bot.core.value import Value
from bot.store.open import open_store
from tests.store.samples import (
    NOW,
    TARGET,
    ballot,
    button,
    grant,
    intent,
    operation,
    outgoing,
    pause,
    pending,
    row,
    watch,
)

FOLDER = Path(__file__).parent / "released"
FILES = sorted(FOLDER.glob("*.json"), key=lambda path: [int(part) for part in path.stem.split(".")])


def documents() -> dict[str, Value]:
    """One of everything that is stored, with everything in it."""
    place = intent().place.model_copy(update={"thread_ts": "1.0", "message_ts": "2.0"})
    payloads = {
        "command": Command(verb="start", target="acc:shop/prices", params=(("a", "b"),), words=("w",), reason="so"),
        "misread": ParseError(text="x", problem="p", understood="u", nearest=("n",)),
        "press": Press(action="approve", button="b" * 26, choice="c"),
        "form": Form(form="launcher", token="t" * 26, values={"verb": "start", "targets": ["a"]}),
        "open": Open(what="launcher", text="start", own=True, files=("F1",)),
        "due": Due(what="pause", row="p1"),
    }
    reply = Reply(response_url="https://hooks.example/1", response_until=NOW, trigger_id="1.2.3", step_id="s")
    more = {"reply": reply, "sent_at": NOW, "edited_at": NOW, "doubt": Doubt.LATE, "incident": "slow", "place": place}
    intents = {f"intent {name}": intent().model_copy(update={"payload": one, **more}) for name, one in payloads.items()}
    record = ApprovalRecord(rule="r", count=2, groups=("leads",), expires=1800, channel="C0APPR", buttons={"deny": "d"})
    view = RunView(state="Running", phase=Phase.ACTIVE, done=1, total=2)
    fact = Fact(label="Since", value=NOW)
    press = Button(
        label="Approve", action="approve", id="a" * 26, means={"tag": "pending1", "pending": "h1"}, style="primary"
    )
    card = Card(
        key="op:r1",
        place=place,
        title="start",
        tone=Tone.ASK,
        rows=(fact,),
        lines=(Line(heading="Why", text="so", code=True),),
        table=Table(columns=("A",), rows=(("b",),), total=1),
        progress=(1, 2),
        buttons=(press,),
        question=Question(asked_by="U0ANA", asked_in=place, deciders=("U0LEE",)),
        at=NOW,
    )
    home = HomeView(user_id="U0ANA", sections=(HomeSection(title="S", rows=(HomeRow(title="t", button=press),)), card))
    subscription = Subscription(
        id="s1", target=TARGET, place=place, user_id="U0ANA", made_at=stamp(NOW), request_id="r1"
    )
    entry = row(reason="so", duration_ms=3, params='{"a":1}')
    columns = {"seq": 1, **entry.model_dump(mode="json")}
    stored = StoredEntry(**entry.model_dump(), seq=1, prev_hash=ZERO_HASH, hash=chain(ZERO_HASH, columns))
    return {
        **intents,
        "request": StoredRequest(
            request_id="r1",
            dedupe_key="k",
            intent=intent(),
            state="sending",
            operation=operation(),
            updated_at=stamp(NOW),
        ),
        "message": outgoing(body=card.model_dump(mode="json")),
        "card": card,
        "home": home,
        "button": button("b1"),
        "decision": pending(record=record.model_dump(mode="json")),
        "record": record,
        "vote": ballot(),
        "watch": watch(view=view),
        "pause": pause(),
        "grant": grant(),
        "subscription": subscription,
        "watched": WatchedTarget(key="k", target=TARGET, seen=SeenRuns(listed=("1",)), due_at=stamp(NOW)),
        "entry": stored,
    }


def written() -> dict[str, Any]:
    """The documents as they are stored."""
    return {name: value.model_dump(mode="json") for name, value in documents().items()}


def released() -> list[tuple[str, str, Any]]:
    """Version, name and document."""
    return [(file.stem, name, one) for file in FILES for name, one in json.loads(file.read_text()).items()]


def of_next_version(document: Any) -> Any:
    """The same with a field that this version doesn't know, on every level."""
    if isinstance(document, list):
        return [of_next_version(one) for one in document]
    if isinstance(document, dict):
        return {**{name: of_next_version(one) for name, one in document.items()}, "of_the_next_version": "x"}
    return document


def test_the_newest_file_has_what_is_written_now() -> None:
    assert json.loads(FILES[-1].read_text()) == written()


@pytest.mark.parametrize(("version", "name", "document"), released())
def test_a_released_document_can_be_read(version: str, name: str, document: Any) -> None:
    read = type(documents()[name]).stored(document)
    again = read.model_dump(mode="json")
    assert {field: again[field] for field in document if field in again} == document, version


@pytest.mark.parametrize("name", documents())
def test_a_document_of_the_next_version_can_be_read(name: str) -> None:
    value = documents()[name]
    with pytest.raises(ValidationError):
        type(value).model_validate(of_next_version(written()[name]))
    read = type(value).stored(of_next_version(written()[name]))
    assert type(read) is type(value)


@pytest.mark.parametrize("version", [file.stem for file in FILES])
def test_the_hash_of_a_released_entry_is_the_same_for_ever(version: str) -> None:
    entry = json.loads((FOLDER / f"{version}.json").read_text())["entry"]
    assert chain(entry["prev_hash"], entry) == entry["hash"]


async def test_what_only_the_next_version_can_read_waits_and_hides_nothing_else(tmp_path: Path) -> None:
    """A request of a new kind, and an entry with a new event."""
    store = open_store(tmp_path / "s.db")
    await store.accept(intent("old"), [row(request_id="old")])
    await store.accept(intent("new"), [row(Event("of_the_next_version"), request_id="new")])
    newer = intent("new").model_dump_json().replace('"kind":"command"', '"kind":"of_the_next_version"')
    await store.database.write(
        lambda db: db.execute("UPDATE requests SET intent = ? WHERE request_id = 'new'", (newer,))
    )
    assert [one.request_id for one in await store.unfinished()] == ["old"]
    assert [entry.event for entry in await store.search(Filters())] == ["of_the_next_version", "requested"]
    assert store.verify_sync().ok
    await store.close()


if __name__ == "__main__":
    (FOLDER / f"{sys.argv[1]}.json").write_text(json.dumps(written(), indent=1, sort_keys=True) + "\n")
