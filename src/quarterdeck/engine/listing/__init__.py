"""Finding rows: one declaration a listed table, one set of rules that filters, pages and counts it."""
