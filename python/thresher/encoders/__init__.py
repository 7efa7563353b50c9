"""From text to sparse vectors: encoders behind one protocol, `Encoder`.

What an encoder needs beside numpy and scipy is imported when it is made; what is missing is an ImportError that names
the extra.
"""

from __future__ import annotations

from thresher.encoders.encoder import Encoder

__all__ = ["Encoder"]
