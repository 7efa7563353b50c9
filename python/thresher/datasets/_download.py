"""Downloads one file, going on where an earlier attempt has stopped if the server can do that.

A part is kept beside the target with what the server said identifies the file (its ETag or its
date). Only a part of the same file is gone on with; anything else starts anew.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPResponse

    Report = Callable[[int, int | None], object]

PAUSE = 1.0  # seconds before the second attempt, twice as many before each further one
_CHUNK = 1 << 20
_TIMEOUT = 60.0  # seconds without a byte
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class DownloadError(OSError):
    """A file could not be downloaded, or is not what the server announced."""


def download(url: str, target: Path, *, attempts: int = 5, report: Report | None = None) -> None:
    """Download `url` to `target`, which appears only when it is complete.

    Parameters
    ----------
    url
        An http or https address.
    target
        The file to create or replace.
    attempts
        How often in a row to try without a byte having come.
    report
        Called with bytes that are there, and how many there will be, None if that is not known.

    Raises
    ------
    DownloadError
        Naming the address and what went wrong.
    OSError
        If the file can't be written.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"url must be http or https, got {url!r}")
    part, mark = target.with_name(target.name + ".part"), target.with_name(target.name + ".part.id")
    failed = 0
    while True:
        before = _size(part)
        try:
            digest = _attempt(url, part, mark, report)
            break
        except (http.client.HTTPException, OSError) as error:
            if isinstance(error, HTTPError) and error.code < 500:
                raise DownloadError(f"{url}: {error.code} {error.reason}") from error
            failed = 1 if _size(part) > before else failed + 1
            if failed >= attempts:
                raise DownloadError(f"{url}: {error} ({_size(part)} bytes are kept in {part})") from error
        time.sleep(PAUSE * 2 ** (failed - 1))
    if digest is not None and digest != _md5(part):
        part.unlink()
        raise DownloadError(f"{url}: what came does not have the MD5 that the server announced; deleted")
    part.replace(target)
    mark.unlink(missing_ok=True)


def _attempt(url: str, part: Path, mark: Path, report: Report | None) -> bytes | None:
    """Download what is missing; return the MD5 that the server announces, if it does."""
    have = _size(part)
    known = mark.read_text() if mark.exists() else ""
    headers = {"Accept-Encoding": "identity"}
    if have and known:
        headers |= {"Range": f"bytes={have}-", "If-Range": known}
    else:
        have = 0
    try:
        response = urlopen(Request(url, headers=headers), timeout=_TIMEOUT)  # noqa: S310 - http only, checked above
    except HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        part.unlink()  # longer than the file, so not a part of it
        raise DownloadError(f"the part of {have} bytes is not one of the file; it is fetched anew") from error
    with response:
        start, total = _place(response)
        if start not in (0, have):
            part.unlink()
            raise DownloadError(f"asked for bytes from {have}, got them from {start}")
        identity = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        with part.open("ab" if start else "wb") as out:
            mark.write_text("" if identity.startswith("W/") else identity)
            there = start
            while chunk := response.read(_CHUNK):
                out.write(chunk)
                there += len(chunk)
                if report is not None:
                    report(there, total)
        if total is not None and there < total:
            raise DownloadError(f"the connection ended after {there} of {total} bytes")
        return _announced(response)


def _place(response: HTTPResponse) -> tuple[int, int | None]:
    """Return from which byte on the answer is, and how long the file."""
    if response.status == http.client.PARTIAL_CONTENT:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None:
            return -1, None
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length")
    return 0, None if length is None else int(length)


def _announced(response: HTTPResponse) -> bytes | None:
    """Return the MD5 of the whole file, which Google's storage sends with most files."""
    for value in response.headers.get_all("x-goog-hash") or []:
        for item in value.split(","):
            kind, _, digest = item.strip().partition("=")
            if kind == "md5":
                with contextlib.suppress(ValueError):
                    return base64.b64decode(digest)
    return None


def _md5(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
