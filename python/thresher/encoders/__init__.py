"""From text to sparse vectors: encoders behind one protocol, `Encoder`.

What an encoder needs beside numpy and scipy is imported when it is made; what is missing is an ImportError that names
the extra.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from thresher.encoders.encoder import Encoder

if TYPE_CHECKING:
    from thresher.encoders.bm25 import BM25Encoder
    from thresher.encoders.counting import Counts
    from thresher.encoders.fastembed import FastembedEncoder
    from thresher.encoders.formula import BM25Formula
    from thresher.encoders.impact_lines import Impacts, parse_impacts, read_impacts
    from thresher.encoders.impacts import WordImpacts
    from thresher.encoders.inference_free import InferenceFreeEncoder
    from thresher.encoders.marks import entity, keyphrase
    from thresher.encoders.phrases import HashedPhrases
    from thresher.encoders.pruning import Pruned
    from thresher.encoders.registry import from_config
    from thresher.encoders.sentence_transformers import SentenceTransformersEncoder
    from thresher.encoders.statistics import TextStatistics
    from thresher.encoders.tokenizing import CustomTokenizer, Tokenizer

__all__ = [
    "BM25Encoder",
    "BM25Formula",
    "Counts",
    "CustomTokenizer",
    "Encoder",
    "FastembedEncoder",
    "HashedPhrases",
    "Impacts",
    "InferenceFreeEncoder",
    "Pruned",
    "SentenceTransformersEncoder",
    "TextStatistics",
    "Tokenizer",
    "WordImpacts",
    "entity",
    "from_config",
    "keyphrase",
    "parse_impacts",
    "read_impacts",
]

# Imported when they are first used: the module of each.
_LATER = {
    "BM25Encoder": "thresher.encoders.bm25",
    "BM25Formula": "thresher.encoders.formula",
    "Counts": "thresher.encoders.counting",
    "CustomTokenizer": "thresher.encoders.tokenizing",
    "HashedPhrases": "thresher.encoders.phrases",
    "Impacts": "thresher.encoders.impact_lines",
    "FastembedEncoder": "thresher.encoders.fastembed",
    "InferenceFreeEncoder": "thresher.encoders.inference_free",
    "Pruned": "thresher.encoders.pruning",
    "SentenceTransformersEncoder": "thresher.encoders.sentence_transformers",
    "TextStatistics": "thresher.encoders.statistics",
    "Tokenizer": "thresher.encoders.tokenizing",
    "WordImpacts": "thresher.encoders.impacts",
    "entity": "thresher.encoders.marks",
    "from_config": "thresher.encoders.registry",
    "keyphrase": "thresher.encoders.marks",
    "parse_impacts": "thresher.encoders.impact_lines",
    "read_impacts": "thresher.encoders.impact_lines",
}


def __getattr__(name: str) -> object:
    """Import what is imported when it is first used."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(importlib.import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    """List what there is, imported yet or not."""
    return sorted({*globals(), *_LATER})
