"""Items: queues of human work, their timeline, claims and selections."""
