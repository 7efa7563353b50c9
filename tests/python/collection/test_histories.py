"""Any history of operations leaves what a dict of documents would. ``tests/soak/histories.py`` tries ten thousand."""

from __future__ import annotations

from hypothesis import settings

from collection_histories import Histories

TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=20)
