"""Slack: the listeners, the messages, and who people are. The only package that calls Slack."""
