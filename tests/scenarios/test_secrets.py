"""What somebody types may hold a secret; it is used, and it is kept nowhere."""

from __future__ import annotations

from tests.world import World, shown

SECRET = "correct-horse-7-not-a-secret"


async def test_a_typed_secret_reaches_the_control_plane_and_stays_nowhere(here: World) -> None:
    """Not in the audit log, not in any table once the run was started, not in a message."""
    await here.does(f"start acc:shop/prices input.password={SECRET} -- login", "start acc:shop/prices", "Succeeded")
    starts = [request for request in here.acc.requests if request.raw_path.endswith("/cluster/start")]
    assert SECRET in starts[0].json()["inputParameters"]
    await here.until(lambda: "ended" in here.events("start"))
    assert SECRET not in "".join(shown(message) for message in here.ana.messages("C0CRAWL"))
    dump = await here.bot.store.database.read(
        lambda db: [str(db.execute(f"SELECT * FROM [{name}]").fetchall()) for name in db.table_names()]
    )
    assert SECRET not in "".join(dump)
