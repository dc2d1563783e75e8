"""What exactly is sent to Prefactor for each row: method, path, query, headers, body."""

from __future__ import annotations

import pytest

from bot.backends.prefactor import PLUGIN
from tests.backends.kit import body_of, said

from .support import ACTIVE, ID, INSTANCE, TOKEN, details, recorded

LIST = "GET /api/v1/agent?pagination%5Boffset%5D=0&pagination%5Bpage_size%5D=100"
PAGE = "pagination%5Boffset%5D=0&pagination%5Bpage_size%5D=5&sorting=-inserted_at"
BY_ID = f"GET /api/v1/agent/{ID}"
INSTANCE_READ = f"GET /api/v1/agent_instance/{INSTANCE}"

ROWS = [
    (f"status pre:{ID}", [BY_ID, BY_ID]),
    ('status pre:"My Agent"', [LIST, BY_ID]),
    (f"status pre:instance/{INSTANCE}", [INSTANCE_READ, BY_ID, INSTANCE_READ]),
    (f"history pre:{ID} count=5", [BY_ID, f"GET /api/v1/agent_instance?agent_id={ID}&{PAGE}"]),
    (
        'create pre:invoice-bot description="Reads invoices" team_id=013team',
        [
            LIST,
            (
                'POST /api/v1/agent {"details": {"name": "invoice-bot", "description": "Reads invoices", '
                '"team_id": "013team"}, "idempotency_key": "r-1"}'
            ),
        ],
    ),
    (
        'create pre:new/"Über Agent" id=013new external_identifier=x owner_person_id=p risk_profile_id=r environment_id=e',
        [
            LIST,
            (
                'POST /api/v1/agent {"details": {"name": "Über Agent", "external_identifier": "x", "owner_person_id": "p", '
                '"risk_profile_id": "r", "environment_id": "e", "id": "013new"}, "idempotency_key": "r-1"}'
            ),
        ],
    ),
    (
        f'set pre:{ID} name="Your Agent" description="" team_id=',
        [
            BY_ID,
            (
                f'PUT /api/v1/agent/{ID} {{"details": {{"name": "Your Agent", "description": "", "team_id": null}}, '
                '"idempotency_key": "r-1"}'
            ),
        ],
    ),
    (f"retire pre:{ID}", [BY_ID, f'POST /api/v1/agent/{ID}/retire {{"idempotency_key": "r-1"}}']),
    (f"reinstate pre:{ID}", [BY_ID, f'POST /api/v1/agent/{ID}/reinstate {{"idempotency_key": "r-1"}}']),
    (f"delete pre:{ID}", [BY_ID, f"DELETE /api/v1/agent/{ID}"]),
    (
        f"stop pre:instance/{INSTANCE} -- wrong customer",
        [
            INSTANCE_READ,
            BY_ID,
            INSTANCE_READ,
            f'POST /api/v1/agent_instance/{INSTANCE}/terminate {{"reason": "wrong customer"}}',
        ],
    ),
]


@pytest.mark.parametrize(("typed", "expected"), ROWS, ids=[row[0] for row in ROWS])
async def test_each_row_sends_exactly_this(typed: str, expected: list[str]) -> None:
    """A typed command becomes these requests, in this order, and no others."""
    async with recorded() as (recorder, pre):
        await pre.do(typed)
        assert recorder.wire() == expected


async def test_every_row_is_on_that_list() -> None:
    """No row of the catalog is left out of the wire test."""
    async with recorded() as (_, pre):
        tested = set()
        for typed, _expected in ROWS:
            operation = await pre.operation(typed)
            tested.add((operation.verb, operation.target.kind))
        assert tested == {(row.verb, row.target) for row in PLUGIN.spec.capabilities}


async def test_each_call_carries_the_token_in_the_header_and_nowhere_else() -> None:
    """Bearer, JSON where there is a body, and no token in any address."""
    async with recorded() as (recorder, pre):
        for typed, _ in ROWS:
            await pre.do(typed)
        for seen in recorder.seen:
            assert seen.headers["authorization"] == f"Bearer {TOKEN}"
            assert TOKEN not in seen.raw_path
            assert ("content-type" in seen.headers) == bool(seen.body)


async def test_a_pending_instance_is_cancelled_with_the_key() -> None:
    """Cancel is finish with the status cancelled, which the vendor takes only while pending."""
    async with recorded() as (recorder, pre):
        recorder.answers[INSTANCE_READ] = details({**ACTIVE, "status": "pending", "started_at": None})
        await pre.do(f"stop pre:instance/{INSTANCE}")
        sent = recorder.seen[-1]
        assert (sent.method, sent.path) == ("POST", f"/api/v1/agent_instance/{INSTANCE}/finish")
        assert body_of(sent) == {"status": "cancelled", "idempotency_key": "r-1"}


async def test_terminate_without_a_reason_names_the_request() -> None:
    """The vendor's body has a reason, a button has none."""
    async with recorded() as (recorder, pre):
        await pre.do(f"stop pre:instance/{INSTANCE}", "r-77")
        assert body_of(recorder.seen[-1]) == {"reason": "Stopped by request r-77"}


async def test_the_environment_of_the_settings_filters_the_list_and_goes_into_a_create() -> None:
    """Accounts of the older generation keep agents in environments."""
    async with recorded(environment_id="env-1") as (recorder, pre):
        await pre.do("create pre:invoice-bot")
        assert recorder.seen[0].query.startswith("environment_id=env-1&")
        assert body_of(recorder.seen[1])["details"] == {"name": "invoice-bot", "environment_id": "env-1"}


async def test_an_id_cannot_climb_out_of_its_path() -> None:
    """An id is one percent-encoded part of the path."""
    async with recorded() as (recorder, pre):
        recorder.answers["GET /api/v1/agent_instance/a%2F..%2Fb"] = details({**ACTIVE, "id": "a/../b"})
        await pre.target("pre:instance/a/../b")
        assert recorder.seen[0].raw_path == "/api/v1/agent_instance/a%2F..%2Fb"


async def test_a_long_request_id_becomes_a_key_of_64_characters() -> None:
    """The vendor takes at most 64."""
    async with recorded() as (recorder, pre):
        await pre.do(f"retire pre:{ID}", "r-" + "x" * 100)
        assert len(body_of(recorder.seen[-1])["idempotency_key"]) == 64


async def test_a_created_answer_with_201_counts() -> None:
    """The seed does not show the status of a create."""
    async with recorded() as (recorder, pre):
        agent = {"id": "013new", "name": "bot", "type": "agent", "status": "pending"}
        recorder.answers["POST /api/v1/agent"] = said({"status": "success", "details": agent}, 201)
        assert (await pre.do("create pre:bot")).backend_ref == "013new"
