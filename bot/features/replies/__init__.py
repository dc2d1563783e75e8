"""Answers and refusals that the asker reads, without a call to a backend."""
