"""Services, jobs and resources as people read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.backends.itential.models import Certificate, Gateway, Group, GroupService, Job, Output, Service, moment
from bot.backends.itential.schema import properties, required, types_of
from bot.backends.itential.states import job_state, run_state
from bot.core.operation import Target
from bot.core.outcome import Fact, Phase, RunView, Suggestion, Table
from bot.core.text import suggest, utc_text

Clean = Callable[[str], str]


def words_of(value: object) -> str:
    """Output as text: JSON values as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def output_text(output: Output) -> str:
    """stdout and stderr under their names; empty when there is neither."""
    parts = [("stdout", words_of(output.stdout)), ("stderr", output.stderr or "")]
    told = [(name, text) for name, text in parts if text.strip()]
    return "\n".join(f"==== {name} ====\n{text.rstrip()}" for name, text in told)


def output_facts(output: Output) -> list[Fact]:
    """Return code and times."""
    facts: list[Fact] = []
    if output.return_code is not None:
        facts.append(Fact(label="Return code", value=output.return_code))
    if moment(output.start_time):
        facts.append(Fact(label="Started", value=moment(output.start_time)))
    if moment(output.end_time):
        facts.append(Fact(label="Ended", value=moment(output.end_time)))
    if output.elapsed_time is not None:
        facts.append(Fact(label="Seconds", value=round(output.elapsed_time, 1)))
    return facts


def job_view(target: Target, job: Job, clean: Clean) -> RunView:
    """A job, and what can be done with it in this state."""
    state, phase = job_state(job)
    facts = [Fact(label="State", value=state), Fact(label="Started", value=job.began)]
    if job.name:
        facts.insert(0, Fact(label="Job", value=job.name))
    if isinstance(job.created_by, str):
        facts.append(Fact(label="Started by", value=job.created_by))
    output = job.output
    if output is not None and output.return_code is not None:
        facts.append(Fact(label="Return code", value=output.return_code))
    share = job.metrics.progress if job.metrics else None
    known = share is not None and 0 <= share <= 1
    return RunView(
        state=state,
        phase=phase,
        facts=tuple(facts),
        message=_message(job, output, clean) if phase is Phase.FAILED else "",
        started=job.began,
        ended=moment(job.metrics.end_time) if job.metrics and phase.ended else None,
        done=round((share or 0) * 100) if known else None,
        total=100 if known else None,
        next=_steps(target, phase, job.status),
    )


def _message(job: Job, output: Output | None, clean: Clean) -> str:
    if output is not None and (output.stderr or "").strip():
        return clean((output.stderr or "")[-1_000:])
    texts = [words_of(one.message) for one in job.error or () if one.message]
    return clean(texts[-1][:1_000]) if texts else ""


def _steps(target: Target, phase: Phase, status: str | None) -> tuple[Suggestion, ...]:
    refresh, log, stop = (
        suggest("Refresh", "status", target),
        suggest("Log", "logs", target),
        suggest("Stop", "stop", target),
    )
    if status == "paused":
        return (refresh, suggest("Resume", "resume", target), stop)
    if phase is Phase.ACTIVE:
        return (refresh, suggest("Pause", "pause", target), stop)
    if phase is Phase.FAILED:
        return (log, suggest("Retry", "retry", target)) if status == "error" else (log,)
    return (log,) if phase.ended else (refresh, log)


def last_run_view(target: Target, output: Output, clean: Clean) -> RunView:
    """A run as its service tells of it."""
    state, phase = run_state(output)
    return RunView(
        state=state,
        phase=phase,
        facts=tuple(output_facts(output)),
        message=clean((output.stderr or "")[-1_000:]) if phase is Phase.FAILED else "",
        started=moment(output.start_time),
        ended=moment(output.end_time) if phase.ended else None,
        next=(suggest("Log", "logs", target),),
    )


def job_table(jobs: Sequence[Job]) -> Table:
    """Jobs as rows."""
    rows = tuple((utc_text(job.began), job.name or "", job_state(job)[0], f"job/{job.id}") for job in jobs)
    return Table(columns=("Started", "Name", "State", "Job"), rows=rows)


def service_table(services: Sequence[Service]) -> Table:
    """Services as rows."""
    rows = tuple(
        (
            one.path,
            one.service_metadata.type or "",
            _active(one),
            _last(one.last_run),
            " ".join((one.service_metadata.description or "").split()),
        )
        for one in sorted(services, key=lambda one: one.path)
    )
    return Table(columns=("Service", "Type", "Active", "Last run", "Description"), rows=rows, total=len(rows))


def _active(service: Service) -> str:
    return {True: "active", False: "not active", None: ""}[service.active]


def _last(output: Output | None) -> str:
    if output is None:
        return "never"
    return f"{run_state(output)[0]}, {utc_text(moment(output.end_time) or moment(output.start_time))}"


def service_facts(service: Service) -> tuple[Fact, ...]:
    """What a service is, and its last run."""
    meta = service.service_metadata
    optional = (
        ("Type", meta.type),
        ("Description", meta.description),
        ("Active", _active(service)),
        ("Tags", ", ".join(meta.tags or ())),
    )
    facts = [Fact(label="Cluster", value=meta.location)]
    facts += [Fact(label=label, value=value) for label, value in optional if value]
    facts.append(Fact(label="Last run", value=_last(service.last_run)))
    return tuple(facts)


def parameter_table(schema: Mapping[str, Any] | None) -> Table | None:
    """The parameters of a service; None where it declares none."""
    known, musts = properties(schema), required(schema)
    if not known:
        return None
    rows = tuple(
        (
            f"param.{name}",
            _takes(rule),
            "yes" if name in musts else "",
            words_of(rule.get("default")),
            str(rule.get("description") or ""),
        )
        for name, rule in known.items()
    )
    return Table(columns=("Parameter", "Takes", "Needed", "Default", "Meaning"), rows=rows, total=len(rows))


def _takes(rule: Mapping[str, Any]) -> str:
    choices = rule.get("enum")
    if isinstance(choices, list) and choices:
        return " | ".join(words_of(choice) for choice in choices[:20])
    bounds = [f"{word} {rule[key]}" for key, word in (("minimum", "at least"), ("maximum", "at most")) if key in rule]
    return ", ".join([" or ".join(types_of(rule)) or "anything", *bounds])


def gateway_state(gateway: Gateway) -> str:
    """DOC: Disabled, Read-Only, Enabled."""
    if gateway.enabled is False:
        return "disabled"
    if gateway.enabled is None:
        return "unknown (nothing)"
    return "read-only" if gateway.readonly else "enabled"


def gateway_facts(gateway: Gateway, connection: str | None) -> tuple[Fact, ...]:
    """What a gateway is."""
    facts = [Fact(label="Cluster", value=gateway.cluster_id), Fact(label="State", value=gateway_state(gateway))]
    facts.append(Fact(label="Connection", value=connection or "not told"))
    facts.append(Fact(label="Groups", value=", ".join(words_of(one) for one in gateway.groups) or "none"))
    facts.append(Fact(label="Certificates", value=", ".join(words_of(one) for one in gateway.certificates) or "none"))
    if gateway.description:
        facts.append(Fact(label="Description", value=gateway.description))
    return tuple(facts)


def gateway_table(gateways: Sequence[Gateway], connections: Mapping[str, str]) -> Table:
    """Gateways as rows."""
    rows = tuple(
        (
            one.cluster_id,
            gateway_state(one),
            connections.get(one.cluster_id, "not told"),
            one.description or "",
            f"gateway/{one.id}",
        )
        for one in gateways
    )
    return Table(columns=("Cluster", "State", "Connection", "Description", "Gateway"), rows=rows, total=len(rows))


def service_names(group: Group) -> list[str]:
    """The services of a group by name where they have one."""
    return [one if isinstance(one, str) else _name(one) for one in group.services]


def _name(one: GroupService) -> str:
    return one.name or one.id or "a service"


def group_table(groups: Sequence[Group]) -> Table:
    """Service groups as rows."""
    rows = tuple(
        (one.name, one.cluster_id, str(len(one.services)), one.description or "", f"group/{one.id}") for one in groups
    )
    return Table(columns=("Group", "Cluster", "Services", "Description", "Id"), rows=rows, total=len(rows))


def group_facts(group: Group) -> tuple[Fact, ...]:
    """What a service group is."""
    facts = [Fact(label="Cluster", value=group.cluster_id)]
    facts.append(Fact(label="Services", value=", ".join(service_names(group)) or "none"))
    facts.append(Fact(label="Groups", value=", ".join(words_of(one) for one in group.groups) or "none"))
    if group.is_default:
        facts.append(Fact(label="Default", value="yes"))
    if group.description:
        facts.append(Fact(label="Description", value=group.description))
    return tuple(facts)


def cert_ends(cert: Certificate) -> datetime | None:
    """When a certificate ends."""
    return moment(cert.validity.not_after) if cert.validity else None


def cert_table(certs: Sequence[Certificate]) -> Table:
    """Certificates as rows; never their text."""
    rows = tuple(
        (
            one.label,
            one.host or "",
            one.issuer or "",
            utc_text(cert_ends(one)),
            str(len(one.gateways)),
            f"cert/{one.id}",
        )
        for one in certs
    )
    return Table(columns=("Certificate", "Host", "Issuer", "Ends", "Gateways", "Id"), rows=rows, total=len(rows))


def cert_facts(cert: Certificate) -> tuple[Fact, ...]:
    """What a certificate is."""
    optional = (
        ("Host", cert.host),
        ("Issuer", cert.issuer),
        ("Type", cert.type),
        ("Contract", cert.contract_id),
        ("Self-signed", None if cert.self_signed is None else "yes" if cert.self_signed else "no"),
    )
    facts = [Fact(label=label, value=value) for label, value in optional if value]
    facts.append(Fact(label="Begins", value=moment(cert.validity.not_before) if cert.validity else None))
    facts.append(Fact(label="Ends", value=cert_ends(cert)))
    facts.append(Fact(label="Gateways", value=", ".join(words_of(one) for one in cert.gateways) or "none"))
    return tuple(facts)
