"""A browser for tests: headless Chromium by the W3C WebDriver protocol, over plain HTTP to chromedriver."""

import asyncio
import base64
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

T = TypeVar("T")

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-prefers-reduced-motion",
)

ENTER = "\ue007"
TAB = "\ue004"
ESCAPE = "\ue00c"
SHIFT = "\ue008"
DOWN = "\ue015"
UP = "\ue013"
SPACE = "\ue00d"


class BrowserMissing(RuntimeError):
    """Chromium or chromedriver is not installed."""


class BrowserProblem(AssertionError):
    """What chromedriver answered with an error; the first argument is the WebDriver error code."""


def _installed(names: Sequence[str]) -> str:
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise BrowserMissing(
        f"the page tests need {names[0]} on the PATH: install the packages chromium and chromium-driver"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Element:
    """A node of the page, by its WebDriver reference."""

    browser: "Browser"
    id: str

    async def _do(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return await self.browser.session(method, f"element/{self.id}/{path}", body)

    async def click(self) -> None:
        await self._do("POST", "click", {})

    async def type(self, text: str) -> None:
        """Type into it, or give a file input an absolute path."""
        await self._do("POST", "value", {"text": text})

    async def clear(self) -> None:
        await self._do("POST", "clear", {})

    async def text(self) -> str:
        return str(await self._do("GET", "text"))

    async def attribute(self, name: str) -> str | None:
        value = await self._do("GET", f"attribute/{name}")
        return None if value is None else str(value)

    async def property(self, name: str) -> Any:
        return await self._do("GET", f"property/{name}")

    async def shown(self) -> bool:
        return bool(await self._do("GET", "displayed"))

    async def find(self, css: str) -> "Element":
        found = await self._do("POST", "element", {"using": "css selector", "value": css})
        return Element(self.browser, found[ELEMENT])


class Browser:
    """`async with Browser(downloads=DIR) as browser`: one window with an empty profile."""

    def __init__(self, *, downloads: Path, size: tuple[int, int] = (1280, 860)) -> None:
        self._downloads = downloads
        self._size = size
        self._driver: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self._profile: tempfile.TemporaryDirectory[str] | None = None
        self._base = ""
        self._session = ""

    async def __aenter__(self) -> Self:
        chromium, driver = _installed(CHROMIUM_NAMES), _installed(("chromedriver",))
        # Chromium may still be writing its profile while the directory is taken away.
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        port = _free_port()
        self._base = f"http://127.0.0.1:{port}"
        self._driver = await asyncio.create_subprocess_exec(
            driver,
            f"--port={port}",
            "--log-level=SEVERE",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": self._profile.name},
        )
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        try:
            await self._wait_for_driver()
            await self._open(chromium)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        try:
            if self._session and self._http is not None:
                await self._call("DELETE", f"session/{self._session}")
        except (BrowserProblem, aiohttp.ClientError, TimeoutError):
            pass  # a browser that is gone already needs no goodbye
        finally:
            if self._http is not None:
                await self._http.close()
            if self._driver is not None:
                self._driver.terminate()
                await asyncio.wait_for(self._driver.wait(), 10)
            if self._profile is not None:
                self._profile.cleanup()

    async def _wait_for_driver(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                if (await self._call("GET", "status"))["ready"]:
                    return
            except (aiohttp.ClientError, BrowserProblem):
                pass  # not listening yet
            if time.monotonic() > deadline:
                raise BrowserProblem("chromedriver did not become ready within 20 s")
            await asyncio.sleep(0.05)

    async def _open(self, chromium: str) -> None:
        assert self._profile is not None
        width, height = self._size
        options = {
            "binary": chromium,
            "args": [
                *FLAGS,
                f"--user-data-dir={self._profile.name}/profile",
                f"--window-size={width},{height}",
            ],
            "prefs": {"download.default_directory": str(self._downloads)},
        }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        wanted["goog:loggingPrefs"] = {"browser": "ALL"}
        made = await self._call("POST", "session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = made["sessionId"]

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        assert self._http is not None
        async with self._http.request(method, f"{self._base}/{path}", json=body) as response:
            value = (await response.json(content_type=None))["value"]
        if isinstance(value, dict) and "error" in value:
            raise BrowserProblem(value["error"], value.get("message", ""))
        return value

    async def session(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One WebDriver command of this session; BrowserProblem when it fails."""
        return await self._call(method, f"session/{self._session}/{path}", body)

    async def go(self, url: str) -> None:
        await self.session("POST", "url", {"url": url})

    async def run(self, script: str, *args: Any) -> Any:
        """The value of a JavaScript function body called with `args`."""
        return await self.session("POST", "execute/sync", {"script": script, "args": list(args)})

    async def fresh(self, origin: str, downloads: Path) -> None:
        """As if just opened: one empty page in one window, nothing remembered of that origin, no message in the console."""
        first, *others = await self.session("GET", "window/handles")
        for handle in others:
            await self.session("POST", "window", {"handle": handle})
            await self.session("DELETE", "window")
        await self.session("POST", "window", {"handle": first})
        await self.go("about:blank")
        await self.devtools("Storage.clearDataForOrigin", origin=origin, storageTypes="all")
        await self.devtools("Emulation.setEmulatedMedia", features=[])
        await self.devtools("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        await self.console()

    async def devtools(self, command: str, **params: Any) -> Any:
        """One command of the DevTools protocol."""
        return await self.session("POST", "goog/cdp/execute", {"cmd": command, "params": params})

    async def dark(self, on: bool = True) -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        await self.devtools("Emulation.setEmulatedMedia", features=[feature])

    async def screenshot(self, path: Path) -> None:
        picture = base64.b64decode(await self.session("GET", "screenshot"))
        await asyncio.to_thread(path.write_bytes, picture)

    async def console(self) -> list[str]:
        """Warnings and errors that the page wrote since the last call."""
        rows = await self.session("POST", "se/log", {"type": "browser"})
        return [row["message"] for row in rows if row["level"] in {"WARNING", "SEVERE"}]

    async def all(self, css: str) -> list[Element]:
        found = await self.session("POST", "elements", {"using": "css selector", "value": css})
        return [Element(self, one[ELEMENT]) for one in found]

    async def find(self, css: str, *, text: str = "", within: float = 8) -> Element:
        """The first shown element that matches and holds `text`, once there is one."""

        async def look() -> Element | None:
            for one in await self.all(css):
                if await one.shown() and text in await one.text():
                    return one
            return None

        return await self.until(look, f"no shown {css} with {text!r}", within=within)

    async def testid(self, name: str, *, text: str = "", within: float = 8) -> Element:
        return await self.find(f'[data-testid="{name}"]', text=text, within=within)

    async def gone(self, css: str, *, within: float = 8) -> None:
        """Return once no shown element matches."""

        async def look() -> bool:
            return not any([await one.shown() for one in await self.all(css)])

        await self.until(look, f"{css} is still shown", within=within)

    async def until(self, look: Callable[[], Awaitable[T | None]], problem: str, *, within: float = 8) -> T:
        """The first truthy value of `look`; AssertionError with the page's text after `within` s."""
        deadline = time.monotonic() + within
        while True:
            value: T | None
            try:
                value = await look()
            except BrowserProblem as error:
                # A node that was redrawn between two commands is looked up again.
                if error.args[0] != "stale element reference":
                    raise
                value = None
            if value:
                return value
            if time.monotonic() > deadline:
                body = await self.run("return document.body.innerText")
                raise AssertionError(f"{problem}\n--- the page ---\n{body}")
            await asyncio.sleep(0.05)

    async def keys(self, *keys: str) -> None:
        """Press and let go of keys, one after the other, wherever the focus is."""
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        await self._keyboard(steps)

    async def back_tab(self) -> None:
        await self._keyboard(
            [
                {"type": "keyDown", "value": SHIFT},
                {"type": "keyDown", "value": TAB},
                {"type": "keyUp", "value": TAB},
                {"type": "keyUp", "value": SHIFT},
            ]
        )

    async def write(self, text: str) -> None:
        await self.keys(*text)

    async def _keyboard(self, steps: list[dict[str, str]]) -> None:
        source = {"type": "key", "id": "keyboard", "actions": steps}
        await self.session("POST", "actions", {"actions": [source]})

    async def focused(self) -> dict[str, str | None]:
        """What has the focus: tag, testid, action id, text and whether a focus ring is drawn."""
        script = """
          const at = document.activeElement;
          return JSON.stringify({tag: at.tagName, testid: at.dataset.testid ?? null,
            action: at.dataset.actionId ?? null, text: at.innerText ?? null,
            ring: at.matches(':focus-visible') ? getComputedStyle(at).outlineStyle : null});
        """
        value: dict[str, str | None] = json.loads(await self.run(script))
        return value
