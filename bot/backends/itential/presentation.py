"""Services, jobs and resources as people see them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bot.backends import unknown
from bot.backends.itential.models import Certificate, Gateway, Group, Job, Output, Service
from bot.backends.itential.schema import properties, required, types_of
from bot.core.operation import Target, brief_id
from bot.core.outcome import Fact, Level, Phase, RunView, State, Suggestion, Table, facts_of
from bot.core.text import first_of, suggest, utc_text
from bot.core.vendor_json import mark, moment, table_of, unless_named, unreadable

Clean = Callable[[str], str]
# CODE itential_mcp. A job in `error` is still active there and can be retried; here following ends, as nothing more happens
# by itself.
JOB_STATES: Final[Mapping[str, tuple[str, Phase]]] = {
    "running": ("running", Phase.ACTIVE),
    "complete": ("complete", Phase.SUCCEEDED),
    "error": ("error", Phase.FAILED),
    "canceled": ("canceled", Phase.STOPPED),
    "incomplete": ("incomplete", Phase.FAILED),
    "paused": ("paused", Phase.WAITING),
}
CONNECTED: Final = "connected"
_LONGEST_RUN: Final = 1e9  # seconds
_ENDS_SOON: Final = timedelta(days=30)


def words_of(value: object) -> str:
    """A value as text: JSON values as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


# --- runs and jobs -------------------------------------------------------------------------------


def output_text(output: Output) -> str:
    """stdout, stderr and the answer of each node, under their names; empty if there is none."""
    parts = [("stdout", words_of(output.stdout)), ("stderr", words_of(output.stderr))]
    for node in output.results:
        outcome = {True: "", False: ", failed", None: ", outcome not reported"}[node.success]
        parts.append(
            (
                f"{' '.join((node.name, node.command)).strip() or 'a node'}{outcome}",
                words_of(node.output) or "(nothing)",
            )
        )
    return "\n".join(f"==== {name} ====\n{text.rstrip()}" for name, text in parts if text.strip())


def output_facts(output: Output) -> tuple[Fact, ...]:
    """Return code if it is bad, nodes and times."""
    good, took = sum(node.success is True for node in output.results), output.elapsed_time
    pairs = (
        ("Return code", output.return_code or None),
        ("Nodes", f"{good} of {len(output.results)} succeeded" if output.results else None),
        ("Started", moment(output.start_time)),
        ("Ended", moment(output.end_time)),
        # A number that can't be the seconds of a run is left out.
        ("Took", timedelta(seconds=round(took, 1)) if took is not None and 0 <= took < _LONGEST_RUN else None),
    )
    return facts_of(pairs)


def failure(output: Output) -> str:
    """How a run failed, in a few words."""
    if output.return_code is not None:
        return f"return code {output.return_code}"
    failed = [node.name or "a node" for node in output.results if node.success is not True]
    return f"{len(failed)} of {len(output.results)} nodes failed: {', '.join(failed[:5])}"


def job_state(job: Job) -> tuple[str, Phase]:
    """Name and phase; a failed output makes a completed job a failed one."""
    words, phase = JOB_STATES.get(job.status or "", (unknown(job.status), Phase.UNREADABLE))
    if phase is Phase.SUCCEEDED and job.output is not None and job.output.failed:
        return f"complete, with {failure(job.output)}", Phase.FAILED
    return words, phase


def job_view(target: Target, job: Job, masked: Clean) -> RunView:
    """A job, with the actions that its state allows. `masked` keeps the lines of a text."""
    state, phase = job_state(job)
    output, share = job.output, job.metrics.progress
    code = output.return_code if output is not None else None
    by = job.created_by if isinstance(job.created_by, str) else None
    known = share is not None and 0 <= share <= 1
    return RunView(
        state=state,
        phase=phase,
        facts=(*facts_of((("Return code", code or None),)), *unreadable(job)),
        details=facts_of((("Name", job.name), ("Started by", by))),
        message=_message(job, output, masked) if phase is Phase.FAILED else "",
        started=job.began,
        ended=moment(job.metrics.end_time) if phase.ended else None,
        done=round((share or 0) * 100) if known else None,
        total=100 if known else None,
        next=_steps(target, phase, job.status),
    )


def _message(job: Job, output: Output | None, masked: Clean) -> str:
    """The end of stderr, or the newest error of the job."""
    stderr = words_of(output.stderr) if output is not None else ""
    if stderr.strip():
        return masked(stderr[-1_000:].strip())
    texts = [words_of(one.message) for one in job.error if one.message]
    return masked(texts[-1][:1_000]) if texts else ""


def _steps(target: Target, phase: Phase, status: str | None) -> tuple[Suggestion, ...]:
    labels = {"status": "Refresh", "logs": "Log"}
    verbs: tuple[str, ...] = ("logs",) if phase.ended else ("status", "logs")
    if status == "paused":
        verbs = ("status", "resume", "stop")
    elif phase is Phase.ACTIVE:
        verbs = ("status", "pause", "stop")
    elif status == "error":
        verbs = ("logs", "retry")
    return tuple(suggest(labels.get(verb, verb.capitalize()), verb, target) for verb in verbs)


def job_table(jobs: Sequence[Job]) -> Table:
    """Jobs as rows."""
    columns: dict[str, Callable[[Job], object]] = {
        "Started": lambda job: utc_text(job.began, seconds=True),
        "Name": lambda job: job.name,
        "State": lambda job: mark(job_state(job)[0], job),
        "Job": lambda job: job.id and f"job/{brief_id(job.id)}",
    }
    return table_of(jobs, columns)


# --- services ------------------------------------------------------------------------------------


def service_table(services: Sequence[Service]) -> Table:
    """Services as rows."""
    columns: dict[str, Callable[[Service], object]] = {
        "Service": lambda one: mark(one.path or one.id or "?", one),
        "Type": lambda one: one.service_metadata.type,
        "Active": lambda one: one.state,
        "Last run": lambda one: utc_text(moment(one.last_run)),
        "Description": lambda one: " ".join((one.service_metadata.description or "").split()),
    }
    return table_of(sorted(services, key=lambda one: one.path), columns, len(services))


def service_facts(service: Service) -> tuple[Fact, ...]:
    """The facts of a service, with its last run."""
    meta = service.service_metadata
    optional = (
        ("Type", meta.type),
        ("Description", meta.description),
        ("Active", service.state),
        ("Tags", ", ".join(words_of(tag) for tag in meta.tags)),
        ("Last run", moment(service.last_run)),
    )
    return (Fact(label="Cluster", value=meta.location), *facts_of(optional), *unreadable(service))


def parameter_table(schema: Mapping[str, Any] | None) -> Table | None:
    """The parameters of a service; None if it declares none."""
    known, musts = properties(schema), required(schema)
    rows = tuple(
        (
            f"param.{name}",
            _takes(rule),
            "yes" if name in musts else "",
            words_of(rule.get("default")),
            words_of(rule.get("description")),
        )
        for name, rule in known.items()
    )
    columns = ("Parameter", "Takes", "Required", "Default", "Meaning")
    return Table(columns=columns, rows=rows, total=len(rows)) if rows else None


def _takes(rule: Mapping[str, Any]) -> str:
    choices = rule.get("enum")
    if isinstance(choices, list) and choices:
        return first_of(map(words_of, choices), 20, " | ")
    bounds = [f"{word} {rule[key]}" for key, word in (("minimum", "at least"), ("maximum", "at most")) if key in rule]
    return ", ".join([" or ".join(types_of(rule)) or "anything", *bounds])


# --- gateways ------------------------------------------------------------------------------------


def connection_word(connections: Mapping[str, str] | None, cluster: str) -> str:
    """The connection of a gateway. The list names the actively connected gateways (SEED), so an absent one is not connected."""
    return "not reported" if connections is None else connections.get(cluster, "not connected")


def gateway_state(gateway: Gateway, connection: str) -> State:
    """Whether the gateway can run services now."""
    text = gateway.state if connection == "not reported" else f"{gateway.state} and {connection}"
    if connection not in (CONNECTED, "not reported"):
        return State(text=text, level=Level.BAD)
    if gateway.enabled is None or connection == "not reported":
        return State(text=text, level=Level.UNSURE)
    return State(text=text, level=Level.GOOD if gateway.state == "enabled" else Level.WARN)


def connections_state(connections: Mapping[str, str]) -> State | None:
    """How many gateways are connected; bad if none of them is. None if the platform has no gateways."""
    up = sum(state == CONNECTED for state in connections.values())
    level = Level.GOOD if up == len(connections) else Level.WARN if up else Level.BAD
    return State(text=f"{up} of {len(connections)} gateways are connected", level=level) if connections else None


def gateway_facts(gateway: Gateway, connection: str) -> tuple[Fact, ...]:
    """The facts of a gateway."""
    pairs = (
        ("Cluster", gateway.cluster_id),
        ("State", gateway.state),
        ("Connection", connection),
        ("Groups", _listed(gateway.groups)),
        ("Certificates", _listed(gateway.certificates)),
        ("Description", gateway.description),
    )
    return (*facts_of(pairs), *unreadable(gateway))


def gateway_table(gateways: Sequence[Gateway], connections: Mapping[str, str] | None) -> Table:
    """Gateways as rows."""
    columns: dict[str, Callable[[Gateway], object]] = {
        "Cluster": lambda one: mark(one.cluster_id, one),
        "State": lambda one: one.state,
        "Connection": lambda one: connection_word(connections, one.cluster_id),
        "Description": lambda one: one.description,
        **unless_named(gateways, lambda one: one.label, "Gateway", lambda one: f"gateway/{one.id}"),
    }
    return table_of(gateways, columns, len(gateways))


# --- service groups and certificates -------------------------------------------------------------


def group_table(groups: Sequence[Group]) -> Table:
    """Service groups as rows."""
    columns: dict[str, Callable[[Group], object]] = {
        "Group": lambda one: mark(one.name, one),
        "Cluster": lambda one: one.cluster_id,
        "Services": lambda one: len(one.services),
        "Description": lambda one: one.description,
        **unless_named(groups, lambda one: one.label, "Id", lambda one: f"group/{one.id}"),
    }
    return table_of(groups, columns, len(groups))


def group_facts(group: Group) -> tuple[Fact, ...]:
    """The facts of a service group; its services by name if they have one."""
    named = [(one.get("name") or one.get("id") or one) if isinstance(one, dict) else one for one in group.services]
    pairs = (
        ("Cluster", group.cluster_id),
        ("Services", _listed(named)),
        ("Groups", _listed(group.groups)),
        ("Default", "yes" if group.is_default else ""),
        ("Description", group.description),
    )
    return (*facts_of(pairs), *unreadable(group))


def cert_state(cert: Certificate, now: datetime) -> State:
    """Whether a certificate is valid now: bad if it has expired, a warning if it expires within 30 days."""
    if cert.ends is None:
        return State(text="its expiry can't be read", level=Level.UNSURE)
    if cert.ends <= now:
        return State(text=f"expired on {utc_text(cert.ends)}", level=Level.BAD)
    return State(
        text=f"valid until {utc_text(cert.ends)}", level=Level.WARN if cert.ends - now < _ENDS_SOON else Level.GOOD
    )


def cert_table(certs: Sequence[Certificate]) -> Table:
    """Certificates as rows; never their text."""
    columns: dict[str, Callable[[Certificate], object]] = {
        "Certificate": lambda one: mark(one.label, one),
        "Host": lambda one: one.host,
        "Issuer": lambda one: one.issuer,
        "Ends": lambda one: utc_text(one.ends),
        "Gateways": lambda one: len(one.gateways),
        **unless_named(certs, lambda one: one.alias or "", "Id", lambda one: f"cert/{one.id}"),
    }
    return table_of(certs, columns, len(certs))


def cert_facts(cert: Certificate) -> tuple[Fact, ...]:
    """The facts of a certificate."""
    pairs = (
        ("Host", cert.host),
        ("Issuer", cert.issuer),
        ("Type", cert.type),
        ("Contract", cert.contract_id),
        ("Self-signed", {True: "yes", False: "no", None: None}[cert.self_signed]),
        ("Begins", moment(cert.validity.not_before) if cert.validity else None),
        ("Ends", cert.ends),
        ("Gateways", _listed(cert.gateways)),
    )
    return (*facts_of(pairs), *unreadable(cert))


def _listed(things: Sequence[object]) -> str:
    return ", ".join(words_of(one) for one in things) or "none"
