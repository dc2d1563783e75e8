"""The model's policy as a rules file that the program reads."""

from __future__ import annotations

import json

from tests.proof import model
from tests.proof.outside import GROUP


def policy_text(policy: model.Policy, aliases: tuple[tuple[str, str], ...] = ()) -> str:
    """The rules file that says what the model's policy says, and which accounts are one person."""
    persons = {human: [human] for _, human in aliases}
    for account, human in aliases:
        persons[human].append(account)
    people = "".join(f"{human}-person = {json.dumps(accounts)}\n" for human, accounts in persons.items())
    named = ", ".join(f'"{who}"' for who in (GROUP, *sorted(policy.named)))
    deny = '  [[channel.deny]]\n  verbs = ["start"]\n  because = "not now"\n' if not policy.allowed else ""
    return f"""\
version = 1
[groups]
deciders = [{named}]
[people]
{people}
[[channel]]
id = "C0ROOM"
  [[channel.allow]]
  verbs = ["start", "pause"]
  targets = ["box:*"]
  who = ["*"]
  approvals = {{ count = {policy.count}, from = ["deciders"], expires = "10m", in = "C0APPR" }}
{deny}
[[channel]]
id = "C0EDITION{policy.version}"
[administrators]
who = ["U0ROOT"]
"""
