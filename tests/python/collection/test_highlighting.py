"""Which words of a text made its score: spans, fragments, marks."""

from __future__ import annotations

import html
import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.collection import Collection
from thresher.collection.highlighting import Span, best_fragments, joined, located
from thresher.encoders import BM25Encoder, CustomTokenizer, HashedPhrases
from toy_encoders import FixedWords

STORY = (
    "It was a dark night. " * 20
    + "The quick brown foxes were jumping over lazy dogs. "
    + "Nothing happens here at all. " * 30
    + "A FOX sleeps; the fox's tail wags."
)


def spans_of(text: str, encoder: Any, *words: str) -> list[tuple[str, ...]]:
    """Return what of a text matches words, and the words."""
    wanted = dict.fromkeys(words, 1.0)
    return [(text[span.begin : span.end], *span.words) for span in joined(located(text, wanted, encoder), wanted)]


def test_stems_lead_back_to_all_forms(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder("en")) as collection:
        collection.upsert(["a", "b"], texts=[STORY, "nothing"])
        hits = collection.search_one("jumping fox", k=1)
        [found] = collection.highlight("jumping fox", hits)
        assert [STORY[span.begin : span.end] for span in found.spans] == ["foxes", "jumping", "FOX", "fox's"]
        assert found.score == hits.scores[0]
        [explained] = collection.explain("jumping fox", "a")
        products = dict(zip(explained.words or [], explained.products, strict=True))
        assert {span.words: span.product for span in found.spans} == {(word,): products[word] for word in products}
        assert [fragment.text in STORY for fragment in found.fragments] == [True, True]
        assert "brown **foxes** were **jumping** over" in found.marked()
        assert found.marked().endswith("A **FOX** sleeps; the **fox's** tail wags.")
        assert max(len(fragment.text) for fragment in found.fragments) <= 160
        [short] = collection.highlight("jumping fox", "a", fragments=1, size=20)
        assert short.marked("<", ">") == "<foxes> were <jumping>"
        assert collection.highlight("dark", ["b", "a"])[0].marked() == ""
        assert collection.highlight("jumping fox", "a", fragments=0)[0].fragments == []


@pytest.mark.parametrize(
    ("language", "text", "query", "matches"),
    [
        ("ja", "高い東京タワーへ", "東京タワー", ["東京タワー"]),
        ("zh", "我喜欢北京烤鸭", "北京", ["北京"]),
        ("th", "ผมรักประเทศไทยมาก", "ประเทศไทย", ["ประเทศไทย"]),
        ("ja", "ﬁ東京ｶﾒﾗ㍿とß京都", "カメラ", ["ｶﾒﾗ"]),  # some become several characters in normal form
        ("ja", "ﬁ東京ｶﾒﾗ㍿とß京都", "京都", ["京都"]),
        ("ar", "الكتاب على الطاولة", "كتاب", ["الكتاب"]),
        (None, "a party 🎉today", "🎉", ["🎉"]),
        ("de", "Die Häuser am Fluss", "Haus", ["Häuser"]),
        ("en", "re-running, run", "run", ["running", "run"]),
        ("en", "İstanbul RUNNING", "running", ["RUNNING"]),
    ],
)
def test_scripts(tmp_path: Path, language: str | None, text: str, query: str, matches: list[str]) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder(language)) as collection:
        collection.upsert(["a", "b"], texts=[text, "x"])
        assert collection.search_one(query, k=1).ids.tolist() == ["a"]
        [found] = collection.highlight(query, "a")
        assert [text[span.begin : span.end] for span in found.spans] == matches


def test_a_tokenizer_of_ones_own_may_cut_at_spaces() -> None:
    encoder = BM25Encoder(tokenizer=CustomTokenizer(str.split, "spaces"))
    assert spans_of("a cat, a dog", encoder, "cat,", "dog") == [("cat,", "cat,"), ("dog", "dog")]
    fields = BM25Encoder(tokenizer=CustomTokenizer(lambda text: text.lower().split(";"), "fields"))
    assert spans_of("Boston;New York", fields, "new york", "never there") == [("New York", "new york")]


def test_words_of_a_fixed_vocabulary() -> None:
    encoder = FixedWords()
    assert spans_of("W1 (w2) w10", encoder, "w1", "w2") == [("W1", "w1"), ("w2", "w2")]
    pieces = "token", "##ization", "car", "▁fox", "Ġdog"
    text = "Tokenization of a carpet, token! A fox; dogs dog"
    assert spans_of(text, encoder, *pieces) == [
        ("Tokenization", "##ization", "token"),
        ("token", "token"),
        ("fox", "▁fox"),
        ("dog", "Ġdog"),
    ]


def test_offsets_of_the_encoder_are_taken() -> None:
    class WithOffsets(FixedWords):
        def spans(self, text: str) -> list[tuple[int, int, str]]:
            at = text.index("embedding")
            return [(at, at + 2, "em"), (at + 2, at + 5, "##bed"), (at + 5, at + 9, "##ding"), (0, 999, "em")]

    text = "an embedding"
    assert spans_of(text, WithOffsets(), "em", "##bed") == [("embed", "em", "##bed")]


def test_vectors_that_were_given(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "words", words=True) as collection:
        collection.upsert(["a", "b"], [{"cat": 1.0}, {"cat": 2.0}], texts=["A cat.", None])
        first, second = collection.highlight({"cat": 1.0, "dog": 1.0}, ["a", "b"])
        assert first.marked() == "A **cat**."
        assert (second.text, second.spans, second.fragments) == (None, [], [])
    with Collection.create(tmp_path / "numbers", encoder=FixedWords()) as collection:
        collection.upsert(["a"], texts=["w3 w4"])
        assert collection.highlight({3: 1.0}, "a")[0].marked() == "**w3** w4"


def test_beside_phrases_words_are_those_of_the_encoder(tmp_path: Path) -> None:
    text = "Foxes jumped high"
    encoder = HashedPhrases(BM25Encoder("en").fit([text, "no"]))
    with Collection.create(tmp_path / "docs", encoder=encoder) as collection:
        collection.upsert(["a"], texts=[text])
        assert collection.highlight("a fox jumps", "a")[0].marked() == "**Foxes** **jumped** high"


def test_texts_may_be_given(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=FixedWords(), keep_texts=False) as collection:
        collection.upsert(["a"], texts=["w1 w2"])
        with pytest.raises(ValueError, match="keeps none: pass texts="):
            collection.highlight("w2", "a")
        assert collection.highlight("w2", "a", texts=["w2 <w1>"])[0].marked() == "**w2** <w1>"
        with pytest.raises(ValueError, match="texts: 2 for 1 ids"):
            collection.highlight("w2", "a", texts=["w2", "w1"])
        with pytest.raises(KeyError, match="no document 'z'"):
            collection.highlight("w2", "z", texts=["w2"])
        for n, size in ((3, 0), (-1, 160)):
            with pytest.raises(ValueError, match="fragments must be >= 0 and size >= 1"):
                collection.highlight("w2", "a", texts=["w2"], fragments=n, size=size)


def test_what_is_between_marks_is_escaped(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder(None)) as collection:
        collection.upsert(["a"], texts=["<b>cat</b> & dog"])
        marked = collection.highlight("cat", "a")[0].marked("<mark>", "</mark>", escape=html.escape)
        assert marked == "&lt;b&gt;<mark>cat</mark>&lt;/b&gt; &amp; dog"


@given(
    text=st.text(alphabet=st.sampled_from("ab  \n"), max_size=200),
    n=st.integers(0, 4),
    size=st.integers(1, 40),
    data=st.data(),
)
def test_fragments_are_apart_and_hold_their_spans(text: str, n: int, size: int, data: st.DataObject) -> None:
    words = [word for word in ("a", "ab", "b") if word in text]
    wanted = {word: data.draw(st.floats(0.1, 10)) for word in words}
    found = [(at, at + len(word), word) for word in words for at in range(len(text)) if text.startswith(word, at)]
    spans = joined(found, wanted)
    assert all(one.end <= other.begin for one, other in itertools.pairwise(spans))
    fragments = best_fragments(text, spans, wanted, n, size)
    assert len(fragments) <= n
    assert bool(fragments) == bool(spans and n)
    for fragment in fragments:
        assert fragment.text == text[fragment.begin : fragment.end]
        assert fragment.spans
        longest = max(span.end - span.begin for span in fragment.spans)
        assert len(fragment.text) <= max(size, longest)
        for span in fragment.spans:
            assert fragment.begin <= span.begin < span.end <= fragment.end
    assert all(one.end <= other.begin for one, other in itertools.pairwise(fragments))


def test_the_best_fragment_has_most_of_the_distinct_terms() -> None:
    text = "a a a a a" + " ." * 50 + " a b" + " ." * 50 + " b"
    wanted = {"a": 1.0, "b": 1.0}
    spans = [Span(at, at + 1, (text[at],), 1.0) for at in range(len(text)) if text[at] in wanted]
    [best] = best_fragments(text, spans, wanted, 1, 20)
    assert {text[span.begin] for span in best.spans} == {"a", "b"}


def test_a_long_text(tmp_path: Path) -> None:
    text = "cat dog bird " * 80_000  # a megabyte
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder("en")) as collection:
        collection.upsert(["a"], texts=[text])
        [found] = collection.highlight("cats and dogs", "a")
        assert len(found.spans) == 160_000
        assert found.fragments[0].text.startswith("cat dog bird")
