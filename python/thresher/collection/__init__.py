"""Documents that change: ids, payloads and filters over immutable segments."""

from __future__ import annotations

from thresher.collection.collection import Collection, Snapshot
from thresher.collection.documents import Document
from thresher.collection.files import LockedError
from thresher.collection.filters import F
from thresher.collection.hits import CollectionHits
from thresher.collection.transaction import ConflictError

__all__ = ["Collection", "CollectionHits", "ConflictError", "Document", "F", "LockedError", "Snapshot"]
