"""Promises of the backends."""
