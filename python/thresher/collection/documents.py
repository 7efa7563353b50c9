"""Ids, payloads and the vectors of documents on their way into a collection, and documents on their way out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thresher._core import FormatError
from thresher._kinds import kind_of
from thresher.collection.files import CATALOGUE

if TYPE_CHECKING:
    import scipy.sparse as sp

    from thresher.collection.catalogue import Id, State

MAX_ID_BYTES = 512


@dataclasses.dataclass(frozen=True)
class Document:
    """A document of a collection.

    Attributes
    ----------
    id
        What it is called: a string or a whole number.
    payload
        Its fields, a dict; empty if it has none.
    vectors
        Its vectors by name, float32 rows of shape (1, n_terms), as they were given, duplicates summed, no zeros.
    text
        The text that it was made of, if the collection was given one.
    version
        The number of the operation that it was last changed by, for `Collection.upsert(if_version=)`.
    """

    id: Id
    payload: dict[str, Any]
    vectors: dict[str, sp.csr_array] = dataclasses.field(repr=False)
    text: str | None = None
    version: int = 0

    @property
    def vector(self) -> sp.csr_array:
        """Its default vector; ValueError if vectors were not asked for."""
        if not self.vectors:
            raise ValueError(f"document {self.id!r} was read without its vectors")
        return next(iter(self.vectors.values()))


def as_ids(ids: object, kind: str | None, name: str = "ids") -> tuple[list[Id], str | None]:
    """Return ids as Python has them, all of one kind, and the kind: "str", "int", or None where there are none.

    Parameters
    ----------
    ids
        Strings, or whole numbers of 64 bits; a list, an array or anything else that can be gone through.
    kind
        The kind that they must be of; None for any.
    name
        What messages call them.

    Raises
    ------
    TypeError
        If one is of another kind, with its place.
    ValueError
        If a string is longer than 512 bytes of UTF-8 or no text, or a number is beyond 64 bits.
    """
    if isinstance(ids, str | bytes | int | Mapping) or not isinstance(ids, Iterable):
        raise TypeError(f"{name} must be a list of strings or whole numbers, got {kind_of(ids)}")
    found: list[Id] = []
    for place, value in enumerate(ids.tolist() if isinstance(ids, np.ndarray) else ids):
        one = as_id(value, f"{name}[{place}]")
        found.append(one)
        own = "str" if type(one) is str else "int"
        if kind is None:
            kind = own
        elif own != kind:
            called = {"str": "strings", "int": "whole numbers"}
            raise TypeError(f"{name}[{place}] is {value!r}, but ids of this collection are {called[kind]}")
    return found, kind


def check_ordered(values: object, name: str) -> None:
    """Raise TypeError for a set: which of its elements goes with which vector would change from run to run."""
    if isinstance(values, set | frozenset):
        raise TypeError(f"{name} must be in an order, got a {kind_of(values)}: a list has one")


def as_id(value: object, name: str) -> Id:
    """Return one id as Python has it, or raise naming it."""
    if isinstance(value, str):
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise ValueError(f"{name} has half a surrogate pair: {value!r}") from None
        if size > MAX_ID_BYTES:
            raise ValueError(f"{name} has {size} bytes, at most {MAX_ID_BYTES} are allowed: {value[:40]!r}...")
        return str(value)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        whole = int(value)
        if not -(2**63) <= whole < 2**63:
            raise ValueError(f"{name} is {whole}, beyond 64 bits")
        return whole
    raise TypeError(f"{name} must be a string or a whole number, got {kind_of(value)}")


def state_of(states: Mapping[int, State], seq: int) -> State:
    """Return the state of a document that a segment has, or raise thresher.FormatError."""
    found = states.get(seq)
    if found is None:
        raise FormatError(f"{CATALOGUE}: it does not know upsert {seq}, which a segment has: it is damaged")
    return found


def payload_of(state: State) -> dict[str, Any]:
    """Return a document's payload.

    Raises
    ------
    thresher.FormatError
        If it is damaged.
    """
    if state.payload is None:
        return {}
    try:
        payload = json.loads(state.payload)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{CATALOGUE}: document {state.id!r}: the payload is damaged: {error}") from None
    if not isinstance(payload, dict):
        raise FormatError(f"{CATALOGUE}: document {state.id!r}: the payload is damaged: it is {kind_of(payload)}")
    return payload


def payloads_of(states: Sequence[State]) -> list[dict[str, Any]]:
    """Return the payloads of documents, read at once; raises as `payload_of`."""
    try:
        payloads: list[Any] = json.loads(f"[{','.join(state.payload or '{}' for state in states)}]")
    except (ValueError, RecursionError, TypeError):
        payloads = []
    if len(payloads) != len(states) or not all(isinstance(payload, dict) for payload in payloads):
        return [payload_of(state) for state in states]  # which names the one that is damaged
    return payloads


def json_of(payload: Mapping[str, Any]) -> str | None:
    """Return a payload as the catalogue keeps it."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")) if payload else None


def last_of_each(ids: Sequence[Id]) -> list[int]:
    """Return the places of ids, without those that come again."""
    last = {one: place for place, one in enumerate(ids)}
    return sorted(last.values())


def id_array(ids: Sequence[Id | None]) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Return ids as an array of objects, shape (n,)."""
    array = np.empty(len(ids), dtype=object)
    array[:] = ids
    return array
