"""What is between a command and its card: rules, calls, watched runs, cards."""
