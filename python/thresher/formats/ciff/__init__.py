"""The Common Index File Format, in which Anserini, PISA, BMP and other engines exchange inverted indexes.

A file is a sequence of protobuf messages, each behind its length as a varint: a header, a posting
list for each term, a record for each document. A posting is a gap between document numbers (the
first is the number itself) and a *tf*, a whole number > 0 that here is an impact. Numbers of
documents are 0 to n - 1.

Reading takes one pass, about 30 bytes a posting and the longest list as protobuf objects; what the
header claims is believed only as far as the file bears it out. Writing takes two passes over the
documents and 5 to 8 bytes a posting. Both take about half a microsecond a posting.

References
----------
Lin et al.: *Supporting Interoperability Between Open-Source Search Engines with the Common Index
File Format*, SIGIR 2020.
"""

from __future__ import annotations

from thresher.formats.ciff._contents import Progress
from thresher.formats.ciff._reading import Ciff, CiffArrays, read_ciff, read_ciff_arrays
from thresher.formats.ciff._writing import BITS, write_ciff

__all__ = ["BITS", "Ciff", "CiffArrays", "Progress", "read_ciff", "read_ciff_arrays", "write_ciff"]
