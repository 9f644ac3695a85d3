"""Queues of human work: the list, the item beside it, what is done to it."""
