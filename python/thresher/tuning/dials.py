"""What each engine can be tuned by: parameters of its searches, each with a dial from fast to thorough."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple, TypeAlias

SearchParams: TypeAlias = dict[str, Any]


class Family(NamedTuple):
    """Search parameters of which one is a dial: the further it is turned, the more is found and the longer it takes."""

    fixed: SearchParams
    dial: str | None = None
    """The parameter; None if there is nothing to turn."""
    lowest: float = 1.0
    highest: float = 1.0
    whole: bool = True
    """Whether the dial is a whole number, turned by factors; otherwise a share, turned by steps."""

    def at(self, turn: float) -> SearchParams:
        """Return the parameters with the dial at `turn`: 0 is the fast end, 1 the thorough one."""
        if self.dial is None:
            return dict(self.fixed)
        if self.whole:
            value: float = round(self.lowest * (self.highest / self.lowest) ** turn)
        else:
            value = round(self.lowest + (self.highest - self.lowest) * turn, 3)
        return {**self.fixed, self.dial: value}

    @property
    def step(self) -> float:
        """The least turn that makes a difference: 2% of a whole number, 0.003 or so of a share."""
        if self.dial is None or self.highest == self.lowest:
            return 1.0
        return min(1.0, math.log(1.02) / math.log(self.highest / self.lowest)) if self.whole else 0.006


def families(engine: str, n_docs: int, k: int) -> list[Family]:
    """Return the families of an engine's search parameters, those that are best most often first."""
    return _FAMILIES[engine](n_docs, k)


def _none(n_docs: int, k: int) -> list[Family]:
    del n_docs, k
    return [Family({})]


def _postings(n_docs: int, k: int) -> list[Family]:
    del n_docs, k
    return [Family({"algorithm": name}) for name in ("auto", "maxscore", "wand", "block_max_maxscore")]


def _clustered(n_docs: int, k: int) -> list[Family]:
    lowest, highest = max(1, k // 4), max(k, min(n_docs // 4 + 1, 100 * k + 1000))
    cuts = (16, 20, 24, 12, 32, 10, 8, 6, 0)
    return [Family({"query_cut": cut}, "cluster_budget", lowest, highest) for cut in cuts]


def _block_max(n_docs: int, k: int) -> list[Family]:
    lowest, highest = max(1, k // 4), max(k, min(n_docs // 4 + 1, 200 * k + 2000))
    budgets = [Family({"beta": beta}, "block_budget", lowest, highest) for beta in (0.7, 1.0, 0.8, 0.6, 0.5)]
    shares = [Family({"beta": beta}, "alpha", 0.5, 1.0, whole=False) for beta in (0.75, 0.8, 0.7, 0.65, 0.6, 0.9)]
    # With beta = 1 too, alpha = 1 is the exact search, which may be faster than a pruned one.
    return [*budgets, Family({}, "alpha", 0.5, 1.0, whole=False), *shares, Family({}, "beta", 0.3, 1.0, whole=False)]


def _graph(n_docs: int, k: int) -> list[Family]:
    highest = max(k + 1, min(n_docs, 60 * k + 600))
    fixed = product((8, 5, 12, 3), (0.0, 0.8))
    return [Family({"entry_terms": terms, "early_stop": stop}, "ef", k, highest) for terms, stop in fixed]


def _impact(n_docs: int, k: int) -> list[Family]:
    most = max(1000, 8 * n_docs)
    few = (5 * k + 50, 2 * k + 20, 10 * k + 100, 20 * k + 200)
    return [Family({"rescored": n}, "postings_budget", max(100, n_docs // 100), most) for n in few] + [Family({})]


_FAMILIES: dict[str, Callable[[int, int], list[Family]]] = {
    "exact": _none,
    "block-max": _block_max,
    "clustered": _clustered,
    "graph": _graph,
    "impact": _impact,
    "postings": _postings,
}
