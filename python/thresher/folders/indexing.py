"""A folder's files in a collection: what is new or changed is read, what is gone is deleted, the rest is left alone.

A file's passages are replaced in one transaction, with what the file was like: its size, the time of its last change
and a digest of its bytes, in the payload of its first passage. So a run that is killed leaves whole files, and the next
one goes on from there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from thresher.folders.finding import MOST_BYTES, File, find, names_of
from thresher.folders.reading import decoded, is_binary, passages_of
from thresher.folders.reading.passage import Passage, Reading

if TYPE_CHECKING:
    from thresher.collection import Collection
    from thresher.engines.options import Progress

FIELDS: dict[str, Any] = {"path": "keyword", "file.size": "int"}
"""What a collection of passages declares."""

RULES = 1
"""Of what files become: a collection's files are read again when these have changed."""

_AT_ONCE = 4096  # passages that are stored in a transaction, about
_MOST_CHARACTERS = 1 << 24  # of them, about
_UNSURE = 2 * 10**9  # ns: a file that was changed so lately may change again, and show the same time


@dataclasses.dataclass
class Report:
    """What a run did.

    Attributes
    ----------
    read
        Files that were read.
    stored
        Files whose passages were stored.
    deleted
        Files that are gone, or are left out by now.
    unchanged
        Files that are as they were.
    passages
        Passages that were stored.
    skipped
        Names of files that were left out, by the reason.
    problems
        What could not be read in files: their names, the places and the reasons.
    """

    read: int = 0
    stored: int = 0
    deleted: int = 0
    unchanged: int = 0
    passages: int = 0
    skipped: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)

    def skip(self, reason: str, name: str) -> None:
        """Leave a file out, and keep why."""
        self.skipped.setdefault(reason, []).append(name)

    @property
    def has_changed(self) -> bool:
        """Whether something was stored or deleted."""
        return bool(self.stored or self.deleted)


class _Known(NamedTuple):
    """What the collection has of a file."""

    size: int
    mtime: int | None
    digest: str
    n: int  # its passages
    rules: int


class _Change(NamedTuple):
    """A file to be stored."""

    file: File
    reading: Reading
    facts: dict[str, Any]


def index_folder(
    collection: Collection,
    target: Path,
    base: Path,
    *,
    most_bytes: int = MOST_BYTES,
    follow: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Bring a collection up to date with a folder, or with one file.

    Parameters
    ----------
    collection
        Open for writing, with an encoder. Its documents of other files, and others, are left alone.
    target
        The folder or the file.
    base
        The folder that the collection is in; names are relative to it, and those of files elsewhere are absolute.
    most_bytes
        A larger file is left out.
    follow
        Whether links are followed.
    progress
        Called as ``progress(done, n_files)``.

    Returns
    -------
    Report
        What was done.

    Raises
    ------
    OSError
        If `target` can't be read, or the collection not be written.
    """
    target, base = target.resolve(), base.resolve()
    found = find(target, base, most_bytes=most_bytes, follow=follow)
    report = Report(skipped=found.skipped)
    known = _known(collection, target, base)
    waiting: list[_Change] = []
    kept: set[str] = set()
    for number, file in enumerate(found.files, 1):
        change = _looked_at(collection, file, known.get(file.key), kept, report)
        if change is not None:
            waiting.append(change)
            if _is_much(waiting):
                _store(collection, waiting, known, report)
                waiting = []
        if progress is not None:
            progress(number, len(found.files))
    if waiting:
        _store(collection, waiting, known, report)
    _delete(collection, {key: one for key, one in known.items() if key not in kept}, found.unreadable, report)
    return report


def ids_of(key: str, n: int) -> list[str]:
    """Return the ids of a file's passages."""
    return [f"{key}#{number}" for number in range(max(n, 1))]


def _known(collection: Collection, target: Path, base: Path) -> dict[str, _Known]:
    """Return what the collection has of the files within a target, by key."""
    known: dict[str, _Known] = {}
    _, whole = names_of(target, base)
    for document in collection.scan({"file.size": {"$exists": True}}, include=("payload",)):
        key = str(document.id).rpartition("#")[0]
        facts = document.payload["file"]
        name = str(document.payload["path"])
        if _is_within(target, base, name) or key == whole:
            known[key] = _Known(facts["size"], facts["mtime"], facts["digest"], facts["passages"], facts["rules"])
    return known


def _is_within(target: Path, base: Path, name: str) -> bool:
    path = base / name
    return path == target or path.is_relative_to(target)


def _looked_at(
    collection: Collection, file: File, known: _Known | None, kept: set[str], report: Report
) -> _Change | None:
    """Return what is to be stored of a file, or None if it is as it was, or left out."""
    is_same_reading = known is not None and known.rules == RULES
    if known is not None and is_same_reading and (known.size, known.mtime) == (file.size, file.mtime):
        kept.add(file.key)
        report.unchanged += 1
        return None
    started = time.time_ns()
    try:
        data = read_bytes(file.path)
    except FileNotFoundError:
        return None  # gone meanwhile
    except OSError:
        report.skip("unreadable", file.name)
        kept.add(file.key)
        return None
    if is_binary(data):
        report.skip("binary", file.name)
        return None
    report.read += 1
    kept.add(file.key)
    facts = {
        "size": file.size,
        "mtime": file.mtime if started - file.mtime > _UNSURE else None,
        "digest": hashlib.sha256(data).hexdigest()[:32],
        "rules": RULES,
    }
    if known is not None and is_same_reading and known.digest == facts["digest"]:
        report.unchanged += 1
        if (known.size, known.mtime) != (facts["size"], facts["mtime"]):
            collection.update_payload(ids_of(file.key, 1), {"file": {**facts, "passages": known.n}})
        return None
    text = decoded(data)
    reading = passages_of(file.name, text.text)
    if text.replaced:
        reading.problems.insert(0, "some bytes are none of its encoding, and were replaced")
    report.problems += [f"{file.name}: {problem}" for problem in reading.problems]
    facts["passages"] = len(reading.passages)
    return _Change(file, reading, facts)


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file."""
    return path.read_bytes()


def _is_much(changes: Sequence[_Change]) -> bool:
    passages = [passage for change in changes for passage in change.reading.passages]
    return len(passages) >= _AT_ONCE or sum(len(passage.text) for passage in passages) >= _MOST_CHARACTERS


def _store(collection: Collection, changes: Sequence[_Change], known: dict[str, _Known], report: Report) -> None:
    """Replace the passages of files, all or none."""
    ids: list[str] = []
    texts: list[str] = []
    payloads: list[dict[str, Any]] = []
    gone: list[str] = []
    for file, reading, facts in changes:
        own = ids_of(file.key, len(reading.passages))
        ids += own
        # A file without passages has an empty one, which keeps what the file was like, and which no question finds.
        passages = reading.passages or [Passage("", file.name, "line 1")]
        texts += [passage.text for passage in passages]
        payloads += [
            {**passage.fields, "path": file.name, "title": passage.title, "place": passage.place}
            for passage in passages
        ]
        payloads[-len(passages)]["file"] = facts
        if file.key in known:
            gone += ids_of(file.key, known[file.key].n)[len(own) :]
        report.passages += len(reading.passages)
    with collection.batch() as batch:
        batch.delete(gone)
        batch.upsert(ids, texts=texts, payloads=payloads)
    report.stored += len(changes)


def _delete(collection: Collection, gone: dict[str, _Known], unreadable: Iterable[str], report: Report) -> None:
    """Delete the passages of files that are not there, unless nobody knows whether they are."""
    unknown = tuple(unreadable)
    certain = {
        key: one
        for key, one in gone.items()
        if not any(key == start or (start.endswith("/") and key.startswith(start)) for start in unknown)
    }
    if certain:
        collection.delete(list(itertools.chain.from_iterable(ids_of(key, one.n) for key, one in certain.items())))
        report.deleted += len(certain)
