"""How good answers are, beside how fast: measures of effectiveness, tests of significance, and tables of both.

Measures are those of ir_measures, which the extra ``evaluation`` brings, and which is imported when it is used.
"""

from __future__ import annotations

from thresher.evaluation.evaluating import Evaluation, evaluate
from thresher.evaluation.pruning import PruningCost, pruning_cost
from thresher.evaluation.runs import write_run
from thresher.evaluation.significance import Comparison, Difference, compare
from thresher.evaluation.tables import Row, Table
from thresher.evaluation.tabulating import table

__all__ = [
    "Comparison",
    "Difference",
    "Evaluation",
    "PruningCost",
    "Row",
    "Table",
    "compare",
    "evaluate",
    "pruning_cost",
    "table",
    "write_run",
]
