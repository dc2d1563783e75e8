"""The demo: a local Slack workspace, simulated control planes and the bot; and the guided tour."""
