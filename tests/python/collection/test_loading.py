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
