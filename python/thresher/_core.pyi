"""
The C++ core of thresher.
"""

from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing

__all__: list[str] = [
    "BlockMaxIndex",
    "BlockMaxParams",
    "BlockMaxSearchParams",
    "BuildGrowth",
    "ClusteredIndex",
    "ClusteredParams",
    "ClusteredSearchParams",
    "CollectedRows",
    "CollectionStatistics",
    "Dial",
    "EstimatedPart",
    "ExactIndex",
    "ExactParams",
    "FormatError",
    "GraphIndex",
    "GraphParams",
    "GraphSearchParams",
    "ImpactIndex",
    "ImpactSearchParams",
    "Index",
    "NoParams",
    "PostingsIndex",
    "PostingsSearchParams",
    "Precision",
    "ScratchFiles",
    "ScratchScope",
    "SearchOptions",
    "Selection",
    "Words",
    "build_growth",
    "build_variants",
    "describe",
    "dials",
    "engine_names",
    "estimated_parts",
    "isa",
    "open_index",
    "search_segments",
    "settings_of",
]

class FormatError(ValueError):
    """
    A file that is not an index, is truncated or altered, or is of a newer format.
    """

class Precision:
    """
    What an index keeps of the weights that it is given.

    Members:

      FULL

      CODES

      BOTH
    """

    BOTH: typing.ClassVar[Precision]
    CODES: typing.ClassVar[Precision]
    FULL: typing.ClassVar[Precision]
    __members__: typing.ClassVar[dict[str, Precision]]
    @typing.overload
    def __eq__(self, other: Precision) -> bool: ...
    @typing.overload
    def __eq__(self, other: typing.Any) -> bool: ...
    def __getstate__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __index__(self) -> int: ...
    def __init__(self, value: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def __int__(self) -> int: ...
    @typing.overload
    def __ne__(self, other: Precision) -> bool: ...
    @typing.overload
    def __ne__(self, other: typing.Any) -> bool: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, state: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    def __str__(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...

class Selection:
    """
    A set of an index's documents, made by `Index.select`, for `allowed` and `exclude` of its searches.

    Sets of one index combine by `&`, `|`, `-` and `~`; what comes out is another. Any number of searches may use
    one at once.
    """
    def __and__(self, arg0: Selection) -> Selection: ...
    def __contains__(self, arg0: typing.Any) -> bool: ...
    def __eq__(self, arg0: typing.Any) -> bool: ...
    def __hash__(self) -> int: ...
    def __invert__(self) -> Selection: ...
    def __iter__(self) -> collections.abc.Iterator: ...
    def __len__(self) -> int: ...
    def __or__(self, arg0: Selection) -> Selection: ...
    def __reduce__(self) -> typing.Any: ...
    def __repr__(self) -> str: ...
    def __sub__(self, arg0: Selection) -> Selection: ...
    def ids(self) -> numpy.typing.NDArray[numpy.int64]:
        """
        The documents' ids, int64, ascending.
        """
    def mask(self) -> numpy.ndarray:
        """
        A bool for each document of the index, shape (n_docs,).
        """
    @property
    def n_docs(self) -> int:
        """
        Documents of the index.
        """

class SearchOptions:
    exact: bool
    fill: bool
    unknown_terms: str
    def __init__(self) -> None: ...
    @property
    def allowed(self) -> int: ...
    @allowed.setter
    def allowed(self, arg1: collections.abc.Sequence[Selection]) -> None: ...
    @property
    def depth(self) -> int: ...
    @depth.setter
    def depth(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def exclude(self) -> int: ...
    @exclude.setter
    def exclude(self, arg1: collections.abc.Sequence[Selection]) -> None: ...
    @property
    def k(self) -> int: ...
    @k.setter
    def k(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def min_score(self) -> float | None: ...
    @min_score.setter
    def min_score(self, arg0: typing.SupportsFloat | typing.SupportsIndex | None) -> None: ...
    @property
    def threads(self) -> int: ...
    @threads.setter
    def threads(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...

class Words:
    """
    Strings that are numbered from 0 and all different, compressed.
    """
    def __init__(
        self, words: collections.abc.Iterable, name: str, threads: typing.SupportsInt | typing.SupportsIndex
    ) -> None: ...
    def __len__(self) -> int: ...
    def at(self, number: typing.SupportsInt | typing.SupportsIndex) -> str: ...
    def find(self, word: str) -> int | None:
        """
        Its number, or None.
        """
    def find_all(self, words: collections.abc.Iterable, name: str) -> numpy.typing.NDArray[numpy.int64]:
        """
        Their numbers, -1 for those that are not there.
        """
    def take(self, numbers: typing.Annotated[numpy.typing.ArrayLike, numpy.int64]) -> list:
        """
        The strings of these numbers.
        """
    @property
    def nbytes(self) -> int: ...

class Index:
    def check(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
    ) -> None: ...
    def count(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
    ) -> numpy.typing.NDArray[numpy.int64]: ...
    def save(self, path: bytes) -> None: ...
    def search(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
    ) -> tuple: ...
    def search_all(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
    ) -> tuple: ...
    def search_one(
        self,
        terms: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        k: typing.SupportsInt | typing.SupportsIndex,
    ) -> tuple: ...
    def select_ids(
        self, ids: typing.Annotated[numpy.typing.ArrayLike, numpy.int64], name: str
    ) -> Selection: ...
    def select_mask(
        self, mask: typing.Annotated[numpy.typing.ArrayLike, numpy.uint8], name: str
    ) -> Selection: ...
    def vectors(self, ids: typing.Annotated[numpy.typing.ArrayLike, numpy.int64]) -> tuple: ...
    def with_words(self, words: Words | None, names: Words | None) -> Index: ...
    @property
    def engine(self) -> str: ...
    @property
    def max_error(self) -> float: ...
    @property
    def n_docs(self) -> int: ...
    @property
    def n_terms(self) -> int: ...
    @property
    def names(self) -> Words | None: ...
    @property
    def nbytes(self) -> dict: ...
    @property
    def nnz(self) -> int: ...
    @property
    def params(self) -> dict: ...
    @property
    def precision(self) -> Precision: ...
    @property
    def search_params(self) -> dict: ...
    @property
    def words(self) -> Words | None: ...

class ScratchFiles:
    """
    A folder for temporary files without names.
    """
    def __init__(self, directory: bytes) -> None: ...

class ScratchScope:
    """
    Within it, large arrays of builds are in temporary files.
    """
    def __enter__(self) -> None: ...
    def __exit__(self, arg0: typing.Any, arg1: typing.Any, arg2: typing.Any) -> None: ...
    def __init__(self, files: ScratchFiles) -> None: ...

class CollectedRows:
    def __init__(self, files: ScratchFiles | None) -> None:
        """
        Rows in memory, or in temporary files.
        """
    def add(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        name: str,
        threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...
    def arrays(self) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, int]:
        """
        indptr, indices, data (which point into the object until the next `add`) and the number of terms.
        """
    @property
    def n_rows(self) -> int: ...

class NoParams:
    def __init__(self) -> None: ...

class ExactParams:
    def __init__(self) -> None: ...
    @property
    def row_density(self) -> float: ...
    @row_density.setter
    def row_density(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def window(self) -> int: ...
    @window.setter
    def window(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...

class ExactIndex(Index):
    @staticmethod
    def build(
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        params: ExactParams,
        order: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32] | None,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> ExactIndex: ...
    @staticmethod
    def merge(
        indexes: collections.abc.Sequence[Index],
        live: collections.abc.Sequence[typing.Annotated[numpy.typing.ArrayLike, numpy.uint8] | None],
        params: ExactParams,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> ExactIndex: ...

class BlockMaxParams:
    reorder: bool
    def __init__(self) -> None: ...
    @property
    def block_size(self) -> int: ...
    @block_size.setter
    def block_size(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def bound_frequency(self) -> float: ...
    @bound_frequency.setter
    def bound_frequency(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def tile_frequency(self) -> float: ...
    @tile_frequency.setter
    def tile_frequency(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...

class BlockMaxSearchParams:
    def __init__(self) -> None: ...
    @property
    def alpha(self) -> float: ...
    @alpha.setter
    def alpha(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def beta(self) -> float: ...
    @beta.setter
    def beta(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def block_budget(self) -> int: ...
    @block_budget.setter
    def block_budget(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def superblock_budget(self) -> int: ...
    @superblock_budget.setter
    def superblock_budget(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...

class BlockMaxIndex(Index):
    @staticmethod
    def build(
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        params: BlockMaxParams,
        order: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32] | None,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> BlockMaxIndex: ...
    @staticmethod
    def merge(
        indexes: collections.abc.Sequence[Index],
        live: collections.abc.Sequence[typing.Annotated[numpy.typing.ArrayLike, numpy.uint8] | None],
        params: BlockMaxParams,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> BlockMaxIndex: ...
    def own_search_params(self) -> BlockMaxSearchParams:
        """
        A copy of the parameters of searches that are given none.
        """
    def search_all_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: BlockMaxSearchParams,
    ) -> tuple: ...
    def search_one_with(
        self,
        terms: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        k: typing.SupportsInt | typing.SupportsIndex,
        params: BlockMaxSearchParams,
    ) -> tuple: ...
    def search_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: BlockMaxSearchParams,
    ) -> tuple: ...
    def with_search_params(self, params: BlockMaxSearchParams) -> BlockMaxIndex: ...

class ClusteredParams:
    reorder: bool
    def __init__(self) -> None: ...
    @property
    def cluster_size(self) -> int: ...
    @cluster_size.setter
    def cluster_size(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def dense_frequency(self) -> float: ...
    @dense_frequency.setter
    def dense_frequency(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def group_frequency(self) -> float: ...
    @group_frequency.setter
    def group_frequency(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def n_postings(self) -> int: ...
    @n_postings.setter
    def n_postings(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def neighbours(self) -> int: ...
    @neighbours.setter
    def neighbours(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def summary_energy(self) -> float: ...
    @summary_energy.setter
    def summary_energy(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def tile_frequency(self) -> float: ...
    @tile_frequency.setter
    def tile_frequency(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...

class ClusteredSearchParams:
    def __init__(self) -> None: ...
    @property
    def cluster_budget(self) -> int: ...
    @cluster_budget.setter
    def cluster_budget(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def group_budget(self) -> int: ...
    @group_budget.setter
    def group_budget(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def heap_factor(self) -> float: ...
    @heap_factor.setter
    def heap_factor(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def query_cut(self) -> int: ...
    @query_cut.setter
    def query_cut(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def refine(self) -> int: ...
    @refine.setter
    def refine(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...

class ClusteredIndex(Index):
    @staticmethod
    def build(
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        params: ClusteredParams,
        order: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32] | None,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> ClusteredIndex: ...
    @staticmethod
    def merge(
        indexes: collections.abc.Sequence[Index],
        live: collections.abc.Sequence[typing.Annotated[numpy.typing.ArrayLike, numpy.uint8] | None],
        params: ClusteredParams,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> ClusteredIndex: ...
    def own_search_params(self) -> ClusteredSearchParams:
        """
        A copy of the parameters of searches that are given none.
        """
    def search_all_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: ClusteredSearchParams,
    ) -> tuple: ...
    def search_one_with(
        self,
        terms: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        k: typing.SupportsInt | typing.SupportsIndex,
        params: ClusteredSearchParams,
    ) -> tuple: ...
    def search_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: ClusteredSearchParams,
    ) -> tuple: ...
    def with_search_params(self, params: ClusteredSearchParams) -> ClusteredIndex: ...

class GraphParams:
    reorder: bool
    def __init__(self) -> None: ...
    @property
    def ef_construction(self) -> int: ...
    @ef_construction.setter
    def ef_construction(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def entry_points(self) -> int: ...
    @entry_points.setter
    def entry_points(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def m(self) -> int: ...
    @m.setter
    def m(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...

class GraphSearchParams:
    def __init__(self) -> None: ...
    @property
    def early_stop(self) -> float: ...
    @early_stop.setter
    def early_stop(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def ef(self) -> int: ...
    @ef.setter
    def ef(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def entry_terms(self) -> int: ...
    @entry_terms.setter
    def entry_terms(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...

class GraphIndex(Index):
    @staticmethod
    def build(
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        params: GraphParams,
        order: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32] | None,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> GraphIndex: ...
    @staticmethod
    def merge(
        indexes: collections.abc.Sequence[Index],
        live: collections.abc.Sequence[typing.Annotated[numpy.typing.ArrayLike, numpy.uint8] | None],
        params: GraphParams,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> GraphIndex: ...
    def edges(self, doc: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.int64]: ...
    def own_search_params(self) -> GraphSearchParams:
        """
        A copy of the parameters of searches that are given none.
        """
    def search_all_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: GraphSearchParams,
    ) -> tuple: ...
    def search_one_with(
        self,
        terms: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        k: typing.SupportsInt | typing.SupportsIndex,
        params: GraphSearchParams,
    ) -> tuple: ...
    def search_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: GraphSearchParams,
    ) -> tuple: ...
    def with_search_params(self, params: GraphSearchParams) -> GraphIndex: ...

class ImpactSearchParams:
    def __init__(self) -> None: ...
    @property
    def deadline_us(self) -> float: ...
    @deadline_us.setter
    def deadline_us(self, arg0: typing.SupportsFloat | typing.SupportsIndex) -> None: ...
    @property
    def postings_budget(self) -> int: ...
    @postings_budget.setter
    def postings_budget(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...
    @property
    def rescored(self) -> int: ...
    @rescored.setter
    def rescored(self, arg0: typing.SupportsInt | typing.SupportsIndex) -> None: ...

class ImpactIndex(Index):
    @staticmethod
    def build(
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        params: NoParams,
        order: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32] | None,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> ImpactIndex: ...
    @staticmethod
    def merge(
        indexes: collections.abc.Sequence[Index],
        live: collections.abc.Sequence[typing.Annotated[numpy.typing.ArrayLike, numpy.uint8] | None],
        params: NoParams,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> ImpactIndex: ...
    def own_search_params(self) -> ImpactSearchParams:
        """
        A copy of the parameters of searches that are given none.
        """
    def search_all_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: ImpactSearchParams,
    ) -> tuple: ...
    def search_one_with(
        self,
        terms: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        k: typing.SupportsInt | typing.SupportsIndex,
        params: ImpactSearchParams,
    ) -> tuple: ...
    def search_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: ImpactSearchParams,
    ) -> tuple: ...
    def with_search_params(self, params: ImpactSearchParams) -> ImpactIndex: ...

class PostingsSearchParams:
    algorithm: str
    def __init__(self) -> None: ...

class PostingsIndex(Index):
    @staticmethod
    def build(
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        params: NoParams,
        order: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32] | None,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> PostingsIndex: ...
    @staticmethod
    def merge(
        indexes: collections.abc.Sequence[Index],
        live: collections.abc.Sequence[typing.Annotated[numpy.typing.ArrayLike, numpy.uint8] | None],
        params: NoParams,
        precision: Precision,
        threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> PostingsIndex: ...
    def own_search_params(self) -> PostingsSearchParams:
        """
        A copy of the parameters of searches that are given none.
        """
    def search_all_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: PostingsSearchParams,
    ) -> tuple: ...
    def search_one_with(
        self,
        terms: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        k: typing.SupportsInt | typing.SupportsIndex,
        params: PostingsSearchParams,
    ) -> tuple: ...
    def search_with(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        options: SearchOptions,
        progress: typing.Any,
        params: PostingsSearchParams,
    ) -> tuple: ...
    def with_search_params(self, params: PostingsSearchParams) -> PostingsIndex: ...

class CollectionStatistics:
    """
    What the size of an index depends on.
    """
    def __init__(
        self,
        indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
        data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
        n_terms: typing.SupportsInt | typing.SupportsIndex,
        n_docs: typing.SupportsInt | typing.SupportsIndex,
        threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...
    @property
    def frequencies(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        Document frequencies of the terms that occur, falling.
        """
    @property
    def n_docs(self) -> int: ...
    @property
    def n_slots(self) -> int:
        """
        Terms that occur.
        """
    @property
    def n_terms(self) -> int: ...
    @property
    def nnz(self) -> float: ...

class Dial:
    """
    Search parameters of which one is turned, from a fast end to a thorough one.
    """
    def __init__(
        self,
        fixed: collections.abc.Mapping[
            str,
            bool
            | typing.SupportsInt
            | typing.SupportsIndex
            | typing.SupportsFloat
            | typing.SupportsIndex
            | str,
        ],
        name: str | None = None,
        lowest: typing.SupportsFloat | typing.SupportsIndex = 1.0,
        highest: typing.SupportsFloat | typing.SupportsIndex = 1.0,
        integral: bool = True,
    ) -> None: ...
    def at(self, turn: typing.SupportsFloat | typing.SupportsIndex) -> dict:
        """
        The parameters with the dial at `turn`: 0 is the fast end, 1 the thorough one.
        """
    @property
    def fixed(self) -> dict: ...
    @property
    def highest(self) -> float: ...
    @property
    def integral(self) -> bool: ...
    @property
    def lowest(self) -> float: ...
    @property
    def name(self) -> str | None:
        """
        The parameter that is turned; None if there is nothing to turn.
        """
    @property
    def step(self) -> float:
        """
        The least turn that makes a difference.
        """

class EstimatedPart:
    """
    Bytes of a part of an index that is not built yet.
    """
    def __init__(
        self,
        name: str,
        fixed: typing.SupportsFloat | typing.SupportsIndex,
        variable: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        usual: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    ) -> None: ...
    @property
    def fixed(self) -> float:
        """
        Bytes that follow from the statistics.
        """
    @property
    def name(self) -> str: ...
    @property
    def nbytes(self) -> float: ...
    @property
    def usual(self) -> float:
        """
        The fraction of `variable` that is usual.
        """
    @property
    def variable(self) -> float:
        """
        At most so many more, by how alike documents are.
        """

class BuildGrowth:
    """
    How much longer a document takes in a larger collection.
    """
    def __init__(
        self,
        doubling: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        million: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    ) -> None: ...
    @property
    def doubling(self) -> float:
        """
        In one of twice the size.
        """
    @property
    def is_linear(self) -> bool: ...
    @property
    def million(self) -> float:
        """
        With each million of documents.
        """

def build_growth(engine: str) -> BuildGrowth: ...
def build_variants(engine: str) -> list[dict]: ...
def describe(path: bytes) -> dict:
    """
    Header, parameters and sections of an index file.
    """

def dials(
    engine: str,
    n_docs: typing.SupportsInt | typing.SupportsIndex,
    k: typing.SupportsInt | typing.SupportsIndex,
) -> list[Dial]: ...
def engine_names() -> list[str]: ...
def estimated_parts(
    engine: str,
    statistics: CollectionStatistics,
    params: collections.abc.Mapping[
        str,
        bool | typing.SupportsInt | typing.SupportsIndex | typing.SupportsFloat | typing.SupportsIndex | str,
    ],
    precision: Precision,
) -> list[EstimatedPart]: ...
def isa() -> str:
    """
    The instruction set in use.
    """

def open_index(path: bytes, verify: bool) -> Index:
    """
    Map an index file of any engine.
    """

def search_segments(
    indexes: collections.abc.Sequence[Index],
    allowed: collections.abc.Sequence[collections.abc.Sequence[Selection]],
    indptr: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.uint32],
    data: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
    n_terms: typing.SupportsInt | typing.SupportsIndex,
    options: SearchOptions,
    finds_all: bool,
    progress: typing.Any,
) -> tuple:
    """
    Search several indexes as if they were one; documents are numbered through. `allowed`: for each index a list of one selection for all queries, one for each, or none.
    """

def settings_of(
    dials: collections.abc.Sequence[Dial], n: typing.SupportsInt | typing.SupportsIndex
) -> list[dict]:
    """
    About n settings that are spread over the dials, the index's own among them.
    """

__version__: str = "0.1.0"
