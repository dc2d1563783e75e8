"""The exit codes, and the one error type of the command line."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command; docs/reference/cli.md explains them."""

    DONE = 0
    NOT_DONE = 1  # refused, failed, unknown, or waiting for approval
    MISUSED = 2  # wrong options, or a configuration or rules file that can't be used


class CliError(Exception):
    """Prints these lines on standard error and ends the command with this exit code."""

    def __init__(self, code: Exit, *lines: str) -> None:
        super().__init__(lines[0])
        self.code = code
        self.lines = lines
