"""Every card in a real browser, wide, dark and narrow: no card is wider than its window, none breaks a rule of accessibility.

`SIGNALBOX_REWRITE_PICTURE=1 .venv/bin/python -m pytest -q tests/playground/test_cards.py` draws docs/pictures/cards and
docs/reference/cards.md anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from browser import STARTS, broken_rules, installed
from cards_page import MADE, MODES, PAGE, PICTURES, ROOT, SHOWN, Shown, makers, page_text
from notices import NOTICES, made
from playwright.async_api import FloatRect, Locator, Page, async_playwright
from playwright.async_api import TimeoutError as WaitedTooLong

from tests.render.slack_rules import check_alternatives
from tests.world import World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZES = {"light": (960, 2_600), "dark": (960, 2_600), "narrow": (390, 3_600)}  # high enough for the whole channel
MOST_BYTES = 74_000  # of a picture, on average
SCROLLED = "node => { node.scrollIntoView({block: 'start'}); return node.getBoundingClientRect().toJSON() }"
Seen = dict[str, dict[str, Any]]
REWRITES = os.environ.get("SIGNALBOX_REWRITE_PICTURE") == "1"
MESSAGES = tuple(one for one in SHOWN if one.where == "message")
BY_PLACE = sorted(
    MESSAGES, key=lambda one: (one.reader or one.user, one.place or one.channel)
)  # each page is opened once
# What is dark differs in its colours alone: the rules of accessibility about colours check those.
WIDTHS = tuple(MODES) if REWRITES else ("light", "narrow")
SURFACES = tuple(one for one in SHOWN if one.where != "message")


@dataclass
class Window:
    """A page, and whose view of which channel it shows."""

    page: Page
    at: tuple[str, str] | None = None


async def message_of(env: World, one: Shown) -> dict[str, Any]:
    """Type the command and press what it asks for; the card."""
    reader, place = one.reader or one.user, one.place or one.channel
    if one.comes:
        await made(env.bot.ctx, one.name, place)
        return await env.sees(one.text, user=reader, channel=place)
    if one.name == "report":
        await env.does("incident open INC-43 -- checkout is down", "INC-43", user=one.user, channel=one.channel)
        await env.does("start acc:shop/prices -- restore", "incident INC-43", user=one.user, channel=one.channel)
    if one.name == "stop-everything":
        for target in ("infa:task/reload_history", "infa:task/export_ledger"):
            await env.does(f"start {target}", f"start {target}", "Running", user=one.user, channel=one.channel)
    if one.fault:
        await env.acc.set_fault(one.fault)
    await env.say(one.says, user=one.user, channel=one.channel)
    if one.press:
        asked = await env.sees(one.says.partition(" -- ")[0], user=one.user, channel=one.channel)
        label = next((label for label in one.press if label in labels(asked)), None)
        if label is not None:
            await env.person(one.user).press_label(one.channel, asked["ts"], label, seen=asked)
    if one.decides:
        asked = await env.sees("wants to run", one.says.partition(" -- ")[0], user=reader, channel=place)
        await env.person(reader).press_label(place, asked["ts"], one.decides, seen=asked)
    card = await env.sees(one.text, user=reader, channel=place)
    if one.fault:
        await env.acc.clear_faults()
    return card


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cards(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, Seen]]:
    """A world in which all of it was done."""
    rule = '  verbs = ["stop", "start"]\n  targets = ["infa:*"]\n  who = ["crawl"]\n\n'
    policy = (ROOT / "policy.example.toml").read_text(encoding="utf-8")
    policy = policy.replace("[breakglass]", f"  [[channel.allow]]\n{rule}[breakglass]")
    async with world(tmp_path_factory.mktemp("cards"), policy=policy, only=("acc", "infa")) as env:
        found = {}
        for one in MESSAGES:
            found[one.name] = await message_of(env, one)
        await env.quiet()
        yield env, found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def windows(cards: tuple[World, Seen]) -> AsyncIterator[dict[str, Window]]:
    """One browser with a window for each mode."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=next(installed(), None), args=["--disable-dev-shm-usage"], timeout=STARTS
        )
        made = {}
        for mode, (width, height) in SIZES.items():
            context = await chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if mode == "dark" else "light",
                reduced_motion="reduce",
                timezone_id="Europe/London",
                locale="en-GB",
            )
            context.set_default_timeout(STARTS)
            made[mode] = Window(await context.new_page())
        yield made
        await chromium.close()


async def shown_card(window: Window, env: World, one: Shown, ts: str) -> tuple[Locator, FloatRect]:
    """Its message in the page, and where it is. The page stays where it is for the next card of the same reader and place."""
    page, at = window.page, (one.reader or one.user, one.place or one.channel)
    card = page.locator(f'[data-testid="message"][data-ts="{ts}"]').first
    for _ in range(5):
        if window.at != at:
            await page.goto(f"{env.ws.base_url}/#{'/'.join(at)}")
            window.at = at
        try:
            # In one step: a message is drawn anew whenever its card changes, and the old one has no size then.
            box = await card.evaluate(SCROLLED, timeout=20_000)
            if box["width"]:
                return card, box
        except WaitedTooLong:  # the click came before the channels of this person
            window.at = None
    raise AssertionError(f"{one.name} is not shown")


@pytest.mark.parametrize("mode", WIDTHS)
@pytest.mark.parametrize("one", BY_PLACE, ids=lambda one: one.name)
async def test_the_card_fits_its_window(
    one: Shown, mode: str, cards: tuple[World, Seen], windows: dict[str, Window]
) -> None:
    env, found = cards
    window = windows[mode]
    _, box = await shown_card(window, env, one, found[one.name]["ts"])
    assert await window.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= SIZES[mode][0]
    await pictured(window.page, one, mode, box)


async def pictured(page: Page, one: Shown, mode: str, box: FloatRect) -> None:
    """A picture of that part of the page, for the documents when they are written anew."""
    if REWRITES:
        PICTURES.mkdir(parents=True, exist_ok=True)
        await page.mouse.move(2, 2)
        await page.screenshot(path=PICTURES / f"{one.name}-{mode}.png", clip=box)


async def opened(env: World, window: Window, one: Shown) -> Locator:
    """The Home tab or the form of its reader, in the page."""
    reader, place = one.reader or one.user, one.place or one.channel
    if not one.already:
        await env.say(one.says, user=one.user, channel=one.channel)
    if one.card:
        asked = await env.sees(one.card, user=reader, channel=place)
        await env.person(reader).press_label(place, asked["ts"], one.decides, seen=asked)
    page, window.at = window.page, None
    if not page.url.startswith(env.ws.base_url):
        await page.goto(env.ws.base_url)
    await page.locator('[data-testid="person-select"]').select_option(reader)
    if one.where == "home":
        await page.locator('[data-testid="home-tab"]').click()
    found = page.locator(f'[data-testid="{one.where}"]')
    if one.where == "home" and one.decides:
        await found.get_by_role("button", name=one.decides).first.click()
    await found.filter(has_text=one.text).wait_for()
    return found


async def box_of(found: Locator) -> FloatRect:
    """Where it is. What is drawn anew in this moment is nowhere: then the new one counts."""
    for _ in range(50):
        await found.wait_for()
        if (box := await found.bounding_box()) is not None:
            return box
    raise AssertionError("it has no size")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("one", SURFACES, ids=lambda one: one.name)
async def test_the_home_tab_and_a_form_fit_their_window_and_break_no_rule_of_accessibility(
    one: Shown, mode: str, cards: tuple[World, Seen], windows: dict[str, Window]
) -> None:
    env, window = cards[0], windows[mode]
    box = await box_of(await opened(env, window, one))
    assert await window.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert 0 <= box["x"] <= box["x"] + box["width"] <= SIZES[mode][0]
    if one.where == "home":  # it fills the window
        box["height"] = min(box["height"], 900)
    await pictured(window.page, one, mode, box)
    wrong = await broken_rules(window.page, "[data-testid='modal']" if one.card else "", colours=mode == "dark")
    if one.where == "home" and one.decides:
        leaves = window.page.get_by_role("button", name=re.compile("^(Back|Done)$"))
        await leaves.click()
        await leaves.wait_for(state="hidden")
    elif one.where == "modal":
        await env.person(one.reader or one.user).close("modal", clear=True)
    assert not wrong, "\n".join(wrong)


async def test_every_card_and_each_of_its_blocks_has_a_text_for_notifications_and_screen_readers(
    cards: tuple[World, Seen],
) -> None:
    for name, message in cards[1].items():
        check_alternatives(message["text"], message["blocks"])
        assert any(word in message["text"] for word in shown(message).split()), name


async def test_no_kind_of_card_is_missing_from_the_page() -> None:
    """Whoever adds a function that makes a card, a form or a Home tab says here which part of the page shows it."""
    assert makers() == {*MADE}
    shown_ones = {one.name for one in SHOWN}
    assert {name for names in MADE.values() for name in names} == shown_ones
    assert {one.name for one in SHOWN if one.comes} == {*NOTICES}


async def test_the_page_shows_every_card_with_pictures_and_their_text() -> None:
    """The pictures are there and small; what they look like depends on the machine's fonts, so that isn't compared."""
    if REWRITES:
        PAGE.write_text(page_text(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page_text()
    files = {f"{one.name}-{mode}.png" for one in SHOWN for mode in MODES}
    assert {path.name for path in PICTURES.iterdir()} == files
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < MOST_BYTES * len(files)


@pytest.mark.parametrize("mode", MODES)
async def test_the_page_breaks_no_rule_of_accessibility(
    mode: str, cards: tuple[World, Seen], windows: dict[str, Window]
) -> None:
    """axe-core, on the channels with every card, on a thread and on a direct message."""
    env, found = cards
    page, colours, wrong = windows[mode].page, mode == "dark", list[str]()
    for name in ("timeline", "approval", "report"):
        one = next(one for one in SHOWN if one.name == name)
        await shown_card(windows[mode], env, one, found[name]["ts"])
        wrong += await broken_rules(page, colours=colours)
    report = page.locator(f'[data-testid="message"][data-ts="{found["report"]["ts"]}"]').first
    await report.locator('[data-testid="thread-open"]').click()
    await page.locator('[data-testid="thread-messages"] [data-testid="file-link"]').first.wait_for()
    wrong += await broken_rules(page, colours=colours)
    await env.person("U0RUI").post("D0RUI", "help")
    windows[mode].at = None
    await page.goto(f"{env.ws.base_url}/#U0RUI/D0RUI")
    await page.locator('[data-testid="message"]', has_text="I don't run commands").first.wait_for()
    wrong += await broken_rules(page, colours=colours)
    assert not wrong, "\n".join(wrong)
