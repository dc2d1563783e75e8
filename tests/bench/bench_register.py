"""The register's numbers; the code is the program's own, because `signalbox bench` runs it too."""

from __future__ import annotations

from bot.benching.register import run

__all__ = ["run"]
