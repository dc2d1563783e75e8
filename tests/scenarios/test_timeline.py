"""The timeline of a channel."""

from __future__ import annotations

import re

from tests.world import World, shown


async def test_a_timeline_comes_as_a_table_and_as_files_with_the_hashes(env: World) -> None:
    """What was done here, for a report and for a proof."""
    await env.does("schedule off acc:shop/prices -- closed", "All schedules of shop/prices are off")
    await env.does("timeline since=1h", "Timeline since")
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.channel_id} or None)
    assert "closed" in files["timeline.md"].bytes.decode()
    assert "sent" in files["timeline.md"].bytes.decode()
    assert files["timeline.csv"].bytes.decode().startswith("Seq,")
    head = env.audit()[-1]
    assert any(entry.hash in files["timeline.jsonl"].bytes.decode() for entry in env.audit() if entry.seq <= head.seq)


async def test_a_timeline_to_read_tells_what_was_done_and_leaves_the_looking_to_the_files(env: World) -> None:
    """Requests and what came of them; reads, help and misreads are counted, and stand in the files."""
    await env.does("status acc:shop/prices", "status acc:shop/prices")
    await env.does("whoami", "Who you are here")
    await env.does("schedule off acc:shop/prices -- closed", "All schedules of shop/prices are off")
    text = shown(await env.does("timeline since=1h", "Timeline since", "(reads and intermediate steps) in the files"))
    assert re.search(r"\d\d:\d\d:\d\d UTC\n<@U0ANA>\ndone\nschedule off acc:shop/prices", text), text
    for word in ("whoami", "status acc:", "sent", "timeline\n"):
        assert f"\n{word}" not in text, word
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.channel_id} or None)
    assert "whoami" in files["timeline.md"].bytes.decode()


async def test_the_status_of_a_control_plane_itself_is_whether_it_answers(env: World) -> None:
    """`status` alone is about the channel, `status acc:` about the control plane."""
    await env.does("status", "Open in this channel")
    await env.does("status acc:", "Health of acc", "It answers")
