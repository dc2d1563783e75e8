"""What a sentence says against the change that it names, and of what it says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.command.parser import parse
from bot.core.command.suggest import Surroundings, meant, suggest
from bot.core.intent import Command
from tests.core.command.test_suggest import CATALOG, DEMO

THREADS = ("acc:news/feed", "infa:task/load_orders", "itn:cluster_1/backup-configs", "pre:contract-draft", "res:")


def thread_of(about: str) -> Surroundings:
    return replace(DEMO, about=about, recent=(about, "acc:shop/prices", "itn:cluster_1/check-links"))


def changes(typed: str, around: Surroundings) -> list[str]:
    """The offered commands that change something."""
    read = [(one, parse(one, CATALOG)) for one in suggest(typed, CATALOG, around)]
    return [text for text, one in read if isinstance(one, Command) and CATALOG.changes(one.verb)]


@pytest.mark.parametrize(
    "typed",
    [
        # It leaves something out.
        "delete all gateways except cluster_1",
        "stop everything except load_orders",
        "stop all but load_orders",
        "stop every task apart from load_orders",
        "start anything but prices",
        "start all labs agents, not labs/broken",
        "starte alles außer prices",
        "démarre tout sauf prices",
        "let <@U0RUI> start everything but rebuild_ledger",
        # It takes something back.
        "delete cluster_2? no",
        "delete cluster_2, just kidding",
        "stop load_orders, no, don't",
        "stop load_orders, never mind",
        "resume nightly... no, leave it off",
        "start prices... actually no",
        "start prices, wait",
        "pause nightly, or not, ask ana",
        "incident close not yet",
        "stop load_orders, i mean sync_customers",
        "start prices - no, stock!",
        "start prices. actually stock.",
        # It reports or forbids something, or asks to wait.
        "start failed for stock",
        "stop blocking load_orders",
        "hold on, prices is fine",
        "give prices another hour, then stop it",
        "n'arrête pas load_orders",
        "an incident is open, please don't restart",
        "turn nightly on and weekly close off",
    ],
)
def test_what_is_left_out_taken_back_or_reported_is_offered_as_no_change(typed: str) -> None:
    assert changes(typed, DEMO) == []


@pytest.mark.parametrize("about", THREADS)
@pytest.mark.parametrize(
    "typed",
    [
        "deploy failed, don't restart",
        "restart failed, don't retry",
        "delete failed, don't retry",
        "retry failed again, pause it",
        "restart done, watching",
        "start it. no, don't",
        "restart it, no wait, stop it",
        "stop it? no",
        "retry, scratch that",
        "hold on, let me check",
        "hold off on the retry",
        "give it another 10 minutes",
        "let it run",
        "delete this run",
        "restart the gateway, not the job",
        "stop the server",
        "stop the incident",
        "pause the approvals",
        "start the pause now",
        "end the freeze",
        "let <@U0RUI> not restart it",
        "disallow <@U0RUI> to stop it",
    ],
)
def test_in_a_thread_what_is_no_order_about_its_target_is_offered_as_no_change(about: str, typed: str) -> None:
    assert changes(typed, thread_of(about)) == []


@pytest.mark.parametrize("about", THREADS)
@pytest.mark.parametrize(
    "typed",
    [
        "start it but don't touch prices",
        "start it and stop prices",
        "pause it so prices can finish",
        "pause it, prices needs the db",
        "pause it while prices runs",
        "pause it and let prices run",
        "prices is done. start it",
        "stock is fine, restart this one",
        "prices still runs, pause this until 18:00",
        "restart it before prices",
        "it is broken, restart it",
        "there are new orders, start it",
        "restart it with new data",
        "stop it before more orders are lost",
        "the process hangs, kill it",
        "I'm back, resume it",
        "check the logs and restart it",
        "pause it for the weekly close",
        "pause it every night",
        "stop it first, then start prices",
        "put it back on",
        "start a new run",
    ],
)
def test_an_order_about_it_in_a_thread_is_of_its_target_whatever_is_named_beside_it(about: str, typed: str) -> None:
    commands = [parse(one, CATALOG) for one in suggest(typed, CATALOG, thread_of(about))]
    targets = {one.target.partition("@")[0] for one in commands if isinstance(one, Command) and one.target}
    assert targets <= {about}


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("stop load_orders and start sync_customers", "stop infa:task/load_orders"),
        ("stop load_orders, then start sync_customers", "stop infa:task/load_orders"),
        ("pause nightly and resume weekly close", "schedule off infa:schedule/nightly"),
        ("pause feed for an hour then start stock", "schedule off acc:news/feed for=1h"),
        ("retry broken, pause slow", "retry acc:labs/broken@failed"),
        ("delete cluster_2 but keep cluster_1", "gateway delete itn:gateway/cluster_2"),
        ("start stock but not prices", "start acc:shop/stock"),
        ("start sync_customers instead of load_orders", "start infa:task/sync_customers"),
        ("pause weekly close and leave nightly alone", 'schedule off infa:"schedule/weekly close"'),
    ],
)
def test_of_two_orders_the_first_one_is_offered_for_its_own_target_alone(typed: str, first: str) -> None:
    offered = suggest(typed, CATALOG, DEMO)
    assert offered[0] == first
    target = first.partition(" for=")[0].split(" ", first.count(" off ") + first.count("gateway delete") + 1)[-1]
    assert all(target.removesuffix("@failed") in one for one in offered)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("remove <@U0RUI>'s access to cluster_2", ("grants",)),
        ("remove <@U0RUI> from contract-draft", ("grants",)),
        ("remove <@U0RUI> as approver", ("grants",)),
        ("cancel rui's right to stop load_orders", ("grants",)),
        ("stop rui from running rebuild_ledger", ("grants",)),
        ("forbid <@U0RUI> to start prices", ("grants",)),
        ("take start on prices away from <@U0RUI>", ("grants",)),
        ("let <@U0RUI> know before you stop load_orders", ("help grant", "grants")),
        ("give <@U0RUI> a call when prices fails", ("help grant", "grants")),
        ("give <@U0RUI> no rights on prices", ("help grant", "grants")),
        ("give <@U0RUI> all rights", ("help grant", "grants")),
        ("allow <@U0RUI> stop of load_orders for 1h", ("grant <@U0RUI> stop infa:task/load_orders for=1h",)),
        ("authorize <@U0RUI> to stop load_orders", ("grant <@U0RUI> stop infa:task/load_orders",)),
        ("approve ana's start of shop/prices", ("approvals",)),
        ("ask <@U0RUI> to approve prices", ("approvals",)),
        ("reload the policy", ("policy",)),
        ("remove the rule for contract-draft", ("policy",)),
        ("restart signalbox", ("help",)),
        ("remove contract-draft from the list", ("help",)),
        ("start an audit", ("audit",)),
    ],
)
def test_what_is_said_of_rights_rules_and_the_bot_is_of_no_target(typed: str, offered: tuple[str, ...]) -> None:
    assert suggest(typed, CATALOG, DEMO) == offered


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("stop the watch on load_orders", "unwatch infa:task/load_orders"),
        ("delete the watch for contract-draft", "unwatch pre:contract-draft"),
        ("turn off alerts for prices", "unwatch acc:shop/prices"),
        ("stop pinging me about load_orders", "unwatch infa:task/load_orders"),
        ("silence load_orders for 1h", "unwatch infa:task/load_orders"),
        ("start monitoring prices", "watch acc:shop/prices"),
        ("run a check on load_orders", "status infa:task/load_orders"),
    ],
)
def test_a_verb_with_a_noun_is_what_the_noun_says(typed: str, offered: str) -> None:
    assert suggest(typed, CATALOG, DEMO) == (offered,)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("let <@U0ANA> start prices again -- x", "grant <@U0ANA> start acc:shop/prices -- x"),
        ("let <@U0ANA> retry prices@failed -- x", "grant <@U0ANA> retry acc:shop/prices -- x"),
        ("let <@U0ANA> see the log of prices -- x", "grant <@U0ANA> logs acc:shop/prices -- x"),
        ("let <@U0ANA> start prices tomorrow -- x", "grant <@U0ANA> start acc:shop/prices -- x"),
    ],
)
def test_a_right_is_for_what_runs_and_not_for_one_of_its_runs(typed: str, offered: str) -> None:
    found = meant(typed, CATALOG, DEMO)
    assert found.commands == (offered,)
    assert found.later == ("tomorrow" in typed)


@pytest.mark.parametrize("typed", ["who paused prices?", "until when is prices paused?", "why is prices paused?"])
def test_a_question_is_answered_by_no_change(typed: str) -> None:
    assert changes(typed, DEMO) == []


@pytest.mark.parametrize("typed", ["upload a new input file to prices", "prices is slow today", "prices is broken too"])
def test_an_ordinary_word_names_no_target_beside_the_name_of_one(typed: str) -> None:
    assert all("shop/prices" in one for one in suggest(typed, CATALOG, DEMO))


def test_a_word_of_thanks_is_no_reason() -> None:
    assert suggest("start prices, thx!", CATALOG, DEMO) == ("start acc:shop/prices",)


@pytest.mark.parametrize(
    "typed",
    [
        "remind <@U0RUI> to start prices",
        "<@U0RUI> can you start prices",
        "start prices once stock is done",
        "start prices only with ana's ok",
        "start prices as soon as the load ran",
    ],
)
def test_what_someone_else_does_or_what_waits_for_something_is_looked_at_first(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[:2] == ("status acc:shop/prices", "start acc:shop/prices")


@pytest.mark.parametrize("typed", ["pause prices until I say so", "pause prices for 2 runs"])
def test_a_pause_whose_end_nobody_knows_is_looked_at_first(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO) == ("status acc:shop/prices", "schedule off acc:shop/prices")
