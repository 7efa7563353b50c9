"""One answer on every instruction set: the same hits and the same index files, byte for byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import thresher
from helpers import run_python
from thresher import _core

ISAS = ("scalar", "avx2", "avx512")

# Prints the instruction set in use and a digest of files and hits; writes an index file for each engine.
DIGEST = """
import hashlib, sys
from pathlib import Path
import numpy as np
import thresher
from strategies import learned
from thresher import _core

digest = hashlib.sha256()
for name, engine in sorted(thresher.engines().items()):
    for weights in (np.float16, np.float32):
        case = learned(1000, 50, seed=4)
        data = case.docs.data.astype(weights).astype(np.float32)
        index = engine.build((case.docs.indptr, case.docs.indices, data), shape=case.docs.shape)
        path = Path(sys.argv[1]) / f"{name}-{np.dtype(weights)}.thresher"
        index.save(path)
        digest.update(path.read_bytes())
        queries = case.queries
        flipped = np.where(np.arange(queries.data.size) % 4 == 0, -queries.data, queries.data)
        for data in (queries.data, flipped):
            for k in (1, 10, 777):
                asked = queries.indptr, queries.indices, data
                hits = thresher.open(path).search(asked, k, shape=queries.shape)
                digest.update(hits.ids.tobytes())
                digest.update(hits.scores.tobytes())
print(_core.isa(), digest.hexdigest())
"""


@pytest.fixture(scope="module")
def best() -> str:
    """The best instruction set of this machine."""
    done = run_python("from thresher import _core; print(_core.isa())")
    assert done.stderr == ""
    isa = done.stdout.strip()
    assert isa in ISAS
    return isa


def test_every_one_gives_the_same_bytes(best: str, tmp_path: Path) -> None:
    digests = set()
    for isa in ISAS:
        (tmp_path / isa).mkdir()
        done = run_python(DIGEST, tmp_path / isa, THRESHER_ISA=isa)
        assert done.stderr == ""
        used, digest = done.stdout.split()
        assert used == min(isa, best, key=ISAS.index)  # narrows, never widens
        digests.add(digest)
        assert len(list((tmp_path / isa).iterdir())) == 2 * len(thresher.engines())
    assert len(digests) == 1


def test_an_empty_choice_is_none(best: str) -> None:
    done = run_python("from thresher import _core; print(_core.isa())", THRESHER_ISA="")
    assert (done.stdout, done.stderr) == (f"{best}\n", "")


@pytest.mark.kernels
def test_this_process_uses_what_it_was_asked_for(best: str) -> None:
    wanted = os.environ.get("THRESHER_ISA") or best
    assert _core.isa() == min(wanted, best, key=ISAS.index)


# Each is a first use of the kernels, in a process of its own.
FIRST_USES = {
    "isa": "from thresher import _core; _core.isa()",
    "build and search": """
import scipy.sparse, thresher
docs = scipy.sparse.csr_array([[1.0, 2.0], [0.5, 0.1]])
thresher.ExactIndex.build(docs).search(docs)
""",
    "save": """
import sys, scipy.sparse, thresher
thresher.ExactIndex.build(scipy.sparse.csr_array([[1.0, 2.0]])).save(sys.argv[1])
""",
    "open": "import sys, thresher; thresher.open(sys.argv[1])",
    "open unverified": "import sys, thresher; thresher.open(sys.argv[1], verify=False)",
    "describe": "import sys, thresher; thresher.describe(sys.argv[1])",
    "empty": """
import scipy.sparse, thresher
docs = scipy.sparse.csr_array((0, 0), dtype="float32")
index = thresher.ExactIndex.build(docs)
index.search(docs)
index.vectors([])
index.save("/dev/null/nowhere")
""",
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "docs.thresher"
    assert run_python(FIRST_USES["save"], path).stderr == ""
    return path.rename(path.with_suffix(".saved"))


FOREIGN = [*((use, "foo") for use in FIRST_USES), *(("isa", isa) for isa in ("AVX2", "avx2 ", "avx"))]


@pytest.mark.parametrize(("use", "isa"), FOREIGN)
def test_a_foreign_value_is_named(use: str, isa: str, saved: Path) -> None:
    done = run_python(FIRST_USES[use], saved, THRESHER_ISA=isa)
    assert done.returncode == 1, done.stderr
    last = done.stderr.rstrip().splitlines()[-1]
    assert last.startswith(("ValueError: ", "ImportError: "))
    assert f"THRESHER_ISA must be scalar, avx2 or avx512, got '{isa}'" in last
