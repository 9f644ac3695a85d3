"""Numbers for whoever watches the engine."""
