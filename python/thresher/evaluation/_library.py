"""The library behind the measures, imported when it is needed, and measures by name."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from thresher._extras import missing

if TYPE_CHECKING:
    import ir_measures

MeasureLike: TypeAlias = "str | ir_measures.Measure"
MeasuresLike: TypeAlias = "MeasureLike | Iterable[MeasureLike]"

DEFAULT_MEASURES = ("nDCG@10", "RR@10")

_MOST = 1_000_000  # of a cutoff or a grade: more is a slip, and the libraries behind allocate or overflow by it


def library() -> Any:  # noqa: ANN401 - a module, which is not always there
    """Return ir_measures, or raise ImportError that names the extra."""
    try:
        import ir_measures as found  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError(missing("measures of effectiveness need ir_measures", "evaluation")) from None
    return found


def as_measures(measures: MeasuresLike) -> list[ir_measures.Measure]:
    """Return measures, each once, in the order given; or raise ValueError or TypeError that names one.

    Each is a measure of ir_measures or its name, such as ``"nDCG@10"``, ``"RR(rel=2)@10"`` or ``"AP"``.
    """
    base = library().Measure
    several: Any = [measures] if isinstance(measures, str | base) else measures
    given = list(several)
    if not given:
        raise ValueError("measures: there are none")
    return list(dict.fromkeys(as_measure(one) for one in given))


def as_measure(measure: MeasureLike) -> ir_measures.Measure:
    """Return one measure; see `as_measures`."""
    made: Any = _by_name(measure) if isinstance(measure, str) else measure
    if not isinstance(made, library().Measure):
        raise TypeError(f"measures: expected a name or a measure of ir_measures, got {type(measure).__name__}")
    try:
        made.validate_params()
    except (AssertionError, KeyError, TypeError) as error:
        raise ValueError(f"measures: {_shown(measure)} has a parameter that is none of its own: {error}") from None
    for name in ("cutoff", "rel"):
        value = made.params.get(name, 1)
        # Beyond it, the code behind ends the process, or returns nonsense.
        if isinstance(value, bool) or not 1 <= value <= _MOST:
            raise ValueError(f"measures: {_shown(measure)} has the {name} {value}, which must be from 1 to {_MOST:,}")
    checked: ir_measures.Measure = made
    return checked


def cutoff_of(measure: ir_measures.Measure) -> int | None:
    """Return how many hits a measure looks at; None for all."""
    found = measure.params.get("cutoff")
    return None if found is None else int(found)


def _by_name(text: str) -> Any:  # noqa: ANN401 - a measure
    """Return the measure that a name stands for: ``Name(parameter=literal, ...)@cutoff``."""
    try:
        node: ast.AST = ast.parse(text.strip(), mode="eval").body
        given: dict[str, Any] = {}
        at = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            at = ast.literal_eval(node.right)
            node = node.left
        if isinstance(node, ast.Call) and not node.args:
            given = {str(one.arg): ast.literal_eval(one.value) for one in node.keywords}
            node = node.func
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        node = ast.Pass()
    name = node.id if isinstance(node, ast.Name) else None
    if name is None:
        raise ValueError(f"measures: {text!r} is not written as nDCG@10 or nDCG(judged_only=True)@10 are") from None
    known = library().measures.registry
    if name not in known:
        raise ValueError(f"measures: {text!r} is none that there is; there are {', '.join(sorted(known))}")
    kind = known[name]
    if at is not None:
        given[kind.AT_PARAM] = at
    # Some names stand for a measure with parameters that are set, such as MRR: those make one when called.
    return kind(**given)


def _shown(measure: MeasureLike) -> str:
    try:
        return repr(str(measure))
    except KeyError:  # a measure can't show parameters that it does not know
        return type(measure).__name__
