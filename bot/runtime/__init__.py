"""Time passing becomes an Intent."""
