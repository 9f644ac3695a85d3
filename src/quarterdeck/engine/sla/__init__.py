"""Service levels: policies, the clocks of items, and how promises were kept."""
