from __future__ import annotations

import contextlib
import gzip
import importlib
import struct
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

import thresher
from helpers import run_python
from reference import Collection
from strategies import Case, cases
from thresher import FormatError, _extras
from thresher.formats import _impacts, ciff

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

# 4 documents: b {0: 3, 2: 300}, c {}, a {1: 7, 3: 2}; document 3 is called "" and is empty but for "c".
DENSE = np.array([[3, 7, 0], [0, 0, 0], [300, 0, 0], [0, 2, 1]], dtype=np.float32)
TERMS = ["b", "a", "ü"]
IDS = ["d0", "d1", "d2", ""]
LENGTHS = [10, 0, 300, 3]


# ---- The format byte by byte, written down from its definition and not by what is tested.


def varint(value: int) -> bytes:
    value %= 2**64  # negative numbers are two's complements
    low = []
    while value > 127:
        low.append(value % 128 + 128)
        value //= 128
    return bytes([*low, value])


def message(*values: Any) -> bytes:
    """Return a message of the fields 1, 2, ...; zeros and empty strings are left out; a list is a repeated field."""
    parts = []
    for number, value in enumerate(values, 1):
        for each in value if isinstance(value, list) else [value] if value else []:
            if isinstance(each, int):
                parts.append(varint(number * 8) + varint(each))
            elif isinstance(each, float):
                parts.append(varint(number * 8 + 1) + struct.pack("<d", each))
            else:
                raw = each.encode() if isinstance(each, str) else each
                parts.append(varint(number * 8 + 2) + delimited(raw))
    return b"".join(parts)


def delimited(raw: bytes) -> bytes:
    return varint(len(raw)) + raw


def header(
    version: int = 1, n_lists: int = 3, n_docs: int = 4, description: str = "an index; weight = tf * 0.5"
) -> bytes:
    return delimited(message(version, n_lists, n_docs, 30, 40, 313, 78.25, description))


def posting_list(term: str, *postings: tuple[int, int], df: int | None = None) -> bytes:
    """Return a list of postings given as gaps and tfs."""
    raw = [message(gap, tf) for gap, tf in postings]
    return delimited(message(term, len(raw) if df is None else df, sum(tf for _, tf in postings), raw))


def record(docid: int, name: str = "", length: int = 0) -> bytes:
    return delimited(message(docid, name, length))


HEADER = header()
LISTS = [posting_list("b", (0, 3), (2, 300)), posting_list("a", (0, 7), (3, 2)), posting_list("ü", (3, 1))]
RECORDS = [record(0, "d0", 10), record(1, "d1"), record(2, "d2", 300), record(3, "", 3)]


def content(head: bytes = HEADER, lists: list[bytes] = LISTS, records: list[bytes] = RECORDS) -> bytes:
    return b"".join([head, *lists, *records])


def saved(folder: Path, raw: bytes, name: str = "docs.ciff") -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


# ---- Reading.


def test_reads_the_format_as_specified(tmp_path: Path) -> None:
    read = ciff.read_ciff(saved(tmp_path, content()))
    assert isinstance(read.docs, sparse.csr_array)
    assert read.docs.dtype == np.float32
    np.testing.assert_array_equal(read.docs.toarray(), DENSE)
    assert (read.terms, read.ids, read.lengths.tolist()) == (TERMS, IDS, LENGTHS)
    assert (read.description, read.scale) == ("an index; weight = tf * 0.5", 0.5)
    assert (read.total_postings_lists, read.total_docs, read.total_terms, read.average_length) == (30, 40, 313, 78.25)
    assert "d0" not in repr(read)


def test_records_may_be_in_any_order(tmp_path: Path) -> None:
    read = ciff.read_ciff(saved(tmp_path, content(records=[RECORDS[number] for number in (2, 0, 3, 1)])))
    assert (read.ids, read.lengths.tolist()) == (IDS, LENGTHS)
    np.testing.assert_array_equal(read.docs.toarray(), DENSE)


def test_lists_may_be_empty_and_fields_unknown(tmp_path: Path) -> None:
    unknown = delimited(message("a", 1, 7, [message(1, 7, 5, "new")], "new"))
    read = ciff.read_ciff(saved(tmp_path, content(header(n_lists=2), [posting_list("b"), unknown])))
    np.testing.assert_array_equal(read.docs.toarray(), [[0, 0], [0, 7], [0, 0], [0, 0]])


def test_nothing_but_a_header(tmp_path: Path) -> None:
    read = ciff.read_ciff(saved(tmp_path, header(n_lists=0, n_docs=0, description="")))
    assert (read.docs.shape, read.terms, read.ids, read.lengths.tolist(), read.scale) == ((0, 0), [], [], [], None)
    assert read.numbered()[0].shape == (0, 0)


def test_restored_weights(tmp_path: Path) -> None:
    read = ciff.read_ciff(saved(tmp_path, content()), restore=True)
    assert read.docs.dtype == np.float32
    np.testing.assert_array_equal(read.docs.toarray(), DENSE / 2)


@pytest.mark.parametrize(
    ("description", "scale"),
    [
        ("weight = tf * 2", 2.0),
        ("weight = tf * 1; weight = tf * 1e-05", 1e-05),
        ("", None),
        ("weight = tf * 2 or so", None),
        ("weight = tf * 2\n", None),
        ("weight = tf * -2", None),
        ("weight = tf * 0.0", None),
        ("weight = tf * 1e999", None),
        ("weight = tf * 1..2", None),
        ("weight = tf * nan", None),
    ],
)
def test_the_scale_that_a_description_states(tmp_path: Path, description: str, scale: float | None) -> None:
    path = saved(tmp_path, content(header(description=description)))
    assert ciff.read_ciff(path).scale == scale
    if scale is None:
        with pytest.raises(FormatError, match=r"docs\.ciff: the description in the header states no scale"):
            ciff.read_ciff(path, restore=True)


@pytest.mark.parametrize("scale", ["1e37", "1e-46", "1e300", "1e-300"])
def test_weights_that_a_scale_makes_impossible(tmp_path: Path, scale: str) -> None:
    path = saved(tmp_path, content(header(description=f"weight = tf * {scale}")))
    with pytest.raises(FormatError, match=r"docs\.ciff: weights are not finite and > 0 with the scale"):
        ciff.read_ciff(path, restore=True)


def test_whole_numbers_are_columns(tmp_path: Path) -> None:
    lists = [
        posting_list("10", (0, 3), (2, 300)),
        posting_list("2", (0, 7), (3, 2)),
        posting_list("4294967294", (3, 1)),
    ]
    read = ciff.read_ciff(saved(tmp_path, content(lists=lists)))
    docs, vocabulary = read.numbered()
    assert vocabulary is None
    assert docs.shape == (4, 2**32 - 1)
    assert entries(docs) == {(0, 10): 3, (2, 10): 300, (0, 2): 7, (3, 2): 2, (3, 2**32 - 2): 1}
    assert docs.indices[:2].tolist() == [2, 10]
    np.testing.assert_array_equal(read.docs.toarray(), DENSE)  # still


def test_words_are_columns_in_order(tmp_path: Path) -> None:
    read = ciff.read_ciff(saved(tmp_path, content()))
    docs, vocabulary = read.numbered()
    assert vocabulary == {"b": 0, "a": 1, "ü": 2}
    assert docs is read.docs


# ---- Damage.


@pytest.mark.parametrize("length", range(len(content())))
def test_truncated_anywhere(tmp_path: Path, length: int) -> None:
    with pytest.raises(FormatError, match=rf"docs\.ciff: offset \d+: .*: truncated at offset {length}: "):
        ciff.read_ciff(saved(tmp_path, content()[:length]))


def at(*before: bytes) -> int:
    return sum(map(len, before))


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (content(header(version=2)), "offset 0: the header: version 2, this library reads 1"),
        (content(header(version=0)), "offset 0: the header: version 0, this library reads 1"),
        (content(header(n_lists=-1)), "offset 0: the header: num_postings_lists is -1"),
        (content(header(n_docs=-4)), "offset 0: the header: num_docs is -4"),
        (content() + b"x", f"offset {len(content())}: bytes after the last message"),
        (content(header(n_lists=4)), f"offset {len(content())}: document record 3: truncated"),
        (content(header(n_lists=2)), "document records 0 and 1 are both of document 0"),
        (
            content(header(n_docs=5)),
            f"offset {len(content())}: document record 4: truncated at offset {len(content())}",
        ),
        (
            content(header(n_docs=3)),
            f"offset {at(HEADER, LISTS[0])}: posting list 1: posting 1 is of document 3, the header says 3",
        ),
        (content(records=RECORDS[:3]), "document record 3: truncated"),
        (content(lists=[LISTS[0], LISTS[0], LISTS[2]]), "posting list 1: term 'b' was that of posting list 0"),
        (
            content(lists=[*LISTS[:2], posting_list("c", (1, 1), df=2)]),
            "posting list 2: document frequency 2, but 1 posting",
        ),
        (content(lists=[*LISTS[:2], posting_list("c", (-1, 1))]), "posting list 2: posting 0 has the gap -1"),
        (content(lists=[*LISTS[:2], posting_list("c", (2, 1), (-1, 1))]), "posting list 2: posting 1 has the gap -1"),
        (content(lists=[*LISTS[:2], posting_list("c", (2, 1), (0, 1))]), "posting list 2: posting 1 has the gap 0"),
        (content(lists=[*LISTS[:2], posting_list("c", (4, 1))]), "posting list 2: posting 0 is of document 4"),
        (
            content(lists=[*LISTS[:2], posting_list("c", (2, 1), *[(2**31 - 1, 1)] * 4, (-(2**31), 1))]),
            "posting list 2: posting 1 is of document 2147483649, the header says 4",
        ),
        (content(lists=[*LISTS[:2], posting_list("c", (2, 1), (1, 0))]), "posting list 2: posting 1 has the tf 0"),
        (content(lists=[*LISTS[:2], posting_list("c", (2, -1), (1, 1))]), "posting list 2: posting 0 has the tf -1"),
        (content(records=[*RECORDS[:3], record(4)]), "document record 3: of document 4, the header says 4 documents"),
        (content(records=[*RECORDS[:3], record(-1)]), "document record 3: of document -1, the header says 4 documents"),
        (content(records=[*RECORDS[:3], record(1)]), "document records 1 and 3 are both of document 1"),
        (content(records=[*RECORDS[:3], record(0)]), "document records 0 and 3 are both of document 0"),
        (content(records=[*RECORDS[:3], record(3, "x", -7)]), "document record 3: document length -7"),
        (content(b"\xff" * 20), "offset 0: the header: of impossible length"),
        (content(varint(2**31) + HEADER), "offset 0: the header: of impossible length"),
        (content(b"\x80" * 11), "offset 0: the header: of impossible length"),
        (content(varint(2**31 - 1) + HEADER), "offset 0: the header: truncated at offset"),
        (content(delimited(b"\x0a\xff")), "offset 0: the header: not a Header"),
        (content(header(description="x\0").replace(b"x\0", b"\xff\xfe")), "offset 0: the header: not a Header"),
        (content(lists=[b"\x03\x0a\x05a", *LISTS[1:]]), f"offset {at(HEADER)}: posting list 0: not a PostingsList"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, raw: bytes, problem: str) -> None:
    with pytest.raises(FormatError) as raised:
        ciff.read_ciff(saved(tmp_path, raw))
    assert str(raised.value).startswith(f"{tmp_path / 'docs.ciff'}: ")
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def altered(raw: bytes, rng: np.random.Generator) -> bytes:
    """Return the bytes with some of them changed, a stretch removed, doubled or moved."""
    changed = bytearray(raw)
    for _ in range(rng.integers(1, 4)):
        start, stop = sorted(rng.integers(0, len(changed) + 1, 2).tolist())
        stop = min(stop, start + int(rng.integers(1, 9)))
        kind = rng.integers(0, 5)
        if kind < 2:
            changed[start:stop] = rng.integers(0, 256, stop - start, np.uint8).tobytes()
        elif kind == 2:
            del changed[start:stop]
        elif kind == 3:
            changed[start:start] = changed[start:stop]
        elif start < len(changed):
            changed[start] ^= 1 << int(rng.integers(0, 8))
    return bytes(changed)


@pytest.mark.parametrize("name", ["docs.ciff", "docs.ciff.gz"])
def test_altered_files_are_read_or_refused(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(5)
    whole = content() if name == "docs.ciff" else gzip.compress(content(), mtime=0)
    refused = []
    for _ in range(4000):
        path = saved(tmp_path, altered(whole, rng), name)
        try:
            read = ciff.read_ciff(path)
        except FormatError as error:
            refused.append(str(error))
            continue
        read.docs.check_format(full_check=True)
        assert read.docs.shape == (len(read.ids), len(read.terms)) == (read.lengths.size, len(set(read.terms)))
        assert (read.docs.data > 0).all()
        with contextlib.suppress(FormatError):
            assert (ciff.read_ciff(path, restore=True).docs.data > 0).all()
    assert 2000 < len(refused) < 4000
    assert all(message.startswith(f"{tmp_path / name}: ") for message in refused)


@in_one_folder
@given(raw=st.binary(max_size=200))
def test_foreign_files_are_told(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(FormatError, match=r"docs\.ciff: "):
        ciff.read_ciff(saved(tmp_path, raw))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "raw",
    [
        content(header(n_lists=2**31 - 1)),
        content(header(n_docs=2**31 - 1)),
        content(header(n_lists=0, n_docs=2**31 - 1), []),
        content(varint(2**31 - 1)),
        content(lists=[varint(2**31 - 1), *LISTS]),
        content(lists=[posting_list("a", (0, 1), df=2**62), *LISTS]),
    ],
)
def test_claims_ask_for_no_memory(tmp_path: Path, raw: bytes, packed: bool) -> None:
    path = saved(tmp_path, gzip.compress(raw) if packed else raw, "docs.ciff.gz" if packed else "docs.ciff")
    with pytest.raises(FormatError):
        ciff.read_ciff(path)  # what is imported with the first call does not count
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            ciff.read_ciff(path)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_gzip(tmp_path: Path) -> None:
    packed = gzip.compress(content())
    read = ciff.read_ciff(saved(tmp_path, packed, "docs.ciff.gz"))
    np.testing.assert_array_equal(read.docs.toarray(), DENSE)
    for broken in (packed[:-1], packed[:30], packed + b"x", packed[:-8] + bytes(8), content()):
        with pytest.raises(FormatError, match=r"docs\.ciff\.gz: after offset \d+: not a whole gzip file: "):
            ciff.read_ciff(saved(tmp_path, broken, "docs.ciff.gz"))


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ciff.read_ciff(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        ciff.read_ciff(tmp_path)


# ---- Writing.


def test_writes_the_format_as_specified(tmp_path: Path) -> None:
    scale = ciff.write_ciff(
        tmp_path / "docs.ciff", sparse.csr_array(DENSE), terms=["b", "a", "ü"], ids=IDS, description="mine"
    )
    assert scale == 1.0
    head = message(1, 3, 4, 3, 4, 313, 78.25, "mine; weight = tf * 1.0")
    assert (tmp_path / "docs.ciff").read_bytes() == content(delimited(head), [LISTS[1], LISTS[0], LISTS[2]])


def test_without_names_documents_and_terms_go_by_number(tmp_path: Path) -> None:
    docs = sparse.csr_array(([1.0, 2, 3], ([0, 1, 1], [10, 2, 0])), shape=(2, 12))
    ciff.write_ciff(tmp_path / "docs.ciff", docs)
    read = ciff.read_ciff(tmp_path / "docs.ciff")
    assert (read.ids, read.terms) == (["0", "1"], ["0", "10", "2"])
    assert read.description == f"Exported by thresher {thresher.__version__}; weight = tf * 1.0"


def test_no_documents_and_no_terms(tmp_path: Path) -> None:
    for shape in ((0, 5), (3, 0), (0, 0), (3, 5)):
        assert ciff.write_ciff(tmp_path / "docs.ciff", sparse.csr_array(shape)) == 1.0
        read = ciff.read_ciff(tmp_path / "docs.ciff", restore=True)
        assert (read.docs.shape, read.average_length) == ((shape[0], 0), 0.0)


def entries(matrix: Any) -> dict[tuple[int, int], float]:
    coo = sparse.coo_array(matrix)
    return {(row, column): value for row, column, value in zip(*map(list, (coo.row, coo.col, coo.data)), strict=True)}


def weights_of(docs: Collection) -> dict[tuple[int, int], float]:
    """Return the weights > 0, duplicates summed."""
    summed: dict[tuple[int, int], float] = {}
    for row, column, weight in zip(docs.row_of.tolist(), docs.indices.tolist(), docs.data.tolist(), strict=True):
        summed[row, column] = summed.get((row, column), 0) + weight
    return {place: weight for place, weight in summed.items() if weight}


def sums_of(weights: dict[tuple[int, int], float], scale: float) -> list[int]:
    """Return the sum of the impacts of each document that has any."""
    sums: dict[int, int] = {}
    for (row, _), weight in weights.items():
        sums[row] = sums.get(row, 0) + max(1, round(weight / scale))
    return list(sums.values())


@pytest.mark.filterwarnings("ignore:docs. the scale:UserWarning")
@in_one_folder
@given(case=cases(most_docs=60, most_queries=0, signed=False), bits=st.integers(1, 31), part=st.integers(1, 100))
def test_impacts_are_within_half_a_step(tmp_path: Path, case: Case, bits: int, part: int) -> None:
    docs, path = case.docs, tmp_path / "docs.ciff"
    weights = weights_of(docs)
    largest = max(weights.values(), default=0)
    whole = all(weight == round(weight) for weight in weights.values()) and largest < 2**31
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_impacts, "_PART", part)
        if any(sums > 2**31 - 1 for sums in sums_of(weights, 1 if whole else largest / (2**bits - 1))):
            with pytest.raises(ValueError, match=r"docs: impacts of row \d+ add up to \d+, beyond an int32"):
                ciff.write_ciff(path, docs.triple, shape=docs.shape, bits=bits)
            return
        scale = ciff.write_ciff(path, docs.triple, shape=docs.shape, bits=bits)
    assert scale == (1.0 if whole else largest / (2**bits - 1))
    read, restored = ciff.read_ciff(path), ciff.read_ciff(path, restore=True)
    assert read.scale == scale
    assert read.terms == sorted({str(column) for _, column in weights})
    assert read.ids == [str(row) for row in range(docs.shape[0])]
    impacts, weights_again = entries(read.numbered()[0]), entries(restored.numbered()[0])
    assert set(impacts) == set(weights_again) == set(weights)
    rounding = 2.0**-24  # of a float32
    for place, weight in weights.items():
        assert impacts[place] >= 1
        assert impacts[place] == round(impacts[place])
        off = abs(weights_again[place] - weight)
        half = 0.5 if impacts[place] > 1 else 1
        assert off <= half * scale * (1 + 1e-9) + 2 * weight * rounding + 2.0**-149
    if not whole:
        assert max(impacts.values()) == np.float32(2**bits - 1)
    if bits <= 24:
        sums = np.bincount([row for row, _ in impacts], list(impacts.values()), minlength=docs.shape[0])
        assert read.lengths.tolist() == sums.tolist()
        assert read.total_terms == sums.sum()


@in_one_folder
@given(
    weights=st.lists(st.lists(st.integers(0, 2**24), min_size=4, max_size=4), min_size=1, max_size=6),
    bits=st.integers(1, 31),
)
def test_whole_weights_stay_as_they_are(tmp_path: Path, weights: list[list[int]], bits: int) -> None:
    matrix = sparse.csr_array(np.array(weights, dtype=np.float64))
    assert ciff.write_ciff(tmp_path / "docs.ciff", matrix, bits=bits, terms=["a", "b", "c", "d"]) == 1.0
    read = ciff.read_ciff(tmp_path / "docs.ciff")
    used = [column for column in range(4) if any(row[column] for row in weights)]
    np.testing.assert_array_equal(read.docs.toarray(), np.array(weights)[:, used])


@pytest.mark.filterwarnings("ignore:docs. the scale:UserWarning")
def test_whole_weights_beyond_an_int32_are_quantised(tmp_path: Path) -> None:
    assert ciff.write_ciff(tmp_path / "docs.ciff", sparse.csr_array([[2.0**31, 2.0]])) == 2.0**31 / 255
    assert ciff.read_ciff(tmp_path / "docs.ciff").docs.toarray().tolist() == [[255, 1]]


def test_a_scale_of_ones_own(tmp_path: Path) -> None:
    docs = sparse.csr_array([[1.0, 0.04, 2.56, 3.0]])
    assert ciff.write_ciff(tmp_path / "docs.ciff", docs, scale=0.1) == 0.1
    assert ciff.read_ciff(tmp_path / "docs.ciff").docs.toarray().tolist() == [[10, 1, 26, 30]]


@pytest.mark.parametrize("largest", [255.4, 255.6, 65535.6])
def test_impacts_at_the_end_of_what_a_type_holds(tmp_path: Path, largest: float) -> None:
    ciff.write_ciff(tmp_path / "docs.ciff", sparse.csr_array([[1.0, largest]]), scale=1)
    assert ciff.read_ciff(tmp_path / "docs.ciff").docs.toarray().tolist() == [[1, round(largest)]]


def test_one_weight_that_is_not_whole_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_impacts, "_PART", 1)
    for rows in ([1, 2.5, 5], [2.5, 1, 5], [1, 5, 2.5]):
        docs = sparse.csr_array(np.array(rows)[:, np.newaxis])
        assert ciff.write_ciff(tmp_path / "docs.ciff", docs) == 5 / 255


def test_an_index_is_written_as_its_documents_are(tmp_path: Path, case: Case, index: thresher.Index) -> None:
    ciff.write_ciff(tmp_path / "docs.ciff", case.docs.triple, shape=case.docs.shape)
    ciff.write_ciff(tmp_path / "index.ciff", index)
    assert (tmp_path / "index.ciff").read_bytes() == (tmp_path / "docs.ciff").read_bytes()


def test_a_gzipped_file_is_the_same_each_time(tmp_path: Path) -> None:
    docs = sparse.csr_array(DENSE)
    for name in ("a.ciff.gz", "b.ciff.gz", "c.ciff"):
        ciff.write_ciff(tmp_path / name, docs)
    assert (tmp_path / "a.ciff.gz").read_bytes() == (tmp_path / "b.ciff.gz").read_bytes()
    assert (tmp_path / "a.ciff.gz").read_bytes()[4:8] == bytes(4)  # no time
    assert gzip.decompress((tmp_path / "a.ciff.gz").read_bytes()) == (tmp_path / "c.ciff").read_bytes()


def test_progress_ends_with_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher.formats.ciff._writing._REPORT", 1000)
    docs = sparse.random_array((3000, 40), density=0.5, format="csr", rng=np.random.default_rng(3))
    written: list[tuple[int, int]] = []
    read: list[tuple[int, int]] = []
    ciff.write_ciff(tmp_path / "docs.ciff", docs, progress=lambda *done: written.append(done))
    monkeypatch.setattr("thresher.formats.ciff._messages._PIECE", 10_000)
    ciff.read_ciff(tmp_path / "docs.ciff", progress=lambda *done: read.append(done))
    size = (tmp_path / "docs.ciff").stat().st_size
    for calls, total in ((written, docs.nnz), (read, size)):
        assert len(calls) > 10
        assert calls == sorted(calls)
        assert calls[-1] == (total, total)


@pytest.mark.parametrize(
    ("change", "error", "problem"),
    [
        (
            {"docs": sparse.csr_array([[1.0], [-2.0]])},
            ValueError,
            r"docs: row 1 has weight -2\.0 \(must be finite and >= 0",
        ),
        ({"docs": sparse.csr_array([[1.0], [np.nan]])}, ValueError, "docs: row 1 has weight nan"),
        ({"docs": sparse.csr_array([[1.0], [np.inf]])}, ValueError, "docs: row 1 has weight inf"),
        ({"docs": sparse.csr_array([[1.0], [1e39]])}, ValueError, "docs: row 1 has weight 1e\\+39"),
        ({"docs": ([0, 2], [0, 0], [3e38, 3e38]), "shape": (1, 1)}, ValueError, "docs: row 0 has weight inf"),
        ({"docs": ([0, 2], [0, 0], [3.0, -1.0]), "shape": (1, 1)}, ValueError, r"docs: row 0 has weight -1\.0"),
        (
            {"docs": ([0, 2, 1], [0], [1.0]), "shape": (2, 1)},
            ValueError,
            "docs: indptr decreases at row 1, from 2 to 1",
        ),
        ({"docs": ([0, 1], [7], [1.0]), "shape": (1, 1)}, ValueError, "docs: row 0 has term 7"),
        ({"docs": np.eye(2)}, TypeError, "docs must be a scipy.sparse matrix"),
        (
            {"docs": sparse.csr_array([[2.0**31 - 128, 2.0**30]])},
            ValueError,
            "docs: impacts of row 0 add up to 3221225344",
        ),
        (
            {"docs": ([0] * (2**10 + 1), [], []), "shape": (2**10, 1), "ids": ["x"]},
            ValueError,
            "ids must be 1024 names",
        ),
        ({"ids": ["x"]}, ValueError, "ids must be 2 names, got 1"),
        ({"ids": ["x", 3]}, TypeError, "ids must be strings, got int"),
        ({"terms": ["x"] * 4}, ValueError, "terms must be 3 names, got 4"),
        ({"terms": ["x", "y", "x"]}, ValueError, "terms: columns 0 and 2 are both 'x'"),
        ({"terms": ["x", "y", "\ud800"]}, ValueError, r"terms: '\\ud800' can't be encoded: surrogates not allowed"),
        ({"bits": 0}, ValueError, "bits must be from 1 to 31, got 0"),
        ({"bits": 32}, ValueError, "bits must be from 1 to 31, got 32"),
        ({"bits": 8.5}, TypeError, "bits must be a whole number, got float"),
        ({"scale": 0}, ValueError, "scale must be > 0 and finite as a float32, got 0"),
        ({"scale": float("nan")}, ValueError, "scale must be > 0 and finite as a float32, got nan"),
        ({"scale": 1e39}, ValueError, "scale must be > 0 and finite as a float32, got 1e\\+39"),
        ({"scale": 1e-9}, ValueError, "scale=1e-09: the largest weight, 3.0, becomes an impact beyond an int32"),
        ({"scale": "1"}, TypeError, "scale must be a number, got str"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, change: dict[str, Any], error: type[Exception], problem: str) -> None:
    arguments: dict[str, Any] = {"docs": sparse.csr_array([[1.0, 0.25, 3.0], [0, 0.5, 2.0]])} | change
    with pytest.raises(error, match=problem):
        ciff.write_ciff(tmp_path / "docs.ciff", **arguments)
    assert not list(tmp_path.iterdir())


def test_a_list_too_long_for_a_message_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thresher.formats.ciff._writing._LONGEST_LIST", 1)
    with pytest.raises(ValueError, match="docs: column 2 has 2 weights, a posting list at most 1"):
        ciff.write_ciff(tmp_path / "docs.ciff", sparse.csr_array([[1.0, 0, 1.0], [0, 1.0, 1.0]]))


def test_the_documents_are_left_as_they_are(tmp_path: Path) -> None:
    docs = sparse.csr_array((np.array([1.0, 0, 2, 3], np.float32), [3, 1, 1, 1], [0, 4]), shape=(1, 4))
    before = [part.copy() for part in (docs.data, docs.indices, docs.indptr)]
    ciff.write_ciff(tmp_path / "docs.ciff", docs)
    assert ciff.read_ciff(tmp_path / "docs.ciff").docs.toarray().tolist() == [[5, 1]]
    for part, old in zip((docs.data, docs.indices, docs.indptr), before, strict=True):
        np.testing.assert_array_equal(part, old)


# ---- Others.


def toolkit(module: str) -> Any:
    return pytest.importorskip("ciff_toolkit") and importlib.import_module(f"ciff_toolkit.{module}")


def test_ciff_toolkit_reads_what_is_written(tmp_path: Path, case: Case) -> None:
    read = toolkit("read")
    scale = ciff.write_ciff(tmp_path / "docs.ciff", case.docs.triple, shape=case.docs.shape, description="mine")
    found = {}
    with read.CiffReader(tmp_path / "docs.ciff") as reader:
        head = reader.header
        assert (head.version, head.num_docs, head.total_docs) == (1, case.docs.shape[0], case.docs.shape[0])
        assert head.description == f"mine; weight = tf * {scale!r}"
        lists = list(reader.read_postings_lists())
        records = list(reader.read_documents())
    assert [each.term for each in lists] == sorted(each.term for each in lists)
    assert head.num_postings_lists == head.total_postings_lists == len(lists)
    assert sum(each.cf for each in lists) == head.total_terms_in_collection == sum(one.doclength for one in records)
    assert head.average_doclength == head.total_terms_in_collection / len(records)
    assert [(one.docid, one.collection_docid) for one in records] == [(n, str(n)) for n in range(len(records))]
    for each in lists:
        document = 0
        assert (each.df, each.cf) == (len(each.postings), sum(posting.tf for posting in each.postings))
        for posting in each.postings:
            document += posting.docid
            found[document, int(each.term)] = posting.tf
    expected = {place: max(1, round(weight / scale)) for place, weight in weights_of(case.docs).items()}
    assert found == expected


def test_what_ciff_toolkit_writes_is_read(tmp_path: Path) -> None:
    write, pb2 = toolkit("write"), toolkit("ciff_pb2")
    totals = {
        "total_postings_lists": 30,
        "total_docs": 40,
        "total_terms_in_collection": 313,
        "average_doclength": 78.25,
    }
    head = pb2.Header(version=1, num_postings_lists=3, num_docs=4, **totals, description="theirs")
    with write.CiffWriter(tmp_path / "docs.ciff.gz") as writer:
        writer.write_header(head)
        writer.write_postings_lists(
            pb2.PostingsList(
                term=term,
                df=len(postings),
                cf=sum(tf for _, tf in postings),
                postings=[pb2.Posting(docid=gap, tf=tf) for gap, tf in postings],
            )
            for term, postings in (("b", [(0, 3), (2, 300)]), ("a", [(0, 7), (3, 2)]), ("ü", [(3, 1)]))
        )
        writer.write_documents(
            pb2.DocRecord(docid=number, collection_docid=name, doclength=length)
            for number, (name, length) in enumerate(zip(IDS, LENGTHS, strict=True))
        )
    read = ciff.read_ciff(tmp_path / "docs.ciff.gz")
    np.testing.assert_array_equal(read.docs.toarray(), DENSE)
    assert (read.terms, read.ids, read.lengths.tolist(), read.total_docs) == (TERMS, IDS, LENGTHS, 40)
    assert (read.description, read.scale) == ("theirs", None)


@pytest.mark.parametrize("missing", ["google", "google.protobuf"])
@pytest.mark.parametrize("call", ["read_ciff('docs.ciff')", "write_ciff('docs.ciff', scipy.sparse.eye_array(3))"])
def test_without_the_extra_an_error_says_how_to_get_it(missing: str, call: str) -> None:
    code = f"""
import scipy.sparse, sys
sys.modules[{missing!r}] = None
from thresher.formats import ciff
try:
    ciff.{call}
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = run_python(code)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == "ImportError " + _extras.missing("CIFF files need protobuf", "ciff") + "\n"


def test_an_outlier_that_sets_the_scale_is_warned_of(tmp_path: Path) -> None:
    docs = sparse.random_array((500, 200), density=0.1, rng=np.random.default_rng(0), format="csr", dtype=np.float32)
    docs.data *= 3
    ciff.write_ciff(tmp_path / "docs.ciff", docs)  # no warning, which would be an error here
    docs.data[7] = 5000
    with pytest.warns(
        UserWarning, match=r"docs: the scale, 19\.6\d*, follows from the largest weight, 5000, which is more"
    ):
        ciff.write_ciff(tmp_path / "docs.ciff", docs)
    assert np.unique(ciff.read_ciff(tmp_path / "docs.ciff").docs.data).size == 2
    ciff.write_ciff(tmp_path / "docs.ciff", docs, scale=3 / 255)
    impacts = ciff.read_ciff(tmp_path / "docs.ciff").docs.data
    assert np.unique(impacts).size > 200
    assert impacts.max() == 425_000


@pytest.mark.parametrize("factor", [1e-35, 1.0, 1e30])
def test_warnings_do_not_depend_on_the_unit_of_weights(tmp_path: Path, factor: float) -> None:
    for largest, warned in ((30, False), (300, True)):
        weights = (np.array([[1.25, 1.25, 1.5, largest]]) * factor).astype(np.float32)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ciff.write_ciff(tmp_path / "docs.ciff", sparse.csr_array(weights))
        assert bool(caught) == warned


# -------------------------------------------------------------------------------------------- in temporary files


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("n_docs", [0, 1, 500])
def test_arrays_in_files_are_those_in_memory(tmp_path: Path, n_docs: int, numbered: bool) -> None:
    rng = np.random.default_rng(n_docs)
    docs = sparse.csr_array(np.where(rng.random((n_docs, 200)) < 0.1, rng.integers(1, 300, (n_docs, 200)), 0))
    path = tmp_path / "docs.ciff"
    ciff.write_ciff(path, docs, terms=None if numbered else [f"t{column}" for column in range(200)])
    collection = ciff.read_ciff(path)
    expected, vocabulary = collection.numbered()
    read = ciff.read_ciff_arrays(path, tmp_path)
    indptr, indices, data, shape = read.docs
    assert shape == expected.shape
    assert (read.ids, read.vocabulary) == (collection.ids, vocabulary)
    assert (sparse.csr_array((data, indices.astype(np.int64), indptr), shape=shape) != expected).nnz == 0
    assert [one.name for one in tmp_path.iterdir()] == ["docs.ciff"]
