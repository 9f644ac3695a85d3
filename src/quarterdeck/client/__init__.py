"""Reaching an engine: over its own socket here, over https elsewhere. Import what you need from the modules."""
