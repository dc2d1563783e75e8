"""The approval card in a real browser: question and buttons are in sight together, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from browser import Browser

from bot.demo.run import running_demo
from tests.world import labels

pytestmark = pytest.mark.asyncio(loop_scope="module")

HIGHEST = 700  # pixels
HEIGHT = "(node) => node.getBoundingClientRect().height"


LONG = "the month-end closing needs fresh prices in all regions, and the import of last night was cut off " * 2
DEEP = "/".join(["a_rather_long_folder_name"] * 8)
OTHERS = ["U0LEE", "U0ROOT", "U0RUI"]
ASKED = {
    "usual": "mark acc:shop/prices as=failed -- wrong prices in the export",
    "a long name": f"mark acc:{DEEP} as=failed -- {LONG}",
    "the longest effect, with long values": f"tag res: SITE={'berlin-' * 20} RING={'two-' * 30} -- {LONG}",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One browser for all tests of this file."""
    async with Browser(downloads=tmp_path_factory.mktemp("browser"), size=(390, 900)) as window:
        yield window


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
async def test_an_approval_card_is_within_700_pixels(tmp_path: Path, browser: Browser, asked: str) -> None:
    """Five lines, the buttons, and the details closed: on a desk and on a phone, also while someone looks at it."""
    async with running_demo(tmp_path / "demo") as env:
        await browser.fresh(tmp_path)
        ws = env.workspace
        ws.edit_group("S0LEADS", OTHERS)
        env.planes["acc"].add_agent(DEEP)
        env.planes["acc"].add_job(DEEP)
        ana, lee = ws.person("U0ANA"), ws.person("U0LEE")
        await ana.command("C0CRAWL", f"/ops {asked}")
        if asked.startswith("tag"):
            shown = await ana.wait_for(lambda _: [one for one in ana.messages("C0CRAWL") if one["ephemeral"]])
            await ana.press_label("C0CRAWL", shown[-1]["ts"], "Ask for approval", seen=shown[-1])
        (card,) = await lee.wait_for(lambda person: person.messages("C0APPR"), timeout=30)
        await lee.press_label("C0APPR", card["ts"], "Claim", seen=card)
        await lee.wait_for(lambda person: "Release" in labels(person.messages("C0APPR")[0]))
        await browser.go(f"{ws.base_url}/#U0LEE/C0APPR")
        seen = await browser.testid("message", text="is looking at it", within=30)
        assert "Digest" not in await seen.text()
        for width in (390, 1280):
            await browser.page.set_viewport_size({"width": width, "height": 900})
            assert await browser.page.locator('[data-testid="message"]').first.evaluate(HEIGHT) <= HIGHEST
