"""The gate in front of Bolt: what is not signed, not new or not well formed is refused on raw bytes."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.slack.http_guard import MAX_BODY, check
from tests.slack.support import FORM, SECRET, command_body, signed

NOW = 1_764_000_000
KEYS = (SecretStr(SECRET),)


def verdict(body: bytes, headers: dict[str, str], keys: tuple[SecretStr, ...] = KEYS, now: float = NOW) -> int:
    return check({name.lower(): value for name, value in headers.items()}, body, keys, now).status


def test_a_signed_request_passes() -> None:
    body = command_body()
    assert verdict(body, signed(body, at=NOW)) == 200


def test_the_vector_of_slacks_documentation_passes() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "Content-Type": FORM,
    }
    keys = (SecretStr("8f742231b10e8888abcd99yyyzzz85a5"),)
    assert verdict(body, headers, keys, 1531420618) == 200


@pytest.mark.parametrize(("age", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)])
def test_five_minutes_to_either_side_and_no_second_more(age: int, status: int) -> None:
    body = command_body()
    assert verdict(body, signed(body, at=NOW + age)) == status


@pytest.mark.parametrize(
    "stamp",
    ["", "abc", "9" * 400, "-1", "1e9", "\uff11\uff17\uff16\uff14", str(NOW) + ".0", " " + str(NOW), "0x10", "²"],
)
def test_a_timestamp_that_is_no_number_is_refused_like_a_wrong_one(stamp: str) -> None:
    body = command_body()
    assert verdict(body, signed(body, at=NOW) | {"X-Slack-Request-Timestamp": stamp}) == 401


@pytest.mark.parametrize("signature", ["", "v0=", "v0=" + "0" * 64, "v1=abc", "é" * 67, "v0=" + "\u0660" * 64])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    body = command_body()
    assert verdict(body, signed(body, at=NOW) | {"X-Slack-Signature": signature}) == 401


def test_missing_headers_are_refused() -> None:
    assert verdict(command_body(), {"Content-Type": FORM}) == 401


@pytest.mark.parametrize("body", [b"ssl_check=1", b"ssl_check=1&token=x", command_body(ssl_check="1")])
def test_an_unsigned_ssl_check_is_no_way_round_the_signature(body: bytes) -> None:
    assert verdict(body, {"Content-Type": FORM}) == 401


def test_every_changed_byte_breaks_the_signature() -> None:
    body = command_body()
    headers = signed(body, at=NOW)
    for place in range(0, len(body), 7):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert verdict(changed, headers) == 401


def test_a_signature_of_another_time_does_not_fit() -> None:
    body = command_body()
    assert verdict(body, signed(body, at=NOW) | {"X-Slack-Request-Timestamp": str(NOW + 1)}) == 401


def test_two_secrets_are_good_while_they_rotate() -> None:
    body = command_body()
    keys = (SecretStr("the-new-one-not-a-secret"), SecretStr(SECRET))
    assert verdict(body, signed(body, at=NOW), keys) == 200
    assert verdict(body, signed(body, secret="the-new-one-not-a-secret", at=NOW), keys) == 200
    assert verdict(body, signed(body, secret="neither", at=NOW), keys) == 401


@pytest.mark.parametrize("keys", [(), (SecretStr(""),)])
def test_an_empty_secret_verifies_nothing(keys: tuple[SecretStr, ...]) -> None:
    body = command_body()
    assert verdict(body, signed(body, secret="", at=NOW), keys) == 401


@pytest.mark.parametrize("field", ["user_id", "team_id", "channel_id", "text", "command", "trigger_id"])
def test_a_signed_form_with_a_field_twice_is_refused(field: str) -> None:
    body = command_body() + f"&{field}=U0ROOT".encode()
    assert verdict(body, signed(body, at=NOW)) == 400


@pytest.mark.parametrize("name", [b"%75ser_id", b"user%5Fid", b"user_id"])
def test_a_field_twice_is_seen_through_its_encoding(name: bytes) -> None:
    body = command_body() + b"&" + name + b"=U0ROOT"
    assert verdict(body, signed(body, at=NOW)) == 400


def test_a_form_of_more_than_a_hundred_fields_is_refused() -> None:
    body = "&".join(f"f{number}=x" for number in range(101)).encode()
    assert verdict(body, signed(body, at=NOW)) == 400


def test_a_form_that_is_no_utf8_is_refused() -> None:
    body = b"text=\xff\xfe"
    assert verdict(body, signed(body, at=NOW)) == 400


def test_size_comes_before_everything_else() -> None:
    body = b"x" * (MAX_BODY + 1)
    assert verdict(body, signed(body, at=NOW)) == 413
    assert verdict(body[:-1], signed(body[:-1], at=NOW)) == 200
