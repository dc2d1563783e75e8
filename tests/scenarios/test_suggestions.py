"""What is offered for mistyped commands and for sentences, as buttons that run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.playground.planes.demo import demo_planes
from tests.scenarios.steps import mention
from tests.scenarios.test_lost_starts import begin
from tests.world import World, shown, world


def labels(message: dict[str, Any]) -> list[str]:
    return [
        element["text"]["text"]
        for block in message.get("blocks", ())
        if block["type"] == "actions"
        for element in block["elements"]
    ]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("start shop/prices", "start acc:shop/prices"),
        ("acc:shop/prices start", "start acc:shop/prices"),
        ("START ACC:SHOP/PRICES", "start acc:shop/prices"),
        ("start", "start acc:shop/prices"),
        ("notify me when prices fails", "watch acc:shop/prices"),
        ("can I start prices?", "why start acc:shop/prices"),
        ("why did prices fail?", "logs acc:shop/prices@last"),
        ("pause acc:shop/prices", "schedule off acc:shop/prices"),
        ("end the pause of shop/prices", "schedule on acc:shop/prices"),
        ("start acc:shop/prices regin=north", "start acc:shop/prices input.region=north"),
        ("strat acc:shop/prices -- monthly check", "start acc:shop/prices -- monthly check"),
        ("scheduel off acc:shop/prices for=1h", "schedule off acc:shop/prices for=1h"),
        ("schedule fof acc:shop/prices", "schedule off acc:shop/prices"),
        ("schedule-off acc:shop/prices", "schedule off acc:shop/prices"),
        ("logs acc:shop/prices@last tial=30", "logs acc:shop/prices@last tail=30"),
        ("schedule prices", "schedules acc:shop/prices"),
        ("start acc:shop/prices stocktake for June", "start acc:shop/prices -- stocktake for June"),
        ("start acc:shop/prices now please", "start acc:shop/prices"),
        ("cancel the pause of prices", "schedule on acc:shop/prices"),
        ("end my pause", "pauses"),
        ("cancel the request", "approvals"),
        ("please approve my request", "approvals"),
        ("cancel", "status"),
        ("stop it", "status"),
        ("export audit", "audit"),
        ("please give me access to prices", "whoami"),
        ("how do i pause prices until monday", "help schedule off"),
        ("what happened in this channel today?", "timeline"),
        ("rerun the failed one", "retry acc:shop/prices@failed"),
        ("show me the log of the last failed run", "logs acc:shop/prices@failed"),
        ("bitte shop/prices jetzt starten", "start acc:shop/prices"),
        ("Show me the failures of today", "timeline"),
        ("what did I approve?", "audit user=@Ana Alves event=approved"),
        ("what did <@U0ANA> do today?", "audit user=@Ana Alves since=24h"),
        ("what did @Ana do today?", "audit user=@Ana Alves since=24h"),
        ("show the audit log of Ana", "audit user=@Ana Alves"),
        ("what did Nobodyhere do today?", "help audit"),
        ("who are the administrators?", "whoami"),
        ("show me the break-glass reviews", "audit event=reviewed"),
        ("how do I revoke a grant?", "help revoke"),
        ("revoke Ana's grant on mark", "grants"),
        ("audit event=", "audit"),
        ("frobnicate", "help"),
        ("start nope:thing", "help"),
    ],
)
async def test_the_first_button_is_what_was_meant(env: World, typed: str, first: str) -> None:
    await env.does("start acc:shop/prices input.region=south", "start acc:shop/prices")
    await env.say(typed)

    def offered(person: Any) -> list[str] | None:
        newest = person.messages("C0CRAWL")[-1]
        return labels(newest) if newest.get("is_ephemeral") else None

    buttons = await env.ana.wait_for(offered)
    assert buttons[0] == first


@pytest.mark.parametrize(
    ("before", "typed", "first"),
    [
        ("schedule off acc:shop/prices for=2h", "turn off the schedules for prices", "schedule off acc:shop/prices"),
        (
            "schedule off acc:shop/prices for=2h",
            "disable schedules for prices for 3 hours",
            "schedule off acc:shop/prices for=3h",
        ),
        (
            'schedule off acc:shop/prices until="tomorrow 23:00"',
            "pause prices until the shop opens",
            'schedule off acc:shop/prices until="the shop opens"',  # which a press refuses
        ),
        ("history acc:shop/prices as=run", "show the history of prices as usual", "history acc:shop/prices"),
        ("history acc:shop/prices count=5", "count the runs of prices please", "history acc:shop/prices"),
    ],
)
async def test_a_word_of_a_sentence_is_no_value_that_its_parameter_does_not_take(
    env: World, before: str, typed: str, first: str
) -> None:
    """Someone gave the parameter for this target before, and the sentence has its name as an ordinary word."""
    await env.does(before, before.partition(":")[2].split()[0])
    assert labels(await env.does(typed, "Did you mean this?"))[0] == first


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("history acc:shop/prices --count 3", "history acc:shop/prices count=3"),
        ("schedule off acc:shop/prices --for 2h", "schedule off acc:shop/prices for=2h"),
    ],
)
async def test_a_parameter_as_on_a_command_line_is_offered_as_it_is_written_here(
    env: World, typed: str, offered: str
) -> None:
    """And not run: the words after the dashes may be a reason."""
    await env.does("start acc:shop/prices", "start acc:shop/prices")
    assert labels(await env.does(typed, "Did you mean this?")) == [offered]


@pytest.mark.parametrize(
    "typed",
    [
        "history acc:shop/prices count=ten rows",
        "retry acc:shop/prices@last method=Any way",
        "start acc:shop/prices foo=a b",
    ],
)
async def test_a_correction_that_would_be_refused_is_no_button(env: World, typed: str) -> None:
    await env.say(typed)
    refused = await env.sees("I can't read this command")
    assert labels(refused) == []


async def test_a_question_is_answered_without_the_word_that_is_not_a_verb(env: World) -> None:
    await env.does("start acc:shop/prices", "start acc:shop/prices")
    answer = await env.does("why did shop/prices fail", "Did you mean this?")
    assert shown(answer).split("\n")[0] == "Did you mean this?"
    assert "is not a verb" not in shown(answer)
    assert "shows what you can do" not in shown(answer)
    assert "lists what you can do" not in shown(answer)
    assert labels(answer)[0] == "logs acc:shop/prices@last"


async def test_a_freeze_is_explained_where_someone_types_it(env: World) -> None:
    card = await env.does("freeze acc: for=2h", "Freezes are part of the rules", "`[[freeze]]`")
    assert labels(card) == ["policy"]


async def test_a_mistyped_verb_is_offered_although_it_needs_a_field_that_its_form_asks_for(tmp_path: Path) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        refused = await env.does("gatway set itn:gateway/cluster_1", "Did you mean this?")
        assert labels(refused)[0] == "gateway set itn:gateway/cluster_1"


async def test_a_pasted_link_to_a_console_means_what_it_shows(tmp_path: Path) -> None:
    """Also where the id in it has no shape that tells whose it is."""
    async with world(tmp_path, only=("infa",), agents=True) as env:
        card = await env.does("status infa:task/load_orders", "Open in Informatica")
        (link,) = [one["url"] for block in card["blocks"] for one in block.get("elements", ()) if "url" in one]
        asked = await env.does(f"can you start <{link}|that task> please", "Did you mean this?")
        assert labels(asked)[0] == "start infa:task/load_orders"
        asked = await env.does(f"strat load_orders -- see {link}", "Did you mean this?", "see http")
        assert link in shown(asked)


async def test_a_link_to_a_run_is_not_read_as_its_agent(tmp_path: Path) -> None:
    """A run that nobody started here, under an agent that is known: `@failed` would be another run."""
    run = "01234567-0123-4123-8123-0123456789ab"
    async with world(tmp_path, only=("acc",)) as env:
        await env.does("start acc:shop/prices", "Started")
        agent = env.audit(verb="start", event="done")[0].target_id
        asked = await env.does(f"please retry <https://acc.example.com/agent/{agent}/run/{run}>", "Did you mean this?")
        assert labels(asked)[0] == f"retry acc:run/{run}"


async def test_no_run_is_picked_of_a_whole_control_plane(tmp_path: Path) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        assert labels(await env.does("retry itn:", "`retry` works on a job")) == ["status itn:"]
        assert labels(await env.does("history itn:", "`itn` doesn't support `history`"))[0] == "jobs itn:"


async def test_what_a_vendor_cannot_do_is_said_with_a_link_to_its_console(tmp_path: Path) -> None:
    async with world(tmp_path, only=("itn", "pre")) as env:
        await env.does("status itn:my-tofu-service", "my-tofu-service", "cluster_1")
        refused = await env.does("delete itn:cluster_1/my-tofu-service", "`itn` doesn't support `delete`", "Itential")
        assert "/ops help itn" in shown(refused)
        assert "These do" not in shown(refused)
        assert "Open in Itential" in labels(refused)


async def test_a_parameter_is_corrected_by_what_the_configuration_and_the_vendor_know_of_it(tmp_path: Path) -> None:
    """Before anyone has used it in a channel."""
    async with world(tmp_path, only=("acc", "itn"), agents=True) as env:
        refused = await env.does("start acc:shop/prices regin=north", "`regin` is not a parameter here")
        assert labels(refused)[0] == "start acc:shop/prices input.region=north"
        refused = await env.does("start itn:my-tofu-service acton=apply", "`acton` is not a parameter here")
        assert labels(refused)[0] == "start itn:cluster_1/my-tofu-service param.action=apply"


async def test_after_a_wrong_parameter_no_button_names_another_target(tmp_path: Path) -> None:
    """The target was typed in full and exists, so its neighbours were not meant, however alike their names are."""
    wrong = {
        "start itn:cluster_1/my-tofu-service action=apply": "itn:cluster_1/my-tofu-service",
        "start itn:my-tofu-service action=apply": "itn:cluster_1/my-tofu-service",
        'status infa:eu-1/"Data Integration Server" action=apply': 'infa:"eu-1/Data Integration Server"',
        "history acc:shop/prices action=apply": "acc:shop/prices",
        "status pre:invoice-reader action=apply": "pre:invoice-reader",
    }
    async with world(tmp_path, only=("acc", "infa", "itn", "pre"), agents=True) as env:
        for backend in ("infa", "itn", "pre"):
            await env.does(f"targets {backend}:", f"Targets of {backend}")
        await env.does("status acc:shop/prices-eu", "shop/prices-eu")
        for typed, target in wrong.items():
            offered = labels(await env.does(typed, "`action` is not a parameter here"))
            commands = [label for label in offered if ":" in label]
            assert [one for one in commands if f" {target}" not in one] == [], typed


async def test_a_question_in_words_gets_the_command_as_a_button(env: World) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    await env.ana.post("C0CRAWL", "@signalbox hello, can you restart the prices agent please?")
    message = await env.sees("restart acc:shop/prices@last")
    assert labels(message)[0] == "restart acc:shop/prices@last"
    assert "Attention" not in shown(message)


@pytest.mark.parametrize(
    "typed", ["please status acc:shop/prices", "• status acc:shop/prices", '"status" acc:shop/prices']
)
async def test_politeness_a_bullet_and_quotes_around_a_word_change_nothing(env: World, typed: str) -> None:
    """A read runs."""
    await env.does("status acc:shop/prices", "shop/prices")
    before = len(env.audit(verb="status"))
    await env.say(typed)
    await env.until(lambda: len(env.audit(verb="status")) > before)


@pytest.mark.parametrize(
    "typed", ["please start acc:shop/prices", "• start acc:shop/prices", '"start" acc:shop/prices']
)
async def test_a_change_in_such_words_is_offered(env: World, typed: str) -> None:
    """It runs only when the person presses the button."""
    await env.does("status acc:shop/prices", "shop/prices")
    await env.say(typed)

    def offered(person: Any) -> list[str] | None:
        newest = person.messages("C0CRAWL")[-1]
        return labels(newest) if newest.get("is_ephemeral") else None

    buttons = await env.ana.wait_for(offered)
    assert buttons[0] == "start acc:shop/prices"
    assert not env.acc.effects


async def test_help_names_a_run_by_its_agent(env: World) -> None:
    """What was done to a run is offered for its agent: nobody knows an id by heart."""
    card = await env.does("start acc:labs/broken", "2 of 40 pages failed")
    await env.ana.press_label("C0CRAWL", card["ts"], "Log", seen=card)
    await env.until(lambda: "done" in env.events("logs"))
    offered = labels(await env.does("help", "What you can do here"))
    assert not [label for label in offered if "acc:run/" in label]
    assert "logs acc:labs/broken@last" in offered


async def test_a_verb_without_a_target_offers_what_it_can_be_done_to(tmp_path: Path) -> None:
    """First the run in progress here, then other targets; never another verb, such as the status of what can't be stopped."""
    async with world(tmp_path, planes=demo_planes, only=("acc", "infa", "itn"), agents=True) as env:
        offered = labels(await env.does("stop", "`stop` needs a target"))
        assert offered
        assert all(label.startswith("stop infa:") for label in offered)
        await env.does("start itn:check-links", "Running")
        first, *others = labels(await env.does("stop", "`stop` needs a target", "stop itn:"))
        assert first.startswith("stop itn:job/")
        assert all(label.startswith("stop infa:") for label in others)


async def offered(env: World, typed: str) -> list[str]:
    """The buttons of the answer to it."""
    await env.quiet()
    before = len(env.ana.messages("C0CRAWL"))
    await env.say(typed)
    return labels(await env.ana.wait_for(lambda person: next(iter(person.messages("C0CRAWL")[before:]), None)))


async def test_a_sentence_about_all_runs_is_offered_no_ids_and_one_about_a_targets_runs_that_target(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, planes=demo_planes, only=("acc", "infa"), agents=True) as env:
        await env.does("start acc:labs/slow", "start acc:labs/slow", "Running")
        await env.does("status infa:task/load_orders", "load_orders")
        assert await offered(env, "status everything") == ["status"]
        assert (await offered(env, "stop all runs of load_orders"))[0] == "stop infa:task/load_orders"


async def test_a_target_without_its_backend_leaves_no_other(tmp_path: Path) -> None:
    """Not the schedules of Informatica, whose names have the word `schedule`."""
    async with world(tmp_path, planes=demo_planes, only=("acc", "infa"), agents=True) as env:
        await env.does("targets infa:", "nightly")
        (only,) = await offered(env, "turn off the schedule of shop/prices until the release is done")
        assert only == 'schedule off acc:shop/prices until="the release is done"'


async def test_a_value_that_is_almost_one_of_those_that_a_parameter_takes_is_corrected(env: World) -> None:
    await env.does("mark acc:shop/prices as=success", "takes one of")
    assert (await offered(env, "mark acc:shop/prices as=success"))[0] == "mark acc:shop/prices as=succeeded"


@pytest.mark.parametrize(
    ("typed", "says", "offered"),
    [
        ("logs infa:task/load_orders@failed", "the newest job of the task counts", "logs infa:task/load_orders"),
        ("status infa:task/load_orders@last", "can't pick a run by `@last`", "status infa:task/load_orders"),
        ("logs itn:cluster_1/check-links@failed", "has no failed job", "logs itn:cluster_1/check-links"),
        ("retry itn:cluster_1/check-links@failed", "has no failed job", "status itn:cluster_1/check-links"),
        ("stop itn:check-links@running", "has no running job", "status itn:cluster_1/check-links"),
        ("status itn:gateway/cluster_1@failed", "can't pick a run by `@failed`", "status itn:gateway/cluster_1"),
    ],
)
async def test_where_no_run_can_be_picked_the_next_step_is_offered(
    tmp_path: Path, typed: str, says: str, offered: str
) -> None:
    async with world(tmp_path, only=("infa", "itn")) as env:
        for target in ("infa:task/load_orders", "itn:cluster_1/check-links"):
            await env.does(f"status {target}", target)
        assert labels(await env.does(typed, "Nothing was done", says))[0] == offered


@pytest.mark.parametrize("verb", ["stop", "pause"])
async def test_what_is_stopped_or_paused_is_the_job_that_runs(tmp_path: Path, verb: str) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("status itn:cluster_1/check-links", "check-links")
        refused = await env.does(f"{verb} itn:cluster_1/check-links", "Nothing was done")
        assert labels(refused)[0] == f"{verb} itn:cluster_1/check-links@running"


async def test_a_job_of_a_service_is_picked_as_a_run_of_an_agent_is(tmp_path: Path) -> None:
    """The newest failed one; the card names it."""
    async with world(tmp_path, planes=demo_planes, only=("itn",), agents=True) as env:
        await env.does("start itn:cluster_1/check-links", "start itn:cluster_1/check-links", "Error")
        job = env.planes["itn"].jobs[-1]
        await env.does("status itn:cluster_1/check-links@latest", job.job_id[-6:], "Error")
        await env.does("retry itn:cluster_1/check-links@failed", "retry", job.job_id[-6:], "Complete")
        await env.does("logs itn:cluster_1/check-links@running", "has no running job")


async def test_the_retry_of_an_older_failed_job_of_a_service_asks_first(tmp_path: Path) -> None:
    async with world(tmp_path, planes=demo_planes, only=("itn",), agents=True) as env:
        await env.does("start itn:cluster_1/check-links", "start itn:cluster_1/check-links", "Error")
        await env.does("start itn:cluster_1/check-links", "start itn:cluster_1/check-links", "Complete")
        failed, newest = (job.job_id[-6:] for job in env.planes["itn"].jobs[-2:])
        await env.does("retry itn:cluster_1/check-links@failed", failed, newest, "Run it only if you still want it")


@pytest.mark.parametrize(
    ("plane", "typed", "says"),
    [
        ("acc", "stop", "No control plane here supports `stop`."),
        ("acc", "stop it", "No control plane here supports `stop`."),
        ("acc", "Kill", "No control plane here supports `kill`."),
        ("acc", "pause shop/prices", "No control plane here supports `pause`."),
        ("infa", "retry", "No control plane here supports `retry`."),
        ("itn", "restart", "No control plane here supports `restart`."),
        ("itn", "schedule off", "No control plane here supports `schedule`."),
        ("pre", "start", "No control plane here supports `start`."),
        ("pre", "logs", "No control plane here supports `logs`."),
        ("res", "stop", "No control plane here supports `stop`."),
        ("acc", "help stop", "No control plane here supports `stop`."),
        ("acc", "help sotp", "`sotp` is not a verb or a backend."),
        ("res", "run", "No control plane here supports `run`."),
        ("acc", "sotp", "`sotp` is not a verb."),
        ("acc", "agent aprove", "`agent` is not a verb."),
    ],
)
async def test_a_verb_of_other_control_planes_is_known(tmp_path: Path, plane: str, typed: str, says: str) -> None:
    async with world(tmp_path, only=(plane,)) as env:
        await env.does(typed, says)


async def test_in_a_thread_the_next_step_is_about_its_target(tmp_path: Path) -> None:
    """Not about another one that the words also fit, such as a service that could be stopped."""
    async with world(tmp_path, only=("acc", "infa")) as env:
        await env.does("status infa:agent/eu-1", "Data Integration Server")
        card = await env.does("start acc:shop/stock", "start acc:shop/stock", "Succeeded")
        await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        await mention(env, "stop", thread_ts=card["ts"])
        no = await env.sees("Nothing was done", "doesn't support `stop`")
        assert labels(no) == ["status acc:shop/stock"]
        await mention(env, "wtach", thread_ts=card["ts"])
        assert labels(await env.sees("`wtach` is not a verb"))[0] == "watch acc:shop/stock"


@pytest.mark.parametrize("typed", ["schedule prices", "schedule acc:shop/prices"])
async def test_a_schedule_alone_is_shown_switched_off_or_on(env: World, typed: str) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    offered = labels(await env.does(typed, "schedules acc:shop/prices"))
    assert offered == ["schedules acc:shop/prices", "schedule off acc:shop/prices", "schedule on acc:shop/prices"]


@pytest.mark.parametrize(
    ("typed", "leads"),
    [
        ("help schedule", ["help schedules", "help schedule delete", "help schedule off", "help schedule on"]),
        ("help pause", ["help schedule off"]),
    ],
)
async def test_help_for_what_another_verb_does_leads_to_its_help(env: World, typed: str, leads: list[str]) -> None:
    assert labels(await env.does(typed, typed))[: len(leads)] == leads


@pytest.mark.parametrize(
    "typed", ["start acc:news/feed in an hour", "pause shop/prices this weekend", "start shop/prices at 9"]
)
async def test_what_is_for_a_later_time_is_not_offered_first_and_said_to_run_at_once(env: World, typed: str) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    offer = await env.does(typed, "A command runs as soon as you send it, not at a later time.")
    assert labels(offer)[0].startswith("status ")


@pytest.mark.parametrize(
    "typed",
    [
        "how do i pause shop/prices until monday?",
        "can i pause shop/prices until tomorrow?",
        "restart shop/prices, it's been stuck since 9:15",
    ],
)
async def test_what_asks_for_no_later_time_is_not_said_to_run_at_once(env: World, typed: str) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    assert "not at a later time" not in shown(await env.does(typed, "Did you mean this?"))


async def test_the_history_of_what_has_none_is_among_the_jobs(tmp_path: Path) -> None:
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("status itn:check-links", "check-links")
        assert labels(await env.does("history itn:check-links", "jobs itn:"))[0] == "jobs itn:"


async def test_a_mistyped_input_is_corrected_where_the_inputs_are_known(tmp_path: Path) -> None:
    """Nothing is started; any other name is sent as typed, and so is every name for an agent of unknown inputs."""
    async with world(tmp_path, agents=True) as env:
        typed = "start acc:shop/prices input.curency=EUR input.region=north -- June"
        refused = await env.does(typed, "Did you mean `input.currency`?")
        assert labels(refused)[0] == "Start with input.currency"
        assert env.events("start")[-1] == "failed"
        await env.ana.press_label("C0CRAWL", refused["ts"], labels(refused)[0], seen=refused)
        await env.sees("start acc:shop/prices", "input.currency=EUR", "input.region=north", "June", "Succeeded")
        await env.does("start acc:shop/prices input.speed=2", "input.speed=2", "Succeeded")
        await env.does("start acc:shop/stock input.curency=EUR", "input.curency=EUR", "Succeeded")


async def test_an_input_that_the_newest_runs_have_is_sent_as_typed(tmp_path: Path) -> None:
    async with world(tmp_path, agents=True) as env:
        begin(env, '{"currency2": "EUR"}')
        await env.does("start acc:shop/prices input.currency2=USD", "input.currency2=USD", "Succeeded")
        await env.does("start acc:shop/prices input.curency=EUR", "Did you mean `input.currency`?")


async def test_of_two_slips_of_one_input_neither_value_is_chosen(tmp_path: Path) -> None:
    async with world(tmp_path, agents=True) as env:
        two = "start acc:shop/prices input.curency=EUR input.currencyy=USD"
        refused = await env.does(two, "Did you mean `input.currency`?")
        assert not [label for label in labels(refused) if label.startswith("Start")]


async def test_a_grant_in_words_is_for_the_only_person_of_that_name(env: World) -> None:
    """The button has the name, and what it runs is about that person."""
    await env.does("status acc:shop/prices", "shop/prices", user="U0RUI")
    for name in ("Rui", "RUI"):
        words = f"let {name} start shop/prices for an hour because I am out"
        offered = await env.does(words, "Did you mean this?", user="U0ROOT")
        assert labels(offered) == ["grant @Rui Reis start acc:shop/prices for=1h -- I am out"]
    await env.person("U0ROOT").press_label("C0CRAWL", offered["ts"], labels(offered)[0], seen=offered)
    await env.sees("Granted: start on acc:shop/prices", "<@U0RUI>", "I am out")


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("let @rui start shop/prices for an hour", "grant <@U0RUI> start acc:shop/prices for=1h"),
        ("emergency", "breakglass"),
    ],
)
async def test_a_built_in_command_that_lacks_its_reason_is_a_text_to_complete(
    env: World, typed: str, command: str
) -> None:
    """A button would be refused at its press; the person in the text is a mention, which can be copied."""
    await env.does("status acc:shop/prices", "shop/prices", user="U0RUI")
    offered = await env.does(typed, f"/ops {command} -- why", user="U0ROOT")
    assert not [label for label in labels(offered) if label.startswith(command[:5])]


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("breakglass --for 30m", "/ops breakglass for=30m -- why"),
        ("breakglass --reason outage", "breakglass -- outage"),
        ("grant <@U0RUI> start acc:shop/prices --for 2h", "/ops grant <@U0RUI> start acc:shop/prices for=2h -- why"),
    ],
)
async def test_a_parameter_of_a_built_in_command_may_be_written_as_on_a_command_line(
    env: World, typed: str, command: str
) -> None:
    await env.does("status acc:shop/prices", "shop/prices", user="U0RUI")
    offered = await env.does(typed, "breakglass" if "break" in typed else "grant", user="U0ROOT")
    assert command in [*labels(offered), *shown(offered).replace("`", "\n").split("\n")]


async def test_a_command_that_is_too_long_for_a_button_can_be_typed_as_it_is_shown(env: World) -> None:
    reason = "the prices of the whole autumn collection have changed since yesterday"
    offered = await env.does(f"strat acc:shop/prices -- {reason}", "Did you mean")
    assert f"```\n/ops start acc:shop/prices -- {reason}\n```" in shown(offered)


async def test_a_sentence_about_somebody_whom_the_bot_has_not_seen_asks_for_a_mention(env: World) -> None:
    await env.does("status acc:shop/prices", "shop/prices", user="U0ROOT")
    for typed, verb in (("let Zoe start shop/prices for an hour", "grant"), ("why can't Zoe start prices?", "why")):
        offered = await env.does(typed, "Mention them with `@`", user="U0ROOT")
        assert labels(offered) == [f"help {verb}"]


async def test_a_grant_in_words_is_for_none_of_several_people_of_that_name(env: World) -> None:
    env.ws.core.state.users["U0LEE"].real_name = "Rui Lopes"
    for user in ("U0RUI", "U0LEE"):
        await env.does("status acc:shop/prices", "shop/prices", user=user)
    offered = await env.does("let Rui start shop/prices for an hour", "Mention them with `@`", user="U0ROOT")
    assert labels(offered) == ["help grant"]


async def test_a_grant_in_words_is_for_no_guest_by_name(env: World) -> None:
    """The member of that name may not have used the bot yet. A mention of the guest counts."""
    env.ws.core.state.users["U0GUEST"].real_name = "Rui Reis"
    await env.does("status acc:shop/prices", "shop/prices")
    await env.say("status acc:shop/prices", user="U0GUEST")
    await env.quiet()
    offered = await env.does("let rui start shop/prices for an hour", "Mention them with `@`", user="U0ROOT")
    assert labels(offered) == ["help grant"]
    offered = await env.does(
        "let <@U0GUEST> start shop/prices for an hour because I am out", "Did you mean", user="U0ROOT"
    )
    assert labels(offered) == ["grant @Rui Reis start acc:shop/prices for=1h -- I am out"]


@pytest.mark.parametrize(
    "typed", ["revoke rui's grant on labs/slow", "can you revoke Rui's access to labs/slow please"]
)
async def test_a_sentence_that_revokes_what_somebody_may_do_leads_to_the_grants(env: World, typed: str) -> None:
    await env.does("status acc:labs/slow", "labs/slow")
    assert labels(await env.does(typed, "grants")) == ["grants"]


async def test_whoami_names_the_administrators(env: World) -> None:
    """Each group with its members, so that the person knows who to ask."""
    assert "`admins` (<@U0ROOT>)" in shown(await env.does("whoami", "Who you are here", "Administrators"))
