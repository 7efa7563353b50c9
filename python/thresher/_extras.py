"""How to get what is missing: nothing is published, so that an extra is installed from a checkout or a wheel."""

from __future__ import annotations

import importlib
from typing import Any


def missing(what: str, extra: str) -> str:
    """Return a line that says which extra brings what is missing, and how to install it.

    Parameters
    ----------
    what
        Such as "CIFF files need protobuf".
    extra
        The extra of this package that brings it.
    """
    return (
        f'{what}, which the extra "{extra}" brings: pip install ".[{extra}]" in a checkout of thresher, '
        f'or pip install "WHEEL[{extra}]" with the path of a wheel'
    )


def required(module: str, what: str, extra: str) -> Any:  # noqa: ANN401 - a module
    """Return a module, or raise ImportError with the line of `missing`."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ImportError(missing(what, extra)) from None
