"""Declares fields, and drops them: payloads are checked, and the columns of all segments are written anew.

Column files are made beside the old ones while operations go on; one transaction names them. What was upserted or
updated meanwhile is checked in it, so that the field is declared for all documents or for none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thresher.collection.documents import payload_of
from thresher.collection.files import SEGMENTS, remove, sync_folder
from thresher.collection.filters import Columns, validate_payload
from thresher.collection.fresh import is_fresh
from thresher.collection.segment import columns_file

if TYPE_CHECKING:
    from thresher.collection.catalogue import Catalogue, SegmentRow, State
    from thresher.collection.filters import Kind
    from thresher.collection.segment import Part
    from thresher.collection.store import Store
    from thresher.collection.view import View
    from thresher.collection.writer import Writer

_log = logging.getLogger("thresher.collection")

_AT_ONCE = 4096  # payloads that are read at a time


def set_field(writer: Writer, store: Store, name: str, kind: Kind | None, *, replace: bool = False) -> None:
    """Declare a field, or drop it where `kind` is None; nothing changes if a payload has another kind there.

    Raises
    ------
    ValueError
        Naming the document, the field and the value; or both kinds, if it is declared as another and is not to be
        replaced.
    """
    with writer.still() as view:
        before = view.fields.get(name)
        if not replace and kind is not None and before not in (None, kind):
            raise ValueError(f"{name!r} is declared as {before}: replace=True declares it as {kind} instead")
        fields = {other: own for other, own in view.fields.items() if other != name}
        if kind is not None:
            fields[name] = kind
        if fields == view.fields:
            return
        old = [part.segment.row for part in view.parts if part.segment.row is not None]
        new: list[SegmentRow] = []
        try:
            new.extend(_rewritten(part, view, fields, writer, store) for part in view.parts if not is_fresh(part))
            sync_folder(store.folder / SEGMENTS)
            writer.change(lambda catalogue: _declare(catalogue, view, name, fields, new))
        except BaseException:
            _remove(store.folder, new)
            raise
        _remove(store.folder, old)
    _log.info("%s: field %r is %s", store.folder, name, "no longer declared" if kind is None else f"declared: {kind}")


def _rewritten(part: Part, view: View, fields: Mapping[str, Kind], writer: Writer, store: Store) -> SegmentRow:
    """Write a segment's columns of other fields, and return what the catalogue is to have of it."""
    segment, row = part.segment, part.segment.row
    assert row is not None
    number = writer.new_file()
    if fields.items() <= segment.columns.fields.items():
        columns = Columns.merge(fields, [(segment.columns, None)])
        row = row._replace(columns=number)
    else:
        columns = Columns.of(fields, _payloads(part, view, fields, store))
        row = row._replace(columns=number, columns_version=view.version)
    columns.write(columns_file(store.folder, number))
    return row


def _payloads(part: Part, view: View, fields: Mapping[str, Kind], store: Store) -> Iterator[dict[str, Any] | None]:
    """Yield the payloads of a part's documents, checked; None for the dead."""
    seqs = part.segment.seqs
    for begin in range(0, len(seqs), _AT_ONCE):
        some = seqs[begin : begin + _AT_ONCE]
        found = store.states(some, view)
        for seq in some.tolist():
            yield _checked(found[seq], fields) if seq in found else None


def _declare(
    catalogue: Catalogue, view: View, name: str, fields: Mapping[str, Kind], rows: Iterable[SegmentRow]
) -> None:
    last = 0
    for row in rows:
        for state in catalogue.updated(view.version, row.first, row.last):
            _checked(state, fields)
        catalogue.replace_segments([row.first], [row])
        last = row.last
    for state in catalogue.states_between(last + 1, int(catalogue.meta("next_seq")), int(catalogue.meta("version"))):
        _checked(state, fields)
    catalogue.set_field(name, fields.get(name))


def _checked(state: State, fields: Mapping[str, Kind]) -> dict[str, Any]:
    return validate_payload(payload_of(state), fields, state.id)


def _remove(folder: Path, rows: Iterable[SegmentRow]) -> None:
    for row in rows:
        remove(columns_file(folder, row.columns))
