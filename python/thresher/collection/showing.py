"""How hits are shown: the words of their texts that made them hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from thresher._arguments import as_int
from thresher.collection.highlighting import Highlight, highlighted
from thresher.collection.searchable import Searchable, row_of
from thresher.collection.texts import as_texts, words_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from thresher._matrix import QueryLike
    from thresher.collection.catalogue import Id
    from thresher.collection.hits import CollectionHits


class Shown(Searchable):
    """Documents that can be searched, and whose texts can be shown."""

    def highlight(
        self,
        query: QueryLike | Mapping[str, float] | Sequence[str] | str,
        ids: Sequence[Id] | npt.NDArray[Any] | CollectionHits | Id,
        *,
        fragments: int = 3,
        size: int = 160,
        texts: Sequence[str] | None = None,
        vector: str | None = None,
    ) -> list[Highlight]:
        """Return where documents' texts have what makes up their scores, and the best fragments of them.

        Parameters
        ----------
        query
            One query, a text or a vector, as for `explain`.
        ids
            Ids of documents, a single one, or the hits of the query.
        fragments
            How many of a text at most.
        size
            Characters of a fragment, about: it begins and ends between words.
        texts
            The documents' texts, where the collection keeps none, or others than those that the vector is of.
        vector
            As in `search`.

        Returns
        -------
        list of Highlight
            One for each document, in their order. A document without a text has no spans.

        Raises
        ------
        KeyError
            Naming an id that is not there.
        ValueError
            If the collection keeps no texts and none are given, or as `explain` does.

        Examples
        --------
        >>> from thresher.collection import Collection
        >>> from thresher.encoders import BM25Encoder
        >>> with Collection.create("tales", encoder=BM25Encoder("en")) as tales:
        ...     _ = tales.upsert(["fox", "crow"], texts=["The quick foxes were jumping.", "A crow was flying."])
        ...     hits = tales.search_one("jumping fox")
        ...     tales.highlight("jumping fox", hits)[0].marked()
        'The quick **foxes** were **jumping**.'
        """
        n, most = as_int(fragments, "fragments"), as_int(size, "size")
        if n < 0 or most < 1:
            raise ValueError(f"fragments must be >= 0 and size >= 1, got {n} and {most}")
        if texts is None and not self._store.keeps_texts:
            raise ValueError("highlight needs texts, and the collection keeps none: pass texts=")
        asking = self._asking(vector)
        asked = row_of(query, None, asking)
        wanted, there = self._documents_of(ids, asking.view)
        given = [there[one].text for one in wanted] if texts is None else as_texts(texts, "texts", len(wanted))
        encoder = self._store.encoders.made(asking.vector)
        found = []
        for made, text in zip(self._explained(asking, asked, wanted, there), given, strict=True):
            words = made.words
            if words is None and encoder is not None:
                words = words_of(encoder, made.terms, "query")
            products = dict(zip(words or [], made.products.tolist(), strict=bool(words)))
            found.append(highlighted(made.id, made.score, text, products, encoder, fragments=n, size=most))
        return found
