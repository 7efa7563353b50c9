"""Calls from an event loop: it goes on meanwhile, and what is cancelled ends."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from collection_oracle import filled, queries, rows
from thresher.collection import Collection, asynchronous


def test_does_what_the_plain_calls_do(tmp_path: Path) -> None:
    async def main() -> None:
        with Collection.create(tmp_path / "c", fields={"likes": "int"}) as collection:
            ids = list(range(10))
            assert await collection.aupsert(ids, [{0: 1.0 + n} for n in ids], [{"likes": n} for n in ids]) == 10
            assert await collection.adelete([9]) == 1
            assert await collection.adelete(where={"likes": {"$lt": 2}}) == 2
            assert (await collection.aget([5]))[0].payload == {"likes": 5}
            with pytest.raises(KeyError):
                await collection.aget([9])
            hits = await collection.asearch([{0: 1.0}], 3, where={"likes": {"$lte": 6}})
            assert hits.ids.tolist() == [[6, 5, 4]]
            assert (await collection.asearch_one({0: 1.0}, k=2)).ids.tolist() == [8, 7]
            assert (await collection.asearch_one([0], [1.0], k=2)).ids.tolist() == [8, 7]
            assert (await collection.snapshot().asearch_one({0: 1.0}, k=1)).ids.tolist() == [8]
            with pytest.raises(TypeError, match="no option"):
                await collection.asearch([{0: 1.0}], depth=3)
            with pytest.raises(TypeError, match="progress"):
                await collection.asearch([{0: 1.0}], progress=3)
            with pytest.raises(ValueError, match="ids"):
                await collection.aupsert([1], [])

    asyncio.run(main())


def test_many_at_once(tmp_path: Path) -> None:
    collection, oracle = filled(tmp_path / "c", seed=9)
    asked = queries(1, 40)

    async def main() -> list[Any]:
        return await asyncio.gather(*(collection.asearch_one(query, k=5) for query in asked))

    with collection:
        for hits, query in zip(asyncio.run(main()), asked, strict=True):
            assert next(rows(hits)) == oracle.search(query)[:5]


def test_the_loop_goes_on_while_a_search_waits(tmp_path: Path) -> None:
    collection, _ = filled(tmp_path / "c", seed=10)
    may_end = threading.Event()

    def wait(_: int, __: int) -> None:
        assert may_end.wait(60)

    async def main() -> None:
        search = asyncio.create_task(collection.asearch(queries(2), progress=wait))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not search.done()
        may_end.set()  # the loop has come here
        assert (await search).exact.all()

    with collection:
        asyncio.run(main())


def test_a_cancelled_search_ends(tmp_path: Path) -> None:
    collection, _ = filled(tmp_path / "c", seed=11)
    begun, ended, may_go_on = threading.Event(), threading.Event(), threading.Event()
    find = Collection.search
    outcome: list[object] = []

    class Watched(Collection):
        def search(self, *arguments: Any, **options: Any) -> Any:
            try:
                outcome.append(find(self, *arguments, **options))
            except BaseException as error:
                outcome.append(error)
                raise
            finally:
                ended.set()

    def wait(_: int, __: int) -> None:
        begun.set()
        assert may_go_on.wait(60)

    async def main(watched: Collection) -> None:
        search = asyncio.create_task(watched.asearch(queries(3, 100), group_by="likes", per_group=50, progress=wait))
        await asyncio.to_thread(begun.wait, 60)
        search.cancel()
        with pytest.raises(asyncio.CancelledError):
            await search
        may_go_on.set()
        assert await asyncio.to_thread(ended.wait, 60)

    collection.close()
    with Watched.open(tmp_path / "c") as watched:
        asyncio.run(main(watched))
    assert isinstance(outcome[0], asynchronous.CancelledSearchError)
