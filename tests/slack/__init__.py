"""The Slack side, from the outside."""
