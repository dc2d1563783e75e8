"""`signalbox check`: everything in one run, and a network fault is told from a refused credential."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trustme

from bot.cli.store import copy
from tests.cli.program import Program
from tests.http_client.proxy import forward_proxy, pump
from tests.world import OPEN_POLICY, World


async def test_check_says_what_is_well_and_what_is_not(program: Program, env: World) -> None:
    good = await program("check", folder=env.folder, environ=env.environ)
    lines = good.out.splitlines()
    assert lines
    assert all(line.startswith(("ok ", "warn", "FAIL")) for line in lines), good
    assert any(line.startswith("ok") and "backend acc" in line for line in lines)
    assert any(line.startswith("ok") and "rules" in line for line in lines)
    env.ws.set_channel("C0CRAWL", members=["U0ANA"])
    wrong = env.environ | {"ACC_TOKEN": "wrong-not-a-secret"}
    bad = await program("check", folder=env.folder, environ=wrong)
    assert bad.code == 1
    assert any(line.startswith("FAIL") and "backend acc" in line for line in bad.out.splitlines()), bad
    assert any(line.startswith("FAIL") and "C0CRAWL" in line for line in bad.out.splitlines()), bad
    assert "not-a-secret" not in good.out + bad.out + bad.err


async def test_check_leaves_the_audit_log_to_verify_and_says_so(program: Program, env: World) -> None:
    """An entry that was changed by hand doesn't damage the file."""
    await env.does("status acc:shop/prices", "shop/prices")
    await env.bot.close()
    with closing(sqlite3.connect(env.folder / "signalbox.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit SET user_id = 'U0LEE' WHERE seq = 2")
        database.commit()
    checked = await program("check", folder=env.folder, environ=env.environ)
    assert "ok    store: signalbox.db works; `signalbox audit verify` checks the audit log, head " in checked.out
    assert "intact" not in checked.out
    verified = await program("audit", "verify", folder=env.folder, environ=env.environ)
    assert verified.code == 1


async def test_check_says_that_the_store_was_moved(program: Program, env: World) -> None:
    """The bot wouldn't start with it."""
    await env.bot.close()
    target = str(env.folder / "other.db")
    copy(f"sqlite:///{env.folder}/signalbox.db", f"sqlite:///{target}", str, rehearse=False)
    checked = await program("check", folder=env.folder, environ=env.environ)
    assert f"FAIL  store: This store was moved to sqlite:///{target}." in checked.out
    assert checked.code == 1


async def test_check_looks_at_every_channel_that_is_named(program: Program, env: World) -> None:
    """Those of the rules, of their approvals and of the configuration; each with what to do."""
    rules = env.folder / "policy.toml"
    ask = '[[channel.allow]]\nverbs = ["start"]\ntargets = ["*"]\nwho = ["*"]\napprovals = { from = ["leads"], in = "%s" }\n'
    rules.write_text(OPEN_POLICY.replace("[[channel.allow]]", ask % "C0NOWHERE" + "[[channel.allow]]", 1))
    env.ws.set_channel("C0SEC", members=["U0ANA"])
    env.ws.set_channel("C0INC", is_archived=True)
    checked = await program("check", folder=env.folder, environ=env.environ)
    assert checked.code == 1
    bad = {line.split()[2]: line for line in checked.out.splitlines() if line.startswith("FAIL  channel")}
    assert set(bad) == {"C0NOWHERE", "C0SEC", "C0INC"}, checked.out
    assert "approvals" in bad["C0NOWHERE"]
    assert "correct the id" in bad["C0NOWHERE"]
    assert "invite the bot" in bad["C0SEC"]
    assert "unarchive" in bad["C0INC"]
    assert any(line.startswith("ok    channel C0CRAWL") for line in checked.out.splitlines())


async def test_the_environment_of_a_company_changes_nothing_for_loopback(program: Program, env: World) -> None:
    """Slack's SDK takes a proxy from the environment by itself; the rule of the configuration stands above it."""
    async with forward_proxy() as proxy:
        environ = env.environ | {"HTTPS_PROXY": proxy.url, "HTTP_PROXY": proxy.url, "ALL_PROXY": proxy.url}
        checked = await program("check", folder=env.folder, environ=environ)
    assert checked.code == 0, checked.out
    assert "ok    network: Slack (127.0.0.1) is reached directly (loopback)" in checked.out
    assert "ok    network: acc (127.0.0.1) is reached directly (loopback)" in checked.out
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("api_url", "words"),
    [
        ("https://127.0.0.1:9/api/", "can't reach 127.0.0.1 (connection refused)"),
        (
            "https://slack.corp.example/api/",
            "can't reach slack.corp.example (the proxy refused the connection with status 502)",
        ),
    ],
)
async def test_a_network_fault_is_not_called_a_bad_token(
    program: Program, env: World, api_url: str, words: str
) -> None:
    text = (env.folder / "signalbox.toml").read_text().replace(env.ws.api_url, api_url)
    (env.folder / "away.toml").write_text(text)
    async with forward_proxy() as proxy:
        environ = env.environ | {"HTTPS_PROXY": proxy.url}
        checked = await program("check", "--config", "away.toml", folder=env.folder, environ=environ)
    assert checked.code == 1
    assert f"FAIL  Slack: {words}" in checked.out, checked
    assert "bot token" not in checked.out
    assert any(line.startswith("ok    backend acc") for line in checked.out.splitlines()), checked


async def test_a_refused_token_is_named(program: Program, env: World) -> None:
    checked = await program(
        "check", folder=env.folder, environ=env.environ | {"SLACK_BOT_TOKEN": "xoxb-wrong-not-a-secret"}
    )
    assert "FAIL  Slack: Slack refuses the bot token (invalid_auth)" in checked.out


async def test_all_faults_are_reported_in_one_run(program: Program, env: World) -> None:
    text = (env.folder / "signalbox.toml").read_text()
    more = (
        '[[backend]]\nname = "two"\nkind = "sequentum"\nbase_url = "http://10.9.9.9:1"\ntoken = "env:NONE"\n'
        '[[backend]]\nname = "three"\nkind = "nosuch"\n'
    )
    (env.folder / "more.toml").write_text(text.replace('"policy.toml"', '"broken.toml"') + more)
    (env.folder / "broken.toml").write_text("version = 1\n[[channel]]\nid = 5\n")
    checked = await program("check", "--config", "more.toml", folder=env.folder, environ=env.environ)
    failed = [line for line in checked.out.splitlines() if line.startswith("FAIL")]
    assert checked.code == 1
    for word in ("rules: ", "[backend two] base_url: ", "[backend two] token: ", "[backend three] "):
        assert any(word in line for line in failed), checked
    assert checked.out.startswith("FAIL  [backend two] "), checked  # the configuration comes before what depends on it
    assert any(line.startswith("ok    backend acc") for line in checked.out.splitlines()), checked


async def test_a_mistyped_table_and_a_mistyped_kind_are_named_in_one_run(program: Program, env: World) -> None:
    text = (env.folder / "signalbox.toml").read_text()
    (env.folder / "typos.toml").write_text(
        f'{text}\n[[backend]]\nname = "two"\nkind = "sequntum"\n[polcy]\nfile = "x"\n'
    )
    checked = await program("check", "--config", "typos.toml", folder=env.folder, environ=env.environ)
    assert checked.code == 2
    assert "unknown key `polcy`; did you mean `policy`?" in checked.out
    assert '[backend two] kind = "sequntum" is unknown; did you mean `sequentum`?' in checked.out


async def test_all_missing_variables_are_named_in_one_run(program: Program, env: World) -> None:
    """Slack's tokens and those of the control planes, although nothing else can be checked without them."""
    environ = {name: value for name, value in env.environ.items() if not name.endswith("_TOKEN")}
    checked = await program("check", folder=env.folder, environ=environ)
    assert checked.code == 2
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "ACC_TOKEN"):
        assert f"the environment variable {name} is empty" in checked.out, checked


@asynccontextmanager
async def tls_before(port: int, folder: Path) -> AsyncIterator[int]:
    """A TLS server for `acc.corp.example` that asks for a client certificate and passes everything on to that port; writes
    its authority and the bot's certificate and key into the folder."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    issued = authority.issue_cert("bot@corp.example")
    issued.cert_chain_pems[0].write_to_path(str(folder / "bot.pem"))
    issued.private_key_pem.write_to_path(str(folder / "bot.key"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("acc.corp.example").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, to_there), pump(there, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_control_plane_of_a_company_network_is_reached_and_each_fault_of_the_way_is_named(
    program: Program, env: World
) -> None:
    """Through a proxy, over TLS of a private authority that asks for a client certificate; then each of them left out."""
    port = int(env.acc.base_url.rpartition(":")[2])
    own = 'ca_file = "authority.pem"\n'
    shows = 'client_cert = "bot.pem"\nclient_key = "file:bot.key"\n'
    async with tls_before(port, env.folder) as tls, forward_proxy({"acc.corp.example": ("127.0.0.1", tls)}) as proxy:

        async def backend(more: str, *, proxy_url: str = proxy.url, token: str = "ACC_TOKEN") -> str:
            table = (
                f'[[backend]]\nname = "two"\nkind = "sequentum"\nbase_url = "https://acc.corp.example"\n'
                f'token = "env:{token}"\nproxy = "{proxy_url}"\n{more}'
            )
            (env.folder / "corp.toml").write_text((env.folder / "signalbox.toml").read_text() + table)
            environ = env.environ | {"WRONG": "wrong-not-a-secret"}
            checked = await program("check", "--config", "corp.toml", folder=env.folder, environ=environ)
            assert f"network: two (acc.corp.example) is reached through {proxy_url} (proxy)" in checked.out, checked
            return next(line for line in checked.out.splitlines() if "backend two" in line)

        assert (await backend(own + shows)).startswith("ok ")
        assert "its certificate isn't accepted" in await backend(shows)
        without = await backend(own)
        assert without.startswith("FAIL")
        assert "token" not in without
        assert "the proxy can't be reached" in await backend(own + shows, proxy_url="http://127.0.0.1:9")
        refused = await backend(own + shows, token="WRONG")
    assert refused.startswith("FAIL")
    assert "401" in refused


async def test_plain_http_is_warned_about(program: Program, env: World) -> None:
    """It is reached through a proxy here, because tests don't leave the machine."""
    async with forward_proxy() as proxy:
        table = (
            f'[[backend]]\nname = "two"\nkind = "sequentum"\nbase_url = "http://itential:3000"\nallow_http = true\n'
            f'token = "env:ACC_TOKEN"\nproxy = "{proxy.url}"\n'
        )
        (env.folder / "http.toml").write_text((env.folder / "signalbox.toml").read_text() + table)
        checked = await program("check", "--config", "http.toml", folder=env.folder, environ=env.environ)
    assert "warn  backend two: plain http" in checked.out
    assert f"ok    network: two (itential) is reached through {proxy.url} (proxy)" in checked.out


async def test_a_review_that_nobody_could_close_is_warned_of_here_and_by_doctor(program: Program, env: World) -> None:
    """A single administrator is warned of. With a second one there is no warning."""
    says = "nobody can review their own break-glass: name a second person"
    checked = await program("check", folder=env.folder, environ=env.environ)
    assert any(line.startswith("warn") and says in line for line in checked.out.splitlines()), checked
    await env.does("doctor", "1 problem found", says, user="U0ROOT")
    (env.folder / "policy.toml").write_text(OPEN_POLICY.replace('admins = ["U0ROOT"]', 'admins = ["U0ROOT", "U0LEE"]'))
    checked = await program("check", folder=env.folder, environ=env.environ)
    assert says not in checked.out


async def test_a_rule_that_names_nothing_is_warned_of(program: Program, env: World) -> None:
    """A deny of a verb that nothing has would forbid nothing."""
    deny = '[[channel.deny]]\nverbs = ["strat"]\n[administrators]'
    (env.folder / "policy.toml").write_text(OPEN_POLICY.replace("[administrators]", deny))
    checked = await program("check", folder=env.folder, environ=env.environ)
    assert "warn  rules: line 13: no configured backend has the verb `strat`" in checked.out, checked
    assert checked.code == 0


async def test_check_refuses_an_older_store_as_run_does(program: Program, env: World) -> None:
    """An old copy of the file beside the newer head."""
    await env.bot.close()
    store, old = env.folder / "signalbox.db", (env.folder / "signalbox.db").read_bytes()
    await env.start()
    await env.bot.close()
    store.write_bytes(old)
    for ended in (
        await program("check", folder=env.folder, environ=env.environ),
        await program("run", folder=env.folder, environ=env.environ),
    ):
        assert ended.code == 1, ended
        assert "signalbox.db is not the file of the last run" in ended.out + ended.err


async def test_check_refuses_a_folder_for_files_that_cannot_be_written_as_run_does(
    program: Program, env: World
) -> None:
    """A file is in its place."""
    await env.bot.close()
    shutil.rmtree(env.folder / "signalbox.spool")
    (env.folder / "signalbox.spool").write_text("in the way")
    for ended in (
        await program("check", folder=env.folder, environ=env.environ),
        await program("run", folder=env.folder, environ=env.environ),
    ):
        assert ended.code == 1, ended
        assert (
            "The folder signalbox.spool for files that wait for their upload can't be written" in ended.out + ended.err
        )
        assert "Traceback" not in ended.err
