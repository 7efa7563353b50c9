"""An index of documents that a caller has: options and documents checked once, the core called once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from thresher._arguments import as_choice, as_progress, as_reorder, as_threads, set_params
from thresher._matrix import as_csr
from thresher._scratch import kept_in, scratch_files
from thresher._streams import DocumentsLike, collected, is_stream
from thresher._words import words_of_docs
from thresher.engines.naming import names_of, require_fit
from thresher.engines.options import PRECISIONS

if TYPE_CHECKING:
    from thresher import _core


def build(
    core: Any,  # noqa: ANN401 - the class of a core's engine
    params: Any,  # noqa: ANN401 - each engine has a class of its own
    docs: DocumentsLike,
    options: Mapping[str, object],
) -> _core.Index:
    """Build an index of the core.

    Parameters
    ----------
    core
        The core's class of the engine.
    params
        Its build parameters at their defaults; those in `options` are set.
    docs, options
        Of `Index.build`, the options by names that the engine has.
    """
    given: dict[str, Any] = dict(options)
    shape, threads = given.pop("shape", None), as_threads(given.pop("threads", 0))
    progress = as_progress(given.pop("progress", None))
    files = scratch_files(given.pop("scratch", None))
    given_words, given_names = given.pop("words", None), given.pop("names", None)
    precision = as_choice(given.pop("weights", "float"), PRECISIONS, "weights")
    order = None
    if hasattr(params, "reorder"):
        params.reorder, order = as_reorder(given.pop("reorder", params.reorder), "reorder")
    set_params(params, given)
    words, known = words_of_docs(docs, given_words, threads)
    names = names_of(given_names, threads)
    with kept_in(files):
        if is_stream(docs):
            rows = collected(docs, shape, threads, files)
        else:
            rows = as_csr(docs, shape=shape, name="docs", words=known)
        require_fit(words, names, rows.shape)
        handle: _core.Index = core.build(
            rows.indptr, rows.indices, rows.data, rows.shape[1], params, order, precision, threads, progress
        )
    return handle if words is None and names is None else handle.with_words(words, names)


def params_of_build(params: Any, given: Mapping[str, object], call: str) -> Any:  # noqa: ANN401 - as above
    """Return an engine's build parameters with those set that are given; raise TypeError for one that there is not."""
    for name in given:
        if not hasattr(params, name):
            raise TypeError(f"{call} has no parameter {name!r}")
    return set_params(params, given)
