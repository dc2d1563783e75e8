"""Turns values into Block Kit or plain text. Pure: no await, no clock, no log, no I/O."""
