"""Which proxy a request goes through."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.core.network import Proxies, checked_proxy

ENV = {
    "HTTPS_PROXY": "http://corp:3128",
    "NO_PROXY": "intern.example.com, .lan,10.0.0.0/8 192.168.1.7:8443,[2001:db8::1]",
}


def way(url: str, environ: dict[str, str] | None = None, setting: str = "env") -> str:
    return str(Proxies(SecretStr(setting), environ=ENV if environ is None else environ).route(url))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://slack.com/api/", "through http://corp:3128 (HTTPS_PROXY)"),
        ("wss://wss-primary.slack.com/link", "through http://corp:3128 (HTTPS_PROXY)"),
        ("http://itential:3000", "directly (HTTP_PROXY isn't set)"),
        ("https://intern.example.com", "directly (NO_PROXY has intern.example.com)"),
        ("https://acc.INTERN.example.com.", "directly (NO_PROXY has intern.example.com)"),
        ("https://notintern.example.com", "through http://corp:3128 (HTTPS_PROXY)"),
        ("https://acc.lan", "directly (NO_PROXY has .lan)"),
        ("https://10.20.30.40:9000", "directly (NO_PROXY has 10.0.0.0/8)"),
        ("https://11.20.30.40", "through http://corp:3128 (HTTPS_PROXY)"),
        ("https://192.168.1.7:8443", "directly (NO_PROXY has 192.168.1.7:8443)"),
        ("https://192.168.1.7", "through http://corp:3128 (HTTPS_PROXY)"),
        ("https://[2001:db8::1]", "directly (NO_PROXY has [2001:db8::1])"),
        ("https://127.0.0.9:3840", "directly (loopback)"),
        ("https://localhost", "directly (loopback)"),
        ("https://[::1]:3840", "directly (loopback)"),
        ("https://[::ffff:127.0.0.1]", "directly (loopback)"),
    ],
)
def test_the_environment(url: str, expected: str) -> None:
    assert way(url) == expected


def test_the_small_spelling_counts_first_and_all_proxy_last() -> None:
    both = {"https_proxy": "http://small:1", "HTTPS_PROXY": "http://big:1"}
    assert way("https://slack.com", both) == "through http://small:1 (https_proxy)"
    assert way("https://slack.com", {"ALL_PROXY": "proxy:8080"}) == "through http://proxy:8080 (ALL_PROXY)"
    assert way("https://slack.com", {"HTTPS_PROXY": "http://corp:1", "NO_PROXY": "*"}) == "directly (NO_PROXY has *)"


def test_a_setting_stands_above_the_environment_and_a_backend_above_both() -> None:
    shared = Proxies(SecretStr("http://shared:1"), environ=ENV)
    assert str(shared.route("https://slack.com")) == "through http://shared:1 ([network] proxy)"
    assert str(shared.route("https://acc.lan")) == "directly (NO_PROXY has .lan)"
    own = shared.own(SecretStr("http://own:1"), "proxy")
    assert str(own.route("https://acc.lan")) == "through http://own:1 (proxy)"
    assert str(own.route("http://127.0.0.1:3840")) == "directly (loopback)"
    assert str(shared.own(SecretStr(""), "proxy").route("https://slack.com")) == "directly (proxy is empty)"
    assert (
        str(shared.own(SecretStr("env"), "proxy").route("https://slack.com"))
        == "through http://corp:3128 (HTTPS_PROXY)"
    )
    assert shared.own(None, "proxy") is shared


def test_the_password_of_a_proxy_is_never_shown() -> None:
    proxies = Proxies(
        SecretStr("http://bot:p%40ss-not-a-secret@corp:3128"), environ={"HTTP_PROXY": "http://x:other@y:1"}
    )
    route = proxies.route("https://slack.com")
    assert route.proxy == "http://bot:p%40ss-not-a-secret@corp:3128"
    assert "ss-not-a-secret" not in f"{route} {route!r} {proxies} {proxies!r}"
    assert set(proxies.secrets()) == {"p%40ss-not-a-secret", "p@ss-not-a-secret", "other"}


@pytest.mark.parametrize("bad", ["socks5://127.0.0.1:1080", "http://", "http://corp:99999", "http://corp/path"])
def test_what_is_not_a_proxy_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"proxy|proxies|[Pp]ort"):
        checked_proxy(bad)
