"""Queues of machine work: settings that apply at once, pause and resume."""
