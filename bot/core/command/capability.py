"""What a backend declares: rows of capabilities, their parameters, and the kinds of targets."""

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

    `part_of` is the kind that rules see it as: its id says nothing of the path, which the backend has to tell.
    `bare` True: rules see it by what follows the prefix. `selects` True: `@last` and its like pick a run of it, see
    core.grammar; for the kind that is written without a prefix.
    """

    name: str
    prefix: str | None
    help: str
    example: str
    part_of: str | None = None
    bare: bool = False
    selects: bool = False


class Capability(Value):
    """One row: this verb on this kind of target.

    `repeat_safe` False means: never sent twice by the program. `deadline` is seconds for the whole call.
    `own_verb` True keeps a read out of `risk:read`: a rule must name it. `starts_run` True: the outcome carries a
    run that can be watched. `effect` says in one sentence what will happen, for the pre-flight and the docs.
    `pausable` takes `for=` and `until=`: with `resumes` the program says that verb when the time is over, without it the
    control plane ends it by a timer of its own. `endpoint` names the vendor's call and its source. `check` raises BadRequest
    for parameters that contradict each other or cannot be sent: it is called before anything is decided, registered as
    sent, or sent, and reads nothing else.
    """

    verb: str
    target: str
    risk: Risk
    repeat_safe: bool
    deadline: float
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

    def param(self, name: str) -> Param | None:
        """The declared parameter of that name, else None."""
        return next((param for param in self.params if param.name == name), None)

    def asked(self, given: dict[str, Json], reason: str | None = None, files: tuple[str, ...] = ()) -> Arguments:
        """What was written, with the defaults of what was left unsaid; raises BadRequest where `check` does."""
        defaults = {param.name: param.default for param in self.params if param.default is not None}
        asked = Arguments(params={**defaults, **given}, given=given, reason=reason, files=files)
        if self.check is not None:
            self.check(asked)
        return asked


class BackendRows(Value):
    """Everything the program knows of a kind of control plane without talking to it.

    `unlisted` says what its lists leave out and what to write instead, with `{backend}` for the configured name; empty where
    they are whole.
    """

    kind: str
    title: str
    targets: tuple[TargetKind, ...]
    capabilities: tuple[Capability, ...]
    unlisted: str = ""

    def kind_of(self, name: str) -> TargetKind:
        """The declared kind of that name; raises StopIteration for another one."""
        return next(kind for kind in self.targets if kind.name == name)

    @property
    def default_target(self) -> TargetKind:
        """The kind of target that is written without a prefix."""
        return next(kind for kind in self.targets if kind.prefix is None)
