"""``thresher collection``: what the commands do, against the library."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from typer.testing import CliRunner, Result

from thresher.cli.app import app
from thresher.collection import Collection, Upkeep

ROWS: list[dict[str, Any]] = [
    {"id": "a", "vector": {"0": 1.5, "7": 0.1}, "year": 2001, "lang": "en"},
    {"id": "b", "vector": {"1": 2.0}, "year": 2010, "tags": ["x", "y"], "deep": {"er": 1.5}},
    {"id": "c", "vector": {"0": 0.5, "1": 0.3333}},
    {"id": "d", "vector": {}, "lang": "de"},
]
QUERIES: list[dict[str, Any]] = [
    {"id": "q1", "vector": {"0": 2.0, "999": 1.0}},
    {"id": "q2", "vector": {"1": 1.0}},
    {"id": "q3", "vector": {}},
]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["collection", *map(str, arguments)])


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def failed(*arguments: object, code: int = 1) -> str:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A collection of the rows."""
    done("create", tmp_path / "c", "--field", "year:int")
    done("add", tmp_path / "c", write(tmp_path / "rows.jsonl", ROWS))
    return tmp_path / "c"


def test_create(tmp_path: Path) -> None:
    done("create", tmp_path / "c", "--n-terms", 9, "--field", "year:int", "--field", "a:b:keyword", "--engine", "graph")
    with Collection.open(tmp_path / "c") as collection:
        assert collection.fields == {"a:b": "keyword", "year": "int"}
        assert (collection.vectors["vector"].n_terms, collection.vectors["vector"].engine) == (9, "graph")
    assert "there is something already" in failed("create", tmp_path / "c")
    assert "NAME:KIND" in failed("create", tmp_path / "d", "--field", "year", code=2)
    assert "is not one of" in failed("create", tmp_path / "d", "--engine", "steam", code=2)
    assert not (tmp_path / "d").exists()


def test_add_and_export_give_the_same_lines(filled: Path, tmp_path: Path) -> None:
    assert lines(done("export", filled)) == ROWS
    done("export", filled, "-o", tmp_path / "out.jsonl.gz")
    assert lines(gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()).decode()) == ROWS
    done("create", tmp_path / "again")
    done("add", tmp_path / "again", tmp_path / "out.jsonl.gz")
    assert lines(done("export", tmp_path / "again")) == ROWS
    assert lines(done("export", filled, "--where", '{"year": {"$gt": 2005}}')) == [ROWS[1]]


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        _texts,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=6,
)
_payloads = st.dictionaries(
    st.one_of(_texts, st.sampled_from(["indices", "values", "words", "text"])).filter(
        lambda key: key not in ("id", "vector", "vectors")
    ),
    _json,
    max_size=5,
)
_weights = st.floats(2.0**-149, 2.0**127, width=32)


@settings(max_examples=40, deadline=None)
@given(
    ids=st.one_of(
        st.lists(_texts, max_size=5, unique=True), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5, unique=True)
    ),
    vectors=st.sampled_from([["vector"], ["title", "body"], ["only"]]),
    words=st.booleans(),
    suffix=st.sampled_from([".jsonl", ".jsonl.gz"]),
    data=st.data(),
)
def test_what_was_exported_comes_back(
    ids: list[Any], vectors: list[str], words: bool, suffix: str, data: st.DataObject
) -> None:
    """The same ids, payloads and vectors, nulls, whole numbers and words among them."""
    terms: st.SearchStrategy[Any] = _texts if words else st.integers(0, 2**32 - 2)
    rows = st.dictionaries(terms, _weights, max_size=4)
    with tempfile.TemporaryDirectory() as folder:
        first, second, lines_path = Path(folder) / "first", Path(folder) / "second", Path(folder) / f"lines{suffix}"
        options: dict[str, Any] = {"vectors": {name: {} for name in vectors}, "words": words, "engine": "exact"}
        with Collection.create(first, **options) as collection:
            given = {name: data.draw(st.lists(rows, min_size=len(ids), max_size=len(ids))) for name in vectors}
            payloads = data.draw(st.lists(_payloads, min_size=len(ids), max_size=len(ids)))
            collection.upsert(ids, given, payloads)
            wanted = shown(collection)
        Collection.create(second, **options).close()
        done("export", first, "-o", lines_path)
        done("add", second, lines_path)
        with Collection.open(second) as collection:
            assert shown(collection) == wanted
        assert [document[1] for document in wanted] == [json.loads(json.dumps(payload)) for payload in payloads]


def shown(collection: Collection) -> list[Any]:
    """Return ids, payloads, and vectors by their terms or words; values with their types."""
    words = {name: collection.words(name) for name in collection.vectors}
    return [
        (
            document.id,
            document.payload,
            json.dumps(document.payload),
            {
                name: {
                    words[name][term] if words[name] else term: weight
                    for term, weight in zip(row.indices.tolist(), row.data.tolist(), strict=True)
                }
                for name, row in document.vectors.items()
            },
        )
        for document in collection.scan(include=("payload", "vectors"))
    ]


def test_lists_of_a_payload_are_no_vector(tmp_path: Path) -> None:
    rows = [{"id": 1, "vectors": {"a": {"1": 1.0}, "b": {}}, "indices": [5], "values": [2.0]}]
    done("create", tmp_path / "c", "--vector", "a", "--vector", "b")
    done("add", tmp_path / "c", write(tmp_path / "rows.jsonl", rows))
    assert lines(done("export", tmp_path / "c")) == rows


def test_a_null_of_a_table_is_missing(tmp_path: Path) -> None:
    columns = {"id": ["a", "b"], "indices": [[1], [2]], "values": [[1.0], [2.0]], "year": [None, 3]}
    parquet.write_table(pa.table(columns), tmp_path / "rows.parquet")
    done("create", tmp_path / "c")
    done("add", tmp_path / "c", tmp_path / "rows.parquet")
    with Collection.open(tmp_path / "c") as collection:
        assert [document.payload for document in collection.scan()] == [{}, {"year": 3}]


def test_weights_come_back_bit_for_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = rng.random(200, dtype=np.float32) * np.float32(10) ** rng.integers(-30, 30, 200).astype(np.float32)
    row = {"id": 1, "vector": {str(term): float(weight) for term, weight in enumerate(weights)}}
    done("create", tmp_path / "c")
    done("add", tmp_path / "c", write(tmp_path / "rows.jsonl", [row]))
    (found,) = lines(done("export", tmp_path / "c"))
    assert found["id"] == 1
    np.testing.assert_array_equal(np.array(list(found["vector"].values()), np.float32), weights)


def test_words_and_several_vectors(tmp_path: Path) -> None:
    rows = [
        {"id": 5, "vectors": {"title": {"käse": 1.0}, "body": {"x": 2.0, "y": 0.5}}, "n": 1},
        {"id": 6, "vectors": {"title": {"brot": 1.0}, "body": {}}},
    ]
    done("create", tmp_path / "c", "--words", "--vector", "title", "--vector", "body")
    done("add", tmp_path / "c", write(tmp_path / "rows.jsonl", rows))
    assert lines(done("export", tmp_path / "c")) == rows
    queries = write(tmp_path / "q.jsonl", [{"id": "q", "vectors": {"body": {"y": 1.0, "unheard": 1.0}}}])
    assert done("search", tmp_path / "c", queries, "--vector", "body").split() == ["5"]
    assert "not one of title, body" in failed("search", tmp_path / "c", queries, "--vector", "z", code=2)
    wrong = write(tmp_path / "wrong.jsonl", [{"id": 7, "vectors": {"z": {}}}])
    assert "line 1: \"vectors\" has 'z'; the collection has title, body" in failed("add", tmp_path / "c", wrong)


def test_documents_are_replaced_unless_told_otherwise(filled: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "more.jsonl", [{"id": "a", "vector": {"3": 1.0}}, {"id": "e", "vector": {"4": 1.0}}])
    done("add", filled, source, "--if-absent")
    assert lines(done("export", filled)) == [*ROWS, {"id": "e", "vector": {"4": 1.0}}]
    done("add", filled, source)
    assert [row["id"] for row in lines(done("export", filled))] == ["b", "c", "d", "a", "e"]


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415

    common = {"id": ["a", "b"], "year": [2001, None]}
    indices, values = [[0, 7], []], [[1.5, 0.25], []]
    shapes: dict[str, dict[str, Any]] = {
        "lists": {"indices": indices, "values": values},
        "structs": {"vector": [{"indices": i, "values": v} for i, v in zip(indices, values, strict=True)]},
        "maps": {
            "vector": pa.array(
                [list(zip(i, v, strict=True)) for i, v in zip(indices, values, strict=True)],
                pa.map_(pa.int64(), pa.float32()),
            )
        },
    }
    for name, vector in shapes.items():
        parquet.write_table(pa.table({**common, **vector}), tmp_path / f"{name}.parquet")
        done("create", tmp_path / name)
        done("add", tmp_path / name, tmp_path / f"{name}.parquet")
        assert lines(done("export", tmp_path / name)) == [
            {"id": "a", "vector": {"0": 1.5, "7": 0.25}, "year": 2001},
            {"id": "b", "vector": {}},
        ], name


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: expected an object, got an array"),
        ('{"vector": {}}', 'line 2: "id" must be a string or a whole number, got None'),
        ('{"id": true, "vector": {}}', 'line 2: "id" must be'),
        ('{"id": "x"}', 'line 2: there is no "vector"'),
        ('{"id": "x", "vector": [1]}', 'line 2: "vector" must be an object'),
        ('{"id": "x", "vector": {"1": "2"}}', "line 2: term '1' has the weight '2'"),
        ('{"id": "x", "vector": {"1": NaN}}', "line 2: term '1' has the weight nan"),
        ('{"id": "x", "vector": {"1": -1}}', "line 2: term '1' has the weight -1; the collection was created without"),
        ('{"id": "x", "vector": {"word": 1}}', "line 2: term 'word' is no number of a term"),
        ('{"id": "x", "vector": {"1": 1e60}}', "line 1 to line 2: "),
        ('{"id": 3, "vector": {}}', "line 1 to line 2: ids[1] is 3, but ids of this collection are strings"),
        ('{"id": "x", "vector": {}, "year": "x"}', "line 1 to line 2: document 'x': year must be a whole number"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(filled: Path, tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "bad.jsonl").write_text(json.dumps({"id": "good", "vector": {}}) + "\n" + line + "\n")
    message = failed("add", filled, tmp_path / "bad.jsonl")
    assert f"bad.jsonl: {told}" in message
    assert len(lines(done("export", filled))) == len(ROWS)


def test_batches_before_an_error_stay(filled: Path, tmp_path: Path) -> None:
    rows = [{"id": f"n{number}", "vector": {"1": 1.0}} for number in range(5)]
    (tmp_path / "bad.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "{")
    assert "line 6: not JSON" in failed("add", filled, tmp_path / "bad.jsonl", "--batch", 2)
    assert [row["id"] for row in lines(done("export", filled))][4:] == ["n0", "n1", "n2", "n3"]


def test_delete(filled: Path, tmp_path: Path) -> None:
    def left() -> list[str]:
        return [row["id"] for row in lines(done("export", filled))]

    done("delete", filled, "a", "nobody")
    assert left() == ["b", "c", "d"]
    done("delete", filled, "--where", '{"lang": "de"}')
    assert left() == ["b", "c"]
    (tmp_path / "ids").write_text("c\nx\n")
    done("delete", filled, "--ids", tmp_path / "ids")
    assert left() == ["b"]
    assert "one of them" in failed("delete", filled, code=2)
    assert "one of them" in failed("delete", filled, "b", "--all", code=2)
    assert "not JSON" in failed("delete", filled, "--where", "{", code=2)
    assert "where" in failed("delete", filled, "--where", '{"year": {"$foo": 1}}')
    done("delete", filled, "--all")
    assert left() == []


def test_whole_numbers_as_ids(tmp_path: Path) -> None:
    done("create", tmp_path / "c")
    done("add", tmp_path / "c", write(tmp_path / "r.jsonl", [{"id": n, "vector": {"1": 1}} for n in range(3)]))
    done("delete", tmp_path / "c", "1")
    assert [row["id"] for row in lines(done("export", tmp_path / "c"))] == [0, 2]
    assert "'x' is no id" in failed("delete", tmp_path / "c", "x")


def test_search(filled: Path, tmp_path: Path) -> None:
    queries = write(tmp_path / "q.jsonl", QUERIES)
    assert done("search", filled, queries) == "a\tc\nb\tc\n\n"
    assert done("search", filled, queries, "--k", 1, "--exact", "--threads", 1) == "a\nb\n\n"
    assert done("search", filled, queries, "--where", '{"year": 2010}') == "\nb\n\n"
    trec = done("search", filled, queries, "--format", "trec", "--tag", "t")
    assert trec == "q1 Q0 a 1 3.0 t\nq1 Q0 c 2 1.0 t\nq2 Q0 b 1 2.0 t\nq2 Q0 c 2 0.3333 t\n"
    done("search", filled, queries, "--format", "jsonl", "-o", tmp_path / "out")
    first, second, third = lines((tmp_path / "out").read_text())
    assert first["hits"][0] == {"id": "a", "score": 3.0, "payload": {"year": 2001, "lang": "en"}}
    assert second == {
        "query": "q2",
        "hits": [
            {"id": "b", "score": 2.0, "payload": {"year": 2010, "tags": ["x", "y"], "deep": {"er": 1.5}}},
            {"id": "c", "score": 0.3333},
        ],
    }
    assert third == {"query": "q3", "hits": []}


def test_info(filled: Path) -> None:
    facts = json.loads(done("info", filled, "--json"))
    with Collection.open(filled) as collection:
        wanted = collection.stats().to_dict()
    assert {name: facts[name] for name in wanted if name != "nbytes"} == {
        name: value for name, value in wanted.items() if name != "nbytes"
    }
    assert (facts["n_docs"], facts["id_kind"], facts["vectors"]["vector"]["engine"]) == (4, "str", "clustered")
    text = done("info", filled)
    assert "year: int" in text
    assert "strings" in text
    assert "segment" in text


def test_info_tells_what_searches_may_miss(tmp_path: Path) -> None:
    upkeep = Upkeep(exact_docs=0)
    with Collection.create(tmp_path / "c", upkeep=upkeep, background=False) as collection:
        collection.upsert(range(30), [{0: 1.0, 1 + number % 7: 1.0} for number in range(30)])
        collection.flush()
        collection.tune([{0: 1.0, 1 + number % 7: 1.0} for number in range(30)], recall=0.9, k=2, retune_s=0)
        assert "not tuned again" not in done("info", tmp_path / "c")
        collection.upsert(range(30, 90), [{0: 1.0, 1 + number % 7: 1.0} for number in range(60)])
        collection.optimize()
    text = done("info", tmp_path / "c")
    assert "segment 2, vector" in text
    assert "not tuned again (retune_s=0)" in text


def test_check_and_repair(filled: Path) -> None:
    assert run("check", filled).stdout == ""
    assert json.loads(done("check", filled, "--json"))["is_sound"]
    (path,) = (filled / "segments").glob("*.thresher")
    path.unlink()
    assert "thresher collection check --repair" in failed("info", filled)
    result = run("check", filled)
    assert result.exit_code == 1
    assert f"{path}: the file is missing" in result.stdout
    assert "4 documents would be lost: a, b, c, d" in result.stderr
    repaired = run("check", filled, "--repair", "--json")
    assert repaired.exit_code == 0, repaired.output
    report = json.loads(repaired.stdout)
    assert (report["lost"], report["is_repaired"]) == (["a", "b", "c", "d"], True)
    assert lines(done("export", filled)) == []


def test_compact(filled: Path, tmp_path: Path) -> None:
    done("add", filled, write(tmp_path / "more.jsonl", [{"id": "e", "vector": {"2": 1.0}}]))
    done("delete", filled, "a")
    done("compact", filled, "--threads", 1)
    (segment,) = json.loads(done("info", filled, "--json"))["segments"]
    assert (segment["n_docs"], segment["n_dead"]) == (4, 0)


def test_backup_and_restore(filled: Path, tmp_path: Path) -> None:
    done("backup", filled, tmp_path / "b")
    done("delete", filled, "--all")
    done("restore", tmp_path / "b", tmp_path / "r")
    assert lines(done("export", tmp_path / "r")) == ROWS
    assert "there is something already" in failed("restore", tmp_path / "b", tmp_path / "r")
    for path in (tmp_path / "b/segments").iterdir():
        path.unlink()
    assert "the backup is damaged" in failed("restore", tmp_path / "b", tmp_path / "r2")


def test_fields_that_a_line_has_for_itself(filled: Path) -> None:
    with Collection.open(filled, "rw") as collection:
        collection.upsert(["z"], [{1: 1.0}], [{"vector": "mine"}])
    assert "document 'z': its payload has a field 'vector'" in failed("export", filled)


@pytest.mark.parametrize(
    "command", ["add", "delete", "search", "info", "check", "compact", "backup", "restore", "export"]
)
def test_no_collection(tmp_path: Path, command: str) -> None:
    queries = write(tmp_path / "q.jsonl", QUERIES)
    more: dict[str, list[object]] = {
        "add": [queries],
        "delete": ["a"],
        "search": [queries],
        "backup": [tmp_path / "x"],
        "restore": [tmp_path / "x"],
    }
    message = failed(command, tmp_path / "none", *more.get(command, []))
    assert "no collection" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q.jsonl"]


def test_another_writer(filled: Path) -> None:
    with Collection.open(filled, "rw"):
        assert "another writer has the collection open" in failed("delete", filled, "a")
        assert len(lines(done("export", filled))) == 4


def test_kinds_of_files_without_payloads(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "docs.npz").write_bytes(b"PK")
    assert "expected JSON lines, Parquet or Arrow" in failed("add", filled, tmp_path / "docs.npz")


def test_a_damaged_catalogue(filled: Path) -> None:
    path = filled / "catalogue.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(1, len(content) // 8192):  # all but the list of tables
        content[page * 8192 : page * 8192 + 4000] = bytes(4000)
    path.write_bytes(content)
    for command, *more in (["info"], ["delete", "a"], ["export"], ["compact"], ["backup", filled.parent / "b"]):
        assert "catalogue" in failed(command, filled, *more)
    result = run("check", filled)
    assert result.exit_code == 1
    assert "catalogue.sqlite" in result.stdout


TEXTS: list[dict[str, Any]] = [
    {"id": "a", "text": "The cats were chasing dogs", "year": 2001},
    {"id": "b", "text": "A dog barks"},
    {"id": "c", "text": ""},
]


def test_texts(tmp_path: Path) -> None:
    done("create", tmp_path / "c", "--encoder", "bm25:en", "--field", "year:int")
    done("add", tmp_path / "c", write(tmp_path / "rows.jsonl", TEXTS))
    assert done("search", tmp_path / "c", "-t", "a dog", "--text", "the chased cat") == "b\ta\na\n"
    asked = write(tmp_path / "queries.jsonl", [{"id": "q", "text": "dogs"}, {"id": "r", "text": "never"}])
    found = lines(done("search", tmp_path / "c", asked, "--format", "jsonl"))
    assert [[hit["id"] for hit in row["hits"]] for row in found] == [["b", "a"], []]
    assert lines(done("export", tmp_path / "c")) == TEXTS
    told = done("info", tmp_path / "c")
    assert "texts are encoded by bm25:lucene" in told
    assert "mean length of vector" in told
    assert (
        json.loads(done("info", tmp_path / "c", "--json"))["vectors"]["vector"]["encoder"]["config"]["kind"] == "bm25"
    )
    vectors = write(tmp_path / "mixed.jsonl", [*TEXTS, {"id": "d", "vector": {"dog": 9.0}}, {"id": "b", "text": "cat"}])
    done("add", tmp_path / "c", vectors)
    assert done("search", tmp_path / "c", "-t", "dog") == "d\ta\n"


def test_wrong_texts(tmp_path: Path, filled: Path) -> None:
    done("create", tmp_path / "t", "--encoder", '{"kind": "bm25", "language": "de"}', "--no-texts")
    rows = write(tmp_path / "rows.jsonl", [{"id": "a", "text": 7}])
    assert 'line 1: "text" must be a string, got 7' in failed("add", tmp_path / "t", rows)
    rows = write(tmp_path / "rows.jsonl", [{"id": "a"}])
    assert 'line 1: there is no "text" and no "vector"' in failed("add", tmp_path / "t", rows)
    rows = write(tmp_path / "rows.jsonl", [{"id": "a", "text": "ein Haus"}, {"id": "b", "vector": {"haus": 1.0}}])
    done("add", tmp_path / "t", rows)
    assert "some queries have a vector" in failed("search", tmp_path / "t", rows)
    assert "vector" in lines(done("export", tmp_path / "t"))[0]  # no texts are kept
    assert "texts need an encoder" in failed("search", filled, "-t", "dog")
    assert "one of them" in failed("search", filled, code=2)
    assert "one of them" in failed("search", filled, rows, "-t", "x", code=2)
    assert "kind must be one of" in failed("create", tmp_path / "d", "--encoder", "steam", code=2)
    assert "not JSON" in failed("create", tmp_path / "d", "--encoder", "{", code=2)
