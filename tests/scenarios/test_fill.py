"""Parameters that a control plane describes become fields of a modal."""

from __future__ import annotations

from pathlib import Path

from tests.world import labels, world


async def test_a_service_with_a_schema_offers_its_parameters_as_a_form(tmp_path: Path) -> None:
    """Started without what it requires, it is refused with `Fill in`; the form runs it."""
    async with world(tmp_path, only=("itn",)) as here:
        refused = await here.does("start itn:my-tofu-service -- try it", "Refused", "action")
        assert "Fill in" in labels(refused)
        await here.ana.press_label("C0CRAWL", refused["ts"], "Fill in")
        view = await here.ana.wait_for(lambda who: who.modal())
        fields = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
        assert fields == ["param.action", "param.workspace"]
        receipt = await here.ana.submit("modal", {"param.action": "apply", "param.workspace": "staging"})
        assert receipt.acked

        def runs() -> list[object]:
            sent = here.planes["itn"].requests
            return [request.json()["params"] for request in sent if request.raw_path.endswith("/services/run")]

        assert await here.until(runs) == [{"action": "apply", "workspace": "staging"}]
