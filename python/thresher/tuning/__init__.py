"""Which engine, and how: search parameters for a target, and what an index will take."""
