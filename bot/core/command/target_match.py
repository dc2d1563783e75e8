"""How well the words of a command fit the names of existing targets: whole names, parts, and other spellings. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rapidfuzz import fuzz, process

from bot.core.command.catalog import Catalog
from bot.core.command.target_ref import SELECTORS
from bot.core.command.vocabulary import FILLERS

EDGES: Final = ".,;!?()[]{}'`*_~"
_SAME: Final = 84.0  # of 100: two spellings of the same name
_PART: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Known:
    """A target that exists: its backend, its kind, its name, and how it is written in a command (`acc:shop/prices`)."""

    backend: str
    kind: str
    name: str
    written: str


def parts_of(text: str) -> list[str]:
    """The words and numbers of a name or a text: `us-1/Process Server` has four."""
    return _PART.findall(text.casefold())


def covered(parts: Collection[str], known: Known) -> float:
    """A score for a name of several words, of which at least two are among the parts of the text; otherwise 0."""
    own = parts_of(known.name)
    hits = [
        part
        for part in own
        if part in parts or (len(part) > 4 and process.extractOne(part, parts, scorer=fuzz.ratio, score_cutoff=_SAME))
    ]
    if len(hits) < 2 or all(part in FILLERS or part.isdigit() for part in hits):
        return 0.0
    return 100.0 + 3 * len(hits) - 2 * (len(own) - len(hits))


def scores(word: str, catalog: Catalog, targets: Sequence[Known]) -> Iterator[tuple[float, Known]]:
    """How well one word matches each target. A selector (`@failed`) stays with the target."""
    bare = "".join(char for char in word if char not in '"“”').casefold().strip(EDGES)
    base, at, selector = bare.rpartition("@")
    selected = bool(at) and selector in SELECTORS
    backend, colon, path = (base if selected else bare).partition(":")
    only = backend if colon and backend in catalog.backends else None
    if colon and only is None and process.extractOne(backend, list(catalog.backends), score_cutoff=60) is None:
        return  # a backend that does not exist
    wanted = path if colon else backend
    if len(wanted) < 3 or (wanted in FILLERS and only is None):
        return
    for known in targets:
        score = _likeness(wanted, known) + (5 if only == known.backend else 0)
        if score >= _SAME:
            yield score, replace(known, written=f"{known.written}@{selector}") if selected else known


def _likeness(wanted: str, known: Known) -> float:
    """A score from 0 to 100, and slightly more for a whole name."""
    name = known.name.casefold()
    last = name.rpartition("/")[2]
    if wanted == name:
        return 110.0
    if wanted == last:
        return 104.0
    if len(wanted) >= 4 and wanted in re.split(r"[/_\-. ]", name):
        return 98.0
    if len(wanted) >= 4 and (last.startswith(wanted) or wanted in name):
        return 92.0
    return max(fuzz.ratio(wanted, name), fuzz.ratio(wanted, last)) if len(wanted) >= 4 else 0.0
