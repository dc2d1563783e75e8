"""Generates the reference tables from capabilities, audit log, models and manifest, as text between marks in docs/.

A block in a page begins with `<!-- generated: NAME -->` and ends with `<!-- end -->`. tests/test_docs.py compares every block
with the text made here; `SIGNALBOX_REWRITE_DOCS=1 pytest tests/test_docs.py` rewrites them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from bot import config, plugins
from bot.core.audit import COLUMNS, Event
from bot.core.command.builtins import ALIASES, BUILTINS
from bot.core.command.capability import Capability, KindSpec, TargetKind
from bot.core.command.params import Param, ParamType, duration_text
from bot.core.ports.plugin import BackendSettings
from bot.core.ports.store import StoreSettings
from bot.slack.manifest import EVENTS as SLACK_EVENTS
from bot.slack.manifest import SCOPES
from docs.reference import columns as meanings

_BLOCK: Final = re.compile(r"(<!-- generated: ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_TAKES: Final = {
    ParamType.TEXT: "text",
    ParamType.INTEGER: "whole number",
    ParamType.BOOLEAN: "`true` or `false`",
    ParamType.DURATION: "duration (`30s` `5m` `2h` `1d`)",
    ParamType.LIST: "comma-separated list",
    ParamType.MAP: "text for each NAME",
    ParamType.DATETIME: "date and time",
    ParamType.UNTIL: "future time (`18:30`, `Mon 07:00`, a date and time)",
    ParamType.JSON: "JSON",
}
Table = Sequence[Sequence[str]]


def table(head: Sequence[str], rows: Table) -> str:
    """A Markdown table; a `|` in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def seconds_text(seconds: float) -> str:
    """A timeout as `90 s`; from two minutes on as `11 min`."""
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


def written(param: Param) -> str:
    """How a parameter is typed."""
    if param.type is ParamType.MAP:
        return "NAME=" if param.name == "*" else f"{param.name}.NAME="
    return f"{param.name}="


def takes(param: Param) -> str:
    """The values that it accepts, with limits and unit."""
    if param.choices:
        return " ".join(f"`{choice}`" for choice in param.choices)
    text = _TAKES[param.type]
    duration = param.type is ParamType.DURATION
    limits = [duration_text(v) if duration else str(v) for v in (param.minimum, param.maximum) if v is not None]
    if param.minimum is not None and param.maximum is not None:
        text += f", {limits[0]} to {limits[1]}"
    elif limits:
        text += f", {'at least' if param.minimum is not None else 'at most'} {limits[0]}"
    return text + (f", in {param.unit}" if param.unit and not duration else "")


def default_of(param: Param) -> str:
    """The default, or `required`."""
    if param.required:
        return "required"
    if param.default is None:
        return ""
    if param.type is ParamType.DURATION and isinstance(param.default, int):
        return f"`{duration_text(param.default)}`"
    if isinstance(param.default, bool):
        return f"`{str(param.default).lower()}`"
    return f"`{param.default}`"


def params_table(params: Sequence[Param]) -> str:
    """The parameters of one verb."""
    rows = [(f"`{written(p)}`", takes(p), default_of(p), _sentence(p.help, p.example)) for p in params]
    return table(("parameter", "takes", "default", "meaning"), rows)


def _sentence(help_: str, example: str | None) -> str:
    return f"{help_} (like `{example}`)" if example else help_


def kind_block(rows: KindSpec) -> str:
    """Everything about one kind of control plane: its targets, all its verbs, and a section for each."""
    name = plugins.usual_name(rows)
    targets = [(f"`{_target_form(name, kind)}`", kind.name, kind.help) for kind in rows.targets]
    verbs = [
        (f"`{row.verb}`", row.target, str(row.risk), _yes(row.idempotent), seconds_text(row.timeout), row.help)
        for row in rows.capabilities
    ]
    parts = [
        f"Targets, for a backend named `{name}`:\n",
        table(("written like", "kind of target", "meaning"), targets),
        table(("verb", "on", "risk", "idempotent", "timeout", "what it does"), verbs),
        *(_row_section(row) for row in rows.capabilities),
    ]
    return "\n".join(parts)


def _target_form(name: str, kind: TargetKind) -> str:
    return kind.example if kind.example.startswith(f"{name}:") else f"{name}:{kind.example}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _row_section(row: Capability) -> str:
    facts = [
        f"risk `{row.risk}`",
        "idempotent" if row.idempotent else "never sent twice",
        f"timeout {seconds_text(row.timeout)}",
    ]
    facts += ["a rule must name it: `risk:read` doesn't cover it"] if row.own_verb else []
    facts += ["a reason is required"] if row.reason_required else []
    facts += ["takes files from the message"] if row.takes_files else []
    facts += ["the run is followed to its end"] if row.starts_run else []
    ends = "are kept by the control plane's own timer" if row.own_timer else f"make it a pause; `{row.resumes}` ends it"
    facts += [f"`for=` or `until=` {ends}"] if row.pausable else []
    lines = [
        f"#### `{row.verb}` on {row.target}\n",
        f"{row.help}. {row.effect}".strip() + "\n",
        f"`/ops {row.example}`\n",
        "; ".join(facts) + "." + (f" Call: `{row.endpoint}`." if row.endpoint else "") + "\n",
    ]
    return "\n".join([*lines, params_table(row.params)] if row.params else lines)


def builtins_block() -> str:
    """The built-in verbs."""
    rows = [
        (f"`{b.verb}`", str(b.risk), b.help, f"`/ops {b.example}`", " ".join(f"`{written(p)}`" for p in b.params))
        for b in BUILTINS
    ]
    return table(("verb", "risk", "what it does", "example", "parameters"), rows)


def aliases_block() -> str:
    """Other words for verbs."""
    return table(("typed", "means"), [(f"`{alias}`", f"`{verb}`") for alias, verb in sorted(ALIASES.items())])


def settings_block(kind: str, model: type[BackendSettings]) -> str:
    """The keys of one kind's `[[backend]]` table, with the docstring of its settings."""
    text = " ".join((model.__doc__ or "").split())
    shared = set(BackendSettings.model_fields) - {"base_url"}
    return f'#### `kind = "{kind}"`\n\n{text}\n\n' + keys_table(model, {}, without=shared)


def keys_table(model: type[BaseModel], meanings: Mapping[str, str], without: Collection[str] = ()) -> str:
    """A table of a model's keys, values and defaults; `meanings` adds a column."""
    rows = []
    for name, field in model.model_fields.items():
        if name in without:
            continue
        takes = "`env`, an address, a secret reference, or empty" if name == "proxy" else _type_text(field.annotation)
        row = [f"`{name}`", takes, _default_text(field.get_default(call_default_factory=True))]
        rows.append([*row, meanings[name]] if meanings else row)
    return table(("key", "takes", "default", *(("meaning",) if meanings else ())), rows)


def _type_text(annotation: Any) -> str:
    text = str(annotation)
    if "SecretStr" in text:
        return "list of secret references" if "tuple" in text else "secret reference"
    if "Literal" in text:
        choices = [f"`{choice}`" for choice in re.findall(r"'([^']*)'", text)]
        return " or ".join([*choices, *(["a whole number"] if re.search(r"\bint\b", text) else [])])
    if "dict" in text:
        return "table of lists"
    if "tuple" in text:
        return f"list of {'texts' if 'str' in text else 'whole numbers' if 'int' in text else 'tables'}"
    return next(
        (
            words
            for word, words in (("bool", "true or false"), ("int", "whole number"), ("float", "number"))
            if word in text
        ),
        "text",
    )


def _default_text(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    if default is None or default in ("", ()):
        return ""
    if isinstance(default, SecretStr):
        return f"`{default.get_secret_value()}`"
    if isinstance(default, tuple):
        return f"`{json.dumps(default)}`"
    return f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"


def blocks_in(text: str) -> Iterator[tuple[str, str]]:
    """(name, current content) of every generated block of a page."""
    return ((found.group(2), found.group(3)) for found in _BLOCK.finditer(text))


def rewritten(text: str, make: Callable[[str], str]) -> str:
    """The page with every generated block rewritten."""
    return _BLOCK.sub(lambda found: f"{found.group(1)}{make(found.group(2))}{found.group(4)}", text)


def block(name: str) -> str:
    """The content of one generated block; raises KeyError for an unknown name."""
    return BLOCKS[name]()


def _commands() -> str:
    return "\n".join(f"### {spec.title} (`{spec.kind}`)\n\n{kind_block(spec)}" for spec in plugins.all_specs())


def _settings() -> str:
    return "\n".join(settings_block(kind, plugins.load(kind).settings) for kind in plugins.kinds())


def _words(head: Sequence[str], names: Iterable[str], meanings: Mapping[str, str]) -> str:
    return table(head, [(f"`{name}`", meanings[name]) for name in names])


BLOCKS: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "commands": _commands,
        "builtins": builtins_block,
        "aliases": aliases_block,
        "slack keys": lambda: keys_table(config.SlackSettings, meanings.SLACK),
        "store keys": lambda: keys_table(StoreSettings, meanings.STORE),
        "policy keys": lambda: keys_table(config.PolicySettings, meanings.POLICY),
        "time keys": lambda: keys_table(config.TimeSettings, meanings.TIME),
        "network keys": lambda: keys_table(config.NetworkSettings, meanings.NETWORK),
        "shared backend keys": lambda: keys_table(BackendSettings, meanings.BACKEND),
        "backend keys": _settings,
        "audit columns": lambda: _words(("column", "meaning"), COLUMNS, meanings.COLUMNS),
        "audit events": lambda: _words(("event", "meaning"), [str(event) for event in Event], meanings.EVENTS),
        "slack scopes": lambda: _words(("scope", "why"), SCOPES, SCOPES),
        "slack events": lambda: _words(("event", "why"), SLACK_EVENTS, meanings.SLACK_EVENTS),
    }
)
