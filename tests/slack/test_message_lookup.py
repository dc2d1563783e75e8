"""A card whose posting was not answered is found again, not posted twice."""

from __future__ import annotations

from tests.world import World, shown


async def test_a_lost_answer_to_a_post_makes_no_second_card(here: World) -> None:
    """Slack has the message, the program did not hear of it: the next attempt updates what is there."""
    here.ws.faults.fail("chat.postMessage", drop="after", times=1)
    await here.say("schedule off acc:shop/prices -- once")
    await here.sees("schedule off acc:shop/prices", "All schedules of shop/prices are off")
    posts = [call for call in here.ws.calls if call.method == "chat.postMessage"]
    cards = [message for message in here.ana.messages("C0CRAWL") if "schedule off acc:shop/prices" in shown(message)]
    assert len(posts) >= 1
    assert len(cards) == 1


async def test_a_stop_in_the_middle_of_a_post_makes_no_second_card(here: World) -> None:
    """The program stops while Slack is slow to answer: what is under way is noted before the last messages go out."""
    here.ws.faults.fail("chat.postMessage", delay=2.0, times=1)
    await here.say("schedule off acc:shop/prices -- once")
    await here.until(lambda: "done" in here.events("schedule off"))
    await here.until(lambda: not here.ws.faults.orders)
    await here.restart()
    await here.sees("schedule off acc:shop/prices", "All schedules of shop/prices are off")
    cards = [message for message in here.ana.messages("C0CRAWL") if "schedule off acc:shop/prices" in shown(message)]
    assert len(cards) == 1
