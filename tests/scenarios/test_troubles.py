"""What breaks outside: control planes that lose answers, Slack that is away. Every request ends in a stated outcome, once."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.backends.sequentum.client import AccClient
from bot.core.card import Card
from bot.operations import asking
from bot.operations import reconcile as reading_back
from bot.playground.workspace.payloads import slash_command
from bot.runtime import task_queue
from bot.store.errors import StoreProblem
from tests.scenarios.steps import Asked, ask, do, everything_seen, last_seq, mention, private, starts
from tests.scenarios.team import deciding
from tests.scenarios.test_pauses import FIRST
from tests.world import OPEN_POLICY, World, labels, shown, world

START = "POST .*/cluster/start"


def begun(env: World) -> int:
    """How many runs the ACC really started by a call."""
    return sum(effect.action in ("start", "job start") for effect in env.acc.effects)


class Trouble(NamedTuple):
    """A fault of the ACC at a start, and what the person and the audit log are told. `sent`: it was asked at all."""

    name: str
    fault: dict[str, Any]
    events: list[str]
    code: str
    card: tuple[str, ...]
    runs: int = 0
    text: str = "start acc:shop/prices"


LOST = ["requested", "sent", "unknown", "reconciled"]
UNCLEAR = ["requested", "sent", "unknown", "abandoned"]
FAILED = ["requested", "sent", "failed"]
TROUBLES = (
    Trouble(
        "the answer is lost after it was accepted", {"fault": "drop_after"}, LOST, "done", ("The answer was lost",), 1
    ),
    Trouble(
        "the answer of a job start is lost",
        {"fault": "drop_after"},
        LOST,
        "done",
        ("The answer was lost",),
        1,
        "start acc:shop/prices as=job",
    ),
    Trouble(
        "the connection is cut before it is accepted",
        {"fault": "drop_before"},
        UNCLEAR,
        "reply_lost",
        ("Unknown: it may or may not have happened", "None that can be this one started"),
    ),
    Trouble(
        "it breaks and nothing began",
        {"fault": "500"},
        UNCLEAR,
        "server_error",
        ("Unknown: it may or may not have happened", "None that can be this one started", "may be queued"),
    ),
    Trouble(
        "it breaks and the run began", {"fault": "500", "done": True}, LOST, "done", ("The answer was not usable",), 1
    ),
    Trouble("a login page comes back", {"fault": "html"}, UNCLEAR, "bad_reply", ("Unknown: it may or may not",)),
    Trouble(
        "half an answer comes back",
        {"fault": "bad_json", "done": True},
        LOST,
        "done",
        ("The answer was not usable",),
        1,
    ),
    Trouble(
        "the credential is refused",
        {"fault": "401"},
        FAILED,
        "credential_refused",
        ("Failed: nothing was done", "does not accept the credential", "An administrator renews"),
    ),
    Trouble(
        "reports too many requests",
        {"fault": "429"},
        FAILED,
        "rate_limited",
        ("Failed: nothing was done", "too many requests", "Try again later"),
    ),
    Trouble(
        "it points elsewhere and nothing began",
        {"fault": "redirect"},
        UNCLEAR,
        "redirected",
        ("Unknown: it may or may not have happened", "None that can be this one started"),
    ),
    Trouble(
        "it points elsewhere and the run began",
        {"fault": "redirect", "done": True},
        LOST,
        "done",
        ("The answer was not usable",),
        1,
    ),
)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stays unknown is looked at again once, and at once."""
    monkeypatch.setattr(reading_back, "LOOK_AGAIN_AFTER", (0.05,))


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("trouble", TROUBLES, ids=[trouble.name for trouble in TROUBLES])
async def test_a_start_that_meets_trouble_is_asked_once_and_told_as_it_is(env: World, trouble: Trouble) -> None:
    """Failed, refused and unknown are different answers; a start is never sent again, and what began is found."""
    match = "POST .*/start"
    await env.acc.set_fault({**trouble.fault, "times": 1, "match": match})
    asked = await do(env, trouble.text)
    card = await asked.card(*trouble.card)
    assert asked.events[: len(trouble.events)] == trouble.events
    assert asked.rows[len(trouble.events) - 1].code == trouble.code
    assert len(asked.changes) == 1
    assert begun(env) == trouble.runs
    if trouble.runs:
        found = asked.row("reconciled").backend_ref
        assert found in {run.run_id for run in env.acc.runs} | {job.job_id for job in env.acc.jobs}
    else:
        assert "Succeeded" not in shown(card)
    await env.quiet()
    assert len(asked.changes) == 1


async def test_a_run_that_was_found_again_is_followed_to_its_end(env: World) -> None:
    """After a lost answer the card goes on as that of any other run."""
    env.acc.world.speed = 20.0
    await env.acc.set_fault({"fault": "drop_after", "times": 1, "match": START})
    asked = await do(env, "start acc:shop/prices")
    await asked.card("Succeeded")
    await env.until(lambda: "ended" in asked.events)
    assert "Log" in labels(await asked.card("Succeeded"))


async def test_a_refused_connection_is_a_failure_that_sent_nothing(env: World) -> None:
    """Nothing left the program, so nothing can have happened, and the card says so."""
    await do(env, "status acc:shop/prices")
    await env.acc.set_fault({"fault": "refuse", "after": 1, "seconds": 5})
    asked = await do(env, "start acc:shop/prices")
    card = await asked.card("Failed", "nothing was sent", "connection refused")
    assert asked.events == FAILED
    assert asked.row("failed").code == "not_sent"
    assert asked.changes == []
    assert "Try again" in labels(card)


@pytest.mark.parametrize(
    ("text", "fault", "match"),
    [
        ("start acc:shop/prices input.region=north -- month end", "429", START),
        ("schedule off acc:shop/prices -- month end", "html", "POST .*/schedules/off"),
    ],
)
async def test_what_failed_is_tried_again_from_its_card(env: World, text: str, fault: str, match: str) -> None:
    """The same command with its parameters, decided anew."""
    await do(env, "status acc:shop/prices")
    await env.acc.set_fault({"fault": fault, "match": match})
    asked = await do(env, text)
    await asked.card("Failed")
    await env.acc.clear_faults()
    await asked.press("Try again")
    await env.until(lambda: len(env.audit(event="done")) == 2)  # with the status
    first, again = env.audit(event="sent")
    assert first.request_id == asked.request_id
    assert (again.verb, again.params) == (first.verb, first.params)


async def test_a_control_plane_that_is_away_is_failed_with_nothing_sent(env: World) -> None:
    """The target cannot be found, or was found over a connection that was still open: either way nothing reached it."""
    before = len(env.acc.runs)
    await env.acc.set_fault({"fault": "refuse", "seconds": 30})
    asked = await do(env, "start acc:shop/prices")
    assert asked.events in (["requested", "failed"], ["requested", "sent", "failed"])
    assert asked.changes == []
    assert len(env.acc.runs) == before


async def test_a_repeat_safe_change_survives_one_error(env: World) -> None:
    """Switching off twice is switching off: one 503 does not reach the person."""
    await env.acc.set_fault({"fault": "503", "times": 1, "match": "POST .*/schedules/off"})
    asked = await do(env, "schedule off acc:shop/prices")
    assert asked.events == ["requested", "sent", "done"]
    assert len(asked.changes) == 2


@pytest.mark.parametrize("fault", ["html", "500", "401", "429"])
async def test_a_status_that_cannot_be_read_is_not_a_target_that_failed(env: World, fault: str) -> None:
    """ "Failed" on a status is the state of a run."""
    await do(env, "status acc:shop/prices")
    await env.acc.set_fault({"fault": fault, "match": "GET .*/history"})
    asked = await do(env, "status acc:shop/prices")
    card = await asked.card("status acc:shop/prices", "Couldn't be read")
    assert "Failed" not in shown(card)
    await env.acc.clear_faults()
    await asked.press("health acc" if fault == "401" else "Try again")
    await env.until(lambda: len(env.audit(event="done")) == 2)


@pytest.mark.parametrize("text", ["status acc:shop/prices", "start acc:shop/prices"])
@pytest.mark.parametrize("slow", ["GET /api/agent$", "GET .*/history"])
async def test_who_waits_for_a_slow_control_plane_is_told_that_it_goes_on(
    env: World, monkeypatch: pytest.MonkeyPatch, text: str, slow: str
) -> None:
    """From the look for the target on, until the answer or a card that says it itself is there: then the line is deleted."""
    monkeypatch.setattr(asking, "AFTER", 0.5)
    await env.acc.set_fault({"fault": "delay", "seconds": 2, "match": slow})
    asked = await ask(env, text)
    is_first = slow == "GET /api/agent$" or text.startswith("status")
    if is_first:
        line = await env.sees(text, "Asking acc…")
        assert not line["ephemeral"]
    await asked.ends()
    await asked.card(text)
    await env.quiet()
    await env.until(lambda: "Asking acc" not in everything_seen(env, "U0ANA"))
    assert [call.method for call in env.ws.calls].count("chat.delete") == int(is_first)


async def test_a_line_that_an_older_version_updates_instead_of_deleting_it_asks_nobody_any_more(
    env: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While versions run side by side, the older one leaves out the field that says that the line is withdrawn."""
    monkeypatch.setattr(asking, "AFTER", 0.3)
    show = env.bot.ctx.presenter.show

    async def older(card: Card, *args: Any, **kwargs: Any) -> None:
        await show(card.model_copy(update={"withdrawn": False}), *args, **kwargs)

    monkeypatch.setattr(env.bot.ctx.presenter, "show", older)
    await env.acc.set_fault({"fault": "delay", "seconds": 1, "match": "GET /api/agent$"})
    await (await do(env, "status acc:shop/prices")).card("newest run")
    await env.sees("status acc:shop/prices", "Answered")
    assert "Asking acc…" not in everything_seen(env, "U0ANA")


@pytest.mark.parametrize("known", [True, False])
async def test_nobody_else_reads_what_a_person_typed_who_may_not_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """The denial is for that person only, and nothing is posted for all while the control plane is slow."""
    monkeypatch.setattr(asking, "AFTER", 0.2)
    policy = OPEN_POLICY.replace('verbs = ["*"]', 'verbs = ["risk:read"]')
    async with world(tmp_path, policy=policy) as env:
        if known:
            await env.does("status acc:shop/prices", "newest run")
        await env.acc.set_fault({"fault": "delay", "seconds": 1, "match": "GET"})
        for number, text in enumerate(("start acc:shop/prices", "restart acc:shop/prices@last"), 1):
            await env.say(text)
            await env.until(lambda number=number: len(env.audit(event="denied")) == number)
            await env.quiet()
        posted = [str(call.args) for call in env.ws.calls if call.method == "chat.postMessage"]
        assert not [text for text in posted if "Asking acc" in text]


def not_there(env: World, channel: str) -> bool:
    """Whether the line is no longer there."""
    seen = everything_seen(env, "U0ANA", channel)
    return "Asking acc…" not in seen and "Working on it…" not in seen


@pytest.mark.parametrize(
    ("text", "line", "answer"),
    [
        ("star acc:shop/prices", "star - Working on it…", "is on your Home tab"),
        ("status acc:shop/nothing", "status acc:shop/nothing - Asking acc…", "Nothing was done"),
    ],
)
@pytest.mark.parametrize("says", [World.say, mention])
async def test_a_private_answer_that_takes_long_leaves_nothing_beside_it(
    env: World, monkeypatch: pytest.MonkeyPatch, says: Any, text: str, line: str, answer: str
) -> None:
    """The line for everyone doesn't tell what the answer is about; it goes also where nothing comes of the command."""
    monkeypatch.setattr(asking, "AFTER", 0.3)
    await env.acc.set_fault({"fault": "delay", "seconds": 1.5, "match": "GET /api/agent$"})
    await says(env, text)
    await env.sees(line)
    await private(env, answer)
    await env.quiet()
    await env.until(lambda: not_there(env, "C0CRAWL"))


@pytest.mark.parametrize(("plane", "text"), [("res", "status res:"), ("itn", "jobs itn:")])
async def test_the_line_names_a_control_plane_that_is_its_own_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plane: str, text: str
) -> None:
    monkeypatch.setattr(asking, "AFTER", 0.3)
    async with world(tmp_path, only=(plane,)) as env:
        await env.planes[plane].set_fault({"fault": "delay", "seconds": 1.5, "match": ".*"})
        await env.say(text)
        await env.sees(f"{text} - Asking {plane}…")
        await env.quiet()


async def test_a_line_that_a_lost_program_left_is_deleted_by_the_next(
    env: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AFTER", 0.2)
    monkeypatch.setattr(asking, "_withdraw", lambda *_: asyncio.sleep(0))
    await env.acc.set_fault({"fault": "delay", "seconds": 1, "match": "GET"})
    asked = await ask(env, "status acc:shop/prices")
    await env.sees("Asking acc…")
    await asked.ends()
    await env.quiet()
    assert "Asking acc…" in everything_seen(env, "U0ANA")
    monkeypatch.undo()
    await env.restart()
    await env.until(lambda: "Asking acc…" not in everything_seen(env, "U0ANA"))


async def test_a_line_is_deleted_although_the_store_was_away_meanwhile(
    env: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AFTER", 0.2)
    await env.acc.set_fault({"fault": "delay", "seconds": 3, "match": "GET /api/agent$"})
    asked = await ask(env, "status acc:shop/prices")
    await env.sees("Asking acc…")

    async def away(key: str) -> None:
        raise StoreProblem("Another program has locked the store.", code="store_busy")

    with monkeypatch.context() as locked:
        locked.setattr(env.bot.store, "message", away)
        await asyncio.sleep(0.7)
    await asked.card("newest run")
    await env.until(lambda: "Asking acc…" not in everything_seen(env, "U0ANA"), 5)


async def test_a_line_is_deleted_however_long_the_program_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AFTER", 0.2)
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as made:
        with monkeypatch.context() as lost:
            lost.setattr(asking, "_withdraw", lambda *_: asyncio.sleep(0))
            await made.env.acc.set_fault({"fault": "delay", "seconds": 1, "match": "GET"})
            await do(made.env, "status acc:shop/prices")
            await made.env.quiet()
        assert "Asking acc…" in everything_seen(made.env, "U0ANA")
        made.later(days=4)
        await made.env.restart()
        await made.env.until(lambda: "Asking acc…" not in everything_seen(made.env, "U0ANA"))


async def test_a_slow_refresh_and_a_slow_log_say_so_in_the_thread_of_their_card(
    env: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = await (await do(env, "status acc:shop/prices")).card("newest run")
    runs = await (await ask(env, "start acc:labs/slow")).card("Running", but="nothing")
    monkeypatch.setattr(asking, "AFTER", 0.3)
    await env.acc.set_fault({"fault": "delay", "seconds": 1.5, "match": "GET"})
    for card, label, line in ((runs, "Refresh", "Working on it…"), (read, "Log", "Asking acc…")):
        await env.ana.press_label("C0CRAWL", card["ts"], label)

        def said(_: Any, line: str = line, ts: str = card["ts"]) -> bool:
            return any(line in shown(message) for message in env.ana.messages("C0CRAWL", ts))

        await env.ana.wait_for(said, timeout=6)
        await env.ana.wait_for(lambda _: not said(_))
        await env.quiet()


async def test_who_is_answered_soon_is_told_only_the_answer(env: World) -> None:
    """Nothing else is posted."""
    await (await do(env, "status acc:shop/prices")).card("newest run")
    assert len(env.ana.messages("C0CRAWL")) == 1


async def test_a_web_page_in_answer_to_a_change_is_no_success(env: World) -> None:
    """A sign-in page comes with 200 too: the card says that it failed and why."""
    await env.acc.set_fault({"fault": "html", "match": "POST .*/schedules/off"})
    asked = await do(env, "schedule off acc:shop/prices")
    await asked.card("Failed", "with a web page")
    assert asked.events == ["requested", "sent", "failed"]


async def arrived(env: World, asked: Asked) -> Any:
    """The file in the thread of its card, once it is there."""
    ts = (await asked.card())["ts"]

    def look() -> Any:
        for message in env.ana.messages("C0CRAWL", thread_ts=ts):
            for file in message.get("files") or ():
                return env.ws.files[file["id"]]
        return None

    return await env.until(look, 15)


async def test_a_log_arrives_although_slack_limits_every_step_of_its_upload(env: World) -> None:
    """429 at the address, at the upload and at the end: it is tried again, and the file is there once."""
    for method in ("files.getUploadURLExternal", "upload_url", "files.completeUploadExternal"):
        env.ws.faults.rate_limit(method, times=1, retry_after=1)
    asked = await do(env, "logs acc:shop/prices@last")
    file = await arrived(env, asked)
    with zipfile.ZipFile(io.BytesIO(file.bytes)) as archive:
        assert b"Run ended" in archive.read(archive.namelist()[0])
    await env.quiet()
    assert len([one for one in env.ws.files.values() if one.name.endswith("-log.zip")]) == 1


async def test_slack_may_be_away_while_the_action_succeeds(env: World) -> None:
    """The outcome is in the audit log at once and in Slack later; the action happened once."""
    env.acc.world.speed = 20.0
    for method in ("chat.postMessage", "chat.update", "response_url", "chat.postEphemeral"):
        env.ws.faults.fail(method, status=500)
    asked = await ask(env, "start acc:shop/prices")
    assert await asked.ends() == "done"
    await asyncio.sleep(1.0)
    assert all(asked.request_id not in shown(message) for message in env.ana.messages("C0CRAWL"))
    env.ws.faults.clear()
    await asked.card("Succeeded", within=30)
    assert starts(env) == 1
    assert cards_of(env, asked) == 1


def cards_of(env: World, asked: Asked) -> int:
    """How many messages are about this request."""
    return sum(asked.request_id in shown(message) for message in env.ana.messages("C0CRAWL"))


async def test_slack_may_be_away_across_a_restart(env: World) -> None:
    """What could not be shown before the program stopped is shown after it started again."""
    env.ws.faults.fail("chat.postMessage", status=500)
    asked = await do(env, "schedule off acc:shop/prices")
    await env.bot.close()
    env.ws.faults.clear()
    await env.restart()
    await asked.card("All schedules of shop/prices are off")
    assert cards_of(env, asked) == 1
    assert len(asked.changes) == 1


async def test_a_message_whose_answer_is_lost_is_shown_and_the_action_happens_once(env: World) -> None:
    """Slack's reply to the card is lost: the outcome still arrives, and nothing is done twice for it."""
    env.ws.faults.fail("chat.postMessage", drop="after", times=1)
    asked = await do(env, "schedule off acc:shop/prices")
    await asked.card("are off")
    assert len(asked.changes) == 1
    assert asked.events == ["requested", "sent", "done"]


def settled(env: World, old: set[Any], links: int) -> bool:
    """The program has let go of every old connection, and each of its clients listens to one that the workspace has.

    What comes over a connection that a client is about to replace once more is heard by nobody, in Slack too.
    """
    there = set(env.ws._sockets._open)
    own = [handler.client.current_session for handler in env.bot.connections.sockets]
    return len(there) == links and not old & there and all(one is not None and not one.closed for one in own)


async def settles(env: World, old: set[Any], links: int) -> None:
    """Wait until the connections are settled and have been the same for a second."""
    before, now = None, set(env.ws._sockets._open)
    while before != now:
        await env.until(lambda: settled(env, old, links))
        before = set(env.ws._sockets._open)
        await asyncio.sleep(1.0)
        now = set(env.ws._sockets._open) if settled(env, old, links) else None


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", None])
async def test_a_cut_socket_loses_and_doubles_nothing(env: World, reason: str | None) -> None:
    """Slack asks to reconnect, warns, or the wire is cut: the next command works, and each card is there once."""
    first = await do(env, "schedule off acc:shop/prices")
    links = len(env.bot.connections.sockets)
    await env.ws.wait_connected(links)
    old = set(env.ws._sockets._open)
    await env.ws.disconnect_sockets(reason)
    await settles(env, old, links)
    second = await do(env, "schedule on acc:shop/prices")
    for asked, words in ((first, "are off"), (second, "are on")):
        await asked.card(words)
        assert cards_of(env, asked) == 1
        assert asked.events == ["requested", "sent", "done"]
    assert len([call for call in first.calls if call.method != "GET"]) == 2


async def test_a_credential_that_is_refused_is_not_sent_again_until_a_person_asks(env: World) -> None:
    """Accounts get locked: each command says so and sends nothing, until a person presses the button of such a card."""
    await do(env, "status acc:shop/prices")
    await env.acc.set_fault({"fault": "401"})
    for _ in range(2):
        await (await do(env, "history acc:shop/prices")).card("does not accept the credential (401)")
    await env.acc.clear_faults()
    again = await do(env, "history acc:shop/prices")
    await again.card("Couldn't be read", "doesn't send this credential again until", "type `health acc`")
    assert again.calls == []
    told = shown(await env.does("health", "Health", "Down: acc"))
    await env.ana.open_home()
    tab = await env.ana.wait_for(lambda ana: found if "is down: " in (found := shown(ana.home() or {})) else None)
    assert "acc" in tab
    assert "is down: acc" not in tab  # its name is said once
    for text in (told, tab):  # whole, with what to do about it, however long it is
        assert "An administrator renews the credential of" in text
        assert "To try it now, type" in text
    await again.press("health acc")
    await private(env, "acc answers and accepts the token.")
    assert await (await ask(env, "history acc:shop/prices")).ends() == "done"


async def test_an_event_that_is_delivered_again_runs_once(env: World) -> None:
    """Slack retries an event whose ack it missed, also after a restart of the bot: one request, one run."""
    asked = await mention(env, "start acc:shop/prices")
    seq = last_seq(env)
    for _ in range(3):
        assert (await env.ws.redeliver()).acked
    assert await asked.ends() == "done"
    await env.restart()
    assert (await env.ws.redeliver()).acked
    await env.quiet()
    assert starts(env) == 1
    assert [row for row in env.audit(event="requested") if row.seq > seq] == []


async def test_a_slash_command_that_is_delivered_a_hundred_times_runs_once(env: World) -> None:
    """The same envelope, all at once: one row, one run, one card."""
    core = env.ws.core
    words = "start acc:shop/prices"
    payload = slash_command(core, core.state.users["U0ANA"], core.state.channels["C0CRAWL"], "/ops", words)
    receipts = await asyncio.gather(*(env.ws.deliver("slash_commands", payload) for _ in range(100)))
    assert all(receipt.acked for receipt in receipts)
    await env.until(lambda: "done" in env.events("start"))
    assert len(env.audit(event="requested")) == 1
    assert starts(env) == 1


async def test_a_press_that_is_delivered_again_has_one_effect(env: World) -> None:
    """Many deliveries of one press of `Run it` are one call."""
    asked = await ask(env, "schedule delete acc:news/feed")
    await asked.card("Dangerous")
    await asyncio.gather(*(asked.press("Run it") for _ in range(10)))
    assert await asked.ends() == "done"
    await env.quiet()
    assert len(asked.changes) == 1
    assert asked.events.count("sent") == 1


async def test_nothing_is_sent_when_the_audit_log_cannot_be_written(env: World) -> None:
    """No row, no call: the person is told in the ack, and the control plane hears nothing."""
    calls = len(env.acc.requests)
    env.bot.store.database.write_sync(
        lambda db: db.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no space'); END")
    )
    receipt = await env.say("start acc:shop/prices")
    assert "The audit log can't be written, so nothing was done" in str(receipt.body)
    await env.quiet()
    assert [call for call in env.acc.requests[calls:] if call.method != "GET"] == []
    env.bot.store.database.write_sync(lambda db: db.execute("DROP TRIGGER full"))


async def test_a_flood_of_commands_to_a_control_plane_that_hangs_keeps_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop stands in no line, and a look at another control plane soon has its turn."""
    monkeypatch.setattr("bot.app.STOP_WITHIN", 0.1)  # at the end nobody waits for what hangs
    async with world(tmp_path, only=("acc", "pre")) as env:
        await env.acc.set_fault({"fault": "delay", "seconds": 60, "match": "GET .*"})
        await asyncio.gather(*(env.say("status acc:shop/prices") for _ in range(100)))
        stop = await ask(env, "stop pre:instance/nobody")
        look = await ask(env, "status pre:instance/nobody")
        assert await stop.ends() == "failed"
        assert await look.ends() == "failed"
        assert "done" not in env.events("status"), "the flood waits still"


async def test_more_than_can_wait_is_told_so_and_what_ends_things_is_still_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is dropped in silence: beyond the bound the ack itself says that nothing was done."""
    monkeypatch.setattr(task_queue, "OF_ALL", 10)
    monkeypatch.setattr("bot.app.STOP_WITHIN", 0.1)  # as above
    async with world(tmp_path, only=("acc", "pre")) as env:
        await env.acc.set_fault({"fault": "delay", "seconds": 60, "match": "GET .*"})
        receipts = [await env.say("status acc:shop/prices") for _ in range(15)]
        refused = [
            receipt
            for receipt in receipts
            if "Too many requests are in progress. Nothing was done" in str(receipt.body)
        ]
        assert refused
        assert env.events("status") == ["requested"] * (15 - len(refused))
        stop = await ask(env, "stop pre:instance/nobody")
        assert await stop.ends() == "failed"


@pytest.mark.parametrize("fault", ["refuse", "drop_before", "401", "429", "500", "bad_json", "redirect"])
async def test_whatever_may_pass_can_be_tried_again_from_its_card(env: World, fault: str) -> None:
    """A read couldn't be read, of a change nothing was done; once the ACC answers again, the same command works."""
    await env.acc.set_fault({"fault": fault})
    card = await env.does("schedules acc:shop/prices", "Couldn't be read: `schedules acc:shop/prices`")
    assert labels(card)[0] == "Try again"


async def test_the_button_of_a_refusal_is_used_up_by_its_press(env: World) -> None:
    """The message says that it was tried again, and the next refusal has the button."""
    await env.acc.set_fault({"fault": "401"})
    refused = await env.does("start acc:shop/prices", "Nothing was done: `start acc:shop/prices`")
    await env.ana.press_label("C0CRAWL", refused["ts"], "Try again", seen=refused)
    over = await env.sees("Tried again: `start acc:shop/prices`")
    assert over["ts"] == refused["ts"]
    assert labels(over) == []
    next_one = await env.sees("Nothing was done: `start acc:shop/prices`")
    assert "Try again" in labels(next_one)


async def test_a_fault_of_the_bot_in_a_call_is_an_unknown_outcome(env: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent may have had its effect: the card says so and offers another look, and a pause that may have begun ends."""
    switch = AccClient.switch_schedule

    async def breaks(client: AccClient, schedule_id: str, *, on: bool) -> None:
        await switch(client, schedule_id, on=on)
        if not on:
            raise KeyError("odd")

    monkeypatch.setattr(AccClient, "switch_schedule", breaks)
    await env.does("schedules acc:shop/prices", "2 of them on")
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=2s")
    assert asked.events == ["requested", "sent", "unknown", "abandoned", "paused"]
    assert asked.row("abandoned").code == "internal"
    await asked.card("Unknown", "The bot has a fault (KeyError)")
    await env.until(lambda: env.audit(event="resumed"))
    assert env.acc.schedules[FIRST].enabled
    assert not [one for one in env.ana.messages("C0CRAWL") if "Something went wrong" in shown(one)]
