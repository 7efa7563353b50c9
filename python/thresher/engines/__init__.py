"""The engines: one index class a file, over the core's engines of the same names."""
