"""What a newcomer does first, in a real browser, against the real demo; and the picture that the README shows.

`SIGNALBOX_REWRITE_PICTURE=1 pytest tests/playground/test_picture.py` draws docs/pictures/card.png anew.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from browser import Browser

from bot.demo.run import running_demo

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "card.png"
START = "/ops start acc:shop/prices input.region=north -- monthly price check"


async def test_a_newcomer_starts_an_agent_and_reads_its_log(tmp_path: Path) -> None:
    """Ana types the command, sees the card come to its end, presses Log, and the file that she downloads is the log."""
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    async with running_demo(tmp_path / "town") as env, Browser(downloads=downloads, size=(1360, 1230)) as page:
        env.planes["acc"].world.speed = 8.0
        await page.go(env.workspace.base_url)
        await page.testid("app-state", text="is connected")
        await (await page.testid("person-select")).choose("U0ANA")
        await (await page.testid("channel-C0CRAWL", text="crawl-ops")).click()
        await (await page.testid("composer")).type(START)
        await (await page.testid("send")).click()
        card = await page.testid("message", text="Succeeded", within=30)
        assert "monthly price check" in await card.text()
        buttons = await page.all('[data-testid="button"]')
        log = [one for one in buttons if await one.text() == "Log"]
        await log[0].click()
        await (await page.testid("thread-open", text="1 reply")).click()
        link = await page.testid("file-link")
        await page.pointer_away()
        await page.screenshot(PICTURE if os.environ.get("SIGNALBOX_REWRITE_PICTURE") == "1" else tmp_path / "card.png")
        await link.click()

        async def arrived() -> Path | None:
            return next((file for file in downloads.iterdir() if file.stat().st_size), None)

        file = await page.until(arrived, "the log did not arrive")
        assert zipfile.is_zipfile(file) or file.stat().st_size > 0
        assert await page.console() == []
