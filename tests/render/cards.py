"""Cards for the tests: any at all for Hypothesis, and a dozen typical ones for the golden files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from bot.core.approval import KIND, Approval, ApprovalRecord
from bot.core.card import Button, Card, Line, Tone
from bot.core.command.capability import Risk
from bot.core.intent import Actor, Command, Intent, Place, Source
from bot.core.operation import Operation, Target
from bot.core.outcome import Chart, Done, Fact, Failed, Phase, Refused, RunView, Series, Table, Unknown
from bot.core.records import PendingDecision, stamp
from bot.features.approvals.question import card
from bot.operations.audit_writer import AuditWriter
from bot.operations.cards import outcome

PLACE = Place(team_id="T0ACME", channel_id="C0CRAWL")
NOON = datetime(2026, 7, 16, 12, 0, 0, tzinfo=UTC)

HOSTILE = (
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<@U0ROOT>",
    "<!subteam^S0LEADS|leads>",
    "<#C0CRAWL|crawl-ops>",
    "<https://evil.example|https://good.example>",
    "https://evil.example/?a=1&b=2",
    "mailto:root@example.com",
    "<!date^1392734382^{date}|today>",
    "&lt;!channel&gt;",
    "&amp;lt;",
    "*bold* _italic_ ~gone~ `code` ```block```",
    "*bold over several words*",
    ":rotating_light: :+1:",
    "> quoted\n> again",
    ">>> all quoted",
    "abc\u202egnp.exe",
    "zero\u200bwidth\ufeff",
    "\u2066isolated\u2069",
    "\x1b[31mred\x1b[0m\x07",
    "a\r\nb\rc\x00d",
    "``` ` `` ````",
    "`unclosed",
    "`a`b`c`",
    "(`*x*`), [`y`]!",
    "@here @channel @everyone",
    "👩\u200d💻 ⚠️ 🚦",
    "\ud7ff\ue000\uffff\U0010ffff",
    "ﷺ" * 30,
    "x" * 10_000,
    "<" * 10_000,
    "`" * 3_000,
    "🚦" * 4_000,
    "\u202e" * 3_000,
    "* " * 3_000,
    "line\n" * 2_000,
    "名前 " * 2_000,
    " ",
    "\n\n",
    "",
)

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.lists(st.sampled_from(HOSTILE), max_size=4).map(" ".join),
    st.text(alphabet="*_~`<>@!#&|:^ ab\n\u202e", max_size=60),
)
moments = st.datetimes(timezones=st.sampled_from([UTC, None]))
values = st.one_of(
    texts,
    st.integers(),
    st.floats(),
    st.none(),
    moments,
    st.timedeltas(),
)
facts = st.builds(Fact, label=texts, value=values)
lines = st.builds(Line, text=texts, heading=texts, code=st.booleans())
tables = st.builds(
    Table,
    columns=st.lists(texts | st.just("Duration"), max_size=25).map(tuple),
    rows=st.one_of(
        st.lists(st.lists(texts, max_size=25).map(tuple), max_size=6).map(tuple),
        st.tuples(st.lists(texts, min_size=1, max_size=4).map(tuple), st.integers(0, 500)).map(
            lambda p: (p[0],) * p[1]
        ),
    ),
    total=st.none() | st.integers(0, 10_000),
    note=texts,
)


def _chart(points: list[tuple[str, float]], title: str, names: tuple[str, str]) -> Chart:
    """A chart of these points, in two series that take turns."""
    turns = [[value if at % 2 == turn else 0.0 for at, (_, value) in enumerate(points)] for turn in (0, 1)]
    series = tuple(Series(name=name, values=tuple(values)) for name, values in zip(names, turns, strict=True))
    labels = tuple(label for label, _ in points)
    return Chart(
        title=title, labels=labels, series=series, unit=names[1], about=names[0], words=title, beside="Duration"
    )


charts = st.builds(_chart, st.lists(st.tuples(texts, st.floats(0, 1e9)), max_size=22), texts, st.tuples(texts, texts))
buttons = st.builds(
    Button,
    label=texts,
    action=st.sampled_from(["approve", "deny", "run", "", "a#2"]) | st.text(max_size=300),
    id=st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", max_size=40) | st.just("i" * 2_500),
    style=st.sampled_from([None, "primary", "danger", "default", "<!channel>"]),
    confirm=st.none() | texts,
    url=st.none() | st.just("https://console.example.com/runs/4711"),
)
people = st.lists(
    st.sampled_from(["U0ANA", "W0BOB", "S0LEADS", "U0ROOT", "C0CRAWL", "channel", "<!channel>", "u0ana", "U0A>"])
    | st.from_regex(r"[UWS][A-Z0-9]{3,10}", fullmatch=True),
    max_size=60,
)


def many(strategy: st.SearchStrategy, most: int) -> st.SearchStrategy:
    """A few different ones, or one of them very often."""
    repeated = st.tuples(strategy, st.integers(0, most)).map(lambda pair: (pair[0],) * pair[1])
    return st.lists(strategy, max_size=5).map(tuple) | repeated


cards = st.builds(
    Card,
    key=st.just("k"),
    place=st.just(PLACE),
    title=texts,
    tone=st.sampled_from(Tone),
    status=texts,
    rows=many(facts, 30),
    details=many(facts, 60),
    lines=many(lines, 60),
    byline=texts,
    facts=many(facts, 500),
    chart=st.none() | charts,
    table=st.none() | tables,
    progress=st.none() | st.tuples(st.integers(), st.integers()),
    progress_note=texts,
    buttons=many(buttons, 100),
    footer=many(texts, 30),
    mention=people.map(tuple),
    at=st.none() | moments,
)


def _card(title: str, **more: object) -> Card:
    return Card.model_validate({"key": "k", "place": PLACE, "title": title, **more})


def _listing(rows: int) -> Table:
    made = tuple((f"shop/agent-{n}", "Running" if n % 3 else "Failed", str(n * 17)) for n in range(rows))
    return Table(columns=("Agent", "State", "Rows"), rows=made, total=rows)


RUN = Target(backend="acc", kind="run", id="4711", name="run/4711", parent="9", parent_name="shop/prices")
RUNNING = RunView(
    state="RUNNING",
    phase=Phase.ACTIVE,
    started=NOON,
    done=67,
    total=120,
    facts=(Fact(label="Rows exported", value=18_230), Fact(label="Error rate", value=0.0123)),
)
_AGENT = Target(backend="acc", kind="agent", id="9", name="shop/prices_daily", scope="acc:shop/prices_daily", group="9")
_START = Operation(
    request_id="r-0123456789abcd",
    verb="start",
    target=_AGENT,
    words=(("production", "true"), ("input.region", "north"), ("input.password", "hunter2-not-a-secret")),
    reason="monthly *check*",
    risk=Risk.CHANGE,
    idempotent=False,
    timeout=60,
    starts_run=True,
)
_ASKED = Intent(
    request_id="r-0123456789abcd",
    dedupe_key="command:1",
    actor=Actor(user_id="U0ANA", team_id="T0ACME"),
    place=PLACE,
    source=Source.COMMAND,
    at=NOON,
    payload=Command(verb="start", target="acc:shop/prices_daily"),
)


def _came(result: Done | Refused | Failed | Unknown, now: datetime = NOON) -> Card:
    return outcome(_START, _ASKED, result, (), now, "C0CRAWL allow 2")


_RECORD = ApprovalRecord(
    rule="C0CRAWL allow 2",
    count=1,
    groups=("leads",),
    expires=1_800,
    channel="C0APPR",
    state="idle",
    target_id="9",
    eligible=("U0LEE", "U0ROOT"),
    effect="The agent starts. A run that is already active is not stopped.",
    shown=(
        Fact(label="Active runs", value="none", at=NOON),
        Fact(
            label="Last outcomes here",
            value="start done 2026-07-15 12:00 UTC; start failed 2026-07-14 12:00 UTC",
            at=NOON,
        ),
        Fact(label="Freeze", value="none", at=NOON),
    ),
    allows=True,
    buttons={name: f"b_{name}" for name in ("approve", "deny", "claim", "release", "allow", "cancel")},
)
_PENDING = PendingDecision(
    id="r-0123456789abcd.1",
    kind=KIND,
    request_id="r-0123456789abcd",
    operation=_START,
    digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    policy_version="1f2e3d4c5b6a",
    intent=_ASKED,
    due_at=stamp(NOON + timedelta(minutes=30)),
    made_at=stamp(NOON),
)
WAITING = Approval(_PENDING, _START, _RECORD)


TYPICAL: dict[str, Card] = {
    "preflight": _card(
        "stop infa:eu-1/Data Integration Server",
        tone=Tone.ASK,
        status="Dangerous: check before you run it.",
        rows=(
            Fact(label="What happens", value="All versions of the service stop, and its running jobs are killed."),
            Fact(label="Why", value="patch night"),
            Fact(label="Jobs running now", value="2: nightly load; price export"),
        ),
        details=(Fact(label="Last outcomes here", value="none in the audit log"),),
        buttons=(
            Button(label="Ask for approval", action="ask_for_approval", id="b_1", style="primary"),
            Button(label="Cancel", action="cancel", id="b_2"),
        ),
        only_for="U0ANA",
    ),
    "approval": card(AuditWriter(), WAITING, (), None, {}),
    "approval_claimed": card(AuditWriter(), WAITING, (), "U0LEE", {"U0RUI": ""}),
    "running": _came(Done(summary="Started.", run=RUN, view=RUNNING), NOON + timedelta(minutes=5)).model_copy(
        update={
            "buttons": (
                Button(label="Log", action="log", id="b_1"),
                Button(label="Stop", action="stop", id="b_2", style="danger", confirm="Stop this run?"),
                Button(label="Refresh", action="refresh", id="b_3"),
            )
        }
    ),
    "succeeded": _came(
        Done(
            summary="All 120 pages were read.",
            run=RUN,
            view=RUNNING.model_copy(
                update={
                    "phase": Phase.SUCCEEDED,
                    "state": "COMPLETED",
                    "ended": NOON + timedelta(minutes=90),
                    "done": 120,
                }
            ),
        ),
    ),
    "refused": _came(
        Refused(code="freeze", summary="Year-end freeze until Monday.", hint="Ask <#C0PLATFORM> or use `breakglass`."),
    ),
    "failed": _came(
        Failed(
            code="rejected",
            summary='The backend said: "Agent *prices_daily* is not approved <3".',
            hint="Ask for `agent approve`.",
            facts=(Fact(label="HTTP status", value=409),),
        ),
    ),
    "unknown": _came(
        Unknown(code="reply_lost", summary="The connection broke after the request was sent.", hint="Look at acc."),
    ),
    "help": _card(
        "What you can do here",
        lines=(
            Line(text="Press a command, or type it: `/ops start acc:shop/prices`. Write a reason after `--`."),
            Line(text="`/ops` alone opens a form. `/ops find NAME` finds a target."),
        ),
        buttons=(
            Button(label="start acc:shop/prices", action="say", id="b_1", confirm="Run `start acc:shop/prices` now?"),
            Button(label="status acc:shop/prices", action="say", id="b_2"),
            Button(label="logs acc:shop/prices@last", action="say", id="b_3"),
            Button(label="retry acc:shop/prices@failed", action="say", id="b_4", confirm="Run it now?"),
            Button(label="history acc:shop/prices", action="say", id="b_5"),
            Button(label="More", action="say", id="b_6"),
        ),
    ),
    "find_silent": _card(
        "Targets with prices",
        tone=Tone.WARN,
        status="infa doesn't answer, so targets may be missing",
        lines=(Line(heading="infa", text="No answer within 30 s."),),
        table=Table(
            columns=("Target", "Kind", "State"),
            rows=(("acc:shop/prices", "agent", "seen 3 min ago"), ("infa:task/load_prices", "task", "seen 2 days ago")),
            total=2,
            exact=("Target",),
        ),
        buttons=(Button(label="status acc:shop/prices", action="say", id="b_1"),),
    ),
    "history": _card(
        "history acc:shop/prices",
        tone=Tone.GOOD,
        status="The latest 3 runs of shop/prices: 2 succeeded, 1 failed.",
        chart=Chart(
            title="Duration of the latest 3 runs",
            labels=("1b9ba28f", "0d856623", "d774cee0"),
            series=(Series(name="Succeeded", values=(12.0, 0.0, 95.0)), Series(name="Failed", values=(0.0, 5.0, 0.0))),
            unit="seconds",
            about="Run, oldest first",
            words="Durations of shop/prices: the longest is 1 min 35 s (d774cee0); failed: 0d856623.",
            beside="Duration",
        ),
        table=Table(
            columns=("Run", "State", "Duration"),
            rows=(
                ("d774cee0", "Succeeded", "1 min 35 s"),
                ("0d856623", "Failure", "5 s"),
                ("1b9ba28f", "Succeeded", "12 s"),
            ),
        ),
        buttons=(Button(label="Log d774cee0", action="say", id="b_1"),),
    ),
    "listing_short": _card("targets acc", tone=Tone.PLAIN, table=_listing(6)),
    "listing_sortable": _card("targets acc", tone=Tone.PLAIN, table=_listing(40)),
    "listing_long": _card("targets acc", tone=Tone.PLAIN, table=_listing(500)),
    "listing_empty": _card("targets acc", table=Table(columns=("Agent",), rows=())),
    "log": _card(
        "logs acc:run/4711",
        tone=Tone.GOOD,
        status="The last 3 of 18,230 lines.",
        lines=(
            Line(
                text="12:00:01 GET https://shop.example/p?a=1&b=2 <200>\n12:00:02 ```SELECT *```\n\x1b[31mERROR\x1b[0m",
                code=True,
            ),
        ),
        facts=(Fact(label="Size", value="2.1 MB"), Fact(label="Secrets masked", value=4)),
        footer=("The whole log is in the thread.",),
    ),
    "hostile": _card(
        "status acc:<!channel>/abc\u202egnp.exe",
        tone=Tone.WARN,
        status="*All good* :white_check_mark: <https://evil.example|look>",
        lines=(Line(text="> <@U0ROOT> approved this\n_really_ `yes` `no"),),
        facts=(Fact(label="*State*", value="<!here> & `more`"), Fact(label="zero\u200bwidth", value="@channel")),
        table=Table(columns=("Name",), rows=(("<@U0ROOT>",), ("",))),
        buttons=(Button(label="<!channel> \u202eessaP", action="go", id="b_1", style="primary"),) * 2,
        footer=("~struck~",),
    ),
}
