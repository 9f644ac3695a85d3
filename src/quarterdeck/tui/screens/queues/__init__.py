"""Queues of machine work."""
