"""The spine: one file a step, from an intent to what is shown."""
