"""The cards of docs/reference/cards.md: what is typed to get each, who types it where, and what the page says about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "cards.md"
PICTURES = ROOT / "docs" / "pictures" / "cards"
MODES = {"light": "wide window, light", "dark": "wide window, dark", "narrow": "390 px wide, like a phone"}


class Shown(NamedTuple):
    """One card. `says` is typed by `user` in `channel`; `reader` sees `text` on the card in `place`. `press` comes before, one
    of its labels by the user, then `decides` by the reader. `fault` is one of the ACC's, for this command alone. `where` it is:
    a message, the Home tab or a form. A form is behind the button `decides` of the card with the words `card`, which is the
    answer to `says`, and is there `already` when another one says the same."""

    name: str
    title: str
    about: str
    says: str
    text: str
    user: str = "U0ANA"
    channel: str = "C0CRAWL"
    press: tuple[str, ...] = ()
    decides: str = ""
    reader: str = ""
    place: str = ""
    fault: Mapping[str, Any] = {}
    where: str = "message"
    card: str = ""
    already: bool = False


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
        "The last lines, with known secrets and lines that look like secrets masked; the whole log is in the thread.",
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
    Shown(
        "unknown",
        "An unknown outcome",
        "The answer was lost, and nothing shows whether it happened. *Check again* looks once more and sends nothing.",
        "start acc:news/feed -- the morning run",
        "Unknown: it may or may not have happened",
        fault={"fault": "drop_before", "times": 1, "match": "POST .*/cluster/start"},
    ),
    Shown(
        "refused",
        "A command that can't be done",
        "Nothing was sent. The buttons are what may have been meant.",
        "start acc:shop/price -- monthly price check",
        "Nothing was done",
    ),
    Shown(
        "outage",
        "A control plane that can't be reached",
        "Nothing was done. *Try again* sends the same command.",
        "status acc:shop/prices",
        "Can't reach acc",
        fault={"fault": "refuse"},
    ),
    Shown(
        "decided",
        "A decided request",
        "One line is left, with the way to the run.",
        "agent disapprove acc:shop/prices -- it breaks the site's terms",
        "Approved by <@U0LEE>: agent disapprove acc:shop/prices",
        press=("Ask for approval", "Run it"),
        decides="Approve",
        reader="U0LEE",
        place="C0APPR",
    ),
    Shown(
        "grant",
        "A grant",
        "Who may do what until when. It ends by itself.",
        "grant @ana start acc:news/* for=2h -- covering for Lee",
        "Granted: start on `acc:news/*`",
        user="U0ROOT",
    ),
    Shown(
        "watch",
        "A watched target",
        "The channel is told when a run of the target fails, and when one works again.",
        "watch acc:shop/prices for=8h",
        "Watching acc:shop/prices",
    ),
    Shown(
        "incident",
        "An incident",
        "From now on, every command in this channel is recorded for it.",
        "incident open INC-42 -- checkout is down",
        "Incident INC-42: checkout is down",
        user="U0LEE",
    ),
    Shown(
        "report",
        "The report of an incident",
        "Posted when it is closed, for everyone in the channel. The files are in its thread.",
        "incident close INC-43 -- prices restored, selector fixed",
        "INC-43 is closed",
        user="U0RUI",
        channel="C0INC",
    ),
    Shown(
        "home",
        "The Home tab",
        "What waits for you, what runs, and your targets.",
        "star acc:shop/prices",
        "Favourites",
        user="U0LEE",
        where="home",
    ),
    Shown(
        "launcher",
        "The form",
        "`/ops` alone opens it. The fields of the command appear once it is chosen.",
        "",
        "What to do",
        where="modal",
    ),
    Shown(
        "parameters",
        "The form of one command",
        "*Fill in* on a command that lacks something opens it: the types, defaults and limits of each parameter.",
        "schedule set acc:shop/prices zone=Europe/London -- nightly",
        "cron",
        decides="Fill in",
        where="modal",
        card="A new schedule needs",
    ),
    Shown(
        "ask",
        "Ask for what is denied",
        "*Ask for it* on a denial sends the request to the people who can allow it.",
        "start acc:shop/stock -- the prices are stale",
        "For how long",
        user="U0LEE",
        decides="Ask for it",
        where="modal",
        card="you can't run `start acc:shop/stock`",
    ),
    Shown(
        "deny",
        "Deny a request",
        "*Deny* on a request asks for a reason, which the requester reads.",
        "agent disapprove acc:shop/stock -- it breaks the site's terms",
        "The requester reads it",
        decides="Deny",
        reader="U0LEE",
        place="C0APPR",
        where="modal",
        card="agent disapprove acc:shop/stock",
        already=True,
    ),
    Shown(
        "review",
        "Review emergency access",
        "*Close review* asks a different person for a note.",
        "breakglass for=30m -- production is down",
        "What was done, and was it right?",
        user="U0ROOT",
        channel="C0INC",
        decides="Close review",
        reader="U0LEE",
        place="C0SEC",
        where="modal",
        card="Break-glass is active for",
        already=True,
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
            f"![{one.title}: what {who(one)} sees after `{typed(one)}` ({words})](../pictures/cards/{one.name}-{mode}.png)"
            for mode, words in MODES.items()
        ]
        pressed = f", then *{one.decides}*" if one.where == "modal" and one.decides else ""
        parts += [f"## {one.title}", f"`{typed(one)}`{pressed}", one.about, "\n".join(pictures)]
    return "\n\n".join(parts) + "\n"


def typed(one: Shown) -> str:
    return f"/ops {one.says}".rstrip()


def who(one: Shown) -> str:
    return {"U0ANA": "Ana", "U0RUI": "Rui", "U0LEE": "Lee", "U0ROOT": "Root"}[one.reader or one.user]
