from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.card import Button, Card, HomeRow, HomeSection, HomeView
from bot.render.home import render_home

from .cards import PLACE, TYPICAL, cards
from .slack_rules import check_view

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(cards, max_size=3), st.integers(1, 60))
def test_any_home_is_a_view_that_slack_takes(sections, times):
    home = HomeView(user_id="U0ANA", sections=tuple(sections * times)[:80])
    check_view(render_home(home), [one for card in sections for one in card.mention])


def test_an_empty_home_says_so():
    view = render_home(HomeView(user_id="U0ANA", sections=()))
    check_view(view)
    assert view["blocks"][0]["text"]["text"] == "Nothing here yet."


def test_sections_that_find_no_room_are_counted():
    sections = tuple(Card(key=f"k{n}", place=PLACE, title=f"Run {n}") for n in range(200))
    view = render_home(HomeView(user_id="U0ANA", sections=sections))
    check_view(view)
    titles = [b["text"]["text"] for b in view["blocks"] if b["type"] == "section"]
    last = view["blocks"][-1]["elements"][0]["text"]
    assert titles[0] == "*Run 0*"
    assert last == f"{200 - len(titles)} more sections not shown, because the tab is full."


def test_the_same_buttons_in_two_sections_can_be_told_apart():
    view = render_home(HomeView(user_id="U0ANA", sections=(TYPICAL["approval"], TYPICAL["approval"])))
    pressed = [e["action_id"] for b in view["blocks"] if b["type"] == "actions" for e in b["elements"]]
    names = ["approve", "deny", "claim", "allow"]
    assert pressed == [*names, *(f"{name}#2" for name in names)]


def test_a_row_has_its_button_beside_it_and_rows_without_one_share_a_block():
    button = Button(label="Start", action="home", id="b1")
    rows = (HomeRow(title="acc:shop/prices", text="Running"), HomeRow(title="acc:news/feed", text="Running"))
    plain = HomeSection(title="Your runs", rows=rows, note="3 more.")
    beside = HomeSection(title="Targets", rows=(HomeRow(title="acc:shop/prices", button=button),))
    view = render_home(HomeView(user_id="U0ANA", sections=(plain, beside)))
    check_view(view)
    assert [block["type"] for block in view["blocks"]] == ["section", "context", "divider", "section", "section"]
    assert view["blocks"][0]["text"]["text"].count("\n") == 2
    assert view["blocks"][4]["accessory"]["value"] == "b1"


def test_the_longest_sections_are_a_view_that_slack_takes():
    """Names and reasons of any length and with any characters, in as many sections and rows as there may be."""
    long = "<!channel> & *_~`:x:" * 500
    rows = tuple(
        HomeRow(title=long, text=long, button=Button(label=long, action="home", id=f"b{number}"))
        for number in range(20)
    )
    sections = tuple(HomeSection(title=long, rows=rows, note=long, buttons=(rows[0].button,)) for _ in range(20))
    view = render_home(HomeView(user_id="U0ANA", sections=sections))
    check_view(view)
    assert "not shown, because the tab is full" in view["blocks"][-1]["elements"][0]["text"]
