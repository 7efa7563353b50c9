"""Collections to measure with: the BigANN sparse track's files, and collections that are generated.

`fetch` and `fetch_track` get the track's files. `fit` makes a `Model` of a collection, `generate`
and `generate_to` draw vectors from it, of any number and the same for the same seed, and `compare`
says how alike two collections are. `Model.shipped` needs nothing but the package.

>>> from thresher import datasets
>>> docs = datasets.generate(datasets.Model.shipped(), 100, seed=7)
>>> docs.shape
(100, 30522)
"""

from __future__ import annotations

from thresher.datasets._compare import Check, Comparison, compare
from thresher.datasets._download import DownloadError
from thresher.datasets._fetch import cache_folder, fetch, fetch_track
from thresher.datasets._fit import fit
from thresher.datasets._generate import generate, generate_to
from thresher.datasets._model import Model, Sharing

__all__ = [
    "Check",
    "Comparison",
    "DownloadError",
    "Model",
    "Sharing",
    "cache_folder",
    "compare",
    "fetch",
    "fetch_track",
    "fit",
    "generate",
    "generate_to",
]
