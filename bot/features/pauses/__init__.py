"""pauses."""
