"""How wide figures are and how large their letters, by the name of who prints them.

Widths are those of the official style files: ACL's (acl.sty, two columns of 7.7 cm in 16 cm), NeurIPS's (one
column of 5.5 in), CVPR's (cvpr.sty, 3.25 in in 6.875 in) and Nature's guide to figures (89 and 183 mm,
letters of 5 to 7 points). Where a style says nothing of letters in figures, they are those of its footnotes.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

from attnviz.errors import UsageError

Medium = Literal["paper", "talk", "poster"]

UNITS = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72}
NARROWEST, WIDEST = 0.5, 100.0  # inches


@dataclass(frozen=True)
class Venue:
    """column, page: widths in inches; points: of the titles of maps, from which all sizes follow."""

    column: float
    page: float
    points: float


@dataclass(frozen=True)
class Size:
    """points: of letters; factor: how much larger than on paper a figure is, if nobody says how wide."""

    points: float
    factor: float


VENUES = {
    "acl": Venue(7.7 / 2.54, 16 / 2.54, 9),
    "neurips": Venue(5.5, 5.5, 9),
    "cvpr": Venue(3.25, 6.875, 8),
    "nature": Venue(89 / 25.4, 183 / 25.4, 6.2),  # so titles have 7 points, and labels 5.4
}
SIZES: dict[Medium, Size] = {"paper": Size(8, 1), "talk": Size(14, 1.75), "poster": Size(24, 3)}


def inches(width: str) -> float:
    """The width that ``--width`` names: "acl", "acl:page", "3.25in", "84mm", "8.4cm", "240pt".

    Raises UsageError for anything else.
    """
    name, _, part = width.partition(":")
    if name in VENUES and part in ("", "column", "page"):
        return VENUES[name].page if part == "page" else VENUES[name].column
    number, unit = (width[:-2], width[-2:]) if width[-2:] in UNITS else (width, "in")
    try:
        found = float(number) * UNITS[unit]
    except ValueError:
        raise UsageError(f"--width {width!r} is no length: write {_offer(name)}") from None
    if not NARROWEST <= found <= WIDEST:
        raise UsageError(f"--width {width!r} is not between 0.5 and 100 inches")
    return found


def points(medium: Medium, width: str | None = None) -> float:
    """How large letters are on paper, on slides or on a poster; of a venue's width, as it asks for.

    Raises UsageError for another medium.
    """
    if medium not in get_args(Medium):
        raise UsageError(f"--style {medium!r} is none of {', '.join(get_args(Medium))}")
    venue = VENUES.get((width or "").partition(":")[0])
    return venue.points if venue and medium == "paper" else SIZES[medium].points


def _offer(name: str) -> str:
    near = get_close_matches(name, VENUES, n=1)
    return f"{near[0]} or {near[0]}:page" if near else f"3.3in, 84mm, 8.4cm, or one of {', '.join(VENUES)}"
