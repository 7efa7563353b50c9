"""Collections to measure with: the BigANN sparse track's files.

`fetch` and `fetch_track` get them.
"""

from __future__ import annotations

from thresher.datasets._download import DownloadError
from thresher.datasets._fetch import cache_folder, fetch, fetch_track

__all__ = ["DownloadError", "cache_folder", "fetch", "fetch_track"]
