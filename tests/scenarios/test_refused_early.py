"""What the words alone show to be impossible is refused before anything is registered as sent."""

from __future__ import annotations

from pathlib import Path

from tests.world import request_id, world

IMPOSSIBLE = (
    ("start acc:shop/prices as=job sync=true", "A job takes neither"),
    ("start acc:shop/prices sessions=true session=s1", "must be left out"),
    ("start acc:shop/prices delivery=zip", "need `sync=true`"),
    ("schedule set acc:shop/prices", "needs `cron=` and `start=`"),
    ('schedule set acc:shop/prices cron="0 0 0 1" start="2026-07-16 11:21:20"', "written exactly like"),
    ("input put acc:shop/prices", "attach one file"),
    ('input put acc:shop/prices name=../a.csv text="x"', "no plain file name"),
    ("input upload acc:shop/prices", "Attach the files"),
    ("gateway set itn:gateway/cluster_1", "Say what to change"),
    ("destroy itn:my-tofu-service param.action=apply", "leave `param.action` out"),
    ("cert add itn:cert/edge contract_id=c-1", "Attach the certificate"),
    ("cert add itn:cert/edge raw_certificate=hello", "no certificate in PEM form"),
    ("set pre:invoice-reader", "Say what to change"),
    ("tag res:", "Name a tag"),
)


async def test_what_cannot_be_meant_is_never_registered_as_sent(tmp_path: Path) -> None:
    """Each answer says why, the register holds the wish and its refusal, and no plane was asked for a change."""
    async with world(tmp_path, only=("acc", "itn", "pre", "res")) as here:
        for typed, why in IMPOSSIBLE:
            card = await here.does(typed, "Nothing was done", why)
            rows = here.register(request_id=request_id(card))
            assert [str(row.event) for row in rows] == ["requested", "failed"], typed
        assert "sent" not in {str(row.event) for row in here.register()}
        assert all(not plane.effects for plane in here.planes.values())


async def test_the_launcher_says_it_at_the_field(tmp_path: Path) -> None:
    """A contradiction is shown in the form, which stays open."""
    async with world(tmp_path) as here:
        await here.does("status acc:shop/prices", "shop/prices")
        await here.say("")
        await here.ana.wait_for(lambda who: who.modal())
        await here.ana.suggest("modal", "suggest_target", "shop/pri")
        values = {"verb": "start", "target": "acc:shop/prices", "params": "as=job sync=true"}
        receipt = await here.ana.submit("modal", values)
        assert "A job takes neither" in receipt.errors["params"]
        assert here.events("start") == []
