"""Values and rules. Nothing here waits, reads a clock, logs or touches a file."""
