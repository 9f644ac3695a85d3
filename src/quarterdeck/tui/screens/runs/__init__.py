"""Runs: the list, and what they wrote."""
