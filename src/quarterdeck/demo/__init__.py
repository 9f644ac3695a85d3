"""A world to look around in: three tenants, some thousands of items, and people who work on them."""
