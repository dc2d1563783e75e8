"""Every error that Slack documents for a method that the program calls has a remedy; any other takes the safe route."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.errors import ADVICE, EXCEPTIONS, LONGEST_ASKED, MESSAGE_LIMIT, REMEDIES, Remedy, read
from tests.slack.test_manifest import called

# From Slack's method reference of August 2026, one list a method; "" holds what every method may answer.
DOCUMENTED: dict[str, list[str]] = {
    method: codes.split()
    for method, codes in json.loads((Path(__file__).parent / "data" / "documented_errors.json").read_text()).items()
}


def answer(method: str, code: str, status: int = 200, **headers: str) -> SlackApiError:
    """What slack_sdk raises for that answer."""
    response = AsyncSlackResponse(
        client=AsyncWebClient(),
        http_verb="POST",
        api_url=f"https://slack.com/api/{method}",
        req_args={},
        data={"ok": False, "error": code},
        headers=headers,
        status_code=status,
    )
    return SlackApiError("refused", response)


def test_every_documented_error_has_a_remedy() -> None:
    assert [(method, code) for method, codes in DOCUMENTED.items() for code in codes if code not in REMEDIES] == []


def test_the_errors_of_every_method_that_is_called_are_known() -> None:
    dots = {"auth_teams_list": 2, "oauth_v2_access": 2}
    written = {name.replace("_", ".", dots.get(name, 1)) for name in called()}
    written |= {"apps.connections.open"}  # slack_sdk's socket client calls it
    assert written - set(DOCUMENTED) == set()


def test_exceptions_and_advice_are_about_known_codes() -> None:
    assert {code for _, code in EXCEPTIONS} | set(ADVICE) <= set(REMEDIES)


def test_an_error_that_the_table_does_not_know_takes_the_safe_route() -> None:
    trouble = read(answer("chat.postMessage", "restricted_in_some_new_way"))
    assert (trouble.remedy, trouble.after, trouble.refused) == (Remedy.UNKNOWN, None, True)
    assert read(answer("chat.postMessage", "")).remedy is Remedy.UNKNOWN


@pytest.mark.parametrize(
    ("method", "code", "remedy"),
    [
        ("chat.postMessage", "thread_not_found", Remedy.UNTHREAD),
        ("conversations.replies", "thread_not_found", Remedy.REFUSED),
        ("files.completeUploadExternal", "file_not_found", Remedy.ANEW),
        ("files.info", "file_not_found", Remedy.REFUSED),
    ],
)
def test_one_code_may_mean_different_things_for_two_methods(method: str, code: str, remedy: Remedy) -> None:
    assert read(answer(method, code)).remedy is remedy


@pytest.mark.parametrize(
    ("name", "value", "after"), [("retry-after", "7", 7.0), ("Retry-After", "9999", LONGEST_ASKED)]
)
def test_how_long_slack_asks_to_wait_is_read_in_any_spelling(name: str, value: str, after: float) -> None:
    assert read(answer("chat.update", "ratelimited", 429, **{name: value})).after == after


def test_a_workspace_over_its_message_limit_is_asked_again_later() -> None:
    assert read(answer("chat.postMessage", "message_limit_exceeded")).after == MESSAGE_LIMIT


@pytest.mark.parametrize("error", [OSError(), TimeoutError(), answer("chat.postMessage", "", 503)])
def test_a_lost_answer_is_no_refusal(error: BaseException) -> None:
    """The message may be in Slack: it is looked for before it is posted again."""
    trouble = read(error)
    assert (trouble.remedy, trouble.refused) == (Remedy.RETRY, False)
