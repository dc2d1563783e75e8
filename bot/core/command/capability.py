"""What a backend declares: capabilities, their parameters, and the kinds of targets."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from bot.core.command.arguments import Arguments
from bot.core.command.params import Param
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
    only for the kind without a prefix. `no_stop` is a sentence for the card of a run that the control plane can't stop.
    """

    name: str
    prefix: str | None
    help: str
    example: str
    part_of: str | None = None
    bare: bool = False
    selects: bool = False
    no_stop: str = ""


class Capability(Value):
    """One verb on one kind of target.

    `idempotent` False: the program never sends it twice. `timeout` is the timeout of the whole call in seconds.
    `own_verb` True keeps a read out of `risk:read`: a rule must name it. `starts_run` True: the outcome carries a
    run that can be watched. `effect` is one sentence about what will happen, for the pre-flight and the docs.
    `pausable` takes `for=` and `until=`: at the end the program runs the verb `resumes`; without `resumes` the control
    plane has its own timer. `endpoint` names the vendor's call and its source. `check` raises BadRequest for parameters
    that contradict each other or can't be sent. It runs before any decision and before the audit entry `sent`, without I/O.
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
    effect: str = ""
    endpoint: str = ""
    params: tuple[Param, ...] = ()
    reason_required: bool = False
    own_verb: bool = False
    starts_run: bool = False
    takes_files: bool = False
    pausable: bool = False
    resumes: str | None = None
    check: Callable[[Arguments], None] | None = None
    undoes: tuple[str, ...] = ()

    def param(self, name: str) -> Param | None:
        """The declared parameter of that name, or None."""
        return next((param for param in self.params if param.name == name), None)

    def asked(self, given: dict[str, Json], reason: str | None = None, files: tuple[str, ...] = ()) -> Arguments:
        """The given parameters with the defaults of the others. Raises BadRequest when `check` does."""
        defaults = {param.name: param.default for param in self.params if param.default is not None}
        asked = Arguments(params={**defaults, **given}, given=given, reason=reason, files=files)
        if self.check is not None:
            self.check(asked)
        return asked


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
    def default_target(self) -> TargetKind:
        """The kind of target that is written without a prefix."""
        return next(kind for kind in self.targets if kind.prefix is None)
