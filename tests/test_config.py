"""The configuration: what is well is frozen, what is not is one line that says what to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from bot import config, plugins
from bot.backends.sequentum import PLUGIN
from bot.config import ConfigProblem, load
from bot.core.ports.plugin import BackendSettings, RereadSecret

ENV = {
    "BOT": "xoxb-config-not-a-secret",
    "APP": "xapp-config-not-a-secret",
    "SIGN": "signing-config-not-a-secret",
    "NEXT": "next-config-not-a-secret",
    "ACC": "acc-config-not-a-secret",
    "EMPTY": "",
    "BLANK": "  \n",
}
SLACK = 'team = "T0ACME"\nbot_token = "env:BOT"\napp_token = "env:APP"\n'
GOOD = f"[slack]\n{SLACK}"
ACC = '[[backend]]\nname = "acc"\nkind = "sequentum"\nbase_url = "https://acc.example.com"\ntoken = "env:ACC"\n'


def loaded(folder: Path, text: str) -> config.Settings:
    path = folder / "signalbox.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, ENV)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigProblem) as caught:
        loaded(folder, text)
    message = str(caught.value)
    assert "\n" not in message
    assert not [secret for secret in ENV.values() if secret.strip() and secret in message]
    return message


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    assert settings.slack.mode == "socket"
    assert settings.slack.token == ENV["BOT"]
    assert settings.slack.address == ("127.0.0.1", 3000)
    assert settings.slack.response_hosts == ("hooks.slack.com", "hooks.slack-gov.com")
    assert Path(settings.store.url) == tmp_path / "signalbox.db"
    assert settings.policy_path == tmp_path / "policy.toml"
    assert settings.zone == "UTC"
    with pytest.raises(ValidationError):
        settings.slack.team = "T0OTHER"  # type: ignore[misc]


def test_no_secret_is_in_what_is_printed_of_it(tmp_path: Path) -> None:
    printed = repr(loaded(tmp_path, GOOD + ACC)) + str(loaded(tmp_path, GOOD).slack)
    assert not [secret for secret in ENV.values() if secret.strip() and secret in printed]


@pytest.mark.parametrize("name", ["token", "prod-auth", "creds", "secrets", "keys"])
def test_a_name_after_which_every_target_would_be_masked_is_refused(tmp_path: Path, name: str) -> None:
    """A card would show `token:[redacted]` for each of its targets."""
    assert f"backend.name `{name}` hides its targets" in refusal(tmp_path, GOOD + ACC.replace('"acc"', f'"{name}"'))


@pytest.mark.parametrize("name", ["acc-prod", "vault", "auth-prod"])
def test_a_name_that_only_resembles_a_secret_s_is_taken(tmp_path: Path, name: str) -> None:
    assert loaded(tmp_path, GOOD + ACC.replace('"acc"', f'"{name}"')).backends[0]["name"] == name


def test_secrets_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-file-not-a-secret\n")
    settings = loaded(tmp_path, GOOD.replace("env:BOT", "file:token"))
    assert settings.slack.bot_token.get_secret_value() == "xoxb-file-not-a-secret"


def test_two_signing_secrets_while_they_rotate(tmp_path: Path) -> None:
    text = GOOD + 'mode = "http"\nsigning_secret = ["env:SIGN", "env:NEXT"]\n'
    assert [secret.get_secret_value() for secret in loaded(tmp_path, text).slack.signing_secret] == [
        ENV["SIGN"],
        ENV["NEXT"],
    ]
    one = GOOD + 'mode = "http"\nsigning_secret = "env:SIGN"\n'
    assert len(loaded(tmp_path, one).slack.signing_secret) == 1


def test_a_secret_of_a_file_can_be_read_again(tmp_path: Path) -> None:
    """Another program may replace it; an empty file leaves the value that was read at the start."""
    (tmp_path / "token").write_text("xoxb-first\n")
    secret = loaded(tmp_path, GOOD.replace("env:BOT", "file:token")).slack.bot_token
    assert isinstance(secret, RereadSecret)
    assert "xoxb-first" not in repr(secret)
    for written, latest in (("xoxb-second\n", "xoxb-second"), ("", "xoxb-first")):
        (tmp_path / "token").write_text(written)
        assert secret.latest() == latest


def test_the_store_can_be_in_postgresql_with_its_password_by_reference(tmp_path: Path) -> None:
    text = (
        GOOD
        + '[store]\nurl = "postgresql://bot@db.internal/signalbox"\npassword = "env:BOT"\nlease = 10\nfiles = "shared"\n'
    )
    store = loaded(tmp_path, text).store
    assert store.shared
    assert (store.url, store.lease, store.name) == (
        "postgresql://bot@db.internal/signalbox",
        10,
        "db.internal/signalbox",
    )
    assert store.files == str(tmp_path / "shared")
    assert store.password is not None
    assert store.password.get_secret_value() == ENV["BOT"]
    assert ENV["BOT"] not in repr(store)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://bot:secret@db/x", "by reference"),
        ("postgresql://bot@db/x?password=secret", "by reference"),
        ("postgresql://bot@db", "the name of the database is missing"),
        ("mysql://bot@db/x", "postgresql://USER@HOST/DATABASE"),
    ],
)
def test_an_address_of_a_store_that_cannot_be_used_is_told(tmp_path: Path, url: str, words: str) -> None:
    with pytest.raises(ConfigProblem, match=words) as problem:
        loaded(tmp_path, GOOD + f'[store]\nurl = "{url}"\n')
    assert "secret" not in str(problem.value)


def test_paths_are_meant_from_where_the_file_is(tmp_path: Path) -> None:
    text = GOOD + '[store]\nurl = "sqlite:///data/x.db"\n[policy]\nfile = "rules/p.toml"\n'
    settings = loaded(tmp_path, text)
    assert Path(settings.store.url) == tmp_path / "data" / "x.db"
    assert settings.policy_path == tmp_path / "rules" / "p.toml"
    absolute = loaded(tmp_path, GOOD + '[store]\nurl = "sqlite:////var/lib/x.db"\n')
    assert Path(absolute.store.url) == Path("/var/lib/x.db")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("env:BOT", "env:EMPTY"), ("bot_token", "EMPTY")),
        (GOOD.replace("env:BOT", "env:BLANK"), ("bot_token", "BLANK")),
        (GOOD.replace("env:BOT", "env:NOT_SET"), ("bot_token", "NOT_SET")),
        (GOOD.replace("env:BOT", "env:"), ("bot_token", "env:NAME")),
        (GOOD.replace("env:BOT", "xoxb-config-not-a-secret"), ("bot_token", "env:NAME")),
        (GOOD.replace("env:BOT", "file:none"), ("bot_token", "none")),
        (GOOD.replace('"env:BOT"', "5"), ("bot_token",)),
        (GOOD.replace('bot_token = "env:BOT"\n', ""), ("bot_token is missing", "refresh_token")),
        (GOOD + 'client_id = "1.2"\n', ("client_id, client_secret and refresh_token",)),
        (GOOD.replace('app_token = "env:APP"\n', ""), ("app_token",)),
        (GOOD + 'mode = "http"\n', ("signing_secret",)),
        (GOOD + 'mode = "http"\nsigning_secret = "env:EMPTY"\n', ("signing_secret", "EMPTY")),
        (GOOD + 'mode = "http"\nsigning_secret = ["env:SIGN", "env:BLANK"]\n', ("signing_secret", "BLANK")),
        (GOOD + 'mode = "http"\nsigning_secret = []\n', ("signing_secret",)),
        (GOOD + 'mode = "carrier pigeon"\n', ("mode: must be `socket` or `http`",)),
        (GOOD.replace("env:BOT", "env:APP"), ("bot_token has a token with xapp-",)),
        (GOOD.replace("env:APP", "env:BOT"), ("app_token has a token with xoxb-",)),
        (GOOD + 'bot_tokn = "env:BOT"\n', ("bot_tokn", "unknown key", "bot_token")),
        (GOOD + "[slak]\nx = 1\n", ("slak", "unknown key")),
        (GOOD + '[store]\nurl = "mysql://x"\n', ("store", "url")),
        (GOOD + '[store]\npath = "x"\n', ("store", "path")),
        (GOOD + "[policy]\nfile = 5\n", ("[policy] file: must be text in quotes",)),
        (GOOD + 'mode = "http\n', ("a text has no closing quote on its line (at line",)),
        (GOOD + '[time]\nzone = "Mars/Olympus"\n', ("time", "Mars/Olympus")),
        (GOOD.replace("T0ACME", "acme"), ("team",)),
        (GOOD.replace("T0ACME", "E0ACME"), ("team", "`E0ACME` is an organization", "one workspace", "(T...)")),
        (GOOD + 'command = "ops"\n', ("command: must look like `/ops`",)),
        (GOOD + 'command = "/Ops now"\n', ("command",)),
        (GOOD + 'listen = "3000"\n', ("listen", "HOST:PORT")),
        (GOOD + 'listen = "127.0.0.1:http"\n', ("listen", "HOST:PORT")),
        (GOOD + 'listen = "127.0.0.1:70000"\n', ("listen",)),
        (GOOD + 'listen = ":3000"\n', ("listen",)),
        (GOOD + 'api_url = "http://slack.example.com/api/"\n', ("api_url", "loopback")),
        (GOOD + 'api_url = "slack.com"\n', ("api_url",)),
        (GOOD + 'response_hosts = ["https://hooks.slack.com"]\n', ("response_hosts", "HOST")),
        (GOOD + 'security_channel = "#security"\n', ("security_channel: write the id of the channel",)),
        (GOOD + "connections = 11\n", ("connections",)),
        ("slack = 5\n", ("slack",)),
        ("[slack\n", ("signalbox.toml",)),
        (GOOD + GOOD, ("signalbox.toml",)),
        (GOOD + ACC + ACC, ("acc", "twice")),
        (GOOD + '[backend]\nname = "acc"\n', ("[[backend]]",)),
        (GOOD + ACC.replace('"acc"', '"Acc prod"'), ("Acc prod",)),
        (GOOD + ACC.replace('name = "acc"\n', ""), ("backend.name",)),
        (GOOD + ACC.replace('kind = "sequentum"\n', ""), ("acc", "kind")),
    ],
)
def test_each_mistake_is_one_line_that_names_it(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    message = refusal(tmp_path, text)
    assert not [word for word in words if word not in message], message


def test_a_file_that_is_not_there_or_no_text_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigProblem) as caught:
            load(path, ENV)
        assert "\n" not in str(caught.value)
    (tmp_path / "signalbox.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigProblem):
        load(tmp_path / "signalbox.toml", ENV)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("https://", "http://"), ("base_url", "loopback")),
        (("https://acc.example.com", "acc.example.com"), ("base_url",)),
        (("https://", "https://user:word@"), ("base_url",)),
        (("env:ACC", "env:EMPTY"), ("token", "EMPTY")),
        (("env:ACC", "acc-config-not-a-secret"), ("token",)),
        (("token =", "tokken ="), ("acc",)),
    ],
)
def test_a_table_of_a_control_plane_is_checked_by_its_kind(
    tmp_path: Path, change: tuple[str, str], words: tuple[str, ...]
) -> None:
    settings = loaded(tmp_path, GOOD + ACC.replace(*change))
    with pytest.raises(ConfigProblem) as caught:
        config.backend_settings(settings.backends[0], PLUGIN.settings, tmp_path, ENV)
    message = str(caught.value)
    assert "\n" not in message
    assert ENV["ACC"] not in message
    assert not [word for word in words if word not in message], message


def test_plain_http_is_good_for_loopback(tmp_path: Path) -> None:
    for host in ("127.0.0.1:8000", "localhost", "[::1]:9"):
        text = ACC.replace("https://acc.example.com", f"http://{host}")
        settings = loaded(tmp_path, GOOD + text + "")
        made = config.backend_settings(settings.backends[0], PLUGIN.settings, tmp_path, ENV)
        assert made.base_url == f"http://{host}"


@pytest.mark.parametrize(
    ("content", "holds"),
    [
        ("\ufeffxoxb-file-not-a-secret\r\n", "xoxb-file-not-a-secret"),
        ("  xoxb-file-not-a-secret \n\n", "xoxb-file-not-a-secret"),
    ],
)
def test_what_editors_put_around_a_secret_does_not_count(tmp_path: Path, content: str, holds: str) -> None:
    (tmp_path / "token").write_text(content, encoding="utf-8")
    secret = loaded(tmp_path, GOOD.replace("env:BOT", "file:token")).slack.bot_token
    assert secret.get_secret_value() == holds


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_around_a_secret_are_named(tmp_path: Path, quote: str) -> None:
    (tmp_path / "token").write_text(f"{quote}{ENV['BOT']}{quote}\n", encoding="utf-8")
    assert "quotes" in refusal(tmp_path, GOOD.replace("env:BOT", "file:token"))


def test_a_configuration_with_a_byte_order_mark_loads(tmp_path: Path) -> None:
    (tmp_path / "signalbox.toml").write_text("\ufeff" + GOOD, encoding="utf-8")
    assert load(tmp_path / "signalbox.toml", ENV).slack.team == "T0ACME"


def test_every_problem_is_listed_and_a_mistyped_key_comes_first(tmp_path: Path) -> None:
    (tmp_path / "signalbox.toml").write_text(
        GOOD.replace("team =", "teem =").replace("env:BOT", "env:NONE") + '[time]\nzone = "Mars"\n', encoding="utf-8"
    )
    with pytest.raises(ConfigProblem) as caught:
        load(tmp_path / "signalbox.toml", ENV)
    first, *others = caught.value.lines
    assert first == "[slack] teem: unknown key; did you mean `team`?"
    assert [word for word in ("NONE", "Mars") if not any(word in line for line in others)] == []
    assert not any("team" in line for line in others)  # the mistyped key is the missing one


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, GOOD.replace("team =", "#team =")) == "[slack] team is missing"


def backend(folder: Path, text: str, **environ: str) -> BackendSettings:
    settings = load_with(folder, GOOD + text, ENV | environ)
    return config.backend_settings(
        settings.backends[0], PLUGIN.settings, folder, ENV | environ, proxies=settings.proxies, ca_file=settings.ca_file
    )


def load_with(folder: Path, text: str, environ: dict[str, str]) -> config.Settings:
    (folder / "signalbox.toml").write_text(text, encoding="utf-8")
    return load(folder / "signalbox.toml", environ)


def test_plain_http_off_loopback_has_to_be_allowed(tmp_path: Path) -> None:
    plain = ACC.replace("https://acc.example.com", "http://10.1.2.3:3000")
    with pytest.raises(ConfigProblem, match="allow_http"):
        backend(tmp_path, plain)
    assert backend(tmp_path, plain + "allow_http = true\n").base_url == "http://10.1.2.3:3000"


def test_a_backend_inherits_the_proxy_or_has_its_own(tmp_path: Path) -> None:
    corp = {"HTTPS_PROXY": "http://corp:3128"}
    assert str(backend(tmp_path, ACC, **corp).proxies.route("https://acc.example.com")) == (
        "through http://corp:3128 (HTTPS_PROXY)"
    )
    none = backend(tmp_path, ACC + 'proxy = ""\n', **corp)
    assert str(none.proxies.route("https://acc.example.com")) == "directly (proxy is empty)"
    secret = backend(tmp_path, ACC + 'proxy = "env:CORP"\n', CORP="http://bot:word-not-a-secret@own:8080")
    assert str(secret.proxies.route("https://acc.example.com")) == "through http://own:8080 (proxy)"
    assert "word-not-a-secret" not in repr(secret)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('proxy = "http://bot:word@own:8080"', "env:NAME"),
        ('proxy = "socks5://own:8080"', "socks5 proxies aren't supported"),
        ('client_cert = "bot.pem"', "bot.pem doesn't exist"),
        ('client_key = "env:ACC"', "client_cert and client_key together"),
        ('ca_file = "none.pem"', "none.pem doesn't exist"),
    ],
)
def test_what_is_wrong_with_the_network_of_a_backend_is_said(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        backend(tmp_path, f"{ACC}{line}\n")
    assert words in str(caught.value)
    assert "word@" not in str(caught.value)


def test_the_network_section_counts_for_all(tmp_path: Path) -> None:
    (tmp_path / "corp.pem").write_text("not-a-secret")
    section = '[network]\nproxy = "http://corp:1"\nca_file = "corp.pem"\n'
    made = backend(tmp_path, section + ACC)
    assert str(made.proxies.route("https://acc.example.com")) == "through http://corp:1 ([network] proxy)"
    assert made.authorities == (str(tmp_path / "corp.pem"),)
    assert "SOCKS" in refusal(tmp_path, GOOD + '[network]\nproxy = "socks5://corp:1"\n').upper()


@pytest.mark.parametrize("kind", plugins.kinds())
def test_every_secret_of_a_backend_is_written_by_reference(kind: str) -> None:
    """A field that is a plain SecretStr would take a secret that is written into the file."""
    models: list[type[BaseModel]] = [plugins.load(kind).settings]
    for model in models:
        for name, field in model.model_fields.items():
            if "SecretStr" in str(field.annotation) and name != "proxy":
                with pytest.raises(ValidationError, match="write a secret as"):
                    model.__pydantic_validator__.validate_assignment(
                        model.model_construct(), name, "a-literal-not-a-secret", context=config.References(Path(), {})
                    )
