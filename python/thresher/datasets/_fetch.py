"""Gets the track's files: from a cache, from a folder that holds them, or from the network."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thresher import FormatError
from thresher._extras import required
from thresher.datasets._catalogue import ADDRESS, FILES, TRACKS, RemoteFile
from thresher.datasets._download import DownloadError, download
from thresher.formats._atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "THRESHER_DATASETS"
_CHUNK = 1 << 20
_HEADER = 24  # bytes that say how long a file is


def cache_folder() -> Path:
    """Return where files are kept unless told otherwise.

    Returns
    -------
    pathlib.Path
        What the environment variable THRESHER_DATASETS says, or else ``thresher/datasets`` in
        XDG_CACHE_HOME, or in ``~/.cache``. It need not exist.
    """
    if told := os.environ.get(VARIABLE):
        return Path(told)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "thresher" / "datasets"


def fetch(
    name: str,
    folder: str | os.PathLike[str] | None = None,
    *,
    source: str | os.PathLike[str] = ADDRESS,
    progress: bool = False,
    verify: bool = True,
) -> Path:
    """Return the path of one of the track's files, unpacked, after fetching it if need be.

    Nothing publishes checksums of these files. What is checked at the first time is the length
    that the server announces, its MD5 if it sends one, the checksum inside a gzip file, and that
    the header names the right number of rows and the file's own size. Then the SHA-256 of the
    unpacked file is recorded beside it (``<file>.sha256``, as sha256sum writes it), and compared
    every time afterwards.

    Parameters
    ----------
    name
        ``base_small``, ``base_1M`` or ``base_full`` (documents), ``queries.dev``, or a ground
        truth: ``base_small.dev.gt``, ``base_1M.dev.gt``, ``base_full.dev.gt``.
    folder
        Where files are kept, by default `cache_folder`. Created if it is not there.
    source
        Another http address with the same names, or a folder that holds the files, unpacked or
        gzipped, from which they are then read without a network.
    progress
        Show a progress bar, which needs tqdm: the extra ``cli`` brings it.
    verify
        Compare a file that is there with its recorded checksum, which reads all of it.

    Returns
    -------
    pathlib.Path
        In `folder`; or in `source`, if that is a folder with the unpacked file.

    Raises
    ------
    ValueError
        If there is no such name.
    FileNotFoundError
        If `source` is a folder without the file. It says what was looked for.
    OSError
        If the file can't be downloaded or written. A download that was cut goes on from there when
        `fetch` is called again, and one that could not be unpacked for want of room is unpacked again.
    thresher.FormatError
        If a file does not have the content or the checksum that it must have.
    ImportError
        If `progress` is asked for without tqdm.
    """
    if name not in FILES:
        raise ValueError(f"name must be one of {', '.join(FILES)}, got {name!r}")
    file = FILES[name]
    bar = _progress_bar() if progress else None
    target = (cache_folder() if folder is None else Path(folder)) / file.local
    remote = str(source).startswith(("http://", "https://"))
    if target.exists():
        return _verified(target, file) if verify else target
    if not remote:
        return _from_folder(Path(source), target, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    packed = target.with_name(file.remote)
    url = f"{str(source).rstrip('/')}/{file.remote}"
    arrived = packed if packed != target else target.with_name(target.name + ".fetched")
    if not arrived.exists():
        try:
            _download(url, arrived, file.remote, bar)
        except DownloadError as error:
            raise DownloadError(
                f"{error}\n{name} was looked for as {target}; where there is no network, put {file.local} or "
                f"{file.remote} in a folder and give it as source"
            ) from error
    try:
        _place(arrived, target, file)
    except FormatError:
        arrived.unlink()  # so that it is fetched anew; after any other error it is unpacked again
        raise
    arrived.unlink()
    return target


def fetch_track(
    name: str,
    folder: str | os.PathLike[str] | None = None,
    *,
    source: str | os.PathLike[str] = ADDRESS,
    progress: bool = False,
    verify: bool = True,
) -> tuple[Path, Path, Path]:
    """Return documents, queries and ground truth of one size of the track.

    Parameters
    ----------
    name
        ``base_small``, ``base_1M`` or ``base_full``.
    folder, source, progress, verify
        As for `fetch`.

    Returns
    -------
    tuple of pathlib.Path
        Two ``.csr`` files and a ``.gt`` file, for `formats.bigann`.

    Raises
    ------
    ValueError, OSError, thresher.FormatError, ImportError
        As for `fetch`.
    """
    if name not in TRACKS:
        raise ValueError(f"name must be one of {', '.join(TRACKS)}, got {name!r}")
    documents, queries, truth = (
        fetch(part, folder, source=source, progress=progress, verify=verify) for part in TRACKS[name]
    )
    return documents, queries, truth


def _from_folder(folder: Path, target: Path, file: RemoteFile) -> Path:
    plain, packed = folder / file.local, folder / f"{file.local}.gz"
    if plain.exists():
        _check_file(plain, file)
        return plain
    if not packed.exists():
        raise FileNotFoundError(f"neither {plain} nor {packed} is there")
    target.parent.mkdir(parents=True, exist_ok=True)
    _place(packed, target, file)
    return target


def _place(arrived: Path, target: Path, file: RemoteFile) -> None:
    """Unpack a file if it is gzipped, check it, record its checksum, and give it its name."""
    digest = hashlib.sha256()
    with arrived.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if zipped else open)(arrived, "rb") as unpacked, atomic_write(target) as out:
            start, size = b"", 0
            while chunk := unpacked.read(_CHUNK):
                start = start or chunk[:_HEADER]
                size += len(chunk)
                digest.update(chunk)
                out.write(chunk)
            _check(start, size, file, arrived)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{arrived}: damaged gzip file: {error}") from error
    _write_record(target, digest.hexdigest())


def _verified(target: Path, file: RemoteFile) -> Path:
    _check_file(target, file)
    record = _record(target)
    with target.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if not record.exists():
        _write_record(target, digest)
    elif record.read_bytes().split()[:1] != [digest.encode()]:
        raise FormatError(f"{target}: its SHA-256 is {digest}, not the one in {record}; delete both to fetch it anew")
    return target


def _check_file(path: Path, file: RemoteFile) -> None:
    with path.open("rb") as opened:
        _check(opened.read(_HEADER), opened.seek(0, os.SEEK_END), file, path)


def _check(start: bytes, size: int, file: RemoteFile, path: Path) -> None:
    """Check the size of a file against its header, and the rows that this says."""
    if file.local.endswith(".gt"):
        header = struct.unpack("<2I", start[:8]) if len(start) >= 8 else ()
        expected = 8 + 8 * header[0] * header[1] if header else 8
    else:
        header = struct.unpack("<3q", start[:24]) if len(start) >= 24 else ()
        expected = 24 + 8 * (header[0] + 1) + 8 * header[2] if header else 24
    if size != expected:
        raise FormatError(f"{path}: {size} bytes unpacked, its header says {expected}")
    if header[0] != file.rows:
        raise FormatError(f"{path}: {header[0]} rows, {file.local} has {file.rows}")


def _record(target: Path) -> Path:
    return target.with_name(target.name + ".sha256")


def _write_record(target: Path, digest: str) -> None:
    with atomic_write(_record(target)) as out:
        out.write(f"{digest}  {target.name}\n".encode())


def _progress_bar() -> Callable[..., Any]:
    bar: Callable[..., Any] = required("tqdm.auto", "a progress bar needs tqdm", "cli").tqdm
    return bar


def _download(url: str, target: Path, label: str, bar: Callable[..., Any] | None) -> None:
    if bar is None:
        download(url, target)
        return
    with bar(desc=label, unit="B", unit_scale=True, unit_divisor=1024) as shown:

        def report(there: int, total: int | None) -> None:
            shown.total = total
            shown.update(there - shown.n)

        download(url, target, report=report)
