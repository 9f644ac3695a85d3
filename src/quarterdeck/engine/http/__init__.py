"""From a declared operation to a route: reading, checking, answering, failing."""
