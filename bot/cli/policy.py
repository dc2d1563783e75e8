"""`signalbox policy test|replay|schema`: try rules before you use them, without Slack and without a backend."""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from bot import config, plugins
from bot.cli.exit_codes import CliError, Exit
from bot.core.command.capability import Capability, TargetKind
from bot.core.command.catalog import Catalog, check_builtin, check_params
from bot.core.command.parser import parse, parse_target
from bot.core.command.target_ref import TargetRef
from bot.core.command.until import with_moments
from bot.core.errors import BadRequest
from bot.core.file_faults import must_be, toml_fault
from bot.core.intent import Command, ParseError
from bot.core.operation import Operation, Target
from bot.core.policy.decide import (
    BUILT_IN_RULE,
    Decision,
    Policy,
    PolicyProblem,
    Where,
    admits,
    decide,
    parse_policy,
    policy_json_schema,
    why_not_administrator,
    why_not_breakglass,
)
from bot.core.policy.match import Question, Situation
from bot.core.policy.rights import review_gap
from bot.core.policy.schema import CaseTable
from bot.core.policy.toml_lines import Lines
from bot.core.policy.visibility import case_subject, decision_word, unknown_names
from bot.core.ports.store import StoreSettings
from bot.core.text import plural
from bot.features.access.policy_reload import settled_rules
from bot.runtime.clock import SystemClock

Print = Callable[[str], None]
HOME: Final = "T0CASE"
_OPEN_TO_ALL: Final = frozenset({"help", "whoami", "why"})
_REFERENCE: Final = {
    "type": "string",
    "pattern": "^(env:.+|file:.+|keyring:.+/.+)$",
    "description": "A secret is written by reference: env:NAME, file:PATH or keyring:SERVICE/NAME",
}
_SECTIONS: Final[Mapping[str, type[BaseModel]]] = {
    "slack": config.SlackSettings,
    "store": StoreSettings,
    "policy": config.PolicySettings,
    "time": config.TimeSettings,
    "network": config.NetworkSettings,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a case: `word` as in `expect`, the rule that decided, its reason, and a note."""

    word: str
    rule: str
    says: str
    note: str = ""


def usable_rules(file: Path) -> tuple[str, Policy]:
    """The text and the rules of a file, once nothing writes it, as for the bot. Raises CliError with every line to change."""
    try:
        text = settled_rules(file, SystemClock()).usable()
        return text, parse_policy(text)
    except PolicyProblem as problem:
        raise CliError(Exit.MISUSED, f"{file} can't be used:", *problem.lines) from None


def print_schema(which: str, say: Print) -> int:
    """The JSON Schema of policy.toml or of signalbox.toml."""
    schema = config_json_schema() if which == "config" else policy_json_schema()
    say(json.dumps(schema, indent=2, sort_keys=True))
    return Exit.DONE


def test_rules(file: Path, config_path: Path, say: Print) -> int:
    """Run every `[[case]]` of a rules file."""
    text, policy = usable_rules(file)
    try:
        catalog, zone, known = catalog_for(config_path)
    except ValueError as error:
        raise CliError(Exit.MISUSED, str(error)) from None
    channels, cases = plural(len(policy.channels), "channel"), plural(len(policy.file.case), "case")
    say(f"{file}: version {policy.version}, {channels}, {cases}")
    if not known:
        names = ", ".join(f"{name} ({spec.kind})" for name, spec in sorted(catalog.backends.items()))
        say(f"No {config_path} found, so backends have their default names: {names}.")
    gap = review_gap(policy)
    for sentence in (*unknown_names(policy, catalog), *([gap] if gap else [])):
        say(f"warn  {sentence}")
    lines, now = Lines(text), SystemClock().now()
    differing = 0
    for number, case in enumerate(policy.file.case):
        verdict = judge(policy, catalog, case, now, zone)
        differing += verdict.word != case.expect
        for line in _told(policy, case, verdict, lines.of(("case", number))):
            say(line)
    say(f"{cases}, {differing} with a different answer." if policy.file.case else "The file has no [[case]] tables.")
    return Exit.NOT_DONE if differing else Exit.DONE


def _told(policy: Policy, case: CaseTable, verdict: Verdict, line: int) -> Iterator[str]:
    good = verdict.word == case.expect
    wanted = "" if good else f", expected {case.expect}"
    yield (
        f"{'ok   ' if good else 'DIFF '} line {line}: {case.as_} in {case.in_}: {case.say}: {verdict.word}"
        f"{f' by {verdict.rule}' if verdict.rule else ''}{where_is(policy, verdict.rule)}{wanted}"
    )
    if not good:
        yield f"      {verdict.says}"
    if verdict.note:
        yield f"      {verdict.note}"


def where_is(policy: Policy, label: str) -> str:
    """` (line 12)` for the label of a rule in the file, otherwise an empty string."""
    rules = [rule for channel in policy.channels.values() for rule in (*channel.denies, *channel.allows)]
    return next((f" (line {rule.line})" for rule in (*rules, *policy.freezes) if rule.label == label), "")


def catalog_for(config_path: Path) -> tuple[Catalog, str, bool]:
    """The capabilities of the backends that the file names, its time zone, and True. Without that file, every kind under its
    default name.

    Only these are read, so no secret is needed. Raises ValueError with one sentence.
    """
    if not config_path.exists():
        from bot.plugins import catalog_of_all_kinds  # noqa: PLC0415  loads every kind

        return catalog_of_all_kinds(), config.TimeSettings().zone, False
    try:
        tables = tomllib.loads(config_path.read_text(encoding="utf-8"))
        specs = {str(table["name"]): plugins.load(str(table["kind"])).spec for table in tables.get("backend", [])}
        zone = config.TimeSettings.model_validate(tables.get("time", {})).zone
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{config_path}: [time]: {must_be(first['type'], first['msg'])}") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{config_path}: {toml_fault(str(error))}") from None
    except (TypeError, KeyError, AttributeError):
        raise ValueError(f"{config_path}: each [[backend]] needs a name and a kind") from None
    return Catalog(specs), zone, True


def judge(policy: Policy, catalog: Catalog, case: CaseTable, now: datetime, zone: str) -> Verdict:
    """The answer to this case outside of all freezes, with times read in that zone. The note says if a freeze is active now."""
    subject = case_subject(policy, case, HOME)
    where = Where(team_id=HOME, channel_id=case.in_, is_dm=case.in_.startswith("D"), known=True)
    here = Situation(policy, subject, where, (), HOME)
    read = parse(case.say, catalog)
    if isinstance(read, ParseError):
        return Verdict("not understood", "", read.problem)
    try:
        if _is_builtin(read, catalog):
            check_builtin(catalog.builtins[read.verb], read)
            return _builtin(read, catalog, here)
        asked = _asked(read, catalog, here, _outside_freezes(policy, now), zone)
    except BadRequest as problem:
        return Verdict("not understood", "", problem.summary)
    decision = decide(policy, asked)
    notes = [_of_the_path(policy, catalog, asked, decision), _of_today(policy, asked, decision, now)]
    return Verdict(decision_word(decision), decision.rule, decision.reason, " ".join(note for note in notes if note))


def _is_builtin(read: Command, catalog: Catalog) -> bool:
    return catalog.builtin(read.verb) is not None and (read.target is None or not catalog.capabilities(read.verb))


def _builtin(read: Command, catalog: Catalog, here: Situation) -> Verdict:
    builtin = catalog.builtins[read.verb]
    if read.verb in _OPEN_TO_ALL:
        return Verdict("allowed", "built-in rule", "everyone may use this command")
    refused = admits(here)
    if refused is not None:
        return Verdict("denied", refused.rule, refused.reason)
    if builtin.needs is None:
        return Verdict("allowed", "built-in rule", "this person can use Signalbox in this channel")
    why_not = why_not_breakglass if builtin.needs == "breakglass" else why_not_administrator
    failed = why_not(here.policy, here.subject, HOME)
    return Verdict(
        "denied" if failed else "allowed", f"[{builtin.needs}]", failed or f"[{builtin.needs}] names this person"
    )


def _asked(read: Command, catalog: Catalog, here: Situation, now: datetime, zone: str) -> Question:
    if read.target is None:
        raise BadRequest(f"`{read.verb}` needs a target in a case.")
    ref = parse_target(read.target, catalog)
    if isinstance(ref, str):
        raise BadRequest(ref)
    row, target = _target(read, ref, catalog)
    given = check_params(row.params, with_moments(row.params, read.params, zone, _asked_at(read.params, now)))
    operation = Operation.of(row, request_id="case", target=target, given=given, reason=read.reason)
    return here.question(row, target, operation.params, now)


def _asked_at(words: Sequence[tuple[str, str]], now: datetime) -> datetime:
    """A day before a date in the case, so that it has the same result once that date is past; otherwise `now`."""
    for _, word in words:
        with suppress(ValueError, OverflowError):  # not a date, or the first one of the calendar
            return datetime.fromisoformat(word).replace(tzinfo=UTC) - timedelta(days=1)
    return now


def _target(read: Command, ref: TargetRef, catalog: Catalog) -> tuple[Capability, Target]:
    """The capability and the target, from the text alone: a selector means a run of the named target, under its path."""
    path = catalog.split_path(ref.backend, ref.path)[1]
    found = [capability for _, capability in catalog.capabilities(read.verb, ref.backend)]
    wanted = catalog.meant(read.verb, ref) or (found if ref.selector is not None or len(found) == 1 else [])
    if not wanted:
        known = ", ".join(sorted({capability.target for capability in found})) or "nothing"
        raise BadRequest(f"On `{ref.backend}`, `{read.verb}` works on: {known}.")
    kind = catalog.backends[ref.backend].kind_of(wanted[0].target)
    target = Target(
        backend=ref.backend,
        kind=kind.name,
        id=path or ref.backend,
        name=ref.path,
        scope=_scope(ref, kind, path),
        parent=path if ref.selector is not None else None,
    )
    return wanted[0], target


def _scope(ref: TargetRef, kind: TargetKind, path: str) -> str | None:
    """The path that rules match. For a run's id, only the control plane knows the path, so it is unknown here."""
    if ref.selector is None and kind.part_of is not None:
        return None
    return f"{ref.backend}:{path if kind.bare else ref.path}"


def _outside_freezes(policy: Policy, now: datetime) -> datetime:
    """A moment outside of all freezes, so that a case has the same result on every day of the year."""
    begins = [rule.begins for rule in policy.freezes if rule.begins is not None]
    return min([now, *(begin - timedelta(seconds=1) for begin in begins)])


def _of_today(policy: Policy, asked: Question, decision: Decision, now: datetime) -> str:
    frozen = decide(policy, replace(asked, now=now))
    if frozen.rule == decision.rule:
        return ""
    return f"Now it is {decision_word(frozen)} by {frozen.rule}{where_is(policy, frozen.rule)}: {frozen.reason}."


def _of_the_path(policy: Policy, catalog: Catalog, asked: Question, decision: Decision) -> str:
    """A note for cases whose answer may depend on what a run belongs to."""
    target = asked.target
    if target.scope is not None or decision.rule == BUILT_IN_RULE:
        return ""
    part_of = catalog.backends[target.backend].kind_of(target.kind).part_of
    return (
        f"This test can't tell which {part_of} `{target.text}` belongs to, so only `{target.backend}:*` covers it. "
        "Write the path instead, for example `acc:shop/prices@last`."
    )


def config_json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the whole file, with one alternative per kind under `backend`."""
    definitions: dict[str, Any] = {}
    properties = {name: _of(model, definitions) for name, model in _SECTIONS.items()}
    slack = properties["slack"]["properties"]
    slack["signing_secret"] = {"anyOf": [_REFERENCE, {"type": "array", "items": _REFERENCE, "minItems": 1}]}
    kinds = []
    for kind in plugins.kinds():
        table = _of(plugins.load(kind).settings, definitions)
        table["properties"]["kind"] = {"const": kind}
        kinds.append(table)
    properties["backend"] = {"type": "array", "items": {"anyOf": kinds}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Signalbox configuration",
        "type": "object",
        "additionalProperties": False,
        "required": ["slack"],
        "properties": properties,
        "$defs": definitions,
    }


def _of(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(_by_reference(schema.pop("$defs", {})))
    referred: dict[str, Any] = _by_reference(schema)
    return referred


def _by_reference(node: Any) -> Any:
    """The schema, with a reference in place of every secret."""
    if isinstance(node, dict):
        if node.get("format") == "password":
            return dict(_REFERENCE)
        return {key: _by_reference(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_by_reference(item) for item in node]
    return node
