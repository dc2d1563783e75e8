"""Tests of rendering; a package, so that they can share their cards and rules."""
