"""Quarterdeck: a terminal console with its own engine, for people who run operations."""

__version__ = "0.1.0"
