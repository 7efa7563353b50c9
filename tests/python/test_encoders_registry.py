"""Encoders by their configurations, and what importing them costs."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

import thresher.encoders
from helpers import run_python
from thresher.encoders import BM25Encoder, from_config
from thresher.encoders.registry import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_there(kind: str) -> None:
    module, name = KINDS[kind]
    assert hasattr(getattr(importlib.import_module(module), name), "from_config")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "kind must be one of bm25.*, got None"),
        ({"kind": "bm26"}, "kind must be one of bm25.*, got 'bm26'"),
        ({"kind": ["bm25"]}, "kind must be one of bm25.*"),
        ({"kind": "bm25", "k2": 1}, "config: 'k2' is nothing that a BM25 encoder has"),
        ({"kind": "bm25", "language": "klingon"}, "language 'klingon' is not known"),
    ],
)
def test_configurations_of_nothing(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_config(config)


def test_a_configuration_that_is_no_dict() -> None:
    with pytest.raises(TypeError, match="config must be a dict, got str"):
        from_config("bm25")  # type: ignore[arg-type]


def test_the_configuration_is_left_alone() -> None:
    config = BM25Encoder().config
    assert config is not None
    kept = dict(config)
    from_config(config)
    assert config == kept


def test_names_are_imported_when_they_are_used() -> None:
    code = """
import sys, thresher
print("thresher.encoders" in sys.modules)
import thresher.encoders
names = sorted(name for name in sys.modules if name.startswith("thresher.encoders"))
print(names, set(thresher.encoders.__all__) <= set(dir(thresher.encoders)))
thresher.encoders.BM25Formula, thresher.encoders.BM25Encoder
print([name for name in ("regex", "Stemmer", "stopwordsiso") if name in sys.modules])
"""
    done = run_python(code)
    assert done.stdout.splitlines() == ["False", "['thresher.encoders', 'thresher.encoders.encoder'] True", "[]"]
    assert all(hasattr(thresher.encoders, name) for name in thresher.encoders.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        thresher.encoders.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("library", "language", "what"),
    [
        ("regex", "en", "words of texts"),
        ("Stemmer", "en", "stems of english"),
        ("stopwordsiso", "de", "stop words of german"),
    ],
)
def test_a_library_that_is_missing_is_named_with_its_extra(library: str, language: str, what: str) -> None:
    code = f"""
import sys
sys.modules[{library!r}] = None
from thresher.encoders import BM25Encoder, CustomTokenizer
BM25Encoder(tokenizer=CustomTokenizer(str.split, "split")).fit(["a b"])
BM25Encoder({language!r})
"""
    done = run_python(code)
    assert f"ImportError: {what} need" in done.stderr
    assert 'the extra "text" brings' in done.stderr
    assert done.returncode == 1
