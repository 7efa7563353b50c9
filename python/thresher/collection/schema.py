"""What a collection is created with, and keeps: its vectors, and how their segments are built."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from thresher._arguments import as_flag, as_int
from thresher._kinds import kind_of
from thresher._matrix import MAX_TERMS
from thresher.encoders.encoder import Encoder
from thresher.engines.options import Weights
from thresher.engines.registry import engines

if TYPE_CHECKING:
    from thresher.engines.index import Index

SMALL_ENGINE = "exact"
_ENGINE_OF_WORDS = "postings"  # of encoders whose vocabulary grows, such as BM25: queries are short
_MAX_VECTORS = 64


@dataclasses.dataclass(frozen=True)
class KeptEncoder:
    """What a collection keeps of the encoder that a vector's texts go through.

    Attributes
    ----------
    fingerprint
        What its vectors depend on: no other encoder's may come beside them.
    config
        What `thresher.encoders.from_config` makes it of; None if it must be given each time.
    """

    fingerprint: str
    config: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class VectorSchema:
    """One of a document's vectors.

    Attributes
    ----------
    n_terms
        Terms that it may have; None if they grow.
    words
        Whether its terms are words, which the collection numbers.
    signed
        Whether weights may be negative.
    engine
        The engine of large segments.
    weights
        What segments keep of the weights, as `build` explains it; but "uint8", which would not give them back.
    params
        Parameters of the engine's `build`.
    encoder
        What makes vectors of texts; None if vectors are given.
    """

    n_terms: int | None = None
    words: bool = False
    signed: bool = False
    engine: str = "clustered"
    weights: Weights = "float"
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    encoder: KeptEncoder | None = None

    def engine_class(self, *, small: bool) -> type[Index]:
        """Return the engine of a segment."""
        return engines()[SMALL_ENGINE if small else self.engine]


@dataclasses.dataclass(frozen=True)
class Schema:
    """What all operations of a collection go by."""

    vectors: dict[str, VectorSchema]

    @property
    def default(self) -> str:
        """The vector that is meant where none is named."""
        return next(iter(self.vectors))

    def vector(self, name: str | None) -> str:
        """Return the name of a vector, or raise naming those that there are."""
        if name is None:
            return self.default
        if name not in self.vectors:
            raise ValueError(f"vector: there is no {name!r}: the collection has {', '.join(map(repr, self.vectors))}")
        return name

    def to_json(self) -> str:
        """Write it as the catalogue keeps it."""
        return json.dumps({name: _kept(vector) for name, vector in self.vectors.items()})

    @staticmethod
    def of_json(text: str) -> Schema:
        """Read what the catalogue has kept.

        Raises
        ------
        ValueError
            If it is damaged.
        """
        try:
            vectors = {name: _read(vector) for name, vector in json.loads(text).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"the schema is damaged: {error}") from None
        if not vectors or any(vector.engine not in engines() for vector in vectors.values()):
            raise ValueError("the schema is damaged: it has no vectors, or engines that there are not")
        return Schema(vectors)


def _kept(vector: VectorSchema) -> dict[str, Any]:
    """Return a vector's options; without an encoder those that every version of the library reads."""
    options = dataclasses.asdict(vector)
    if vector.encoder is None:
        del options["encoder"]
    return options


def _read(options: Mapping[str, Any]) -> VectorSchema:
    kept = options.get("encoder")
    return VectorSchema(**{**options, "encoder": None if kept is None else KeptEncoder(**kept)})


def as_schema(vectors: Mapping[str, Any] | None, common: Mapping[str, Any]) -> Schema:
    """Return the schema of the vectors that a caller names, each with options of its own beside the common ones.

    Raises
    ------
    TypeError
        For an option that there is not, or of a wrong type.
    ValueError
        For one out of range.
    """
    if vectors is None:
        vectors = {"vector": {}}
    if not isinstance(vectors, Mapping):
        raise TypeError(f"vectors must be a dict of options by name, got {kind_of(vectors)}")
    if not 0 < len(vectors) <= _MAX_VECTORS:
        raise ValueError(f"vectors: a collection has from 1 to {_MAX_VECTORS} of them, got {len(vectors)}")
    return Schema(
        {name: _vector(f"vectors[{name!r}]", {**common, **_options(name, own)}) for name, own in vectors.items()}
    )


def _options(name: str, own: object) -> Mapping[str, Any]:
    if not name or not name.replace("-", "_").isidentifier() or len(name) > 64:
        raise ValueError(f"vectors: {name!r} is no name: letters, digits, - and _ make one")
    if own is None:
        return {}
    if not isinstance(own, Mapping):
        raise TypeError(f"vectors[{name!r}] must be a dict of options, got {kind_of(own)}")
    return own


def _vector(where: str, given: Mapping[str, Any]) -> VectorSchema:
    options = {key: value for key, value in given.items() if value is not None}
    unknown = options.keys() - {field.name for field in dataclasses.fields(VectorSchema)}
    if unknown:
        raise TypeError(f"{where}: there is no option {min(unknown)!r}")
    for flag in ("words", "signed"):
        if flag in options:
            options[flag] = as_flag(options[flag], f"{where}: {flag}")
    if "encoder" in options:
        options = _with_encoder(where, options)
    if "n_terms" in options:
        options["n_terms"] = as_int(options["n_terms"], f"{where}: n_terms")
        if not 0 < options["n_terms"] <= MAX_TERMS:
            raise ValueError(f"{where}: n_terms must be from 1 to 2**32 - 1, got {options['n_terms']}")
        if options.get("words"):
            raise ValueError(f"{where}: words number themselves, and take no n_terms")
    vector = VectorSchema(**options)
    if vector.engine not in engines():
        raise ValueError(f"{where}: engine must be one of {', '.join(map(repr, engines()))}, got {vector.engine!r}")
    kept = [weights for weights in get_args(Weights) if weights != "uint8"]
    if vector.weights not in kept:
        raise ValueError(f"{where}: weights must be one of {', '.join(map(repr, kept))}, got {vector.weights!r}")
    if not isinstance(vector.params, Mapping):
        raise TypeError(f"{where}: params must be a dict, got {kind_of(vector.params)}")
    json.dumps(vector.params)
    _try_params(where, vector)
    return vector


def _with_encoder(where: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with what the encoder settles: what its terms are, and how many."""
    encoder = options["encoder"]
    check_encoder(encoder, f"{where}: encoder")
    grows = encoder.n_terms is None
    if not grows and options.get("words"):
        raise ValueError(f"{where}: the encoder numbers its terms, of which there are {encoder.n_terms}: no words=True")
    if options.get("n_terms") not in (None, encoder.n_terms):
        raise ValueError(f"{where}: n_terms must be the encoder's, {encoder.n_terms}, got {options['n_terms']}")
    config = encoder.config
    try:
        json.dumps(config)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{where}: the encoder's config is no JSON: {error}") from None
    settled = {"words": True} if grows else {"n_terms": encoder.n_terms}
    return {"engine": _ENGINE_OF_WORDS if grows else "clustered", **options, **settled,
            "encoder": KeptEncoder(encoder.fingerprint, config)}  # fmt: skip


def check_encoder(encoder: object, name: str) -> None:
    """Raise TypeError for what is no encoder."""
    if isinstance(encoder, type) or not isinstance(encoder, Encoder):
        raise TypeError(f"{name} must be an encoder, as thresher.encoders.Encoder has it, got {kind_of(encoder)}")
    if not isinstance(encoder.fingerprint, str):
        raise TypeError(f"{name}: its fingerprint must be a string, got {kind_of(encoder.fingerprint)}")


def _try_params(where: str, vector: VectorSchema) -> None:
    """Build an index of one document, which tells of parameters that can't be."""
    try:
        vector.engine_class(small=False).build([{0: 1.0}], shape=(1, 1), weights=vector.weights, **vector.params)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from None
