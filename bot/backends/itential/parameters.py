"""The parameters of the platform's verbs, and the checks of their values before anything is decided or sent."""

from __future__ import annotations

from typing import Final

from bot.core.command.arguments import Arguments, HasParams, map_of, text_of
from bot.core.command.common_params import pause
from bot.core.command.params import Param, ParamType
from bot.core.errors import BadRequest

PARAM: Final = Param(
    name="param",
    type=ParamType.MAP,
    help="A parameter of the service, checked against its JSON Schema",
    example="param.action=apply",
)
INVENTORY: Final = Param(
    name="inventory",
    type=ParamType.LIST,
    help="Inventories to run the service on, or single nodes as NAME/NODE",
    example="dc1/router1,dc1/router2",
)
CLUSTER: Final = Param(name="cluster_id", type=ParamType.TEXT, help="Show only this cluster")
COUNT: Final = Param(
    name="count",
    type=ParamType.INTEGER,
    default=20,
    minimum=1,
    maximum=100,
    unit="jobs",
    help="How many of the latest to show",
)
STATUS: Final = Param(
    name="status",
    type=ParamType.CHOICE,
    choices=("running", "complete", "error", "canceled", "incomplete", "paused"),
    help="Show only jobs with this status",
)
TASK: Final = Param(name="task", type=ParamType.TEXT, help="The task to run again (default: the one that failed last)")
PAUSE: Final = pause("Resume")


def text(name: str, help: str, *, required: bool = False) -> Param:
    """A text parameter with the vendor's field name."""
    return Param(name=name, type=ParamType.TEXT, help=help, required=required)


def words(name: str, help: str) -> Param:
    """A list parameter with the vendor's field name."""
    return Param(name=name, type=ParamType.LIST, help=help, example="a,b")


def flag(name: str, help: str, default: bool | None = None) -> Param:
    """A flag parameter with the vendor's field name."""
    return Param(name=name, type=ParamType.BOOLEAN, help=help, default=default)


ENABLED: Final = "Whether the gateway is enabled"
READONLY: Final = "Whether the gateway is read-only; a read-only gateway runs no services"
GATEWAY_REST: Final = (
    words("groups", "Ids of the platform groups that may use it"),
    text("description", "What it is for"),
    words("certificates", "Ids of its certificates"),
)
GROUP_REST: Final = (
    text("description", "What it is for"),
    words("services", "Ids of its services"),
    words("groups", "Ids of the platform groups that may use it"),
)
CERT_FIELDS: Final = (
    text("raw_certificate", "The certificate in PEM form, instead of an attached file"),
    text("contract_id", "The vendor's contract id"),
    text("alias", "Its alias (default for a new certificate: the target's name)"),
)


def change(asked: Arguments) -> None:
    """Raises BadRequest if no change is given."""
    if not asked.given and not asked.files:
        raise BadRequest("Name at least one field to change, for example `description=...`.")


def destroy(asked: Arguments) -> None:
    """Raises BadRequest for any action other than `destroy`."""
    if map_of(asked, "param").get("action", "destroy") != "destroy":
        raise BadRequest("`destroy` runs the plan with action=destroy; leave `param.action` out, or use `start`.")


def add_cert(asked: Arguments) -> None:
    """Raises BadRequest unless there is exactly one certificate, as text or as a file."""
    if not text_of(asked, "raw_certificate") and not asked.files:
        raise BadRequest("Attach the certificate as a file, or write `raw_certificate=`.")
    _cert(asked)


def set_cert(asked: Arguments) -> None:
    """Raises BadRequest if no change is given or the value is not a certificate."""
    change(asked)
    _cert(asked)


def _cert(asked: Arguments) -> None:
    if asked.files and text_of(asked, "raw_certificate"):
        raise BadRequest("Attach the certificate or write `raw_certificate=`, not both.")
    if len(asked.files) > 1:
        raise BadRequest("Attach one file.")
    certificate(written_pem(asked))


def written_pem(asked: HasParams) -> str:
    """The `raw_certificate` text; `\\n` stands for a line end, which a command can't contain."""
    return text_of(asked, "raw_certificate").replace("\\n", "\n")


def certificate(text: str) -> str:
    """The text, if it is a certificate or empty. Raises BadRequest for anything else, above all for a private key."""
    if "PRIVATE KEY" in text:
        raise BadRequest(
            "The text contains a private key. Nothing was sent. Send only the certificate, and replace that key."
        )
    if text and "-----BEGIN CERTIFICATE-----" not in text:
        raise BadRequest("The text is not a PEM certificate: the line `-----BEGIN CERTIFICATE-----` is missing.")
    return text
