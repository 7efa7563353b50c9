"""``thresher-bench``: thresher's engines and their peers on one data set, each set up as one who knows it well would.

`engines` has one file a library, `contest` runs each in a process of its own, `choice` picks settings, and `table`,
`plots` and `page` show what was measured. The other benchmarks use `engines`, `common` and `truth` too.
"""
