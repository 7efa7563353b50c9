"""What a reader sees after a refresh, of segments that it had before."""

from __future__ import annotations

from pathlib import Path

from thresher.collection import Collection


def test_the_dead_stay_dead_when_the_catalogue_has_forgotten_them(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", n_terms=4) as collection:
        writer = collection._writer
        assert writer is not None
        collection.upsert(["a", "b"], [{0: 1.0}] * 2)
        with Collection.open(tmp_path / "docs") as reader:
            collection.delete(all=True)
            reader.refresh()
            collection.flush()
            writer.tidy(0)
            collection.upsert(["c"], [{0: 1.0}])
            reader.refresh()
            assert len(reader) == 1
            assert [doc.id for doc in reader.scan()] == ["c"]


def test_vectors_wait_until_all_of_their_batch_is_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with Collection.create(path) as collection:
        collection.upsert([0, 1], [{0: 1.0}, {1: 1.0}])
        collection.flush()
        collection.upsert(range(2, 12), [{term: 1.0} for term in range(2, 12)])
        collection.delete([2])  # the first of its batch
    with Collection.open(path, "rw") as collection:
        assert collection._writer is not None
        collection._writer.forget_batches()
        assert len(collection) == 11
    with Collection.open(path) as collection:
        assert [one.id for one in collection.scan()] == [0, 1, *range(3, 12)]
        assert collection.get([11])[0].vector.indices.tolist() == [11]
