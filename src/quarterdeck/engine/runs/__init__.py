"""Runs: everything asynchronous, with leases and fencing."""
