"""Modals: the launcher, parameter forms, and reasons."""
