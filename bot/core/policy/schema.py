"""policy.toml as models: what it may contain, and the sentence for each mistake.

Every model refuses unknown keys: a rule with a mistyped key would silently allow more than its author believes.
`compile.py` reads a text into these models and checks what spans several tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)

from bot.core.command.params import BadParam, duration_seconds

EVERYBODY: Final = "*"
USER_ID: Final = re.compile(r"[UW][A-Z0-9]{1,30}")
APP_ID: Final = re.compile(r"A0[A-Z0-9]{1,29}")
USER_GROUP_ID: Final = re.compile(r"S[A-Z0-9]{1,30}")
CHANNEL_ID: Final = re.compile(r"[CGD][A-Z0-9]{1,30}")
GROUP_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_VERB: Final = re.compile(r"\*|[a-z][a-z-]*(?: [a-z][a-z-]*)*(?: \*)?")
_RISK: Final = re.compile(r"risk:(?:read|change|danger)(?:\|(?:read|change|danger))*")

Scalar = StrictBool | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)] | StrictStr


def is_slack_id(word: str) -> bool:
    """True for text that looks like a Slack user, app, user group or conversation id."""
    return any(shape.fullmatch(word) for shape in (USER_ID, APP_ID, USER_GROUP_ID, CHANNEL_ID))


def _channel_id(word: str) -> str:
    if CHANNEL_ID.fullmatch(word):
        return word
    if word.startswith("#") or not is_slack_id(word):
        raise ValueError(
            f"`{word}` isn't a conversation id; use the id (C..., G... or D..., at the bottom of the channel's details): "
            "a name can be taken over"
        )
    raise ValueError(f"`{word}` isn't a conversation id; those begin with C, G or D")


def _member_id(word: str) -> str:
    if USER_ID.fullmatch(word) or USER_GROUP_ID.fullmatch(word):
        return word
    raise ValueError(f"`{word}` isn't the id of a user (U..., W...) or a user group (S...); use the id, not a name")


def _account(word: str) -> str:
    if USER_ID.fullmatch(word):
        return word
    raise ValueError(f"`{word}` isn't the id of a user (U..., W...); [people] lists the account ids of each person")


def _person(word: str) -> str:
    if word == EVERYBODY:
        raise ValueError("`*` would name every member here; write a group or ids")
    return _who(word)


def _who(word: str) -> str:
    if word == EVERYBODY or any(shape.fullmatch(word) for shape in (USER_ID, APP_ID, USER_GROUP_ID)):
        return word
    if CHANNEL_ID.fullmatch(word) and not any(letter.islower() for letter in word):
        raise ValueError(f"`{word}` is the id of a conversation; `who` takes groups, users and user groups")
    if not GROUP_NAME.fullmatch(word):
        raise ValueError(
            f"`{word}` is neither a name from [groups] nor an id (U..., W..., S...); use the id, not a name"
        )
    return word


def _verb(word: str) -> str:
    if not (_VERB.fullmatch(word) or _RISK.fullmatch(word)):
        raise ValueError(
            f"`{word}` isn't a verb pattern; write a verb (`start`), a family (`schedule *`), `*`, "
            "`risk:read`, `risk:change` or `risk:danger`"
        )
    return word


def _target(word: str) -> str:
    if word != word.strip() or not word.isprintable() or not word:
        raise ValueError(
            f"`{word}` isn't a target pattern: it begins or ends with a blank, or has invisible characters"
        )
    if ":" not in word and "*" not in word:
        raise ValueError(f"`{word}` matches nothing; write `{word}:*` for everything on a backend, or `backend:path`")
    return word


def _group_name(name: str) -> str:
    if is_slack_id(name):
        raise ValueError(f"`{name}` looks like a Slack id; give the group another name, in lower case")
    if not GROUP_NAME.fullmatch(name):
        raise ValueError(f"`{name}` isn't a group name; use letters, digits, `_`, `-` and `.`, beginning with a letter")
    return name


def _seconds(written: object) -> int:
    if not isinstance(written, str):
        raise ValueError('write a duration in quotes, like "30m"')  # noqa: TRY004 -- pydantic passes on ValueError alone
    try:
        return duration_seconds(written)
    except BadParam as problem:
        raise ValueError(str(problem)) from None


def _moment(written: object) -> datetime:
    if not isinstance(written, datetime):
        raise ValueError("write a date and time with a time zone, like `2026-12-20T18:00:00+01:00`")  # noqa: TRY004 -- as above
    if written.tzinfo is None or written.utcoffset() is None:
        raise ValueError(
            f"`{written.isoformat()}` has no time zone; write `{written.isoformat()}Z` or an offset like `+01:00`"
        )
    return written


def _distinct(words: tuple[Any, ...]) -> tuple[Any, ...]:
    seen: list[tuple[type, Any]] = []
    for word in words:
        if (type(word), word) in seen:
            raise ValueError(f"`{word}` is listed twice")
        seen.append((type(word), word))
    return words


_Distinct = AfterValidator(_distinct)
ChannelId = Annotated[
    StrictStr, AfterValidator(_channel_id), Field(json_schema_extra={"pattern": f"^{CHANNEL_ID.pattern}$"})
]
MemberId = Annotated[
    StrictStr, AfterValidator(_member_id), Field(json_schema_extra={"pattern": "^[UWS][A-Z0-9]{1,30}$"})
]
Account = Annotated[StrictStr, AfterValidator(_account), Field(json_schema_extra={"pattern": f"^{USER_ID.pattern}$"})]
GroupName = Annotated[StrictStr, AfterValidator(_group_name)]
Verbs = Annotated[tuple[Annotated[StrictStr, AfterValidator(_verb)], ...], Field(min_length=1), _Distinct]
Targets = Annotated[tuple[Annotated[StrictStr, AfterValidator(_target)], ...], Field(min_length=1), _Distinct]
Who = Annotated[tuple[Annotated[StrictStr, AfterValidator(_who)], ...], Field(min_length=1), _Distinct]
People = Annotated[tuple[Annotated[StrictStr, AfterValidator(_person)], ...], Field(min_length=1), _Distinct]
Seconds = Annotated[int, BeforeValidator(_seconds), WithJsonSchema({"type": "string", "examples": ["30m", "1h", "3d"]})]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "title": "with a time zone"}),
]


class Table(BaseModel):
    """A table of the file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ApprovalRule(Table):
    """`approvals = { count, from, expires, in }`: how many people of `from`, within `expires` seconds, asked in which channel.

    `in_channel` None is the channel of the request.
    """

    count: Annotated[StrictInt, Field(ge=1, le=20)] = 1
    from_: People = Field(alias="from")
    expires: Seconds = 1800
    in_channel: ChannelId | None = Field(default=None, alias="in")


class AllowRule(Table):
    """`[[channel.allow]]`. `params` limits values to those listed; an empty list means: not given."""

    verbs: Verbs
    targets: Targets
    who: Who
    params: dict[StrictStr, Annotated[tuple[Scalar, ...], _Distinct]] = Field(default_factory=dict)
    approvals: ApprovalRule | None = None


class DenyRule(Table):
    """`[[channel.deny]]`. Without `targets` it covers every target, without `who` everyone."""

    verbs: Verbs
    targets: Targets = ("*",)
    who: Who = ("*",)
    because: StrictStr = ""


class ChannelTable(Table):
    """`[[channel]]`: one conversation by its id; a DM by its D id."""

    id: ChannelId
    note: StrictStr = ""
    allow: tuple[AllowRule, ...] = ()
    deny: tuple[DenyRule, ...] = ()


class FreezeTable(Table):
    """`[[freeze]]`: from <= now < until, in every channel, for everyone but `except`."""

    from_: Moment = Field(alias="from")
    until: Moment
    verbs: Verbs
    except_: Annotated[tuple[Annotated[StrictStr, AfterValidator(_person)], ...], _Distinct] = Field(
        default=(), alias="except"
    )
    because: StrictStr = ""

    @model_validator(mode="after")
    def _order(self) -> FreezeTable:
        if self.from_ >= self.until:
            raise ValueError("`from` of a [[freeze]] must be before its `until`")
        return self


class BreakglassTable(Table):
    """`[breakglass]`: who may use it, `max` in seconds, and `review_within` in seconds."""

    who: People
    max: Seconds = 3600
    review_within: Seconds = 72 * 3600


class AdministratorsTable(Table):
    """`[administrators]`: who may grant, revoke and see the policy."""

    who: People


class CaseTable(Table):
    """`[[case]]`: one expectation for `policy test`. `as` is a user id, a user group id or a name from [groups]."""

    as_: Annotated[StrictStr, AfterValidator(_person)] = Field(alias="as")
    in_: ChannelId = Field(alias="in")
    say: Annotated[StrictStr, Field(min_length=1)]
    expect: Literal["allowed", "needs approval", "denied"]


class PolicyFile(Table):
    """The whole file. A file with only `version` denies everything."""

    version: Annotated[StrictInt, Field(ge=1, le=1)]
    groups: dict[GroupName, Annotated[tuple[MemberId, ...], _Distinct]] = Field(default_factory=dict)
    people: dict[GroupName, Annotated[tuple[Account, ...], Field(min_length=1), _Distinct]] = Field(
        default_factory=dict, description="the accounts of each person, which count once"
    )
    channel: tuple[ChannelTable, ...] = ()
    freeze: tuple[FreezeTable, ...] = ()
    breakglass: BreakglassTable | None = None
    administrators: AdministratorsTable | None = None
    case: tuple[CaseTable, ...] = ()


Loc = tuple[str | int, ...]


def cross_checks(file: PolicyFile) -> list[tuple[Loc, str]]:
    """Checks what one table says about another: (place, sentence) of each mistake."""
    problems: list[tuple[Loc, str]] = list(_double_accounts(file))
    seen: set[str] = set()
    for number, channel in enumerate(file.channel):
        if channel.id in seen:
            problems.append(
                (("channel", number, "id"), f"the channel `{channel.id}` has two tables; put its rules into one")
            )
        seen.add(channel.id)
    for loc, words in named_words(file):
        for place, word in enumerate(words):
            if word != EVERYBODY and not is_slack_id(word) and word not in file.groups:
                known = ", ".join(sorted(file.groups)) or "it is empty"
                problems.append(((*loc, place), f"`{word}` is neither a name in [groups] ({known}) nor a Slack id"))
    return problems


def _double_accounts(file: PolicyFile) -> Iterable[tuple[Loc, str]]:
    """Finds an account under two names, which would be two people."""
    owners: dict[str, str] = {}
    for name, accounts in file.people.items():
        for place, account in enumerate(accounts):
            first = owners.setdefault(account, name)
            if first != name:
                yield (
                    ("people", name, place),
                    f"`{account}` is listed under `{first}` and under `{name}`; an account belongs to one person",
                )


def named_words(file: PolicyFile) -> Iterable[tuple[Loc, tuple[str, ...]]]:
    """Every list of the file that names people, with its place."""
    for c, channel in enumerate(file.channel):
        for d, deny in enumerate(channel.deny):
            yield ("channel", c, "deny", d, "who"), deny.who
        for a, allow in enumerate(channel.allow):
            yield ("channel", c, "allow", a, "who"), allow.who
            if allow.approvals is not None:
                yield ("channel", c, "allow", a, "approvals", "from"), allow.approvals.from_
    for f, freeze in enumerate(file.freeze):
        yield ("freeze", f, "except"), freeze.except_
    if file.breakglass is not None:
        yield ("breakglass", "who"), file.breakglass.who
    if file.administrators is not None:
        yield ("administrators", "who"), file.administrators.who
    for k, case in enumerate(file.case):
        yield ("case", k, "as"), (case.as_,)


def policy_json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of policy.toml, for editors; TOML dates count as date-time strings."""
    schema = PolicyFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Signalbox policy"}
