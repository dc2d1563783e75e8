"""The cards of docs/reference/cards.md: what is typed to get each, who types it where, and what the page says about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "cards.md"
PICTURES = ROOT / "docs" / "pictures" / "cards"
MODES = {"light": "wide window, light", "dark": "wide window, dark", "narrow": "390 px wide, like a phone"}


class Shown(NamedTuple):
    """One card. `says` is typed by `user` in `channel`; `reader` sees `text` on the card in `place`. `press` comes before, one
    of its labels by the user, then `decides` by the reader. `fault` is one of the ACC's, for this command alone. `where` it is:
    a message, the Home tab or a form. Another page of the Home tab is behind its button `decides`. A form is
    behind the button `decides` of the card with the words `card`, which is the answer to `says`, and is there `already` when
    another one says the same. A notice (`comes` says when) comes by itself: it is the one with its name in `notices`."""

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
    comes: str = ""


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
        "stop-everything",
        "Before everything is stopped",
        "The runs in progress in this channel. One press stops them all, and each stop has a card of its own.",
        "stop everything -- production is down",
        "These will be stopped",
        channel="C0INC",
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
        "Approved by <@U0LEE>: `agent disapprove acc:shop/prices`",
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
        "told",
        "An answer to your request",
        "A card that changes notifies nobody, so the requester is told in the thread too.",
        "",
        "Denied by",
        comes="When your request is approved, denied, expires or is cancelled",
    ),
    Shown(
        "reminder",
        "A request still waits",
        "For the people who did not decide yet, in the thread of the request.",
        "",
        "Still waiting",
        reader="U0LEE",
        place="C0APPR",
        comes="When half of the time has passed",
    ),
    Shown(
        "again",
        "A request is asked again",
        "For the people whose vote was for the earlier version.",
        "",
        "Asked again",
        reader="U0LEE",
        place="C0APPR",
        comes="When the target or the rules change before the last vote",
    ),
    Shown(
        "skipped",
        "A command without its approval",
        "The people who normally approve it are told what was done with emergency access.",
        "",
        "without your approval",
        reader="U0LEE",
        place="C0APPR",
        comes="When emergency access skips an approval",
    ),
    Shown(
        "grant-ended",
        "The end of a grant or of emergency access",
        "In the thread of its card.",
        "",
        "Grant ended",
        comes="When its time is over, or when it is revoked",
    ),
    Shown(
        "review-open",
        "A review is overdue",
        "Once a day, until the review is closed.",
        "",
        "is not reviewed yet",
        reader="U0LEE",
        place="C0SEC",
        comes="A day after emergency access that nobody has reviewed",
    ),
    Shown(
        "watch-failed",
        "News of a watched target",
        "Whoever started the run. If the channel has the card of the run, it is a reply to that card.",
        "",
        "acc:shop/prices failed",
        comes="When a run of a watched target fails, or one works again",
    ),
    Shown(
        "asking",
        "A slow answer",
        "It is deleted when the answer is there.",
        "",
        "Asking acc",
        comes="When a control plane takes longer than some seconds to answer",
    ),
    Shown(
        "watch-unread",
        "A run that can't be read",
        "Once, for the people who follow it. It changes when the run can be read again.",
        "",
        "can't be read",
        comes="When a control plane doesn't answer for a while",
    ),
    Shown(
        "stays-off",
        "The end of a pause",
        "How the schedule was switched on again, or why it stays off.",
        "",
        "is no longer configured",
        comes="When a pause ends by itself",
    ),
    Shown(
        "security",
        "A notice for administrators",
        "In the security channel: the daily head of the audit log, a changed rules file, a credential that expires.",
        "",
        "Head of the audit log",
        reader="U0LEE",
        place="C0SEC",
        comes="Once a day, or when something needs an administrator",
    ),
    Shown(
        "elsewhere",
        "A message that Slack refuses",
        "It reaches the same people in a direct message, without its buttons. If Slack refuses that too, the security channel "
        "is told.",
        "",
        "I can't write in",
        comes="When Slack doesn't let the bot write in the channel",
    ),
    Shown(
        "undelivered",
        "A file that can't be uploaded",
        "In the thread of the card. The Home tab and the step of a workflow have such a notice too.",
        "",
        "could not be uploaded",
        comes="When Slack refuses a file",
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
        "decisions",
        "What waits for your decision",
        "The requests with their buttons, also when Slack refuses the card in the channel.",
        "star acc:shop/prices",
        "wants to run",
        user="U0LEE",
        where="home",
        decides="Review",
        already=True,
    ),
    Shown(
        "favourites",
        "Your favourites",
        "Star what you use often: it is on the Home tab and first in the form.",
        "star acc:shop/prices",
        "Unstar",
        user="U0LEE",
        where="home",
        decides="Edit favourites",
        already=True,
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
        card="wants to run `agent disapprove acc:shop/stock`",
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


# Each function that makes a card, a form or a Home tab, and where the page shows what it makes.
MADE: Mapping[str, tuple[str, ...]] = {
    "features.access.breakglass._card": ("breakglass",),
    "features.access.breakglass._skipped_card": ("skipped",),
    "features.access.breakglass._overdue_card": ("review-open",),
    "features.access.breakglass_review._form": ("review",),
    "features.access.policy_reload._tell": ("security",),
    "features.approvals.cards._decided": ("decided",),
    "features.approvals.cards._home_card": ("decisions",),
    "features.approvals.cards.call_back": ("again",),
    "features.approvals.cards.remind": ("reminder",),
    "features.approvals.cards.tell_requester": ("told",),
    "features.approvals.exception_request._form": ("ask",),
    "features.approvals.question.card": ("approval",),
    "features.approvals.vote._open_deny": ("deny",),
    "features.builtins.incident._card": ("incident",),
    "features.builtins.incident._tell_end": ("report",),
    "features.forms.launcher.view": ("launcher", "parameters"),
    "features.home.home_view": ("home", "decisions", "favourites"),
    "features.housekeeping.publish_head": ("security",),
    "features.housekeeping.warn_of_credentials": ("security",),
    "features.pauses.resume._show_without_backend": ("stays-off",),
    "features.replies.channel_freeze.tell_frozen": ("security",),
    "features.replies.grant_card._show": ("grant",),
    "features.replies.grant_card.ended": ("grant-ended",),
    "features.target_watch._news_card": ("watch-failed",),
    "features.target_watch._tell_unread": ("watch-unread",),
    "features.target_watch.card_of": ("watch",),
    "leader._keep_tokens": ("security",),
    "operations.asking._line": ("asking",),
    "operations.cards._card": (
        "succeeded",
        "running",
        "failed",
        "refused",
        "unknown",
        "log",
        "history",
        "outage",
        "pause",
    ),
    "operations.cards.private": ("denied", "preflight", "stop-everything", "help", "list", "timeline"),
    "operations.followed._unread": ("watch-unread",),
    "operations.restored._report": ("security",),
    "runtime.context.tell_security": ("security",),
    "slack.message_format._notice": ("elsewhere",),
    "slack.message_format._to_security": ("elsewhere",),
    "slack.message_format.arrived": ("elsewhere",),
    "slack.message_format.elsewhere": ("elsewhere",),
    "slack.message_format.home_refused": ("undelivered",),
    "slack.message_format.message_limit": ("security",),
    "slack.message_format.step_open": ("undelivered",),
    "slack.message_format.too_large": ("undelivered",),
    "slack.message_format.undelivered": ("undelivered",),
}
MAKERS = frozenset({"Card", "FormView", "HomeView", "tell_security"})


def makers() -> set[str]:
    """Each function of the bot that makes a card, a form or a Home tab: `core.card.made`. The terminal has no cards."""
    bot, found = ROOT / "bot", set()
    for path in bot.rglob("*.py"):
        inside = path.relative_to(bot).with_suffix("").parts
        if inside[0] in ("playground", "cli", "demo"):
            continue
        for scope in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) and MAKERS & {*_called(scope)}:
                found.add(".".join((*inside, scope.name)))
    return found


def _called(scope: ast.AST) -> Iterator[str]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Call):
            name = node.func.value if getattr(node.func, "attr", "") == "model_validate" else node.func  # type: ignore[attr-defined]
            yield getattr(name, "id", None) or getattr(name, "attr", "")


def page_text() -> str:
    """The page."""
    parts = [
        "# Cards",
        "Every card of the bot, with pictures from the demo workspace: in a wide window, in the dark, and 390 px wide.",
        "`SIGNALBOX_REWRITE_PICTURE=1 .venv/bin/python -m pytest -q tests/playground/test_cards.py` draws them anew.",
    ]
    for one in SHOWN:
        after = f" after `{typed(one)}`" if not one.comes else ""
        pictures = [
            f"![{one.title}: what {who(one)} sees{after} ({words})](../pictures/cards/{one.name}-{mode}.png)"
            for mode, words in MODES.items()
        ]
        pressed = f", then *{one.decides}*" if one.where in ("modal", "home") and one.decides else ""
        comes = f"{one.comes}." if one.comes else f"`{typed(one)}`{pressed}"
        parts += [f"## {one.title}", comes, one.about, "\n".join(pictures)]
    return "\n\n".join(parts) + "\n"


def typed(one: Shown) -> str:
    return f"/ops {one.says}".rstrip()


def who(one: Shown) -> str:
    return {"U0ANA": "Ana", "U0RUI": "Rui", "U0LEE": "Lee", "U0ROOT": "Root"}[one.reader or one.user]
