"""Words for terms and names for documents: kept in the index, looked up both ways, and taken in place of terms."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import thresher
from thresher import Words

DOCS = [{"cat": 1.0, "dog": 2.0}, {"emu": 1.5}, {}, {"dog": 0.5, "ähre": 1.0}]
ENGINES = list(thresher.engines().values())

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("ab\0\xff"), max_size=12)


@settings(max_examples=200)
@given(strings=st.lists(texts, unique=True, max_size=80), others=st.lists(texts, max_size=20))
def test_words_are_a_list_with_its_inverse(strings: list[str], others: list[str]) -> None:
    words = Words(strings)
    numbers = {string: number for number, string in enumerate(strings)}
    assert list(words) == strings
    assert list(reversed(words)) == strings[::-1]
    assert [words[i] for i in range(-len(strings), len(strings))] == strings + strings
    assert words[1:70:3] == strings[1:70:3]
    for other in [*others, *strings]:
        assert words.find(other) == numbers.get(other)
        assert (other in words) == (other in numbers)
        assert words.count(other) == strings.count(other)
        if other in numbers:
            assert words.index(other) == strings.index(other)
    wanted = [*others, *strings]
    found = words.find_all(wanted)
    assert found.dtype == np.int64
    assert found.tolist() == [numbers.get(string, -1) for string in wanted]
    assert words.take(np.arange(len(strings))[::-1]) == strings[::-1]
    assert list(pickle.loads(pickle.dumps(words))) == strings
    assert list(Words(dict(numbers))) == strings


def test_more_words_than_are_read_at_once() -> None:
    strings = [f"entity_{i:07}" for i in np.random.default_rng(1).permutation(10_000)]
    words = Words(strings, threads=2)
    assert list(words) == strings
    assert list(reversed(words)) == strings[::-1]
    assert words.find_all(strings).tolist() == list(range(10_000))
    assert Words(sorted(strings)).nbytes < 3 * 10_000


def test_huge_words() -> None:
    huge = "x" * 2**20
    words = Words([huge + "a", huge, "\U0001f600" * 2**18])
    assert [words.find(word) for word in words] == [0, 1, 2]
    assert huge[1:] not in words
    assert len(repr(words)) < 200


def test_what_is_not_there() -> None:
    words = Words(["a", "b"])
    assert words.find("c") is None
    assert words.find("\ud800") is None
    assert words.find_all(["\ud800", "b"]).tolist() == [-1, 1]
    number: Any = 1
    assert number not in words
    for place in (2, -3, 2**70):
        with pytest.raises(IndexError, match=f"there is no word {place}: they are 2"):
            words[place]
    with pytest.raises(ValueError, match="'c' is not there"):
        words.index("c")
    with pytest.raises(ValueError, match="is not there"):
        words.index("a", 1)


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["a", "b", "a"], ValueError, "words: 'a' is there twice, at 0 and 2"),
        (["a", "\ud800"], ValueError, "words: element 1 has half a surrogate pair"),
        (["a", 1], TypeError, "words: element 1 is of type int, not str"),
        (["a", b"b"], TypeError, "words: element 1 is of type bytes"),
        ("text", TypeError, "words must be a sequence of str, got str"),
        (b"text", TypeError, "words must be a sequence of str, got bytes"),
        (7, TypeError, "words must be a sequence of str, got int"),
        ({"a": 0, "b": 2}, ValueError, "words: the numbers must be 0 to 1, one each, but 'b' has 2"),
        ({"a": 0, "b": 0}, ValueError, "words: the numbers must be 0 to 1, one each, but 'b' has 0"),
        ({"a": "0"}, TypeError, "integer"),
    ],
)
def test_what_can_be_no_words(words: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Words(words)
    with pytest.raises(error, match=message):
        thresher.ExactIndex.build(sp.csr_array((2, 5)), words=words)
    if not isinstance(words, dict):
        with pytest.raises(error, match=message.replace("words", "names")):
            thresher.ExactIndex.build(sp.csr_array((2, 5)), names=words)


@pytest.mark.parametrize("call", [lambda w: w.find(1), lambda w: w.find_all("ab"), lambda w: w.find_all([1])])
def test_what_can_not_be_found(call: Any) -> None:
    with pytest.raises(TypeError):
        call(Words(["a"]))


def test_what_can_not_be_taken() -> None:
    words = Words(["a"])
    assert words.take([]) == []
    for numbers in ([1], [-1], [[0]]):
        with pytest.raises(ValueError, match="numbers"):
            words.take(numbers)
    with pytest.raises(TypeError, match="whole numbers"):
        words.take([0.5])


def test_a_sequence_of_any_kind() -> None:
    strings = ["b", "a", "ü"]
    sequences: list[Any] = [tuple(strings), iter(strings), np.array(strings), np.array(strings, object)]
    for sequence in sequences:
        assert list(Words(sequence)) == strings


# ---- In an index.


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_keeps_them(engine: Any, tmp_path: Path) -> None:
    docs = sp.csr_array(np.eye(3, 4) + 1)
    built = engine.build(docs, words=["w", "x", "y", "z"], names=["c", "b", "a"])
    assert engine.build(docs).words is None
    assert engine.build(docs).names is None
    built.save(tmp_path / "index")
    opened: Any = thresher.open(tmp_path / "index")
    opened.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "index").read_bytes()
    forms = [built, opened, pickle.loads(pickle.dumps(built)), pickle.loads(pickle.dumps(opened)), copy.copy(built)]
    for index in [*forms, built.with_search_params()]:
        assert list(index.words) == ["w", "x", "y", "z"]
        assert list(index.names) == ["c", "b", "a"]
        assert index.nbytes["words"] == index.words.nbytes
        assert index.nbytes["names"] == index.names.nbytes
        by_words, by_terms = (index.search([query, {}], k=3) for query in ({"z": 1.0, "x": -1.0}, {3: 1.0, 1: -1.0}))
        np.testing.assert_array_equal(by_words.ids, by_terms.ids)
    words = opened.words
    opened.close()
    assert words[3] == "z"
    with pytest.raises(ValueError, match="closed"):
        _ = opened.words


@pytest.mark.parametrize("engine", ENGINES)
def test_an_index_of_rows_of_words(engine: Any) -> None:
    index = engine.build(DOCS)
    assert list(index.words) == ["cat", "dog", "emu", "ähre"]
    numbered = [{index.words.find(word): weight for word, weight in row.items()} for row in DOCS]
    assert (index.vectors(range(4)) != engine.build(numbered, shape=(4, 4)).vectors(range(4))).nnz == 0
    query = {"dog": 1.0, "ähre": 2.0}
    by_words, by_terms = index.search([query], k=4), index.search([{1: 1.0, 3: 2.0}], k=4)
    np.testing.assert_array_equal(by_words.ids, by_terms.ids)
    np.testing.assert_array_equal(by_words.scores, by_terms.scores)
    assert index.search_one(query, k=2).ids.tolist() == [3, 0]
    assert index.search_one(query, k=2, exclude=[3]).ids.tolist() == [0, -1]
    assert index.count([query, {"cat": 1.0}]).tolist() == [2, 1]


def test_rows_of_words_may_be_told_their_number() -> None:
    index: Any = thresher.ExactIndex.build(DOCS, words=["emu", "dog", "cat", "ähre", "yak"])
    assert index.n_terms == 5
    np.testing.assert_array_equal(index.vectors([0]).toarray(), [[0, 2, 1, 0, 0]])
    assert thresher.ExactIndex.build([{0: 1.0}], words=["a", "b"]).n_terms == 2, "as many terms as words"
    assert thresher.ExactIndex.build(DOCS, shape=(4, 9)).n_terms == 9
    for engine in ENGINES:
        with pytest.raises(ValueError, match="docs: row 0 has the term 'cat', which is not among words"):
            engine.build(DOCS, words=["dog", "emu"])
    with pytest.raises(ValueError, match="not in \\[0, 3\\)"):
        thresher.ExactIndex.build(DOCS, shape=(4, 3))


@pytest.mark.parametrize(
    ("docs", "message"),
    [
        ([{"a": 1.0}, {1: 1.0}], "docs: row 1 is not a dict {word: weight}"),
        ([{}, {"a": 1.0, 1: 1.0}], "docs: row 1 is not a dict {word: weight}"),
        ([{"a": 1.0}, sp.csr_array((1, 3))], "docs: row 1 is not a dict {word: weight}"),
        ([{1: 1.0}, {"a": 1.0}], "docs: row 1 has the term 'a', a str; terms must be whole numbers"),
        ([{"a": "b"}], "docs: row 0 has a str as the weight of term a"),
    ],
)
def test_rows_of_words_and_others(docs: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        thresher.ExactIndex.build(docs)
    assert str(caught.value).startswith(message)


def test_words_that_an_index_does_not_have() -> None:
    index: Any = thresher.ExactIndex.build(DOCS)
    query = {"yak": 3.0, "dog": 1.0}
    for call in (index.search_one, lambda q, **o: index.search([{}, q], **o), lambda q, **o: index.count([q], **o)):
        with pytest.raises(ValueError, match="has the term 'yak', which is not among the index's words"):
            call(query)
    for k in (2, None):
        hits = index.search_one(query, k=k, unknown_terms="ignore")
        assert (hits.ids.tolist(), hits.scores.tolist()) == ([0, 3], [2.0, 0.5])
    assert index.search([{}, query, {"yak": 1.0}], k=1, unknown_terms="ignore").ids.tolist() == [[-1], [0], [-1]]
    assert index.count([query], unknown_terms="ignore").tolist() == [2]
    with pytest.raises(TypeError, match="terms must be whole numbers, or all of them words"):
        index.search_one({"dog": 1.0, 1: 1.0})


def test_an_index_without_words_says_so() -> None:
    index: Any = thresher.ExactIndex.build(sp.csr_array((2, 3)))
    for unknown_terms in ("error", "ignore"):
        with pytest.raises(TypeError, match="the index keeps no words: build it with words="):
            index.search_one({"a": 1.0}, unknown_terms=unknown_terms)
        with pytest.raises(TypeError, match="the index keeps no words: build it with words="):
            index.search([{}, {"a": 1.0}], unknown_terms=unknown_terms)


def test_sizes_are_checked_before_an_index_is_built() -> None:
    docs = sp.csr_array((2, 3))

    def told(done: int, total: int) -> None:
        raise AssertionError((done, total))

    with pytest.raises(ValueError, match="words: 4 for 3 terms"):
        thresher.GraphIndex.build(docs, words=list("abcd"), progress=told)
    with pytest.raises(ValueError, match="names: 1 for 2 documents"):
        thresher.GraphIndex.build(docs, names=["a"], progress=told)
    index: Any = thresher.GraphIndex.build(docs)
    with pytest.raises(ValueError, match="words: 4 for 3 terms"):
        index.with_words(list("abcd"))
    with pytest.raises(ValueError, match="names: 3 for 2 documents"):
        index.with_words(names=list("abc"))


def test_other_words() -> None:
    index: Any = thresher.BlockMaxIndex.build(DOCS, names=list("abcd")).with_search_params(beta=0.5)
    other: Any = index.with_words(["katze", "hund"])
    assert other.engine == "block-max"
    assert (other.words[:], other.names[:], other.search_params["beta"]) == (["katze", "hund"], list("abcd"), 0.5)
    assert index.words[:2] == ["cat", "dog"]
    assert index.with_words(names=list("wxyz")).words[:] == index.words[:]
    index.close()
    assert other.search_one({"hund": 1.0}, k=1).ids.tolist() == [0]
    words = Words(["a", "b", "c", "d"])
    assert other.with_words(words, words).names.find("d") == 3


def test_explanations_name_words() -> None:
    index: Any = thresher.ExactIndex.build(DOCS, names=list("abcd"))
    (told,) = index.explain({"dog": 1.0, "cat": 1.0}, 0)
    assert (told.words, told.name) == (["dog", "cat"], "a")
    assert repr(told) == "document 0 'a', score 3\n    dog: 1 x 2 = 2\n    cat: 1 x 1 = 1"
    (told,) = index.with_words(["cat"]).explain({0: 1.0, 1: 1.0}, 0)
    assert told.words == ["term 1", "cat"]
    (told,) = thresher.ExactIndex.build([{0: 1.0}]).explain({0: 1.0}, 0)
    assert (told.words, told.name) == (None, None)


def test_hits_go_by_names() -> None:
    index: Any = thresher.ExactIndex.build(DOCS, names=["n0", "n1", "n2", "n3"])
    hits = index.search([{"dog": 1.0}], k=4)
    assert [hit["id"] for hit in hits.to_dicts(ids=index.names)[0]] == ["n0", "n3"]


def test_a_builder_takes_them_at_the_end() -> None:
    builder = thresher.Builder(thresher.ExactIndex)
    builder.add(sp.csr_array(np.eye(2)))
    index: Any = builder.freeze(words=["a", "b"], names=["x", "y"])
    assert (index.words[:], index.names[:]) == (["a", "b"], ["x", "y"])


def test_altered_words_are_told_apart(tmp_path: Path) -> None:
    index: Any = thresher.ExactIndex.build(DOCS, names=["n0", "n1", "n2", "n3"])
    index.save(tmp_path / "index")
    content = (tmp_path / "index").read_bytes()
    for section in thresher.describe(tmp_path / "index")["sections"]:
        if not section["name"].startswith(("words/", "names/")) or section["nbytes"] == 0:
            continue
        altered = bytearray(content)
        altered[section["offset"]] ^= 0x80
        (tmp_path / "altered").write_bytes(altered)
        with pytest.raises(thresher.FormatError, match=f"checksum of section {section['name']}"):
            thresher.open(tmp_path / "altered")
        try:
            unchecked: Any = thresher.open(tmp_path / "altered", verify=False)
        except thresher.FormatError:
            continue
        for words in (unchecked.words, unchecked.names):
            assert all(isinstance(word, str) for word in words)
            words.find_all(["cat", "dog", "n1"])
