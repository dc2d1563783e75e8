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
from tests.slack.office import BUTTON, HERE, Office, card, made
from tests.waiting import until
from tests.world import labels, shown


async def test_a_card_is_posted_once_and_then_updated_in_place(office: Office) -> None:
    for status in ("Working", "Queued", "Running", "Succeeded"):
        await office.sender.show(card(status))
        await office.settle()
    (message,) = office.seen()
    assert "Succeeded" in shown(message)
    assert (office.calls("chat.postMessage"), office.calls("chat.update")) == (1, 3)


async def test_changes_that_come_close_together_are_one_update(office: Office) -> None:
    await office.sender.show(card("Working"))
    await office.settle()
    for number in range(50):
        await office.sender.show(card(f"step {number}"))
        await office.sender.flush()
    await office.settle()
    assert "step 49" in office.texts()[0]
    assert office.calls("chat.update") <= 2


async def test_the_first_update_comes_soon_and_later_ones_keep_a_second_apart(office: Office) -> None:
    """What is quick is shown as quick; a run that is followed does not use up what Slack allows."""
    await office.sender.show(card("one"))
    assert await office.sender.flush() == 0.0
    await office.sender.show(card("two"))
    assert await office.sender.flush() == pytest.approx(0.2)
    office.clock.advance(0.2)
    assert await office.sender.flush() == 0.0
    assert "two" in office.texts()[0]
    await office.sender.show(card("three"))
    assert await office.sender.flush() == pytest.approx(1.0)
    office.clock.advance(0.7)
    await office.sender.show(card("other", key="op:2"))
    assert await office.sender.flush() == 0.0
    assert await office.sender.flush() == pytest.approx(0.3)
    office.clock.advance(0.3)
    await office.sender.flush()
    assert "three" in office.texts()[0]


async def test_where_slack_asks_to_wait_the_channel_waits_and_keeps_its_order(office: Office) -> None:
    office.ws.faults.rate_limit("chat.postMessage", times=1, retry_after=7)
    for number in range(3):
        await office.sender.show(card(f"number {number}", key=f"op:{number}"))
    assert await office.sender.flush() == 0.0
    await office.sender.show(card("elsewhere", key="op:9", place=Place(team_id="T0ACME", channel_id="C0INC")))
    assert await office.sender.flush() == 0.0
    assert office.texts() == []
    assert len(office.texts("C0INC")) == 1
    assert await office.sender.flush() == pytest.approx(7.0, abs=0.1)
    office.clock.advance(6.5)
    await office.sender.flush()
    assert office.texts() == []
    await office.settle(0.6)
    found = [[f"number {n}" in text for n in range(3)].index(True) for text in office.texts()]
    assert sorted(found) == [0, 1, 2]
    assert office.calls("chat.postMessage") == 1 + 4


async def test_blocks_that_slack_refuses_become_words(office: Office) -> None:
    office.ws.faults.fail("chat.postMessage", error="invalid_blocks", times=1)
    await office.sender.show(card("Failed", tone=Tone.BAD))
    await office.settle()
    (message,) = office.seen()
    assert "Failed" in message["text"]
    assert not message.get("blocks")
    office.ws.faults.fail("chat.update", error="msg_blocks_too_long", times=1)
    await office.sender.show(card("Succeeded"))
    await office.settle(2)
    assert "Succeeded" in office.seen()[0]["text"]


async def test_newer_blocks_that_slack_refuses_are_left_out_for_an_hour(office: Office) -> None:
    """The card keeps its buttons and its details; the next cards aren't sent twice."""
    detailed = card("Waiting", details=(Fact(label="Digest", value="9f86"),), buttons=(BUTTON,))
    office.ws.faults.fail("chat.postMessage", error="invalid_blocks", times=1)
    await office.sender.show(detailed)
    await office.settle()
    (message,) = office.seen()
    assert [block["type"] for block in message["blocks"]] == ["section", "actions", "context"]
    assert "Digest: 9f86" in shown(message)
    await office.sender.show(detailed.model_copy(update={"status": "Approved"}))
    await office.settle(2)
    assert "container" not in str(office.seen()[0]["blocks"])
    await office.sender.show(detailed)
    await office.settle(3_601)
    assert "container" in str(office.seen()[0]["blocks"])
    assert (office.calls("chat.postMessage"), office.calls("chat.update")) == (2, 2)


async def test_a_private_answer_whose_blocks_are_refused_becomes_words_too(office: Office) -> None:
    office.ws.faults.fail("chat.postEphemeral", error="invalid_blocks", times=1)
    await office.sender.show(card("Denied", only_for="U0ANA"))
    await office.settle()
    (message,) = office.seen()
    assert message["ephemeral"]
    assert "Denied" in message["text"]


async def test_a_channel_without_the_bot_is_told_to_the_asker_in_one_direct_message(office: Office) -> None:
    office.ws.set_channel("C0CRAWL", members=["U0ANA"])
    await office.sender.show(card("Working", buttons=(BUTTON,)))
    await office.settle()
    await office.sender.show(card("Succeeded", buttons=(BUTTON,)))
    await office.settle(2)
    (message,) = office.seen("D0ANA")
    words = shown(message)
    assert "not_in_channel" in words
    assert "Invite me there" in words
    assert "Succeeded" in words
    assert labels(message) == []
    assert office.seen() == []


async def test_once_invited_the_next_change_goes_to_the_channel(office: Office) -> None:
    office.ws.set_channel("C0CRAWL", members=["U0ANA"])
    await office.sender.show(card("Working"))
    await office.settle()
    office.ws.set_channel("C0CRAWL", members=["U0ANA", "U0BOT"])
    await office.sender.show(card("Succeeded"))
    await office.settle(2)
    assert "Succeeded" in office.texts()[0]


async def test_a_card_that_somebody_deleted_is_posted_anew(office: Office) -> None:
    await office.sender.show(card("Working"))
    await office.settle()
    office.ws.core.state.remove(office.ws.core.state.find("C0CRAWL", office.seen()[0]["ts"]))
    await office.sender.show(card("Succeeded"))
    await office.settle(2)
    await office.sender.show(card("Succeeded, really"))
    await office.settle(2)
    (message,) = office.seen()
    assert "Succeeded, really" in shown(message)


async def test_slack_down_and_up_again_loses_nothing_and_doubles_nothing(office: Office) -> None:
    office.ws.faults.fail("*", status=503)
    for number in range(5):
        await office.sender.show(card("Working", key=f"op:{number}"))
    for _ in range(8):
        await office.settle(30)
    await office.sender.show(card("Succeeded", key="op:0"))
    await office.sender.show(card("Denied", key="say:1", only_for="U0ANA"))
    await office.settle(30)
    assert office.texts() == []
    office.ws.faults.clear()
    for _ in range(12):
        await office.settle(60)
    words = office.texts()
    assert len(words) == 6
    assert sum("Succeeded" in text for text in words) == 1
    assert sum("Denied" in text for text in words) == 1


async def test_what_was_not_sent_is_sent_after_a_restart(office: Office) -> None:
    office.ws.faults.fail("chat.postMessage", drop=True)
    await office.sender.show(card("Succeeded"))
    await office.sender.show(card("Denied", key="say:1", only_for="U0ANA"))
    await office.sender.flush()
    office.ws.faults.clear()
    await office.reopen()
    await office.settle(5)
    assert len(office.texts()) == 2
    await office.reopen()
    await office.sender.show(card("Ended"))
    await office.settle(5)
    assert len(office.texts()) == 2
    assert sum("Ended" in text for text in office.texts()) == 1


async def test_a_private_answer_goes_through_the_response_url_and_a_later_state_replaces_it(office: Office) -> None:
    reply = await office.reply()
    await office.sender.show(card("Denied", only_for="U0ANA"), reply)
    await office.settle()
    (message,) = office.seen()
    assert message["ephemeral"]
    assert (office.calls("response_url"), office.calls("chat.postEphemeral")) == (1, 0)
    assert office.seen(user="U0LEE") == []


async def test_after_five_uses_the_answer_is_ephemeral(office: Office) -> None:
    reply = await office.reply()
    for number in range(7):
        await office.sender.show(card(f"answer {number}", key=f"say:{number}", only_for="U0ANA"), reply)
        await office.settle(1)
    assert len(office.texts()) == 7
    assert office.calls("chat.postEphemeral") == 2
    assert all(message["ephemeral"] for message in office.seen())


async def test_after_half_an_hour_the_response_url_is_not_even_tried(office: Office) -> None:
    reply = await office.reply()
    office.clock.advance(29 * 60 + 1)
    office.ws.clock.advance(29 * 60 + 1)
    await office.sender.show(card("late", only_for="U0ANA"), reply)
    await office.settle()
    assert (office.calls("response_url"), office.calls("chat.postEphemeral")) == (0, 1)


async def test_a_response_url_that_expires_while_slack_is_down_is_replaced(office: Office) -> None:
    reply = await office.reply()
    office.ws.faults.fail("response_url", drop=True)
    await office.sender.show(card("Denied", only_for="U0ANA"), reply)
    await office.settle()
    assert office.texts() == []
    office.ws.clock.advance(3000)
    await office.settle(3000)
    assert office.calls("chat.postEphemeral") == 1
    assert "Denied" in office.texts()[0]


async def test_where_the_bot_is_not_a_member_the_last_way_is_a_direct_message(office: Office) -> None:
    office.ws.set_channel("C0CRAWL", members=["U0ANA"])
    await office.sender.show(card("Denied", only_for="U0ANA", buttons=(BUTTON,)))
    await office.settle()
    (message,) = office.seen("D0ANA")
    assert "Denied" in shown(message)
    assert labels(message) == []


async def test_an_address_of_another_host_is_never_used_and_the_answer_still_arrives(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    until_ = office.clock.now() + timedelta(minutes=29)
    reply = Reply(response_url="https://evil.example/hook-canary", response_until=until_)
    await office.sender.show(card("Denied", only_for="U0ANA"), reply)
    await office.settle()
    assert "Denied" in office.texts()[0]
    assert office.calls("chat.postEphemeral") == 1
    assert "hook-canary" not in caplog.text


async def test_a_refused_token_stops_the_program_and_keeps_the_message(office: Office) -> None:
    office.ws.faults.fail("chat.postMessage", error="token_revoked", times=1)
    await office.sender.show(card("Succeeded"))
    await office.settle()
    assert office.fatal == ["token_revoked"]
    await office.settle(5)
    assert "Succeeded" in office.texts()[0]


async def test_an_error_that_nothing_helps_against_gives_up_this_state_only(office: Office) -> None:
    office.ws.faults.fail("chat.postMessage", error="no_such_error_known", times=1)
    await office.sender.show(card("Working"))
    await office.settle()
    assert office.texts() == []
    await office.sender.show(card("Succeeded"))
    await office.settle(2)
    assert "Succeeded" in office.texts()[0]


async def test_a_stored_message_that_cannot_be_read_does_not_stop_the_others(office: Office) -> None:
    await office.sender.show(card("Working"))
    await office.store.database.write(lambda db: db.execute('UPDATE messages SET body = \'{"of":"old"}\''))
    await office.sender.show(card("Succeeded", key="op:2"))
    await office.settle()
    assert len(office.texts()) == 1


async def test_the_worker_outlives_a_store_that_cannot_be_written(office: Office) -> None:
    """The audit log's disk is full for a while; afterwards everything is shown."""
    office.sender = made(office.store, office.ws, office.session, SystemClock(), office.fatal)
    task = asyncio.create_task(office.sender.run())
    await office.sender.show(card("Working"))
    await until(office.texts)
    working = office.store.due_messages

    async def full(*_: object, **__: object) -> Never:
        raise StoreProblem("The disk is full.", code="store_full")

    office.store.due_messages = full  # type: ignore[method-assign,assignment]
    office.sender._wake.set()
    await asyncio.sleep(0.1)
    office.store.due_messages = working  # type: ignore[method-assign]
    await office.sender.show(card("Succeeded"))
    await until(lambda: "Succeeded" in office.texts()[0])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_files_are_put_under_their_card_and_leave_no_copy(office: Office) -> None:
    log = office.path / "run.log"
    log.write_bytes(b"line\n" * 100)
    file = FileOut(path=str(log), name="run.log", title="Log of run 7", size=500, sha256="0" * 64)
    await office.sender.deliver(Delivery(key="f:1", place=HERE, under="op:1", files=(file,), comment="The log"))
    await office.settle()
    assert office.calls("files.completeUploadExternal") == 0
    await office.sender.show(card("Succeeded"))
    await office.settle(1)
    await office.settle(1)
    posted, uploaded = office.seen()
    assert uploaded["thread_ts"] == posted["ts"]
    assert [stored.bytes for stored in office.ws.files.values()] == [log_bytes()]
    assert not log.exists()


async def test_an_upload_that_fails_is_made_again_and_survives_a_restart(office: Office) -> None:
    spool = FileSpool(office.path / "spool")
    spool.prepare()
    async with spool.create(".log") as out:
        out.write(log_bytes())
    file = FileOut(path=out.name, name="run.log", title="Log", size=500, sha256="0" * 64)
    office.ws.faults.fail("upload_url", status=500)
    await office.sender.show(card("Succeeded"))
    await office.settle()
    await office.sender.deliver(Delivery(key="f:1", place=HERE, under="op:1", files=(file,)))
    await office.settle(1)
    assert not office.ws.files
    await office.reopen()
    FileSpool(office.path / "spool").prepare(office.sender.files_of(await office.store.due_messages("9999", 100)))
    office.ws.faults.clear()
    await office.settle(60)
    assert [stored.bytes for stored in office.ws.files.values()] == [log_bytes()]
    FileSpool(office.path / "spool").prepare()
    assert list((office.path / "spool").iterdir()) == []


async def test_a_file_that_is_gone_is_said_to_be_gone(office: Office) -> None:
    file = FileOut(path=str(office.path / "none"), name="run.log", title="Log", size=5, sha256="0" * 64)
    await office.sender.show(card("Succeeded"))
    await office.settle()
    await office.sender.deliver(Delivery(key="f:1", place=HERE, under="op:1", files=(file,)))
    await office.settle(1)
    assert "run.log is no longer available" in office.texts()[-1]


async def test_the_home_tab_shows_its_newest_state_and_recovers_from_an_error(office: Office) -> None:
    def home(text: str) -> HomeView:
        section = Card(key="s", place=Place(team_id="T0ACME", channel_id=""), title="Runs", lines=(Line(text=text),))
        return HomeView(user_id="U0ANA", sections=(section,))

    office.ws.faults.fail("views.publish", error="hash_conflict", times=1)
    await office.sender.home(home("first"))
    await office.settle()
    await office.sender.home(home("second"))
    await office.settle(2)
    view = office.ws.person("U0ANA").home()
    assert view is not None
    assert "second" in str(view)


def log_bytes() -> bytes:
    return b"line\n" * 100
