"""What no database can keep is replaced in every stored document, so that one odd character of a reply stops no query."""

from __future__ import annotations

import pytest

from bot.core.intent import Command
from bot.store.store import Store
from tests.store.samples import NOW, TARGET, intent, outgoing, pending, row


@pytest.mark.parametrize("odd", ["\0", "\0\0", "\\\0", "\ud83d", "\\\ud83d\0"])
async def test_a_document_with_nul_or_half_a_pair_is_stored_and_found(store: Store, odd: str) -> None:
    kept = odd.replace("\0", "\ufffd").replace("\ud83d", "\ufffd")
    asks = intent("r1").model_copy(update={"payload": Command(verb="start", target="x", reason=odd, words=())})
    assert await store.accept(asks, [row(request_id="r1")])
    (found,) = await store.unfinished()
    assert found.intent.payload.reason == kept
    await store.wait("r1", pending(request_id="r1").model_copy(update={"intent": asks}), [], NOW)
    assert [one.intent.payload.reason for one in await store.pending_decisions(user="U0ANA")] == [kept]
    for number in range(3):  # more than are asked for, so that they are put in order
        await store.show(outgoing(f"m{number}", ts=None, body={"text": odd, odd: {"question": None}}))
    assert [one.body for one in await store.due_messages(NOW, limit=2)] == [
        {"text": kept, kept: {"question": None}}
    ] * 2
    await store.remember([TARGET.model_copy(update={"name": odd})], NOW)
    await store.set_value("key", [odd], NOW)
    assert await store.value("key") == [kept]


async def test_text_that_only_looks_like_nul_stays(store: Store) -> None:
    for written in (r"\u0000", r"\\u0000", r"C:\u0000"):
        await store.set_value("key", written, NOW)
        assert await store.value("key") == written
