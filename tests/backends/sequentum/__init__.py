"""Promises of the Sequentum backend."""
