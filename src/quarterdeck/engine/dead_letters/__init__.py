"""Dead letters: kept, searched, grouped, retried, discarded, expired."""
