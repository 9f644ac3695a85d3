"""Home: what needs somebody now, and the door to it."""
