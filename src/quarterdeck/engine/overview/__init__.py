"""What an operator is to know now, from what every other capability says of itself."""
