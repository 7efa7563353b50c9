from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thresher import ExactIndex, FormatError
from thresher.formats.names import names_of, names_path, read_names, remove_names

SHAPE, NNZ = (2, 3), 4


def write_names(
    index: Path, *, documents: list[str], terms: list[str] | None, shape: tuple[int, int], nnz: int
) -> None:
    """Write the side-car of an older version."""
    names = {"format": "thresher names", "version": 1, "shape": shape, "nnz": nnz}
    names_path(index).write_text(json.dumps({**names, "documents": documents, "terms": terms}))


def write(index: Path) -> None:
    write_names(index, documents=["a", "b"], terms=["x", "y", "z"], shape=SHAPE, nnz=NNZ)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(st.text()), terms=st.none() | st.lists(st.text()))
def test_round_trip(tmp_path: Path, documents: list[str], terms: list[str] | None) -> None:
    shape = (len(documents), 5 if terms is None else len(terms))
    write_names(tmp_path / "index", documents=documents, terms=terms, shape=shape, nnz=1)
    names = read_names(tmp_path / "index", shape=shape, nnz=1)
    assert names is not None
    assert (names.documents, names.terms) == (documents, terms)


def test_vocabulary(tmp_path: Path) -> None:
    write(tmp_path / "index")
    names = read_names(tmp_path / "index", shape=SHAPE, nnz=NNZ)
    assert names is not None
    assert names.vocabulary == {"x": 0, "y": 1, "z": 2}


def test_an_index_has_its_own_or_those_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "index"
    plain = ExactIndex.build([{0: 1.0, 1: 1.0}, {1: 1.0, 2: 1.0}])
    assert names_of(plain, path) is None
    write(path)
    beside = names_of(plain, path)
    assert beside is not None
    assert (beside.documents, beside.terms) == (["a", "b"], ["x", "y", "z"])
    own = names_of(plain.with_words(["p", "q"]), path)
    assert own is not None
    assert own.documents is None
    assert own.vocabulary is not None
    assert (dict(own.vocabulary), own.vocabulary.get("x")) == ({"p": 0, "q": 1}, None)


def test_stands_beside_the_index_and_can_be_removed(tmp_path: Path) -> None:
    index = tmp_path / "docs.thresher"
    write(index)
    assert names_path(index) == tmp_path / "docs.thresher.names"
    remove_names(index)
    remove_names(index)
    assert read_names(index, shape=SHAPE, nnz=NNZ) is None


@pytest.mark.parametrize(("shape", "nnz"), [((3, 3), NNZ), ((2, 4), NNZ), (SHAPE, 5)])
def test_names_of_another_index(tmp_path: Path, shape: tuple[int, int], nnz: int) -> None:
    write(tmp_path / "index")
    with pytest.raises(FormatError, match="belongs to another index"):
        read_names(tmp_path / "index", shape=shape, nnz=nnz)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": "else"}, "not the names"),
        ({"version": 2}, "version 2"),
        ({"documents": ["a"]}, '"documents" must be 2 strings'),
        ({"documents": ["a", 2]}, '"documents" must be 2 strings'),
        ({"documents": None}, '"documents" must be 2 strings'),
        ({"terms": ["x", "y"]}, '"terms" must be null or 3 strings'),
        ({"terms": {"x": 0}}, '"terms" must be null or 3 strings'),
    ],
)
def test_damaged(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    write(tmp_path / "index")
    path = names_path(tmp_path / "index")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(FormatError, match=message):
        read_names(tmp_path / "index", shape=SHAPE, nnz=NNZ)


@pytest.mark.parametrize("raw", [b"", b"[1", b"\xff\xfe\xff", b"[]", b"[" * 100_000])
def test_foreign(tmp_path: Path, raw: bytes) -> None:
    names_path(tmp_path / "index").write_bytes(raw)
    with pytest.raises(FormatError, match=r"index\.names: not"):
        read_names(tmp_path / "index", shape=SHAPE, nnz=NNZ)
