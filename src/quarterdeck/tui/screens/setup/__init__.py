"""What people set up: rules, channels, silences, policies. A short list of each, and forms."""
