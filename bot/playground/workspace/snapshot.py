"""The data that a workspace keeps between starts: channels, messages, files and user groups, as JSON."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from .state import Channel, Group, Message, State, StoredFile

VERSION = 1


def taken(state: State) -> dict[str, Any]:
    """The saved data of a workspace. Modals, Home tabs and workflow steps aren't saved."""
    return {
        "version": VERSION,
        "ids": state.ids.next,
        "last_ts": state.clock.last_ts,
        "groups": [asdict(group) for group in state.groups.values()],
        "channels": [asdict(channel) for channel in state.channels.values()],
        "files": [
            asdict(file) | {"bytes": base64.b64encode(file.bytes).decode("ascii")} for file in state.files.values()
        ],
    }


def put_back(state: State, kept: dict[str, Any]) -> None:
    """Restore it. Raises KeyError, TypeError or ValueError for data that this version doesn't understand."""
    if kept["version"] != VERSION:
        raise ValueError("another version")
    groups = [Group(**row) for row in kept["groups"]]
    channels = [
        Channel(**{**row, "messages": [Message(**message) for message in row["messages"]]}) for row in kept["channels"]
    ]
    files = [StoredFile(**{**row, "bytes": base64.b64decode(row["bytes"])}) for row in kept["files"]]
    state.ids.next, state.clock.last_ts = int(kept["ids"]), int(kept["last_ts"])
    state.groups |= {group.id: group for group in groups}
    state.channels |= {channel.id: channel for channel in channels}
    state.files |= {file.id: file for file in files}
