"""What changes, said to whoever looks."""
