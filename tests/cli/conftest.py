"""The program, for every test of the command line."""

from __future__ import annotations

import pytest

from tests.cli.program import Program
from tests.fork_server import ForkServer


@pytest.fixture
def program(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program, to be run with arguments."""
    return Program(fork_server, tmp_path_factory.mktemp("printed"))
