"""Which fonts of this machine can draw a text, and how wide it gets. matplotlib is imported on first use."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import filterfalse
from typing import Any, Self

FAMILY = "DejaVu Sans"  # comes with matplotlib, so a figure looks the same everywhere
HINTING = "none"  # letters are not fitted to dots: so a line is as wide at every size, as in vectors
_NOT_FOR_TEXT = ("Last Resort", "STIX", "cm")  # boxes for every character; parts of formulas
_FINE = 2  # dots a point, to measure with
_MEASURED = 8192  # widths that are remembered: figures of one layout ask for the same ones


@dataclass(frozen=True)
class Fonts:
    """The fonts that some texts need.

    families: names, those to try first first
    missing:  characters that no font here can draw; they are shown as their code points
    """

    families: tuple[str, ...]
    missing: frozenset[str]

    @classmethod
    def for_texts(cls, texts: Iterable[str]) -> Self:
        """Looks through the fonts of the machine only if the usual one does not do."""
        missing = set(filterfalse(_invisible, "".join(texts))) - _glyphs(FAMILY)
        families = [FAMILY]
        for family in _other_families() if missing else ():
            if missing & _glyphs(family):
                families.append(family)
                missing -= _glyphs(family)
            if not missing:
                break
        return cls(tuple(families), frozenset(missing))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of the figure must know: at most one line, naming the missing characters."""
        if not self.missing:
            return ()
        names = ", ".join(_code_point(letter) for letter in sorted(self.missing))
        return (f"no font here can draw {names}: shown as code points",)

    def shown(self, text: str) -> str:
        """The text with what cannot be drawn as code points, ``U+1F600``."""
        if not self.missing and text.isascii():
            return text
        return "".join(
            _code_point(letter) if letter in self.missing else letter
            for letter in text
            if not _invisible(letter)
        )

    def width(self, text: str, points: float) -> float:
        """Of a line of text, in inches."""
        return _width(self.families, text, points)

    def properties(self, points: float) -> Any:
        """The same as matplotlib's FontProperties."""
        return _properties(self.families, points)

    def wrapped(self, text: str, points: float, room: float) -> list[str]:
        """The text in lines of at most so many inches, broken between words, or where it must be."""
        lines = [""]
        for word in text.split(" "):
            longer = f"{lines[-1]} {word}" if lines[-1] else word
            if self.width(longer, points) <= room:
                lines[-1] = longer
                continue
            lines += [""] if lines[-1] else []
            for letter in word:
                if lines[-1] and self.width(lines[-1] + letter, points) > room:
                    lines.append("")
                lines[-1] += letter
        return lines if lines != [""] else []


@lru_cache(maxsize=_MEASURED)
def _width(families: tuple[str, ...], text: str, points: float) -> float:
    from matplotlib import rcParams

    usual, rcParams["text.hinting"] = rcParams["text.hinting"], HINTING
    try:
        dots, _, _ = _canvas().get_text_width_height_descent(
            text, _properties(families, points), ismath=False
        )
    finally:
        rcParams["text.hinting"] = usual
    return float(dots) / 72 / _FINE


@cache
def _canvas() -> Any:
    from matplotlib.backends.backend_agg import RendererAgg

    return RendererAgg(1, 1, 72 * _FINE)  # type: ignore[no-untyped-call]


@lru_cache
def _properties(families: tuple[str, ...], points: float) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=list(families), size=points)


def _code_point(letter: str) -> str:
    return f"U+{ord(letter):04X}"


def _invisible(letter: str) -> bool:
    """Joiners of emoji and selectors of their colours; the joiners within words of some scripts are kept."""
    return letter == "\N{ZERO WIDTH JOINER}" or "\ufe00" <= letter <= "\ufe0f"


@cache
def _other_families() -> tuple[str, ...]:
    """Upright families of usual weight, those made for many scripts first, in an order that stays."""
    from matplotlib.font_manager import fontManager

    usual = [font for font in fontManager.ttflist if (font.style, font.weight) == ("normal", 400)]
    names = {font.name for font in usual if not font.name.startswith((FAMILY, *_NOT_FOR_TEXT))}
    return tuple(sorted(names, key=_rank))


def _rank(family: str) -> tuple[object, ...]:
    """CJK fonts differ in a few glyphs; JP is the one that a file of all of them opens with."""
    return not family.startswith("Noto Sans"), "Sans" not in family, not family.endswith("JP"), family


@cache
def _glyphs(family: str) -> frozenset[str]:
    """The characters that a family can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=family)))
    return frozenset(map(chr, font.get_charmap()))
