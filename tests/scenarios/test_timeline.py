"""The timeline of a channel."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from bot.core.audit import AuditEntry, Event
from bot.core.records import stamp
from bot.demo.run import POLICY
from tests.scenarios.steps import mention
from tests.world import World, shown, world


async def test_a_timeline_comes_as_a_table_and_as_files_with_the_hashes(env: World) -> None:
    """What was done here, for a report and for a proof."""
    await env.does("schedule off acc:shop/prices -- closed", "All schedules of shop/prices are off")
    await env.does("start acc:shop/prices input.region=north", "Succeeded")
    await env.does("timeline since=1h", "Timeline since")
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.channel_id} or None)
    assert "closed" in files["timeline.md"].bytes.decode()
    assert "sent" in files["timeline.md"].bytes.decode()
    assert files["timeline.csv"].bytes.decode().startswith("Seq,")
    for name in ("timeline.md", "timeline.csv"):
        assert "input.region=north" in files[name].bytes.decode()
    head = env.audit()[-1]
    assert any(entry.hash in files["timeline.jsonl"].bytes.decode() for entry in env.audit() if entry.seq <= head.seq)


async def test_a_timeline_to_read_tells_what_was_done_and_leaves_the_looking_to_the_files(env: World) -> None:
    """Requests and what came of them; reads, help and misreads are counted, and stand in the files."""
    await env.does("status acc:shop/prices", "status acc:shop/prices")
    await env.does("whoami", "Who you are here")
    await env.does("schedule off acc:shop/prices -- closed", "All schedules of shop/prices are off")
    text = shown(await env.does("timeline since=1h", "Timeline since", "(reads and intermediate steps) in the files"))
    assert re.search(r"UTC> · ✅ schedule off acc:shop/prices done · <@U0ANA>", text), text
    for word in ("whoami", "status acc:", "sent", "timeline\n"):
        assert f"\n{word}" not in text, word
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.channel_id} or None)
    assert "whoami" in files["timeline.md"].bytes.decode()


async def test_the_status_of_a_control_plane_itself_is_whether_it_answers(env: World) -> None:
    """`status` alone is about the channel, `status acc:` about the control plane."""
    await env.does("status", "Open in this channel")
    await env.does("status acc:", "Health of acc", "It answers")


async def test_a_timeline_has_a_chart_of_what_was_done_and_says_who_asked_for_the_files(env: World) -> None:
    await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
    await env.until(lambda: "ended" in env.events("start"))
    message = await env.does("timeline since=4h", "Timeline since")
    (block,) = [block for block in message["blocks"] if block["type"] == "data_visualization"]
    series = {one["name"]: [point["value"] for point in one["data"]] for one in block["chart"]["series"]}
    assert series == {"Runs succeeded": [0] * 7 + [1], "Failed": [0] * 8, "Actions": [0] * 7 + [1]}
    assert block["chart"]["axis_config"]["categories"][0] == "4 h ago"
    assert "1 run succeeded, 0 failed, 1 action." in message["text"]
    text = shown(message)
    assert re.search(
        r"· start acc:shop/prices started · <@U0ANA>\n.*· ✅ start acc:shop/prices succeeded · <@U0ANA>\n", text
    ), text
    await env.sees("Timeline of this channel for <@U0ANA>: ")


async def test_what_was_refused_before_anything_was_sent_has_not_failed(env: World) -> None:
    """A verb that the vendor doesn't have is left to the files; a command that can't be done is not done."""
    await env.does("stop acc:shop/prices", "`acc` doesn't support `stop`")
    await env.does("start acc:shop/prices inputs=x -- a typo", "`inputs` is not a parameter")
    message = await env.does("timeline since=1h", "Timeline since", "not done")
    text = shown(message)
    assert "⚠️ start acc:shop/prices not done · <@U0ANA> · a typo." in text
    assert "stop acc" not in text
    assert not [block for block in message["blocks"] if block["type"] == "data_visualization"]


async def test_in_a_thread_the_timeline_is_that_threads(env: World) -> None:
    """What was done in it, and the request whose card began it; nothing else of the channel."""
    await env.does("schedule off acc:shop/prices -- around", "All schedules of shop/prices are off")
    card = await env.does("start acc:shop/prices -- its card", "start acc:shop/prices", "Succeeded")
    await mention(env, "schedule on acc:shop/prices -- within", thread_ts=card["ts"])
    await env.until(lambda: "done" in env.events("schedule on"))
    await mention(env, "timeline since=1h", thread_ts=card["ts"])
    text = shown(await env.sees("Timeline of this thread since"))
    assert "schedule on acc:shop/prices" in text
    assert "start acc:shop/prices" in text
    assert "schedule off" not in text
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.thread_ts} or None)
    assert "around" not in files["timeline.md"].bytes.decode()


async def test_the_chart_of_a_thread_spans_what_it_shows(env: World) -> None:
    """Minutes, where the thread covers minutes: not the day that was searched. The same in a channel without `since=`."""
    card = await env.does("start acc:shop/prices -- its card", "start acc:shop/prices", "Succeeded")
    await env.until(lambda: "ended" in env.events("start"))
    await mention(env, "timeline", thread_ts=card["ts"])
    in_thread = await env.sees("Timeline of this thread since")
    in_channel = await env.does("timeline", "Timeline since")
    for message in (in_thread, in_channel):
        (block,) = [block for block in message["blocks"] if block["type"] == "data_visualization"]
        labels = block["chart"]["axis_config"]["categories"]
        assert all(label.endswith(" s ago") for label in labels), labels
        series = {one["name"]: [point["value"] for point in one["data"]] for one in block["chart"]["series"]}
        assert (sum(series["Actions"]), series["Runs succeeded"][-1]) == (1, 1)


async def test_a_timeline_tells_decisions_with_names_and_without_the_ages_of_facts(env: World) -> None:
    """A denial once, with the reason of the request; what the audit log keeps beside it is in the files."""
    await env.say("breakglass for=5m -- just trying")
    await env.until(lambda: env.audit(event="denied"))
    await env.say("grant @lee start acc:shop/prices for=1h -- covering", user="U0ROOT")
    await env.sees("Granted: start on acc:shop/prices")
    text = shown(await env.does("timeline since=1h", "Timeline since", "breakglass denied"))
    assert "· just trying. You can't use break-glass" in text
    assert "breakglass requested" not in text
    assert "to <@U0LEE> in <#C0CRAWL> until <!date^" in text
    assert "person read" not in text


async def test_a_timeline_names_whose_pause_was_ended(env: World) -> None:
    await env.does("schedule off acc:shop/prices for=2h -- closed", "Paused until")
    await env.does("schedule on acc:shop/prices -- back", "All schedules of shop/prices are on")
    text = shown(await env.does("timeline since=1h", "Timeline since", "resumed"))
    assert "ends the pause of <@U0ANA>, which was to last until" in text


async def test_a_timeline_of_many_long_entries_leaves_none_of_the_newest_out(env: World) -> None:
    """Long details are cut, so that the newest entries and the count of the others fit into one message."""
    why = "the prices of the shop are wrong since the release of this morning, see the ticket of the team " * 3
    for number in range(30):
        await env.say(f"start acc:labs/new -- {number} {why}", user="U0GUEST")
    await env.until(lambda: len(env.audit(event="denied")) == 30)
    text = shown(await env.does("timeline since=1h", "Timeline since"))
    assert "earlier entries in the files" in text
    assert f"29 {why[:40]}" in text
    assert "Too long to show" not in text


async def test_a_timeline_of_a_busy_channel_begins_where_it_says(env: World) -> None:
    """Everything since then is told or in the files, however much happened later."""
    card = await env.does("start acc:shop/prices -- the first", "start acc:shop/prices", "Succeeded")
    await env.until(lambda: "ended" in env.events("start"))
    at = env.audit()[-1].at
    looks = [
        AuditEntry(at=at, request_id=f"r-{n}", event=Event.REQUESTED, channel_id="C0CRAWL", verb="whoami")
        for n in range(600)
    ]
    await env.bot.store.append(*looks)
    await env.does("timeline since=1h", "Timeline since", "start acc:shop/prices succeeded")
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.channel_id} or None)
    assert "the first" in files["timeline.md"].bytes.decode()
    await mention(env, "timeline since=1h", thread_ts=card["ts"])
    await env.sees("Timeline of this thread since", "start acc:shop/prices succeeded")


async def test_a_timeline_of_more_entries_than_it_reads_says_so(env: World) -> None:
    at = stamp(env.bot.ctx.clock.now())
    one = AuditEntry(
        at=at, request_id="r-1", event=Event.DONE, channel_id="C0CRAWL", verb="start", target_name="acc:shop/x"
    )
    earlier = stamp(env.bot.ctx.clock.now() - timedelta(minutes=30))
    await env.bot.store.append(*[one.model_copy(update={"at": earlier})] * 3, *[one] * 5_001)
    text = shown(await env.does("timeline since=1h", "Only the newest 5,000 entries are here and in the files"))
    begins = datetime.fromisoformat(at)
    assert re.search(rf"Timeline since <!date[^|]*\|{begins:%Y-%m-%d %H:%M} UTC>", text), (
        "its title begins where it does"
    )


async def test_a_timeline_names_no_request_no_app_and_no_channel_by_its_id(tmp_path: Path) -> None:
    """The files have the ids."""
    async with world(tmp_path, policy=POLICY) as env:
        await env.does("start acc:labs/slow -- just trying", "Denied")
        await env.say("schedule off acc:shop/prices for=1h -- the shop is closed")
        await env.sees("Paused until")
        await env.say("schedule on acc:shop/prices -- it is open")
        await env.sees("All schedules of shop/prices are on")
        inputs = {"command": "start acc:shop/prices", "channel": "C0CRAWL", "user": "U0ANA"}
        await env.ana.run_step("run_operation", inputs)
        await env.sees("start acc:shop/prices", "A workflow", "Succeeded")
        text = shown(await env.does("timeline since=1h", "Timeline since", "just trying", "a workflow"))
    assert "closest is <#C0CRAWL> allow" in text
    assert not re.search(r"\br-[a-z0-9]+|A0SIGNAL|(?<![#@])\bC0CRAWL", text), text
    assert "ends the pause of" in text


async def test_a_timeline_says_once_that_a_run_was_started_and_that_it_succeeded(env: World) -> None:
    """A run that was started and succeeded."""
    await env.say("start acc:shop/prices -- monthly")
    await env.sees("start acc:shop/prices", "Succeeded")
    text = shown(await env.does("timeline since=1h", "Timeline since", "start acc:shop/prices succeeded"))
    assert "start acc:shop/prices started · <@U0ANA> · monthly\n" in text
    assert "start acc:shop/prices succeeded · <@U0ANA>\n" in text
    assert "was started" not in text
    assert "Succeeded: " not in text


async def test_a_timeline_says_once_that_a_run_was_started_also_while_it_goes_on(env: World) -> None:
    await env.does("start acc:labs/slow -- monthly", "start acc:labs/slow", "Running")
    text = shown(await env.does("timeline since=1h", "Timeline since"))
    assert "start acc:labs/slow started · <@U0ANA> · monthly\n" in text
    assert "was started" not in text


async def test_a_timeline_tells_how_a_run_ended_that_is_not_followed(tmp_path: Path) -> None:
    """Its control plane answers when the run is over, so no other entry says that it succeeded."""
    async with world(tmp_path, only=("itn",)) as env:
        env.planes["itn"].shape = "synchronous"
        await env.does("start itn:cluster_1/check-links", "ended with return code 1")
        await env.does("start itn:cluster_1/check-links -- monthly", "Completed", "monthly")
        text = shown(await env.does("timeline since=1h", "Timeline since"))
    assert "monthly. cluster_1/check-links has run and ended with return code 0" in text, text


async def test_a_question_in_a_title_is_not_followed_by_the_word_attention(env: World) -> None:
    await env.does("status acc:shop/prices", "status acc:shop/prices")
    text = shown(await env.does("why did shop/prices fail yesterday", "Did you mean this?"))
    assert "Attention" not in text


async def test_people_and_links_in_the_reason_of_a_request_that_waits_stay_as_written(tmp_path: Path) -> None:
    async with world(tmp_path, policy=POLICY) as env:
        await env.say("agent approve acc:labs/new -- for <@U0RUI>, see https://acme.example.com/C0CRAWL/p1")
        await env.sees("Waiting for approval from one of `leads`. Not started yet")
        text = shown(
            await env.does("timeline since=1h", "Timeline since", "agent approve acc:labs/new approval requested")
        )
    assert "· for <@U0RUI>, see " in text
    assert "acme.example.com/C0CRAWL/p1" in text
    assert "asked in <#C0APPR>" in text


async def test_a_request_that_waits_for_approval_is_one_entry_and_names_no_decider(tmp_path: Path) -> None:
    async with world(tmp_path, policy=POLICY) as env:
        await env.does("start acc:labs/slow -- just trying", "Denied")
        await env.say("agent approve acc:labs/new -- tested")
        await env.sees("Waiting for approval from one of `leads`. Not started yet")
        card = await env.does("timeline since=1h", "Timeline since", "agent approve acc:labs/new approval requested")
    text = shown(card)
    assert "approval requested · <@U0ANA> · tested · needs 1 of leads, asked in <#C0APPR>" in text
    assert "agent approve acc:labs/new requested" not in text
    assert "U0LEE" not in text
    assert "start acc:labs/slow denied · <@U0ANA> · just trying. " in text
    assert "person read" not in text


async def test_a_timeline_tells_a_decision_that_was_made_in_another_channel(tmp_path: Path) -> None:
    """The request was made here; it no longer waits."""
    async with world(tmp_path, policy=POLICY) as env:
        await env.say("agent approve acc:labs/new -- tested")
        lee = env.person("U0LEE")
        asked = await env.sees("wants to run", "agent approve acc:labs/new", user="U0LEE", channel="C0APPR")
        await lee.press_label("C0APPR", asked["ts"], "Deny")
        await lee.wait_for(lambda one: one.modal())
        await lee.submit("modal", {"reason": "not today"})
        await env.sees("agent approve acc:labs/new", "Denied by")
        text = shown(await env.does("timeline since=1h", "Timeline since", "agent approve acc:labs/new rejected"))
        assert "not today" in text
        files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.channel_id} or None)
    assert "rejected" in files["timeline.md"].bytes.decode()


async def test_a_timeline_tells_that_another_channel_approved_it(tmp_path: Path) -> None:
    """As it tells that it was denied there."""
    async with world(tmp_path, policy=POLICY) as env:
        await env.say("agent approve acc:labs/new -- tested")
        asked = await env.sees("wants to run", "agent approve acc:labs/new", user="U0LEE", channel="C0APPR")
        await env.person("U0LEE").press_label("C0APPR", asked["ts"], "Approve")
        await env.until(lambda: env.audit(event="done", verb="agent approve"))
        text = shown(await env.does("timeline since=1h", "Timeline since"))
        assert re.search(r"agent approve acc:labs/new`? approved · <@U0LEE>", text), text


async def test_a_timeline_tells_the_end_of_a_pause_without_its_id(env: World) -> None:
    """The pause is named by its request, which is in the files."""
    await env.does("schedule off acc:shop/prices for=1s -- closed", "Paused until")
    await env.until(lambda: env.audit(event="resumed"))
    text = shown(await env.does("timeline since=1h", "Timeline since", "resumed"))
    ended = [line.partition("> · ")[2] for line in text.splitlines() if " resumed" in line]
    assert ended
    assert all(line.endswith("resumed · automatic, for <@U0ANA>") for line in ended), ended
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.channel_id} or None)
    assert "| automatic, for U0ANA | resumed |" in files["timeline.md"].bytes.decode()


async def test_a_run_that_its_control_plane_no_longer_has_is_counted_as_unknown_not_as_failed(env: World) -> None:
    await env.does("incident open INC-3 -- the control plane was restored", "Incident INC-3")
    at = stamp(env.bot.ctx.clock.now())
    ends = ((Event.SENT, None), (Event.DONE, None), (Event.ENDED, "lost"))
    entries = [
        AuditEntry(at=at, request_id="r-lost0000000000", event=event, verb="start", backend="acc", target_id="a1",
                   target_name="acc:shop/prices", channel_id="C0CRAWL", user_id="U0ANA", incident="INC-3", code=code)
        for event, code in ends
    ]  # fmt: skip
    await env.bot.store.append(*entries)
    text = shown(await env.does("timeline since=1h", "Timeline since"))
    assert "0 failed, 1 unknown" in text
    assert "❔ start acc:shop/prices lost" in text
    await env.does("incident close -- over", "INC-3 is closed", "1, none failed, 1 unknown")
