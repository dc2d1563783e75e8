"""Every fault that the simulated plane can play, and the schema's types."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.backends.itential.schema import fields, typed
from bot.core.errors import BadRequest, Rejected
from bot.core.outcome import Phase
from bot.playground.planes.itential import ItentialPlane
from tests.backends.kit import Joined
from tests.backends.problems import FAULTS, IDS, WHOLE, WHOLE_IDS


@pytest.mark.parametrize(("fault", "problem"), WHOLE, ids=WHOLE_IDS)
async def test_a_read_ends_in_the_right_problem(
    itn: Joined, plane: ItentialPlane, fault: dict[str, Any], problem: type[Exception]
) -> None:
    """Nothing is made up from a broken answer."""
    operation = await itn.operation("services itn:")
    await plane.set_fault(fault)
    with pytest.raises(problem):
        await itn.run(operation)


@pytest.mark.parametrize(("fault", "problem"), FAULTS, ids=IDS)
async def test_a_run_ends_in_the_right_problem_and_is_sent_once(
    itn: Joined, plane: ItentialPlane, fault: dict[str, Any], problem: type[Exception]
) -> None:
    """A run is never sent twice, whatever comes back."""
    operation = await itn.operation("start itn:backup")
    await plane.set_fault(fault if fault["fault"] == "refuse" else {**fault, "match": "services/run"})
    before = len(plane.requests)
    with pytest.raises(problem):
        await itn.run(operation)
    sent = [one for one in plane.requests[before:] if one.raw_path.endswith("services/run")]
    assert len(sent) == (0 if fault["fault"] == "refuse" else 1)


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
async def test_a_refusal_stays_one_when_the_job_cannot_be_read_after_it(
    itn: Joined, plane: ItentialPlane, verb: str
) -> None:
    """The platform has said that nothing was done; whether nothing was left to do is only a kinder word for it."""
    run = (await itn.do("start itn:backup")).run
    assert run is not None
    operation = await itn.operation(f"{verb} itn:job/{run.id}")
    await itn.do(f"stop itn:job/{run.id}")
    await plane.set_fault({"fault": "500", "match": "GET .*/jobs/"})
    with pytest.raises(Rejected):
        await itn.run(operation)


async def test_unknown_states_are_never_a_success(itn: Joined, plane: ItentialPlane) -> None:
    """An unheard-of state of the reply is told; an unheard-of status of a job is unreadable."""
    operation = await itn.operation("start itn:backup")
    await plane.set_fault({"fault": "unknown_enum", "match": "services/run|jobs"})
    done = await itn.run(operation)
    assert done.kind == "done"
    assert ("State of the reply", "unknown (SOMETHING_NEW)") in [(f.label, f.value) for f in done.view.facts]
    view = await itn.view(done.run)
    assert (view.state, view.phase) == ("unknown (SOMETHING_NEW)", Phase.UNREADABLE)


RULES: list[tuple[dict[str, Any], str, Any]] = [
    ({"type": "string"}, "5", "5"),
    ({"type": "integer"}, "-5", -5),
    ({"type": "number"}, "2.5", 2.5),
    ({"type": "number"}, "2", 2),
    ({"type": "boolean"}, "Yes", True),
    ({"type": ["integer", "null"]}, "null", None),
    ({"type": ["string", "integer"]}, "7", 7),
    ({"type": ["integer", "string"]}, "seven", "seven"),
    ({"type": "array", "items": {"type": "integer"}}, "1, 2", [1, 2]),
    ({"type": "array"}, '["a", {"b": 1}]', ["a", {"b": 1}]),
    ({"type": "object"}, '{"a": [1]}', {"a": [1]}),
    ({"enum": [1, "two", True]}, "1", 1),
    ({"enum": [1, "two", True]}, "true", True),
    ({}, "anything", "anything"),
]


@pytest.mark.parametrize(("rule", "text", "value"), RULES)
def test_text_becomes_the_type_of_the_schema(rule: dict[str, Any], text: str, value: Any) -> None:
    """What is sent is what the schema takes, by a foreign validator too."""
    schema = {"type": "object", "properties": {"x": rule}}
    found = typed(schema, {"x": text})
    assert found == {"x": value}
    assert type(found["x"]) is type(value)
    jsonschema.validate(found, schema)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"type": "integer"}, "1.5"),
        ({"type": "integer"}, "true"),
        ({"type": "number"}, "NaN"),
        ({"type": "boolean"}, "maybe"),
        ({"type": "integer", "maximum": 3}, "4"),
        ({"type": "number", "minimum": 0.5}, "0.4"),
        ({"type": "string", "maxLength": 2}, "abc"),
        ({"type": "string", "minLength": 2}, "a"),
        ({"type": "array", "items": {"type": "integer"}}, "1,b"),
        ({"type": "array"}, "[1"),
        ({"type": "object"}, "[1]"),
        ({"type": "object"}, '{"a": NaN}'),
        ({"enum": ["a", "b"]}, "c"),
        ({"type": "number"}, "1e999"),
        ({"type": "integer", "multipleOf": 5}, "7"),
        ({"oneOf": [{"const": "a"}, {"const": "b"}]}, "c"),
    ],
)
def test_what_does_not_fit_is_refused(rule: dict[str, Any], text: str) -> None:
    """The sentence names the parameter."""
    with pytest.raises(BadRequest, match=r"param\.x"):
        typed({"properties": {"x": rule}}, {"x": text})


@given(st.text(max_size=40), st.sampled_from([rule for rule, _, _ in RULES if "items" not in rule]))
def test_whatever_is_written_fits_or_is_refused(text: str, rule: dict[str, Any]) -> None:
    """No text breaks the check, and nothing passes it that a foreign validator refuses."""
    schema = {"type": "object", "properties": {"x": rule}}
    try:
        found = typed(schema, {"x": text})
    except BadRequest:
        return
    jsonschema.validate(found, schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "not a type"},
        {"properties": {"x": {"$ref": "https://schemas.example.com/x.json"}}},
        {"properties": {"x": {"pattern": "(a+)+$"}}},
        {"patternProperties": {"(a+)+$": {"type": "integer"}}, "additionalProperties": False},
        {"properties": {"x": {"$ref": "#/properties/x"}}},
    ],
)
def test_what_is_not_a_schema_or_cannot_be_followed_is_left_to_the_gateway(schema: Any) -> None:
    """No document is fetched, no foreign pattern is run, and the text is sent as it is."""
    assert typed(schema, {"x": "a" * 40 + "!"}) == {"x": "a" * 40 + "!"}


@pytest.mark.parametrize("schema", [None, {}, {"properties": []}, {"properties": {"x": True}}, {"required": "x"}])
def test_a_schema_that_says_nothing_checks_nothing(schema: Any) -> None:
    """Everything is text then, and there are no fields."""
    assert typed(schema, {"x": "1"}) == {"x": "1"}
    assert fields(schema) == ()
