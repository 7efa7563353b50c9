"""What a method's `**options` take, written out in its signature and documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from thresher.engines.options import DEFAULTS

_HOLE = "\n**options\n"


class Options(NamedTuple):
    """What a method's `**options` are."""

    common: type
    """The TypedDict of what all engines take."""
    all: type
    """The engine's, derived from it."""
    params: Callable[[], object] | None
    """What makes the core's struct of the engine's own, with its defaults."""

    def defaults(self) -> dict[str, object]:
        """Return the core's defaults of the engine's own."""
        made = self.params() if self.params is not None else None
        return {name: getattr(made, name) for name in self.all.__annotations__ if hasattr(made, name)}


def write_out(method: Callable[..., Any], template: str, options: Options, *, own_defaults: bool) -> None:
    """Give a method a signature and a documentation that name what its `**options` take.

    Parameters
    ----------
    method
        Its last parameter is ``**options``; one that has no such is left alone.
    template
        Documentation with a ``**options`` parameter, whose place the options take. Its sections, without examples,
        are added to a `method` that has only a summary.
    options
        The "Attributes" in the documentation of the TypedDicts are the options.
    own_defaults
        Whether an index has defaults of its own: the signature has None then, and the documentation the library's.
    """
    signature = inspect.signature(method)
    parameters = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    if len(parameters) == len(signature.parameters):
        return  # a method that names its options itself
    defaults = options.defaults()
    if method.__doc__ is not None:  # as it is under -OO
        method.__doc__ = _written_out(
            inspect.cleandoc(method.__doc__), template, options, defaults if own_defaults else {}
        )
    parameters += [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=DEFAULTS.get(name) if own_defaults else defaults.get(name, DEFAULTS.get(name)),
            annotation=getattr(kind, "__forward_arg__", kind),
        )
        for name, kind in options.all.__annotations__.items()
    ]
    method.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]


def _written_out(text: str, template: str, options: Options, library: Mapping[str, object]) -> str:
    if _HOLE not in text:
        sections = template[template.index("Parameters\n---") :]
        text += "\n\n" + sections.partition("\n\nExamples\n---")[0]
    before, _, behind = text.partition(_HOLE)
    entries = [entry for one in dict.fromkeys((options.common, options.all)) for entry in _attributes(one, library)]
    return "\n".join([before, *entries]) + behind[behind.index("\n\nReturns\n---") :]


def _attributes(options: type, library: Mapping[str, object]) -> Iterator[str]:
    """Yield the entries of a documentation's "Attributes", with the library's defaults."""
    section = inspect.cleandoc(options.__doc__ or "").partition("Attributes\n----------\n")[2]
    for name, text in re.findall(r"^(\w+)\n((?:    .*\n?)+)", section, re.MULTILINE):
        entry = f"{name}\n{text}".rstrip()
        if name in library:
            default = library[name]
            shown = f'``"{default}"``' if isinstance(default, str) else f"{default:g}"
            entry += f"\n    Library default: {shown}."
        yield entry


def documentation_of(cls: type) -> dict[str, str]:
    """Return what the documentation of the methods says that take options, before these are written out."""
    return {name: inspect.getdoc(getattr(cls, name)) or "" for name in ("build", "search", "search_one")}


def write_out_methods(cls: type, documentation: Mapping[str, str], build: Options, search: Options) -> None:
    """Write out the options of a class's own methods, in what `documentation_of` returned of the base of all."""
    for name, common in documentation.items():
        method = vars(cls).get(name)
        if isinstance(method, classmethod):
            write_out(method.__func__, common, build, own_defaults=False)
        elif method is not None:
            write_out(method, common, search, own_defaults=True)
