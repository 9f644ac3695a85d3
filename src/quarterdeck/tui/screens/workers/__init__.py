"""Who does the machine work."""
