"""Bulk operations: asked for, followed, looked back at."""
