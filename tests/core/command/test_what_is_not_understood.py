"""A word of an order that the bot doesn't know is not passed over, and words that look like an order are not taken for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.command.suggest import suggest
from tests.core.command.test_suggest import CATALOG, DEMO


def in_thread(about: str, typed: str) -> tuple[str, ...]:
    """What is offered for a text in the thread of a card about this target."""
    return suggest(typed, CATALOG, replace(DEMO, about=about, recent=(about,)))


@pytest.mark.parametrize(
    "typed",
    [
        "start shop/prices for north",
        "please start prices in the test environment",
        "start shop/prices instead of retrying",
        "start prices whenever you are free",
        "start stock -production",
        "pause prices rest of the day",
        "pause prices a few hours",
        "stop the load on the db",
    ],
)
def test_an_order_with_words_that_are_not_understood_is_offered_after_a_read(typed: str) -> None:
    found = suggest(typed, CATALOG, DEMO)
    assert found[0].startswith("status "), found
    assert len(found) > 1


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("stop load_orders it hangs", "stop infa:task/load_orders"),
        ("pause prices for planned maintenance", "schedule off acc:shop/prices"),
        ("restart the process server on eu-1 properly please", 'restart infa:"eu-1/Process Server"'),
        ("start shop/prices: monthly check", "start acc:shop/prices"),
        ("start pricse", "start acc:shop/prices"),
    ],
)
def test_a_reason_a_purpose_a_slip_and_words_that_change_nothing_ask_for_no_read(typed: str, command: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == command


def test_in_a_thread_another_target_by_a_part_of_its_name_is_offered_after_a_read() -> None:
    assert in_thread("res:", "stop the sync") == ("status infa:task/sync_customers", "stop infa:task/sync_customers")
    assert in_thread("res:", "stop sync_customers")[0] == "stop infa:task/sync_customers"


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("start prices w/o production", "start acc:shop/prices production=false"),
        ("start prices !production", "start acc:shop/prices production=false"),
        ("start stock (!production)", "start acc:shop/stock production=false"),
        ("start stock but skip production", "start acc:shop/stock production=false"),
        ("start stock, leave production out", "start acc:shop/stock production=false"),
        ("start stock without prod", "start acc:shop/stock production=false"),
        ("pause prices 1h30", "schedule off acc:shop/prices for=1h30m"),
        ("pause prices until 18h30", "schedule off acc:shop/prices until=18:30"),
        ("pause resilio, backup runs", "pause res:"),
        ("resume resilio, backup is through", "resume res: -- backup is through"),
        ("resume resilio, prices is done", "resume res: -- prices is done"),
        ("the process server on eu-1 is down, please restart it", 'restart infa:"eu-1/Process Server"'),
        ("data integration server on us-1 is stopped, start it", 'start infa:"us-1/Data Integration Server"'),
        ("DIS on us-1 is down, start it", 'start infa:"us-1/Data Integration Server"'),
        ("load_orders must be stopped, log shows errors", "stop infa:task/load_orders -- log shows errors"),
        ("prices should be paused, it writes wrong data", "schedule off acc:shop/prices -- it writes wrong data"),
        ("mark the last prices run failed, wrong currency", "mark acc:shop/prices as=failed -- wrong currency"),
        ("drop the pause of backup-configs", "resume itn:cluster_1/backup-configs@last"),
        ("the pause on feed should end", "schedule on acc:news/feed"),
        ("prices' pause can end now", "schedule on acc:shop/prices"),
        ("stop the hold on nightly", "schedule on infa:schedule/nightly"),
        ("snooze alerts for prices", "unwatch acc:shop/prices"),
        ("pause my watch on prices", "unwatch acc:shop/prices"),
        ("I don't need to watch prices any longer", "unwatch acc:shop/prices"),
        ("turn alerts for prices back on", "watch acc:shop/prices"),
        ("wake me when nightly starts", "watch infa:schedule/nightly"),
        ("prices failed twice today, tell me when it fails again", "watch acc:shop/prices"),
        ("prices has been failing for 2 hours, tell me when it works again", "watch acc:shop/prices"),
    ],
)
def test_what_is_said_in_other_words_is_offered_first(typed: str, command: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == command


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("run doctor", "doctor"),
        ("run a health check", "health"),
        ("run a quick check", "status"),
        ("start the timeline", "timeline"),
        ("start a freeze", "help"),
        ("go through the log of prices", "logs acc:shop/prices@last"),
        ("give me the report of the incident", "timeline"),
        ("show open incidents", "timeline"),
        ("take stop on load_orders from <@U0RUI>", "grants"),
        ("rui no longer needs stop on load_orders", "grants"),
        ("suspend <@U0RUI>", "grants"),
        ("make rui an approver for prices", "policy"),
        ("resume what I paused this morning", "pauses"),
        ("drop the idea to delete contract-draft", "help"),
        ("drop ana a line about contract-draft", "help"),
        ("mute everything", "watches"),
        ("who denied Ana's request?", "audit denied"),
        ("pause the alerts", "watches"),
        ("rebuild_ledger for month end please", "status infa:task/rebuild_ledger"),
        ("load_orders end to end test", "status infa:task/load_orders"),
        ("load_orders again stuck", "status infa:task/load_orders"),
        ("prices is on hold since monday", "status acc:shop/prices"),
        ("go easy on prices", "status acc:shop/prices"),
        ("working on load_orders, hands off", "status infa:task/load_orders"),
    ],
)
def test_what_only_looks_like_an_order_offers_reads(typed: str, read: str) -> None:
    found = suggest(typed, CATALOG, DEMO)
    assert found[0] == read
    assert not any(CATALOG.changes(CATALOG.canonical_verb(one.split())[0] or "") for one in found), found


@pytest.mark.parametrize(
    "about", ["pre:contract-draft", "itn:cluster_1/my-tofu-service", "infa:task/load_orders", "acc:news/feed"]
)
@pytest.mark.parametrize(
    "typed",
    [
        "drop me a line when it's done",
        "drop us a note",
        "erase the last change",
        "remove me",
        "remove the star",
        "let it end",
    ],
)
def test_a_word_of_deletion_about_something_else_deletes_nothing(about: str, typed: str) -> None:
    for one in in_thread(about, typed):
        assert not one.startswith(("delete", "destroy", "stop", "retire", "start")), one


@pytest.mark.parametrize(
    ("about", "typed", "command"),
    [
        ("acc:news/feed", "pause it for the maintenance until 8pm", "schedule off acc:news/feed until=20:00"),
        ("acc:news/feed", "schedule off, resume at 6", "schedule off acc:news/feed until=06:00"),
        ("acc:news/feed", "fixed, please run again", "retry acc:news/feed@failed"),
        ("infa:task/load_orders", "fixed, please run again", "start infa:task/load_orders"),
        ("acc:news/feed", "start with the logs", "logs acc:news/feed@last"),
        ("acc:news/feed", "again failed", "status acc:news/feed@failed"),
    ],
)
def test_in_a_thread_other_words_mean_its_target(about: str, typed: str, command: str) -> None:
    assert in_thread(about, typed)[0] == command


@pytest.mark.parametrize(
    "typed",
    [
        "contract-draft deletes our drafts",
        "my-tofu-service destroys the vm",
        "process server us-1 stops responding",
        "load_orders starts too early",
        "stock resumes by itself",
        "start times of prices",
        "stop history of load_orders",
        "load_orders should be stopped?",
        "maybe load_orders should be stopped",
        "start prices but only for region south",
        "start prices (test)",
        "start prices with yesterday's file",
        "pause prices, end at 6pm",
        "pause prices because the shop is down until 5pm",
        "kill and restart load_orders",
        "start shop/prices in ten minutes",
        "start shop/prices in 1.5 hours",
        "start shop/prices at ten",
        "start shop/prices +10m",
        "switch news/feed on in ten minutes",
        "in ten minutes, please start shop/prices",
    ],
)
def test_a_report_another_noun_or_a_later_time_asks_for_a_read_first(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0].startswith("status "), suggest(typed, CATALOG, DEMO)


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("nightly: pause over the weekend", 'schedule off infa:schedule/nightly until="the weekend"'),
        ("pause news/feed another hour", "schedule off acc:news/feed for=1h"),
        ("pause news/feed for another hour", "schedule off acc:news/feed for=1h"),
        ("the alerts for load_orders should be stopped", "unwatch infa:task/load_orders"),
        ("load_orders alerts off", "unwatch infa:task/load_orders"),
        ("please don't ping me about prices any more", "unwatch acc:shop/prices"),
        ("I no longer want to be notified about prices", "unwatch acc:shop/prices"),
        ("post here when load_orders is done", "watch infa:task/load_orders"),
        ("page me when load_orders fails", "watch infa:task/load_orders"),
        ("give me an update on prices", "status acc:shop/prices"),
        ("updates for contract-draft", "status pre:contract-draft"),
        ("changes since noon", "timeline"),
        ("starts since noon", "timeline"),
        ("delete approval for cluster_2", "approvals"),
        ("let the team start prices today", "help grant"),
        ("pause resilio for the backup window", "pause res: -- for the backup window"),
        ("stop resilio sync", "pause res:"),
        ("start prices and let <@U0ANA> know", "start acc:shop/prices"),
        ("start stock --no-prod", "start acc:shop/stock production=false"),
        ("OPS-123: stop load_orders", "stop infa:task/load_orders -- OPS-123"),
        ("start prices for OPS-777", "start acc:shop/prices -- OPS-777"),
        ("inactivate prices", "schedule off acc:shop/prices"),
    ],
)
def test_ordinary_words_of_a_working_day_are_read(typed: str, command: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == command


@pytest.mark.parametrize(
    "typed", ["again, but south", "retry, this time for south", "again, but deliver this time", "rerun it for west"]
)
def test_in_a_thread_a_wish_for_another_value_is_no_reason_of_the_same_run(typed: str) -> None:
    found = in_thread("acc:shop/prices", typed)
    assert found[0].startswith("status "), found
    assert not any("--" in one for one in found), found


def test_in_the_thread_of_a_service_restart_it_restarts_it() -> None:
    service = 'infa:"eu-1/Data Integration Server"'
    assert in_thread(service, "restart it")[0] == f"restart {service}"
    assert in_thread(service, "it kills the db")[0] == f"status {service}"
