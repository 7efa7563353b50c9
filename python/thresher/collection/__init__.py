"""Documents that change: ids, payloads and filters over immutable segments."""

from __future__ import annotations

from thresher.collection.boosting import Boost
from thresher.collection.checking import CheckReport
from thresher.collection.collection import Collection, Snapshot
from thresher.collection.diversity import Diversity
from thresher.collection.documents import Document
from thresher.collection.files import LockedError
from thresher.collection.filters import F
from thresher.collection.highlighting import Highlight
from thresher.collection.hits import CollectionHits
from thresher.collection.stats import SegmentStats, Stats
from thresher.collection.transaction import ConflictError
from thresher.collection.tuning import Tuning
from thresher.collection.upkeep import Upkeep
from thresher.collection.weighing import Drift

__all__ = [
    "Boost",
    "CheckReport",
    "Collection",
    "CollectionHits",
    "ConflictError",
    "Diversity",
    "Document",
    "Drift",
    "F",
    "Highlight",
    "LockedError",
    "SegmentStats",
    "Snapshot",
    "Stats",
    "Tuning",
    "Upkeep",
]
