"""The cards of docs/reference/cards.md: what is typed to get each, who types it where, and what the page says about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "cards.md"
PICTURES = ROOT / "docs" / "pictures" / "cards"
MODES = {"light": "wide window, light", "dark": "wide window, dark", "narrow": "390 px wide, like a phone"}


class Shown(NamedTuple):
    """One card. `says` is typed by `user` in `channel`; `reader` sees `text` on the card in `place`. `press` comes before."""

    name: str
    title: str
    about: str
    says: str
    text: str
    user: str = "U0ANA"
    channel: str = "C0CRAWL"
    press: tuple[str, ...] = ()
    reader: str = ""
    place: str = ""


SHOWN = (
    Shown(
        "succeeded",
        "A run that succeeded",
        "The state and what was collected; ids and times are under *Details*. The buttons are what you may do here.",
        "start acc:shop/prices -- monthly price check",
        "Succeeded",
    ),
    Shown(
        "running",
        "A run in progress",
        "The card is updated in place until the run ends.",
        "start acc:labs/slow -- a long crawl",
        "Running",
        user="U0RUI",
        channel="C0INC",
    ),
    Shown(
        "failed",
        "A run that failed",
        "The error is on the card. *Retry* starts another run, and this card then says how that one ended.",
        "start acc:labs/broken -- after the fix",
        "2 of 40 pages failed",
        user="U0RUI",
        channel="C0INC",
    ),
    Shown(
        "denied",
        "A denied command",
        "Why it is denied, and what you can do instead. Only you see it.",
        "start acc:labs/slow -- just trying",
        "Denied",
    ),
    Shown(
        "preflight",
        "Before something dangerous",
        "What will be affected, before anything is sent. Only you see it.",
        "schedule delete acc:shop/prices -- no longer needed",
        "schedule delete acc:shop/prices",
    ),
    Shown(
        "approval",
        "A request for approval",
        "Who wants what and why, for the people who decide.",
        "agent disapprove acc:shop/stock -- it breaks the site's terms",
        "agent disapprove acc:shop/stock",
        press=("Ask for approval", "Run it"),
        reader="U0LEE",
        place="C0APPR",
    ),
    Shown(
        "pause",
        "A pause",
        "The schedules switch on again by themselves.",
        "schedule off acc:news/feed for=2h -- the site is down",
        "Paused until",
    ),
    Shown(
        "log",
        "A log",
        "The last lines, with secrets masked; the whole log is in the thread.",
        "logs acc:shop/prices@last",
        "logs acc:shop/prices",
    ),
    Shown(
        "history",
        "The history of a target",
        "Durations and results as a chart, then the runs as a table. The newest runs have buttons.",
        "history acc:shop/prices",
        "The latest",
    ),
    Shown(
        "timeline",
        "A timeline",
        "What was done in this channel or thread. The files for a report follow.",
        "timeline since=4h",
        "Timeline since",
    ),
    Shown(
        "list",
        "A list",
        "A long list has pages, and sorts by any column.",
        "audit count=12",
        "Audit log",
    ),
    Shown(
        "breakglass",
        "Emergency access",
        "Everything that is done with it is recorded for review.",
        "breakglass for=30m -- production is down",
        "production is down",
        user="U0ROOT",
        channel="C0INC",
    ),
    Shown(
        "help",
        "Help",
        "What you can do here, most used first.",
        "help",
        "What you can do here",
    ),
)


def page_text() -> str:
    """The page."""
    parts = [
        "# Cards",
        "Every card of the bot, with pictures from the demo workspace: in a wide window, in the dark, and 390 px wide.",
        "`SIGNALBOX_REWRITE_PICTURE=1 .venv/bin/python -m pytest -q tests/playground/test_cards.py` draws them anew.",
    ]
    for one in SHOWN:
        pictures = [
            f"![{one.title}: what {who(one)} sees after `/ops {one.says}` ({words})](../pictures/cards/{one.name}-{mode}.png)"
            for mode, words in MODES.items()
        ]
        parts += [f"## {one.title}", f"`/ops {one.says}`", one.about, "\n".join(pictures)]
    return "\n\n".join(parts) + "\n"


def who(one: Shown) -> str:
    return {"U0ANA": "Ana", "U0RUI": "Rui", "U0LEE": "Lee", "U0ROOT": "Root"}[one.reader or one.user]
