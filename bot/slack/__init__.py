"""The Slack door: Bolt listeners, what Slack is told, and who people are. The only room that speaks Slack."""
