"""A small workspace for policy tests: one file, a few people, and questions with sensible blanks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.command.capability import Risk
from bot.core.operation import Target
from bot.core.policy.decide import (
    Decision,
    Denied,
    GrantView,
    Member,
    NeedsApproval,
    Policy,
    Subject,
    Where,
    decide,
    parse_policy,
)
from bot.core.policy.match import Question

HOME = "T0ACME"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FREEZE_BEGINS = datetime(2026, 12, 20, 17, 0, tzinfo=UTC)
FREEZE_ENDS = datetime(2027, 1, 3, 7, 0, tzinfo=UTC)
MS = timedelta(milliseconds=1)
READ = {"risk": Risk.READ, "params": {}}
DANGER = {"risk": Risk.DANGER, "params": {}}

TEXT = """\
version = 1

[groups]
crawl = ["U0ANA", "S0CRAWL"]
leads = ["S0LEADS"]
admins = ["U0ROOT"]

[[channel]]
id = "C0CRAWL"
note = "#crawl-ops"

  [[channel.allow]]
  verbs = ["risk:read", "logs"]
  targets = ["acc:*"]
  who = ["*"]

  [[channel.allow]]
  verbs = ["start", "retry", "restart", "schedule on", "schedule off"]
  targets = ["acc:shop/*"]
  who = ["crawl"]
  params = { production = [true] }
  approvals = { count = 1, from = ["leads"], expires = "30m", in = "C0APPR" }

  [[channel.allow]]
  verbs = ["stop", "restart"]
  targets = ["*"]
  who = ["admins", "U0GUEST", "U0BOT", "U0EXT"]

  [[channel.deny]]
  verbs = ["stop"]
  targets = ["infa:*"]
  because = "Stopping a Secure Agent kills its running jobs; ask #platform."

[[channel]]
id = "C0OTHER"

  [[channel.allow]]
  verbs = ["start"]
  targets = ["acc:*"]
  who = ["*"]

[[channel]]
id = "D0ANA"

  [[channel.allow]]
  verbs = ["status"]
  targets = ["acc:*"]
  who = ["U0ANA"]

[[freeze]]
from = 2026-12-20T18:00:00+01:00
until = 2027-01-03T08:00:00+01:00
verbs = ["risk:change", "risk:danger"]
except = ["admins"]
because = "Year-end freeze"

[breakglass]
who = ["admins"]
max = "1h"
review_within = "72h"

[administrators]
who = ["admins"]
"""

POLICY = parse_policy(TEXT)
NO_GROUPS = {"S0CRAWL": Member.NO, "S0LEADS": Member.NO}


def person(user_id: str, **more: Any) -> Subject:
    """A full member of the home workspace in no user group, unless said otherwise."""
    return replace(Subject(user_id=user_id, team_id=HOME, known=True, groups=NO_GROUPS), **more)


ANA = person("U0ANA")
BOB = person("U0BOB")
CARL = person("U0CARL", groups={"S0CRAWL": Member.YES, "S0LEADS": Member.NO})
ROOT = person("U0ROOT")
PRICES = Target(backend="acc", kind="agent", id="17", name="shop/prices", scope="acc:shop/prices")


def on(scope: str) -> Target:
    """A target with this scope."""
    backend, _, path = scope.partition(":")
    return Target(backend=backend, kind="agent", id="17", name=path, scope=scope)


def unseen(backend: str = "acc", id: str = "4711") -> Target:
    """A run of which nobody knows the path."""
    return Target(backend=backend, kind="run", id=id, name=f"run/{id}", scope=None)


def place(channel_id: str = "C0CRAWL", **more: Any) -> Where:
    """A conversation of the home workspace."""
    return replace(Where(team_id=HOME, channel_id=channel_id, known=True), **more)


def asked(subject: Subject = ANA, verb: str = "start", **more: Any) -> dict[str, Any]:
    """A question: Ana starts acc:shop/prices in production, in #crawl-ops, on a quiet day."""
    question: dict[str, Any] = {
        "verb": verb,
        "risk": Risk.CHANGE,
        "own_verb": False,
        "target": PRICES,
        "params": {"production": True},
        "subject": subject,
        "where": place(),
        "now": NOW,
        "grants": (),
        "home_team_id": HOME,
    }
    return {**question, **more}


def ask(subject: Subject = ANA, verb: str = "start", *, policy: Policy = POLICY, **more: Any) -> Decision:
    """The decision on such a question."""
    return decide(policy, Question(**asked(subject, verb, **more)))


def word(decision: Decision) -> str:
    """`allowed`, `needs approval` or the code of the denial."""
    if isinstance(decision, Denied):
        return decision.code
    return "needs approval" if isinstance(decision, NeedsApproval) else "allowed"


def one_channel(rules: str, *, head: str = "") -> Policy:
    """A policy with these rules in C0CRAWL."""
    return parse_policy(f'version = 1\n{head}\n[groups]\ncrawl = ["S0CRAWL"]\n[[channel]]\nid = "C0CRAWL"\n{rules}\n')


def allow(verbs: str = '["*"]', targets: str = '["*"]', who: str = '["*"]', more: str = "") -> str:
    """The text of an allow rule."""
    return f"[[channel.allow]]\nverbs = {verbs}\ntargets = {targets}\nwho = {who}\n{more}\n"


def deny(verbs: str = '["*"]', more: str = "") -> str:
    """The text of a deny rule."""
    return f"[[channel.deny]]\nverbs = {verbs}\n{more}\n"


def grant(user_id: str = "U0BOB", **more: Any) -> GrantView:
    """A permission to start below acc:shop for an hour."""
    view = GrantView(
        id="g1", user_id=user_id, verbs=("start",), targets=("acc:shop/*",), until=NOW.replace(hour=13), channel_id=None
    )
    return replace(view, **more)
