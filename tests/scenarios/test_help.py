"""Help for somebody who may do everything on all five control planes: whole, and still short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.world import shown, world

PLANES = ("acc", "infa", "itn", "pre", "res")


def _blocks(message: dict[str, Any]) -> str:
    """What is read, without the notification, which is short."""
    return shown({**message, "text": ""})


async def test_nothing_of_help_is_left_out(tmp_path: Path) -> None:
    """The overview names every verb; each control plane's page has every command with its example."""
    async with world(tmp_path, only=PLANES) as env:
        overview = _blocks(await env.does("help", "What you may do here"))
        assert "Not shown" not in overview
        assert len(overview) < 6_000
        for name in PLANES:
            rows = env.bot.ctx.catalog.backends[name].capabilities
            assert all(f"`{row.verb}`" in overview for row in rows)
            page = _blocks(await env.does(f"help {name}", f"What you may do here on {name} ("))
            assert all(row.help.split(":", maxsplit=1)[0] in page for row in rows)
            assert "Not shown" not in page
            assert "characters)" not in page


async def test_help_for_a_control_plane_on_which_nothing_is_allowed_says_so(tmp_path: Path) -> None:
    """A guest learns no command, only where the reason is found."""
    async with world(tmp_path) as env:
        await env.does("help acc:", "lets you do anything there", "/ops whoami", user="U0GUEST")
