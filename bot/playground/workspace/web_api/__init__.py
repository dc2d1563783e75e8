"""The Web API: one module a family of methods, one dispatcher."""

from .dispatch import WebApi

__all__ = ["WebApi"]
