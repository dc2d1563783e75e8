"""The Slack door, from the outside."""
