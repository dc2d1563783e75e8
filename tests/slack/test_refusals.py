"""What Slack refuses reaches the right person another way, is tried again where that helps, and never blocks anything else."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.card import Button, Card, Delivery, HomeView, Line, Question
from bot.core.intent import Place
from bot.core.outcome import FileOut
from bot.slack.message_format import Form
from bot.slack.message_sender import MOST_UPLOADS
from tests.slack.sender_world import BUTTON, HERE, SenderWorld, card
from tests.world import labels, shown

APPROVERS = Place(team_id="T0ACME", channel_id="C0APPR")
INCIDENT = Place(team_id="T0ACME", channel_id="C0INC")
PLACE_REFUSES = (
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "is_archived",
    "team_access_not_granted",
    "no_permission",
    "missing_scope",
    "messages_tab_disabled",
    "posting_to_channel_denied",
    "some_error_of_the_future",
)


def question(*buttons: Button, over: bool = False) -> Card:
    """The card of an approval that Lee and Root decide, asked by Ana."""
    asked = Question(asked_by="U0ANA", asked_in=HERE, deciders=("U0LEE", "U0ROOT"), over=over)
    mention = ("U0ANA", "U0LEE", "U0ROOT")
    title = "Approval: start acc:shop/prices"
    return Card(
        key="approval:1", place=APPROVERS, title=title, status="Open", question=asked, mention=mention, buttons=buttons
    )


@pytest.mark.parametrize("code", PLACE_REFUSES)
async def test_a_card_that_its_channel_refuses_goes_to_the_asker_by_direct_message(
    world: SenderWorld, code: str
) -> None:
    world.ws.faults.fail("chat.postMessage", error=code, channel="C0CRAWL")
    for status in ("Working", "Succeeded"):
        await world.sender.show(card(status, buttons=(BUTTON,)))
        await world.settle(1)
    assert world.texts() == []
    (message,) = world.seen("D0ANA")
    assert "Succeeded" in shown(message)
    assert f"I can't write in <#C0CRAWL> ({code})" in shown(message)
    assert labels(message) == []


async def test_with_a_response_url_the_asker_reads_it_where_they_asked(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="restricted_action", channel="C0CRAWL")
    await world.sender.show(card("Succeeded"), await world.reply())
    await world.settle()
    (message,) = world.seen()
    assert message["ephemeral"]
    assert "Succeeded" in shown(message)
    assert world.seen("D0ANA") == []


async def test_where_no_direct_message_can_be_opened_the_security_channel_is_told(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="restricted_action", channel="C0CRAWL")
    world.ws.faults.fail("conversations.open", error="user_disabled")
    await world.sender.show(card("Succeeded"))
    await world.settle(1)
    (message,) = world.seen("C0SEC")
    for part in ("<@U0ANA>", "user_disabled", "start acc:shop/prices", "Succeeded"):
        assert part in shown(message)


async def test_a_private_answer_is_not_told_in_the_security_channel(world: SenderWorld) -> None:
    """Only that it was not delivered, and to whom."""
    world.ws.faults.fail("chat.postEphemeral", error="some_error_of_the_future")
    world.ws.faults.fail("conversations.open", error="cannot_dm_bot")
    await world.sender.show(card("Denied for a reason", only_for="U0ANA"))
    await world.settle(1)
    (message,) = world.seen("C0SEC")
    assert "<@U0ANA>" in shown(message)
    assert "Denied" not in shown(message)
    assert "acc:shop" not in shown(message)


async def test_a_private_answer_for_a_person_outside_the_channel_stays_in_it(world: SenderWorld) -> None:
    """They are told that there is one, and what to do."""
    await world.sender.show(card("Denied for a reason", only_for="U0EXT"))
    await world.settle(1)
    words = "\n".join(shown(message) for message in world.seen("D0EXT", "U0EXT"))
    assert "Join the channel" in words
    assert "Denied" not in words


async def test_a_workspace_over_its_message_limit_gets_the_card_later(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="message_limit_exceeded", times=1)
    await world.sender.show(card("Succeeded"))
    await world.settle()
    assert world.texts() == []
    await world.settle(61)
    assert len(world.texts()) == 1
    assert world.seen("D0ANA") == []


async def test_a_person_who_waits_for_the_message_limit_for_long_is_told_another_way(world: SenderWorld) -> None:
    """By direct message, and in the security channel once. When Slack takes the card, the direct message says so."""
    world.ws.faults.fail("chat.postMessage", error="message_limit_exceeded", channel="C0CRAWL")
    for number in range(3):
        await world.sender.show(card("Succeeded", key=f"op:{number}"))
    for _ in range(8):
        await world.settle(61)
    notices = world.seen("D0ANA")
    assert len(notices) == 3
    assert all("Succeeded" in shown(message) and "(message_limit_exceeded)" in shown(message) for message in notices)
    (security,) = world.seen("C0SEC")
    assert "takes no more from this workspace" in shown(security)
    world.ws.faults.clear()
    await world.settle(400)
    assert len(world.texts()) == 3
    assert all("This is in <#C0CRAWL> now" in shown(message) for message in world.seen("D0ANA"))


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("chat.update", {"error": "update_failed"}),
        ("chat.update", {"error": "streaming_state_conflict"}),
        ("chat.update", {"status": 500}),
        ("chat.postMessage", {"error": "internal_error"}),
        ("chat.postMessage", {"status": 503}),
    ],
)
async def test_a_person_whose_message_keeps_failing_is_told_another_way(
    world: SenderWorld, method: str, fault: dict[str, Any]
) -> None:
    """Once, after some minutes and not before. When Slack takes the message, the direct message says so."""
    if method == "chat.update":
        await world.sender.show(card("Working on it"))
        await world.settle(1)
    world.ws.faults.fail(method, channel="C0CRAWL", **fault)
    await world.sender.show(card("Succeeded"))
    await world.settle(1)
    await world.settle(20)
    assert world.seen("D0ANA") == []
    for _ in range(20):
        await world.settle(31)
    (message,) = world.seen("D0ANA")
    assert "Succeeded" in shown(message)
    assert "I can't write in <#C0CRAWL>" in shown(message)
    world.ws.faults.clear()
    await world.settle(61)
    await world.settle(2)
    (posted,) = world.seen()
    assert "Succeeded" in shown(posted)
    (message,) = world.seen("D0ANA")
    assert "This is in <#C0CRAWL> now" in shown(message)


@pytest.mark.parametrize("code", ["restricted_action_non_threadable_channel", "thread_not_found"])
async def test_a_thread_that_takes_no_reply_leaves_the_channel(world: SenderWorld, code: str) -> None:
    world.ws.faults.fail("chat.postMessage", error=code, times=1)
    await world.sender.show(card("Succeeded", place=HERE.model_copy(update={"thread_ts": "1700000000.000100"})))
    await world.settle()
    (message,) = world.seen()
    assert "thread_ts" not in message


@pytest.mark.parametrize("code", ["restricted_action", "some_error_of_the_future"])
async def test_a_question_that_its_channel_refuses_reaches_requester_and_deciders_and_is_tried_again(
    world: SenderWorld, code: str
) -> None:
    world.ws.faults.fail("chat.postMessage", error=code, channel="C0APPR")
    await world.sender.show(question(BUTTON))
    await world.settle()
    for dm, person in (("D0LEE", "U0LEE"), ("D0ROOT", "U0ROOT")):
        (notice,) = world.seen(dm, person)
        assert "Approval: start acc:shop/prices" in shown(notice)
        assert "Home tab" in shown(notice)
        assert labels(notice) == []
    (notice,) = world.seen()
    assert f"I can't write in <#C0APPR> ({code})" in shown(notice)
    assert "<@U0LEE>" in shown(notice)
    for _ in range(3):
        await world.settle(11)
    assert len(world.seen("D0LEE", "U0LEE")) == 1
    world.ws.faults.clear()
    await world.settle(100)
    (posted,) = world.seen("C0APPR", "U0LEE")
    assert labels(posted) == ["Log"]
    await world.settle(2)
    stand_ins = (*world.seen(), *world.seen("D0LEE", "U0LEE"), *world.seen("D0ROOT", "U0ROOT"))
    assert len(stand_ins) == 3
    for message in stand_ins:
        assert "This is in <#C0APPR> now" in shown(message)
        assert "I can't write" not in shown(message)


async def test_a_question_that_was_decided_before_its_channel_took_it_is_over_everywhere(
    world: SenderWorld,
) -> None:
    world.ws.faults.fail("chat.postMessage", error="restricted_action", channel="C0APPR")
    await world.sender.show(question(BUTTON))
    await world.settle(1)
    await world.sender.show(question(over=True).model_copy(update={"title": "Approved by Lee"}))
    await world.settle(2)
    for dm, person in (("D0LEE", "U0LEE"), ("D0ROOT", "U0ROOT"), ("C0CRAWL", "U0ANA")):
        (message,) = world.seen(dm, person)
        assert "Approved by Lee" in shown(message)
        assert "Home tab" not in shown(message)
        assert "I keep trying" not in shown(message)


async def test_all_approvers_who_get_no_direct_message_are_in_one_notice(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="restricted_action", channel="C0APPR")
    world.ws.faults.fail("conversations.open", error="user_disabled")
    await world.sender.show(question(BUTTON))
    for _ in range(3):
        await world.settle(2)
    (notice,) = [text for text in world.texts() if "direct message either" in text]
    assert "I can't send <@U0LEE> and <@U0ROOT> a direct message either (user_disabled)" in notice


@pytest.mark.parametrize("code", ["restricted_action_non_threadable_channel", "thread_not_found", "ratelimited"])
async def test_a_question_ends_with_one_card_that_has_the_buttons(world: SenderWorld, code: str) -> None:
    """Outside its thread, with older blocks or later: one card that can be decided, and no message elsewhere."""
    world.ws.faults.fail("chat.postMessage", error=code, times=1)
    place = APPROVERS.model_copy(update={"thread_ts": "1700000000.000100"})
    await world.sender.show(question(BUTTON).model_copy(update={"place": place}))
    await world.settle(1)
    await world.settle(5)
    assert [labels(message) for message in world.seen("C0APPR", "U0LEE")] == [["Log"]]
    assert world.seen() == []
    assert world.seen("D0LEE", "U0LEE") == []


async def test_a_question_that_is_only_taken_as_text_says_where_its_buttons_are(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="invalid_blocks", times=1)
    await world.sender.show(question(BUTTON))
    await world.settle(1)
    (posted,) = world.seen("C0APPR", "U0LEE")
    assert labels(posted) == []
    assert posted["text"].endswith("The buttons are on my Home tab.")


async def test_an_update_that_is_refused_reaches_the_asker(world: SenderWorld) -> None:
    await world.sender.show(card("Working"))
    await world.settle()
    world.ws.faults.fail("chat.update", error="posting_to_channel_denied")
    await world.sender.show(card("Succeeded"))
    await world.settle(1)
    (message,) = world.seen("D0ANA")
    assert "Succeeded" in shown(message)


async def test_an_error_without_a_known_meaning_is_tried_a_few_times_and_not_for_ever(
    world: SenderWorld,
) -> None:
    world.ws.faults.fail("chat.postMessage", error="some_error_of_the_future", channel="C0CRAWL")
    await world.sender.show(card("Succeeded"))
    for _ in range(30):
        await world.settle(400)
    tries = [call for call in world.ws.calls if call.method == "chat.postMessage" and call.args["channel"] == "C0CRAWL"]
    assert 2 <= len(tries) <= 8


def file_of(world: SenderWorld) -> FileOut:
    path = world.path / "run.log"
    path.write_bytes(b"line\n" * 100)
    return FileOut(path=str(path), name="run.log", title="Log", size=500, sha256="0" * 64)


async def uploading(world: SenderWorld, **fault: Any) -> FileOut:
    """A card, and a file for its thread that meets this fault when it is shared."""
    await world.sender.show(card("Succeeded"))
    await world.settle()
    world.ws.faults.fail("files.completeUploadExternal", **fault)
    file = file_of(world)
    await world.sender.deliver(Delivery(key="f:1", place=HERE, under="op:1", files=(file,)))
    return file


@pytest.mark.parametrize("fault", [{"error": "file_update_failed"}, {"status": 500}])
async def test_a_file_that_cannot_be_shared_is_uploaded_once_tried_a_bounded_time_and_told(
    world: SenderWorld, fault: dict[str, Any]
) -> None:
    file = await uploading(world, **fault)
    for _ in range(MOST_UPLOADS + 10):
        await world.settle(31)
    assert world.calls("files.getUploadURLExternal") == 1
    assert world.calls("files.completeUploadExternal") <= MOST_UPLOADS + 1
    text = world.texts()[-1]
    for part in ("run.log could not be uploaded", "<@U0ANA>", "signalbox do"):
        assert part in text
    assert not (world.path / file.name).exists()


@pytest.mark.parametrize("code", ["file_uploads_disabled", "posting_to_channel_denied", "storage_limit_reached"])
async def test_a_file_that_slack_will_not_take_is_told_at_once(world: SenderWorld, code: str) -> None:
    await uploading(world, error=code)
    await world.settle(1)
    assert f"Slack refuses it ({code})" in world.texts()[-1]
    assert world.seen()[-1]["thread_ts"] == world.seen()[0]["ts"]


async def test_an_upload_that_slack_forgot_is_made_again(world: SenderWorld) -> None:
    await uploading(world, error="file_not_found", times=1)
    await world.settle(5)
    await world.settle(5)
    assert world.calls("files.getUploadURLExternal") == 2
    assert [len(message.get("files", ())) for message in world.seen()] == [0, 1]


async def show_home(world: SenderWorld, text: str = "Runs") -> None:
    section = Card(key="s", place=Place(team_id="T0ACME", channel_id=""), title=text, lines=(Line(text=text),))
    await world.sender.home(HomeView(user_id="U0ANA", sections=(section,)))
    await world.settle(1)


async def test_a_home_tab_that_slack_does_not_show_is_told_once(world: SenderWorld) -> None:
    world.ws.faults.fail("views.publish", error="not_enabled")
    await show_home(world)
    await show_home(world, "Later")
    (message,) = world.seen("D0ANA")
    assert "I can't show your Home tab" in shown(message)
    assert "turn on the app's Home tab" in shown(message)


async def test_a_home_tab_with_too_much_in_it_says_so(world: SenderWorld) -> None:
    world.ws.faults.fail("views.publish", error="view_too_large", times=1)
    await show_home(world)
    assert "Slack can't show this Home tab" in str(world.ws.person("U0ANA").home())


@pytest.mark.parametrize("fault", [{"error": "internal_error"}, {"status": 503}])
async def test_a_workflow_step_is_ended_although_slack_fails_at_first(
    world: SenderWorld, fault: dict[str, Any]
) -> None:
    world.ws.faults.fail("functions.completeSuccess", times=2, **fault)
    await world.sender.step("Fx1", ok=True, text="Done")
    await world.settle(1)
    await world.settle(2)
    assert world.calls("functions.completeSuccess") == 3
    await world.settle(60)
    assert world.calls("functions.completeSuccess") == 3


async def minutes(world: SenderWorld, count: int) -> None:
    for _ in range(2 * count):
        await world.settle(30)


async def test_a_home_tab_that_slack_does_not_take_for_minutes_is_told_and_corrected(world: SenderWorld) -> None:
    world.ws.faults.fail("views.publish", status=503)
    await show_home(world)
    await minutes(world, 5)
    (message,) = world.seen("D0ANA")
    assert "Slack doesn't take it at the moment (http_503). I keep trying." in shown(message)
    world.ws.faults.clear()
    await minutes(world, 1)
    (message,) = world.seen("D0ANA")
    assert "Your Home tab works again" in shown(message)


async def test_a_file_that_slack_does_not_take_for_minutes_is_told_and_corrected(world: SenderWorld) -> None:
    await uploading(world, status=503)
    await minutes(world, 5)
    assert "run.log is not uploaded yet" in world.texts()[-1]
    assert "I keep trying" in world.texts()[-1]
    world.ws.faults.clear()
    await minutes(world, 1)
    assert "run.log is uploaded" in world.texts()[1]
    assert len(world.seen()[-1].get("files", ())) == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "missing_scope"}, {"error": "some_error_of_the_future"}])
async def test_a_workflow_step_that_cannot_be_ended_is_told_in_the_security_channel(
    world: SenderWorld, fault: dict[str, Any]
) -> None:
    """Its person isn't known, and its workflow waits."""
    world.ws.faults.fail("functions.completeSuccess", **fault)
    await world.sender.step("Fx1", ok=True, text="Started run 7")
    await minutes(world, 5)
    (message,) = world.seen("C0SEC")
    for part in ("A workflow waits, because its step can't be ended", "Started run 7", fault.get("error", "http_503")):
        assert part in shown(message)


async def test_a_direct_message_that_stands_in_and_does_not_arrive_is_told_in_the_security_channel(
    world: SenderWorld,
) -> None:
    """Only after a longer time: while Slack as a whole is away, every way fails. What came in the end says so."""
    world.ws.faults.fail("chat.postMessage", error="restricted_action", channel="C0CRAWL")
    world.ws.faults.fail("conversations.open", status=503)
    await world.sender.show(card("Succeeded"))
    await minutes(world, 8)
    assert world.seen("C0SEC") == []
    await minutes(world, 5)
    (message,) = world.seen("C0SEC")
    assert "<@U0ANA>" in shown(message)
    world.ws.faults.clear()
    await minutes(world, 1)
    (message,) = world.seen("C0SEC")
    assert "a direct message to <@U0ANA> now" in shown(message)
    assert "Succeeded" in shown(world.seen("D0ANA")[0])


async def test_a_card_that_changes_often_is_told_another_way_too(world: SenderWorld) -> None:
    """A new state that isn't sent yet is no new beginning of the trouble."""
    await world.sender.show(card("Working on it"))
    await world.settle(1)
    world.ws.faults.fail("chat.update", status=500, channel="C0CRAWL")
    for turn in range(30):
        await world.sender.show(card(f"{turn} of 30 pages"))
        await world.settle(10)
    (message,) = world.seen("D0ANA")
    assert "29 of 30 pages" in shown(message)


async def test_after_an_outage_nobody_gets_a_direct_message_about_a_message_that_came(
    world: SenderWorld,
) -> None:
    """What never stood in for a message needs no correction."""
    for method in ("chat.postMessage", "conversations.open"):
        world.ws.faults.fail(method, status=503)
    await world.sender.show(card("Succeeded"))
    await minutes(world, 5)
    world.ws.faults.clear()
    world.ws.faults.fail("conversations.open", status=503)
    await minutes(world, 1)
    world.ws.faults.clear()
    await minutes(world, 1)
    assert len(world.texts()) == 1
    assert world.seen("D0ANA") == []


async def test_a_direct_message_is_corrected_after_a_restart(world: SenderWorld) -> None:
    """The bot finds in its store that it told a person another way."""
    await world.sender.show(card("Working on it"))
    await world.settle(1)
    world.ws.faults.fail("chat.update", error="posting_to_channel_denied", times=1)
    await world.sender.show(card("Half done"))
    await world.settle(1)
    await world.reopen()
    await world.sender.show(card("Succeeded"))
    await world.settle(5)
    (message,) = world.seen("D0ANA")
    assert "This is in <#C0CRAWL> now" in shown(message)


async def test_a_question_goes_before_the_cards_of_its_channel(world: SenderWorld) -> None:
    for number in range(30):
        await world.sender.show(card("Done", key=f"op:{number}", place=APPROVERS))
    await world.sender.show(question(BUTTON))
    await world.settle()
    assert "Approval" in shown(world.seen("C0APPR", "U0LEE")[0])


async def test_after_an_outage_everything_comes_soon_and_in_order(world: SenderWorld) -> None:
    world.ws.faults.fail("*", status=503)
    for number in range(40):
        await world.sender.show(card(f"number {number:02}.", key=f"op:{number}"))
        await world.settle(15)
    assert world.texts() == []
    world.ws.faults.clear()
    await world.settle(31)
    found = [text.partition("number ")[2][:2] for text in world.texts()]
    assert found == [f"{number:02}" for number in range(40)]


async def test_a_message_that_always_fails_does_not_block_its_channel(world: SenderWorld) -> None:
    real = world.sender.delivery.send

    async def send(row: Any, form: Form = Form.FULL) -> None:
        if row.key == "op:0":
            raise OSError
        await real(row, form)

    world.sender.delivery.send = send  # type: ignore[method-assign]
    for number in range(5):
        await world.sender.show(card(f"number {number}", key=f"op:{number}"))
    for _ in range(8):
        await world.settle(10)
    assert len(world.texts()) == 4


async def test_where_no_message_can_be_updated_the_last_way_posts_again(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postMessage", error="restricted_action", channel="C0CRAWL")
    world.ws.faults.fail("chat.update", error="some_error_of_the_future")
    for status in ("Working", "Succeeded"):
        await world.sender.show(card(status))
        await world.settle(1)
    assert ["Succeeded" in text for text in world.texts("D0ANA")] == [False, True]


async def test_a_message_that_cannot_be_made_stops_no_other_and_its_next_state_is_shown(
    world: SenderWorld,
) -> None:
    await world.sender.show(card("Working"))
    await world.store.database.write(lambda db: db.execute("UPDATE messages SET body = json_array(1)"))
    await world.sender.show(card("Succeeded", key="op:2"))
    await world.settle()
    await world.sender.show(card("Ended"))
    await world.settle(1)
    assert [any(word in text for text in world.texts()) for word in ("Succeeded", "Ended")] == [True, True]
    assert world.sender.lost == 1


async def test_an_outage_of_many_hours_loses_nothing(world: SenderWorld) -> None:
    await world.sender.show(card("Succeeded"))
    await world.store.database.write(lambda db: db.execute("UPDATE messages SET attempts = 5000"))
    world.ws.faults.fail("*", status=503, times=3)
    for _ in range(5):
        await world.settle(31)
    assert len(world.texts()) == 1
