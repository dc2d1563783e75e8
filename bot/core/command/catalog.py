"""All verbs of all configured backends, found by verb, backend and kind of target."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.core.command.builtins import ALIASES, BUILTINS, Builtin, Takes
from bot.core.command.capability import Capability, KindSpec, Risk
from bot.core.command.params import BadParam, Param, ParamType, as_typed, folded, trimmed, unseen
from bot.core.command.target_ref import TargetRef
from bot.core.errors import BadRequest
from bot.core.intent import Command
from bot.core.masking.values import MASK
from bot.core.value import Json

_FLAG: Final = re.compile(r"(?:--|\u2013|\u2014)[a-z]")


class CatalogProblem(ValueError):
    """Two capabilities have the same words, or one is incomplete: the program must not start."""


class Catalog:
    """An immutable index. `backends` maps a configured name to what its kind declares."""

    def __init__(self, backends: Mapping[str, KindSpec]) -> None:
        self.backends = MappingProxyType(dict(backends))
        self.builtins = MappingProxyType({builtin.verb: builtin for builtin in BUILTINS})
        self._capabilities: dict[tuple[str, str, str], Capability] = {}
        self._of_verb: dict[str, list[tuple[str, Capability]]] = {}
        for spec in {spec.kind: spec for spec in backends.values()}.values():
            self._index(spec)
        self.verbs = frozenset(verb for _, verb, _ in self._capabilities) | frozenset(self.builtins)

    def _index(self, spec: KindSpec) -> None:
        kinds = {kind.name for kind in spec.targets}
        if sum(kind.prefix is None for kind in spec.targets) != 1:
            raise CatalogProblem(f"{spec.kind}: exactly one kind of target must have no prefix")
        for kind in spec.targets:
            if kind.selects and kind.prefix is not None:
                raise CatalogProblem(f"{spec.kind}: only the kind without a prefix can select runs, not {kind.name}")
            if kind.part_of is not None and kind.part_of not in kinds:
                raise CatalogProblem(f"{spec.kind}: {kind.name} is part of the unknown kind {kind.part_of}")
        for capability in spec.capabilities:
            key = (spec.kind, capability.verb, capability.target)
            if key in self._capabilities:
                raise CatalogProblem(f"{spec.kind}: `{capability.verb}` on {capability.target} is declared twice")
            if capability.target not in kinds:
                raise CatalogProblem(
                    f"{spec.kind}: `{capability.verb}` names the unknown kind of target {capability.target}"
                )
            self._capabilities[key] = capability
            self._of_verb.setdefault(capability.verb, []).append((spec.kind, capability))

    def only(self, seen: Callable[[str], bool]) -> Catalog:
        """The same with those backends alone: what a person reads who may not know of the others."""
        return Catalog({name: spec for name, spec in self.backends.items() if seen(name)})

    def capability(self, backend: str, verb: str, target_kind: str) -> Capability | None:
        """The capability for that verb and kind of target, or None."""
        spec = self.backends.get(backend)
        return self._capabilities.get((spec.kind, verb, target_kind)) if spec else None

    def capabilities(self, verb: str, backend: str | None = None) -> Sequence[tuple[str, Capability]]:
        """Every capability of a verb as (kind of control plane, capability), limited to one backend's kind when given."""
        named = self.backends.get(backend) if backend is not None else None
        only = named.kind if named is not None else None
        return [(kind, capability) for kind, capability in self._of_verb.get(verb, ()) if only in (None, kind)]

    def params(self, verb: str, backend: str | None = None) -> Sequence[Param]:
        """The parameters of a verb on a backend, or on any; else those of the built-in verb."""
        builtin = self.builtins.get(verb)
        found = [param for _, capability in self.capabilities(verb, backend) for param in capability.params]
        return found or (builtin.params if builtin is not None else ())

    def acts_once(self, verb: str, target: str | None) -> bool:
        """Whether running this twice has more effect than running it once."""
        found = self.capabilities(verb, (target or "").partition(":")[0])
        builtin = self.builtins.get(verb)
        if not found and builtin is not None:
            return builtin.risk is not Risk.READ
        return any(one.risk is not Risk.READ and (one.adds or not one.idempotent) for _, one in found)

    def changes(self, verb: str) -> bool:
        """Whether the verb changes something on any control plane, or in the bot."""
        builtin = self.builtins.get(verb)
        risks = {capability.risk for _, capability in self.capabilities(verb)} | (
            {builtin.risk} if builtin is not None else set()
        )
        return bool(risks - {Risk.READ})

    def starts_run(self, verb: str, target: str | None) -> bool:
        """Whether doing this at once starts another run: nothing shows a pre-flight first, and it does not end a pause."""
        backend = (target or "").partition(":")[0]
        once = any(
            capability.starts_run and capability.risk is Risk.CHANGE
            for _, capability in self.capabilities(verb, backend)
        )
        return once and not self.resumes(backend, verb)

    def resumes(self, backend: str, verb: str) -> bool:
        """Whether that verb resumes what a pause of this backend switched off."""
        spec = self.backends.get(backend)
        return spec is not None and any(capability.resumes == verb for capability in spec.capabilities)

    def own_timer(self, backend: str, verb: str) -> bool:
        """Whether the control plane itself ends the pauses that this verb ends."""
        return any(row.own_timer and row.resumes == verb for row in self.backends[backend].capabilities)

    def switches(self, backend: str, verb: str, target_kind: str) -> bool:
        """Whether that verb pauses something or resumes it."""
        capability = self.capability(backend, verb, target_kind)
        return (capability is not None and capability.resumes is not None) or self.resumes(backend, verb)

    def ends_pauses(self, backend: str, verb: str, target_kind: str) -> bool:
        """Whether nothing is left to resume after that verb."""
        capability = self.capability(backend, verb, target_kind)
        return capability is not None and capability.ends_pauses

    def sets(self, backend: str, verb: str, target_kind: str) -> str | None:
        """What that verb sets, such as `schedule` for `schedule off`: of two orders that set the same, one may undo the other.
        None for one that only starts or stops what runs."""
        capability = self.capability(backend, verb, target_kind)
        runs = verb in ("stop", "restart") or (capability is not None and capability.starts_run)
        if runs and not self.about_pauses(backend, verb, target_kind):
            return None
        return verb.rpartition(" ")[0]

    def about_pauses(self, backend: str, verb: str, target_kind: str) -> bool:
        """Whether that verb pauses something, resumes it, or leaves nothing to resume."""
        return self.switches(backend, verb, target_kind) or self.ends_pauses(backend, verb, target_kind)

    def no_stop(self, backend: str, target_kind: str) -> str:
        """Why a run of that kind can't be stopped; empty where it can, or where nothing runs."""
        spec = self.backends.get(backend)
        kinds = spec.targets if spec is not None else ()
        return next((kind.no_stop for kind in kinds if kind.name == target_kind), "")

    def selects(self, backend: str) -> bool:
        """Whether selectors such as `@last` pick a run there."""
        spec = self.backends.get(backend)
        return spec is not None and spec.default_target.selects

    def everything(self) -> Iterable[tuple[str, Capability]]:
        """Every capability with its kind of control plane, in declared order."""
        return ((kind, capability) for (kind, _, _), capability in self._capabilities.items())

    def builtin(self, verb: str) -> Builtin | None:
        return self.builtins.get(verb)

    def split_path(self, backend: str, path: str) -> tuple[str | None, str]:
        """`run/ID` -> ("run", "ID"); (None, path) for the default kind of target."""
        head, slash, rest = path.partition("/")
        if slash and backend in self.backends:
            for kind in self.backends[backend].targets:
                if kind.prefix is not None and kind.prefix == head:
                    return kind.name, rest
        return None, path

    def kind_of(self, ref: TargetRef) -> str:
        """The kind of target that is written, a selector aside. A backend alone is the kind that has no name of its own."""
        if not ref.path and (whole := self.backends[ref.backend].whole):
            return whole
        return self.split_path(ref.backend, ref.path)[0] or self.backends[ref.backend].default_target.name

    def meant(self, verb: str, ref: TargetRef) -> Sequence[Capability]:
        """The capabilities of the verb that act on what is written, as far as the text tells. A selector picks a run, and only
        the backend knows its kind."""
        found = [capability for _, capability in self.capabilities(verb, ref.backend)]
        if ref.selector is not None:
            return [capability for capability in found if capability.target in self.backends[ref.backend].selected]
        return [capability for capability in found if capability.target == self.kind_of(ref)]

    def takes(self, command: Command, ref: TargetRef) -> bool:
        """Whether a capability that the command may mean takes the given values. Missing ones can still be asked for."""
        return any(_taken(capability, command) for capability in self.meant(command.verb, ref))

    def has_runs(self, ref: TargetRef) -> bool:
        """Whether a selector may be added to what is written."""
        named = ref.path or not self.backends[ref.backend].default_target.example
        kind, _ = self.split_path(ref.backend, ref.path)
        return bool(named) and ref.selector is None and self.selects(ref.backend) and kind is None

    def canonical_verb(self, words: Sequence[str]) -> tuple[str | None, int]:
        """The verb at the start of these words and its number of words; (None, 0) when they don't start with a verb."""
        folded = [word.lower() for word in words[:3]]
        for length in range(len(folded), 0, -1):
            verb = " ".join(folded[:length])
            verb = ALIASES.get(verb, verb)
            if verb in self.verbs:
                return verb, length
        return None, 0


def _taken(capability: Capability, command: Command) -> bool:
    """Whether the capability takes the values that are given."""
    try:
        given = check_params(
            [param.model_copy(update={"required": False}) for param in capability.params], command.params
        )
        if given and all(param.name in given for param in capability.params if param.required):
            capability.asked(given, command.reason, command.files)
    except BadRequest:
        return False
    return True


def check_builtin(builtin: Builtin, ask: Command) -> dict[str, Json]:
    """The parameters of a built-in verb, defaults included. Raises BadRequest for a word or parameter it does not take."""
    most = {Takes.WORDS: builtin.most_words, Takes.COMMAND: 1}.get(builtin.takes, 0)
    flags = [word for word in ask.words if builtin.risk is Risk.READ and _FLAG.match(word)]
    extra = ask.words[most:] if most is not None else ask.words[ask.words.index(flags[0]) :] if flags else ()
    hint = f"{builtin.help} For example: `{builtin.example}`."
    if extra:
        names = ", ".join(f"`{param.name}=`" for param in builtin.params)
        only = f"; it takes only {names}" if names else ""
        why = "" if builtin.risk is Risk.READ else " The reason comes after `--`."
        said = f"`{builtin.verb}` doesn't take {as_typed(' '.join(extra), 80)}{only}.{why}"
        raise BadRequest(said, hint, "bad_parameter")
    try:
        given = check_params(builtin.params, ask.params)
    except BadRequest as problem:
        raise BadRequest(f"`{builtin.verb}`: {problem.summary}", hint, problem.code) from None
    return {param.name: param.default for param in builtin.params if param.default is not None} | given


def check_params(declared: Sequence[Param], given: Sequence[tuple[str, str]]) -> dict[str, Json]:
    """The values of `key=value` words, checked against the declared parameters. Raises BadRequest with what is accepted.

    The result holds no defaults. A MAP is a dict of text by key.
    """
    given = [(trimmed(key), value) for key, value in given]
    _check_names(given)
    by_name = {param.name: param for param in declared}
    words: dict[str, list[str]] = {}
    maps: dict[str, dict[str, Json]] = {}
    unknown, problems = list[str](), list[str]()
    for key, value in given:
        head, dot, rest = key.partition(".")
        if key in by_name and by_name[key].type is not ParamType.MAP:
            words.setdefault(key, []).append(value)
        elif dot and rest and head in by_name and by_name[head].type is ParamType.MAP:
            _add(maps.setdefault(head, {}), rest, value, key)
        elif "*" in by_name:
            _add(maps.setdefault("*", {}), key, value, key)
        else:
            unknown.append(key)
    checked: dict[str, Json] = {}
    for name, texts in words.items():
        try:
            checked[name] = by_name[name].check(texts)
        except BadParam as problem:
            problems.append(f"{problem}.")
    checked.update(maps)
    full = [(f"{name}." if name != "*" else "", maps[name]) for name in maps if not by_name[name].may_be_empty]
    problems += [f"`{head}{key}=` needs a value." for head, of in full for key in of if not str(of[key]).strip()]
    missing = [param.name for param in declared if param.required and param.name not in {*checked, *words}]
    if missing:
        problems.append("Missing: " + ", ".join(f"`{name}=`" for name in missing) + ".")
    if unknown or problems:
        only_missing = bool(missing) and len(problems) == 1
        code = "unknown_parameter" if unknown else "missing_parameter" if only_missing else "bad_parameter"
        raise BadRequest(" ".join([*_unknown_keys(unknown, declared), *problems]), code=code)
    return checked


def _check_names(given: Sequence[tuple[str, str]]) -> None:
    """Refuses names that a backend might treat as equal, invisible characters, and the mask that stands for a secret."""
    seen: dict[str, str] = {}
    for key, value in given:
        first = seen.setdefault(folded(key), key)
        if first != key:
            raise BadRequest(
                f"{as_typed(first)} and {as_typed(key)} differ only in case or letter form. Give one.",
                code="bad_parameter",
            )
        if MASK in value:
            raise BadRequest(
                f"A masked value isn't kept. Type the value of {as_typed(key)} again.", code="bad_parameter"
            )
        if char := unseen(key) or unseen(value):
            raise BadRequest(f"`{key}=` contains {char}, an invisible character. Type it again.", code="bad_parameter")


def _add(into: dict[str, Json], name: str, value: str, key: str) -> None:
    if name in into:
        raise BadRequest(f"{as_typed(key)} is given twice. Give it once.", code="bad_parameter")
    into[name] = value


def _unknown_keys(keys: Sequence[str], declared: Sequence[Param]) -> list[str]:
    """A sentence for each key that is close to a parameter, and one for all others, with the parameters that there are."""
    names = [_written(param) for param in declared]
    near = {key: difflib.get_close_matches(key, names, n=1, cutoff=0.5) for key in keys}
    said = [
        f"{as_typed(key)} is not a parameter here. Did you mean `{found[0]}`?" for key, found in near.items() if found
    ]
    *others, last = [as_typed(key) for key, found in near.items() if not found] or [""]
    if last:
        are = (
            f"{', '.join(others)} and {last} are not parameters here." if others else f"{last} is not a parameter here."
        )
        there = (
            f"There are: {', '.join(f'`{name}`' for name in names)}." if names else "This command takes no parameters."
        )
        said.append(f"{are} {there}")
    return said


def _written(param: Param) -> str:
    if param.type is ParamType.MAP:
        return "NAME=" if param.name == "*" else f"{param.name}.NAME="
    return f"{param.name}="
