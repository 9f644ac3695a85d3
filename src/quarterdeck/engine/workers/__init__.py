"""Workers outside the engine: leasing, and how healthy they are."""
