"""Texts through a collection's door: encoded as they come, and as they are asked."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from thresher.collection import Collection
from thresher.collection import texts as texts_module
from thresher.encoders import BM25Encoder, CustomTokenizer, Encoder, HashedPhrases, WordImpacts
from toy_encoders import FixedWords, GrowingWords

DOCS = ["w1 w2 w2", "w2 w3", "w3 w3 w3 w4", ""]
IDS = ["a", "b", "c", "d"]
ENCODERS: list[Callable[[], Encoder]] = [FixedWords, GrowingWords]


@pytest.fixture(params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> Any:
    return request.param()


def ids_of(collection: Collection, query: Any, k: int = 4, **options: Any) -> list[Any]:
    return [one for one in collection.search_one(query, k=k, **options).ids if one is not None]


def test_texts_are_encoded_and_found(tmp_path: Path, encoder: Any) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder) as collection:
        assert collection.upsert(IDS, texts=DOCS) == 4
        hits = collection.search("w2", 4)
        assert hits.ids.tolist() == [["a", "b", None, None]]
        assert hits.scores[0, :2].tolist() == [2.0, 1.0]
        both = collection.search(["w3 w4", "nothing-there w1"], 2)
        assert both.ids[0].tolist() == ["c", "b"]
        assert both.ids[1, 0] == "a"
        assert ids_of(collection, "w2 w3") == ["c", "a", "b"]
        assert [document.text for document in collection.get(IDS)] == DOCS
        assert [document.vector.nnz for document in collection.get(IDS)] == [2, 2, 2, 0]


def test_vectors_and_texts_mix(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=FixedWords()) as collection:
        collection.upsert(["a"], [{5: 1.0}], texts=["w1"])  # the text is kept, and not encoded
        collection.upsert(["b"], texts=["w1"])
        assert ids_of(collection, "w1") == ["b"]
        assert ids_of(collection, {5: 1.0}) == ["a"]
        assert collection.get(["a"])[0].text == "w1"
    with Collection.create(tmp_path / "words", encoder=GrowingWords()) as collection:
        collection.upsert(["a"], [{"w1": 2.0}])
        collection.upsert(["b"], texts=["w1 w1 w9"])
        collection.upsert(["c"], texts=["w9"])
        assert ids_of(collection, {"w1": 1.0}) == ids_of(collection, "w1") == ["a", "b"]
        assert ids_of(collection, {"w9": 1.0}) == ids_of(collection, "w9") == ["b", "c"]
        assert ids_of(collection, "w1 w9", must=["w9"]) == ["b", "c"]


def test_vectors_by_name_have_encoders_of_their_own(tmp_path: Path) -> None:
    names: dict[str, dict[str, Any]] = {"title": {"encoder": GrowingWords()}, "body": {}, "given": {"encoder": None}}
    with Collection.create(tmp_path / "docs", encoder=FixedWords(), vectors=names) as collection:
        collection.upsert(["a"], texts={"title": ["w1 w7"], "body": ["w2"]})
        collection.upsert(["b"], {"given": [{3: 1.0}]}, texts=["w2 w7"])
        assert ids_of(collection, "w7") == ids_of(collection, "w7", vector="title") == ["a", "b"]
        assert ids_of(collection, "w7", vector="body") == ["b"]
        assert ids_of(collection, {3: 1.0}, vector="given") == ["b"]
        assert [document.text for document in collection.get(["a", "b"])] == ["w1 w7", "w2 w7"]
        with pytest.raises(ValueError, match="vector 'given' has none"):
            collection.search("w2", vector="given")
        with pytest.raises(ValueError, match="there is no 'other'"):
            collection.upsert(["c"], texts={"other": ["w1"]})
        with pytest.raises(ValueError, match="vector 'given' has none"):
            collection.upsert(["c"], texts={"given": ["w1"]})
    other = {"title": GrowingWords(), "body": FixedWords()}
    with Collection.open(tmp_path / "docs", encoder=other) as collection:
        assert ids_of(collection, "w7", vector="title") == ["a", "b"]
    with pytest.raises(ValueError, match="'body' is of the encoder 'toy:fixed'"):
        Collection.open(tmp_path / "docs", encoder=GrowingWords())


def test_texts_are_kept_or_not(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=FixedWords(), keep_texts=False) as collection:
        collection.upsert(["a"], texts=["w1"])
        assert collection.get(["a"])[0].text is None
        assert ids_of(collection, "w1") == ["a"]
    with Collection.open(tmp_path / "docs", "rw", encoder=FixedWords()) as collection:
        collection.upsert(["b"], texts=["w1"])
        assert collection.get(["b"])[0].text is None
    with pytest.raises(TypeError, match="keep_texts"):
        Collection.create(tmp_path / "other", keep_texts=1)  # type: ignore[arg-type]


def test_an_encoder_is_made_again_of_its_config(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder("en")) as collection:
        collection.upsert(IDS, texts=["cats", "dogs", "cat and dog", ""])
    with Collection.open(tmp_path / "docs") as collection:
        assert collection.vectors["vector"].encoder is not None
        assert ids_of(collection, "a cat") == ["a", "c"]
    with Collection.open(tmp_path / "docs", "rw") as collection:
        collection.upsert(["e"], texts=["more cats"])
        assert set(ids_of(collection, "a cat")) == {"a", "c", "e"}
    with pytest.raises(ValueError, match=r"the encoder that was given is 'bm25:lucene:0\.9"):
        Collection.open(tmp_path / "docs", encoder=BM25Encoder("en", k1=0.9))


def test_an_encoder_that_has_changed_since_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder(None)) as collection:
        collection.upsert(["a"], texts=["cat"])
    monkeypatch.setattr("thresher.encoders.from_config", lambda _: BM25Encoder(None, b=0.1))
    with (
        Collection.open(tmp_path / "docs") as collection,
        pytest.raises(ValueError, match="the encoder that its config makes is 'bm25"),
    ):
        collection.search("cat")


def test_without_a_config_it_must_be_given(tmp_path: Path, encoder: Any) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder) as collection:
        collection.upsert(IDS, texts=DOCS)
    with Collection.open(tmp_path / "docs", "rw") as collection:
        assert len(collection) == 4  # what needs no encoder goes on
        for call in (lambda: collection.search("w1"), lambda: collection.upsert(["x"], texts=["w1"])):
            with pytest.raises(ValueError, match=r"can't be made of a config: Collection.open\(path, encoder=\)"):
                call()
        assert len(collection) == 4
    with pytest.raises(ValueError, match="can't be compared"):
        Collection.open(tmp_path / "docs", encoder=type(encoder)("another"))
    with Collection.open(tmp_path / "docs", encoder=type(encoder)()) as collection:
        assert ids_of(collection, "w2") == ["a", "b"]


def test_without_an_encoder_texts_are_refused(tmp_path: Path) -> None:
    for name in ("numbers", "words"):
        with Collection.create(tmp_path / name, words=name == "words") as collection:
            calls: list[Callable[[], Any]] = [
                lambda c=collection: c.search("w1"),  # type: ignore[misc]
                lambda c=collection: c.search(["w1", "w2"]),  # type: ignore[misc]
                lambda c=collection: c.search_one("w1"),  # type: ignore[misc]
                lambda c=collection: c.upsert(["a"], texts=["w1"]),  # type: ignore[misc]
            ]
            for call in calls:
                with pytest.raises(ValueError, match="texts need an encoder, and vector 'vector' has none"):
                    call()
            with pytest.raises(TypeError, match="upsert takes vectors, or texts"):
                collection.upsert(["a"])
        with pytest.raises(ValueError, match="created without one"):
            Collection.open(tmp_path / name, encoder=FixedWords())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"encoder": object()}, TypeError, "must be an encoder"),
        ({"encoder": FixedWords}, TypeError, "must be an encoder"),
        ({"encoder": FixedWords(), "words": True}, ValueError, "numbers its terms"),
        ({"encoder": FixedWords(), "n_terms": 5}, ValueError, "n_terms must be the encoder's, 97, got 5"),
        ({"encoder": GrowingWords(), "n_terms": 5}, ValueError, "n_terms must be the encoder's"),
    ],
)
def test_a_wrong_encoder_makes_no_collection(tmp_path: Path, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Collection.create(tmp_path / "docs", **options)
    assert not (tmp_path / "docs").exists()


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (["x", None], TypeError, r"texts\[1\] must be a string"),
        (["x", b"y"], TypeError, r"texts\[1\] .* decode"),
        (["x", "y\ud800"], ValueError, r"texts\[1\] has half a surrogate pair at 1"),
        (["x"], ValueError, "texts: 1 for 2 ids"),
        ("xy", TypeError, "texts must be a list"),
        (7, TypeError, "texts must be a list"),
    ],
)
def test_wrong_texts_store_nothing(tmp_path: Path, encoder: Any, texts: Any, error: Any, message: str) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder) as collection:
        with pytest.raises(error, match=message):
            collection.upsert(["a", "b"], texts=texts)
        assert len(collection) == 0
        with collection.batch() as batch:
            with pytest.raises(error, match=message):
                batch.upsert(["a", "b"], texts=texts)
            batch.upsert(["c"], texts=["w1"])
        assert ids_of(collection, "w1") == ["c"]


@pytest.mark.parametrize("query", ["w\udc80", ["w1", "w\udc80"], b"w1", ["w1", 3]])
def test_wrong_queries_are_named(tmp_path: Path, query: Any) -> None:
    with (
        Collection.create(tmp_path / "docs", encoder=FixedWords()) as collection,
        pytest.raises((TypeError, ValueError), match=r"quer(y|ies\[1\]) (has half|must be a string)"),
    ):
        collection.search(query)


def test_texts_come_in_arrays(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=FixedWords()) as collection:
        collection.upsert(np.array(IDS), texts=np.array(DOCS))
        assert collection.search(np.array(["w2", "w4"]), 1).ids.tolist() == [["a"], ["c"]]
        assert collection.search(np.array(["w2", "w4"], object), 1).ids.tolist() == [["a"], ["c"]]


def test_word_impacts_are_asked_in_words(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=WordImpacts()) as collection:
        collection.upsert(["a", "b"], [{"cat": 2.0, "mat": 0.5}, {"cat": 1.0, "dog": 3.0}], texts=["A cat", "Cat, dog"])
        collection.upsert(["c"], texts=['{"vector": {"dog": 4.0}}'])
        assert ids_of(collection, "A cat, a dog") == ["b", "c", "a"]
        assert collection.highlight("dogs? a dog", "b")[0].marked() == "Cat, **dog**"
    with Collection.open(tmp_path / "docs") as collection:
        assert ids_of(collection, "mat") == ["a"]


def test_hashed_phrases_bring_a_wide_vocabulary(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=HashedPhrases(FixedWords())) as collection:
        collection.upsert(["a", "b"], texts=["w3 w1 w2", "w1 w3 w2"])
        assert ids_of(collection, "w1 w2") == ["a", "b"]
        collection.flush()
        assert collection.search_one("w1 w2", k=2).scores.tolist() == [3.0, 2.0]


def test_a_must_takes_any_form_of_a_word(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder("en")) as collection:
        collection.upsert(["a", "b"], texts=["cats and dogs", "a cat runs"])
        for must in ("dogs", "Dog", ["dog"], ["cats", "DOGS"]):
            assert ids_of(collection, "cat", must=must) == ["a"]
        assert ids_of(collection, "cat", must="birds") == []


def test_without_encoders_the_catalogue_is_as_before(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs") as collection:
        collection.upsert(["a"], [{0: 1.0}], texts=["kept"])
        with collection._store.reading() as catalogue:
            kept = json.loads(catalogue.meta("schema"))["vector"]
            assert set(kept) == {"n_terms", "words", "signed", "engine", "weights", "params"}
            assert catalogue.meta("keep_texts") is None
        assert collection.get(["a"])[0].text == "kept"


def test_texts_come_from_iterators(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=FixedWords()) as collection:
        collection.upsert(IDS, texts=iter(DOCS))
        with collection.batch() as batch:
            batch.upsert(["x"], texts=(text for text in ["w9"]))
        assert [document.text for document in collection.get([*IDS, "x"])] == [*DOCS, "w9"]
        assert ids_of(collection, "w9") == ["x"]


SCRIPTS = {
    "zh": ["我喜欢北京烤鸭", "北京", "烤鸭"],
    "ja": ["東京タワーは高い", "タワー"],
    "ko": ["서울의 날씨가 좋다", "날씨"],
    "th": ["ผมรักประเทศไทย", "ประเทศ"],
    "ar": ["الكِتَاب على الطاولة", "الكتاب", "طاولة"],
    "hi": ["दिल्ली भारत की राजधानी है", "भारत"],
    "he": ["שלום עולם", "עולם"],
    "emoji": ["a party 🎉 with 👩\u200d👩\u200d👧 today", "🎉", "👩\u200d👩\u200d👧"],
    "combining": ["Cafe\u0301 au lait", "café", "CAFÉ"],
    "full width": ["\uff21\uff22\uff23\uff11\uff12\uff13 test", "abc123"],
    "nul": ["one\0two three", "three"],
    "controls": ["\x01\x02 word \ufeff\u200b", "word"],
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_finds_its_own(tmp_path: Path, script: str) -> None:
    own, *queries = SCRIPTS[script]
    language = script if len(script) == 2 else None
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder(language)) as collection:
        others = [texts[0] for name, texts in SCRIPTS.items() if name != script]
        collection.upsert(range(len(others) + 1), texts=[own, *others])
        collection.flush()
        for query in queries:
            assert ids_of(collection, query, k=20) == [0], query
        assert collection.get([0])[0].text == own
    with Collection.open(tmp_path / "docs") as collection:
        assert collection.search(queries, 1).ids[:, 0].tolist() == [0] * len(queries)


def test_nothing_and_very_much(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder("en")) as collection:
        assert collection.upsert([], texts=[]) == 0
        assert ids_of(collection, "cat") == []
        assert collection.search([], 3).ids.shape == (0, 3)
        collection.upsert(["none", "stop words"], texts=["", "the of and"])
        assert ids_of(collection, "") == ids_of(collection, "the") == ids_of(collection, "cat") == []
        assert collection.stats().mean_lengths == {}
        long = " ".join(f"word{number % 5000}" for number in range(120_000))  # more than a megabyte
        collection.upsert(["long", "short", "word"], texts=[long, "word77 here", "x" * 1_000_000])
        assert set(ids_of(collection, "word77")) == {"short", "long"}
        assert ids_of(collection, "x" * 1_000_000) == ["word"]
        assert ids_of(collection, long, k=1) == ["long"]
        collection.optimize()
        assert set(ids_of(collection, "word77")) == {"short", "long"}
        assert collection.get(["long"])[0].text == long


def test_explain_names_words(tmp_path: Path, encoder: Any) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder) as collection:
        collection.upsert(IDS, texts=DOCS)
        [explained] = collection.explain("w2 w1 never", "a")
        assert dict(zip(explained.words or [], explained.products.tolist(), strict=True)) == {"w2": 2.0, "w1": 1.0}
        assert explained.score == collection.search_one("w2 w1 never", k=1).scores[0]


def test_event_loops_take_texts(tmp_path: Path, encoder: Any) -> None:
    async def both() -> list[Any]:
        with Collection.create(tmp_path / "docs", encoder=encoder) as collection:
            await collection.aupsert(IDS, texts=DOCS)
            many = await collection.asearch(["w2"], 1)
            one = await collection.asearch_one("w2", k=1)
            return [many.ids.tolist(), one.ids.tolist()]

    assert asyncio.run(both()) == [[["a"]], ["a"]]


def test_texts_are_encoded_some_at_a_time_and_outside_of_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts_module, "_AT_ONCE", 3)
    encoder = FixedWords()
    told: list[tuple[int, int]] = []
    with Collection.create(tmp_path / "docs", encoder=encoder) as collection:

        def progress(done: int, total: int) -> None:
            told.append((done, total))
            other = threading.Thread(target=collection.upsert, args=([f"other{done}"], [{0: 1.0}]))
            other.start()
            other.join(20)
            assert not other.is_alive(), "who encodes holds the lock"

        collection.upsert([f"d{n}" for n in range(8)], texts=[f"w{n}" for n in range(8)], progress=progress)
        assert encoder.calls == [3, 3, 2]
        assert told == [(3, 8), (6, 8), (8, 8)]
        assert len(collection) == 11

        def stop(done: int, total: int) -> None:
            raise RuntimeError("enough")

        with pytest.raises(RuntimeError, match="enough"):
            collection.upsert(["x"], texts=["w1"], progress=stop)
        assert "x" not in collection


def test_what_is_there_is_not_encoded_again(tmp_path: Path) -> None:
    encoder = FixedWords()
    with Collection.create(tmp_path / "docs", encoder=encoder) as collection:
        collection.upsert(["a", "b"], texts=["w1", "w2"])
        encoder.calls.clear()
        payloads = [{"n": 1}, {"n": 2}, {"n": 3}]
        assert collection.upsert(["b", "c", "a"], texts=["w5", "w6", "w7"], payloads=payloads, if_absent=True) == 1
        assert encoder.calls == [1]
        assert [(document.text, document.payload) for document in collection.get(["a", "b", "c"])] == [
            ("w1", {}), ("w2", {}), ("w6", {"n": 2}),
        ]  # fmt: skip
        assert ids_of(collection, "w6") == ["c"]
        for texts, given in ((["w1"], None), (["w1", "w2"], [{}])):
            with pytest.raises(ValueError, match=r"1 for \d ids"):
                collection.upsert(["a", "z"], texts=texts, payloads=given, if_absent=True)
        assert collection.upsert(["a", "b"], texts=["w5", "w6"], if_absent=True) == 0


def test_a_broken_encoder_is_told_of(tmp_path: Path) -> None:
    class TooFew(FixedWords):
        def encode_documents(self, texts: Any, *, progress: Any = None) -> sp.csr_array:
            return sp.csr_array((len(texts) - 1, 97), dtype=np.float32)

    class Negative(FixedWords):
        def encode_documents(self, texts: Any, *, progress: Any = None) -> sp.csr_array:
            return -super().encode_documents(texts, progress=progress)

    class TooWide(FixedWords):
        def width(self) -> int:
            return 200

        def column(self, word: str) -> int:
            return 150

    class Nameless(GrowingWords):
        def terms(self, ids: Any) -> Any:
            return [None for _ in ids]

    for number, (kind, message) in enumerate(
        [
            (TooFew, "made 0 rows of 1 texts"),
            (Negative, "weights must not be negative"),
            (TooWide, "has term 150, and the collection has n_terms=97"),
            (Nameless, "terms must give a string"),
        ]
    ):
        with Collection.create(tmp_path / str(number), encoder=kind()) as collection:
            with pytest.raises((TypeError, ValueError), match=message):
                collection.upsert(["a"], texts=["w1"])
            assert len(collection) == 0


def _search_in_child(collection: Collection, queue: Any) -> None:
    queue.put(collection.search("cat", 1).ids.tolist())


def test_a_forked_child_encodes(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder(None)) as collection:
        collection.upsert(["a", "b"], texts=["cat", "dog"])
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=_search_in_child, args=(collection, queue))
        child.start()
        assert queue.get(timeout=60) == [["a"]]
        child.join()


def test_words_last_longer_than_the_encoder(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=GrowingWords()) as collection:
        collection.upsert(["a"], texts=["one two three"])
        collection.flush()
    with Collection.open(tmp_path / "docs", "rw", encoder=GrowingWords()) as collection:  # numbers words from 0 again
        collection.upsert(["b"], texts=["three four"])
        assert ids_of(collection, "three") == ["a", "b"]
        assert ids_of(collection, "one") == ["a"]
        assert ids_of(collection, "four") == ["b"]
        collection.optimize()
        assert ids_of(collection, "four three") == ["b", "a"]


def test_a_batch_that_is_undone_numbers_no_words(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder(tokenizer=CustomTokenizer(str.split, "s"))) as some:
        with pytest.raises(RuntimeError), some.batch() as batch:  # noqa: PT012
            batch.upsert(["a"], texts=["cat dog bird fish"])
            raise RuntimeError
        assert some.words() == []
        assert some._view().means == {}
        some.upsert(["b"], texts=["bird"])
        assert ids_of(some, "bird") == ["b"]
        assert some._view().means["vector"].terms == 1.0
