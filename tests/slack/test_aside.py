"""What one person alone is told reaches that person: beside a message nobody answered yet, in a thread that is one."""

from __future__ import annotations

import pytest

from tests.world import World, labels


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("help", "What you can do here"),
        ("strat acc:shop/prices", "Did you mean this?"),
        ("start acc:no/such", "Nothing was done"),
        ("schedule delete acc:shop/prices", "Dangerous: check before you run it"),
    ],
)
async def test_a_private_answer_to_a_mention_in_the_channel_stands_in_the_channel(
    env: World, typed: str, expected: str
) -> None:
    """Slack shows an ephemeral message in a thread only where there is one already."""
    await env.ana.post("C0CRAWL", f"<@U0BOT> {typed}")
    answer = await env.sees(expected)
    assert answer["ephemeral"]
    assert "thread_ts" not in answer


async def test_a_denial_of_a_mention_in_the_channel_is_seen_by_who_asked(env: World) -> None:
    await env.person("U0GUEST").post("C0CRAWL", "<@U0BOT> start acc:shop/prices")
    answer = await env.sees("Denied", user="U0GUEST")
    assert answer["ephemeral"]
    assert "thread_ts" not in answer


async def test_a_private_answer_within_a_thread_stays_in_it(env: World) -> None:
    parent = await env.person("U0RUI").post("C0CRAWL", "the shop is slow")
    await env.ana.post("C0CRAWL", "<@U0BOT> help", thread_ts=parent.ts)
    assert (await env.sees("What you can do here"))["thread_ts"] == parent.ts


async def test_the_card_of_a_danger_confirmed_beside_a_mention_stands_under_the_mention(env: World) -> None:
    """The preflight is whispered in the channel; what comes of it belongs under the words that asked for it."""
    asked = await env.ana.post("C0CRAWL", "<@U0BOT> schedule delete acc:shop/prices")
    preflight = await env.sees("Dangerous: check before you run it")
    assert "Run it" in labels(preflight)
    await env.ana.press_label("C0CRAWL", preflight["ts"], "Run it")
    await env.until(lambda: "done" in env.events("schedule delete"))
    card = await env.ana.wait_for(lambda who: [m for m in who.messages("C0CRAWL", asked.ts) if m["ts"] != asked.ts])
    assert not card[0]["ephemeral"]
