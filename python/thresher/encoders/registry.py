"""Encoders by the kinds that their configurations name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from thresher._kinds import kind_of
from thresher.encoders.encoder import Encoder

# Imported when the first of its kind is made: the module, and the class in it, which has a `from_config`.
KINDS = {
    "bm25": ("thresher.encoders.bm25", "BM25Encoder"),
    "fastembed": ("thresher.encoders.fastembed", "FastembedEncoder"),
    "impacts": ("thresher.encoders.impacts", "WordImpacts"),
    "inference-free": ("thresher.encoders.inference_free", "InferenceFreeEncoder"),
    "phrases": ("thresher.encoders.phrases", "HashedPhrases"),
    "pruned": ("thresher.encoders.pruning", "Pruned"),
    "sentence-transformers": ("thresher.encoders.sentence_transformers", "SentenceTransformersEncoder"),
}


def from_config(config: Mapping[str, Any]) -> Encoder:
    """Make the encoder that a configuration describes.

    Parameters
    ----------
    config
        What `Encoder.config` was, also after a round through JSON.

    Raises
    ------
    ValueError
        If its kind is not known, or an entry is none of that kind.
    ImportError
        If what the encoder needs is not installed; the extra that brings it is named.

    Examples
    --------
    >>> from thresher.encoders import BM25Encoder, from_config
    >>> from_config(BM25Encoder("de", k1=0.9).config)
    BM25Encoder('de', method='lucene', k1=0.9, b=0.75, delta=0.5)
    """
    if not isinstance(config, Mapping):
        raise TypeError(f"config must be a dict, got {kind_of(config)}")
    kind = config.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"config: kind must be one of {', '.join(KINDS)}, got {kind!r}")
    module, name = KINDS[kind]
    made: Encoder = getattr(importlib.import_module(module), name).from_config(
        {key: value for key, value in config.items() if key != "kind"}
    )
    return made
