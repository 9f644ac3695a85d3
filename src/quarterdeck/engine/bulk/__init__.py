"""Bulk operations: one action over many items."""
