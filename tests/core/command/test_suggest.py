"""What is offered for words that are not a command: a data file of mistyped and natural sentences."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bot import plugins
from bot.core.command.offers import Surroundings
from bot.core.command.parser import format_command, parse
from bot.core.command.ranking import Known
from bot.core.command.suggest import Meant, meant, suggest
from bot.core.command.target_ref import TargetRef
from bot.core.intent import Command

SENTENCES = Path(__file__).parents[1] / "data" / "sentences.tsv"
OF_THE_DEMO = SENTENCES.with_name("sentences_of_the_demo.tsv")
CATALOG = plugins.catalog_of_all_kinds()
TARGETS = (
    Known("acc", "agent", "shop/prices", "acc:shop/prices"),
    Known("acc", "agent", "shop/stock", "acc:shop/stock"),
    Known("acc", "agent", "news/feed", "acc:news/feed"),
    Known("acc", "agent", "labs/broken", "acc:labs/broken"),
    Known("infa", "service", "eu-1/Data Integration Server", 'infa:eu-1/"Data Integration Server"'),
    Known("infa", "task", "load_orders", "infa:task/load_orders"),
    Known("itn", "service", "my-tofu-service", "itn:my-tofu-service"),
    Known("pre", "agent", "invoice-reader", "pre:invoice-reader"),
    Known("res", "agent", "", "res:"),
)
AROUND = Surroundings(
    targets=TARGETS,
    recent=("acc:shop/prices", "infa:task/load_orders"),
    parameters={"acc:shop/prices": ("input.region", "production")},
)


def named(backend: str, kind: str, prefix: str, *names: str) -> list[Known]:
    """Targets of one kind, as they are written."""
    return [Known(backend, kind, name, str(TargetRef(backend=backend, path=f"{prefix}{name}"))) for name in names]


DEMO = Surroundings(
    targets=(
        *named("acc", "agent", "", "labs/broken", "labs/new", "labs/slow", "news/feed", "shop/prices", "shop/stock"),
        *named("acc", "server", "server/", "server-1", "server-2"),
        *named(
            "infa",
            "service",
            "",
            *(f"{at}/{name}" for at in ("eu-1", "us-1") for name in ("Data Integration Server", "Process Server")),
        ),
        *named("infa", "service", "", "eu-1/Mass Ingestion"),
        *named("infa", "agent", "agent/", "eu-1", "lab-1", "us-1"),
        *named("infa", "schedule", "schedule/", "nightly", "weekly close"),
        *named("infa", "task", "task/", "load_orders", "rebuild_ledger", "sync_customers"),
        *named(
            "itn",
            "service",
            "",
            "cluster_1/backup-configs",
            "cluster_1/check-links",
            "cluster_1/my-tofu-service",
            "cluster_2/far-away",
        ),
        *named("itn", "gateway", "gateway/", "cluster_1", "cluster_2"),
        *named("pre", "agent", "", "contract-draft", "invoice-reader", "support-triage"),
        *named("res", "run", "run/", "543", "544", "545"),
        Known("res", "agent", "", "res:"),
    ),
    parameters={"acc:shop/prices": ("input.region", "production")},
)


@cache
def around_rows(typed: str) -> tuple[str, ...]:
    """What is offered for a sentence of the first file. Several tests read the same rows."""
    return suggest(typed, CATALOG, AROUND)


@cache
def in_demo(typed: str) -> Meant:
    """What a sentence of the second file means; its commands are what is offered."""
    return meant(typed, CATALOG, DEMO)


def test_nine_of_ten_first_suggestions_are_what_was_meant() -> None:
    rows = [line.split("\t") for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    wrong = [
        f"{typed}\n    wanted {wanted}\n    got    {around_rows(typed)}"
        for typed, wanted in rows
        if around_rows(typed)[0] != wanted
    ]
    assert len(rows) >= 150
    assert len(wrong) <= len(rows) // 10, "\n".join(wrong)


def test_nineteen_of_twenty_sentences_about_everything_in_the_demo_are_understood() -> None:
    """Terse, polite, dictated, half German, with the wrong backend; `|` is between answers that are both right.

    `cannot: stop acc:shop/prices` means that the answer says so, `no change` that what is first changes nothing.
    """
    rows = [line.split("\t") for line in OF_THE_DEMO.read_text(encoding="utf-8").splitlines()]
    wrong = [
        f"{typed}\n    wanted {wanted}\n    got    {first(typed)}" for typed, wanted in rows if not right(typed, wanted)
    ]
    assert len(rows) >= 100
    assert len(wrong) <= len(rows) // 20, "\n".join(wrong)


@cache
def first(typed: str) -> str:
    """What runs, what can't be done, or what is offered first."""
    read, existing = parse(typed, CATALOG), {known.written for known in DEMO.targets}
    if isinstance(read, Command) and (read.target in existing or (read.target is None and not read.words)):
        return format_command(read)
    found = in_demo(typed)
    return f"cannot: {found.cannot}" if found.cannot else found.commands[0]


def right(typed: str, wanted: str) -> bool:
    read = parse(first(typed), CATALOG)
    if wanted == "no change":
        return isinstance(read, Command) and not CATALOG.changes(read.verb)
    return first(typed) in wanted.split(" | ")


def test_only_a_direct_request_for_now_offers_a_change_first() -> None:
    """Questions, warnings, conditions, plans, reports and times: the rows with `no change`, each of which holds."""
    rows = [line.split("\t") for line in OF_THE_DEMO.read_text(encoding="utf-8").splitlines()]
    doubtful = [typed for typed, wanted in rows if wanted == "no change"]
    wrong = [f"{typed}: {first(typed)}" for typed in doubtful if not right(typed, "no change")]
    assert len(doubtful) >= 80
    assert wrong == []


def test_a_pause_has_the_end_that_was_said_and_is_never_its_opposite() -> None:
    """An end that nobody can know stays as it was said, which a press refuses: the pause is not one without an end."""
    rows = [line.split("\t") for line in OF_THE_DEMO.read_text(encoding="utf-8").splitlines()]
    pauses = [(typed, wanted) for typed, wanted in rows if re.match(r"schedule off .*(for|until)=", wanted)]
    wrong = [f"{typed}: {first(typed)}, not {wanted}" for typed, wanted in pauses if not right(typed, wanted)]
    opposite = [typed for typed, _ in pauses if re.search("schedule on|resume", " ".join(in_demo(typed).commands))]
    assert len(pauses) >= 80
    assert (wrong, opposite) == ([], [])


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("give @lee the right to start prices for 2 hours", "grant @lee start acc:shop/prices for=2h"),
        ("let @lee start prices until friday, please", 'grant @lee start acc:shop/prices until="Fri 00:00"'),
        ("let @lee start prices for 2-3 hours", 'grant @lee start acc:shop/prices until="2-3 hours"'),
        ("let @lee start prices until noon -- on call", "grant @lee start acc:shop/prices until=12:00 -- on call"),
        ("let @lee pause shop/prices for 2 hours", "grant @lee schedule off acc:shop/prices for=2h"),
        ("let @lee start prices until 10.12.", 'grant @lee start acc:shop/prices until="10 Dec 00:00"'),
        ("let @lee start prices until 5.12. -- x", 'grant @lee start acc:shop/prices until="5 Dec 00:00" -- x'),
        (
            "let @lee start prices until friday, he is on call",
            'grant @lee start acc:shop/prices until="Fri 00:00" -- he is on call',
        ),
        (
            "let @lee pause prices until 18:00, the db is slow",
            "grant @lee schedule off acc:shop/prices until=18:00 -- the db is slow",
        ),
        ("let @lee start prices next week", "grant @lee start acc:shop/prices"),
        ("let @lee start prices this week", "grant @lee start acc:shop/prices"),
        ("let @lee start prices on weekdays", "grant @lee start acc:shop/prices"),
        ("let @lee start prices in 2 hours", "grant @lee start acc:shop/prices"),
        ("let @lee see prices next week", "grant @lee status acc:shop/prices"),
    ],
)
def test_an_end_that_is_said_with_a_right_is_its_end(typed: str, offered: str) -> None:
    assert suggest(typed, CATALOG, DEMO) == (offered,)


@pytest.mark.parametrize(
    "typed",
    [
        "remove prices from favorites",
        "get prices off my favourites",
        "remove the star from prices",
        "take the bookmark off prices",
        "remove prices as a favourite",
        "prices is no longer a favourite",
        "don't star prices",
    ],
)
def test_what_leaves_the_favourites_is_never_offered_as_one(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO) == ("unstar acc:shop/prices",)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("drop the inputs from the home folder of prices", "input clear acc:shop/prices"),
        ("delete schedule of prices from the star cluster", "schedule delete acc:shop/prices"),
        ("delete contract-draft from the home server", "delete pre:contract-draft"),
        ("never remove prices from favourites", "star acc:shop/prices"),
    ],
)
def test_a_home_or_a_star_of_something_else_is_no_favourite(typed: str, first: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == first


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("what's the incident report", "timeline"),
        ("send me the incident report please", "timeline"),
        ("can you send me the incident report?", "timeline"),
        ("incident report for INC-4", "timeline"),
        ("incident INC-4 report", "timeline"),
        ("incident report INC-4", "incident open INC-4"),
        ("incident report for INC-5 -- database down", "incident open INC-5 -- database down"),
        ("please open an incident report for INC-5", "incident open INC-5"),
        ("report an incident", "incident open"),
        ("send me the post-incident report", "help"),
    ],
)
def test_who_asks_for_the_report_of_an_incident_opens_none(typed: str, first: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == first


@pytest.mark.parametrize(
    "typed",
    [
        "pause prices for maintenance",
        "pause prices for planned maintenance",
        "pause prices for the night shift",
        "pause prices for the morning run",
        "pause prices for the item team",
        "pause prices for the holiday season",
        "pause prices for the moment",
    ],
)
def test_what_a_pause_is_for_is_no_end(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO) == ("schedule off acc:shop/prices",)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("watch prices until 5. december", 'watch acc:shop/prices until="5 Dec 00:00"'),
        ("watch prices until stock is done", "watch acc:shop/prices"),
        (
            "resume prices, it was only paused for maintenance",
            "schedule on acc:shop/prices -- it was only paused for maintenance",
        ),
        ("start prices region=south, please", "start acc:shop/prices input.region=south"),
    ],
)
def test_what_is_said_beside_the_words_of_a_time_or_a_value_is_none_of_them(typed: str, first: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == first


def test_a_change_that_may_be_meant_comes_after_the_status() -> None:
    offered = suggest("stop load_orders if it hangs", CATALOG, DEMO)
    assert offered[:2] == ("status infa:task/load_orders", "stop infa:task/load_orders")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("what failed last night?", ("timeline since=2d",)),
        ("which runs failed today?", ("timeline",)),
        ("did anything fail yesterday?", ("timeline since=2d",)),
        ("who can approve?", ("approvals",)),
        ("did nightly run last night?", ("status infa:schedule/nightly",)),
    ],
)
def test_a_time_of_day_is_no_target_and_a_question_is_offered_no_approval(typed: str, offered: tuple[str, ...]) -> None:
    """`last night` is not the schedule `nightly`, and `who can approve` is about people."""
    assert suggest(typed, CATALOG, DEMO) == offered


@pytest.mark.parametrize("typed", ["stpo load_orders", "delt contract-draft", "kil load_orders job"])
def test_what_is_dangerous_is_not_first_when_the_verb_is_a_guess(typed: str) -> None:
    offered = suggest(typed, CATALOG, DEMO)
    assert not CATALOG.changes(offered[0].split()[0]), offered


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("cancel the pause of prices", "schedule on acc:shop/prices"),
        ("stop pausing prices", "schedule on acc:shop/prices"),
        ("remove my pause from nightly", "schedule on infa:schedule/nightly"),
        ("please stop the pause of resilio", "resume res:"),
    ],
)
def test_the_end_of_a_pause_is_no_stop(typed: str, command: str) -> None:
    assert meant(typed, CATALOG, DEMO) == Meant((command,))


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("history acc:shop/prices days=7", "history acc:shop/prices"),
        ("history itn:cluster_1/check-links", "jobs itn:"),
    ],
)
def test_a_read_that_is_not_there_is_offered_as_what_is(typed: str, first: str) -> None:
    """Without the parameter that it doesn't take, or for the whole control plane."""
    assert suggest(typed, CATALOG, DEMO)[0] == first


@pytest.mark.parametrize("typed", ["scheduel off acc:shop/prices for=1h", "shcedule off acc:shop/prices for=1h"])
def test_a_misspelled_verb_is_corrected_also_where_a_target_has_its_name(typed: str) -> None:
    seen = Known("acc", "schedule", "schedule/d9c944df", "acc:schedule/d9c944df-93a7-ea77-f7b7-fa0b9c579917")
    around = replace(DEMO, targets=(*DEMO.targets, seen))
    assert suggest(typed, CATALOG, around)[0] == "schedule off acc:shop/prices for=1h"


def test_a_switch_is_named_by_its_verb_and_orders_nothing() -> None:
    assert suggest("kill switch for invoice-reader please, retire it", CATALOG, DEMO)[0].startswith("retire ")


@pytest.mark.parametrize("typed", ["can I ", "give @lee ", "spin x ", "stop prices, "])
def test_a_text_too_long_for_a_sentence_is_offered_help(typed: str) -> None:
    assert suggest(typed * (11_000 // len(typed)), CATALOG, DEMO) == ("help",)


def test_a_long_reason_is_kept() -> None:
    reason = "it blocks the database, " * 100 + "again"
    assert suggest(f"please stop load_orders because {reason}", CATALOG, DEMO)[0].endswith(f" -- {reason}")


def test_every_suggestion_is_a_command_that_is_understood() -> None:
    for path, offered in ((SENTENCES, around_rows), (OF_THE_DEMO, lambda typed: in_demo(typed).commands)):
        for line in path.read_text(encoding="utf-8").splitlines():
            for command in offered(line.split("\t")[0]):
                assert isinstance(parse(command, CATALOG), Command), command


def test_what_the_person_may_do_comes_before_what_they_may_not() -> None:
    def may(verb: str, target: str) -> bool:
        return target.startswith("acc:labs")

    around = Surroundings(
        targets=(
            Known("acc", "agent", "shop/broken", "acc:shop/broken"),
            Known("acc", "agent", "labs/broken", "acc:labs/broken"),
        ),
        may=may,
    )
    assert suggest("start broken", CATALOG, around)[0] == "start acc:labs/broken"


def test_what_this_channel_used_last_comes_first() -> None:
    targets = (
        Known("acc", "agent", "a/prices", "acc:a/prices"),
        Known("acc", "agent", "z/prices", "acc:z/prices"),
    )
    assert suggest("start prices", CATALOG, Surroundings(targets=targets, recent=("acc:z/prices",))) == (
        "start acc:z/prices",
        "start acc:a/prices",
    )


@pytest.mark.parametrize("typed", ["remove agent 7 from my home", "delete agent 7", "pause agent 7", "stop job 7"])
def test_a_number_that_names_nothing_offers_no_other_target(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO) == ("help",)


def test_words_that_name_nothing_offer_help_and_no_invented_target() -> None:
    assert suggest("start nope:thing", CATALOG, AROUND) == ("help",)
    assert suggest("", CATALOG, AROUND) == ("help",)


def test_a_suggestion_does_not_mix_the_words_of_two_commands() -> None:
    for text in (
        "strat shop/stock\nstpo news/feed",
        "strat shop/stock; stpo news/feed",
        "strat shop/stock <@U0BOT> stpo news/feed",
    ):
        offered = suggest(text, CATALOG, AROUND)
        assert offered[0] == "start acc:shop/stock"
        assert not [command for command in offered if "news/feed" in command or command.startswith("stop")], text
    assert suggest("hi\nstrat shop/stock", CATALOG, AROUND)[0] == "start acc:shop/stock"


def test_a_word_after_what_cannot_be_done_is_no_command_of_its_own() -> None:
    """`release` may mean an approval, but not after a verb and its target."""
    found = meant("tag infa:task/load_orders release", CATALOG, DEMO)
    assert found == Meant(("status infa:task/load_orders",), "tag infa:task/load_orders")


def test_a_word_is_no_parameter_because_another_verb_takes_one_of_that_name() -> None:
    """`for` was given for this target, with `schedule off`."""
    around = replace(DEMO, parameters={"acc:shop/prices": ("for", "input.region")})
    assert suggest("start the price crawl for the north", CATALOG, around) == ("start acc:shop/prices",)
    region = suggest("start the price crawl with region north", CATALOG, around)
    assert region[0] == "start acc:shop/prices input.region=north"


def test_a_run_is_offered_to_nobody_by_its_id_where_no_target_is_named() -> None:
    run = Known("acc", "run", "run/a9927011", "acc:run/a9927011-e8a4-5ae4-8240-211842e9d196")
    around = replace(DEMO, targets=(run, *DEMO.targets), recent=(run.written, "acc:shop/prices"))
    assert suggest("watch", CATALOG, around)[0] == "watch acc:shop/prices"
    assert not any("a9927011" in one for one in suggest("logs", CATALOG, around))


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("turn the schedule off until 6pm, the shop is closed", "until=18:00 -- the shop is closed"),
        ("the shop is closed, turn the schedule off until 6pm", "until=18:00"),
        ("schedule off until 18:00 -- the shop is closed", "until=18:00 -- the shop is closed"),
        ("please pause the schedule until 6pm while we look", "until=18:00"),
        ("turn its schedules off while the site is down, until 6pm", "until=18:00"),
        ("pause the schedule until 6pm so that nothing runs", "until=18:00"),
        ("pause its schedule during the incident until 6pm", "until=18:00"),
    ],
)
def test_in_a_thread_what_is_told_beside_an_order_names_no_other_target(typed: str, offered: str) -> None:
    """`the shop is closed` is not about `shop/stock`, nor about `weekly close`."""
    around = replace(DEMO, about="acc:shop/prices", recent=("acc:shop/prices",))
    assert suggest(typed, CATALOG, around) == (f"schedule off acc:shop/prices {offered}",)


def test_a_start_in_words_offers_no_resume() -> None:
    assert suggest("run check-links", CATALOG, DEMO) == ("start itn:cluster_1/check-links",)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("add infa:task/new_one to my favorites", "star infa:task/new_one"),
        ("status of 4add91c07b2e", "status acc:run/4add91c07b2e-11aa"),
    ],
)
def test_a_short_word_is_no_part_of_an_id(typed: str, first: str) -> None:
    seen = Known("acc", "run", "4add91c07b2e-11aa", "acc:run/4add91c07b2e-11aa")
    assert suggest(typed, CATALOG, replace(DEMO, targets=(*DEMO.targets, seen)))[0] == first


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("turn the schedule back on when we are done", "status acc:news/feed"),
        ("please switch the schedule back on at 4pm", "status acc:news/feed"),
        ("turn the schedule back on please", "schedule on acc:news/feed"),
        ("resume the schedule when it is fixed", "status acc:news/feed"),
        ("switch the schedule on when the site works again", "status acc:news/feed"),
        ("switch the schedule on again after the deploy", "status acc:news/feed"),
        ("leave the schedule off until we are done", 'schedule off acc:news/feed until="we are done"'),
        ("keep the schedule paused until tomorrow", 'schedule off acc:news/feed until="tomorrow 00:00"'),
        ("start the schedule now", "status"),
        ("turn the nightly schedule off", "schedule off infa:schedule/nightly"),
    ],
)
def test_the_schedule_in_a_thread_is_no_other_target_s(typed: str, first: str) -> None:
    """Whatever is told beside it: its own one, a look first, or help."""
    offered = suggest(typed, CATALOG, replace(DEMO, about="acc:news/feed", recent=("acc:news/feed",)))
    assert offered[0] == first
    assert "nightly" in typed or not [one for one in offered if "schedule/" in one]


@pytest.mark.parametrize(
    "about", ["acc:news/feed", "infa:task/load_orders", "itn:cluster_1/backup-configs", "pre:contract-draft", "res:"]
)
@pytest.mark.parametrize(
    "typed",
    [
        "stop it",
        "pause it",
        "pause its schedule while we investigate",
        "resume it",
        "unpause",
        "enable it",
        "disable the gateway",
        "delete it",
        "delete the schedule",
        "retire it",
        "mark it",
        "clear the inputs",
        "approve the agent",
        "retry",
        "run it again",
        "restart the service",
        "start the task",
        "start the schedule now",
        "resume it after the deploy",
        "switch the schedule on when the site works again",
        "change the schedule to 5 am",
        "show me the log",
        "download the data",
    ],
)
def test_what_names_no_target_in_a_thread_is_offered_for_no_other_one(typed: str, about: str) -> None:
    """Also where the control plane of the thread can't do it: then a look at its target comes first."""
    around = replace(DEMO, about=about, recent=(about, "acc:shop/prices", "itn:cluster_1/check-links"))
    commands = [parse(one, CATALOG) for one in suggest(typed, CATALOG, around)]
    targets = {one.target.partition("@")[0] for one in commands if isinstance(one, Command) and one.target}
    assert targets <= {about}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("please don't open an incident -- false alarm", ("help",)),
        ("please don't watch prices", ("unwatch acc:shop/prices",)),
        ("switch everything back on", ("pauses",)),
        ("approve everything", ("approvals",)),
        ("what happened so far?", ("timeline",)),
        ("restart cluster_1", ("status itn:gateway/cluster_1",)),
        ("kill it", ("status",)),
        ("remove it", ("help",)),
        ("cancel", ("status",)),
        ("take Rui's rights away", ("grants",)),
        ("please end break-glass", ("grants", "approvals")),
        ("close INC-77", ("incident close INC-77",)),
        ("is something running?", ("status",)),
        ("keep prices off until tomorrow", ('schedule off acc:shop/prices until="tomorrow 00:00"',)),
    ],
)
def test_no_words_stand_for_their_opposite_or_for_another_target(typed: str, offered: tuple[str, ...]) -> None:
    assert suggest(typed, CATALOG, DEMO) == offered


def test_a_right_that_the_control_plane_does_not_have_is_not_offered() -> None:
    around = replace(DEMO, about="pre:contract-draft", recent=("pre:contract-draft",))
    assert suggest("let @rui start it", CATALOG, around) == ("help grant", "grants")


@pytest.mark.parametrize(
    "typed",
    [
        "please don't let <@U0RUI> start acc:labs/broken -- he is new here",
        "do not grant <@U0RUI> mark acc:shop/prices -- he is new",
        "never allow <@U0ANA> to start acc:labs/slow -- too slow",
        "nobody should let <@U0RUI> start acc:labs/broken -- new",
        "don't give <@U0RUI> break-glass -- not needed",
    ],
)
def test_a_right_that_is_refused_is_not_offered(typed: str) -> None:
    assert suggest(typed, CATALOG, DEMO) == ("grants",)


@pytest.mark.parametrize("what", ["mark acc:shop/prices", "it", "this", "Ana's request"])
def test_a_right_to_decide_is_no_grant(what: str) -> None:
    """Who approves stands in the rules."""
    assert suggest(f"allow <@U0RUI> to approve {what} -- I'm away", CATALOG, DEMO) == ("approvals",)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("who used break-glass this week?", "audit event=breakglass since=7d"),
        ("who was denied this week?", "audit event=denied since=7d"),
        ("who approved anything this week?", "audit event=approved since=7d"),
        ("who deleted anything this week?", "audit since=7d"),
        ("who approved anything since Monday?", "audit event=approved since=7d"),
        ("who was denied today?", "audit event=denied since=24h"),
        ("who was denied last night?", "audit event=denied since=2d"),
        ("who was denied this month?", "audit event=denied since=31d"),
        ("who was denied over the weekend?", "audit event=denied since=7d"),
        ("who was denied in the last hour?", "audit event=denied since=1h"),
        ("show the audit log for this week", "audit since=7d"),
    ],
)
def test_a_time_of_the_past_is_one_in_every_question(typed: str, offered: str) -> None:
    """The schedule `weekly close` is not meant by `this week`."""
    first = suggest(typed, CATALOG, DEMO)[0]
    assert sorted(first.split()) == sorted(offered.split())
