"""Protocols between the parts of the program. Each has a second implementation or a fake."""
