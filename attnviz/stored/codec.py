"""Records taken apart into what JSON can hold and arrays, and put together again.

What goes where follows from the types that the records declare, and reading checks every value against
them: whatever a file says, what comes out is of the declared types. Equal axes are kept once.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from attnviz.captures import Axis, LayerMaps, Layers

Plain = Any  # what JSON can hold

_INTEGERS = range(-(1 << 63), 1 << 63)


@dataclass
class Taken:
    """What a record is taken apart into, besides its JSON: arrays by name, and axes by what they are."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    axes: dict[Axis, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """What a record is put together from, besides its JSON."""

    array: Callable[[str], NDArray[Any]]
    axes: list[Axis]


class Codec(NamedTuple):
    """How values of one type are taken apart and put together.

    apart:    the value, a name for the arrays in it, and where these go; gives what JSON can hold
    together: what JSON held, and the parts beside it; raises ValueError, TypeError or KeyError for what is no
              such value
    """

    apart: Callable[[Any, str, Taken], Plain]
    together: Callable[[Plain, Parts], Any]


@cache
def codec(hint: Any) -> Codec:  # noqa: PLR0911 (a table of types)
    """How values with this type annotation are kept; axes are kept as their number."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Axis:
        return _AXIS
    if hint is Layers:
        return _LAYERS
    if isinstance(hint, type) and is_dataclass(hint):
        return record(hint)
    if hasattr(hint, "_fields"):
        return _named(hint)
    if origin in (Union, UnionType):
        (present,) = (codec(one) for one in inner if one is not NoneType)
        return _optional(present)
    if origin is Literal:
        return _one_of(inner)
    if origin is np.ndarray:
        return _array(np.dtype(get_args(inner[1])[0]))
    if origin is tuple:
        return _many(codec(inner[0])) if inner[-1] is ... else _fixed([codec(one) for one in inner])
    if origin is not None and issubclass(origin, Mapping):
        return _table(codec(inner[1]))
    return _scalar(hint)


@cache
def record(kind: Any) -> Codec:
    """A record with named fields and no others; one with a default may be missing, as it was once unknown."""
    hints = get_type_hints(kind)
    codecs = {name: codec(hint) for name, hint in hints.items()}
    needed = {
        entry.name for entry in fields(kind) if entry.default is MISSING and entry.default_factory is MISSING
    }

    def apart(value: Any, name: str, taken: Taken) -> Plain:
        return {
            entry: one.apart(getattr(value, entry), f"{name}/{entry}", taken) for entry, one in codecs.items()
        }

    def together(plain: Plain, parts: Parts) -> Any:
        if not isinstance(plain, dict) or not needed <= plain.keys() <= codecs.keys():
            raise ValueError(f"a {kind.__name__} has {', '.join(codecs)}")
        return kind(**{entry: codecs[entry].together(value, parts) for entry, value in plain.items()})

    return Codec(apart, together)


def _many(one: Codec) -> Codec:
    def apart(values: Any, name: str, taken: Taken) -> Plain:
        return [one.apart(value, f"{name}/{place}", taken) for place, value in enumerate(values)]

    def together(plain: Plain, parts: Parts) -> Any:
        return tuple([one.together(value, parts) for value in _listed(plain)])

    return Codec(apart, together)


def _fixed(codecs: list[Codec]) -> Codec:
    """A tuple of as many values, each of its own type."""

    def apart(values: Any, name: str, taken: Taken) -> Plain:
        return [
            one.apart(value, f"{name}/{place}", taken)
            for place, (one, value) in enumerate(zip(codecs, values, strict=True))
        ]

    def together(plain: Plain, parts: Parts) -> Any:
        return tuple([one.together(value, parts) for one, value in zip(codecs, _listed(plain), strict=True)])

    return Codec(apart, together)


def _named(kind: Any) -> Codec:
    """A named tuple, without its names."""
    plain = _fixed([codec(hint) for hint in get_type_hints(kind).values()])
    return Codec(plain.apart, lambda values, parts: kind(*plain.together(values, parts)))


def _table(one: Codec) -> Codec:
    def apart(values: Any, name: str, taken: Taken) -> Plain:
        return {key: one.apart(value, f"{name}/{key}", taken) for key, value in values.items()}

    def together(plain: Plain, parts: Parts) -> Any:
        if not isinstance(plain, dict):
            raise TypeError("a table was expected")
        return {key: one.together(value, parts) for key, value in plain.items()}

    return Codec(apart, together)


def _optional(present: Codec) -> Codec:
    return Codec(
        lambda value, name, taken: None if value is None else present.apart(value, name, taken),
        lambda plain, parts: None if plain is None else present.together(plain, parts),
    )


def _one_of(values: tuple[Any, ...]) -> Codec:
    def together(plain: Plain, _: Parts) -> Any:
        if plain not in values:
            raise ValueError(f"one of {values} was expected")
        return plain

    return Codec(lambda value, *_: value, together)


def _scalar(kind: type) -> Codec:
    """A string, a truth value, a finite number, or an integer of 64 bits."""
    if kind not in (str, bool, int, float):
        raise TypeError(f"no way is known to keep a {kind}")

    def together(plain: Plain, _: Parts) -> Any:
        if type(plain) is not kind or (kind is int and plain not in _INTEGERS):
            raise TypeError(f"a value of type {kind.__name__} was expected")
        return plain

    return Codec(lambda value, *_: kind(value), together)


def _array(dtype: np.dtype[Any]) -> Codec:
    def apart(array: Any, name: str, taken: Taken) -> Plain:
        taken.arrays[name] = np.asarray(array, dtype)
        return name

    def together(plain: Plain, parts: Parts) -> Any:
        array = parts.array(plain)
        if array.dtype != dtype:
            raise TypeError(f"{plain} is of type {array.dtype} and not {dtype}")
        return array

    return Codec(apart, together)


def _listed(plain: Plain) -> list[Plain]:
    if not isinstance(plain, list):
        raise TypeError("a list was expected")
    return plain


def _axis_apart(axis: Any, _: str, taken: Taken) -> Plain:
    return taken.axes.setdefault(axis, len(taken.axes))


def _axis_together(plain: Plain, parts: Parts) -> Axis:
    if type(plain) is not int or not 0 <= plain < len(parts.axes):
        raise ValueError(f"there is no axis {plain}")
    return parts.axes[plain]


def _layers_apart(layers: Any, name: str, taken: Taken) -> Plain:
    return [codec(LayerMaps).apart(maps, f"{name}/{maps.name}", taken) for maps in layers]


def _layers_together(plain: Plain, parts: Parts) -> Layers:
    return Layers(codec(LayerMaps).together(maps, parts) for maps in _listed(plain))


_AXIS = Codec(_axis_apart, _axis_together)
_LAYERS = Codec(_layers_apart, _layers_together)
