"""Files that vectors and answers come in and leave by, one module each.

`read_matrix` takes any of them; the modules have the readers and writers: `arrow`, `bigann`, `ciff`,
`jsonl`, `npz`, `trec` and `names`. Everything read is checked, everything written is written atomically.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from thresher import FormatError
from thresher.formats import arrow, bigann, ciff, jsonl, names, npz, trec

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["FileKind", "arrow", "bigann", "ciff", "detect", "jsonl", "names", "npz", "read_matrix", "trec"]

FileKind = Literal["bigann", "npz", "jsonl", "ciff", "parquet", "arrow"]

_SUFFIXES: dict[str, FileKind] = {
    ".csr": "bigann",
    ".npz": "npz",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".ciff": "ciff",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
_GZIPPED = ("jsonl", "ciff")  # kinds that are read gzipped too
_CIFF_START = re.compile(rb"[\x80-\xff]?[\x01-\x7f]\x08\x01\x10")  # a length, the version, the next field


def detect(path: str | os.PathLike[str]) -> FileKind:
    """Tell what kind of matrix a file holds, by its suffix or else by how it begins.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    {"bigann", "npz", "jsonl", "ciff", "parquet", "arrow"}
        The kind.

    Raises
    ------
    thresher.FormatError
        If neither tells.
    OSError
        If the file can't be read.
    """
    name = Path(path)
    suffix = name.with_suffix("").suffix if name.suffix == ".gz" else name.suffix
    if suffix in _SUFFIXES and (name.suffix != ".gz" or _SUFFIXES[suffix] in _GZIPPED):
        return _SUFFIXES[suffix]
    with name.open("rb") as file:
        start = file.read(64)
    begins: dict[FileKind, bool] = {
        "npz": start.startswith(b"PK\x03\x04"),
        "parquet": start.startswith(b"PAR1"),
        "arrow": start.startswith(b"ARROW1"),
        "jsonl": start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"),
        "bigann": len(start) >= 24 and start[4:8] == bytes(4),
        "ciff": _CIFF_START.match(start) is not None,
    }
    kind = next((kind for kind, applies in begins.items() if applies), None)
    if kind is not None:
        return kind
    raise FormatError(
        f"{path}: unknown kind of file: expected a BigANN .csr, a scipy .npz, JSON lines (.jsonl[.gz]), a .ciff[.gz], "
        "a .parquet or an .arrow"
    )


def read_matrix(path: str | os.PathLike[str], *, allow_negative: bool = True) -> sparse.csr_array:
    """Read a matrix of sparse vectors from any file that thresher knows.

    Parameters
    ----------
    path
        A BigANN ``.csr`` (mapped, not copied), a scipy ``.npz``, a Parquet or Arrow IPC file, JSON
        lines or a CIFF file, whose ids and terms `jsonl.read_documents` and `ciff.read_ciff` return as well.
    allow_negative
        False refuses negative weights.

    Returns
    -------
    scipy.sparse.csr_array
        float32, (n_rows, n_terms).

    Raises
    ------
    thresher.FormatError
        Naming the file, the place and what is wrong there.
    OSError
        If the file can't be read.
    ImportError
        Of a CIFF file, without protobuf, which the extra ``ciff`` brings; of a Parquet or Arrow
        file, without pyarrow, which the extra ``arrow`` brings.
    """
    kind = detect(path)
    if kind == "bigann":
        return bigann.read_csr(path, allow_negative=allow_negative)
    if kind == "npz":
        return npz.read_npz(path, allow_negative=allow_negative)
    if kind in ("parquet", "arrow"):
        return arrow.read_matrix(path, kind, allow_negative=allow_negative)
    if kind == "ciff":
        return ciff.read_ciff(path).numbered()[0]
    return jsonl.read_documents(path, allow_negative=allow_negative).matrix
