"""A Slack workspace on one machine: Web API, Socket Mode, signed HTTP, simulated people, and faults on request."""

from .clock import PlaygroundClock
from .core import ApiCall
from .errors import CannotAct
from .person import Person
from .receipt import Receipt
from .seed import (
    DEMO_SEED,
    Seed,
    SeedApp,
    SeedChannel,
    SeedCommand,
    SeedExample,
    SeedGroup,
    SeedShortcut,
    SeedStep,
    SeedUser,
)
from .state import StoredFile
from .workspace import Workspace

__all__ = [
    "DEMO_SEED",
    "ApiCall",
    "CannotAct",
    "Person",
    "PlaygroundClock",
    "Receipt",
    "Seed",
    "SeedApp",
    "SeedChannel",
    "SeedCommand",
    "SeedExample",
    "SeedGroup",
    "SeedShortcut",
    "SeedStep",
    "SeedUser",
    "StoredFile",
    "Workspace",
]
