from __future__ import annotations

import base64
import errno
import gzip
import hashlib
import http.server
import io
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPMessage
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from scipy import sparse

from thresher import FormatError, datasets
from thresher.datasets import _catalogue, _download
from thresher.formats import bigann

ROWS = 50


@dataclass
class Site:
    """What a server on this machine has, and how badly it behaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    etag: str | None = '"one"'
    cut_at: list[int] = field(default_factory=list)  # bytes of the next answers after which it hangs up
    fail: list[int] = field(default_factory=list)  # status of the next answers
    headers: dict[str, str] = field(default_factory=dict)
    claim: int = 0  # bytes announced beyond those there are
    shift: int = 0  # answers ranges from this many bytes later
    insists: str = ""  # "416", or "elsewhere": to a range, bytes from elsewhere, whatever is asked
    leads_to: str = ""
    length: str | None = None  # announced instead of the true one
    asked: list[str | None] = field(default_factory=list)  # the Range of each request
    address: str = ""


def handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.asked.append(wanted)
            body = site.files.get(self.path.rpartition("/")[2])
            if site.fail or body is None or len(site.asked) > 50:  # so that no loop of a client is endless
                self.send_error(site.fail.pop(0) if site.fail else 404)
                return
            led = site.leads_to and "/there/" not in self.path
            if site.insists == "416" or led:
                self.send_response(302 if led else 416)
                self.send_header("Location", site.leads_to)
                self.end_headers()
                return
            if site.insists == "elsewhere" and wanted:
                self.send_response(206)
                self.send_header("Content-Range", f"bytes 1-{len(body) - 1}/{len(body)}")
                self.end_headers()
                return
            start, total = 0, len(body)
            if wanted and site.ranges and self.headers.get("If-Range") == site.etag:
                start = int(wanted.removeprefix("bytes=").rstrip("-")) + site.shift
                if start >= total:
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{total}")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            else:
                self.send_response(200)
            if site.etag:
                self.send_header("ETag", site.etag)
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", site.length or str(total - start + site.claim))
            self.end_headers()
            cut = site.cut_at.pop(0) if site.cut_at else total
            self.wfile.write(body[start : start + cut])

    return Handler


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(_download, "PAUSE", 0.0)
    files = {name: file._replace(rows=ROWS) for name, file in _catalogue.FILES.items()}
    monkeypatch.setattr("thresher.datasets._fetch.FILES", files)
    site = Site()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(site)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        site.address = f"http://127.0.0.1:{server.server_port}/csr"
        yield site
        server.shutdown()
        thread.join()


def matrix(rows: int = ROWS) -> sparse.csr_array:
    return sparse.random_array((rows, 40), density=0.3, rng=np.random.default_rng(rows), format="csr", dtype=np.float32)


def csr_bytes(tmp_path: Path, rows: int = ROWS) -> bytes:
    bigann.write_csr(tmp_path / "made.csr", matrix(rows))
    return (tmp_path / "made.csr").read_bytes()


def truth_bytes(tmp_path: Path, rows: int = ROWS) -> bytes:
    ids = np.arange(rows * 10).reshape(rows, 10)
    bigann.write_ground_truth(tmp_path / "made.gt", ids, ids[:, ::-1].astype(np.float32))
    return (tmp_path / "made.gt").read_bytes()


@pytest.fixture
def plain(tmp_path: Path, site: Site) -> bytes:
    content = csr_bytes(tmp_path)
    site.files["base_small.csr.gz"] = gzip.compress(content)
    return content


def packed(site: Site) -> bytes:
    return site.files["base_small.csr.gz"]


def test_catalogue_is_that_of_the_track() -> None:
    assert {name: file.rows for name, file in _catalogue.FILES.items()} == {
        "base_small": 100_000,
        "base_1M": 1_000_000,
        "base_full": 8_841_823,
        "queries.dev": 6_980,
        "base_small.dev.gt": 6_980,
        "base_1M.dev.gt": 6_980,
        "base_full.dev.gt": 6_980,
    }
    assert _catalogue.FILES["base_full"].remote == "base_full.csr.gz"
    assert _catalogue.FILES["base_full.dev.gt"].remote == "base_full.dev.gt"


@pytest.mark.parametrize("ranges", [True, False])
def test_fetches_unpacks_and_records(tmp_path: Path, site: Site, plain: bytes, ranges: bool) -> None:
    site.ranges = ranges
    path = datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert path == tmp_path / "cache" / "base_small.csr"
    assert path.read_bytes() == plain
    record = (tmp_path / "cache" / "base_small.csr.sha256").read_text()
    assert record == f"{hashlib.sha256(plain).hexdigest()}  base_small.csr\n"
    assert sorted(file.name for file in path.parent.iterdir()) == ["base_small.csr", "base_small.csr.sha256"]
    assert bigann.read_csr(path).shape == (ROWS, 40)
    assert datasets.fetch("base_small", tmp_path / "cache", source=site.address) == path
    assert len(site.asked) == 1


def test_fetches_what_is_not_gzipped(tmp_path: Path, site: Site) -> None:
    site.files["base_small.dev.gt"] = truth_bytes(tmp_path)
    path = datasets.fetch("base_small.dev.gt", tmp_path / "cache", source=site.address)
    truth = bigann.read_ground_truth(path)
    assert truth.ids[1, 2] == 12
    assert truth.scores[1, 2] == 17.0


def test_unpacks_by_content_not_by_name(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.files["base_small.csr.gz"] = plain  # a server may unpack on its way
    path = datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert path.read_bytes() == plain


def test_a_cut_connection_is_gone_on_with(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.cut_at = [100, 50]
    path = datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert path.read_bytes() == plain
    assert site.asked == [None, "bytes=100-", "bytes=150-"]


def test_a_cut_connection_starts_anew_where_ranges_are_ignored(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.ranges = False
    site.cut_at = [100]
    path = datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert path.read_bytes() == plain
    assert site.asked == [None, "bytes=100-"]


def test_goes_on_in_a_later_call(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.cut_at = [100, *[0] * 10]
    with pytest.raises(datasets.DownloadError, match="100 bytes are kept in"):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert not (tmp_path / "cache" / "base_small.csr").exists()
    site.cut_at, site.asked = [], []
    path = datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert path.read_bytes() == plain
    assert site.asked == ["bytes=100-"]


@pytest.mark.parametrize("etag", ['"two"', None])
def test_a_part_of_another_file_is_not_gone_on_with(tmp_path: Path, site: Site, plain: bytes, etag: str | None) -> None:
    site.cut_at = [100, *[0] * 10]
    site.etag = '"one"' if etag else None
    with pytest.raises(datasets.DownloadError):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    other = csr_bytes(tmp_path, ROWS)[:-4] + np.float32(7).tobytes()
    site.cut_at, site.etag = [], etag
    site.files["base_small.csr.gz"] = gzip.compress(other)
    path = datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert path.read_bytes() == other


def test_a_part_longer_than_the_file_is_dropped(tmp_path: Path, site: Site, plain: bytes) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "base_small.csr.gz.part").write_bytes(b"x" * (len(packed(site)) + 5))
    (cache / "base_small.csr.gz.part.id").write_text('"one"')
    assert datasets.fetch("base_small", cache, source=site.address).read_bytes() == plain


def test_a_range_from_elsewhere_is_not_appended(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.cut_at = [100]
    site.shift = 3
    assert datasets.fetch("base_small", tmp_path / "cache", source=site.address).read_bytes() == plain


def test_errors_of_the_server_are_tried_again_those_of_the_name_not(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.fail = [503, 500]
    assert datasets.fetch("base_small", tmp_path / "cache", source=site.address).read_bytes() == plain
    site.asked = []
    with pytest.raises(datasets.DownloadError, match=r"base_1M\.csr\.gz: 404 .*\n.*give it as source"):
        datasets.fetch("base_1M", tmp_path / "cache", source=site.address)
    assert len(site.asked) == 1


def test_too_few_bytes_are_never_a_file(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.claim = 10
    site.ranges = False
    site.etag = None
    site.cut_at = [0, 0, 0, 0, 0]
    with pytest.raises(datasets.DownloadError, match=f"0 of {len(packed(site)) + 10} bytes"):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)


def test_an_announced_md5_is_compared(tmp_path: Path, site: Site, plain: bytes) -> None:
    right = base64.b64encode(hashlib.md5(packed(site)).digest()).decode()
    site.headers = {"x-goog-hash": f"crc32c=AAAAAA==,md5={base64.b64encode(bytes(16)).decode()}"}
    with pytest.raises(datasets.DownloadError, match="MD5"):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert not list((tmp_path / "cache").glob("*.csr*part"))
    site.headers = {"x-goog-hash": f"crc32c=AAAAAA==,md5={right}"}
    assert datasets.fetch("base_small", tmp_path / "cache", source=site.address).read_bytes() == plain


@pytest.mark.parametrize("insists", ["416", "elsewhere"])
@pytest.mark.parametrize("part", [0, 100])
def test_a_server_that_never_gives_what_is_asked_is_not_asked_for_ever(
    tmp_path: Path, site: Site, plain: bytes, insists: str, part: int
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "base_small.csr.gz.part").write_bytes(packed(site)[:part])
    (cache / "base_small.csr.gz.part.id").write_text('"one"')
    site.insists = insists
    site.cut_at = [100] * 100  # each time that it starts anew
    with pytest.raises(datasets.DownloadError):
        datasets.fetch("base_small", cache, source=site.address)
    assert len(site.asked) <= 10


@pytest.mark.parametrize("to", ["ftp://127.0.0.1:1/base_small.csr.gz", "file:///etc/hosts", "data:,text", "ssh://x/y"])
def test_redirects_lead_nowhere_but_to_the_web(tmp_path: Path, site: Site, plain: bytes, to: str) -> None:
    site.leads_to = to
    with pytest.raises(datasets.DownloadError, match=r"leads to|redirection|redirect"):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert len(site.asked) == 1


def test_redirects_in_a_circle_end(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.leads_to = f"{site.address}/base_small.csr.gz"
    with pytest.raises(datasets.DownloadError, match="302"):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert len(site.asked) <= 20


def test_a_redirect_on_the_web_is_followed(tmp_path: Path, site: Site, plain: bytes) -> None:
    site.leads_to = f"{site.address}/there/base_small.csr.gz"
    assert datasets.fetch("base_small", tmp_path / "cache", source=site.address).read_bytes() == plain


def test_no_redirect_leads_from_https_to_http() -> None:
    request = urllib.request.Request("https://127.0.0.1/x")
    with pytest.raises(datasets.DownloadError, match=r"leads to 'http://127\.0\.0\.1/y'"):
        _download._WebRedirects().redirect_request(request, io.BytesIO(), 302, "", HTTPMessage(), "http://127.0.0.1/y")


@pytest.mark.parametrize("length", ["junk", "-5", "1e3", "9" * 30])
def test_an_announced_length_that_is_none(tmp_path: Path, site: Site, plain: bytes, length: str) -> None:
    site.length = length
    with pytest.raises(datasets.DownloadError, match=f"announces a file of '{length}' bytes"):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)


def test_a_full_disk_while_unpacking_keeps_what_was_downloaded(
    tmp_path: Path, site: Site, plain: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    cache = tmp_path / "cache"
    with monkeypatch.context() as patched:
        patched.setattr("thresher.datasets._fetch.atomic_write", full)
        with pytest.raises(OSError, match="No space left"):
            datasets.fetch("base_small", cache, source=site.address)
    assert (cache / "base_small.csr.gz").read_bytes() == packed(site)
    assert datasets.fetch("base_small", cache, source=site.address).read_bytes() == plain
    assert len(site.asked) == 1
    assert sorted(path.name for path in cache.iterdir()) == ["base_small.csr", "base_small.csr.sha256"]


def test_a_disk_that_refuses_is_not_a_network_to_try_again(tmp_path: Path, site: Site, plain: bytes) -> None:
    cache = tmp_path / "cache"
    (cache / "base_small.csr.gz.part.id").mkdir(parents=True)  # can't be written to
    with pytest.raises(IsADirectoryError):
        datasets.fetch("base_small", cache, source=site.address)
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content[:-8], "damaged gzip file"),
        (lambda content: content[:40] + b"????" + content[44:], "damaged gzip file"),
        (lambda content: gzip.compress(gzip.decompress(content)[:-4]), "bytes unpacked, its header says"),
        (lambda content: gzip.compress(gzip.decompress(content) + b"1234"), "bytes unpacked, its header says"),
        (lambda content: gzip.compress(b""), "0 bytes unpacked"),
        (lambda content: b"<html>not here</html>", "bytes unpacked, its header says"),
    ],
)
def test_damaged_files_are_refused_and_fetched_anew(
    tmp_path: Path, site: Site, plain: bytes, spoil: Any, message: str
) -> None:
    good = packed(site)
    site.files["base_small.csr.gz"] = spoil(good)
    with pytest.raises(FormatError, match=message):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)
    assert list((tmp_path / "cache").iterdir()) == []
    site.files["base_small.csr.gz"] = good
    assert datasets.fetch("base_small", tmp_path / "cache", source=site.address).read_bytes() == plain


def test_another_number_of_rows_is_refused(tmp_path: Path, site: Site) -> None:
    site.files["base_small.csr.gz"] = gzip.compress(csr_bytes(tmp_path, 49))
    with pytest.raises(FormatError, match=r"49 rows, base_small\.csr has 50"):
        datasets.fetch("base_small", tmp_path / "cache", source=site.address)


def test_what_is_kept_is_compared_with_its_record(tmp_path: Path, site: Site, plain: bytes) -> None:
    path = datasets.fetch("base_small", tmp_path, source=site.address)
    path.write_bytes(plain[:-4] + np.float32(9).tobytes())
    with pytest.raises(FormatError, match="its SHA-256 is"):
        datasets.fetch("base_small", tmp_path, source=site.address)
    assert datasets.fetch("base_small", tmp_path, source=site.address, verify=False) == path


def test_a_file_put_there_by_hand_is_recorded_once_it_fits(tmp_path: Path, site: Site, plain: bytes) -> None:
    (tmp_path / "base_small.csr").write_bytes(plain[:-4])
    with pytest.raises(FormatError, match="header says"):
        datasets.fetch("base_small", tmp_path, source=site.address)
    (tmp_path / "base_small.csr").write_bytes(plain)
    datasets.fetch("base_small", tmp_path, source=site.address)
    assert hashlib.sha256(plain).hexdigest() in (tmp_path / "base_small.csr.sha256").read_text()
    assert site.asked == []


def test_a_folder_as_source(tmp_path: Path, site: Site, plain: bytes) -> None:
    given, cache = tmp_path / "given", tmp_path / "cache"
    given.mkdir()
    with pytest.raises(FileNotFoundError, match=r"given/base_small\.csr nor .*given/base_small\.csr\.gz"):
        datasets.fetch("base_small", cache, source=given)
    (given / "base_small.csr.gz").write_bytes(packed(site))
    assert datasets.fetch("base_small", cache, source=given) == cache / "base_small.csr"
    assert (cache / "base_small.csr").read_bytes() == plain
    assert (given / "base_small.csr.gz").exists()
    (given / "queries.dev.csr").write_bytes(plain)
    (given / "base_small.dev.gt").write_bytes(truth_bytes(tmp_path))
    docs, queries, truth = datasets.fetch_track("base_small", cache, source=given)
    assert (docs.parent, queries.parent, truth.name) == (cache, given, "base_small.dev.gt")
    (given / "queries.dev.csr").write_bytes(plain[:-1])
    with pytest.raises(FormatError, match=r"given/queries\.dev\.csr"):
        datasets.fetch("queries.dev", cache, source=given)
    assert site.asked == []


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: Site, plain: bytes) -> None:
    for name in ("THRESHER_DATASETS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert datasets.cache_folder() == tmp_path / ".cache" / "thresher" / "datasets"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert datasets.cache_folder() == tmp_path / "xdg" / "thresher" / "datasets"
    monkeypatch.setenv("THRESHER_DATASETS", str(tmp_path / "here"))
    assert datasets.cache_folder() == tmp_path / "here"
    assert datasets.fetch("base_small", source=site.address) == tmp_path / "here" / "base_small.csr"


def test_progress(
    tmp_path: Path, site: Site, plain: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tqdm")
    site.cut_at = [100]
    datasets.fetch("base_small", tmp_path, source=site.address, progress=True)
    assert "100%" in capsys.readouterr().err
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"\.\[cli\]"):
        datasets.fetch("base_small", tmp_path, source=site.address, progress=True)


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"name must be one of base_small, .*, got 'base_2M'"):
        datasets.fetch("base_2M", tmp_path)
    with pytest.raises(ValueError, match=r"name must be one of base_small, .*, got 'queries.dev'"):
        datasets.fetch_track("queries.dev", tmp_path)
    with pytest.raises(ValueError, match="url must be http or https, got 'file:///etc/hosts'"):
        _download.download("file:///etc/hosts", tmp_path / "x")


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "PAUSE", 0.0)
    with pytest.raises(datasets.DownloadError, match=r"base_small was looked for as .*base_small\.csr; where there is"):
        datasets.fetch("base_small", tmp_path, source="http://127.0.0.1:1/csr")
