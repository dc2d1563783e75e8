"""What the words alone show to be impossible is refused before anything is registered as sent."""

from __future__ import annotations

from pathlib import Path

from tests.world import OPEN_POLICY, request_id, world

ASKING = OPEN_POLICY.replace(
    'who = ["crawl", "leads", "admins"]',
    'who = ["crawl"]\napprovals = { count = 1, from = ["leads"], expires = "30m", in = "C0CRAWL" }',
    1,
)

IMPOSSIBLE = (
    ("start acc:shop/prices as=job sync=true", "A job doesn't take"),
    ("start acc:shop/prices sessions=true session=s1", "leave out `session=`"),
    ("start acc:shop/prices delivery=zip", "need `sync=true`"),
    ("schedule set acc:shop/prices", "needs `cron=` and `start=`"),
    ('schedule set acc:shop/prices cron="0 0 0 1" start="2026-07-16 11:21:20"', "written exactly like"),
    ("input put acc:shop/prices", "attach one file"),
    ('input put acc:shop/prices name=../a.csv text="x"', "not a plain file name"),
    ("input upload acc:shop/prices", "Attach the files"),
    ("gateway set itn:gateway/cluster_1", "Name at least one field to change"),
    ("destroy itn:my-tofu-service param.action=apply", "leave `param.action` out"),
    ("cert add itn:cert/edge contract_id=c-1", "Attach the certificate"),
    ("cert add itn:cert/edge raw_certificate=hello", "not a PEM certificate"),
    ("set pre:invoice-reader", "Name at least one field to change"),
    ("tag res:", "Name a tag"),
)


async def test_what_cannot_be_meant_is_never_registered_as_sent(tmp_path: Path) -> None:
    """Each answer says why, the audit log holds the wish and its refusal, and no plane was asked for a change."""
    async with world(tmp_path, only=("acc", "itn", "pre", "res")) as env:
        for typed, why in IMPOSSIBLE:
            card = await env.does(typed, "Nothing was done", why)
            rows = env.audit(request_id=request_id(card))
            assert [str(row.event) for row in rows] == ["requested", "failed"], typed
        assert "sent" not in {str(row.event) for row in env.audit()}
        assert all(not plane.effects for plane in env.planes.values())


TOLD_BY_THE_PLANE = (
    ("start itn:my-tofu-service", "`param.action=` is missing"),
    ("start itn:my-tofu-service param.action=apply param.colour=red", "not a parameter of this service"),
    ("start itn:my-tofu-service param.action=destroy", "Use the verb `destroy`"),
    ("destroy itn:backup-configs", "only OpenTofu plans"),
    ("gateway create itn:gateway/cluster_1", "The gateway cluster_1 already exists"),
    ("gateway set itn:gateway/nowhere enabled=true", "has no gateway nowhere"),
    ("group delete itn:group/nowhere", "has no group nowhere"),
    ("create pre:invoice-reader", "already has an agent `invoice-reader`"),
    ("retire pre:invoice-raeder", "has no agent `invoice-raeder`"),
    ("set pre:nobody team_id=t-1", "has no agent `nobody`"),
    ("retire pre:gone", "gone is retired, so there is nothing to retire"),
    ("reinstate pre:invoice-reader", "invoice-reader is active, so there is nothing to reinstate"),
    ("mark acc:labs/idle as=failed", "labs/idle has no job runs, so there is nothing to mark"),
    ("schedule on acc:labs/idle", "labs/idle has no schedules, so there is nothing to switch on"),
    ("schedule off acc:labs/idle for=30m", "labs/idle has no schedules, so there is nothing to switch off"),
    ("schedule delete acc:labs/idle", "labs/idle has no schedules, so there is nothing to delete"),
    ("start acc:labs/busy as=job", "Job run 1 of labs/busy is still active"),
    ('schedule set acc:shop/prices id=unknown cron="0 0 0 1" start=2026-07-16T11:21:20', "has no schedule `unknown`"),
)


async def test_what_the_plane_has_against_it_is_never_registered_as_sent(tmp_path: Path) -> None:
    """The plane is asked before the call: a card in the channel says Refused and why, and nobody has to look at a pre-flight."""
    async with world(tmp_path, only=("acc", "itn", "pre")) as env:
        env.planes["acc"].add_agent("labs/idle")
        env.planes["acc"].add_agent("labs/busy")
        env.planes["acc"].add_job("labs/busy", ago=0.0).runs[0].speed = 0.001  # it stays active
        env.planes["pre"].add_agent("gone", retired=True)
        for typed, why in TOLD_BY_THE_PLANE:
            card = await env.does(typed, "Refused: nothing was done", why)
            assert not card["ephemeral"], typed
            rows = env.audit(request_id=request_id(card))
            assert [str(row.event) for row in rows] == ["requested", "failed"], typed
            assert rows[-1].rule, typed
        assert all(not plane.effects for plane in env.planes.values())


async def test_approvers_are_not_asked_for_what_cannot_be_sent(tmp_path: Path) -> None:
    """A start without a parameter that the service requires ends before the question."""
    async with world(tmp_path, policy=ASKING, only=("itn",)) as env:
        await env.does("start itn:my-tofu-service", "Refused: nothing was done", "is missing")
        assert env.events("start") == ["requested", "failed"]
        await env.does("start itn:my-tofu-service param.action=apply", "Waiting for")


async def test_what_came_to_stand_against_it_while_it_was_looked_at_is_not_sent(tmp_path: Path) -> None:
    """Between the pre-flight and `Run it` the plan became another type of service: it ends unsent, and says why."""
    async with world(tmp_path, only=("itn",)) as env:
        plane = env.planes["itn"]
        look = await env.does("destroy itn:my-tofu-service", "Dangerous: check before you run it")
        (service,) = (one for one in plane.services if one.name == "my-tofu-service")
        service.sort = "python-script"
        await env.ana.press_label("C0CRAWL", look["ts"], "Run it")
        await env.sees("only OpenTofu plans", "Nothing was done")
        assert env.events("destroy") == ["requested", "abandoned"]
        assert plane.effects == []


async def test_the_launcher_says_it_at_the_field(tmp_path: Path) -> None:
    """A contradiction is shown in the form, which stays open."""
    async with world(tmp_path) as env:
        await env.does("status acc:shop/prices", "shop/prices")
        await env.say("")
        await env.ana.wait_for(lambda who: who.modal())
        await env.ana.choose("modal", action_id="suggest_verb", value="start")
        await env.ana.choose("modal", action_id="suggest_target", value="acc:shop/prices")
        await env.ana.wait_for(lambda who: "param:sync" in str(who.modal()))
        receipt = await env.ana.submit("modal", {"param:as": "job", "param:sync": "true"})
        assert "A job doesn't take" in receipt.errors["param:sync"]
        assert env.events("start") == []
