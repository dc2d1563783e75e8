"""Operations: intents resolved against a capability. The policy decides about them, people approve them, adapters run them."""

from __future__ import annotations

import hashlib

from pydantic import Field

from bot.core.command.capability import Capability, Risk
from bot.core.intent import Actor, Place
from bot.core.masking.redact import redact
from bot.core.value import Json, Value, canonical

_BRIEF = 8


def brief_id(id_: str) -> str:
    """The beginning of a GUID, but the end of any other long id: ids that are made in order begin alike (the Prefactor samples
    share 16 of 32 letters, those of Itential the second in which they were made). A command takes it too."""
    return id_ if len(id_) <= _BRIEF else id_[:_BRIEF] if "-" in id_ else f"\u2026{id_[-_BRIEF:]}"


class Target(Value):
    """One exact thing on a backend.

    `id` is the vendor's exact id, `name` what people call it. `scope` is the canonical target that policy rules match
    (a run counts as its agent's path). It is None when the path is unknown; then only `backend:*` matches. `group` is
    what one poll can read together (the agent of a run); what follows a `@` in it is about one request that follows the run.
    `parent` is the vendor's id of the parent object.
    `together` are the ids of all runs that one call started, this one first; they are followed as one. Empty for one run.
    """

    backend: str
    kind: str
    id: str
    name: str
    scope: str | None = None
    group: str = ""
    parent: str | None = None
    parent_name: str | None = None
    together: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """How a person would write this target, for cards and buttons."""
        return self.scope if self.scope and self.parent is None else f"{self.backend}:{self.name}"

    @property
    def run(self) -> str:
        """With `id`, what tells a run from others, also where the vendor numbers the runs of each target; the same whichever
        request follows it."""
        return self.group.partition("@")[0]

    @property
    def label(self) -> str:
        """`acc:shop/prices`; a part with its parent: `acc:shop/prices (run 9040f86d)`."""
        if self.parent is None or self.scope in (None, f"{self.backend}:{self.name}"):
            return self.text
        return f"{self.scope} ({self.kind} {brief_id(self.id)})"

    @property
    def owner(self) -> str:
        """What a sentence about it names: `shop/prices`, of a part its parent, or `run 9040f86d` where that is unknown."""
        return self.parent_name or (self.name if self.scope else f"{self.kind} {brief_id(self.id)}")


class Operation(Value):
    """A checked request. `params` holds every parameter of the capability, defaults included.

    `given` are the parameters that were typed, `words` their text, for the card and for running it again.
    `approved_by` are the approvers, `incident` the break-glass grant in use; neither is in the digest.
    """

    request_id: str
    verb: str
    target: Target
    params: dict[str, Json] = Field(default_factory=dict)
    given: dict[str, Json] = Field(default_factory=dict)
    words: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    files: tuple[str, ...] = ()
    risk: Risk
    idempotent: bool
    timeout: float
    starts_run: bool = False
    approved_by: tuple[str, ...] = ()
    incident: str | None = None

    @classmethod
    def of(
        cls,
        row: Capability,
        *,
        request_id: str,
        target: Target,
        given: dict[str, Json],
        reason: str | None,
        files: tuple[str, ...] = (),
        words: tuple[tuple[str, str], ...] = (),
    ) -> Operation:
        """The operation of this capability with these parameters. Raises BadRequest when the capability refuses them."""
        return cls(
            request_id=request_id,
            verb=row.verb,
            target=target,
            params=row.asked(given, reason, files).params,
            given=given,
            words=words,
            reason=reason,
            files=files,
            risk=row.risk,
            idempotent=row.idempotent,
            timeout=row.timeout,
            starts_run=row.starts_run,
        )

    @property
    def title(self) -> str:
        """`start acc:shop/prices`."""
        return f"{self.verb} {self.target.label}"

    @property
    def masked_words(self) -> tuple[tuple[str, str], ...]:
        """The given parameters as typed, with values that look like secrets masked."""
        return tuple((name, redact(f"{name}={text}")[0][len(name) + 1 :]) for name, text in self.words if text)

    def digest(self, actor: Actor, place: Place, policy_version: str) -> str:
        """Hex SHA-256 over requester, verb, exact target id, canonical parameters, place and policy version."""
        facts = {
            "enterprise": actor.enterprise_id,
            "team": actor.team_id,
            "user": actor.user_id,
            "verb": self.verb,
            "backend": self.target.backend,
            "target_kind": self.target.kind,
            "target_id": self.target.id,
            "params": self.params,
            "files": list(self.files),
            "reason": self.reason,
            "workspace": place.team_id,
            "channel": place.channel_id,
            "policy": policy_version,
        }
        return hashlib.sha256(canonical(facts).encode()).hexdigest()
