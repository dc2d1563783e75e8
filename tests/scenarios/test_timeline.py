"""The timeline of a channel."""

from __future__ import annotations

from tests.world import World


async def test_a_timeline_comes_as_a_table_and_as_files_with_the_hashes(here: World) -> None:
    """What was done here, for a report and for a proof."""
    await here.does("schedule off acc:shop/prices -- closed", "All schedules of shop/prices are off")
    await here.does("timeline since=1h", "Timeline since")
    files = await here.until(lambda: {file.name: file for file in here.ws.files.values() if file.channel_id} or None)
    assert "closed" in files["timeline.md"].bytes.decode()
    head = here.register()[-1]
    assert any(
        entry.hash in files["timeline.jsonl"].bytes.decode() for entry in here.register() if entry.seq <= head.seq
    )
