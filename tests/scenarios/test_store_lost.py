"""The database is deleted under the running bot."""

from __future__ import annotations

from tests.world import World, shown


async def test_a_deleted_database_stops_every_request_and_is_told(env: World) -> None:
    """Nothing is sent, the person is told why, and the security channel hears of it once."""
    await env.does("status acc:shop/prices", "shop/prices")
    (env.folder / "signalbox.db").unlink()
    before = len([one for one in env.acc.requests if one.raw_path.endswith("/cluster/start")])
    await env.say("start acc:shop/prices -- after the loss")
    await env.sees("deleted, replaced or overwritten", "nothing was done")

    def alarms() -> list[str]:
        texts = [shown(message) for message in env.ana.messages("C0SEC")]
        return [text for text in texts if "Every request is refused" in text]

    assert await env.until(alarms)
    assert len(alarms()) == 1
    assert len([one for one in env.acc.requests if one.raw_path.endswith("/cluster/start")]) == before
