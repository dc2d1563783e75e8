"""The catalog: which rows exist, what a mistake in them does, and what is near to a wrong word."""

from __future__ import annotations

import pytest

from bot.core.command.builtins import BUILTINS, Builtin, Takes
from bot.core.command.capability import Capability, KindSpec, TargetKind
from bot.core.command.catalog import Catalog, CatalogProblem, check_builtin, check_params
from bot.core.command.params import Param, ParamType, mapping
from bot.core.command.parser import parse
from bot.core.errors import BadRequest
from bot.core.intent import Command
from tests.core.catalog_samples import CATALOG, LEVERS
from tests.rows import row


def rows(*capabilities: Capability, kinds: tuple[TargetKind, ...] = LEVERS.targets) -> KindSpec:
    return KindSpec(kind="k", title="K", targets=kinds, capabilities=capabilities)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (rows(row("stop", "lever"), row("stop", "lever")), "declared twice"),
        (rows(row("stop", "train")), "unknown kind of target train"),
        (rows(row("stop", "lever"), kinds=LEVERS.targets[1:]), "exactly one kind"),
        (rows(kinds=(LEVERS.targets[0], LEVERS.targets[1].model_copy(update={"selects": True}))), "not box"),
        (rows(row("stop", "lever"), kinds=(*LEVERS.targets, LEVERS.targets[0])), "exactly one kind"),
    ],
)
def test_rows_that_contradict_each_other_keep_the_program_from_starting(declared: KindSpec, says: str) -> None:
    """A mistake in a plugin is found before anything runs."""
    with pytest.raises(CatalogProblem, match=says):
        Catalog({"k": declared})


def test_two_backends_of_one_kind_share_its_rows() -> None:
    """`acc` and `acc-prod` have the same verbs, each counted once."""
    assert CATALOG.capability("acc", "start", "agent") == CATALOG.capability("acc-prod", "start", "agent")
    assert [kind for kind, _ in CATALOG.capabilities("start")] == ["sequentum"]


def test_a_row_is_found_by_backend_verb_and_kind() -> None:
    """Anything else is no row."""
    assert CATALOG.capability("box", "stop", "lever") == LEVERS.capabilities[0]
    assert CATALOG.capability("acc", "stop", "agent") is None
    assert CATALOG.capability("nowhere", "stop", "lever") is None
    assert CATALOG.capabilities("stop", "acc") == []
    assert [kind for kind, _ in CATALOG.capabilities("stop")] == ["levers"]


def test_where_runs_are_picked_of_is_declared() -> None:
    """Not told by the name of a kind."""
    assert CATALOG.selects("acc")
    assert not CATALOG.selects("box")
    assert not CATALOG.selects("nowhere")


@pytest.mark.parametrize(
    ("words", "verb", "taken"),
    [
        (["start", "acc:x"], "start", 1),
        (["SCHEDULE", "Off", "acc:x"], "schedule off", 2),
        (["schedule"], None, 0),
        (["kill", "box:1"], "stop", 1),
        (["enable", "acc:x"], "schedule on", 1),
        (["", "off"], None, 0),
        ([], None, 0),
    ],
)
def test_the_longest_verb_wins(words: list[str], verb: str | None, taken: int) -> None:
    """Verbs of several words, aliases and capitals."""
    assert CATALOG.canonical_verb(words) == (verb, taken)


@pytest.mark.parametrize(
    ("backend", "path", "kind", "rest"),
    [
        ("acc", "run/1", "run", "1"),
        ("acc", "jobrun/1", "jobrun", "1"),
        ("acc", "shop/prices", None, "shop/prices"),
        ("acc", "run", None, "run"),
        ("acc", "running/1", None, "running/1"),
        ("box", "run/1", None, "run/1"),
        ("nowhere", "run/1", None, "run/1"),
    ],
)
def test_a_prefix_names_the_kind_of_target(backend: str, path: str, kind: str | None, rest: str) -> None:
    """`run/ID` is a run where that kind is declared; any other path is the default kind's."""
    assert CATALOG.split_path(backend, path) == (kind, rest)


@pytest.mark.parametrize("row", BUILTINS, ids=lambda row: row.verb)
def test_a_built_in_verb_refuses_what_it_does_not_understand(row: Builtin) -> None:
    """Its own example passes; one more parameter is refused, and so is one more word unless any words are its own."""
    example = parse(row.example.replace("infa", "acc"), CATALOG)
    assert isinstance(example, Command)
    check_builtin(row, example)
    with pytest.raises(BadRequest, match="`colour`"):
        check_builtin(row, example.model_copy(update={"params": (*example.params, ("colour", "red"))}))
    if row.takes is Takes.NOTHING or row.most_words is not None:
        words = (*example.words, "please", "start", "acc:labs/new")
        with pytest.raises(BadRequest, match=r"doesn't take `(please )?(start )?acc:labs/new`"):
            check_builtin(row, example.model_copy(update={"words": words}))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((("input.mode", "a"), ("input.MODE", "b")), r"`input\.mode` and `input\.MODE` differ only in case"),
        ((("input.mode", "a"), ("input.\uff4dode", "b")), "differ only in case or letter form"),
        ((("input.mode", "a"), ("input.mode", "b")), "given twice"),
        ((("Production", "true"), ("production", "false")), "differ only in case"),
        ((("name", "\u202egpj.csv"),), r"`name=` contains U\+202E"),
        ((("input.a", "one\u200btwo"),), r"U\+200B"),
        ((("input.a\u200b", "x"),), r"contains U\+200B"),
    ],
)
def test_names_that_a_backend_may_confuse_and_text_that_nobody_sees_are_refused(
    given: tuple[tuple[str, str], ...], says: str
) -> None:
    """On some backends case does not count, so that the last of two spellings would win."""
    row = CATALOG.capability("acc", "start", "agent")
    assert row is not None
    with pytest.raises(BadRequest, match=says):
        check_params((*row.params, Param(name="name", type=ParamType.TEXT, help="")), given)


@pytest.mark.parametrize(("declared", "name"), [("input", "input.region"), ("*", "SITE")])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_value_by_name_is_refused_unless_the_backend_checks_it(declared: str, name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=f"`{name}=` needs a value"):
        check_params((mapping(declared, "", ""),), ((name, value),))
    assert check_params((mapping(declared, "", "", may_be_empty=True),), ((name, value),))


def test_text_of_several_lines_is_taken() -> None:
    """Line breaks and tabs are layout, which a card shows."""
    assert check_params((Param(name="text", type=ParamType.TEXT, help=""),), (("text", "a\n\tb"),)) == {
        "text": "a\n\tb"
    }


def test_every_wrong_value_is_named_at_once() -> None:
    declared = [Param(name=name, type=ParamType.INTEGER, help="", maximum=3) for name in ("a", "b")]
    with pytest.raises(BadRequest) as refused:
        check_params(declared, (("a", "7"), ("b", "many")))
    assert refused.value.summary == "`a` takes at most 3. `b` takes a whole number, not `many`."
