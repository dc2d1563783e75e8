"""Tests of the Informatica backend."""
