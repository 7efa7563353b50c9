"""Passages: nothing of a text is lost, none is too long, and places are where they say."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thresher.folders.reading import decoded, is_binary, passages_of
from thresher.folders.reading.text import MOST_CHARACTERS, MOST_WORDS, cut

_words = st.text("ab\u4e2d.", min_size=1, max_size=12)
_texts = st.lists(
    st.one_of(_words, st.just("w" * 700), st.sampled_from([" ", "\n", "\n\n", " \n \n", ". "])), max_size=900
).map("".join)


@given(st.one_of(_texts, st.integers(0, 900).map(lambda n: "one two.\nthree " * n)))
def test_cutting_loses_nothing_and_keeps_to_the_bounds(text: str) -> None:
    pieces = list(cut(text))
    assert "".join("".join(piece for _, piece in pieces).split()) == "".join(text.split())
    lines = text.split("\n")
    for line, piece in pieces:
        assert len(piece.split()) <= MOST_WORDS
        assert len(piece) <= MOST_CHARACTERS
        assert piece == piece.strip() != ""
        assert piece.split("\n")[0].rstrip() in lines[line - 1]


def test_short_paragraphs_stay_together_and_long_ones_end_behind_a_sentence() -> None:
    assert [line for line, _ in cut("a b\n\nc d\n\n" + "e " * 199 + "\n\nf")] == [1, 5]
    pieces = [piece for _, piece in cut("one two three four. " * 100)]
    assert all(piece.endswith("four.") for piece in pieces)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_marked_encodings(encoding: str) -> None:
    marks = {
        "utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE,
        "utf-32-le": codecs.BOM_UTF32_LE, "utf-32-be": codecs.BOM_UTF32_BE,
    }  # fmt: skip
    data = marks[encoding] + "Grüße\r\n中".encode(encoding)
    assert not is_binary(data)
    assert decoded(data) == ("Grüße\n中", False)


@given(st.binary())
def test_any_bytes_are_decoded_and_read(data: bytes) -> None:
    text = decoded(data).text
    text.encode()
    for name in ("a.txt", "a.md", "a.html", "a.jsonl", "a.csv", "a.tsv"):
        for passage in passages_of(name, text).passages:
            assert passage.text.strip()
            passage.text.encode()


_MARKS = [
    "<p>", "</p>", "<script>", "</script>", "<h1>", "</h1>", "<pre>", "<title>", "</title>", "<svg/>", "<td>",
    "<!--", "-->", "<", "&lt;", "&#xD800;", "a", "\n", '"', "{", ",", "#", "---\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(_MARKS)))
def test_any_marks_are_read(pieces: list[str]) -> None:
    for name in ("a.md", "a.html", "a.jsonl", "a.csv"):
        for passage in passages_of(name, "".join(pieces)).passages:
            assert passage.text.strip()
            (passage.text + passage.title).encode()


def test_binary() -> None:
    assert is_binary(b"a\0b")
    assert is_binary(b"%PDF-1.7 text")
    assert is_binary(bytes(range(1, 32)))
    assert not is_binary(b"")
    assert not is_binary("Grüße".encode("latin-1"))


def sections(name: str, text: str) -> list[tuple[str, str, str]]:
    return [(one.title, one.place, one.text) for one in passages_of(name, text).passages]


def test_markdown() -> None:
    text = (
        "---\ntitle: x\n---\nbefore\n\n# One #\nfirst\n\n```\n# no heading\n```\n\n"
        "Two\n---\nsecond\n### Deep\nd\n# Last\n- a\n---\n"
    )
    assert sections("page.md", text) == [
        ("page", "line 1", "---\ntitle: x\n---\nbefore"),
        ("One", "line 6", "# One #\nfirst\n\n```\n# no heading\n```"),
        ("One > Two", "line 13", "Two\n---\nsecond"),
        ("One > Two > Deep", "line 16", "### Deep\nd"),
        ("Last", "line 18", "# Last\n- a\n---"),
    ]


def test_html() -> None:
    text = (
        "<html><head><title>A &amp; B</title><style>p {}</style></head>\n"
        "<body><p>some<b>thing</b>\nelse<script>bad('<p>')</script>"
        "\n<h2>Head</h2>\n<ul><li>one<li>two</ul><svg/>after"
    )
    assert sections("x.html", text) == [
        ("A & B", "line 2", "something else"),
        ("A & B > Head", "line 4", "Head\n\none\n\ntwo\n\nafter"),
    ]


def test_json_lines() -> None:
    text = (
        '{"title": "T", "text": "short", "long": "longer than it", "id": 7, "id_": 8}\n\n"bare"\n[1]\n'
        '{"n": 1}\n{"x": NaN}\n'
        '{"a": "half \\ud800", "deep": ' + "[" * 5000 + "]" * 5000 + "}\n" + '{"a": "half \\ud800", "path": "p"}'
    )
    reading = passages_of("r.jsonl", text)
    assert [(one.title, one.place, one.text, one.fields) for one in reading.passages] == [
        ("T", "line 1", "short", {"long": "longer than it", "id__": 7, "id_": 8}),
        ("r", "line 3", "bare", {}),
        ("r", "line 8", "half \ufffd", {"path_": "p"}),
    ]
    assert [problem.partition(":")[0] for problem in reading.problems] == ["line 4", "line 5", "line 6", "line 7"]


def test_tables() -> None:
    text = 'title,year,zip,,text\n"a\nb",1884,01234,x,"the ""text"""\n,,,,\nc,-1.5,7\nd,1,2,3,4,5\n'
    assert [(one.title, one.place, one.text, one.fields) for one in passages_of("t.csv", text).passages] == [
        ("a b", "row 2", 'the "text"', {"year": 1884, "zip": "01234", "column 4": "x"}),
        ("c", "row 4", "c | -1.5 | 7", {"year": -1.5, "zip": 7}),
        ("d", "row 5", "4", {"year": 1, "zip": 2, "column 4": 3, "column 6": 5}),
    ]
    assert sections("t.tsv", "a\tb\nx, y\tz\n") == [("t", "row 2", "x, y | z")]
