"""Runs delivered over HTTP: signed, to addresses that are allowed, with every answer understood."""
