"""What every encoder is: texts in, sparse vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy.typing as npt
    import scipy.sparse as sp

    from thresher.engines.options import Progress


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into sparse vectors, whose inner products say how well a document answers a query.

    The same texts give the same vectors, in any order and in batches of any size. Implement it to bring an encoder of
    your own: no base class is needed.
    """

    @property
    def n_terms(self) -> int | None:
        """Columns of every matrix; None if the vocabulary grows.

        Terms of a growing vocabulary are words first: a collection asks `terms` for the words of a matrix, and numbers
        them itself.
        """

    @property
    def fingerprint(self) -> str:
        """What the vectors depend on, in a short string: encoders of different ones may not share a collection.

        It names the kind, the settings and the model's content, not where the model is.
        """

    @property
    def config(self) -> dict[str, Any] | None:
        """What `thresher.encoders.from_config` makes an equal encoder of, as JSON has it; None if it can't be made."""

    def encode_documents(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of documents.

        Parameters
        ----------
        texts
            Strings, each the text of a document; empty ones give empty rows.
        progress
            Called now and then as ``progress(done, len(texts))``; what it raises ends the encoding.

        Returns
        -------
        csr_array
            Shape (len(texts), terms), float32, finite weights >= 0, indices sorted and unique in a row.

        Raises
        ------
        TypeError, ValueError
            Naming a text that is no string, or has half a surrogate pair, and its place.
        """

    def encode_queries(self, texts: Sequence[str], *, progress: Progress | None = None) -> sp.csr_array:
        """Return the vectors of queries, as `encode_documents` does those of documents."""

    def terms(self, ids: npt.ArrayLike) -> list[str]:
        """Return the words of terms, shape (n,), each the number of a column."""
