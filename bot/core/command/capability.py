"""What a backend declares: capabilities, their parameters, and the kinds of targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.core.command.params import Arguments, Param
from bot.core.value import Json, Value


class Risk(StrEnum):
    """`read` changes nothing, `change` can be undone, `danger` always shows a pre-flight first."""

    READ = "read"
    CHANGE = "change"
    DANGER = "danger"


class TargetKind(Value):
    """A kind of target. `prefix` comes before the id (`run` in `acc:run/ID`); the default kind has none.

    `part_of` is the kind that policy rules match instead: its id doesn't contain the path, so the backend looks that up.
    `bare` True: policy rules match the text after the prefix. `selects` True: selectors such as `@last` pick a run of it;
    only for the kind without a prefix. `selected` True: such a run. `no_stop` is a sentence for the card of a run that the
    control plane can't stop.
    """

    name: str
    prefix: str | None
    help: str
    example: str
    part_of: str | None = None
    bare: bool = False
    selects: bool = False
    selected: bool = False
    no_stop: str = ""

    @classmethod
    def of(cls, name: str, help: str, example: str, **more: Any) -> TargetKind:
        """A kind whose prefix is its name, unless `prefix` says otherwise."""
        return cls(**{"name": name, "prefix": name, "help": help, "example": example, **more})


class Capability(Value):
    """One verb on one kind of target.

    `idempotent` False: the program never sends it twice. `adds`: without `id=` each new request adds another one.
    `timeout` is the timeout of the whole call in seconds.
    `own_verb` True keeps a read out of `risk:read`: a rule must name it. `starts_run` True: the outcome carries a
    run that can be watched. `effect` is one sentence about what will happen, for the pre-flight and the docs.
    `pausable` takes `for=` and `until=`: at the end the program runs the verb `resumes`, or, with `own_timer`, the control
    plane itself does so. `ends_pauses` leaves nothing to resume. `newest_run` changes the newest run of its target, so
    in the thread of a run it needs its target. `supersedes`: its target is up or down and has no runs, so that a newer one of
    these ends the following of an older one. `endpoint` names the vendor's call and its source.
    `check` raises BadRequest for parameters that contradict each other or can't be sent. It runs before any decision and before
    the audit entry `sent`, without I/O.
    `undoes` are the verbs whose outcomes this one takes back, where the control plane can't list what they made: a pre-flight
    lists them from the audit log. The first capability with the same `undoes` takes them back for good.
    """

    verb: str
    target: str
    risk: Risk
    idempotent: bool
    timeout: float
    help: str
    example: str
    adds: bool = False
    effect: str = ""
    endpoint: str = ""
    params: tuple[Param, ...] = ()
    reason_required: bool = False
    own_verb: bool = False
    starts_run: bool = False
    takes_files: bool = False
    pausable: bool = False
    resumes: str | None = None
    own_timer: bool = False
    ends_pauses: bool = False
    newest_run: bool = False
    supersedes: bool = False
    check: Callable[[Arguments], None] | None = None
    undoes: tuple[str, ...] = ()

    def param(self, name: str) -> Param | None:
        """The declared parameter of that name, or None."""
        return next((param for param in self.params if param.name == name), None)

    @property
    def defaults(self) -> dict[str, Json]:
        """The defaults of its parameters by name."""
        return {param.name: param.default for param in self.params if param.default is not None}

    def asked(self, given: dict[str, Json], reason: str | None = None, files: tuple[str, ...] = ()) -> Arguments:
        """The given parameters with the defaults of the others. Raises BadRequest when `check` does."""
        asked = Arguments(params={**self.defaults, **given}, given=given, reason=reason, files=files)
        if self.check is not None:
            self.check(asked)
        return asked


@dataclass(frozen=True, slots=True)
class CapabilityTable:
    """Makes the capabilities of one kind: `read`, `change` and `danger` take what is different, the table has what is the same.

    An example is `VERB BACKEND:TARGET WORDS`. Its target is the capability's `at`, the one that `short` has for the kind, or the
    example of the kind. `read_time` and `change_time` are timeouts in seconds, `source` follows each endpoint. A capability
    can set every field of Capability itself.
    """

    backend: str
    targets: tuple[TargetKind, ...]
    read_time: float
    change_time: float
    idempotent: bool = True
    no_effect: str = "Nothing changes."
    source: str = ""
    short: Mapping[str, str] = field(default_factory=dict)

    def read(self, verb: str, target: str, help: str, endpoint: str, **more: Any) -> Capability:
        """A lookup. It is idempotent."""
        usual = {"risk": Risk.READ, "timeout": self.read_time, "idempotent": True, "effect": self.no_effect}
        return self._capability(verb, target, help, endpoint, **{**usual, **more})

    def change(self, verb: str, target: str, help: str, effect: str, endpoint: str, **more: Any) -> Capability:
        """A change that can be undone."""
        usual = {"risk": Risk.CHANGE, "timeout": self.change_time, "idempotent": self.idempotent, "effect": effect}
        return self._capability(verb, target, help, endpoint, **{**usual, **more})

    def danger(self, verb: str, target: str, help: str, effect: str, endpoint: str, **more: Any) -> Capability:
        """A change that always shows a pre-flight first."""
        return self.change(verb, target, help, effect, endpoint, risk=Risk.DANGER, **more)

    def _capability(
        self, verb: str, target: str, help: str, endpoint: str, *, at: str | None = None, words: str = "", **more: Any
    ) -> Capability:
        examples = {kind.name: kind.example for kind in self.targets} | dict(self.short)
        example = f"{verb} {self.backend}:{examples[target] if at is None else at} {words}".rstrip()
        return Capability(
            verb=verb, target=target, help=help, example=example, endpoint=f"{endpoint}{self.source}", **more
        )


class KindSpec(Value):
    """Everything that the program knows about a kind of control plane without calling it.

    `unlisted` is a sentence about what its lists leave out and what to type instead, with `{backend}` for the configured
    name; empty when the lists are complete.
    """

    kind: str
    title: str
    targets: tuple[TargetKind, ...]
    capabilities: tuple[Capability, ...]
    unlisted: str = ""

    def kind_of(self, name: str) -> TargetKind:
        """The declared kind of that name. Raises StopIteration for an unknown name."""
        return next(kind for kind in self.targets if kind.name == name)

    @property
    def vendor(self) -> str:
        """The vendor's name, for the label of a link."""
        return self.title.partition(" ")[0]

    @property
    def selected(self) -> frozenset[str]:
        """The kinds of target that a selector picks."""
        return frozenset(kind.name for kind in self.targets if kind.selected)

    @property
    def whole(self) -> str:
        """The kind of target that is the backend itself, empty if none is."""
        return next((kind.name for kind in self.targets if not kind.example), "")

    @property
    def default_target(self) -> TargetKind:
        """The kind of target that is written without a prefix."""
        return next(kind for kind in self.targets if kind.prefix is None)
