"""The Web API: one module per family of methods, and one dispatcher."""

from .dispatch import WebApi

__all__ = ["WebApi"]
