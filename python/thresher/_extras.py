"""How to get what is missing: nothing is published, so that an extra is installed from a checkout or a wheel."""

from __future__ import annotations


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
