"""Alerts: what fires, in groups; what became of it; what people do about it."""
