"""A weight for each token of a vocabulary, and the tokenizer: all that an inference-free model needs for queries.

Files, of which the first that are there count:

- ``modules.json`` of sentence-transformers names a Router, whose ``router_config.json`` names the module of queries, or
  it names that module itself, a SparseStaticEmbedding: a folder with ``model.safetensors`` (a tensor "weight") or a
  ``config.json`` with the ``path`` of a table in JSON, and with ``tokenizer.json``.
- ``router_config.json`` alone.
- ``idf.json`` beside ``tokenizer.json``: OpenSearch's doc-v2 and doc-v3. Tokens that it does not have weigh 0.
- ``model.safetensors`` beside ``tokenizer.json``: the module's folder itself.

References
----------
Geng et al.: *Towards Competitive Search Relevance For Inference-Free Learned Sparse Retrievers*, 2024 (IDF tables).
Shen et al.: *Exploring l0 Sparsification for Inference-free Sparse Retrievers*, SIGIR 2025 (l0-trained).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from thresher import FormatError
from thresher._extras import missing
from thresher._kinds import kind_of
from thresher.encoders.safetensors import read_vector

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_LONGEST = 1 << 30  # tokens; a longer limit, such as transformers' 1e30, is none
_QUERY_ROUTES = ("('query', 'text')", "('query', None)", "(None, 'text')", "(None, None)")
_GENERAL = (None, "PreTrainedTokenizerFast", "TokenizersBackend")
# What a configuration has that vectors do not depend on.
_IDLE = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures", "embedding_dimension")


class QueryTable(NamedTuple):
    """What makes vectors of queries."""

    tokenizer: Tokenizer
    """Cuts and truncates as the model does; adds no special tokens where it is told so."""
    weights: npt.NDArray[np.float32]
    """Of each token, shape (n_terms,), finite."""
    prompt: str = ""
    """Stands before each query."""
    most: int | None = None
    """At most so many tokens of a query count, the heaviest."""
    documents: str = ""
    """What the files say of the side of documents: a hash of its modules' configurations; empty if they say nothing."""
    complete: bool = False
    """Whether sentence-transformers can make the side of documents of the files."""


def read_query_table(folder: Path) -> QueryTable:
    """Read the query side of a model.

    Raises
    ------
    thresher.FormatError
        If the files are damaged, or no inference-free model; the file is named.
    OSError
        If they can't be read.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder")
    module, documents = _modules(folder)
    config = _json(module / "config.json", {})
    tokenizer = read_tokenizer(module if (module / "tokenizer.json").exists() else folder)
    weights = _weights(folder, module, config.get("path"), tokenizer)
    settings = _json(folder / "config_sentence_transformers.json", {})
    prompts, most = settings.get("prompts") or {}, settings.get("max_active_dims")
    prompt = (prompts.get("query") or "") if isinstance(prompts, dict) else None
    if not isinstance(prompt, str):
        raise FormatError(f"{folder / 'config_sentence_transformers.json'}: prompts must be an object of strings")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise FormatError(f"{folder / 'config_sentence_transformers.json'}: max_active_dims must be >= 1, got {most!r}")
    return QueryTable(tokenizer, weights, prompt, most, documents, (folder / "modules.json").exists())


def read_tokenizer(folder: Path) -> Tokenizer:
    """Read ``tokenizer.json`` and what ``tokenizer_config.json`` says beside it."""
    state, config = _json(folder / "tokenizer.json"), _json(folder / "tokenizer_config.json", {})
    normalizer, kind = state.get("normalizer"), config.get("tokenizer_class")
    # The configuration wins, as in transformers, whose general classes take the state as it is.
    if kind not in _GENERAL and isinstance(normalizer, dict) and normalizer.get("type") == "BertNormalizer":
        names = {"lowercase": "do_lower_case", "handle_chinese_chars": "tokenize_chinese_chars"}
        for key, name in {**names, "strip_accents": "strip_accents"}.items():
            normalizer[key] = config.get(name, normalizer.get(key))
    longest = config.get("model_max_length")
    side = config.get("truncation_side", "right")
    if longest is not None and (isinstance(longest, bool) or not isinstance(longest, int | float) or longest < 1):
        raise FormatError(f"{folder / 'tokenizer_config.json'}: model_max_length must be >= 1, got {longest!r}")
    if side not in ("left", "right"):
        raise FormatError(f"{folder / 'tokenizer_config.json'}: truncation_side must be left or right, got {side!r}")
    try:
        return prepared(json.dumps(state), longest, side)
    except ValueError as error:
        raise FormatError(f"{folder / 'tokenizer.json'}: {error}") from error


def prepared(state: str, longest: float | None, side: str = "right") -> Tokenizer:
    """Return the tokenizer of a state in JSON, which cuts texts after so many tokens and fills none up."""
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415 - of an extra
    except ImportError:
        raise ImportError(missing("inference-free queries need tokenizers", "inference-free")) from None
    try:
        tokenizer = Tokenizer.from_str(state)
    except Exception as error:  # it raises nothing narrower
        raise ValueError(f"no tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if longest is not None and longest < _LONGEST:
        tokenizer.enable_truncation(int(longest), direction=side)
    return tokenizer


def table_of(tokens: Mapping[str, Any], tokenizer: Tokenizer) -> npt.NDArray[np.float32]:
    """Return the weight of each token of a vocabulary, 0 for those that a table does not have.

    Raises
    ------
    TypeError, ValueError
        Naming a token whose weight is no finite number.
    """
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    weights = np.zeros(max(vocabulary.values(), default=-1) + 1, np.float32)
    for token, weight in tokens.items():
        if isinstance(weight, bool | np.bool_) or not isinstance(weight, int | float | np.integer | np.floating):
            raise TypeError(f"the weight of {token!r} must be a number, got {weight!r}")
        number = vocabulary.get(token)
        if number is not None:
            try:
                weights[number] = weight
            except OverflowError:
                weights[number] = np.inf
    return weights


def checked_weights(weights: npt.NDArray[np.float32], tokenizer: Tokenizer) -> npt.NDArray[np.float32]:
    """Return weights that are finite and enough for a tokenizer, or raise ValueError."""
    n_tokens = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1
    if n_tokens > weights.size:
        raise ValueError(f"has {weights.size} weights for {n_tokens} tokens")
    wrong = np.flatnonzero(~np.isfinite(weights))
    if wrong.size:
        raise ValueError(f"the weight of token {wrong[0]}, {tokenizer.id_to_token(int(wrong[0]))!r}, is not finite")
    return weights


def _modules(folder: Path) -> tuple[Path, str]:
    """Return the folder of the query side's module, and a hash of what is said of documents."""
    router = folder
    if (folder / "modules.json").exists():
        modules = _json(folder / "modules.json", kind=list)
        if len(modules) != 1 or not isinstance(modules[0], dict):
            raise FormatError(f"{folder / 'modules.json'}: must have one module, a Router or SparseStaticEmbedding")
        kind = str(modules[0].get("type")).rpartition(".")[2]
        router = _inside(folder, modules[0].get("path", ""), folder / "modules.json")
        if kind == "SparseStaticEmbedding":
            return router, ""
        if kind not in ("Router", "Asym"):
            raise FormatError(f"{folder / 'modules.json'}: a {kind} is not inference-free")
    elif not (folder / "router_config.json").exists():
        if (folder / "idf.json").exists() and (folder / "config.json").exists():
            return folder, _hash([_json(folder / "config.json")])
        return folder, ""
    return _routes(router)


def _routes(router: Path) -> tuple[Path, str]:
    """Return the folder of a Router's query side, and a hash of the configurations of its documents' side."""
    path = router / "router_config.json"
    config = _json(path)
    types, structure, parameters = (config.get(key) for key in ("types", "structure", "parameters"))
    mappings = parameters.get("route_mappings") if isinstance(parameters, dict) else None
    if not isinstance(types, dict) or not isinstance(structure, dict):
        raise FormatError(f'{path}: must have "types" and "structure"')
    mapped = mappings if isinstance(mappings, dict) else {}
    route = next((mapped[key] for key in _QUERY_ROUTES if key in mapped), "query")
    names = structure.get(route) if isinstance(route, str) else None
    if not isinstance(names, list) or len(names) != 1 or not isinstance(names[0], str):
        raise FormatError(f"{path}: the route {route!r} must have one module, got {names!r}")
    kind = str(types.get(names[0])).rpartition(".")[2]
    if kind != "SparseStaticEmbedding":
        raise FormatError(f"{path}: queries go through a {kind}, which is not inference-free")
    others = sorted(name for name in types if isinstance(name, str) and name != names[0])
    configs = [_inside(router, name, path) / "config.json" for name in others]
    return _inside(router, names[0], path), _hash([_json(each) for each in configs if each.exists()])


def _weights(folder: Path, module: Path, given: object, tokenizer: Tokenizer) -> npt.NDArray[np.float32]:
    """Read the table of a module, in JSON or as a tensor."""
    path = module / "model.safetensors"
    if isinstance(given, str) and given.endswith(".json"):
        path = next((base / given for base in (module, folder) if _within(base, base / given)), module / "idf.json")
    elif (module / "idf.json").exists() and (module == folder or not path.exists()):
        path = module / "idf.json"
    try:
        return checked_weights(
            table_of(_json(path), tokenizer) if path.suffix == ".json" else read_vector(path, "weight"), tokenizer
        )
    except FormatError:
        raise
    except (TypeError, ValueError) as error:
        raise FormatError(f"{path}: {error}") from error


def _within(base: Path, path: Path) -> bool:
    return path.exists() and path.resolve().is_relative_to(base.resolve())


def _inside(folder: Path, name: object, where: Path) -> Path:
    """Return a folder within another, as a file names it."""
    if not isinstance(name, str) or not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise FormatError(f"{where}: {name!r} is no folder of the model")
    return folder / name


def _json(path: Path, default: Any = None, kind: type = dict) -> Any:  # noqa: ANN401 - JSON
    """Read an object of JSON; a file that is not there is `default`, if that is not None."""
    if default is not None and not path.exists():
        return default
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON: {error}") from error
    if not isinstance(value, kind):
        raise FormatError(f"{path}: must hold a JSON {'object' if kind is dict else 'array'}, got {kind_of(value)}")
    return value


def _hash(configs: list[dict[str, Any]]) -> str:
    if not configs:
        return ""
    kept = [{key: value for key, value in each.items() if key not in _IDLE} for each in configs]
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
