"""What somebody types may hold a secret; it is used, and it is kept nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.core.masking.values import MASK
from tests.world import World, shown, stored, world

SECRET = "correct-horse-7-not-a-secret"


async def test_a_typed_secret_reaches_the_control_plane_and_stays_nowhere(env: World) -> None:
    """Not in the audit log, not in any table once the run was started, not in a message."""
    await env.does(f"start acc:shop/prices input.password={SECRET} -- login", "start acc:shop/prices", "Succeeded")
    starts = [request for request in env.acc.requests if request.raw_path.endswith("/cluster/start")]
    assert SECRET in starts[0].json()["inputParameters"]
    await env.until(lambda: "ended" in env.events("start"))
    assert SECRET not in "".join(shown(message) for message in env.ana.messages("C0CRAWL"))
    dump = await stored(env.bot.store)
    assert SECRET not in dump


@pytest.mark.parametrize(
    "typed",
    [
        "strat acc:shop/prices input.password={}",
        "start acc:shop/prices input.password={} ;",
        "start acc:shop/prices input.password={} more",
        "start acc:shop/pricse input.password={}",
        "please start acc:shop/prices input.password={}",
    ],
)
async def test_a_typed_secret_is_on_no_button_of_a_suggestion(env: World, typed: str) -> None:
    """The command that was probably meant is shown with the value masked. What was typed is stored until the request ends."""
    await env.does(typed.format(SECRET), "acc")
    async with asyncio.timeout(30):
        while SECRET in await everything_stored(env):  # noqa: ASYNC110  the store tells nobody
            await asyncio.sleep(0.02)


async def everything_stored(env: World) -> str:
    """All rows of all tables, and all messages in the workspace."""
    dump = await stored(env.bot.store)
    return "".join([dump, *(str(message) for message in env.ana.messages("C0CRAWL"))])


async def test_a_configured_secret_in_a_reason_reaches_neither_a_card_nor_the_store(env: World) -> None:
    """Whatever its form: every configured secret is masked by value in the card, in the messages and in the audit log."""
    secrets = [value for value in env.bot.built.secrets if len(value) >= 8]
    assert len(secrets) >= 2
    for secret in secrets:
        await env.does(f'start acc:shop/prices -- the key is {secret}, or "{secret}"', "start acc:shop/prices", MASK)
    await env.until(lambda: env.events("start").count("ended") == len(secrets))
    kept = await everything_stored(env)
    assert [secret for secret in secrets if secret in kept] == []


async def test_a_credential_that_was_fetched_is_masked_like_a_configured_one(tmp_path: Path) -> None:
    """The token of a Resilio agent, which only the program knows: not on a card, in the audit log or in its export."""
    async with world(tmp_path, only=("acc", "res")) as env:
        await env.does("status res:", "res")
        token = env.planes["res"].token
        await env.does(f"start acc:shop/prices -- found {token} in a log", "start acc:shop/prices", MASK)
        await env.until(lambda: "ended" in env.events("start"))
        env.bot.store.export_sync(str(tmp_path / "audit.jsonl"), "jsonl")
        assert token not in await everything_stored(env)
        assert token not in (tmp_path / "audit.jsonl").read_text(encoding="utf-8")


async def test_a_secret_is_masked_before_a_text_is_cut(tmp_path: Path) -> None:
    """An error of a Resilio run that holds the token where the card cuts the text: no part of it is shown."""
    async with world(tmp_path, only=("res",)) as env:
        plane = env.planes["res"]
        await env.does("status res:", "res")
        run = plane.transfers[0]
        run.errors.append("x" * 190 + f" {plane.token}")
        card = await env.does(f"status res:run/{run.run_id}", "xxx")
        assert plane.token[:6] not in shown(card)


async def test_a_secret_of_another_control_plane_is_masked_in_a_target_and_in_what_a_plane_says(tmp_path: Path) -> None:
    """The ACC's token as part of a target that doesn't exist, and in the error of a Resilio run."""
    async with world(tmp_path, only=("acc", "res")) as env:
        token = env.environ["ACC_TOKEN"]
        await env.does(f"status acc:shop/{token}", "has no agent", MASK)
        run = env.planes["res"].transfers[0]
        run.errors.append(f"the peer sent {token}")
        await env.does(f"status res:run/{run.run_id}", "the peer sent", MASK)
        await env.quiet()
        assert token not in await everything_stored(env)
