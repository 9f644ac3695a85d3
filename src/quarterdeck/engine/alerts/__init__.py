"""Alerts: rules are evaluated, what fires is grouped and sent, and everything is kept to be looked at."""
