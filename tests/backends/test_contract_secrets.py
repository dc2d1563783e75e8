"""No secret of any kind leaves through a repr, an exception or a log line, whatever happens on the way."""

from __future__ import annotations

import base64
import traceback
from pathlib import Path
from typing import Any

import pytest

from bot import plugins
from bot.core.errors import Problem
from bot.demo.run import backend_table
from bot.playground.planes.wire import SECRET_KEYS, SESSION_HEADERS
from tests.backends.contract_stand import Stand, samples_of, standing
from tests.backends.kit import everything_logged

KINDS = plugins.kinds()
FAULTS = ("401", "429", "500", "html", "bad_json", "wrong_types", "drop_before", "redirect")


def canaries(stand: Stand) -> set[str]:
    """What the configuration held, and every credential that came over the wire."""
    _, environ = backend_table(stand.plane)
    found = {value for value in environ.values() if value}
    for received in stand.plane.requests:
        for header in SESSION_HEADERS:
            value = received.headers.get(header, "")
            found |= {value, value.partition(" ")[2]}
        found |= {value for key, value in received.query if key.lower() in SECRET_KEYS}
    for name in ("token", "password"):
        found.add(str(getattr(stand.plane, name, "")))
    found |= {base64.b64encode(one.encode()).decode() for one in tuple(found)}
    return {one for one in found if len(one) >= 8}


def insides(thing: Any, depth: int = 0, seen: set[int] | None = None) -> list[Any]:
    """A thing and what it is made of, as far as it is the program's own: four levels of attributes."""
    seen = set() if seen is None else seen
    if depth > 4 or id(thing) in seen:
        return []
    seen.add(id(thing))
    own = type(thing).__module__.startswith(("bot.", "pydantic", "tests."))
    found = [thing]
    if isinstance(thing, dict | list | tuple):
        parts = list(thing.values()) if isinstance(thing, dict) else list(thing)
        found = []
    elif own:
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        parts = [getattr(thing, name, None) for name in slots] + list(getattr(thing, "__dict__", {}).values())
    else:
        return [] if isinstance(thing, str) else found
    return found + [inner for part in parts for inner in insides(part, depth + 1, seen)]


def leaks(text: str, secrets: set[str]) -> list[str]:
    return [one for one in secrets if one in text]


@pytest.mark.parametrize("kind", KINDS)
async def test_settings_and_whatever_a_backend_is_made_of_hide_their_secrets(kind: str, tmp_path: Path) -> None:
    """repr and str of the settings, the adapter, its client, its session, and all that they hold."""
    async with standing(kind, tmp_path) as stand:
        for key in (samples_of(kind).read, samples_of(kind).change):
            await stand.call(await stand.prepared(samples_of(kind).rows[key]))
        secrets = canaries(stand)
        assert secrets
        for thing in insides([stand.settings, stand.backend]):
            for text in (repr(thing), str(thing)):
                assert not leaks(text, secrets), (type(thing), text)
        assert not leaks(stand.settings.model_dump_json(), secrets)
        assert not leaks(str(stand.settings.model_dump()), secrets)


@pytest.mark.parametrize("kind", KINDS)
async def test_settings_that_are_wrong_do_not_show_what_they_were_given(kind: str, tmp_path: Path) -> None:
    """The sentence about a bad table names the key and not the value."""
    async with standing(kind, tmp_path) as stand:
        values = {
            name: getattr(value, "get_secret_value", lambda value=value: value)()
            for name, value in stand.settings
            if name != "servers"
        }
        with pytest.raises(ValueError) as caught:  # noqa: PT011  the text is what is tested
            plugins.load(kind).settings.model_validate({**values, "no_such_key": "x"})
        assert not leaks(str(caught.value) + repr(caught.value), canaries(stand))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_session_of_work_and_of_faults_logs_no_secret(kind: str, tmp_path: Path) -> None:
    """At DEBUG, over every row that reads and every fault, in log lines, problems and their tracebacks."""
    samples = samples_of(kind)
    said: list[str] = []
    with everything_logged() as lines:
        async with standing(kind, tmp_path) as stand:
            alone = [sample for sample in samples.rows.values() if not sample.first]
            said += [repr(await stand.call(await stand.prepared(sample))) for sample in alone]
            for fault in FAULTS:
                await stand.plane.set_fault({"fault": fault})
                said += await trouble(stand, samples.rows[samples.read].typed)
                await stand.plane.clear_faults()
            said.append(repr(await stand.backend.health()))
            secrets = canaries(stand)
    assert lines or said
    for text in (*lines, *said):
        assert not leaks(text, secrets), text


async def trouble(stand: Stand, typed: str) -> list[str]:
    """What is said while the plane shows a fault: by the health, and by resolving and running a command."""
    texts = []
    for work in (stand.backend.health, stand.backend.targets, lambda: stand.operation(typed.format(**stand.words))):
        try:
            result = await work()
            texts.append(repr(result))
        except Problem as problem:
            texts += ["".join(traceback.format_exception(problem)), problem.summary, problem.hint, repr(vars(problem))]
    return texts
