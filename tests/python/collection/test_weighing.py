"""BM25 in a collection against an encoder that is fitted on what is there."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest import mock

import bm25s
import numpy as np
import pytest

import text_crashes
from text_corpora import drawn, encoder, fresh_scores
from thresher.collection import Collection, Upkeep, database, files, merging, weighing
from thresher.encoders import BM25Encoder

METHODS = ["lucene", "robertson", "atire", "bm25+", "bm25l"]


def assert_as_fresh(collection: Any, texts: dict[Any, str], queries: list[str], k: int = 10, **options: Any) -> None:
    """Raise AssertionError unless hits are the best by a fresh fit of these texts, which are in order of upserts."""
    hits = collection.search(queries, k, exact=True)
    scores = fresh_scores(list(texts.values()), queries, **options)
    for row, (ids, found) in enumerate(hits.rows()):
        wanted = np.sort(scores[row][scores[row] > 0])[::-1][:k]
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6, err_msg=queries[row])
        own = dict(zip(texts, scores[row], strict=True))
        np.testing.assert_allclose(found, [own[one] for one in ids], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_one_batch_is_as_a_fresh_fit(tmp_path: Path, method: Any) -> None:
    texts = drawn(300, n_words=200)
    queries = [*drawn(20, n_words=200, mean=3, seed=1), "never", "", "v1 v1 v2"]
    with Collection.create(tmp_path / "docs", encoder=encoder(method=method)) as collection:
        collection.upsert(range(300), texts=texts)
        assert_as_fresh(collection, dict(enumerate(texts)), queries, method=method)


def test_after_deletions_and_optimize_it_is_as_a_fresh_fit_of_what_is_left(tmp_path: Path) -> None:
    texts = drawn(20_000)
    queries = drawn(50, mean=4, seed=1)
    rng = np.random.default_rng(2)
    with Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal") as collection:
        for begin in range(0, 20_000, 4000):
            collection.upsert(range(begin, begin + 4000), texts=texts[begin : begin + 4000])
        # The long ones mostly, so that the mean length changes.
        order = np.argsort([-len(text) * rng.random() for text in texts])
        gone = set(order[:5000].tolist())
        collection.delete(sorted(gone))
        drift = collection.stats().mean_lengths["vector"]
        assert drift.relative > 0.05
        assert "optimize weighs all anew" in repr(collection.stats())
        collection.optimize()
        assert collection.stats().mean_lengths["vector"].relative == 0
        left = [number for number in range(20_000) if number not in gone]
        kept = [texts[number] for number in left]
        hits = collection.search(queries, 10)
    scores = fresh_scores(kept, queries).astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(hits.ids, np.array(left)[order])
    np.testing.assert_allclose(hits.scores, np.take_along_axis(scores, order, 1), atol=1e-4)
    other = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    other.index([text.split() for text in kept], show_progress=False)
    for row, query in enumerate(queries):
        theirs = other.get_scores(query.split())
        np.testing.assert_allclose(hits.scores[row], np.sort(theirs)[::-1][:10], atol=1e-4)
        np.testing.assert_allclose(hits.scores[row], theirs[order[row]], atol=1e-4)


def test_idf_is_right_at_once_and_of_the_version_that_is_searched(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal") as collection:
        texts: dict[Any, str] = {"a": "cat dog", "b": "cat fox", "c": "cow fox"}
        collection.upsert(list(texts), texts=list(texts.values()))
        before, before_texts = collection.snapshot(), dict(texts)
        queries = ["cat", "dog", "fox cow"]
        assert_as_fresh(collection, texts, queries)
        for change in (
            lambda: collection.delete(["b"]),
            lambda: collection.upsert(["d"], texts=["dog cow"]),
            lambda: collection.upsert(["a"], texts=["dog dog"]),
            lambda: collection.update_payload(["a"], {"x": 1}),
            collection.flush,
            lambda: collection.delete(["d"]),
        ):
            change()
            texts = {document.id: document.text or "" for document in collection.scan()}
            assert_as_fresh(collection, texts, queries)  # all have two terms: the mean stays
            assert_as_fresh(before, before_texts, queries)
        with Collection.open(tmp_path / "docs", encoder=encoder()) as reader:
            assert_as_fresh(reader, texts, queries)
            collection.delete(["c"])
            assert_as_fresh(reader, texts, queries)
            reader.refresh()
            del texts["c"]
            assert_as_fresh(reader, texts, queries)
        before.close()


def test_weights_go_by_one_mean_until_optimize(tmp_path: Path) -> None:
    with (
        mock.patch.object(weighing, "_SMALL", 0),
        Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal") as collection,
    ):
        collection.upsert(["a"], texts=["cat"])
        collection.upsert(["b"], texts=["cat dog " * 20])
        drift = collection.stats().mean_lengths["vector"]
        assert (drift.in_force, drift.present) == (1.0, 20.5)
        snapshot = collection.snapshot()
        old = snapshot.search("dog cat", 2)
        collection.optimize()
        texts = {"a": "cat", "b": "cat dog " * 20}
        assert_as_fresh(collection, texts, ["dog cat"])
        again = snapshot.search("dog cat", 2)
        np.testing.assert_array_equal(again.scores, old.scores)
        assert not np.allclose(collection.search("dog cat", 2).scores, old.scores)
        snapshot.close()
        collection.delete(all=True)
        collection.upsert(["c"], texts=["one two three"])
        assert collection.stats().mean_lengths["vector"].in_force == 3.0
        assert_as_fresh(collection, {"c": "one two three"}, ["two"])


def test_a_small_collection_is_weighed_anew_as_it_grows(tmp_path: Path) -> None:
    texts = drawn(70, n_words=50)
    with Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal") as collection:
        for number, text in enumerate(texts[:64]):
            collection.upsert([number], texts=[text])
        assert collection._view().means["vector"].n_docs >= 32
        assert collection.stats().mean_lengths["vector"].relative < 0.5
        collection.upsert(range(1000), texts=drawn(1000, n_words=50, seed=3))
        assert collection.stats().mean_lengths["vector"].relative <= weighing.SLIGHT


def test_vectors_that_were_given_stay_as_they_are(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal") as collection:
        collection.upsert(["given"], [{"cat": 0.4375, "dog": 7.0}])
        collection.upsert(["a", "b"], texts=["cat " * 9, "cat dog"])
        collection.delete(["b"])
        collection.optimize()
        row: Any = collection.get(["given"])[0].vector
        words = collection.words()
        assert {words[term]: weight for term, weight in zip(row.indices, row.data, strict=True)} == {
            "cat": 0.4375, "dog": 7.0,
        }  # fmt: skip


def test_each_vector_has_statistics_of_its_own(tmp_path: Path) -> None:
    titles, bodies = drawn(80, n_words=30, mean=3), drawn(80, n_words=60, mean=30, seed=1)
    names: dict[str, Any] = {"title": {}, "body": {}, "given": {"encoder": None}}
    with Collection.create(tmp_path / "docs", encoder=encoder(), vectors=names, durability="normal") as collection:
        collection.upsert(
            range(80), {"given": [{number: 1.0} for number in range(80)]}, texts={"title": titles, "body": bodies}
        )
        collection.delete(range(0, 80, 3))
        for _ in range(2):
            left = [number for number in range(80) if number % 3]
            for name, texts in (("title", titles), ("body", bodies)):
                [found] = collection.explain("v1 v2", left[0], vector=name)
                asked = encoder().fit([texts[number] for number in left])
                row = asked.encode_queries(["v1 v2"])
                wanted = dict(zip(asked.terms(row.indices), row.data.tolist(), strict=True))
                for word, weight in zip(found.words or [], found.query_weights.tolist(), strict=True):
                    assert wanted[word] == weight
            collection.optimize()
        for name, texts in (("title", titles), ("body", bodies)):
            hits = collection.search(["v1 v2", "v3"], 5, vector=name)
            scores = fresh_scores([texts[number] for number in left], ["v1 v2", "v3"])
            np.testing.assert_allclose(hits.scores, -np.sort(-scores, axis=1)[:, :5], rtol=1e-5)
        assert collection.search_one({7: 1.0}, k=1, vector="given").ids.tolist() == [7]


def test_large_segments_are_weighed_anew_part_by_part(tmp_path: Path) -> None:
    texts = drawn(500, n_words=300)
    with (
        mock.patch.object(weighing, "_AT_ONCE", 64),
        Collection.create(
            tmp_path / "docs", encoder=encoder(), durability="normal", upkeep=Upkeep(exact_docs=100)
        ) as collection,
    ):
        collection.upsert(range(400), texts=texts[:400])
        collection.flush()
        collection.upsert(range(400, 500), texts=texts[400:])
        collection.delete(range(0, 500, 3))
        collection.optimize()
        left = {number: text for number, text in enumerate(texts) if number % 3}
        assert collection.stats().segments[0].engines == {"vector": "postings"}
        assert_as_fresh(collection, left, drawn(20, n_words=300, mean=3, seed=1))


def test_without_the_encoder_weights_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder()) as collection:
        collection.upsert(["a", "b"], texts=["cat " * 9, "cat dog"])
        collection.delete(["b"])
    with Collection.open(tmp_path / "docs", "rw") as collection:
        collection.optimize()
        assert "not weighed by their present mean length" in caplog.text
        assert collection.stats().mean_lengths["vector"].relative > 0


def test_a_build_that_fails_leaves_weights_and_mean(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder()) as collection:
        collection.upsert(["a", "b", "c"], texts=["cat " * 9, "cat dog", "dog"])
        collection.delete(["a"])
        before = collection.search("cat dog", 3)
        for target in ("saved", "merged"):
            with (
                mock.patch(f"thresher.collection.writer.{target}", side_effect=OSError("no room")),
                pytest.raises(OSError, match="no room"),
            ):
                collection.optimize()
        with (
            mock.patch.object(weighing, "keep_mean", side_effect=OSError("no room")),
            mock.patch("thresher.collection.transaction.keep_mean", side_effect=OSError("no room")),
            pytest.raises(OSError, match="no room"),
        ):
            collection.optimize()
        again = collection.search("cat dog", 3)
        np.testing.assert_array_equal(again.scores, before.scores)
        collection.upsert(["d"], texts=["cat"])
        collection.delete(["d"])
        np.testing.assert_array_equal(collection.search("cat dog", 3).scores, before.scores)
        collection.optimize()
        assert_as_fresh(collection, {"b": "cat dog", "c": "dog"}, ["cat dog"])


def test_what_is_upserted_while_it_weighs_waits_and_is_weighed_alike(tmp_path: Path) -> None:
    texts = drawn(400, n_words=40)
    queries = drawn(10, n_words=40, mean=3, seed=1)
    with Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal") as collection:
        collection.upsert(range(200), texts=texts[:200])
        collection.delete(range(20))
        others: list[threading.Thread] = []

        def progress(done: int, total: int) -> None:
            if not others:
                one = threading.Thread(target=lambda: collection.upsert(range(200, 400), texts=texts[200:]))
                others.append(one)
                one.start()
                assert collection.search(queries, 5).ids.shape == (10, 5)  # who reads does not wait

        with mock.patch.object(weighing, "_SMALL", 0):
            collection.optimize(progress=progress)
            others[0].join()
        mean = collection._view().means["vector"].terms
        assert_weights(collection, mean)
        assert len(collection) == 380


def test_what_is_told_of_weighing_can_not_write(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal") as collection:
        collection.upsert(["a", "b", "c"], texts=["cat " * 9, "cat dog", "dog"])
        collection.delete(["a"])
        with pytest.raises(ValueError, match="while documents are weighed anew"):
            collection.optimize(progress=lambda *_: collection.upsert(["d"], texts=["cat"]))
        assert len(collection) == 2
        assert collection.stats().mean_lengths["vector"].relative > 0
        collection.optimize()
        collection.upsert(["d"], texts=["cat"])
        assert_weights(collection)


def test_recall_takes_texts(tmp_path: Path) -> None:
    upkeep = Upkeep(exact_docs=10)
    with Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal", upkeep=upkeep) as collection:
        collection.upsert(range(300), texts=drawn(300, n_words=50))
        collection.optimize()
        assert collection.recall(["v1 v2", "v9"], k=5) == 1.0
        assert collection.recall(k=5, sample=20) > 0.9


def assert_weights(collection: Collection, mean: float | None = None) -> None:
    """Raise AssertionError unless the weights of all documents are those of their texts, by the mean in force."""
    made = encoder()
    means = collection._view().means
    in_force = mean if mean is not None else means["vector"].terms if means else 1.0
    words = collection.words()
    for document in collection.scan(include=("text", "vectors")):
        counts = made.count([document.text or ""])
        wanted, names = weighing.Counted(made.formula, counts.frequencies, counts.lengths, counts.words).weighed(
            in_force
        )
        there = {
            words[term]: weight for term, weight in zip(document.vector.indices, document.vector.data, strict=True)
        }
        assert there == {names[term]: weight for term, weight in zip(wanted.indices, wanted.data, strict=True)}


def test_a_random_history_is_as_a_fresh_fit(tmp_path: Path) -> None:
    for seed in range(3):
        rng = random.Random(seed)
        path = tmp_path / str(seed)
        with mock.patch.object(weighing, "_SMALL", 0 if seed % 2 else 1000):
            _history(path, rng)


def _history(path: Path, rng: random.Random) -> None:
    model: dict[str, str] = {}
    upkeep = Upkeep(flush_docs=30, flush_upserts=60, merge_width=2, exact_docs=20)
    collection = Collection.create(path, encoder=encoder(), durability="normal", upkeep=upkeep)
    snapshots: list[tuple[Any, dict[str, str], Any]] = []
    queries = ["v1 v2", "v3", "v1 v1 v9 v10", "never v4"]
    for step in range(45):
        kind = rng.choices(["upsert", "delete", "batch", "flush", "optimize", "reopen", "keep"], [9, 4, 2, 2, 2, 1, 1])[
            0
        ]
        texts = drawn(rng.randint(1, 9), n_words=12, mean=rng.choice([1.5, 6, 20]), seed=rng.randrange(10**6))
        ids = rng.sample([f"d{one}" for one in range(50)], len(texts))
        if kind in ("upsert", "batch"):
            with collection.batch() if kind == "batch" else contextlib.nullcontext(collection) as target:
                target.upsert(ids, texts=texts)
                if kind == "batch":
                    target.delete(ids[:1])
            for one, text in zip(ids, texts, strict=True):
                model.pop(one, None)
                model[one] = text
            if kind == "batch":
                del model[ids[0]]
        elif kind == "delete":
            collection.delete(ids)
            for one in ids:
                model.pop(one, None)
        elif kind == "reopen":
            for snapshot, *_ in snapshots:
                snapshot.close()
            snapshots.clear()
            collection.close()
            collection = Collection.open(path, "rw", encoder=encoder())
        elif kind == "keep":
            snapshot = collection.snapshot()
            snapshots.append((snapshot, dict(model), snapshot.search(queries, 20)))
        else:
            getattr(collection, kind)()
        assert_weights(collection)
        if kind == "optimize" and model:
            assert_as_fresh(collection, model, queries, 20)
        elif model:
            assert_idf(collection, model, queries)
        for snapshot, _, hits in snapshots:
            np.testing.assert_array_equal(snapshot.search(queries, 20).scores, hits.scores, f"step {step}")
    collection.close()


def assert_idf(collection: Collection, texts: dict[Any, str], queries: list[str]) -> None:
    """Raise AssertionError unless the weights of queries are by the IDF of a fresh fit."""
    fitted = encoder().fit(list(texts.values()))
    for query in queries:
        row = fitted.encode_queries([query])
        wanted = dict(zip(fitted.terms(row.indices), row.data.tolist(), strict=True))
        found: dict[str, float] = {}
        for explained in collection.explain(query, list(texts)):
            found |= dict(zip(explained.words or [], explained.query_weights.tolist(), strict=True))
        assert found == pytest.approx(wanted)


def test_a_killed_writer_leaves_the_weights_of_one_mean(tmp_path: Path) -> None:
    rng = random.Random(3)
    path = tmp_path / "docs"
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, text_crashes.__file__, str(path), str(rng.randrange(10**6))], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        timer = threading.Timer(rng.random() * 0.5, child.kill)
        timer.start()
        assert child.wait() == -9
        timer.join()
        child.stdout.close()
        if path.exists():
            with Collection.open(path, encoder=encoder()) as collection:
                assert_weights(collection)
                texts = {document.id: document.text or "" for document in collection.scan()}
                assert_idf(collection, texts, ["v1 v2 v3"])


def test_a_writer_that_dies_at_any_step_of_weighing_leaves_the_weights_of_one_mean(tmp_path: Path) -> None:
    texts = drawn(60, n_words=20)
    with Collection.create(tmp_path / "docs", encoder=encoder()) as collection:
        collection.upsert(range(60), texts=texts)
        collection.flush()
        collection.upsert(range(60, 70), texts=drawn(10, n_words=20, seed=7))
        collection.delete(range(0, 60, 2))
        before = collection._view().means["vector"]
    outcomes = []
    for step in range(1, 1000):
        copy = tmp_path / f"copy{step}"
        shutil.copytree(tmp_path / "docs", copy)
        child = os.fork()
        if child == 0:
            _optimize_and_die(copy, step)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
        with Collection.open(copy, "rw", encoder=encoder()) as collection:
            assert_weights(collection)
            assert len(collection) == 40
            outcomes.append(collection._view().means["vector"] == before)
            kept = {document.id: document.text or "" for document in collection.scan()}
            assert_idf(collection, kept, ["v1 v2 v3"])
        shutil.rmtree(copy)
        if not os.WIFSIGNALED(status):
            break
    # Before the one transaction all is as it was, and after it all is new.
    assert outcomes == sorted(outcomes, reverse=True)
    assert set(outcomes) == {True, False}
    assert len(outcomes) > 10


def _optimize_and_die(path: Path, step: int) -> None:
    """Optimize in a forked process, and kill it before its `step`-th statement or file operation; exit with 0 after."""
    left = step

    def counted(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return call

    code = 1
    try:
        with Collection.open(path, "rw", encoder=encoder()) as collection:
            # The sqlite cursor of a statement is made in the database, and files reach the disk by these.
            patches = [
                mock.patch.object(database.Database, "execute", counted(database.Database.execute)),
                mock.patch.object(database.Database, "executemany", counted(database.Database.executemany)),
                mock.patch("os.fsync", counted(os.fsync)),
                mock.patch("thresher.collection.writer.saved", counted(merging.saved)),
                mock.patch("thresher.collection.writer.merged", counted(merging.merged)),
                mock.patch("thresher.collection.writer.remove", counted(files.remove)),
            ]
            for patch in patches:
                patch.start()
            collection.optimize(threads=1)
            for patch in patches:
                patch.stop()
        code = 0
    finally:
        os._exit(code)


def test_a_reader_sees_new_weights_when_it_refreshes(tmp_path: Path) -> None:
    texts = {number: text for number, text in enumerate(drawn(60, n_words=20)) if number % 2}
    queries = ["v1 v2", "v3 v9"]
    with Collection.create(tmp_path / "docs", encoder=encoder()) as collection:
        collection.upsert(range(60), texts=drawn(60, n_words=20))
        collection.delete(range(0, 60, 2))
        with Collection.open(tmp_path / "docs", encoder=encoder()) as reader:
            before = reader.search(queries, 10)
            collection.optimize()
            np.testing.assert_array_equal(reader.search(queries, 10).scores, before.scores)
            assert reader.refresh()
            assert_as_fresh(reader, texts, queries)


def test_statistics_are_counted_once_for_each_segment(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=encoder(), durability="normal") as collection:
        collection.upsert(range(50), texts=drawn(50, n_words=30))
        collection.flush()
        collection.search("v1")
        with mock.patch.object(weighing, "_counted", wraps=weighing._counted) as counting:
            collection.search(["v1", "v2"])
            assert counting.call_count == 0
            collection.delete([3, 4])
            collection.search("v1")
            assert [len(call.args[3]) for call in counting.call_args_list] == [2]
            snapshot = collection.snapshot()
            collection.upsert([5], texts=["v1"])
            collection.search("v1")
            snapshot.search("v1")
            assert sum(len(call.args[3]) for call in counting.call_args_list) == 2 + 2


def test_the_default_language_finds_forms_of_words(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "docs", encoder=BM25Encoder("en")) as collection:
        collection.upsert(["a", "b"], texts=["The cats were chasing dogs", "A dog barks"])
        assert collection.search_one("chase the cat", k=2).ids.tolist() == ["a", None]
