"""Files of other systems become items: mapping, reading, grouping, batches, rejects."""
