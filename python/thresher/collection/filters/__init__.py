"""Filters over documents' payloads: the language, the columns of declared fields, and what puts the two together.

`parse` reads a filter as JSON, `F` writes one in Python; both make a `Filter`, a small tree. `Columns` keep the
declared fields of a segment, `evaluate` gives the documents that match as packed bits, and `facet` counts them.
`matches` asks one payload, without columns.
"""

from __future__ import annotations

from thresher.collection.filters.builder import F
from thresher.collection.filters.columns import Columns
from thresher.collection.filters.evaluate import IdFinder, Ids, PayloadReader, evaluate
from thresher.collection.filters.facets import facet
from thresher.collection.filters.fields import KINDS, Fields, Kind, check_fields
from thresher.collection.filters.language import Where, parse
from thresher.collection.filters.matching import matcher, matches
from thresher.collection.filters.payloads import validate_payload
from thresher.collection.filters.tree import Filter

__all__ = [
    "KINDS",
    "Columns",
    "F",
    "Fields",
    "Filter",
    "IdFinder",
    "Ids",
    "Kind",
    "PayloadReader",
    "Where",
    "check_fields",
    "evaluate",
    "facet",
    "matcher",
    "matches",
    "parse",
    "validate_payload",
]
