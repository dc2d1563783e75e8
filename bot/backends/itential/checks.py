"""What the words alone tell to be impossible: refused before anything is decided, registered as sent, or sent."""

from __future__ import annotations

from bot.core.command.arguments import Arguments, HasParams, map_of, text_of
from bot.core.errors import BadRequest


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
    """Raises BadRequest for nothing to change, and for what is no certificate."""
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
        raise BadRequest("That is no certificate in PEM form: it has no line `-----BEGIN CERTIFICATE-----`.")
    return text
