"""The approval card in a real browser: question and buttons are in sight together, on a desk and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Browser

from bot.demo.run import running_demo

HIGHEST = 700  # pixels
HEIGHT = "(node) => node.getBoundingClientRect().height"


@pytest.mark.parametrize("width", [1280, 390])
async def test_an_approval_card_is_within_700_pixels(tmp_path: Path, width: int) -> None:
    """Five lines, the buttons, and the details closed."""
    async with running_demo(tmp_path / "demo") as env, Browser(downloads=tmp_path, size=(width, 900)) as page:
        ws = env.workspace
        lee = ws.person("U0LEE")
        await ws.person("U0ANA").command("C0CRAWL", "/ops mark acc:shop/prices as=failed -- wrong prices in the export")
        await lee.wait_for(lambda person: person.messages("C0APPR"), timeout=30)
        await page.go(f"{ws.base_url}/#U0LEE/C0APPR")
        card = await page.testid("message", text="wants to run", within=30)
        assert "Allow for 1 hour" in await card.text()
        assert "Digest" not in await card.text()
        assert await page.page.locator('[data-testid="message"]').first.evaluate(HEIGHT) <= HIGHEST
