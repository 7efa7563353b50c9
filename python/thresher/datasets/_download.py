"""Downloads one file, going on where an earlier attempt has stopped if the server can do that.

A part is kept beside the target with what the server said identifies the file (its ETag or its
date). Only a part of the same file is gone on with; anything else starts anew. Whatever a server
answers, it is asked a bounded number of times: an attempt counts as one more in vain unless more of
the file is there after it than ever before.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import re
import time
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn
from urllib.error import HTTPError

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPMessage, HTTPResponse

    Report = Callable[[int, int | None], object]

PAUSE = 1.0  # seconds before the second attempt, twice as many before each further one
_CHUNK = 1 << 20
_TIMEOUT = 60.0  # seconds without a byte
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")


class DownloadError(OSError):
    """A file could not be downloaded, or is not what the server announced."""


class _InVainError(Exception):
    """An attempt has failed in a way that another one may not."""


def download(url: str, target: Path, *, attempts: int = 5, report: Report | None = None) -> None:
    """Download `url` to `target`, which appears only when it is complete.

    Parameters
    ----------
    url
        An http or https address.
    target
        The file to create or replace.
    attempts
        How often in a row to try without more of the file having come.
    report
        Called with bytes that are there, and how many there will be, None if that is not known.

    Raises
    ------
    DownloadError
        Naming the address and what went wrong.
    OSError
        If the file can't be written.
    """
    if not _is_web(url):
        raise ValueError(f"url must be http or https, got {url!r}")
    part, mark = target.with_name(target.name + ".part"), target.with_name(target.name + ".part.id")
    failed, most = 0, _size(part)
    while True:
        try:
            digest = _attempt(url, part, mark, report)
            break
        except _InVainError as error:
            failed = 1 if _size(part) > most else failed + 1
            most = max(most, _size(part))
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
    known = mark.read_bytes().decode("latin-1") if have and mark.exists() else ""  # as headers are
    if not known or not known.isprintable():
        have = 0
    response = _asked(url, have, known, part)
    with response:
        start, total = _place(url, response)
        if start not in (0, have):
            part.unlink(missing_ok=True)
            raise _InVainError(f"asked for bytes from {have}, got them from {start}")
        identity = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        with part.open("ab" if start else "wb") as out:
            mark.write_bytes(b"" if identity.startswith("W/") else identity.encode("latin-1", "replace"))
            there = start
            while chunk := _read(response):
                out.write(chunk)
                there += len(chunk)
                if report is not None:
                    report(there, total)
        if total is not None and there < total:
            raise _InVainError(f"the connection ended after {there} of {total} bytes")
        if total is not None and there > total:
            part.unlink()
            raise _InVainError(f"{there} bytes came of a file of {total}")
        return _announced(response)


def _asked(url: str, have: int, known: str, part: Path) -> HTTPResponse:
    """Return the server's answer to a request for what is missing."""
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": known}
    try:
        answer: HTTPResponse = _opener().open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)  # noqa: S310 - http only
    except HTTPError as error:
        with error:
            if have and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink()  # longer than the file, so not a part of it
                raise _InVainError(f"the part of {have} bytes is not one of the file") from error
            if error.code >= 500:
                raise _InVainError(str(error)) from error
            raise DownloadError(f"{url}: {error.code} {error.reason}") from error
    except DownloadError:
        raise
    except (http.client.HTTPException, OSError) as error:
        raise _InVainError(str(error)) from error
    except ValueError as error:  # of an address that was led to
        raise DownloadError(f"{url}: {error}") from error
    return answer


def _read(response: HTTPResponse) -> bytes:
    """Return some of what comes, nothing at the end; errors of the network only, not of the disk."""
    try:
        return response.read(_CHUNK)
    except (http.client.HTTPException, OSError, ValueError) as error:  # the last of junk between chunks
        raise _InVainError(f"the connection ended: {error}") from error


class _WebRedirects(urllib.request.HTTPRedirectHandler):
    """Goes where a server leads, but not away from http and https, nor from https to http."""

    def redirect_request(  # noqa: PLR0917 - as the standard library has it
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request to go on with."""
        if not _is_web(newurl) or (_is_web(req.full_url, ("https://",)) and not _is_web(newurl, ("https://",))):
            _refuse(f"{req.full_url}: leads to {newurl!r}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refuse(message: str) -> NoReturn:
    raise DownloadError(message)


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens http and https addresses and nothing else."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _WebRedirects(),
    ):
        opener.add_handler(handler)
    return opener


def _is_web(url: str, schemes: tuple[str, ...] = ("http://", "https://")) -> bool:
    return url.lower().startswith(schemes)


def _place(url: str, response: HTTPResponse) -> tuple[int, int | None]:
    """Return from which byte on the answer is, and how long the file."""
    if response.status == http.client.PARTIAL_CONTENT:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None:
            return -1, None
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length")
    if length is None:
        return 0, None
    if not re.fullmatch(r"[0-9]{1,18}", length.strip()):
        _refuse(f"{url}: the server announces a file of {length!r} bytes")
    return 0, int(length)


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
