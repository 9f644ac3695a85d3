"""Dead letters: the list, its groups, its growth."""
