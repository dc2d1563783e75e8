"""What a sentence says against the change that it names, and of what it says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.command.offers import Surroundings
from bot.core.command.parser import parse
from bot.core.command.ranking import Known
from bot.core.command.suggest import Meant, meant, suggest
from bot.core.intent import Command, ParseError
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
        "prices works again",
        "feed runs again",
        "cluster_2 deleted, please confirm",
        "contract-draft retired, please note",
        "eu-1 process server restarted, please test",
        "delete cluster_2 was a mistake",
        "stop load_orders is not allowed",
        "start prices hangs",
        "cluster_2 is off",
        "nightly is on",
        "schedule off since friday, please check prices",
        "let's not restart the us-1 process server",
        "thank you, stop load_orders worked",
        "nightly must not be paused",
        "i paused nightly by mistake, please undo",
        "the website is slow, restart it please",
        "restart it with new data",
        "vpn is slow, pause for 2h",
        "remove me from contract-draft",
        "delete the last run of contract-draft",
        "I'll take load_orders",
        "send load_orders to <@U0RUI>",
        "tell me when the incident is over",
        "is the incident over",
        "give me start on prices",
        "revoke the approval",
        "pause request 7",
        "let <@U0RUI> start everything in shop",
        "let <@U0RUI> start prices while I'm away",
        # It names what is not there, which is no misspelled name.
        "delete cluster_3",
        "remove cluster_22",
        "let <@U0RUI> delete cluster_3",
        "create gateway cluster_3",
        "restart the process server on eu-2",
        "restart mass ingestion on us-1",
        "run check-links on cluster_2",
        "stop load_orders_eu",
        "stop load_orders2",
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
        "retry failed again, pause it",
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
        ("stop rui from running rebuild_ledger", ("status infa:task/rebuild_ledger",)),
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


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("cluster_1 is needed, please delete cluster_2", "gateway delete itn:gateway/cluster_2"),
        ("cluster_1 works fine, you can delete cluster_2 now", "gateway delete itn:gateway/cluster_2"),
        ("mass ingestion is ok, please restart the process server on eu-1", 'restart infa:"eu-1/Process Server"'),
        ("load_orders is finished, please start rebuild_ledger", "start infa:task/rebuild_ledger"),
        ("prices finished, please start stock now", "start acc:shop/stock"),
        ("Rui has started stock, please start prices", "start acc:shop/prices"),
        ("nightly is paused, please start load_orders now", "start infa:task/load_orders"),
        ("load_orders is stopped, please start sync_customers instead", "start infa:task/sync_customers"),
        ("I have paused prices, please pause stock too until 5pm", "schedule off acc:shop/stock until=17:00"),
        (
            "Please stop load_orders, it was started with the wrong file",
            "stop infa:task/load_orders -- it was started with the wrong file",
        ),
        ("please stop load_orders (started by mistake)", "stop infa:task/load_orders"),
        ("Please stop load_orders that was started by Rui", "stop infa:task/load_orders"),
        ("please stop load_orders before it starts to write", "stop infa:task/load_orders"),
        ("load_orders starts again and again, please stop it", "stop infa:task/load_orders"),
        ("Sorry, I have started load_orders by mistake, please stop it", "stop infa:task/load_orders"),
        ("I started the wrong job, please stop load_orders", "stop infa:task/load_orders"),
        ("Sorry, I have resumed nightly by mistake, please pause it again", "schedule off infa:schedule/nightly"),
        ("load_orders stopped with an error, please start it again", "start infa:task/load_orders"),
        ("prices stopped working, please start it again", "retry acc:shop/prices@failed"),
        (
            "please stop load_orders, I wanted to start sync_customers",
            "stop infa:task/load_orders -- I wanted to start sync_customers",
        ),
        ("please stop load_orders so that sync_customers can start", "stop infa:task/load_orders"),
        ("prices does not run, please start it", "start acc:shop/prices"),
        ("please give <@U0RUI> notice before you stop load_orders", "help grant"),
        ("please let <@U0RUI> finish his work before you stop load_orders", "help grant"),
        ("please let <@U0RUI> in peace, I will start prices", "help grant"),
        ("<@U0ANA> has stopped load_orders, please let <@U0RUI> start it", "help grant"),
        ("please stop to start prices", "status acc:shop/prices@last"),
        ("not prices, please start stock", "start acc:shop/stock"),
        ("please let load_orders run", "status infa:task/load_orders"),
        ("let sync_customers finish, then stop load_orders", "status infa:task/load_orders"),
        ("Please let load_orders finish, then stop it", "status infa:task/load_orders"),
        ("please start prices, it has not run today", "start acc:shop/prices"),
        ("please run check links", "start itn:cluster_1/check-links"),
        (
            "Please run backup-configs, we will change the firewall",
            "start itn:cluster_1/backup-configs -- we will change the firewall",
        ),
        (
            "please help me to stop load_orders, it is running wrong data",
            "stop infa:task/load_orders -- it is running wrong data",
        ),
        (
            "please start prices immediately, otherwise we will lose the data",
            "start acc:shop/prices -- otherwise we will lose the data",
        ),
        ("stop load_orders & start prices", "stop infa:task/load_orders"),
        ("stop load_orders and also start prices", "stop infa:task/load_orders"),
        ("first stop load_orders, second start prices", "stop infa:task/load_orders"),
        ("1. stop load_orders 2. start prices", "stop infa:task/load_orders"),
        ("go ahead and stop load_orders", "stop infa:task/load_orders"),
        ("start prices, db works again", "start acc:shop/prices -- db works again"),
        ("restart prices, it crashed again", "restart acc:shop/prices@last -- it crashed again"),
        ("prices stuck again", "status acc:shop/prices@failed"),
        ("breakglass off", "grants"),
        ("turn breakglass off", "grants"),
        ("emergency over", "grants"),
        ("break glass -- approvers unreachable", "breakglass -- approvers unreachable"),
        ("break glass for 2h", "breakglass for=2h"),
        ("cancel the stop of load_orders", "approvals"),
        ("stop the deletion of contract-draft", "approvals"),
        ("nightly pause end", "schedule on infa:schedule/nightly"),
        ("no more watch on prices", "unwatch acc:shop/prices"),
        ("should we allow <@U0RUI> to start prices?", "grants"),
        ("did you let <@U0RUI> start prices", "grants"),
        ("we cannot allow <@U0RUI> to start prices", "grants"),
        ("allow <@U0RUI> to start but not stop load_orders", "help grant"),
        ("let <@U0RUI> start prices and stop load_orders", "help grant"),
        ("let anyone start prices", "status acc:shop/prices"),
        ("nobody start prices", "status acc:shop/prices"),
        ("stop load_orders right now", "stop infa:task/load_orders"),
        ("restart prices right away", "restart acc:shop/prices@last"),
        ("restart prices, it has no access to the db", "restart acc:shop/prices@last -- it has no access to the db"),
        ("stop prices from running", "status acc:shop/prices"),
        ("why is load_orders still running, stop it", "stop infa:task/load_orders"),
        ("who paused nightly? resume it", "schedule on infa:schedule/nightly"),
        ("is load_orders running? stop it", "stop infa:task/load_orders"),
        ("db full, customers waiting, orders lost, stop load_orders", "stop infa:task/load_orders"),
        ("restart prices and close the incident", "restart acc:shop/prices@last"),
        ("open an incident and stop load_orders", "incident open"),
        ("will prices restart by itself", "status acc:shop/prices@last"),
        ("wait 10 minutes then stop load_orders", "status infa:task/load_orders"),
        ("ask ana first, then stop load_orders", "status infa:task/load_orders"),
        ("pause nightly for 30", "status infa:schedule/nightly"),
        ("keep the incident open", "help"),
        ("run nightly now", "status infa:schedule/nightly"),
        ("start nightly manually", "status infa:schedule/nightly"),
        ("let only <@U0RUI> start prices", "help grant"),
    ],
)
def test_the_order_of_a_sentence_is_found_among_what_is_told_beside_it(typed: str, first: str) -> None:
    """Whatever was started, stopped or named before it or after it."""
    assert suggest(typed, CATALOG, DEMO)[0] == first


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("prices is broken, please pause its schedule for 2 hours", "schedule off acc:shop/prices for=2h"),
        ("news/feed is slow, please pause its schedule", "schedule off acc:news/feed"),
        ("shop/prices works again, you can switch its schedule on", "schedule on acc:shop/prices"),
        ("load_orders was started with wrong data, please stop it", "stop infa:task/load_orders"),
        ("load_orders is too slow, could you please stop it", "stop infa:task/load_orders"),
        ("we have maintenance until 6pm, please pause news/feed", "schedule off acc:news/feed until=18:00"),
        ("maintenance for 2 hours, please pause news/feed", "schedule off acc:news/feed for=2h"),
        ("please pause news/feed, maintenance for 2 hours", "schedule off acc:news/feed for=2h"),
        ("all good again, close INC-80", "incident close INC-80"),
        ("news/feed has been slow for 2 hours, please pause it", "schedule off acc:news/feed"),
        ("we waited for 2 hours, please pause news/feed", "schedule off acc:news/feed"),
        ("pause news/feed, the vendor has been down for 3 hours", "schedule off acc:news/feed"),
        ("prices work again, close INC-81", "incident close INC-81"),
        ("shop/stock delivered the wrong prices, mark it as failed", "mark acc:shop/stock as=failed"),
        ("news/feed shows old prices, please start it", "start acc:news/feed"),
        ("shop/prices has no data, please start it", "start acc:shop/prices"),
        ("load_orders is loading wrong data, please stop it", "stop infa:task/load_orders"),
        ("check-links was started on the wrong cluster_1, please stop it", "stop itn:cluster_1/check-links@running"),
        ("pause news/feed (maintenance until 18:00)", "schedule off acc:news/feed until=18:00"),
        ("pause news/feed - maintenance until 18:00", "schedule off acc:news/feed until=18:00"),
        ("we are done, please close the incident", "incident close"),
    ],
)
def test_what_it_is_and_how_long_it_lasts_is_taken_from_beside_the_order(typed: str, command: str) -> None:
    seen = Known("acc", "schedule", "schedule/d9c944df", "acc:schedule/d9c944df-93a7-ea77-f7b7-fa0b9c579917")
    found = suggest(typed, CATALOG, replace(DEMO, targets=(*DEMO.targets, seen)))[0]
    assert found.partition(" -- ")[0] == command


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("yes, please stop it, the data is wrong", "stop infa:task/load_orders -- the data is wrong"),
        ("db full, stop it", "stop infa:task/load_orders"),
        ("ffs kill it", "stop infa:task/load_orders"),
        ("don't pause it, stop it", "stop infa:task/load_orders"),
        ("I started it by mistake, please stop it", "stop infa:task/load_orders"),
        (
            "please stop it, it was started with the wrong file",
            "stop infa:task/load_orders -- it was started with the wrong file",
        ),
        ("somebody stopped it, please start it again", "start infa:task/load_orders"),
        ("restart it and close the incident", "start infa:task/load_orders"),
        ("Dear team, please start it again, the server is back", "start infa:task/load_orders"),
    ],
)
def test_in_a_thread_the_order_is_found_among_what_is_told_beside_it(typed: str, command: str) -> None:
    assert suggest(typed, CATALOG, thread_of("infa:task/load_orders"))[0] == command


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("start prices, but not in production", "start acc:shop/prices production=false"),
        ("start prices without production", "start acc:shop/prices production=false"),
        ("start prices production", "start acc:shop/prices production=true"),
        ("start prices production: false", "start acc:shop/prices production=false"),
        ("start acc:shop/prices production: no", "start acc:shop/prices production=no"),
        ("start prices with production switched off", "start acc:shop/prices production=false"),
        ("start prices, production: no", "start acc:shop/prices production=no"),
        ("start prices, production off", "start acc:shop/prices production=off"),
        ("start prices region: south", "start acc:shop/prices input.region=south"),
        ("start prices, region: south", "start acc:shop/prices input.region=south"),
        ("start a new run of stock", "start acc:shop/stock"),
        ("start prices but don't deliver the data", "status acc:shop/prices"),
        ("start prices without sending e-mails", "status acc:shop/prices"),
        ("mark prices as not failed", "mark acc:shop/prices"),
        ("start prices region = south", "start acc:shop/prices input.region=south"),
        ("start prices with input.region: south", "start acc:shop/prices input.region=south"),
        ("pause prices for =2h, the shop is closed", "schedule off acc:shop/prices for=2h -- the shop is closed"),
    ],
)
def test_a_parameter_is_what_was_said_and_never_its_opposite(typed: str, command: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == command


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (
            "start acc:shop/prices input.region = south -- monthly",
            "start acc:shop/prices input.region=south -- monthly",
        ),
        ("start acc:shop/prices input.region: south", "start acc:shop/prices input.region=south"),
        ("schedule off acc:news/feed for =2h -- closed", "schedule off acc:news/feed for=2h -- closed"),
        ("schedule off acc:news/feed for:2h", "schedule off acc:news/feed for=2h"),
    ],
)
def test_a_command_with_blanks_in_a_parameter_is_offered_without_them(typed: str, offered: str) -> None:
    read = parse(typed, CATALOG)
    assert isinstance(read, ParseError)
    assert read.nearest == (offered,)


def test_them_are_all_that_were_named_before() -> None:
    offered = suggest("shop/prices and shop/stock are broken, please pause their schedules for 2 hours", CATALOG, DEMO)
    assert offered == ("schedule off acc:shop/prices for=2h", "schedule off acc:shop/stock for=2h")


def test_it_is_not_a_part_of_some_name_that_a_clause_before_it_happens_to_have() -> None:
    around = replace(DEMO, targets=[known for known in DEMO.targets if known.name != "load_orders"])
    assert changes("load_orders was started with wrong data, please stop it", around) == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (
            "the maintenance starts at 6pm, please pause news/feed",
            ("status acc:news/feed", "schedule off acc:news/feed"),
        ),
        ("news/feed starts at 6pm, please pause it", ("status acc:news/feed", "schedule off acc:news/feed")),
        (
            "the server restarts tonight, please pause news/feed until tomorrow 7am",
            ("status acc:news/feed", 'schedule off acc:news/feed until="tomorrow 07:00"'),
        ),
        (
            "the shop is closed tomorrow, please pause shop/prices for 24 hours",
            ("status acc:shop/prices", "schedule off acc:shop/prices for=24h"),
        ),
    ],
)
def test_an_order_beside_what_happens_later_is_offered_after_a_look_with_a_word_of_now(
    typed: str, offered: tuple[str, ...]
) -> None:
    assert meant(typed, CATALOG, DEMO) == Meant(offered, later=True)


def test_what_happened_at_a_time_makes_no_order_one_for_later() -> None:
    found = meant("shop/prices failed at 3am, please retry it", CATALOG, DEMO)
    assert (found.commands[0], found.later) == ("retry acc:shop/prices@failed", False)


@pytest.mark.parametrize(
    "typed", ["tonight at 6, please stop shop/prices", "we need it at 6pm, please stop shop/prices"]
)
def test_an_order_for_a_time_is_offered_after_a_look_at_most(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == "status acc:shop/prices"


@pytest.mark.parametrize(
    "typed",
    [
        "tell me when shop/prices is done",
        "let me know when prices finishes",
        "notify me when the prices run ends",
        "notify <@U0RUI> when shop/prices ends",
    ],
)
def test_who_asks_for_the_end_of_a_run_is_offered_to_be_told_of_it(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO) == ("watch acc:shop/prices@last", "watch acc:shop/prices")


@pytest.mark.parametrize("about", ["", "acc:shop/prices"])
@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("tell me when shop/prices fails, it has been failing for 2 hours", "watch acc:shop/prices"),
        ("it failed twice today, tell me when shop/prices fails", "watch acc:shop/prices"),
        ("notify me when shop/prices fails, Lee is away until 9pm", "watch acc:shop/prices"),
        ("can you alert me if shop/prices fails, it was down today", "watch acc:shop/prices"),
        ("let me know when shop/prices is done, it takes 2 hours", "watch acc:shop/prices@last"),
        ("tell me when shop/prices fails until 18:00", "watch acc:shop/prices until=18:00"),
        ("tell me when shop/prices fails, until 18:00", "watch acc:shop/prices until=18:00"),
        ("start shop/stock, tell me when it is done", "start acc:shop/stock -- tell me when it is done"),
        ("start shop/stock -- tell me when prices is done", "start acc:shop/stock -- tell me when prices is done"),
    ],
)
def test_who_asks_to_be_told_is_not_told_for_a_time_that_is_only_mentioned(
    about: str, typed: str, command: str
) -> None:
    assert suggest(typed, CATALOG, thread_of(about) if about else DEMO)[0] == command


def test_who_asks_for_failures_is_told_of_all_runs() -> None:
    assert suggest("tell me when shop/prices fails", CATALOG, DEMO) == ("watch acc:shop/prices",)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("feed works again, we can close INC-42", "incident close INC-42"),
        ("we can close the incident now", "incident close"),
        ("the incident is over, close it", "incident close"),
        ("INC-42 can be closed", "incident close INC-42"),
        ("close the incident, many thanks", "incident close"),
        ("mark shop/prices@last as failed: wrong prices", "mark acc:shop/prices@last as=failed -- wrong prices"),
        ("start shop/prices region : south", "start acc:shop/prices input.region=south"),
        ("try stopping load_orders again", "stop infa:task/load_orders"),
        ("my emergency access is over, end it", "grants"),
        ("would it help to stop load_orders?", "status infa:task/load_orders"),
    ],
)
def test_a_sentence_is_offered_what_it_says(typed: str, offered: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == offered


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("reject ana's request to delete cluster_2", ("approvals",)),
        ("deny stop load_orders", ("approvals",)),
        ("approve start prices", ("approvals",)),
        ("let <@U0RUI> start prices, but only with my approval", ("help grant", "grants")),
        ("let <@U0RUI> start prices if I'm away", ("help grant", "grants")),
        ("let <@U0RUI> start all agents in shop", ("help grant", "grants")),
        ("emergency access for <@U0RUI>", ("help breakglass", "grants")),
        ("resume what was paused", ("pauses",)),
        ("retry what failed", ("timeline", "status")),
        ("send the incident report to <@U0RUI>", ("timeline", "incident close")),
    ],
)
def test_what_an_approver_says_or_a_right_with_a_condition_is_offered_as_a_read(
    typed: str, offered: tuple[str, ...]
) -> None:
    assert suggest(typed, CATALOG, DEMO) == offered


@pytest.mark.parametrize(
    "typed",
    [
        "start prices, dry run",
        "start prices in test",
        "start prices not for south",
        "switch off cluster_2 for 2 hours",
        "delete cluster_2 eod",
        "delete cluster_2 end of the month",
        "stop load_orders around 6",
        "start prices 2026-12-01",
        "once stock is done, start prices",
        "pause nightly 18:00-20:00",
        "pause nightly this week",
        "nightly should not run tonight",
        "pause nightly until 18:00, no 19:00",
        "start prices, sorry stock",
        "stop load_orders, but ask ana first",
        "retry the run of prices from monday",
        "switch load_orders off for 2 hours",
    ],
)
def test_what_limits_an_order_in_a_way_that_no_command_has_is_looked_at_first(typed: str) -> None:
    offered = suggest(typed, CATALOG, DEMO)
    assert offered[0].startswith("status ")
    assert changes(typed, DEMO) == [one for one in offered[1:] if not one.startswith("status ")]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("start prices outside production", ("start acc:shop/prices production=false",)),
        ("start prices (non production)", ("start acc:shop/prices production=false",)),
        ("start prices and set production to false", ("start acc:shop/prices production=false",)),
        ("start prices with region set to south", ("start acc:shop/prices input.region=south",)),
        ("start prices with region from the sheet", ("status acc:shop/prices", "start acc:shop/prices")),
        ("stop load_orders, rebuild_ledger can go on", ("stop infa:task/load_orders", "status infa:task/load_orders")),
        ("pause prices, stock can go on", ("schedule off acc:shop/prices",)),
        ("pause prices for 1h and stock for 2h", ("schedule off acc:shop/prices for=1h",)),
        (
            "pause prices and stock for 2h",
            ("schedule off acc:shop/prices for=2h", "schedule off acc:shop/stock for=2h"),
        ),
        ("pause nightly until18:00", ("schedule off infa:schedule/nightly until=18:00",)),
        ("pause prices for max 2h", ("schedule off acc:shop/prices for=2h",)),
        ("please repeat the stop of load_orders", ("stop infa:task/load_orders", "status infa:task/load_orders")),
        (
            "due to maintenance, pause nightly until 18:00",
            ("schedule off infa:schedule/nightly until=18:00 -- maintenance",),
        ),
        ("because prices is slow, pause it until 18:00", ("schedule off acc:shop/prices until=18:00",)),
        ("since load_orders is done, start rebuild_ledger", ("start infa:task/rebuild_ledger -- load_orders is done",)),
        ("pause prices, broken for 3 hours", ("schedule off acc:shop/prices -- broken for 3 hours",)),
        ("pause nightly and resume it at 18:00", ("schedule off infa:schedule/nightly until=18:00",)),
        ("pause prices, please resume it in 2 hours", ("schedule off acc:shop/prices for=2h",)),
        ("pause prices for 30 mins", ("schedule off acc:shop/prices for=30m",)),
        (
            "pause nightly until the incident is over",
            ('schedule off infa:schedule/nightly until="the incident is over"',),
        ),
        ("stop load_orders start sync_customers", ("stop infa:task/load_orders", "status infa:task/load_orders")),
        ("stop load_orders right away", ("stop infa:task/load_orders", "status infa:task/load_orders")),
        ("start prices, region north, production on", ("start acc:shop/prices production=true input.region=north",)),
        ("start prices, last run failed", ("start acc:shop/prices -- last run failed",)),
        ("start prices, no prod", ("start acc:shop/prices production=false",)),
        ("start prices for the south region", ("start acc:shop/prices input.region=south",)),
        ("take prices off hold", ("schedule on acc:shop/prices",)),
        ("unapprove labs/new", ("agent disapprove acc:labs/new",)),
        ("break glass, no approver online", ("breakglass -- no approver online",)),
        ("INC-80 is done, close it", ("incident close INC-80",)),
        (
            "restart mass ingestion, it is slow",
            ('restart infa:"eu-1/Mass Ingestion"', 'start infa:"eu-1/Mass Ingestion"'),
        ),
        (
            "should i stop load_orders",
            ("why stop infa:task/load_orders", "stop infa:task/load_orders", "status infa:task/load_orders"),
        ),
        ("nightly off pls", ("schedule off infa:schedule/nightly",)),
        (
            "restart the process server on eu-1",
            ('restart infa:"eu-1/Process Server"', 'start infa:"eu-1/Process Server"'),
        ),
    ],
)
def test_nothing_is_offered_beside_what_an_order_says(typed: str, offered: tuple[str, ...]) -> None:
    assert suggest(typed, CATALOG, DEMO) == offered


@pytest.mark.parametrize("about", ["acc:shop/prices", "acc:news/feed"])
@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("start shop/prices, production: no", "start acc:shop/prices production=no"),
        ("start shop/prices but not in production", "start acc:shop/prices production=false"),
        ("start shop/prices, region: south", "start acc:shop/prices input.region=south"),
        ("start it, sync: false", "start {about} sync=false"),
        ("run it again but not in production", "start {about} production=false"),
    ],
)
def test_in_a_thread_too_a_parameter_is_what_was_said(about: str, typed: str, command: str) -> None:
    assert suggest(typed, CATALOG, thread_of(about))[0] == command.format(about=about)


@pytest.mark.parametrize("name", ["cluster_3", "load_orders2", "nightly2", "report_9"])
def test_a_name_that_does_not_exist_can_be_looked_for(name: str) -> None:
    assert suggest(f"please stop {name} now", CATALOG, DEMO) == (f"find {name}", "help")


def test_what_a_control_plane_cannot_do_is_not_done_to_what_is_told_beside_it() -> None:
    assert meant("restart server-1, prices hangs", CATALOG, DEMO) == Meant(
        ("health acc:server/server-1",), "restart acc:server/server-1"
    )


def test_it_is_what_the_channel_used_last_where_nothing_is_named() -> None:
    assert suggest("restart it please", CATALOG, DEMO) == ("help",)
    used = replace(DEMO, recent=("acc:shop/prices",))
    assert suggest("restart it please", CATALOG, used)[0] == "restart acc:shop/prices@last"


@pytest.mark.parametrize("about", ["acc:shop/prices", "infa:task/load_orders"])
@pytest.mark.parametrize(
    "typed", ["it needs to be restarted", "would you mind restarting it", "please restart this right away"]
)
def test_other_ways_to_ask_for_a_restart_in_a_thread(about: str, typed: str) -> None:
    verb = "restart" if about.startswith("acc:") else "start"
    assert suggest(typed, CATALOG, thread_of(about))[0].partition("@")[0] == f"{verb} {about}"


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("schedule off acc:news/feed --for 2h", "schedule off acc:news/feed for=2h"),
        ("schedule off acc:news/feed --for 2h -- maintenance", "schedule off acc:news/feed for=2h -- maintenance"),
        ("schedule off acc:news/feed \u2014for 2h", "schedule off acc:news/feed for=2h"),
        ("pause news/feed --for 2h", "schedule off acc:news/feed for=2h"),
        ("pause acc:news/feed --until 21:00", "schedule off acc:news/feed until=21:00"),
        ("pause news/feed --until tomorrow 9am", 'schedule off acc:news/feed until="tomorrow 09:00"'),
        ("grant <@U0RUI> start shop/prices --for 2h", "grant <@U0RUI> start acc:shop/prices for=2h"),
        ("start acc:shop/stock --production false", "start acc:shop/stock production=false"),
        ("start acc:shop/prices --region north", "start acc:shop/prices input.region=north"),
        ("start shop/prices --input.region north", "start acc:shop/prices input.region=north"),
        ("mark acc:shop/prices --as failed", "mark acc:shop/prices as=failed"),
        ("logs acc:shop/prices --tail 5", "logs acc:shop/prices@last tail=5"),
        ('logs shop/prices --grep "two words"', 'logs acc:shop/prices@last grep="two words"'),
        ('start shop/stock --reason "late feed"', "start acc:shop/stock -- late feed"),
        (
            'start shop/stock --reason="late feed" --production false',
            "start acc:shop/stock production=false -- late feed",
        ),
        ("mark shop/prices --as failed --reason wrong prices", "mark acc:shop/prices as=failed -- wrong prices"),
    ],
)
def test_a_parameter_may_be_written_as_on_a_command_line(typed: str, command: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == command


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("pause news/feed -- for 2h", "schedule off acc:news/feed -- for 2h"),
        ("pause news/feed --for maintenance", "schedule off acc:news/feed -- for maintenance"),
        ("start shop/prices --region north is late", "start acc:shop/prices -- region north is late"),
        ("start shop/prices --prices are old", "start acc:shop/prices -- prices are old"),
    ],
)
def test_other_words_after_dashes_are_a_reason(typed: str, command: str) -> None:
    around = replace(DEMO, parameters={"acc:shop/prices": ("input.region", "for")})
    assert suggest(typed, CATALOG, around)[0] == command


@pytest.mark.parametrize("why", ["right away", "it is at once full", "the first run of the day"])
def test_a_reason_keeps_its_words(why: str) -> None:
    assert suggest(f"please start prices -- {why}", CATALOG, DEMO)[0] == f"start acc:shop/prices -- {why}"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("start acc:shop/prices production:false", "start acc:shop/prices production=false"),
        (
            "start shop/prices production:false, region:south",
            "start acc:shop/prices production=false input.region=south",
        ),
        ("start acc:shop/stock production:no -- test", "start acc:shop/stock production=no -- test"),
        ("start shop/prices (production=false)", "start acc:shop/prices production=false"),
        ("start acc:shop/stock --no-production", "start acc:shop/stock production=false"),
    ],
)
def test_a_parameter_with_a_colon_or_as_a_switch_is_none_of_the_reason(typed: str, offered: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == offered
