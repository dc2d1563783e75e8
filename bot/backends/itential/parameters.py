"""The parameters of the platform's verbs, and what the words alone tell to be impossible, before anything is decided or sent."""

from __future__ import annotations

from typing import Final

from bot.core.command.arguments import Arguments, HasParams, map_of, text_of
from bot.core.command.common_params import pause
from bot.core.command.params import Param, ParamType
from bot.core.errors import BadRequest

PARAM: Final = Param(
    name="param",
    type=ParamType.MAP,
    help="A parameter of the service, read and checked by its JSON Schema",
    example="param.action=apply",
)
INVENTORY: Final = Param(
    name="inventory",
    type=ParamType.LIST,
    help="Inventories that the service runs on, or nodes of them as NAME/NODE",
    example="dc1/router1,dc1/router2",
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
    """A text of the vendor's body, by its own name."""
    return Param(name=name, type=ParamType.TEXT, help=help, required=required)


def words(name: str, help: str) -> Param:
    """A list of the vendor's body, by its own name."""
    return Param(name=name, type=ParamType.LIST, help=help, example="a,b")


def flag(name: str, help: str, default: bool | None = None) -> Param:
    """A flag of the vendor's body, by its own name."""
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


def change(asked: Arguments) -> None:
    """Raises BadRequest when nothing is to be changed."""
    if not asked.given and not asked.files:
        raise BadRequest("Say what to change, for example `description=...`.")


def destroy(asked: Arguments) -> None:
    """Raises BadRequest for another action than that of the verb."""
    if map_of(asked, "param").get("action", "destroy") != "destroy":
        raise BadRequest("`destroy` runs the plan with action=destroy; leave `param.action` out, or use `start`.")


def add_cert(asked: Arguments) -> None:
    """Raises BadRequest unless there is one certificate, as a text or as a file."""
    if not text_of(asked, "raw_certificate") and not asked.files:
        raise BadRequest("Attach the certificate as a file, or write `raw_certificate=`.")
    _cert(asked)


def set_cert(asked: Arguments) -> None:
    """Raises BadRequest for nothing to change, and for what is not a certificate."""
    change(asked)
    _cert(asked)


def _cert(asked: Arguments) -> None:
    if asked.files and text_of(asked, "raw_certificate"):
        raise BadRequest("Attach the certificate or write `raw_certificate=`, not both.")
    if len(asked.files) > 1:
        raise BadRequest("Attach one file.")
    certificate(written_pem(asked))


def written_pem(asked: HasParams) -> str:
    """The certificate that was written, with `\\n` as the line ends that a command cannot hold."""
    return text_of(asked, "raw_certificate").replace("\\n", "\n")


def certificate(text: str) -> str:
    """The text if it is a certificate or empty; raises BadRequest for anything else, a private key above all."""
    if "PRIVATE KEY" in text:
        raise BadRequest(
            "That holds a private key. Nothing was sent; give the certificate alone, and replace that key."
        )
    if text and "-----BEGIN CERTIFICATE-----" not in text:
        raise BadRequest("That is not a certificate in PEM form: it has no line `-----BEGIN CERTIFICATE-----`.")
    return text
