"""Links to a vendor's console: what a template may say, and what becomes of odd ids."""

from __future__ import annotations

import pytest

from bot.core.network import checked_template, console_url
from bot.core.operation import Target

RUN = Target(backend="acc", kind="run", id="90/4?a=1&b", name="run/90", scope="acc:shop/prices daily", parent="9")


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("", ""),
        ("https://acc.example.com", "https://acc.example.com"),
        ("https://acc.example.com/{kind}/{id}", "https://acc.example.com/run/90%2F4%3Fa%3D1%26b"),
        (
            "https://acc.example.com/agents/{path}?run={name}",
            "https://acc.example.com/agents/shop/prices%20daily?run=run%2F90",
        ),
        ("https://acc.example.com/#/{parent}", "https://acc.example.com/#/9"),
    ],
)
def test_values_are_percent_encoded(template: str, url: str) -> None:
    assert console_url(template, RUN) == url


def test_there_is_no_link_when_a_value_is_unknown_or_the_address_is_too_long() -> None:
    assert console_url("https://acc.example.com/{parent}", RUN.model_copy(update={"parent": None})) == ""
    assert console_url("https://acc.example.com/{id}", RUN.model_copy(update={"id": "x" * 4_000})) == ""


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("https://acc.example.com/{run}", "placeholders"),
        ("https://acc.example.com/{id", "placeholders"),
        ("https://{id}.example.com/", "after the host"),
        ("javascript:alert(1)", "write an address"),
        ("http://other.example.com/{id}", "use https"),
        ("https://me:secret@acc.example.com/", "user and password"),
    ],
)
def test_a_template_that_can_be_no_safe_link_is_refused(template: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        checked_template(template, "https://acc.example.com")


def test_plain_http_is_for_the_host_of_the_api_alone() -> None:
    assert checked_template("http://itn.corp:3000/{id}", "http://itn.corp:3000") == "http://itn.corp:3000/{id}"
