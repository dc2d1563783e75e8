from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.card import Choice, Choices, FormField, FormView, Line
from bot.playground.workspace.blocks import check_options
from bot.render.form import read_form, render_choices, render_form

from .cards import lines, many, texts
from .slack_rules import check_view

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

TYPES = ("text", "lines", "choice", "choices", "flag", "number", "verb", "target", "user", "channel", "datetime")

fields = st.builds(
    FormField,
    name=st.text(max_size=300),
    label=texts,
    type=st.sampled_from(TYPES) | st.just("something new"),
    hint=texts,
    optional=st.booleans(),
    initial=st.none() | texts | st.integers() | st.floats() | st.booleans() | st.lists(texts, max_size=3),
    live=st.booleans(),
    choices=many(texts, 3) | st.integers(0, 300).map(lambda n: tuple(f"choice {i}" for i in range(n))),
)
forms = st.builds(
    FormView,
    form=st.just("operate"),
    token=st.just("tok_1"),
    title=texts,
    submit=texts,
    lines=many(lines, 150),
    outlook=many(lines, 3),
    fields=st.lists(fields, max_size=4).map(tuple)
    | st.integers(0, 150).map(lambda n: tuple(FormField(name=f"f{i}", label="x", type="text") for i in range(n))),
)


def form(*items: FormField) -> FormView:
    return FormView(form="operate", token="tok_1", title="Start", submit="Start", fields=items)


def element(field: FormField) -> dict:
    return render_form(form(field))["blocks"][0]["element"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(forms)
def test_any_form_is_a_view_that_slack_takes(any_form):
    view = render_form(any_form)
    check_view(view)
    assert view["private_metadata"] == "tok_1"
    assert view["callback_id"] == "operate"


@pytest.mark.parametrize(
    ("kind", "element_type"),
    [
        ("text", "plain_text_input"),
        ("lines", "plain_text_input"),
        ("choice", "static_select"),
        ("choices", "multi_static_select"),
        ("flag", "static_select"),
        ("number", "number_input"),
        ("target", "external_select"),
        ("user", "users_select"),
        ("channel", "conversations_select"),
        ("datetime", "datetimepicker"),
    ],
)
def test_every_type_has_its_element(kind, element_type):
    made = element(FormField(name="x", label="X", type=kind, choices=("a", "b")))
    assert made["type"] == element_type
    assert made["action_id"] == ("suggest_target" if kind == "target" else "value")


def test_a_target_suggests_from_the_first_click():
    assert element(FormField(name="t", label="Target", type="target"))["min_query_length"] == 0


def answer(field: FormField) -> dict:
    """What Slack sends back for a field that nobody touched: the element's own initial value."""
    made = element(field)
    given_back = {
        "plain_text_input": {"value": made.get("initial_value")},
        "number_input": {"value": made.get("initial_value")},
        "static_select": {"selected_option": made.get("initial_option")},
        "external_select": {"selected_option": made.get("initial_option")},
        "multi_static_select": {"selected_options": made.get("initial_options", [])},
        "users_select": {"selected_user": made.get("initial_user")},
        "conversations_select": {"selected_conversation": made.get("initial_conversation")},
        "datetimepicker": {"selected_date_time": made.get("initial_date_time")},
    }[made["type"]]
    return {field.name: {made["action_id"]: {"type": made["type"], **given_back}}}


@pytest.mark.parametrize(
    ("kind", "initial", "back"),
    [
        ("text", "a & <b> `c`", "a & <b> `c`"),
        ("lines", ["a", "b"], "a\nb"),
        ("choice", "b", "b"),
        ("choices", ["a", "b"], ["a", "b"]),
        ("flag", True, "true"),
        ("flag", False, "false"),
        ("number", 7, "7"),
        ("number", 2.5, "2.5"),
        ("number", 3.0, "3"),
        ("target", "acc:shop/prices", "acc:shop/prices"),
        ("user", "U0ANA", "U0ANA"),
        ("channel", "C0CRAWL", "C0CRAWL"),
        ("datetime", "2026-07-16T11:21:20", "2026-07-16T11:21:20+00:00"),
        ("datetime", "2026-07-16T11:21:20+02:00", "2026-07-16T09:21:20+00:00"),
        ("datetime", int(datetime(2026, 7, 16, tzinfo=UTC).timestamp()), "2026-07-16T00:00:00+00:00"),
    ],
)
def test_what_was_filled_in_comes_back(kind, initial, back):
    field = FormField(name="x", label="X", type=kind, initial=initial, choices=("a", "b"))
    assert read_form(answer(field)) == {"x": back}


@pytest.mark.parametrize("kind", TYPES)
def test_what_was_left_empty_is_absent(kind):
    """A parameter left unsaid counts with its default, so an untouched flag is not `false`."""
    field = FormField(name="x", label="X", type=kind, choices=("a", "b"))
    assert read_form(answer(field)) == {}


@pytest.mark.parametrize("wrong", ["not an id", "<!channel>", "x" * 4_000, "2026-13-01", True, {"a": 1}])
@pytest.mark.parametrize("kind", TYPES)
def test_an_initial_value_that_does_not_fit_is_not_offered_in_part(kind, wrong):
    check_view(render_form(form(FormField(name="x", label="X", type=kind, initial=wrong, choices=("a", "b")))))


def test_a_form_without_fields_can_still_be_read_and_sent():
    view = render_form(FormView(form="f", token="t", title="Sure?", submit="Yes", lines=(Line(text="It stops."),)))
    assert view["submit"]["text"] == "Yes"
    assert view["blocks"][0]["text"]["text"] == "It stops."


def test_what_will_happen_is_shown_below_the_live_fields_before_the_others():
    view = render_form(
        FormView(
            form="launcher",
            token="t",
            title="Signalbox",
            submit="Run",
            fields=(
                FormField(name="verb", label="What to do", type="verb", live=True),
                FormField(name="count", label="count", type="number", hint="`count` rows"),
            ),
            outlook=(Line(heading="What will happen", text="Runs at once."),),
        )
    )
    verb, outlook, count = view["blocks"]
    assert verb["dispatch_action"] is True
    assert (verb["element"]["type"], verb["element"]["action_id"]) == ("external_select", "suggest_verb")
    assert "Runs at once" in outlook["text"]["text"]
    assert "dispatch_action" not in count
    assert count["hint"]["text"] == "count rows"


choices = st.builds(Choice, value=texts, text=texts, note=texts)
groups = st.builds(Choices, label=texts, choices=many(choices, 130))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(many(groups, 4))
def test_any_choices_are_an_answer_that_slack_takes(any_groups):
    """At most 100 options, none without a value, and descriptions of at most 75 characters; groups only with headings."""
    answer = render_choices(any_groups)
    listed = answer.get("option_groups", [{"options": answer.get("options", [])}])
    options = [option for group in listed for option in group["options"]]
    assert len(options) <= 100
    assert check_options(answer) == []
    assert all(0 < len(option["value"]) <= 150 for option in options)


def test_choices_keep_their_order_under_their_headings():
    answer = render_choices(
        [
            Choices(
                label="Common here", choices=(Choice(value="start", note="Start an agent"), Choice(value="status"))
            ),
            Choices(label="Empty", choices=()),
            Choices(label="Read", choices=(Choice(value="logs"),)),
        ]
    )
    first, second = answer["option_groups"]
    assert (first["label"]["text"], second["label"]["text"]) == ("Common here", "Read")
    assert [option["value"] for option in first["options"]] == ["start", "status"]
    assert first["options"][0]["description"]["text"] == "Start an agent"
    assert "description" not in first["options"][1]
