"""What is offered for words that are not a command: a data file of mistyped and natural sentences."""

from __future__ import annotations

from pathlib import Path

from bot import plugins
from bot.core.command.parser import parse
from bot.core.command.suggest import Known, Surroundings, suggest
from bot.core.intent import Command

SENTENCES = Path(__file__).parents[1] / "data" / "sentences.tsv"
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


def test_nine_of_ten_first_suggestions_are_what_was_meant() -> None:
    rows = [line.split("\t") for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    wrong = [
        f"{typed}\n    wanted {wanted}\n    got    {suggest(typed, CATALOG, AROUND)}"
        for typed, wanted in rows
        if suggest(typed, CATALOG, AROUND)[0] != wanted
    ]
    assert len(rows) >= 150
    assert len(wrong) <= len(rows) // 10, "\n".join(wrong)


def test_every_suggestion_is_a_command_that_is_understood() -> None:
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        for command in suggest(line.split("\t")[0], CATALOG, AROUND):
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
