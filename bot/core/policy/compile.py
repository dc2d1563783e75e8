"""Turns the text of policy.toml into a Policy. Raises PolicyProblem, which names the lines to change."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.core.errors import Problem
from bot.core.file_faults import must_be, toml_fault
from bot.core.policy import schema
from bot.core.policy.toml_lines import Lines
from bot.core.value import canonical

MOST_PROBLEMS: Final = 25
END_LINE: Final = "# end"
_TOML_LINE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)$")
_TABLES: Final[Mapping[tuple[str, ...], type[schema.Table]]] = {
    (): schema.PolicyFile,
    ("channel",): schema.ChannelTable,
    ("channel", "allow"): schema.AllowRule,
    ("channel", "allow", "approvals"): schema.ApprovalRule,
    ("channel", "deny"): schema.DenyRule,
    ("freeze",): schema.FreezeTable,
    ("breakglass",): schema.BreakglassTable,
    ("administrators",): schema.AdministratorsTable,
    ("case",): schema.CaseTable,
}
_ARRAYS: Final = frozenset({("channel",), ("channel", "allow"), ("channel", "deny"), ("freeze",), ("case",)})


class PolicyProblem(Problem):
    """The text isn't a valid policy. Each of `lines` is a sentence that begins with its line number."""

    code = "policy_refused"

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines), "The earlier policy stays in force.")


class RuleKind(StrEnum):
    """What a rule of the file does."""

    DENY = "deny"
    FREEZE = "freeze"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Principals:
    """The people that a `who` names. `named` are the user ids written there; `users` also has those of its groups."""

    words: tuple[str, ...]
    everybody: bool
    named: frozenset[str]
    users: frozenset[str]
    user_groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled. `label` (`C0CRAWL allow 2`) goes into the audit log; `line` is its place in the file.

    `who` are the people that it applies to; for a freeze, those who are exempt. `approvals` and `params` only with ALLOW,
    `begins` and `ends` only with FREEZE.
    """

    label: str
    kind: RuleKind
    line: int
    verbs: tuple[str, ...]
    targets: tuple[str, ...]
    who: Principals
    params: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: MappingProxyType({}))
    because: str = ""
    approvals: schema.ApprovalRule | None = None
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """The rules of one conversation, each list in the order of the file."""

    id: str
    note: str
    denies: tuple[Rule, ...]
    allows: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy. `version` is 12 hex digits of a hash over everything that affects a decision (no notes, cases or layout).

    `accounts` maps each account in [people] to the account that represents the person.
    """

    version: str
    file: schema.PolicyFile
    channels: Mapping[str, ChannelRules]
    freezes: tuple[Rule, ...]
    breakglass: Principals
    administrators: Principals
    accounts: Mapping[str, str]

    def principals(self, words: Iterable[str]) -> Principals:
        """The people that these words of a `who` or `from` name."""
        return _principals(self.file, tuple(words))

    @property
    def user_groups(self) -> frozenset[str]:
        """The id of every Slack user group that the file names."""
        words = {word for members in self.file.groups.values() for word in members}
        words.update(word for _, named in schema.named_words(self.file) for word in named)
        return frozenset(word for word in words if schema.USER_GROUP_ID.fullmatch(word))

    @property
    def approvers(self) -> Principals:
        """Everybody who decides requests by some rule."""
        asked = (rule.approvals for channel in self.channels.values() for rule in channel.allows)
        return self.principals(word for one in asked if one is not None for word in one.from_)

    @property
    def asking_channels(self) -> frozenset[str]:
        """The id of every channel that a rule names with `in` for approval requests."""
        asked = (rule.approvals for channel in self.channels.values() for rule in channel.allows)
        return frozenset(one.in_channel for one in asked if one is not None and one.in_channel is not None)


def parse_policy(text: str) -> Policy:
    """The policy of this text. Raises only PolicyProblem, whatever the text is.

    One rule everywhere (start, reload, `check`, `policy test`): a complete, valid file counts. `# end` is optional, but
    if it is there, it must be the last line.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyProblem([_toml_sentence(str(error), text)]) from None
    except (ValueError, RecursionError, OverflowError):
        raise PolicyProblem(["line 1: the file is nested too deeply or has a number that is too long"]) from None
    if (after := _after_end(text)) is not None:
        raise PolicyProblem([after])
    lines = Lines(text)
    try:
        file = schema.PolicyFile.model_validate(data)
    except ValidationError as error:
        raise PolicyProblem(_listed(_sentences(error, lines))) from None
    crossed = [(lines.of(loc), sentence) for loc, sentence in schema.cross_checks(file)]
    if crossed:
        raise PolicyProblem(_listed(crossed))
    return _compiled(file, lines)


def _after_end(text: str) -> str | None:
    """The problem with a `# end` that isn't the last line; None if there is none."""
    written = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    ends = [number for number, line in written if line == END_LINE]
    if not ends or ends == [written[-1][0]]:
        return None
    return f"line {ends[0]}: `{END_LINE}` must be the last line; move it down or delete it"


def _toml_sentence(message: str, text: str) -> str:
    found = _TOML_LINE.search(message)
    line = int(found.group(1)) if found else text.count("\n") + 1
    return f"line {line}: not valid TOML: {toml_fault(_TOML_LINE.sub('', message))}"


def _listed(found: Iterable[tuple[int, str]]) -> list[str]:
    sentences = [f"line {line}: {sentence}" for line, sentence in sorted(dict.fromkeys(found))]
    left = len(sentences) - MOST_PROBLEMS
    return [*sentences[:MOST_PROBLEMS], f"and {left} more"] if left > 0 else sentences


def _sentences(error: ValidationError, lines: Lines) -> Iterator[tuple[int, str]]:
    details = error.errors(include_url=False, include_input=False)
    for detail in details:
        loc: schema.Loc = tuple(detail["loc"])
        inner = any(len(other["loc"]) > len(loc) and tuple(other["loc"])[: len(loc)] == loc for other in details)
        if not (detail["type"] == "too_short" and inner):
            yield lines.of(loc), _words(detail, loc)


def _words(detail: ErrorDetails, loc: schema.Loc) -> str:
    kind, message = detail["type"], detail["msg"]
    if "params" in loc[:-1]:
        return f"`{loc[loc.index('params') + 1]}` takes a list of texts, numbers, true and false, each once"
    key = next((part for part in reversed(loc) if isinstance(part, str)), "")
    table, title = _table(loc[:-1])
    if kind == "extra_forbidden":
        takes = ", ".join(field.alias or name for name, field in table.model_fields.items())
        return f"`{loc[-1]}` isn't a key of {title}; the keys are {takes}"
    if kind == "missing":
        return f"{title} needs `{loc[-1]}`"
    if kind == "value_error":
        sentence = str(detail.get("ctx", {}).get("error", message))
        return sentence if key in {"", "freeze"} or "`" in sentence else f"`{key}`: {sentence}"
    if key == "version":
        return "`version` must be 1"
    return f"`{key}` {must_be(kind, message)}"


def _table(loc: schema.Loc) -> tuple[type[schema.Table], str]:
    path = tuple(part for part in loc if isinstance(part, str))
    while path not in _TABLES:
        path = path[:-1]
    name = ".".join(path)
    if not path:
        return schema.PolicyFile, "the top of the file"
    return _TABLES[path], f"[[{name}]]" if path in _ARRAYS else f"[{name}]" if len(path) == 1 else f"`{path[-1]}`"


def _principals(file: schema.PolicyFile, words: tuple[str, ...]) -> Principals:
    members = {member for word in words for member in file.groups.get(word, ())}
    named = frozenset(word for word in words if schema.USER_ID.fullmatch(word) or schema.APP_ID.fullmatch(word))
    return Principals(
        words=words,
        everybody=schema.EVERYBODY in words,
        named=named,
        users=named | {member for member in members if schema.USER_ID.fullmatch(member)},
        user_groups=frozenset(word for word in (*words, *members) if schema.USER_GROUP_ID.fullmatch(word)),
    )


def _compiled(file: schema.PolicyFile, lines: Lines) -> Policy:
    decides = file.model_dump(mode="json", by_alias=True, exclude={"case": True, "channel": {"__all__": {"note"}}})
    if not file.people:  # a file from before there was [people] keeps its version, and what waits on it stays valid
        del decides["people"]
    return Policy(
        version=hashlib.sha256(canonical(decides).encode("utf-8", "surrogatepass")).hexdigest()[:12],
        file=file,
        channels=MappingProxyType(
            {table.id: _channel(file, number, table, lines) for number, table in enumerate(file.channel)}
        ),
        freezes=tuple(_freeze(file, number, table, lines) for number, table in enumerate(file.freeze)),
        breakglass=_principals(file, file.breakglass.who if file.breakglass else ()),
        administrators=_principals(file, file.administrators.who if file.administrators else ()),
        accounts=MappingProxyType({account: ids[0] for ids in file.people.values() for account in ids}),
    )


def _channel(file: schema.PolicyFile, number: int, table: schema.ChannelTable, lines: Lines) -> ChannelRules:
    def rule(kind: RuleKind, place: int, of: schema.AllowRule | schema.DenyRule, **parts: Any) -> Rule:
        return Rule(
            label=f"{table.id} {kind} {place + 1}",
            kind=kind,
            line=lines.of(("channel", number, str(kind), place)),
            verbs=of.verbs,
            targets=of.targets,
            who=_principals(file, of.who),
            **parts,
        )

    denies = tuple(rule(RuleKind.DENY, place, deny, because=deny.because) for place, deny in enumerate(table.deny))
    allows = tuple(
        rule(RuleKind.ALLOW, place, allow, params=MappingProxyType(dict(allow.params)), approvals=allow.approvals)
        for place, allow in enumerate(table.allow)
    )
    return ChannelRules(id=table.id, note=table.note, denies=denies, allows=allows)


def _freeze(file: schema.PolicyFile, number: int, table: schema.FreezeTable, lines: Lines) -> Rule:
    return Rule(
        label=f"freeze {number + 1}",
        kind=RuleKind.FREEZE,
        line=lines.of(("freeze", number)),
        verbs=table.verbs,
        targets=("*",),
        who=_principals(file, table.except_),
        because=table.because,
        begins=table.from_,
        ends=table.until,
    )
