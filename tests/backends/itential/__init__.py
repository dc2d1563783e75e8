"""Tests of the Itential backend."""
