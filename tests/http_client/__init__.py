"""Promises of the HTTP kit, against real sockets."""
