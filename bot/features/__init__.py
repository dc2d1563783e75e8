"""What the bot does beside calling a backend. One folder or module a feature."""
