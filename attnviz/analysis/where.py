"""Conditions such as ``induction>0.4 and layer<6``: a small grammar of its own, nothing is evaluated as code.

    condition  = both { "or" both }
    both       = plain { "and" plain }
    plain      = "not" plain | "(" condition ")" | comparison
    comparison = name ("<" | "<=" | ">" | ">=" | "=" | "!=") value

A value is a number; where the name stands for a word (``pattern="previous"``) a word, quoted or not, which is
equal or is not. A comparison with a number that is missing (NaN) is false whatever the operator, ``!=``
included; so ``not`` of one is true.
"""

import math
import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple, NoReturn, Protocol

from attnviz.errors import UsageError
from attnviz.inputs import printable

Value = float | str
Values = Mapping[str, Value]
DEEPEST = 50  # brackets and "not" within each other


class Condition(Protocol):
    """Something that holds, or does not, of values by their names."""

    def holds(self, values: Values) -> bool: ...

    def names(self) -> tuple[str, ...]:
        """The names that it speaks of, in order."""
        ...

    def compared(self, name: str) -> tuple[Value, ...]:
        """What a name is compared with, in order."""
        ...


@dataclass(frozen=True)
class Comparison:
    """One name compared with a number or a word."""

    name: str
    sign: str
    value: Value

    def holds(self, values: Values) -> bool:
        found = values[self.name]
        if isinstance(found, float) and math.isnan(found):
            return False
        return bool(_SIGNS[self.sign](found, self.value))

    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def compared(self, name: str) -> tuple[Value, ...]:
        return (self.value,) if name == self.name else ()


@dataclass(frozen=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Condition, ...]

    def holds(self, values: Values) -> bool:
        return all(part.holds(values) for part in self.parts)

    def names(self) -> tuple[str, ...]:
        return _names(self.parts)

    def compared(self, name: str) -> tuple[Value, ...]:
        return tuple(value for part in self.parts for value in part.compared(name))


@dataclass(frozen=True)
class AnyOf:
    """One of the parts holds."""

    parts: tuple[Condition, ...]

    def holds(self, values: Values) -> bool:
        return any(part.holds(values) for part in self.parts)

    def names(self) -> tuple[str, ...]:
        return _names(self.parts)

    def compared(self, name: str) -> tuple[Value, ...]:
        return tuple(value for part in self.parts for value in part.compared(name))


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition

    def holds(self, values: Values) -> bool:
        return not self.part.holds(values)

    def names(self) -> tuple[str, ...]:
        return self.part.names()

    def compared(self, name: str) -> tuple[Value, ...]:
        return self.part.compared(name)


@dataclass(frozen=True)
class Names:
    """What a condition may speak of.

    numbers: names of numbers
    words:   names of words, with those that each can be; none: any word
    counted: those of the numbers that count something from 0 on, with what to say where another is given
    example: a comparison, for those who wrote something else
    """

    numbers: Collection[str]
    words: Mapping[str, Collection[str]]
    counted: Mapping[str, str] = field(default_factory=dict)
    example: str = "induction>0.4"

    def __iter__(self) -> Iterator[str]:
        yield from (*self.numbers, *self.words)


def condition(text: str, names: Names, *, option: str = "--where") -> Condition:
    """The condition that a text says.

    option: how messages call it
    Raises UsageError, with the place, for what is no condition and for a name that is not among ``names``.
    """
    return _Reader(text, names, option).whole()


def unknown(name: str, names: Collection[str] | Names) -> str:
    """What to say of a name that is not there: the nearest one, and all that are known."""
    known = [entry for entry in names if "." not in entry]
    near = get_close_matches(name, list(names), n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}there are {', '.join(known)}"


def _names(parts: Sequence[Condition]) -> tuple[str, ...]:
    return tuple(name for part in parts for name in part.names())


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_TOKEN = re.compile(
    r"""(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<name>[A-Za-z_]\w*(?:\.\w+)*)
    | (?P<quoted>"[^"]*"|'[^']*')
    | (?P<sign><=|>=|!=|==|<|>|=)
    | (?P<bracket>[()])""",
    re.VERBOSE | re.ASCII,
)
_JOINING = ("and", "or", "not")


class _Token(NamedTuple):
    """A piece of the text: what it is (a group of ``_TOKEN``, or "end"), and where it begins."""

    kind: str
    text: str
    place: int


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str, names: Names, option: str) -> None:
        self._text = text
        self._names = names
        self._option = option
        self._depth = 0
        self._tokens = list(self._split())
        self._next = 0

    def whole(self) -> Condition:
        read = self._condition()
        if self._ahead.kind != "end":
            self._refuse(self._ahead, "and, or, or the end is expected here")
        return read

    def _split(self) -> Iterator[_Token]:
        place = 0
        while place < len(self._text):
            if self._text[place].isspace():
                place += 1
                continue
            found = _TOKEN.match(self._text, place)
            if found is None:
                self._refuse(_Token("", self._text[place], place), "it means nothing here")
            yield _Token(str(found.lastgroup), found.group(), place)
            place = found.end()
        yield _Token("end", "", place)

    @property
    def _ahead(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._ahead
        self._next += 1
        return token

    def _taken(self, word: str) -> bool:
        """Whether this word is next; then it is behind us."""
        taken = self._ahead.kind in ("name", "bracket") and self._ahead.text.lower() == word
        self._next += taken
        return taken

    def _condition(self) -> Condition:
        parts = [self._both()]
        while self._taken("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._plain()]
        while self._taken("and"):
            parts.append(self._plain())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _plain(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            self._refuse(self._ahead, f"more than {DEEPEST} brackets and nots are within each other")
        read = self._within()
        self._depth -= 1
        return read

    def _within(self) -> Condition:
        if self._taken("not"):
            return Not(self._plain())
        if not self._taken("("):
            return self._comparison()
        read = self._condition()
        if not self._taken(")"):
            self._refuse(self._ahead, "a closing bracket is missing")
        return read

    def _comparison(self) -> Condition:
        name = self._take()
        if name.kind != "name" or name.text.lower() in _JOINING:
            self._refuse(name, f"the name of a number is expected here, such as {self._names.example}")
        if name.text not in set(self._names):
            self._refuse(name, f"no such name; {unknown(name.text, self._names)}")
        sign = self._take()
        if sign.kind != "sign":
            self._refuse(sign, f"one of {', '.join(_SIGNS)} is expected behind {name.text}")
        plain = "=" if sign.text == "==" else sign.text
        if name.text in self._names.words:
            return Comparison(name.text, plain, self._word(name.text, sign))
        return Comparison(name.text, plain, self._number(name.text, plain))

    def _number(self, name: str, sign: str) -> float:
        value = self._take()
        if value.kind != "number":
            self._refuse(value, f"{name} is compared with a number")
        number = float(value.text)
        between = sign in ("=", "!=") and not number.is_integer()
        if name in self._names.counted and (number < 0 or between):
            self._refuse(value, self._names.counted[name])
        return number

    def _word(self, name: str, sign: _Token) -> str:
        if sign.text not in ("=", "==", "!="):
            self._refuse(sign, f"{name} is a word: write {name}=WORD or {name}!=WORD")
        value = self._take()
        word = value.text[1:-1] if value.kind == "quoted" else value.text
        if value.kind not in ("quoted", "name"):
            self._refuse(value, f"{name} is compared with a word")
        known: Sequence[str] = list(self._names.words[name])
        if known and word not in known:
            self._refuse(value, f"no such {name}; {unknown(word, known)}")
        return word

    def _refuse(self, token: _Token, why: str) -> NoReturn:
        found = f'"{printable(token.text)}" ' if token.text else ""
        where = f"at character {token.place + 1}" if found else "at the end"
        raise UsageError(f"{self._option} '{printable(self._text)}': {found}{where}: {why}")
