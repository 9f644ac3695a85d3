"""What runs and dead letters share."""
