"""A local Slack workspace, simulated control planes, and a web page to use them."""
