"""Slack's limits, the only escaping function, cutting with a visible marker, and constructors of blocks.

Limits are from Slack's Block Kit reference (docs.slack.dev/reference/block-kit) unless a line says otherwise. Data reaches
Slack in two ways. `plain_text` and `raw_text` are never parsed. mrkdwn goes through `prose`, `code` or `code_block`: `&`,
`<` and `>` are escaped once, and a word that could format, link, ping or become an emoji goes into a code span, where
Slack parses nothing. So names stay exact for copying; lookalike letters or zero-width blanks would change them.

Our own code, because the models of slack_sdk raise an error for a text that is too long, and never escape or cut one.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bot.core.text import plural, rough_span
from bot.render.text_format import BLANKS, NOTHING, aware, one_line, shown

Block = dict[str, Any]

MESSAGE_BLOCKS: Final = 50  # blocks
VIEW_BLOCKS: Final = 100  # blocks, modal and home
SECTION_TEXT: Final = 3_000  # characters, as all below unless said otherwise
SECTION_FIELDS: Final = 10  # fields
FIELD_TEXT: Final = 2_000
CONTEXT_ELEMENTS: Final = 10  # elements
BUTTON_LABEL: Final = 75
BUTTON_VALUE: Final = 2_000
ID: Final = 255  # block_id, action_id, callback_id
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
OPTIONS: Final = 100  # options
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
INPUT_TEXT: Final = 3_000
VIEW_TITLE: Final = 24  # also the labels of submit and close
VIEW_METADATA: Final = 3_000
CONTAINER_BLOCKS: Final = 10  # blocks in a container
CONTAINER_TITLE: Final = 150
TABLE_ROWS: Final = 100  # rows, the header included
TABLE_COLUMNS: Final = 20  # cells in a row
TABLE_CELLS: Final = 10_000  # characters in all cells together
MESSAGE_TEXT: Final = 3_000  # our own: chat.update refuses text above 4,000 with msg_too_long
PAYLOAD: Final = (
    13_000  # characters of JSON; undocumented, msg_blocks_too_long was seen near 13,200 (bolt-js issue 2509)
)
VIEW_PAYLOAD: Final = 200_000  # characters of JSON; Slack refuses views above 250 kB with view_too_large

USER_ID: Final = re.compile(r"[UW][A-Z0-9]{1,30}")
APP_ID: Final = re.compile(r"A[A-Z0-9]{1,30}")  # the actor of a workflow step; Slack only mentions people and groups
GROUP_ID: Final = re.compile(r"S[A-Z0-9]{1,30}")
CHANNEL_ID: Final = re.compile(r"[CDG][A-Z0-9]{1,30}")

_GRAVE: Final = "<U+0060>"
# A code span as Slack reads it: on one line, between blanks or punctuation.
_SPAN: Final = re.compile(r"(?<![^\s(\[\"',;])`([^`\n]*[^`\s][^`\n]*)`(?![^\s)\]\"',;:.!?])")
# A time as `core.text.utc_text` writes it, seconds or not, or as the store does (RFC 3339 in UTC).
TIME: Final = re.compile(r"(?<![\w:.-])(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?: UTC|Z)(?!\w)")
_TOKEN: Final = re.compile(r"<!date\^(\d+)\^([^|<>]*)\|")
PIECE: Final = re.compile(f"{_SPAN.pattern}|{TIME.pattern}")
_MENTION: Final = re.compile(r"<([@#]|!subteam\^)([A-Z0-9]+)>")
_IN_CELL: Final = re.compile(f"{TIME.pattern}|{_MENTION.pattern}")
# The five to seven fields of a cron expression are one word.
_WORD: Final = re.compile(r"(?<!\S)(?:[\d*?/,-]+ ){4,6}[\dA-Z*?/,#-]+|\s+|\S+")
_EDGES: Final = re.compile(r"([(\[\"']*)(.*?)([)\]\"'.,;:!?]*)", re.DOTALL)
_LIVE: Final = re.compile(
    r"[*~`]"  # bold, strike, code
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # italic; Slack leaves the underscores of snake_case alone
    r"|:(?!\d\d:\d\d(?!\d))[^\s:]+:"  # emoji, but not the middle of a clock time
    r"|^>"  # quotation; Slack reads `&gt;` at the start of a line as one too
    r"|://|^mailto:|^tel:"  # links
    r"|@(?:here|channel|everyone|group)\b",  # words that older clients and link_names turn into pings
    re.IGNORECASE,
)
_BOLD: Final = re.compile(r"^[^*]+$|^[^*]+?(?= `)")
_MARKS: Final = re.compile(r"[*~`_:@<>]")  # without one of these, neither _LIVE nor _NAMED matches
_NAMED: Final = re.compile(r"(\(?)<(@|#|!subteam\^)([A-Z0-9]+)>([.,;:!?)…]*)")


def escape(text: str) -> str:
    """`&`, `<` and `>` as Slack's entities. The only function that escapes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def units(text: str) -> int:
    """Length in UTF-16 code units, the larger of the two ways in which Slack may count characters."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cost(value: object) -> int:
    """Length of the JSON that is sent for `value`, non-ASCII escaped: an upper bound of any count by Slack."""
    return len(json.dumps(value))


def clip(text: str, limit: int, *, counted: bool = True) -> str:
    """`text` on one visible line of at most `limit` UTF-16 units. A cut text ends in `… (+12)`, the number of missing characters.

    Without `counted` the marker is only `…`, for small places.
    """
    # Making text visible only shortens it at the ends, so the far end of a long text is not needed.
    if len(text) <= 4 * limit and units(whole := one_line(text)) <= limit:
        return whole
    text = text.strip(BLANKS)
    kept = min(len(text), limit)
    while True:
        marker = f"… (+{len(text) - kept:,})" if counted else "…"
        made = one_line(text[:kept]) + marker if kept < len(text) else one_line(text)
        over = units(made) - limit
        if over <= 0 or kept == 0:
            return made
        kept = max(0, kept - max(1, over // 16))


def fit(text: str, make: Callable[[str], str], limit: int, budget: int) -> str:
    """`make(text)`, cut with a marker to at most `limit` units and `budget` JSON characters; a list is cut between two lines.
    `make` must not shorten its text. Empty when not even the marker fits."""

    def fits(made: str) -> bool:
        return units(made) <= limit and cost(made) <= budget

    if len(text) <= limit and fits(whole := make(text)):
        return whole

    def part(kept: int) -> str:
        return make(f"{text[:kept].rstrip()} … (+{len(text) - kept:,} characters)")

    low, high = 0, max(0, min(len(text) - 1, limit, budget))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(part(middle)) else (low, middle - 1)
    end = text.rfind("\n", 0, low + 1)
    if end > low // 2 and fits(made := make(f"{text[:end]}\n… (+{plural(text.count(chr(10), end), 'line')})")):
        return made
    made = part(low)
    return made if fits(made) else ""


def code(text: str) -> str:
    """A code span with exactly `text`, on one line. A backtick in it becomes its code point."""
    return f"`{escape(one_line(text).replace('`', _GRAVE)) or ' '}`"


def code_block(text: str) -> str:
    """A code block with `text`."""
    return f"```\n{escape(unfenced(text))}\n```"


def unfenced(text: str) -> str:
    """`text` made visible for a code block. The last of three backticks, which would close it, becomes its code point."""
    return shown(text).replace("```", f"``{_GRAVE}")


def prose(text: str, people: Collection[str] = ()) -> str:
    """mrkdwn that shows the text literally. Code spans stay. `<@U1>` and `<#C1>` are live only for ids in `people`; an app is
    shown as `app A1`. A time in UTC is shown in the reader's time zone."""
    parts: list[str] = []
    end = 0
    visible = shown(text)
    for piece in PIECE.finditer(visible) if "`" in visible or "Z" in visible or "UTC" in visible else ():
        parts += [_words(visible[end : piece.start()], people), _piece(piece)]
        end = piece.end()
    parts.append(_words(visible[end:], people))
    return "".join(parts)


def _piece(piece: re.Match[str]) -> str:
    """A code span, or a time in the reader's time zone. An invalid date (month 13) stays as it is."""
    if piece.group(1) is not None:
        return f"`{escape(piece.group(1))}`"
    moment = moment_of(piece.group())
    if moment is None:
        return piece.group()
    fallback = _utc(piece.group())
    return f"<!date^{int(moment.timestamp())}^{_form(fallback)}|{fallback}>"


def _utc(written: str) -> str:
    """`2026-07-16 11:21 UTC` for a time in any of the forms of `TIME`."""
    found = TIME.fullmatch(written)
    return f"{found.group(1).replace('T', ' ')} UTC" if found else written


def _form(utc: str) -> str:
    """The format of Slack's date token, with seconds if the text has them."""
    return "{date_short_pretty} {time_secs}" if utc.count(":") > 1 else "{date_short_pretty} {time}"


def moment_of(text: str) -> datetime | None:
    """The time of a text like `2026-07-16 11:21 UTC`; None for other texts and for times before 1970."""
    found = TIME.fullmatch(text)
    try:
        moment = datetime.fromisoformat(f"{found.group(1)}+00:00") if found else None
    except ValueError:
        return None
    return moment if moment is not None and moment.year >= 1970 else None


def _words(text: str, people: Collection[str]) -> str:
    if not _MARKS.search(text):
        return escape(text)
    return "".join(_word(word, people) if _MARKS.search(word) else escape(word) for word in _WORD.findall(text))


def _word(word: str, people: Collection[str]) -> str:
    named = _NAMED.fullmatch(word)
    if named and named.group(3) in people:
        before, mark, person, after = named.groups()
        live = f"app {person}" if APP_ID.fullmatch(person) else _live(mark, person)
        if live:
            return f"{before}{live}{after}"
    if not _LIVE.search(word):
        return escape(word)
    edges = _EDGES.fullmatch(word)
    if edges is None or not edges.group(2):
        return code(word)
    before, middle, after = edges.groups()
    if middle.startswith(":") and after.startswith(":"):  # an emoji, not a word before a colon
        middle, after = f"{middle}:", after[1:]
    return f"{escape(before)}{code(middle)}{escape(after)}"


def _live(mark: str, id: str) -> str:
    if mark == "#":
        return f"<#{id}>" if CHANNEL_ID.fullmatch(id) else ""
    return mention(id)


def line(text: str, people: Collection[str] = ()) -> str:
    """`prose` on one line."""
    return prose(one_line(text), people)


def bold(text: str, people: Collection[str] = ()) -> str:
    """One line in bold; empty for an empty line. With a star, which could end the bold, only the words before its code."""
    return _BOLD.sub(r"*\g<0>*", line(text, people))


def mention(id: str) -> str:
    """A live mention of a person or a user group; empty when `id` is not such an id."""
    if USER_ID.fullmatch(id):
        return f"<@{id}>"
    if GROUP_ID.fullmatch(id):
        return f"<!subteam^{id}>"
    return ""


def date(at: datetime, *, day: bool = True) -> str:
    """A time in the viewer's zone, with UTC as the fallback; only UTC before 1970. Without `day` the client shows only the
    time of day."""
    moment = aware(at)
    stamp, fallback = int(moment.timestamp()), f"{moment:%Y-%m-%d %H:%M} UTC"
    return fallback if stamp < 0 else f"<!date^{stamp}^{'{date_short_pretty} ' if day else ''}{{time}}|{fallback}>"


def add_relative(blocks: Sequence[Block], now: datetime, *, future: bool) -> Sequence[Block]:
    """The blocks in which a past time also says how long ago it is, in a token that stays true.

    With `future`, a future time says in how long it comes, counted from `now`: for messages that nobody reads later. Slack
    documents `{ago}` for the past only (docs.slack.dev/reference/block-kit/block-elements/date-element).
    """

    def longer(seconds: int, form: str, before: str = "") -> str:
        since = now.timestamp() - seconds
        rounded = not seconds % 60 and "secs" not in form  # it may have been written without its seconds
        if "{ago}" in form or "{date" not in form or (since < 0 and not future) or (rounded and 0 <= since < 60):
            return form
        words = "{ago}"
        if since < 0:
            left = max(30 - since, 60) if rounded else -since
            words = f"in {rough_span(timedelta(seconds=left))}"
        return f"{form}, {words}" if before.rfind("(") > before.rfind(")") else f"{form} ({words})"

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("type") == "mrkdwn":
            told = value["text"]
            text = _TOKEN.sub(lambda at: f"<!date^{at[1]}^{longer(int(at[1]), at[2], told[: at.start()])}|", told)
            return {**value, "text": text} if units(text) <= FIELD_TEXT else value
        if value.get("type") == "date":
            return {**value, "format": longer(value["timestamp"], value["format"])}
        return {key: walk(item) for key, item in value.items()}

    return [walk(block) for block in blocks]


def link(label: str, url: str) -> str:
    """A link to an address of the program's own."""
    return f"<{escape(url)}|{escape(one_line(label).replace('|', ' '))}>"


def mrkdwn(text: str) -> Block:
    """A text object of finished mrkdwn. `verbatim` keeps Slack from linking bare addresses, channels and names."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain(text: str, limit: int, *, counted: bool = True) -> Block:
    """A plain text object on one line, which Slack doesn't parse. `limit` is in UTF-16 units."""
    line = clip(text, limit, counted=counted)
    return {"type": "plain_text", "text": line if line.strip() else NOTHING, "emoji": False}


def section(text: str) -> Block:
    """A paragraph of finished mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def fields(texts: Sequence[str]) -> Block:
    """Up to SECTION_FIELDS pieces of finished mrkdwn in two columns."""
    return {"type": "section", "fields": [mrkdwn(text) for text in texts]}


def context(texts: Iterable[str]) -> Block:
    """Small print: up to CONTEXT_ELEMENTS pieces of finished mrkdwn."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts]}


def container(title: str, blocks: Sequence[Block]) -> Block:
    """A collapsed section of a message. An old workspace refuses it: `render_card` has a form without."""
    collapsed = {"is_collapsible": True, "default_collapsed": True}
    return {"type": "container", "title": plain(title, CONTAINER_TITLE), "child_blocks": list(blocks), **collapsed}


def divider() -> Block:
    """A horizontal line."""
    return {"type": "divider"}


def option(label: str, value: str, note: str = "") -> Block:
    """A choice of a menu, with a description. `value` is unchanged; the caller keeps it within OPTION_VALUE characters."""
    described = {"description": plain(note, OPTION_TEXT, counted=False)} if one_line(note) else {}
    return {"text": plain(label, OPTION_TEXT), "value": value, **described}


def unmentioned(cell: str) -> str:
    """The cell with plain ids for the people and channels that it mentions, for places without mentions."""
    return _MENTION.sub(r"\2", cell)


def cell(text: str, *, live: bool) -> Block:
    """A table cell. A time in UTC is shown in the reader's time zone; with `live`, people and channels are shown by name."""
    parts: list[Block] = []
    end = 0
    text = text if live else unmentioned(text)
    for found in _IN_CELL.finditer(text):
        if (part := _cell_part(found)) is not None:
            parts += [*_plain_part(text[end : found.start()]), part]
            end = found.end()
    return _rich([*parts, *_plain_part(text[end:])]) if parts else {"type": "raw_text", "text": unmentioned(text)}


def _cell_part(found: re.Match[str]) -> Block | None:
    """A time, a person or a channel as an element of rich text; None for what stays text."""
    mark, named = found.group(2), found.group(3)
    if mark == "@" and USER_ID.fullmatch(named):
        return {"type": "user", "user_id": named}
    if mark == "#" and CHANNEL_ID.fullmatch(named):
        return {"type": "channel", "channel_id": named}
    moment, utc = moment_of(found.group()), _utc(found.group())
    if moment is None:
        return None
    return {"type": "date", "timestamp": int(moment.timestamp()), "format": _form(utc), "fallback": utc}


def _plain_part(text: str) -> list[Block]:
    return [{"type": "text", "text": text}] if text else []


def cell_text(made: Block) -> str:
    """The words of a cell, for counting."""
    if made["type"] != "rich_text":
        return str(made.get("text", ""))
    return "".join(part.get("text") or part.get("fallback", "") for part in made["elements"][0]["elements"])


def _rich(elements: Sequence[Block]) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def table(
    rows: Sequence[Sequence[str]], right: Sequence[bool], wrapped: Sequence[bool], *, live: bool = False
) -> Block:
    """A table whose first row is its header. `right` are the columns with numbers. `wrapped` are the columns with sentences,
    which wrap so that the next columns are visible without scrolling.

    With `live`, a cell that is a mention shows the name, for messages that notify nobody; otherwise the plain id. A cell
    that is a time in UTC is shown in the reader's time zone.
    """
    return {
        "type": "table",
        "rows": [[cell(text, live=live) for text in row] for row in rows],
        "column_settings": [
            {"align": "right" if number else "left", **({"is_wrapped": True} if wraps else {})}
            for number, wraps in zip(right, wrapped, strict=True)
        ],
    }
