"""Keeps a corpus in the cache as a collection, which opens in milliseconds; made anew when anything has changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection as Container
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import thresher
from thresher.demo.corpus import Corpus, Encoder

_FORMAT = 1  # of what is kept: to be raised when this file writes something else
_COLLECTION, _VOCABULARY, _KNOWN = "collection", "vocabulary.txt", "words.txt"


class Shelf(NamedTuple):
    """A corpus that is open."""

    collection: thresher.Collection
    """For reading: payloads have ``title``, ``text`` and ``kind``."""
    encoder: Encoder
    known: Container[str]
    """The words that a question may have."""


def cache_folder() -> Path:
    """Return where corpora are kept: ``thresher/demo`` in XDG_CACHE_HOME, or in ``~/.cache``."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "thresher" / "demo"


@contextlib.contextmanager
def opened(corpus: Corpus) -> Iterator[Shelf]:
    """Open a corpus from the cache, after putting it there if need be.

    Parameters
    ----------
    corpus
        What is to be searched. One of the same name that is out of date is removed.

    Yields
    ------
    Shelf
        Closed with the block.
    """
    with contextlib.ExitStack() as stack:
        folder = _kept(corpus, stack)
        try:
            shelf = _open(folder, corpus)
        except (OSError, ValueError, thresher.FormatError):  # damaged: what is in a cache can be made anew
            shutil.rmtree(folder)
            shelf = _open(_kept(corpus, stack), corpus)
        with shelf.collection:
            yield shelf


def _kept(corpus: Corpus, stack: contextlib.ExitStack) -> Path:
    """Return the folder of a corpus, which appears whole; a passing one where the cache can't be written."""
    key = f"{_FORMAT} {thresher.__version__} {corpus.fingerprint()}"
    folder = cache_folder() / f"{corpus.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{corpus.name}-")))
    except OSError:
        made = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _make(corpus, made / "made")
        return made / "made"
    _make(corpus, made / "made")
    for outdated in folder.parent.glob(f"{corpus.name}-*"):
        shutil.rmtree(outdated, ignore_errors=True)
    with contextlib.suppress(OSError):  # another process was first
        (made / "made").rename(folder)
    return folder if folder.is_dir() else made / "made"


def _make(corpus: Corpus, folder: Path) -> None:
    passages, vectors, vocabulary = corpus.contents()
    encoder = corpus.encoder(vocabulary)
    folder.mkdir()
    with thresher.Collection.create(
        folder / _COLLECTION, n_terms=vectors.shape[1], fields={"kind": "keyword"}
    ) as collection:
        collection.upsert(list(range(len(passages))), vectors, [passage._asdict() for passage in passages])
        collection.optimize()
    known = {word for passage in passages for word in encoder.words(f"{passage.title} {passage.text}")}
    (folder / _VOCABULARY).write_text("\n".join(vocabulary), encoding="utf-8")
    (folder / _KNOWN).write_text("\n".join(sorted(known.union(vocabulary))), encoding="utf-8")


def _open(folder: Path, corpus: Corpus) -> Shelf:
    vocabulary = (folder / _VOCABULARY).read_text(encoding="utf-8").split("\n")
    known = frozenset((folder / _KNOWN).read_text(encoding="utf-8").split("\n"))
    return Shelf(thresher.Collection.open(folder / _COLLECTION), corpus.encoder(vocabulary), known)
