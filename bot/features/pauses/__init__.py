"""Schedules that are switched off for a set time and switch on again by themselves."""
