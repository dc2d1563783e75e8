"""What was stored to be shown arrives in Slack, once, in its newest state, whatever Slack says in between."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Never

import pytest

from bot.core.card import Card, Delivery, HomeView, Line, Tone
from bot.core.intent import Place, Reply
from bot.core.outcome import Fact, FileOut
from bot.runtime.clock import SystemClock
from bot.runtime.spool import FileSpool
from bot.store.errors import StoreProblem
from tests.slack.sender_world import BUTTON, HERE, SenderWorld, card, made
from tests.waiting import until
from tests.world import labels, shown


async def test_a_card_is_posted_once_and_then_updated_in_place(world: SenderWorld) -> None:
    for status in ("Working", "Queued", "Running", "Succeeded"):
        await world.sender.show(card(status))
        await world.settle()
    (message,) = world.seen()
    assert "Succeeded" in shown(message)
    assert (world.calls("chat.postMessage"), world.calls("chat.update")) == (1, 3)


async def test_changes_that_come_close_together_are_one_update(world: SenderWorld) -> None:
    await world.sender.show(card("Working"))
    await world.settle()
    for number in range(50):
        await world.sender.show(card(f"step {number}"))
        await world.sender.flush()
    await world.settle()
    assert "step 49" in world.texts()[0]
    assert world.calls("chat.update") <= 2


async def test_the_first_update_comes_soon_and_later_ones_keep_a_second_apart(world: SenderWorld) -> None:
    """What is quick is shown as quick; a run that is followed does not use up what Slack allows."""
    await world.sender.show(card("one"))
    assert await world.sender.flush() == 0.0
    await world.sender.show(card("two"))
    assert await world.sender.flush() == pytest.approx(0.2)
    world.clock.advance(0.2)
    assert await world.sender.flush() == 0.0
    assert "two" in world.texts()[0]
    await world.sender.show(card("three"))
    assert await world.sender.flush() == pytest.approx(1.0)
    world.clock.advance(0.7)
    await world.sender.show(card("other", key="op:2"))
    assert await world.sender.flush() == 0.0
    assert await world.sender.flush() == pytest.approx(0.3)
    world.clock.advance(0.3)
    await world.sender.flush()
    assert "three" in world.texts()[0]


async def test_where_slack_asks_to_wait_the_channel_waits_and_keeps_its_order(world: SenderWorld) -> None:
    world.ws.faults.rate_limit("chat.postMessage", times=1, retry_after=7)
    for number in range(3):
        await world.sender.show(card(f"number {number}", key=f"op:{number}"))
    assert await world.sender.flush() == 0.0
    await world.sender.show(card("elsewhere", key="op:9", place=Place(team_id="T0ACME", channel_id="C0INC")))
    assert await world.sender.flush() == 0.0
    assert world.texts() == []
    assert len(world.texts("C0INC")) == 1
    assert await world.sender.flush() == pytest.approx(7.0, abs=0.1)
    world.clock.advance(6.5)
    await world.sender.flush()
    assert world.texts() == []
    await world.settle(0.6)
    found = [[f"number {n}" in text for n in range(3)].index(True) for text in world.texts()]
    assert sorted(found) == [0, 1, 2]
    assert world.calls("chat.postMessage") == 1 + 4


async def test_blocks_that_slack_refuses_become_words(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="invalid_blocks", times=1)
    await world.sender.show(card("Failed", tone=Tone.BAD))
    await world.settle()
    (message,) = world.seen()
    assert "Failed" in message["text"]
    assert not message.get("blocks")
    world.ws.faults.fail("chat.update", error="msg_blocks_too_long", times=1)
    await world.sender.show(card("Succeeded"))
    await world.settle(2)
    assert "Succeeded" in world.seen()[0]["text"]


async def test_newer_blocks_that_slack_refuses_are_left_out_for_an_hour(world: SenderWorld) -> None:
    """The card keeps its buttons and its details; the next cards aren't sent twice."""
    detailed = card("Waiting", details=(Fact(label="Digest", value="9f86"),), buttons=(BUTTON,))
    world.ws.faults.fail("chat.postMessage", error="invalid_blocks", times=1)
    await world.sender.show(detailed)
    await world.settle()
    (message,) = world.seen()
    assert [block["type"] for block in message["blocks"]] == ["section", "actions", "context"]
    assert "Digest: 9f86" in shown(message)
    await world.sender.show(detailed.model_copy(update={"status": "Approved"}))
    await world.settle(2)
    assert "container" not in str(world.seen()[0]["blocks"])
    await world.sender.show(detailed)
    await world.settle(3_601)
    assert "container" in str(world.seen()[0]["blocks"])
    assert (world.calls("chat.postMessage"), world.calls("chat.update")) == (2, 2)


async def test_a_private_answer_whose_blocks_are_refused_becomes_words_too(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postEphemeral", error="invalid_blocks", times=1)
    await world.sender.show(card("Denied", only_for="U0ANA"))
    await world.settle()
    (message,) = world.seen()
    assert message["ephemeral"]
    assert "Denied" in message["text"]


async def test_a_channel_without_the_bot_is_told_to_the_asker_in_one_direct_message(world: SenderWorld) -> None:
    world.ws.set_channel("C0CRAWL", members=["U0ANA"])
    await world.sender.show(card("Working", buttons=(BUTTON,)))
    await world.settle()
    await world.sender.show(card("Succeeded", buttons=(BUTTON,)))
    await world.settle(2)
    (message,) = world.seen("D0ANA")
    words = shown(message)
    assert "not_in_channel" in words
    assert "Invite me there" in words
    assert "Succeeded" in words
    assert labels(message) == []
    assert world.seen() == []


async def test_once_invited_the_next_change_goes_to_the_channel(world: SenderWorld) -> None:
    world.ws.set_channel("C0CRAWL", members=["U0ANA"])
    await world.sender.show(card("Working"))
    await world.settle()
    world.ws.set_channel("C0CRAWL", members=["U0ANA", "U0BOT"])
    await world.sender.show(card("Succeeded"))
    await world.settle(2)
    assert "Succeeded" in world.texts()[0]


async def test_a_card_that_somebody_deleted_is_posted_anew(world: SenderWorld) -> None:
    await world.sender.show(card("Working"))
    await world.settle()
    world.ws.core.state.remove(world.ws.core.state.find("C0CRAWL", world.seen()[0]["ts"]))
    await world.sender.show(card("Succeeded"))
    await world.settle(2)
    await world.sender.show(card("Succeeded, really"))
    await world.settle(2)
    (message,) = world.seen()
    assert "Succeeded, really" in shown(message)


async def test_a_line_that_only_says_that_an_answer_is_on_its_way_is_deleted(world: SenderWorld) -> None:
    """One that wasn't posted yet is not posted; nobody is told when Slack refuses it."""
    line = card("Asking acc…").model_copy(update={"passing": True})
    over = line.model_copy(update={"withdrawn": True})
    await world.sender.show(line)
    await world.settle()
    await world.sender.show(over)
    await world.settle()
    await world.sender.show(over)
    await world.settle()
    assert (world.seen(), world.calls("chat.postMessage"), world.calls("chat.delete")) == ([], 1, 1)
    for shown_as in (line, over):
        await world.sender.show(shown_as.model_copy(update={"key": "op:2"}))
    await world.settle()
    assert world.calls("chat.postMessage") == 1
    world.ws.faults.fail("chat.postMessage", error="not_in_channel")
    await world.sender.show(line.model_copy(update={"key": "op:3"}))
    await world.settle()
    assert world.calls("chat.postMessage") == 2


async def test_a_line_that_slack_does_not_let_us_delete_says_that_the_answer_is_there(world: SenderWorld) -> None:
    """A workspace with compliance exports keeps every message."""
    line = card("Asking acc…").model_copy(update={"passing": True})
    await world.sender.show(line)
    await world.settle()
    world.ws.faults.fail("chat.delete", error="compliance_exports_prevent_deletion")
    await world.sender.show(line.model_copy(update={"withdrawn": True}))
    await world.settle()
    (left,) = world.texts()
    assert left.strip() == "Answered"


async def test_slack_down_and_up_again_loses_nothing_and_doubles_nothing(world: SenderWorld) -> None:
    world.ws.faults.fail("*", status=503)
    for number in range(5):
        await world.sender.show(card("Working", key=f"op:{number}"))
    for _ in range(8):
        await world.settle(30)
    await world.sender.show(card("Succeeded", key="op:0"))
    await world.sender.show(card("Denied", key="say:1", only_for="U0ANA"))
    await world.settle(30)
    assert world.texts() == []
    world.ws.faults.clear()
    for _ in range(12):
        await world.settle(60)
    words = world.texts()
    assert len(words) == 6
    assert sum("Succeeded" in text for text in words) == 1
    assert sum("Denied" in text for text in words) == 1


async def test_what_was_not_sent_is_sent_after_a_restart(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", drop=True)
    await world.sender.show(card("Succeeded"))
    await world.sender.show(card("Denied", key="say:1", only_for="U0ANA"))
    await world.sender.flush()
    world.ws.faults.clear()
    await world.reopen()
    await world.settle(5)
    assert len(world.texts()) == 2
    await world.reopen()
    await world.sender.show(card("Ended"))
    await world.settle(5)
    assert len(world.texts()) == 2
    assert sum("Ended" in text for text in world.texts()) == 1


async def test_a_private_answer_goes_through_the_response_url_and_a_later_state_replaces_it(
    world: SenderWorld,
) -> None:
    reply = await world.reply()
    await world.sender.show(card("Denied", only_for="U0ANA"), reply)
    await world.settle()
    (message,) = world.seen()
    assert message["ephemeral"]
    assert (world.calls("response_url"), world.calls("chat.postEphemeral")) == (1, 0)
    assert world.seen(user="U0LEE") == []


async def test_after_five_uses_the_answer_is_ephemeral(world: SenderWorld) -> None:
    reply = await world.reply()
    for number in range(7):
        await world.sender.show(card(f"answer {number}", key=f"say:{number}", only_for="U0ANA"), reply)
        await world.settle(1)
    assert len(world.texts()) == 7
    assert world.calls("chat.postEphemeral") == 2
    assert all(message["ephemeral"] for message in world.seen())


async def test_after_half_an_hour_the_response_url_is_not_even_tried(world: SenderWorld) -> None:
    reply = await world.reply()
    world.clock.advance(29 * 60 + 1)
    world.ws.clock.advance(29 * 60 + 1)
    await world.sender.show(card("late", only_for="U0ANA"), reply)
    await world.settle()
    assert (world.calls("response_url"), world.calls("chat.postEphemeral")) == (0, 1)


async def test_a_response_url_that_expires_while_slack_is_down_is_replaced(world: SenderWorld) -> None:
    reply = await world.reply()
    world.ws.faults.fail("response_url", drop=True)
    await world.sender.show(card("Denied", only_for="U0ANA"), reply)
    await world.settle()
    assert world.texts() == []
    world.ws.clock.advance(3000)
    await world.settle(3000)
    assert world.calls("chat.postEphemeral") == 1
    assert "Denied" in world.texts()[0]


async def test_where_the_bot_is_not_a_member_the_last_way_is_a_direct_message(world: SenderWorld) -> None:
    world.ws.set_channel("C0CRAWL", members=["U0ANA"])
    await world.sender.show(card("Denied", only_for="U0ANA", buttons=(BUTTON,)))
    await world.settle()
    (message,) = world.seen("D0ANA")
    assert "Denied" in shown(message)
    assert labels(message) == []


async def test_an_address_of_another_host_is_never_used_and_the_answer_still_arrives(
    world: SenderWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    until_ = world.clock.now() + timedelta(minutes=29)
    reply = Reply(response_url="https://evil.example/hook-canary", response_until=until_)
    await world.sender.show(card("Denied", only_for="U0ANA"), reply)
    await world.settle()
    assert "Denied" in world.texts()[0]
    assert world.calls("chat.postEphemeral") == 1
    assert "hook-canary" not in caplog.text


async def test_a_refused_token_stops_the_program_and_keeps_the_message(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="token_revoked", times=1)
    await world.sender.show(card("Succeeded"))
    await world.settle()
    assert world.fatal == ["token_revoked"]
    await world.settle(5)
    assert "Succeeded" in world.texts()[0]


async def test_an_error_that_nothing_helps_against_gives_up_this_state_only(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="no_such_error_known", times=1)
    await world.sender.show(card("Working"))
    await world.settle()
    assert world.texts() == []
    await world.sender.show(card("Succeeded"))
    await world.settle(2)
    assert "Succeeded" in world.texts()[0]


async def test_a_stored_message_that_cannot_be_read_does_not_stop_the_others(world: SenderWorld) -> None:
    await world.sender.show(card("Working"))
    await world.store.database.write(lambda db: db.execute('UPDATE messages SET body = \'{"of":"old"}\''))
    await world.sender.show(card("Succeeded", key="op:2"))
    await world.settle()
    assert len(world.texts()) == 1


async def test_the_worker_outlives_a_store_that_cannot_be_written(world: SenderWorld) -> None:
    """The audit log's disk is full for a while; afterwards everything is shown."""
    world.sender = made(world.store, world.ws, world.session, SystemClock(), world.fatal)
    task = asyncio.create_task(world.sender.run())
    await world.sender.show(card("Working"))
    await until(world.texts)
    working = world.store.due_messages

    async def full(*_: object, **__: object) -> Never:
        raise StoreProblem("The disk is full.", code="store_full")

    world.store.due_messages = full  # type: ignore[method-assign,assignment]
    world.sender._wake.set()
    await asyncio.sleep(0.1)
    world.store.due_messages = working  # type: ignore[method-assign]
    await world.sender.show(card("Succeeded"))
    await until(lambda: "Succeeded" in world.texts()[0])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_files_are_put_under_their_card_and_leave_no_copy(world: SenderWorld) -> None:
    log = world.path / "run.log"
    log.write_bytes(b"line\n" * 100)
    file = FileOut(path=str(log), name="run.log", title="Log of run 7", size=500, sha256="0" * 64)
    await world.sender.deliver(Delivery(key="f:1", place=HERE, under="op:1", files=(file,), comment="The log"))
    await world.settle()
    assert world.calls("files.completeUploadExternal") == 0
    await world.sender.show(card("Succeeded"))
    await world.settle(1)
    await world.settle(1)
    posted, uploaded = world.seen()
    assert uploaded["thread_ts"] == posted["ts"]
    assert [stored.bytes for stored in world.ws.files.values()] == [log_bytes()]
    assert not log.exists()


async def test_an_upload_that_fails_is_made_again_and_survives_a_restart(world: SenderWorld) -> None:
    spool = FileSpool(world.path / "spool")
    spool.prepare()
    async with spool.create(".log") as out:
        out.write(log_bytes())
    file = FileOut(path=out.name, name="run.log", title="Log", size=500, sha256="0" * 64)
    world.ws.faults.fail("upload_url", status=500)
    await world.sender.show(card("Succeeded"))
    await world.settle()
    await world.sender.deliver(Delivery(key="f:1", place=HERE, under="op:1", files=(file,)))
    await world.settle(1)
    assert not world.ws.files
    await world.reopen()
    FileSpool(world.path / "spool").prepare(world.sender.files_of(await world.store.due_messages("9999", 100)))
    world.ws.faults.clear()
    await world.settle(60)
    assert [stored.bytes for stored in world.ws.files.values()] == [log_bytes()]
    FileSpool(world.path / "spool").prepare()
    assert list((world.path / "spool").iterdir()) == []


async def test_a_file_that_is_gone_is_said_to_be_gone(world: SenderWorld) -> None:
    file = FileOut(path=str(world.path / "none"), name="run.log", title="Log", size=5, sha256="0" * 64)
    await world.sender.show(card("Succeeded"))
    await world.settle()
    await world.sender.deliver(Delivery(key="f:1", place=HERE, under="op:1", files=(file,)))
    await world.settle(1)
    assert "run.log is no longer available" in world.texts()[-1]


async def test_the_home_tab_shows_its_newest_state_and_recovers_from_an_error(world: SenderWorld) -> None:
    def home(text: str) -> HomeView:
        section = Card(key="s", place=Place(team_id="T0ACME", channel_id=""), title="Runs", lines=(Line(text=text),))
        return HomeView(user_id="U0ANA", sections=(section,))

    world.ws.faults.fail("views.publish", error="hash_conflict", times=1)
    await world.sender.home(home("first"))
    await world.settle()
    await world.sender.home(home("second"))
    await world.settle(2)
    view = world.ws.person("U0ANA").home()
    assert view is not None
    assert "second" in str(view)


def log_bytes() -> bytes:
    return b"line\n" * 100
