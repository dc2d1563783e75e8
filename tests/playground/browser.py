"""A browser for tests: Chromium by Playwright. `python -m tests.playground.browser FILE` finds or installs one (make does it).

In this order: an installed Chromium or Chrome, Playwright's own download, the package of the system where this may be
installed without a question. FILE remembers the choice.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Download, Error, Locator, Page, Playwright, async_playwright
from playwright.sync_api import sync_playwright

from tests import system_package

T = TypeVar("T")

CHOICE = Path(__file__).parents[2] / ".venv" / ".browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MISSING = (
    "The page tests need Chromium or Chrome, and libatomic. Install them, for example with "
    "`sudo apt-get install chromium libatomic1`, and try again."
)

COLOURS = ("color-contrast", "link-in-text-block")  # axe-core's rules about them, of those that it checks unasked
STARTS = 120_000  # milliseconds in which a browser starts or does one thing, on a busy machine
PATIENCE = 5_000  # milliseconds: for a connection to each place that has the download

ENTER, TAB, ESCAPE, DOWN = "\n", "\t", "\x1b", "\u2193"
_KEYS = {ENTER: "Enter", TAB: "Tab", ESCAPE: "Escape", DOWN: "ArrowDown", " ": "Space"}


class BrowserMissing(RuntimeError):
    """There is no Chromium and no Chrome."""


async def broken_rules(page: Page, within: str = "", *, colours: bool = False) -> list[str]:
    """What axe-core calls moderate, serious or critical on that part of the page as it is; of the rules about `colours` alone
    where the rest was checked on the same page."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"], **({"runOnly": COLOURS} if colours else {})}
    run = "([within, options]) => axe.run(within || document, options).then(report => report.violations)"
    return [
        f"{rule['id']}: {rule['help']}: {rule['nodes'][0]['target']} ({len(rule['nodes'])})"
        for rule in await page.evaluate(run, [within, options])
        if rule["impact"] in ("moderate", "serious", "critical")
    ]


def installed() -> Iterator[str]:
    """Browsers on this machine, the remembered one first."""
    remembered = CHOICE.read_text(encoding="utf-8").strip() if CHOICE.exists() else ""
    found = (remembered, *(shutil.which(name) or "" for name in NAMES), *PLACES)
    return (path for path in dict.fromkeys(found) if path and os.access(path, os.X_OK))


def works(path: str) -> bool:
    """Whether that browser starts."""
    if not os.access(path, os.X_OK):
        return False
    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(executable_path=path, timeout=STARTS).close()
        except Error:
            return False
        return True


def downloaded() -> str:
    """Where Playwright keeps its own browser, whether it is there or not."""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def working() -> str | None:
    """The path of a browser that starts."""
    return next(filter(works, installed()), None) or next(filter(works, (downloaded(),)), None)


def driver_starts() -> bool:
    """Whether Playwright's own program starts; it needs a library that a small system doesn't have."""
    command = [sys.executable, "-m", "playwright", "--version"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def ensure() -> str:
    """The path of a browser that starts; installs one if need be. Raises BrowserMissing."""
    if not driver_starts():
        system_package.install("libatomic1")
        if not driver_starts():
            raise BrowserMissing(MISSING)
    path = working()
    for get in (download, partial(system_package.install, "chromium")):
        if path is None:
            get()
            path = working()
    if path is None:
        raise BrowserMissing(MISSING)
    return path


def download() -> None:
    """Playwright's own browser, and the libraries that it needs where they can be installed without a question."""
    playwright, root = [sys.executable, "-m", "playwright"], system_package.as_root()
    environ = ["env", f"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT={PATIENCE}"]
    system_package.attempt("Downloading Chromium.", [*environ, *playwright, "install", "chromium"])
    if os.access(downloaded(), os.X_OK) and not works(downloaded()) and root is not None:
        system_package.attempt(
            "Installing the libraries of Chromium.", [*root, *playwright, "install-deps", "chromium"]
        )


@dataclass(frozen=True, slots=True)
class Element:
    """A node of the page; it is looked up anew for everything that is done with it."""

    at: Locator

    async def click(self) -> None:
        await self.at.click()

    async def choose(self, value: str) -> None:
        """Choose an option of a select."""
        await self.at.select_option(value)

    async def type(self, text: str) -> None:
        """Type into it, or give a file input an absolute path."""
        if await self.at.get_attribute("type") == "file":
            await self.at.set_input_files(text)
        else:
            await self.at.press_sequentially(text)

    async def text(self) -> str:
        return await self.at.inner_text()

    async def attribute(self, name: str) -> str | None:
        return await self.at.get_attribute(name)

    async def property(self, name: str) -> Any:
        return await self.at.evaluate("(node, name) => node[name]", name)

    async def find(self, css: str) -> Element:
        return Element(self.at.locator(css).first)


class Browser:
    """`async with Browser(downloads=DIR) as browser`: one window with an empty profile."""

    def __init__(self, *, downloads: Path, size: tuple[int, int] = (1280, 860)) -> None:
        self._downloads = downloads
        self._size = size
        self._console: list[str] = []

    async def __aenter__(self) -> Self:
        path = next(installed(), None)
        self._playwright: Playwright = await async_playwright().start()
        try:
            self._chromium: Chromium = await self._playwright.chromium.launch(
                executable_path=path, args=["--disable-dev-shm-usage", "--disable-quic"], timeout=STARTS
            )
        except Error:
            await self._playwright.stop()
            raise BrowserMissing(MISSING) from None
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._chromium.close()
        await self._playwright.stop()

    async def _open(self) -> None:
        width, height = self._size
        self._context: BrowserContext = await self._chromium.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        self._context.set_default_timeout(STARTS)
        self._context.on("page", self._watch)
        self.page: Page = await self._context.new_page()

    def _watch(self, page: Page) -> None:
        page.on("console", lambda said: self._console.append(said.text) if said.type in ("warning", "error") else None)
        page.on("pageerror", lambda error: self._console.append(str(error)))
        page.on("download", self._save)

    async def _save(self, download: Download) -> None:
        await download.save_as(self._downloads / download.suggested_filename)

    async def fresh(self, downloads: Path) -> None:
        """As if just opened: one empty page in one window, nothing remembered, no message in the console. Another context
        would take longer than most tests."""
        ended, self._downloads = self._context.pages, downloads
        if self.page.url.startswith("http"):
            await self.page.evaluate("localStorage.clear()")
        await self._context.clear_cookies()
        self.page = await self._context.new_page()
        for page in ended:
            await page.close()
        self._console.clear()

    async def go(self, url: str) -> None:
        await self.page.goto(url)

    async def pointer_away(self) -> None:
        """Nothing is hovered over."""
        await self.page.mouse.move(2, 2)

    async def screenshot(self, path: Path) -> None:
        await self.page.screenshot(path=path)

    async def console(self) -> list[str]:
        """Warnings and errors that the page wrote since the last call."""
        said, self._console[:] = list(self._console), []
        return said

    async def all(self, css: str) -> list[Element]:
        return [Element(one) for one in await self.page.locator(css).all()]

    def _shown(self, css: str) -> Locator:
        return self.page.locator(css).filter(visible=True)

    async def find(self, css: str, *, text: str = "", within: float = 60) -> Element:
        """The first shown element that matches and holds `text`, once there is one."""
        found = self._shown(css).filter(has_text=re.compile(re.escape(text))).first

        async def look() -> Element | None:
            return Element(found) if await found.count() else None

        return await self.until(look, f"no shown {css} with {text!r}", within=within)

    async def testid(self, name: str, *, text: str = "", within: float = 60) -> Element:
        return await self.find(f'[data-testid="{name}"]', text=text, within=within)

    async def gone(self, css: str, *, within: float = 60) -> None:
        """Return once no shown element matches."""

        async def look() -> bool:
            return await self._shown(css).count() == 0

        await self.until(look, f"{css} is still shown", within=within)

    async def until(self, look: Callable[[], Awaitable[T | None]], problem: str, *, within: float = 60) -> T:
        """The first truthy value of `look`; AssertionError with the page's text after `within` s."""
        deadline = asyncio.get_running_loop().time() + within
        while not (value := await look()):
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{problem}\n--- the page ---\n{await self.page.inner_text('body')}")
            await asyncio.sleep(0.05)
        return value

    async def keys(self, *keys: str) -> None:
        """Press and let go of keys, one after the other, wherever the focus is."""
        for key in keys:
            await self.page.keyboard.press(_KEYS.get(key, key))

    async def back_tab(self) -> None:
        await self.page.keyboard.press("Shift+Tab")

    async def write(self, text: str) -> None:
        await self.page.keyboard.type(text)

    async def focused(self) -> dict[str, str | None]:
        """What has the focus: tag, testid, action id, text and whether a focus ring is drawn."""
        script = """() => {
          const at = document.activeElement;
          return JSON.stringify({tag: at.tagName, testid: at.dataset.testid ?? null,
            action: at.dataset.actionId ?? null, text: at.innerText ?? null,
            ring: at.matches(':focus-visible') ? getComputedStyle(at).outlineStyle : null});
        }"""
        value: dict[str, str | None] = json.loads(await self.page.evaluate(script))
        return value


if __name__ == "__main__":
    try:
        Path(sys.argv[1]).write_text(ensure(), encoding="utf-8")
    except BrowserMissing as missing:
        sys.exit(str(missing))
