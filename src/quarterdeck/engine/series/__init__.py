"""How machine work goes over time: buckets of a minute, so that a chart costs the same at any number of runs."""
