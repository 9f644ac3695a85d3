"""Channels: notifications on their way to people, each of them a run."""
