"""The parameters of the platform's verbs; those of a body have the vendor's field names."""

from __future__ import annotations

from typing import Final

from bot.core.command.common_params import pause
from bot.core.command.params import Param, ParamType

PARAM: Final = Param(
    name="param",
    type=ParamType.MAP,
    help="A parameter of the service, read and checked by its JSON Schema",
    example="param.action=apply",
)
CLUSTER: Final = Param(name="cluster_id", type=ParamType.TEXT, help="Only those of this cluster")
COUNT: Final = Param(
    name="count", type=ParamType.INTEGER, default=20, minimum=1, maximum=100, unit="jobs", help="How many of the latest"
)
STATUS: Final = Param(
    name="status",
    type=ParamType.CHOICE,
    choices=("running", "complete", "error", "canceled", "incomplete", "paused"),
    help="Only jobs with this status",
)
TASK: Final = Param(name="task", type=ParamType.TEXT, help="The task to run again; without it the one that failed last")
PAUSE: Final = pause("Resume")


def text(name: str, help: str, *, required: bool = False) -> Param:
    """A text of the vendor\'s body, by its own name."""
    return Param(name=name, type=ParamType.TEXT, help=help, required=required)


def words(name: str, help: str) -> Param:
    """A list of the vendor\'s body, by its own name."""
    return Param(name=name, type=ParamType.LIST, help=help, example="a,b")


def flag(name: str, help: str, default: bool | None = None) -> Param:
    """A flag of the vendor\'s body, by its own name."""
    return Param(name=name, type=ParamType.BOOLEAN, help=help, default=default)


ENABLED: Final = "Whether the gateway is enabled"
READONLY: Final = "Whether the gateway is read-only: then it runs no services"
GATEWAY_REST: Final = (
    words("groups", "Ids of the platform's groups that may use it"),
    text("description", "What it is for"),
    words("certificates", "Ids of its certificates"),
)
GROUP_REST: Final = (
    text("description", "What it is for"),
    words("services", "Ids of its services"),
    words("groups", "Ids of the platform's groups that may use it"),
)
CERT_FIELDS: Final = (
    text("raw_certificate", "The certificate in PEM form, instead of an attached file"),
    text("contract_id", "The vendor's contract id"),
    text("alias", "Its alias; a new one has the name of the target"),
)
