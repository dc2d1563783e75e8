"""Secrets are masked wherever they stand, and words that only look alike are left alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.masking import patterns, values
from bot.core.masking.redact import LineSplitter, Redactor, redact, with_name
from bot.core.masking.values import MASK, looks_random

DATA = Path(__file__).parents[1] / "data"
CANARY = "c4n4ry-Zx81-Qw7Lp0Vt"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmYWtlIn0.bm90LWEtc2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        f"password={CANARY}",
        f"Password : {CANARY}",
        f'{{"apiKey": "{CANARY}", "x": 1}}',
        f"{{'client_secret': '{CANARY}'}}",
        f"dbPassword={CANARY};Server=x",
        f"DB_PASS={CANARY}",
        f"access_token={CANARY}&next=1",
        f"api key: {CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"authorization: Basic {base64.b64encode(CANARY.encode()).decode()}".replace(CANARY, ""),
        f"Cookie: sid={CANARY}; other={CANARY}",
        f"curl -H 'X: Bearer {CANARY}'",
        f"connect postgres://admin:{CANARY}@db.example.com/x",
        f"Server=tcp:db;User ID=sa;Pwd={CANARY};Encrypt=yes",
        f"AccountKey={CANARY}==;EndpointSuffix=core",
        f"tool --password {CANARY} --verbose",
        f"https://x.example.com/a?key={CANARY}&page=2",
        f"the token is {CANARY}",
        f"with key {CANARY} at 12:00",
        f"SECRET => '{CANARY}'",
        f"sessionId={CANARY}",
        f"X-Signature: {CANARY}",
        f"https://hooks.slack.com/services/{CANARY}",
        f"credentials: bob / {CANARY}",
        f"login = bob / {CANARY}",
        f"run --x password=a\\ {CANARY} --verbose",
        f'{{"user": "bob", "password":\n"{CANARY}"}}',
        f'"password":\n"{CANARY} and more", "user": "bob"',
        f'  "token":\n    "x={CANARY}"',
    ],
)
def test_named_secrets_are_masked(text: str) -> None:
    """A value behind a secret-like name goes, whatever the notation."""
    clean, count = redact(text)
    assert CANARY not in clean
    assert MASK in clean
    assert count >= 1


@pytest.mark.parametrize(
    "secret",
    [
        JWT,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "AIza" + "B" * 35,
        "ghp_" + "a1B2" * 9,
        "glpat-" + "abcdefgh12345678",
        "xoxb-" + "123456789-not-a-secret",
        "xapp-" + "1-A123-not-a-secret",
        "sk_" + "live_abcdefghij0123456789",
        "SG." + "a" * 22 + "." + "b" * 43,
        "npm_" + "a" * 36,
    ],
)
def test_well_known_shapes_are_masked(secret: str) -> None:
    """Keys of services and web tokens are known by their looks, without a name before them."""
    clean, count = redact(f"got {secret}, going on")
    assert secret not in clean
    assert (clean, count) == (f"got {MASK}, going on", 1)


@pytest.mark.parametrize(
    "text",
    [
        "compass: north, author: Bob, passed: 10, secretary: Ann",
        "tokens: 512 and key: 7",
        "password: null",
        "token=true",
        "Basic authentication failed",
        "https://shop.example.com:8443/a?page=2&key=7",
        "2026-11-22 02:23:37.123 INFO Loading page 17 took 0.231 s",
        "run 9040f86d-bbc1-4038-9868-501145cc2370 ended",
        "The key column of the table is sku",
        "password reset by user",
        "keyboard=qwertz monkey=george1",
        "HTTP 401: bad jwt (AUTH_01)",
        "jwt (x)",
        "invalid token (ERR_TOKEN_2) for job 7",
        "exit code: 123456",
        "GPIO pin: 17, spin: 5555, mapping: 4711",
        "credentials: missing / invalid",
        "acc-prod:nightly2@eu",
    ],
)
def test_plain_words_stay(text: str) -> None:
    """What only looks like a secret stays readable."""
    assert redact(text) == (text, 0)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("PIN: 4711", "PIN: [redacted]"),
        ('{"pin": "4711", "x": 1}', '{"pin": "[redacted]", "x": 1}'),
        ("your PIN is 4711.", "your PIN is [redacted]."),
        ("one-time code: 123456", "one-time code: [redacted]"),
        ("Verification code = 123 456", "Verification code = [redacted]"),
        ("SMS code is 998877", "SMS code is [redacted]"),
    ],
)
def test_numbers_that_a_person_types_to_log_in_are_masked(text: str, clean: str) -> None:
    assert redact(text) == (clean, 1)


def test_a_masked_text_stays_as_it_is() -> None:
    """Masking twice is masking once."""
    once, count = redact(f"password={CANARY}\nAuthorization: Bearer {CANARY}\npostgres://u:{CANARY}@h/x")
    assert count == 3
    assert redact(once) == (once, 0)


@pytest.mark.parametrize("form", [str, lambda s: quote(s, safe=""), lambda s: base64.b64encode(s.encode()).decode()])
def test_known_values_are_masked_in_every_form(form: object) -> None:
    """A value that is known to be secret goes without any name, also encoded."""
    secret = 'pl@in "words" only'
    clean, count = redact(f"see {form(secret)} there", [secret])  # type: ignore[operator]
    assert (clean, count) == (f"see {MASK} there", 1)


def test_known_values_that_overlap_leave_no_rest() -> None:
    clean, count = redact("see abcdefghij there", ["abcdefgh", "efghij"])
    assert (clean, count) == (f"see {MASK} there", 1)


def test_known_values_that_are_too_short_do_not_mask_the_language() -> None:
    """A secret of three letters is not searched for."""
    assert redact("an apple a day", ["a", "an", "", "day"]) == ("an apple a day", 0)


def test_a_private_key_is_masked_over_its_lines_and_over_blocks() -> None:
    """Everything between the two marks goes, also when it comes in pieces; what follows is read again."""
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    redactor = Redactor()
    out = redactor.feed(f"before\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n")
    out += redactor.feed(f"{body}\n{body}\n")
    out += redactor.feed(f"{body}\n-----END RSA PRIVATE KEY-----\nafter\n")
    assert body not in out
    assert out.startswith("before\n[redacted]\n")
    assert out.endswith("after\n")
    assert out.count("\n") == 8
    assert redactor.count == 1


def test_a_private_key_without_an_end_does_not_swallow_the_log() -> None:
    """After some hundred lines the rest is shown again."""
    redactor = Redactor()
    redactor.feed("-----BEGIN PRIVATE KEY-----\n" + "x\n" * 300)
    assert redactor.feed("after\n") == "after\n"


def test_a_private_key_on_one_line_is_masked() -> None:
    """As in JSON, with its line ends escaped."""
    clean, _ = redact('{"k": "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n"} tail')
    assert clean == '{"k": "[redacted]\\n"} tail'


def test_letters_that_grow_in_lower_case_do_not_shift_the_mask() -> None:
    """Upper and lower case of another length still mask exactly the value."""
    assert redact(f"İİİ PASSWORD={CANARY} İ") == (f"İİİ PASSWORD={MASK} İ", 1)


@given(cuts=st.lists(st.integers(min_value=1, max_value=40), max_size=30), padding=st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_no_cut_shows_a_secret(cuts: list[int], padding: int) -> None:
    """However a log is cut into chunks, no part of a secret gets through at an edge."""
    lines = ["." * padding, f"password={CANARY}", "second", f"Authorization: Bearer {JWT}", f"known {CANARY} here"]
    text = "\n".join(lines)
    splitter, redactor, out, at = LineSplitter(), Redactor([CANARY]), "", 0
    for cut in [*cuts, len(text)]:
        out += redactor.feed(splitter.feed(text[at : at + cut]))
        at += cut
    out += redactor.feed(splitter.flush())
    assert out == redact(text, [CANARY])[0]
    assert not any(CANARY[i : i + 6] in out for i in range(len(CANARY) - 6))


@given(at=st.integers(80, 120))
@settings(max_examples=60, deadline=None)
def test_an_overlong_line_is_cut_before_a_secret_that_straddles_the_cut(at: int) -> None:
    """A line beyond the limit ends at a blank before it; its rest is dropped, and the next line is whole."""
    splitter = LineSplitter(longest=100)
    text = "x " * (at // 2) + f"{CANARY} tail\nnext line\n"
    out = "".join(splitter.feed(text[i : i + 7]) for i in range(0, len(text), 7)) + splitter.flush()
    assert out.endswith("next line\n")
    assert CANARY in out or not any(CANARY[i : i + 4] in out for i in range(len(CANARY) - 4))
    assert splitter.cut_lines == ("[line cut here]" in out)


def test_a_line_without_end_needs_no_memory() -> None:
    """However long a line is, at most its limit is held."""
    splitter = LineSplitter(longest=1000)
    out = "".join(splitter.feed("y" * 10_000) for _ in range(1000))
    assert len(out) < 2000
    assert splitter.flush() == ""


def test_a_line_that_costs_too_much_to_read_is_masked_to_its_end() -> None:
    """Where each of many names begins a long value that is then rejected, only a part is read; the next line is read again."""
    clean, count = redact("a b c\n" + "pwd;" * 500 + "\nd e f password=\n")
    before, hostile, after = clean.split("\n", 2)
    assert (before, after, count) == ("a b c", "d e f password=\n", 1)
    assert hostile.startswith("pwd;pwd;")
    assert hostile.endswith(MASK)
    assert len(hostile) < 1000


def test_random_words_are_told_from_written_ones() -> None:
    """Long mixed words are random; identifiers and numbers of people are not."""
    assert looks_random("3f8fb288098e4c749f18da856115f674")
    assert not looks_random("documentation-of-the-thing")
    assert not looks_random("1111111111111111a")


def test_every_planted_secret_is_masked() -> None:
    """In every notation of the corpus: nested, escaped, coloured, encoded, and over several lines."""
    missed = [(number, line) for number, line, secrets in _planted() if _shows(redact(line)[0], secrets)]
    assert len(list(_planted())) >= 300
    assert not missed, "\n".join(f"{number}: {line!r} -> {redact(line)[0]!r}" for number, line in missed)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_no_cut_shows_a_planted_secret(size: int) -> None:
    """Also fed in small chunks, the lines of a value are masked; the rest of the text keeps its lines."""
    missed = []
    for number, line, secrets in _planted():
        splitter, redactor = LineSplitter(), Redactor()
        out = "".join(redactor.feed(splitter.feed(line[i : i + size])) for i in range(0, len(line), size))
        out += redactor.feed(splitter.flush())
        if _shows(out, secrets) or out.count("\n") != line.count("\n"):
            missed.append(f"{number}: {line!r} -> {out!r}")
    assert not missed, "\n".join(missed)


def test_ordinary_lines_stay_as_they_are() -> None:
    """Of more than a thousand lines in twenty formats at most one in a hundred is changed."""
    lines = (DATA / "ordinary.log").read_text(encoding="utf-8").splitlines()
    changed = [line for line in lines if redact(line)[0] != line]
    assert len(lines) >= 1000
    assert len(changed) <= len(lines) // 100, "\n".join(f"{line}\n    {redact(line)[0]}" for line in changed)


def test_a_log_is_masked_as_its_lines_are() -> None:
    """A value that goes on in the next line swallows no ordinary line after it."""
    text = (DATA / "ordinary.log").read_text(encoding="utf-8")
    clean, _ = redact(text)
    changed = [pair for pair in zip(text.split("\n"), clean.split("\n"), strict=True) if pair[0] != pair[1]]
    assert len(changed) <= text.count("\n") // 100, changed


def test_every_hint_of_a_secret_is_noticed() -> None:
    """The quick look that spares most lines lets no line pass that a rule would search."""
    ends = {
        "xox": "xoxb-",
        "rk_": "rk_live",
        "://": "://bob:x@host",
        "-u": " -u ",
        "-a": " -a ",
        "thin:": "jdbc:thin:",
        "mongo": "mongosh",
        "code": "code: 123456",
        "otp": "otp 123456",
        "user": "\nuser bob Fake2026\n",
        "conn": "conn bob/x",
        "rman": "rman target",
        "user=": "user=bob%x",
        "username=": "username=bob%x",
        "true": "/\ttrue\t",
        "false": "/\tfalse\t",
        "/webhooks/": "/webhooks/1",
        "api.telegram": "api.telegram.org/bot1",
        "recovery": "recovery code",
        "reg": "reg add",
        "gh": "gh secret",
        "insert": "insert password",
        "vault": "vault login",
        "logging": "logging in",
        "unlock": "bw unlock",
        "variable": "variable token",
        "--arg": "--arg pw",
        "git": "git token",
        "using": "user bob using",
        "open": "open -u ",
        "su": "su -",
        "/u": " /u ",
        "bundle": "bundle config",
        "conan": "conan user",
        "@": "a:sesame@b",
        "alias": "alias set",
        "hdbuserstore": "hdbuserstore set",
        "send": 'send "',
    }
    ends |= {fill: f"#password {fill}" for fill in (".fill(", ".type(", ".val(", ".set")}
    unseen = [hint for hint in patterns._HINTS if not values.hinted(f"a {ends.get(hint, hint)} = b")]
    assert unseen == []


def test_control_sequences_are_neither_matched_nor_shown() -> None:
    """Colours, links, overstruck letters and control characters leave the text, whether a secret stands there or not."""
    assert (
        redact("\x1b[31mred\x1b[0m \x1b]8;;https://x.example.com\x07link\x1b]8;;\x07 b\bbo\bol\bld \x00end")[0]
        == "red link bold end"
    )


def test_letters_of_other_scripts_stay() -> None:
    """Only where a secret is found the text is changed, not the letters around it."""
    text = "Größe ½ \uff46\uff55\uff4c\uff4c, \u0645\u06cc\u200c\u062e\u0648, \U0001f469\u200d\U0001f4bb token=true\n"
    assert redact(text) == (text, 0)


def _planted() -> Iterator[tuple[int, str, tuple[str, ...]]]:
    for number, row in enumerate((DATA / "secrets.jsonl").read_text(encoding="utf-8").splitlines(), 1):
        planted = json.loads(row)
        yield number, planted["line"], (planted["secret"],) if "secret" in planted else tuple(planted["secrets"])


def _shows(out: str, secrets: tuple[str, ...]) -> bool:
    return MASK not in out or any(secret in out for secret in secrets)


def test_a_public_name_is_shown_where_it_looks_like_a_secret_and_nothing_else_comes_back() -> None:
    name = "acc:password/reset_2024"
    text = f"start {name} -- monthly"
    assert with_name(redact(text)[0], text, name) == text
    secret = f"start {name} -- password/hunter22 of acc:password/hunter22"
    assert "hunter22" not in with_name(redact(secret)[0], secret, name)
    assert with_name("token=[redacted]", "token=abc", "acc:shop/prices") == "token=[redacted]"
