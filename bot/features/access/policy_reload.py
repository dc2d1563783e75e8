"""The rules file: read at the start, read again when it changes, never replaced by a file that can't be used.

A file counts once it has been the same for SETTLED seconds, so that one that is still being written is never in force.
The security channel sees each change, line by line.
"""

import difflib
import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.all_of import all_of
from bot.core.audit import AuditEntry, Event
from bot.core.card import Card, Line, Tone
from bot.core.command.catalog import Catalog
from bot.core.intent import Place
from bot.core.masking.redact import SecretList
from bot.core.outcome import facts_of
from bot.core.policy.compile import Policy, PolicyProblem, parse_policy
from bot.core.policy.rights import review_gap
from bot.core.policy.visibility import unknown_names
from bot.core.ports.services import Clock, Directory, Ids, Presenter
from bot.core.ports.store import Store
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import ActivePolicy

SETTLED: Final = 2.0  # seconds
_MOST_CHANGES: Final = 60
_AGAIN: Final = ": again the file whose rules stayed in force"
_log = logging.getLogger("signalbox.rules")


class PolicyReloader:
    """`now` are the rules in force. Each change and each refused file is reported once, in audit log and security channel."""

    def __init__(self, path: Path, clock: Clock, ids: Ids, team_id: str, security_channel: str | None) -> None:
        self._audit_writer = AuditWriter()  # until `look` passes the secrets to mask
        self._path = path
        self._clock = clock
        self._ids = ids
        self._team_id = team_id
        self._security_channel = security_channel
        self._read = read_rules(path)
        self._refused: RulesFile | None = None
        self._seen = (self._read, 0.0)
        self.now = ActivePolicy.of(parse_policy(self._read.usable()), clock.now())

    async def settle(self) -> None:
        """At a start: wait until the file is SETTLED seconds old. Raises PolicyProblem when it can't be used then."""
        while (left := unsettled_for(self._path, self._clock)) > 0:
            await self._clock.sleep(left)
            self._read = read_rules(self._path)
            self.now = ActivePolicy.of(parse_policy(self._read.usable()), self._clock.now())

    async def registered(self, store: Store) -> None:
        """Record the rules that were loaded at the start. A file that was refused meanwhile is reported by the next look."""
        self._refused = None
        await store.append(self._entry(Event.POLICY_LOADED, self._path.name, self._read.digest))

    async def look(self, store: Store, presenter: Presenter, secrets: SecretList, catalog: Catalog) -> None:
        """Take a changed file, or refuse it loudly and keep the last good one. None of `secrets` is shown. A rule whose verb or
        backend isn't in `catalog` is warned of."""
        self._audit_writer = AuditWriter(secrets)
        found, at = read_rules(self._path), self._clock.monotonic()
        if found != self._seen[0]:
            self._seen = (found, at)
            return
        if found == self._refused or at - self._seen[1] < SETTLED:
            return
        if found == self._read:
            if self._refused is not None:
                self._refused = None
                await self._put_right(store, presenter)
            return
        try:
            policy = parse_policy(found.usable())
        except PolicyProblem as problem:
            self._refused = found
            await self._refuse(store, presenter, problem, found.digest)
            return
        before, version = self._read, self.now.policy.version
        self._read, self._refused = found, None
        self.now = ActivePolicy.of(policy, self._clock.now())
        await store.append(self._entry(Event.POLICY_LOADED, self._path.name, found.digest))
        _log.info("rules %s are in force", policy.version)
        warnings = "\n".join(unknown_names(policy, catalog))
        lines = (
            *((Line(heading="Parts of the new rules match nothing", text=warnings),) if warnings else ()),
            Line(text=changes(before.text or "", found.text or ""), code=True),
        )
        changed = policy.version != version
        status = "The new rules are in force" if changed else "No rule changed"
        replaced = version if changed else None
        await self._tell(presenter, "The rules changed", Tone.WARN, status, lines, replaced)

    def follow(self) -> None:
        """Take a changed file without a word: the leader reports it, and refuses one that can't be used."""
        found, at = read_rules(self._path), self._clock.monotonic()
        if found != self._seen[0]:
            self._seen = (found, at)
        elif found not in (self._read, self._refused) and at - self._seen[1] >= SETTLED:
            try:
                self.now = ActivePolicy.of(parse_policy(found.usable()), self._clock.now())
                self._read, self._refused = found, None
            except PolicyProblem:
                self._refused = found

    async def _put_right(self, store: Store, presenter: Presenter) -> None:
        """The last good file is back after a refusal: report it where the refusal was reported."""
        version = self.now.policy.version
        entry = self._entry(Event.POLICY_LOADED, f"{self._path.name}{_AGAIN}", self._read.digest)
        await store.append(entry)
        _log.info("the rules file is valid again; rules %s stayed in force", version)
        status = "The last good rules stayed in force"
        await self._tell(presenter, "The rules file is valid again", Tone.GOOD, status, ())

    async def _refuse(self, store: Store, presenter: Presenter, problem: PolicyProblem, digest: str | None) -> None:
        _log.error("the changed rules file is refused: %s", problem.summary)
        await store.append(self._entry(Event.POLICY_REFUSED, problem.summary, digest))
        lines = tuple(Line(text=line) for line in problem.summary.splitlines())
        status = "The last good rules stay in force"
        await self._tell(presenter, "The changed rules file can't be used", Tone.BAD, status, lines)

    async def _tell(
        self,
        presenter: Presenter,
        title: str,
        tone: Tone,
        status: str,
        lines: tuple[Line, ...],
        replaced: str | None = None,
    ) -> None:
        if self._security_channel is None:
            return
        card = Card(
            key=f"rules:{self._ids.request()}",
            place=Place(team_id=self._team_id, channel_id=self._security_channel),
            title=title,
            tone=tone,
            status=status,
            lines=tuple(line.model_copy(update={"text": self._audit_writer.clean(line.text)}) for line in lines),
            details=facts_of((("Version in force", self.now.policy.version), ("Version before", replaced))),
            at=self._clock.now(),
        )
        await presenter.show(card)

    def _entry(self, event: Event, detail: str, digest: str | None) -> AuditEntry:
        version, now = self.now.policy.version, self._clock.now()
        if event is Event.POLICY_LOADED:
            detail += f" (rules {version})"
        columns = {"policy_version": version, "detail": detail, "digest": digest}
        return self._audit_writer.system(event, self._ids.request(), now, self._team_id, **columns)


def changes(before: str, after: str) -> str:
    """The removed (`-`) and added (`+`) lines, at most 60, each with its position."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[2:]
    more = f"... {len(lines) - _MOST_CHANGES} more lines" if len(lines) > _MOST_CHANGES else ""
    return "\n".join([*lines[:_MOST_CHANGES], *([more] if more else [])])


def named_channels(policy: Policy, security: str | None, incident: str | None) -> Mapping[str, str]:
    """Every channel that the rules or the configuration name, and what it is used for, in words."""
    uses = dict.fromkeys(sorted(policy.channels), "with rules")
    found = [(id_, "approvals are requested here") for id_ in sorted(policy.asking_channels)]
    found += [(security, "`security_channel`")] if security else []
    found += [(incident, "`incident_channel`")] if incident else []
    for id_, use in found:
        uses[id_] = f"{uses[id_]}, {use}" if id_ in uses else use
    return uses


async def review_warning(directory: Directory, policy: Policy) -> str | None:
    """`review_gap` with the current members of the user groups."""
    groups = sorted(policy.breakglass.user_groups | policy.administrators.user_groups)
    read = await all_of(directory.members(group, max_age=0) for group in groups)
    return review_gap(policy, dict(zip(groups, read, strict=True)))


@dataclass(frozen=True, slots=True)
class RulesFile:
    """What was read: the text, or `trouble` without one. `digest` is the SHA-256 of the bytes, None when unreadable."""

    text: str | None = None
    digest: str | None = None
    trouble: str = ""

    def usable(self) -> str:
        """The text; raises PolicyProblem when there is none."""
        if self.text is None:
            raise PolicyProblem([self.trouble])
        return self.text


def unsettled_for(path: Path, clock: Clock) -> float:
    """The seconds until the file has been the same for SETTLED seconds; 0 for one that can't be read, or from the future."""
    try:
        age = clock.now().timestamp() - path.stat().st_mtime
    except OSError:
        return 0.0
    return SETTLED - age if 0 <= age < SETTLED else 0.0


def settled_rules(path: Path, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> RulesFile:
    """Read the file once it has been the same for SETTLED seconds, for a command that ends with its answer. Never raises."""
    while (left := unsettled_for(path, clock)) > 0:
        sleep(left)
    return read_rules(path)


def read_rules(path: Path) -> RulesFile:
    """Read the file. Never raises."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return RulesFile(trouble=f"{path.name} can't be read: {error.strerror}")
    digest = hashlib.sha256(data).hexdigest()
    try:
        return RulesFile(data.decode("utf-8-sig").replace("\r\n", "\n"), digest)
    except UnicodeDecodeError:
        return RulesFile(digest=digest, trouble=f"{path.name} can't be read: it is not UTF-8")
