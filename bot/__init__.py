"""Signalbox: a Slack bot with which a team works its automation control planes from a channel."""
