"""What a collection is created with, and keeps: its vectors, and how their segments are built."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from thresher._arguments import as_choice, as_flag, as_int
from thresher._kinds import kind_of
from thresher._matrix import MAX_TERMS
from thresher.collection.upkeep import Upkeep
from thresher.encoders.encoder import Encoder
from thresher.engines.options import BuildOptions, Weights
from thresher.engines.registry import engines

if TYPE_CHECKING:
    from thresher.engines.index import Index

SMALL_ENGINE = "exact"
_ENGINE_OF_WORDS = "postings"  # of encoders whose vocabulary grows, such as BM25: queries are short
_MAX_VECTORS = 64

OPTIONS = (
    "n_terms", "fields", "vectors", "words", "signed", "engine", "weights", "durability", "upkeep", "background",
    "encoder", "keep_texts",
)  # fmt: skip
"""What `Collection.create` takes, beside the build parameters of its engine."""


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
    """What all operations of a collection go by: its vectors, and when their segments are built."""

    vectors: dict[str, VectorSchema]
    upkeep: Upkeep = dataclasses.field(default_factory=Upkeep)

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
        """Write the vectors as the catalogue keeps them."""
        return json.dumps({name: _kept(vector) for name, vector in self.vectors.items()})

    @staticmethod
    def of_json(text: str, upkeep: str | None = None) -> Schema:
        """Read what the catalogue has kept: the vectors, and the upkeep.

        Raises
        ------
        ValueError
            If it is damaged.
        """
        try:
            kept = json.loads(text).items()
            vectors = {name: _vector(f"vectors[{name!r}]: ", _read(name, own)) for name, own in kept}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"the schema is damaged: {error}") from None
        if not vectors:
            raise ValueError("the schema is damaged: it has no vectors")
        return Schema(vectors, Upkeep.of_json(upkeep))


def _kept(vector: VectorSchema) -> dict[str, Any]:
    """Return a vector's options; without an encoder those that every version of the library reads."""
    options = dataclasses.asdict(vector)
    if vector.encoder is None:
        del options["encoder"]
    return options


def _read(name: str, own: object) -> dict[str, Any]:
    """Return a vector's options as they were kept."""
    options = dict(_options(name, own))
    if options.get("encoder") is not None:
        options["encoder"] = KeptEncoder(**options["encoder"])
    return options


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
        only = _vector("", common)
        _check_params("", only)
        return Schema({"vector": only})
    if not isinstance(vectors, Mapping):
        raise TypeError(f"vectors must be a dict of options by name, got {kind_of(vectors)}")
    if not 0 < len(vectors) <= _MAX_VECTORS:
        raise ValueError(f"vectors: a collection has from 1 to {_MAX_VECTORS} of them, got {len(vectors)}")
    checked = {}
    for name, own in vectors.items():
        where = f"vectors[{name!r}]: "
        checked[name] = _vector(where, {**common, **_options(name, own)})
        _check_params(where, checked[name])
    return Schema(checked)


def _options(name: str, own: object) -> Mapping[str, Any]:
    if not name or not name.replace("-", "_").isidentifier() or len(name) > 64:
        raise ValueError(f"vectors: {name!r} is no name: letters, digits, - and _ make one")
    if own is None:
        return {}
    if not isinstance(own, Mapping):
        raise TypeError(f"vectors[{name!r}] must be a dict of options, got {kind_of(own)}")
    known = [field.name for field in dataclasses.fields(VectorSchema)]
    for option in own:
        if option not in known:
            raise TypeError(f"vectors[{name!r}] has no option {option!r}; it has {', '.join(known)}")
    return own


def _vector(where: str, given: Mapping[str, Any]) -> VectorSchema:
    """Check the options of a vector; `where` is what errors begin with."""
    options = {key: value for key, value in given.items() if value is not None}
    for flag in ("words", "signed"):
        if flag in options:
            options[flag] = as_flag(options[flag], f"{where}{flag}")
    if not isinstance(options.get("encoder"), KeptEncoder | None):
        options = _with_encoder(where, options)
    if "n_terms" in options:
        options["n_terms"] = as_int(options["n_terms"], f"{where}n_terms")
        if not 0 < options["n_terms"] <= MAX_TERMS:
            raise ValueError(f"{where}n_terms must be from 1 to 2**32 - 1, got {options['n_terms']}")
        if options.get("words"):
            raise ValueError(f"{where}words number themselves, and take no n_terms")
    vector = VectorSchema(**options)
    as_choice(vector.engine, {name: name for name in engines()}, f"{where}engine")
    as_choice(vector.weights, {name: name for name in get_args(Weights) if name != "uint8"}, f"{where}weights")
    if not isinstance(vector.params, Mapping):
        raise TypeError(f"{where}params must be a dict, got {kind_of(vector.params)}")
    return vector


def _with_encoder(where: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with what the encoder settles: what its terms are, and how many."""
    encoder = options["encoder"]
    check_encoder(encoder, f"{where}encoder")
    grows = encoder.n_terms is None
    if not grows and options.get("words"):
        raise ValueError(f"{where}the encoder numbers its terms, of which there are {encoder.n_terms}: no words=True")
    if options.get("n_terms") not in (None, encoder.n_terms):
        raise ValueError(f"{where}n_terms must be the encoder's, {encoder.n_terms}, got {options['n_terms']}")
    config = encoder.config
    try:
        json.dumps(config)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{where}the encoder's config is no JSON: {error}") from None
    settled = {"words": True} if grows else {"n_terms": encoder.n_terms}
    return {"engine": _ENGINE_OF_WORDS if grows else "clustered", **options, **settled,
            "encoder": KeptEncoder(encoder.fingerprint, config)}  # fmt: skip


def check_encoder(encoder: object, name: str) -> None:
    """Raise TypeError for what is no encoder."""
    if isinstance(encoder, type) or not isinstance(encoder, Encoder):
        raise TypeError(f"{name} must be an encoder, as thresher.encoders.Encoder has it, got {kind_of(encoder)}")
    if not isinstance(encoder.fingerprint, str):
        raise TypeError(f"{name}: its fingerprint must be a string, got {kind_of(encoder.fingerprint)}")


def _check_params(where: str, vector: VectorSchema) -> None:
    """Raise unless they are build parameters of the engine, of which an index of one document tells the rest."""
    engine = vector.engine_class(small=False)
    known = [name for name in engine._build_options.__annotations__ if name not in BuildOptions.__annotations__]  # noqa: SLF001
    for name, value in vector.params.items():
        if name not in known:
            takes = f"build parameters of the engine {vector.engine!r} are {', '.join(known) or 'none'}"
            raise TypeError(f"{where}create has no option {name!r}; it has {', '.join(OPTIONS)}; {takes}")
        if not isinstance(value, bool | int | float | str):
            raise TypeError(f"{where}{name} must be a number, a bool or a string, got {kind_of(value)}")
    try:
        engine.build([{0: 1.0}], shape=(1, 1), weights=vector.weights, **vector.params)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}{error}") from None
