"""The same actions without a screen."""
