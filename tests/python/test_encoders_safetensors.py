"""Tensors out of safetensors files, whole and damaged."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thresher
from model_files import safetensors
from thresher.encoders.safetensors import read_vector

VALUES = np.array([0.5, -2.0, 0.0, 3.25], np.float32)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("F32", VALUES),
        ("F64", VALUES.astype(np.float64)),
        ("F16", VALUES.astype(np.float16)),
        ("BF16", (VALUES.view(np.uint32) >> 16).astype(np.uint16)),
    ],
)
def test_floats_of_every_width(tmp_path: Path, kind: str, stored: Any) -> None:
    other = np.arange(3).astype(stored.dtype)
    path = written(tmp_path / "m.safetensors", safetensors({"other": other, "weight": stored}, kind))
    found = read_vector(path, "weight")
    assert found.dtype == np.float32
    assert found.tolist() == VALUES.tolist()


def file_of(entry: Any, data: bytes = VALUES.tobytes()) -> bytes:
    text = json.dumps({"weight": entry}).encode()
    return struct.pack("<Q", len(text)) + text + data


ENTRY = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes"),
        (b"\x01\x00", "2 bytes"),
        (b"\xff" * 8 + b"{}", "header is said to have"),
        (struct.pack("<Q", 2) + b"{", "header is said to have 2 bytes"),
        (struct.pack("<Q", 2) + b"[]", "no object"),
        (struct.pack("<Q", 2) + b"\xff\xfe", "not JSON"),
        (struct.pack("<Q", 2) + b"{}", 'no tensor "weight"'),
        (struct.pack("<Q", 100_000) + b"[" * 100_000, "not JSON"),
        (file_of([]), 'no tensor "weight"'),
        (file_of({**ENTRY, "dtype": "I64"}), "type 'I64'"),
        (file_of({**ENTRY, "dtype": ["F32"]}), "of type"),
        (file_of({**ENTRY, "shape": [2, 2]}), "one dimension"),
        (file_of({**ENTRY, "shape": [-4]}), "one dimension"),
        (file_of({**ENTRY, "shape": [True]}), "one dimension"),
        (file_of({**ENTRY, "shape": [5]}), "takes 16 bytes, its shape"),
        (file_of({**ENTRY, "shape": [1 << 70]}), "takes 16 bytes"),
        (file_of({**ENTRY, "data_offsets": [16, 0]}), "offsets"),
        (file_of({**ENTRY, "data_offsets": [-16, 0]}), "offsets"),
        (file_of({**ENTRY, "data_offsets": None}), "offsets"),
        (file_of({**ENTRY, "data_offsets": [4, 20]}), "ends at byte 20 of the data, which has 16"),
        (file_of(ENTRY, VALUES.tobytes()[:-1]), "ends at byte 16 of the data, which has 15"),
    ],
)
def test_damage_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    path = written(tmp_path / "m.safetensors", content)
    with pytest.raises(thresher.FormatError, match=message) as raised:
        read_vector(path, "weight")
    assert str(path) in str(raised.value)


WHOLE = safetensors({"weight": VALUES})


@given(place=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255), length=st.integers(0, len(WHOLE)))
def test_any_damage_is_a_format_error_or_a_vector(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, length: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "altered.safetensors"
    path.write_bytes((WHOLE[:place] + bytes([value]) + WHOLE[place + 1 :])[:length])
    try:
        found = read_vector(path, "weight")
    except thresher.FormatError:
        return
    assert found.dtype == np.float32
    assert found.nbytes <= 16
