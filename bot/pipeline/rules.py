"""The rules file: read at the start, read again when it changes, never replaced by something that cannot be used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from bot.core.card import Card, Line, Tone
from bot.core.intent import Place
from bot.core.policy import PolicyProblem, cut_short, parse_policy
from bot.core.policy_load import Policy
from bot.core.ports import Clock, Ids, Presenter
from bot.core.register import Event, Row
from bot.core.store_port import Store
from bot.pipeline.deps import PolicyNow
from bot.pipeline.record import Scribe

_log = logging.getLogger("signalbox.rules")


class Rules:
    """`now` are the rules in force. A file that was refused is said once to the register and the security channel."""

    def __init__(self, path: Path, clock: Clock, ids: Ids, team_id: str, security_channel: str | None) -> None:
        self._path = path
        self._clock = clock
        self._ids = ids
        self._team_id = team_id
        self._security_channel = security_channel
        self._text = read_rules(path)
        self._refused: str | None = None
        self.now = PolicyNow.of(parse_policy(self._text), clock.now())

    async def registered(self, store: Store) -> None:
        """Write down what was loaded at the start."""
        await store.append(self._row(Event.POLICY_LOADED, self.now.policy.version, self._path.name))

    async def look(self, store: Store, presenter: Presenter) -> None:
        """Take a changed file, or refuse it loudly and keep the last good one."""
        try:
            text = read_rules(self._path)
            if text == self._text:
                self._refused = None
                return
            if text == self._refused:
                return
            self._check_whole(text)
            policy = parse_policy(text)
        except PolicyProblem as problem:
            await self._refuse(store, presenter, problem)
            return
        self._text, self._refused = text, None
        self.now = PolicyNow.of(policy, self._clock.now())
        await store.append(self._row(Event.POLICY_LOADED, policy.version, self._path.name))
        _log.info("rules %s are in force", policy.version)

    def _check_whole(self, text: str) -> None:
        cut = cut_short(text, self._text)
        if cut is not None:
            raise PolicyProblem([cut])

    async def _refuse(self, store: Store, presenter: Presenter, problem: PolicyProblem) -> None:
        key = _text_or_sentence(self._path, problem)
        if self._refused == key:
            return
        self._refused = key
        _log.error("the changed rules file is refused: %s", problem.summary)
        await store.append(self._row(Event.POLICY_REFUSED, self.now.policy.version, problem.summary))
        if self._security_channel is None:
            return
        card = Card(
            key=f"rules:{self._ids.request()}",
            place=Place(team_id=self._team_id, channel_id=self._security_channel),
            title="The changed rules file was refused",
            tone=Tone.BAD,
            status=f"Version {self.now.policy.version} stays in force",
            lines=tuple(Line(text=line) for line in problem.summary.splitlines()[:10]),
            at=self._clock.now(),
        )
        await presenter.show(card)

    def _row(self, event: Event, version: str, detail: str) -> Row:
        return Scribe().system(
            event, self._ids.request(), self._clock.now(), self._team_id, policy_version=version, detail=detail
        )


def named_channels(policy: Policy, security: str | None, incident: str | None) -> Mapping[str, str]:
    """Every channel that the rules or the configuration name, with what for, in words."""
    uses = dict.fromkeys(sorted(policy.channels), "with rules")
    found = [(id_, "where approvals are asked") for id_ in sorted(policy.asking_channels)]
    found += [(security, "`security_channel`")] if security else []
    found += [(incident, "`incident_channel`")] if incident else []
    for id_, use in found:
        uses[id_] = f"{uses[id_]}, {use}" if id_ in uses else use
    return uses


def read_rules(path: Path) -> str:
    """The text of the file; raises PolicyProblem when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PolicyProblem([f"{path.name} cannot be read: {reason}"]) from None


def _text_or_sentence(path: Path, problem: PolicyProblem) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return problem.summary
