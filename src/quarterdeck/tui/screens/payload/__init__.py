"""A payload: looked into, and edited."""
