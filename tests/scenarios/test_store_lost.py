"""The database is deleted under the running bot."""

from __future__ import annotations

from tests.world import World, shown


async def test_a_deleted_database_stops_every_request_and_is_told(here: World) -> None:
    """Nothing is sent, the person is told why, and the security channel hears of it once."""
    await here.does("status acc:shop/prices", "shop/prices")
    (here.folder / "signalbox.db").unlink()
    before = len([one for one in here.acc.requests if one.raw_path.endswith("/cluster/start")])
    await here.say("start acc:shop/prices -- after the loss")
    await here.sees("deleted or replaced", "nothing was done")

    def alarms() -> list[str]:
        texts = [shown(message) for message in here.ana.messages("C0SEC")]
        return [text for text in texts if "Every request is refused" in text]

    assert await here.until(alarms)
    assert len(alarms()) == 1
    assert len([one for one in here.acc.requests if one.raw_path.endswith("/cluster/start")]) == before
