"""What ``make demo`` shows: questions to a dictionary in learned vectors, or to the documentation on this machine.

A `corpus` is what is searched, `dictionary` or `documentation`; a `shelf` keeps it in the cache as a collection;
`questions` reads what is asked, `answers` lays out what is found; `tour`, `prompt` and `show` are what a person meets.
"""

from __future__ import annotations
