"""The libraries that benchmarks compare: `base` says what each file gives.

Files are imported one by one, since each needs a library of its own to be of use.
"""
