"""Lets ``python -m thresher`` stand for the ``thresher`` command."""

from __future__ import annotations

from thresher.cli import main

if __name__ == "__main__":
    main()
