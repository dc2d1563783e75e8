"""The tour: the main tasks, played through the interfaces that people use, with each effect checked in three places."""

import contextlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bot.core.records import StoredEntry
from bot.core.value import Value
from bot.playground.workspace import Person, Workspace

Print = Callable[[str], None]
Search = Callable[[], Sequence[StoredEntry]]  # entries of the audit log, newest first
CHANNEL = "C0CRAWL"
APPROVERS = "C0APPR"
PATIENCE = 40.0


class Press(Value):
    """A button that a person presses on a message that appears after the command."""

    label: str
    user: str
    channel: str


class Step(Value):
    """One task of a person, and the effects to check; a `[[step]]` of tour.toml.

    `shows` must all be in one message, `called` is (method, part of the path) on the control plane, None for no call that
    changes anything. `events` are all events of the request in the audit log. `presses` follow the command, in this order.
    """

    title: str
    backend: str
    says: str
    shows: tuple[str, ...]
    called: tuple[str, str] | None = None
    verb: str
    events: tuple[str, ...]
    user: str = "U0ANA"
    presses: tuple[Press, ...] = ()


_FILE: Final = Path(__file__).with_name("tour.toml")
STEPS: Final = tuple(Step.model_validate(row) for row in tomllib.loads(_FILE.read_text(encoding="utf-8"))["step"])


async def play(workspace: Workspace, planes: Mapping[str, Any], audit: Search, say: Print) -> int:
    """Returns 0 if every effect of every step is found, 1 otherwise."""
    failed = 0
    for plane in planes.values():
        if hasattr(plane, "world"):
            plane.world.speed = 4.0
    steps = [step for step in STEPS if step.backend in planes]
    for number, step in enumerate(steps, 1):
        say(f"{number}. {step.title}: /ops {step.says}   ({step.user})")
        problems = await _play(workspace, planes[step.backend], audit, step, say)
        for problem in problems:
            say(f"   MISSING {problem}")
        failed += bool(problems)
    say(f"{len(steps) - failed} of {len(steps)} steps confirmed on the control plane, in Slack and in the audit log.")
    return 1 if failed else 0


async def _play(workspace: Workspace, plane: Any, audit: Search, step: Step, say: Print) -> Sequence[str]:
    person = workspace.person(step.user)
    seen_before = {message["ts"] for message in person.messages(CHANNEL)}
    decided_before = {message["ts"] for message in workspace.person("U0LEE").messages(APPROVERS)}
    requests_before = len(plane.requests)
    last_row = max((entry.seq for entry in audit()), default=0)
    files_before = set(workspace.files)
    receipt = await person.command(CHANNEL, f"/ops {step.says}")
    if not receipt.acked:
        return [f"the ack ({receipt.error})"]
    problems = []
    for press in step.presses:
        if not await _pressed(workspace.person(press.user), press, seen_before | decided_before):
            return [f"the button {press.label} for {press.user} in {press.channel}"]
        say(f"   {press.user} presses {press.label}")
    card = await _card(person, step, seen_before)
    if card is None:
        problems.append(f"a message with {' and '.join(step.shows)}")
    else:
        first, _, _ = str(card.get("text") or "").partition("\n")
        say(f"   card: {first}")
    calls = [(r.method, r.raw_path) for r in plane.requests[requests_before:]]
    if step.called is not None and not any(m == step.called[0] and step.called[1] in path for m, path in calls):
        problems.append(f"{' '.join(step.called)} on {plane.name}")
    if step.called is None and any(method != "GET" for method, _ in calls):
        problems.append(f"no call to {plane.name} expected, but got {calls}")
    if not await _registered(person, audit, step, last_row):
        seen = ", ".join(_events(audit, step, last_row))
        problems.append(f"{', '.join(step.events)} of `{step.verb}` in the audit log, where there is {seen}")
    if step.verb == "logs" and not await _uploaded(person, workspace, files_before):
        problems.append("the log file in the thread")
    return problems


async def _pressed(person: Person, press: Press, before: set[str]) -> bool:
    """Wait for the button on a message that isn't in `before`, and press it."""

    def look(who: Person) -> Any:
        fresh = [one for one in who.messages(press.channel) if one["ts"] not in before]
        return next((one for one in reversed(fresh) if _has_button(one, press.label)), None)

    with contextlib.suppress(AssertionError):
        message = await person.wait_for(look, timeout=PATIENCE)
        receipt = await person.press_label(press.channel, message["ts"], press.label, seen=message)
        return bool(receipt.acked)
    return False


def _has_button(message: Mapping[str, Any], label: str) -> bool:
    elements = [one for block in message.get("blocks") or () for one in block.get("elements", ())]
    return any(one["type"] == "button" and one["text"]["text"] == label for one in elements)


async def _card(person: Person, step: Step, before: set[str]) -> Mapping[str, Any] | None:
    def look(who: Person) -> Mapping[str, Any] | None:
        for message in who.messages(CHANNEL):
            words = _words(message)
            if message["ts"] not in before and all(part in words for part in step.shows):
                return message
        return None

    with contextlib.suppress(AssertionError):
        return await person.wait_for(look, timeout=PATIENCE)
    return None


async def _registered(person: Person, audit: Search, step: Step, last_row: int) -> bool:
    with contextlib.suppress(AssertionError):
        return bool(await person.wait_for(lambda _: _events(audit, step, last_row) == step.events, timeout=PATIENCE))
    return False


async def _uploaded(person: Person, workspace: Workspace, before: set[str]) -> bool:
    def look(_: Person) -> bool:
        return any(file.thread_ts for key, file in workspace.files.items() if key not in before)

    with contextlib.suppress(AssertionError):
        return bool(await person.wait_for(look, timeout=PATIENCE))
    return False


def _words(message: Mapping[str, Any]) -> str:
    return str(message.get("text") or "") + str(message.get("blocks") or "")


def _events(audit: Search, step: Step, last_row: int) -> tuple[str, ...]:
    """The entries of this person's newest request for the verb, whoever caused them."""
    fresh = [entry for entry in audit() if entry.seq > last_row]
    asked = [entry for entry in fresh if entry.verb == step.verb and entry.user_id == step.user]
    rows = [entry for entry in fresh if asked and entry.request_id == asked[0].request_id]
    return tuple(str(entry.event) for entry in reversed(rows))
