"""What tenants use: metered, posted, summed up by minute and day, and told."""
