"""Search parameters for segments that merges made: of another engine, or of another size by much.

What `tune` was told is kept, and gone by again for such a segment, within a time that was told too. It takes place
behind: nobody waits for it, and what it finds is stored in a short transaction. That nothing was found is stored as
well, so that `stats` can tell, and nothing is tried for ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thresher.collection.behind import StoppedError
from thresher.collection.searching import tuned_params
from thresher.collection.tuning import DRAWN, Missed, Tuning, kept_queries, known_terms
from thresher.tuning.brief import tune_briefly
from thresher.tuning.dial_search import Target
from thresher.tuning.queries import of_documents

if TYPE_CHECKING:
    from thresher.collection.catalogue import Catalogue
    from thresher.collection.segment import Part
    from thresher.collection.tuning import Tunings
    from thresher.collection.upkeep import Upkeep
    from thresher.collection.view import View
    from thresher.collection.writer import Writer

_log = logging.getLogger("thresher.collection")

_QUERIES = 1000  # that are made of documents, at most


class Due(NamedTuple):
    """A segment that the parameters of a vector are not for."""

    vector: str
    part: Part
    tunings: Tunings


def due(view: View, upkeep: Upkeep) -> Due | None:
    """Return what is to be tuned next, the largest segment first; None if there is nothing."""
    for vector, tunings in view.tunings.items():
        if tunings.asked.retune_s > 0:
            for part in sorted(view.parts, key=lambda part: len(part.segment), reverse=True):
                if tunings.is_due(part, vector, upkeep):
                    return Due(vector, part, tunings)
    return None


def retune(writer: Writer, upkeep: Upkeep, *, progress: Callable[..., object] = lambda *_: None) -> bool:
    """Tune one segment that is due.

    Parameters
    ----------
    progress
        Called now and then. If it raises StoppedError, all is left as it was.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    OSError
        If what was found can't be stored. Whatever else goes wrong is stored, and told by `stats`.
    """
    found = due(writer.view, upkeep)
    if found is None:
        return False
    vector, part, tunings = found
    engine, n_docs = part.segment.indexes[vector].engine, len(part.segment)
    started = time.monotonic()
    outcome: Tuning | Missed
    try:
        outcome = _tuned(writer, found, progress)
    except StoppedError:
        raise
    except TimeoutError:
        outcome = Missed(engine, n_docs, f"the time for it ended first (retune_s={tunings.asked.retune_s:g})")
    except Exception as error:  # noqa: BLE001 - a collection that can't be tuned is one all the same
        outcome = Missed(engine, n_docs, f"it failed: {type(error).__name__}: {error}")

    def change(_: Catalogue, now: Tunings | None) -> Tunings | None:
        # If it was tuned by hand meanwhile, that counts.
        return None if now is None or now.asked != tunings.asked else now.with_outcome(outcome, upkeep)

    writer.set_tunings(vector, change)
    _log.info("%r of %d documents tuned in %.2f s: %s", vector, n_docs, time.monotonic() - started, outcome)
    return True


def _tuned(writer: Writer, found: Due, check: Callable[..., object]) -> Tuning:
    vector, part, asked = found.vector, found.part, found.tunings.asked
    index = part.segment.indexes[vector]
    with writer.store.reading() as catalogue:
        kept = kept_queries(catalogue, vector)
    rng = np.random.default_rng(asked.seed)
    own = None
    if kept is None:
        places = np.sort(rng.permutation(part.live_places())[: DRAWN * _QUERIES])
        queries, of = of_documents(index.vectors(places), rng, _QUERIES)
        own = places[of]
    else:
        queries = known_terms(kept, index.n_terms)
    brief = tune_briefly(
        index,
        queries,
        own,
        Target(asked.recall, asked.latency_us),
        k=asked.k,
        budget_s=asked.retune_s,
        known=tuned_params(found.tunings, index, len(part.segment)),
        threads=asked.threads,
        check=check,
    )
    return Tuning(
        index.engine, brief.search_params, brief.recall, brief.latency_us, brief.is_met, asked.k, len(part.segment)
    )
