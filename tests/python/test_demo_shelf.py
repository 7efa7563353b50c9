from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import thresher
from thresher.demo import shelf
from thresher.demo.corpus import Contents, Passage
from thresher.demo.dictionary import TokenWeights


class Pets:
    """A corpus that counts how often it is made."""

    name = "pets"
    passages_are = "pets"
    vectors_are = "whiskers"
    examples: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.made = 0
        self.version = "1"

    def fingerprint(self) -> str:
        return self.version

    def contents(self) -> Contents:
        self.made += 1
        vectors = sparse.csr_array(np.array([[0, 1, 0], [0, 0.5, 2]], dtype=np.float32))
        return Contents(
            [Passage("Cat", "purrs", "tame"), Passage("Dog", "barks", "wild")], vectors, ["[UNK]", "cat", "dog"]
        )

    def encoder(self, vocabulary: Sequence[str]) -> TokenWeights:
        numbers = np.arange(len(vocabulary), dtype=np.uint16)
        return TokenWeights(vocabulary, numbers, np.ones(len(vocabulary), dtype=np.float32))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "thresher/demo"


def best(corpus: Pets) -> list[object]:
    with shelf.opened(corpus) as opened:
        assert {"cat", "purrs"} <= set(opened.known)
        return list(opened.collection.search_one({1: 1.0}, k=2).ids)


def test_it_is_made_once(cache: Path) -> None:
    pets = Pets()
    assert best(pets) == best(pets) == [0, 1]
    assert pets.made == 1
    assert len(list(cache.iterdir())) == 1


def test_what_has_changed_is_made_anew_and_the_old_removed(cache: Path) -> None:
    pets = Pets()
    best(pets)
    before = list(cache.iterdir())
    pets.version = "2"
    assert best(pets) == [0, 1]
    assert pets.made == 2
    assert len(list(cache.iterdir())) == 1
    assert list(cache.iterdir()) != before


def test_another_version_of_thresher_makes_it_anew(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pets = Pets()
    best(pets)
    monkeypatch.setattr(thresher, "__version__", "99.0")
    best(pets)
    assert pets.made == 2


@pytest.mark.parametrize("damaged", ["vocabulary.txt", "words.txt", "collection/catalogue.sqlite", "collection"])
def test_what_is_damaged_is_made_anew(cache: Path, damaged: str) -> None:
    pets = Pets()
    best(pets)
    (folder,) = cache.iterdir()
    target = folder / damaged
    if target.is_dir():
        target.rename(folder / "elsewhere")
    else:
        target.write_bytes(b"\xff" * 5000)
    assert best(pets) == [0, 1]
    assert pets.made == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_is_read_only_is_done_without(cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o500)
    assert best(Pets()) == [0, 1]


def test_a_cache_that_is_no_folder_is_done_without(cache: Path) -> None:
    cache.parent.mkdir()
    cache.write_text("in the way")
    assert best(Pets()) == [0, 1]
    assert cache.read_text() == "in the way"


def test_a_failure_leaves_nothing_behind(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(thresher.Collection, "create", interrupted)
    with pytest.raises(KeyboardInterrupt):
        best(Pets())
    assert list(cache.iterdir()) == []
