"""A card whose posting was not answered is found again, not posted twice."""

from __future__ import annotations

from tests.world import World, shown


async def test_a_lost_answer_to_a_post_makes_no_second_card(env: World) -> None:
    """Slack has the message, the program did not hear of it: the next attempt updates what is there."""
    env.ws.faults.fail("chat.postMessage", drop="after", times=1)
    await env.say("schedule off acc:shop/prices -- once")
    await env.sees("schedule off acc:shop/prices", "All schedules of shop/prices are off")
    posts = [call for call in env.ws.calls if call.method == "chat.postMessage"]
    cards = [message for message in env.ana.messages("C0CRAWL") if "schedule off acc:shop/prices" in shown(message)]
    assert len(posts) >= 1
    assert len(cards) == 1


async def test_a_stop_in_the_middle_of_a_post_makes_no_second_card(env: World) -> None:
    """The program stops while Slack is slow to answer: what is under way is noted before the last messages go out."""
    env.ws.faults.fail("chat.postMessage", delay=2.0, times=1)
    await env.say("schedule off acc:shop/prices -- once")
    await env.until(lambda: "done" in env.events("schedule off"))
    await env.until(lambda: not env.ws.faults.orders)
    await env.restart()
    await env.sees("schedule off acc:shop/prices", "All schedules of shop/prices are off")
    cards = [message for message in env.ana.messages("C0CRAWL") if "schedule off acc:shop/prices" in shown(message)]
    assert len(cards) == 1
