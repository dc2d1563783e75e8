"""The outside world on one machine: a local Slack workspace, simulated control planes and a page to use them."""
