"""A secret that a person types anywhere comes back nowhere: in no call to Slack (messages, buttons, modals) and in no row."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.scenarios.test_two_worlds import settled
from tests.world import World, labels, shown, stored, world

RULES = """\
version = 1
[groups]
admins = ["U0ROOT", "U0LEE"]
[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["agent approve", "agent disapprove"]
  targets = ["*"]
  who = ["U0ANA", "U0RUI"]
  approvals = { count = 1, from = ["admins"] }
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["U0ANA"]
[administrators]
who = ["admins"]
[breakglass]
who = ["U0LEE", "U0ROOT"]
"""
Act = Callable[[World, str], Awaitable[None]]


async def press(env: World, user: str, label: str, channel: str = "C0CRAWL") -> None:
    """Press the newest button with this label that the person sees."""
    person = env.person(user)
    message = next(one for one in reversed(person.messages(channel)) if label in labels(one))
    await person.press_label(channel, message["ts"], label, seen=message)
    await settled(env)


async def submit(env: World, user: str, **values: str) -> None:
    """Fill in the modal that is open for the person and send it."""
    person = env.person(user)
    await person.wait_for(lambda one: one.modal())
    assert (await person.submit("modal", values)).acked
    await settled(env)


async def filled_in(env: World, secret: str) -> None:
    """`Fill in` offers what was typed again, in a modal that changes while the person types."""
    await env.say(f"start acc:shop/prices log_level=9 input.{secret} -- {secret}")
    await settled(env)
    await press(env, "U0ANA", "Fill in")
    await env.ana.wait_for(lambda one: one.modal())
    await env.ana.enter("modal", {"param:input": secret, "reason": secret})
    await env.ana.choose("modal", action_id="suggest_verb", block_id="verb", value="status")
    await env.ana.choose("modal", action_id="suggest_verb", block_id="verb", value="start")
    await settled(env)
    assert (await env.ana.submit("modal", {"param:log_level": "2", "param:input": secret, "reason": secret})).acked


async def preflight(env: World, secret: str) -> None:
    """Shown first, and cancelled."""
    await env.say(f"schedule delete acc:shop/prices -- {secret}")
    await settled(env)
    await press(env, "U0ANA", "Cancel")


async def shortcut(env: World, secret: str) -> None:
    """The modal of a message shortcut starts with the message as the reason, or with its command."""
    for text in (f"shop/prices fails with {secret}", f"start acc:shop/prices input.{secret} -- {secret}"):
        await env.person("U0RUI").post("C0CRAWL", text)
        await settled(env)
        ts = next(one["ts"] for one in reversed(env.ana.messages("C0CRAWL")) if one["user"] == "U0RUI")
        await env.ana.message_shortcut("work_on_message", "C0CRAWL", ts)
        await env.ana.wait_for(lambda one: one.modal())
        await env.ana.close()


async def step(env: World, secret: str) -> None:
    """A step of a workflow, and one that can't be read."""
    for command in (f"start acc:shop/prices -- {secret}", f"strat acc:shop/prices input.{secret}"):
        await env.ana.run_step("run_operation", {"command": command, "channel": "C0CRAWL", "user": "U0ANA"})
        await settled(env)


async def approval(env: World, secret: str) -> None:
    """Denied with a reason; shown on the Home tab of the people who decide meanwhile; asked again and cancelled."""
    await env.say(f"agent approve acc:labs/new -- {secret}")
    await settled(env)
    await env.person("U0LEE").open_home()
    await settled(env)
    await press(env, "U0LEE", "Deny")
    await submit(env, "U0LEE", reason=f"no, {secret}")
    await env.say(f"agent approve acc:labs/new -- again {secret}")
    await settled(env)
    await press(env, "U0ANA", "Cancel")


async def joined(env: World, secret: str) -> None:
    """A second person asks for what waits already, with a reason of their own."""
    for user, why in (("U0ANA", "month end"), ("U0RUI", secret)):
        await env.say(f"agent approve acc:labs/new -- {why}", user=user)
        await settled(env)
    await press(env, "U0LEE", "Approve")


async def wanted(env: World, secret: str) -> None:
    """`Ask for it` on a denial becomes a grant, whose card has the reason."""
    await env.say(f"start acc:shop/stock -- {secret}", user="U0RUI")
    await settled(env)
    await press(env, "U0RUI", "Ask for it")
    await submit(env, "U0RUI", reason=f"please, {secret}")
    await press(env, "U0LEE", "Approve")


async def grant(env: World, secret: str) -> None:
    """A grant and its end; one whose target holds the secret is refused."""
    await env.say(f"grant @rui start acc:labs/new for=1h -- {secret}", user="U0LEE")
    await env.say(f"grant @rui start acc:{secret} for=1h -- r", user="U0LEE")
    await settled(env)
    await press(env, "U0LEE", "Revoke")


async def breakglass(env: World, secret: str) -> None:
    """Opened, ended, and reviewed with a note."""
    await env.say(f"breakglass for=5m -- {secret}", user="U0LEE")
    await settled(env)
    await press(env, "U0LEE", "End it now")
    await press(env, "U0ROOT", "Close review", "C0SEC")
    await submit(env, "U0ROOT", note=f"it was right, {secret}")


TYPED = (
    "start acc:shop/prices input.{0} -- {0}",
    "start acc:labs/broken input.{0} -- {0}",
    "schedule off acc:shop/prices for=2h -- {0}",
    "schedule on acc:shop/prices -- {0}",
    "logs acc:shop/prices@last grep={0}",
    "incident open INC-1 -- {0}",
    "incident close -- {0}",
    'why "start acc:shop/prices input.{0} -- {0}"',
    "audit {0}",
    "star acc:shop/{0}",
    "start acc:no/such input.{0} -- {0}",
)


async def typed(env: World, secret: str) -> None:
    """Commands whose cards offer to run them again, and answers that repeat what was asked."""
    for words in TYPED:
        await env.say(words.format(secret))
        await settled(env)
    await env.until(lambda: env.events("start").count("ended") == env.events("start").count("sent"))
    for user in ("U0ANA", "U0LEE"):
        await env.person(user).open_home()
    await settled(env)


PATHS: dict[str, Act] = {
    one.__name__: one
    for one in (typed, filled_in, preflight, shortcut, step, approval, joined, wanted, grant, breakglass)
}


@pytest.mark.parametrize("name", PATHS)
async def test_a_typed_secret_comes_back_nowhere(tmp_path: Path, name: str) -> None:
    """A line that looks like a secret, and one that is configured, as the parameter and the reason of each path."""
    async with world(tmp_path, policy=RULES, agents=True, speed=60.0) as env:
        configured = env.environ["ACC_TOKEN"]
        for text, secret in (("password=correct-horse-7-battery", "horse-7"), (f"note={configured}", configured)):
            await PATHS[name](env, text)
            await settled(env)
            calls = [json.dumps(one.args) for one in env.ws.calls if secret in json.dumps(one.args)]
            assert calls == []
            rows = await stored(env.bot.store)
            assert secret not in rows, [
                rows[at.start() - 300 : at.end() + 30] for at in re.finditer(re.escape(secret), rows)
            ]


@pytest.mark.parametrize("secret", ["long-secret-of-the-configuration-" + "0123456789" * 5, "tick`ed-secret-7"])
async def test_a_configured_secret_that_a_sentence_would_cut_or_change_stays_masked(env: World, secret: str) -> None:
    """A sentence shows a typed word on one line, cut, and without backticks."""
    env.bot.built.secrets.configure(secret)
    for words in ("start acc:shop/prices timeout={}", "{} now", "start acc:shop/prices {}", "policy {}"):
        await env.say(words.format(secret))
        await settled(env)
    said = "".join(json.dumps(one.args) for one in env.ws.calls) + await stored(env.bot.store)
    assert "[redacted]" in said
    assert secret[:20] not in said
    assert secret.replace("`", "'") not in said


async def test_a_run_with_a_secret_is_never_run_again_with_its_mask(env: World) -> None:
    """The secret isn't kept, so its card has no *Run again*; a mask that is typed or pressed is refused."""
    for given, again in (("input.region=x", True), ("input.password=correct-horse-7", False)):
        await env.does(f"start acc:shop/prices {given} -- go", "Succeeded")
        await settled(env)
        card = next(one for one in reversed(env.ana.messages("C0CRAWL")) if "start acc:shop/prices" in shown(one))
        assert ("Run again" in labels(card)) is again
    await env.does("start acc:shop/prices input.password=[redacted]", "A masked value isn't kept")
    assert len([one for one in env.acc.requests if one.raw_path.endswith("/cluster/start")]) == 2


async def test_a_target_whose_name_looks_like_a_secret_keeps_its_name_and_typed_secrets_stay_masked(
    tmp_path: Path,
) -> None:
    """The control plane has that agent, so its name is on a button and in the timeline; what was only typed isn't."""
    async with world(tmp_path, policy=RULES) as env:
        env.acc.add_agent("password/reset_2024")
        await env.does("start acc:password/reset_2024", "start acc:password/reset_2024", "Succeeded")
        offered = await env.does("strat acc:password/reset_2024", "Did you mean this?")
        assert labels(offered) == ["start acc:password/reset_2024"]
        await press(env, "U0ANA", "start acc:password/reset_2024")
        await env.until(lambda: [effect.action for effect in env.acc.effects].count("start") == 2)
        timeline = await env.does("timeline", "Timeline since", "start acc:password/reset_2024 started")
        assert "[redacted]" not in shown(timeline)
        await env.does("audit", "Audit log", "password/reset_2024 was started.")
        typed = await env.does("strat acc:password/reset_2024 -- password/hunter22", "Did you mean this?")
        assert "hunter22" not in shown(typed)
        for words in ("strat acc:password/hunter22", "start acc:password/hunter22"):
            assert "hunter22" not in shown(await env.does(words, "password/[redacted]"))
        assert "hunter22" not in await stored(env.bot.store)
