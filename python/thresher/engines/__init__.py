"""The engines: one index class a file, over the core's engines of the same names.

``thresher.engines()`` lists them: the package is called as the function `thresher.engines.registry.engines`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thresher.engines.index import Index


class _Engines(ModuleType):
    """A package that can be called: a function of its name would hide it in `thresher`."""

    def __call__(self) -> dict[str, type[Index]]:
        """Return the engines of this library: their names, as in index files, and their classes."""
        from thresher.engines.registry import engines  # noqa: PLC0415 - which imports from this package

        return engines()


sys.modules[__name__].__class__ = _Engines
