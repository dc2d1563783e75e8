"""Rows of lists that lack what names them."""

from __future__ import annotations

import pytest

from bot.backends.itential.models import Service
from bot.backends.itential.presentation import service_table


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"_id": "s1", "service_metadata": {"name": "backup", "location": "cluster_1"}}, "cluster_1/backup"),
        ({"_id": "s1", "service_metadata": {"location": "cluster_1"}}, "cluster_1"),
        ({"_id": "s1"}, "s1"),
        ({}, "?"),
    ],
)
def test_a_service_is_shown_by_what_can_be_read_of_its_name(row: dict[str, object], shown: str) -> None:
    (cells,) = service_table([Service.model_validate(row)]).rows
    assert cells[0].partition(" ")[0] == shown
