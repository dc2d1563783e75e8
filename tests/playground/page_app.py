"""A small Slack app on slack_bolt for the page's tests: a card with levers, a form, a file, a Home tab."""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

LOG = b"11:21:20 started\n11:21:24 42 rows\n"
TARGETS = ("acc:shop/prices", "acc:shop/stock", "infa:eu-1/Data Integration Server")
Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(action_id: str, label: str, **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(label), **more}


STOP = {
    "title": plain("Stop run/17?"),
    "text": mrkdwn("The run of *shop/prices* ends at once."),
    "confirm": plain("Stop it"),
    "deny": plain("Leave it"),
    "style": "danger",
}


def card(state: str, *, buttons: bool = True) -> list[Json]:
    """The blocks of the scripted app's card; `state` is shown as it is, marks included."""
    blocks: list[Json] = [
        {"type": "header", "text": plain("start acc:shop/prices")},
        {"type": "section", "text": mrkdwn(f"*State* {state}\nasked by <@U0ANA>")},
    ]
    if buttons:
        elements = [
            button("log", "Log"),
            button("retry", "Retry", style="primary"),
            button("stop", "Stop", style="danger", confirm=STOP),
            button("mute", "Mute"),
        ]
        blocks.append({"type": "actions", "block_id": "levers", "elements": elements})
    return blocks


FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Start an agent"),
    "submit": plain("Run it"),
    "close": plain("Cancel"),
    "blocks": [
        {
            "type": "input",
            "block_id": "target",
            "label": plain("Target"),
            "element": {
                "type": "external_select",
                "action_id": "target",
                "min_query_length": 0,
                "placeholder": plain("Search targets"),
            },
        },
        {
            "type": "input",
            "block_id": "reason",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "reason"},
        },
        {"type": "actions", "block_id": "more", "elements": [button("peek", "What is this?")]},
    ],
}


def options(query: str) -> list[Json]:
    return [{"text": plain(name), "value": name} for name in TARGETS if query in name]


def scripted_app(client: AsyncWebClient) -> AsyncApp:
    """An app that posts a card, opens a form, sends a file, answers a mention and draws its Home."""
    app = AsyncApp(client=client, process_before_response=True)
    hear_commands(app, client)
    hear_buttons(app, client)
    hear_forms(app, client)
    hear_the_rest(app, client)
    return app


def hear_commands(app: AsyncApp, client: AsyncWebClient) -> None:
    """`/ops form` opens the form, `/ops silent` is not answered, anything else brings a card."""

    @app.command("/ops")
    async def ops(ack: Any, command: Json) -> None:
        if command["text"] == "silent":
            await asyncio.sleep(3.5)
            return
        await ack()
        if command["text"] == "form":
            await client.views_open(trigger_id=command["trigger_id"], view=FORM)
            return
        text = "`run/17` &lt;b&gt; :white_check_mark:"
        channel = command["channel_id"]
        await client.chat_postMessage(channel=channel, text="card", blocks=card(text))
        await client.chat_postEphemeral(channel=channel, user=command["user_id"], text="Nobody else reads this")


def hear_buttons(app: AsyncApp, client: AsyncWebClient) -> None:
    """What the levers of the card do; "mute" is not answered."""

    @app.action("stop")
    async def stop(ack: Any, body: Json) -> None:
        await ack()
        blocks = card("_stopped_", buttons=False)
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="stopped", blocks=blocks)

    @app.action("log")
    async def log(ack: Any, body: Json) -> None:
        await ack()
        await client.files_upload_v2(
            channel=body["channel"]["id"], filename="run-17.log", title="Log of run 17", content=LOG
        )

    @app.action("mute")
    async def mute(ack: Any) -> None:
        await asyncio.sleep(3.5)

    @app.action("retry")
    async def retry(ack: Any, body: Json) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)


def hear_forms(app: AsyncApp, client: AsyncWebClient) -> None:
    """The form's targets, its own complaint, and the message that it ends in."""

    @app.options("target")
    async def targets(ack: Any, payload: Json) -> None:
        await ack(options=options(payload["value"]))

    @app.action("peek")
    async def peek(ack: Any, body: Json) -> None:
        await ack()
        typed = body["view"]["state"]["values"]["reason"]["reason"]["value"]
        blocks = [{"type": "section", "text": plain(f"So far: {typed}")}]
        view = {"type": "modal", "title": plain("Explained"), "blocks": blocks}
        await client.views_push(trigger_id=body["trigger_id"], view=view)

    @app.view("form")
    async def form(ack: Any, view: Json, body: Json) -> None:
        values = view["state"]["values"]
        reason = values["reason"]["reason"]["value"]
        if len(reason.split()) < 2:
            await ack(response_action="errors", errors={"reason": "Say it in two words or more."})
            return
        await ack()
        target = values["target"]["target"]["selected_option"]["value"]
        text = f"{target} because {reason}"
        await client.chat_postMessage(channel="C0CRAWL", text=text)


def hear_the_rest(app: AsyncApp, client: AsyncWebClient) -> None:
    """Mentions, the Home tab, the message shortcut and the workflow step."""

    @app.function("run_operation", auto_acknowledge=False)
    async def step(ack: Any, inputs: Json, complete: Any, fail: Any) -> None:
        await ack()
        if inputs["command"].startswith("fail"):
            await fail("There is no such thing.")
            return
        await client.chat_postMessage(channel=inputs["channel"], text="Step: " + inputs["command"])
        await complete({"outcome": "done"})

    @app.event("app_mention")
    async def mention(event: Json) -> None:
        await client.chat_postMessage(
            channel=event["channel"], thread_ts=event.get("thread_ts", event["ts"]), text="I am here"
        )

    @app.event("app_home_opened")
    async def home(event: Json) -> None:
        blocks = [{"type": "section", "text": mrkdwn("*Nothing waits for you*")}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.shortcut("work_on_message")
    async def work(ack: Any, shortcut: Json) -> None:
        await ack()
        text = "About: " + shortcut["message"]["text"]
        await client.chat_postMessage(channel=shortcut["channel"]["id"], text=text)
