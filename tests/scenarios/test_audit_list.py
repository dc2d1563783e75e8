"""The audit log in Slack: a table that can be sorted, or paragraphs; never aligned code."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.playground.planes.sequentum import Script
from tests.world import World, labels, shown


def types(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["blocks"]]


async def asked(env: World, times: int) -> None:
    """So many requests, each with two entries and a detail."""
    for number in range(times):
        await env.say(f"why start acc:shop/prices-with-a-rather-long-name-{number} as=run")
    await env.until(lambda: len(env.audit(event="failed")) >= times)


async def test_fourteen_entries_are_one_table_that_can_be_sorted(env: World) -> None:
    await asked(env, 10)
    message = await env.does("audit count=14", "Audit log")
    (block,) = [block for block in message["blocks"] if block["type"] == "data_table"]
    assert len(block["rows"]) == 15
    assert "```" not in shown(message)


async def test_more_entries_than_a_table_takes_are_paragraphs_with_times_in_the_readers_zone(env: World) -> None:
    """Forty of them; the rest is counted, with the command that lists all."""
    await asked(env, 25)
    message = await env.does("audit count=45", "Audit log", "5 older entries: `signalbox audit search`")
    text = shown(message)
    assert set(types(message)) == {"section"}
    assert "```" not in text
    assert sum(block["text"]["text"].count(" · <!date^") for block in message["blocks"]) == 40
    assert "Too long" not in text


async def test_a_search_does_not_find_itself(env: World) -> None:
    await env.does("audit nothing-like-this", "Audit log", "No matching entries.")


@pytest.mark.parametrize("word", ["verify", "export"])
async def test_a_command_of_the_terminal_is_named_and_not_searched_for(env: World, word: str) -> None:
    await env.does(f"audit {word}", "works in the terminal", f"`signalbox audit {word}`", f"`/ops audit {word}*`")
    await env.does(f"audit {word}*", "Audit log", f"audit {word}")


@pytest.mark.parametrize("typed", ["audit --event done", "audit event=done", "audit search done"])
async def test_an_event_may_be_written_as_a_parameter_and_search_as_in_the_terminal(env: World, typed: str) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    await env.does(typed, "Audit log", "status acc:shop/prices")


async def test_an_event_is_not_searched_for_in_reasons(env: World) -> None:
    """With other words it says which of their entries, and a mistyped one is refused with the nearest one."""
    await env.does("status acc:shop/prices -- was denied yesterday", "shop/prices")
    await env.does("audit event=denied", "Audit log", "No matching entries.")
    await env.does("audit * event=done", "Audit log", "status acc:shop/prices")
    await env.does("audit event=dnied", "Nothing was done", "Did you mean `event=denied`?")


async def test_a_parameter_that_audit_does_not_have_is_not_searched_for(env: World) -> None:
    await env.does("audit prices --format csv", "Nothing was done", "`audit` doesn't take `--format csv`", "`count=`")


async def test_its_help_says_how_to_find_a_person_and_a_beginning(env: World) -> None:
    await env.does("help audit", "`@ana` finds that person's entries", "`sched*`")


async def test_a_person_among_the_words_is_whose_entries_are_listed(env: World) -> None:
    """Not the entries that mention them; `*` alone is everything, and a `user=` that is no person lists nobody's."""
    await env.does("status acc:shop/prices -- for <@U0LEE>", "status acc:shop/prices")
    await env.does("history acc:shop/prices", "history acc:shop/prices", user="U0LEE")
    for text in ("audit @lee", "audit user=@lee", "audit @lee history"):
        listed = shown(await env.does(text, "Audit log", "history acc:shop/prices", user="U0ROOT"))
        assert "status acc:shop/prices" not in listed, text
        assert "<@U0ANA>" not in listed, text
    await env.does("audit *", "Audit log", "history acc:shop/prices", "status acc:shop/prices", user="U0ROOT")
    wrong = shown(await env.does("audit user=nobodyhere", "`user=nobodyhere` is not a person", user="U0ROOT"))
    assert "history" not in wrong


async def test_a_word_in_capitals_is_searched_for_although_an_id_may_look_like_it(env: World) -> None:
    """Ids of people are capitals that begin with U or W; a mention tells a person from a word."""
    await env.does("status acc:shop/prices -- UPDATE of the WARN level", "status acc:shop/prices")
    for text in ("audit WARN", "audit UPDATE", "audit WARN <@U0ANA>"):
        await env.does(text, "Audit log", "status acc:shop/prices")


async def test_a_grant_is_told_with_names(env: World) -> None:
    """The detail of the entry has ids; the reader sees the person and the channel."""
    await env.say("grant @lee start acc:shop/prices for=1h -- covering", user="U0ROOT")
    await env.sees("Granted: start on acc:shop/prices")
    message = await env.does("audit count=3", "Audit log")
    elements = [
        element
        for block in message["blocks"]
        if block["type"] in ("table", "data_table")
        for row in block["rows"]
        for cell in row
        if cell["type"] == "rich_text"
        for element in cell["elements"][0]["elements"]
    ]
    assert {"type": "user", "user_id": "U0LEE"} in elements
    assert {"type": "channel", "channel_id": "C0CRAWL"} in elements


async def test_a_search_finds_an_outcome_by_its_name(env: World) -> None:
    """The name of an event is no word of the entry; with other words, both have to fit."""
    await env.does("start acc:shop/price", "Nothing was done")
    await env.does("incident open INC-7 -- checkout is down", "Incident INC-7", user="U0LEE")
    await env.does("start acc:labs/slow", "Denied", user="U0RUI", channel="C0SEC")
    for words in ("failed", "Failed price", "incident_opened"):
        found = shown(await env.does(f"audit {words}", "Audit log"))
        assert words.split()[0].lower() in found, found
        assert "No matching entries" not in found
    await env.does("audit failed nothing-like-this", "No matching entries.")
    denied = shown(await env.does("audit denied", "Audit log", user="U0ROOT"))
    assert "denied" in denied
    assert "acc:labs/slow" in denied
    assert "INC-7" not in denied


async def test_a_search_by_an_incident_finds_all_that_was_done_in_it(env: World) -> None:
    """Its name is in the column of each entry, and a word of none but the opening; the name in small letters is the same one."""
    await env.does("start acc:shop/prices -- earlier", "Succeeded")
    await env.does("incident open INC-50 -- checkout is down", "Incident INC-50", user="U0LEE")
    await env.does("start acc:labs/broken -- restore", "2 of 40 pages failed")
    await env.does("incident close INC-50 -- over", "INC-50 is closed", user="U0LEE")
    await env.does("start acc:shop/prices -- afterwards", "Succeeded")
    around = {entry.seq for entry in env.audit() if entry.reason in ("earlier", "afterwards")}
    of_incident = {entry.seq for entry in env.audit(incident="INC-50")}
    assert {"sent", "ended"} <= {entry.event for entry in env.audit(incident="INC-50")}
    for words in ("INC-50", "inc-50"):
        message = await env.does(f"audit {words} count=50", "Audit log")
        (block,) = [block for block in message["blocks"] if block["type"] in ("table", "data_table")]
        seen = {int(row[-1].get("text") or row[-1]["value"]) for row in block["rows"][1:]}
        assert seen >= of_incident
        assert seen.isdisjoint(around)
    failed = shown(await env.does("audit failed INC-50", "Audit log", "acc:labs/broken"))
    assert "incident_opened" not in failed


async def test_a_closed_incident_is_told_with_its_name_and_the_reason(env: World) -> None:
    await env.does("incident open INC-8 -- checkout is down", "Incident INC-8")
    await env.does("incident close -- prices restored", "INC-8 is closed")
    text = shown(await env.does("audit INC-8 count=3", "Audit log"))
    assert "INC-8: prices restored" in text
    assert "close: prices restored" in text


async def test_a_search_finds_each_entry_of_a_retry_by_the_name_of_its_target(env: World) -> None:
    """The entries have the id of the run as their target; the list names it once."""
    env.acc.add_agent("shop/stuck", scripts=(Script(end="Failure", message="broke"), Script()))
    await env.does("start acc:shop/stuck", "Failed")
    await env.does("retry acc:shop/stuck@failed", "Succeeded")
    await env.until(lambda: env.audit(event="ended", verb="retry"))
    text = shown(await env.does("audit stuck count=14", "Audit log"))
    assert text.count("retry acc:shop/stuck (run ") == 3  # sent, done, ended
    assert "of acc:shop/stuck" not in text


async def test_a_list_says_that_older_entries_match(env: World) -> None:
    """And how they are seen; one with all of them doesn't."""
    await asked(env, 22)
    await env.does("audit count=5", "Audit log", "Older entries match too: add `count=40`")
    await env.does("audit count=40", "Audit log", "Older entries match too: `signalbox audit search` lists all.")
    await env.does("audit count=41", "Audit log", "More than 1 older entry: `signalbox audit search` lists all.")
    assert "lder entries" not in shown(await env.does("audit name-0 count=5", "Audit log", "name-0"))


async def test_a_list_of_what_a_person_did_says_so(env: World) -> None:
    """It has nothing of what others decided about them."""
    for text in ("audit @lee", "audit user=@lee", "audit @lee count=20 nothing"):
        await env.does(text, "Audit log, what <@U0LEE> did, every channel", user="U0ROOT")


@pytest.mark.parametrize(
    "typed", ["audit --user @ana", "audit --user=@ana --since=1h", "audit prices --user @ana --count 5"]
)
async def test_parameters_as_on_the_command_line_are_no_words_to_search_for(env: World, typed: str) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    listed = await env.does(typed.replace("@ana", "<@U0ANA>"), "Audit log", "what <@U0ANA> did", user="U0ROOT")
    assert "No matching entries" not in shown(listed)
    assert "status acc:shop/prices" in shown(listed)


async def test_an_event_is_found_by_the_word_that_lists_show_for_it(env: World) -> None:
    """As a parameter too; and what lists call by another name is not taken for an event with a similar one."""
    env.acc.world.by_path["labs/slow"].scripts = (Script(end="Stopped"),)
    await env.say("start acc:labs/slow")
    await env.until(lambda: any(entry.code == "stopped" for entry in env.audit(event="ended")))
    await env.does("start acc:shop/price", "Nothing was done")
    for said, name in (("stopped", "acc:labs/slow"), ("Stopped", "acc:labs/slow"), ("refused", "acc:shop/price")):
        found = shown(await env.does(f"audit event={said}", "Audit log", user="U0ROOT"))
        assert name in found, (said, found)
        assert len(re.findall(r"acc:", found)) == 1, (said, found)
    unknown = shown(await env.does("audit event=lookup", "takes one of requested", user="U0ROOT"))
    assert "Did you mean" not in unknown


@pytest.mark.parametrize(
    "typed",
    [
        "audit history by @lee",
        "audit history by Lee",
        "audit lee ling",
        "audit user=Lee",
        "audit history by lee since yesterday",
        "audit history of the last 24h",
        "audit history today",
        "audit history since=today",
        "audit for this week",
    ],
)
async def test_times_names_and_small_words_are_no_words_of_a_search(env: World, typed: str) -> None:
    await env.does("history acc:shop/prices", "history acc:shop/prices", user="U0LEE")
    await env.does(typed, "Audit log", "history acc:shop/prices", user="U0ROOT")


async def test_a_search_without_a_match_says_what_was_searched_and_offers_it_without_the_words(env: World) -> None:
    message = await env.does("audit denied nothing-like-this today", "No matching entries.", "nothing-like-this")
    assert labels(message) == ["audit event=denied since=1d", "audit"]
    message = await env.does("audit approved nothing-like-this by @lee", "No matching entries.", user="U0ROOT")
    assert labels(message) == ["audit user=@Lee Ling event=approved", "audit"]


async def test_an_incident_as_a_parameter_is_a_filter_and_not_a_word(env: World) -> None:
    await env.does("incident open INC-9 -- checkout is down", "Incident INC-9", user="U0LEE")
    await env.does("incident close INC-9 -- over", "INC-9 is closed", user="U0LEE")
    await env.does("status acc:shop/prices -- after INC-9", "shop/prices")
    found = shown(await env.does("audit incident=inc-9", "Audit log", "incident_opened"))
    assert "acc:shop/prices" not in found


async def test_a_search_does_not_count_questions_and_searches_as_matches(env: World) -> None:
    await env.does("who was denied today?", "Did you mean this?")
    await env.does("start acc:labs/slow", "Denied", user="U0RUI", channel="C0SEC")
    found = shown(await env.does("audit denied today", "Audit log", "acc:labs/slow", user="U0ROOT"))
    assert "who was denied" not in found
