"""A search over the documentation that every Python has: `corpus`, `weights` and `show`."""

from __future__ import annotations
