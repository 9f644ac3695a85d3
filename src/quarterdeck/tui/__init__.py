"""The console: one keyboard, one API, no engine code."""
