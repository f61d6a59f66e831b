"""What else a head makes of its queries and keys: by scores, temperatures and masks. A leaf: no torch."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, get_args

from attnviz.errors import UsageError

Score = Literal["dot", "scaled", "cosine", "linear", "general", "concat", "additive"]
SCORES: tuple[Score, ...] = get_args(Score)
PLAIN: tuple[Score, ...] = ("dot", "scaled", "cosine", "linear")
"""Those without parameters: any head's queries and keys can be scored so."""

MOST = 24
"""Variants of one page."""

MASKS: Mapping[str, tuple[str, int, int]] = {
    "causal": ("causal", 0, 0),
    "window": ("window:2", 1, 1),
    "global": ("global:0", 1, 1),
    "block": ("block:4", 1, 2),
}
"""By its name how a mask is written, and how many numbers it takes, at least and at most."""

_TERM = re.compile(r"(?P<name>[a-z]+)(?P<numbers>(?::[0-9]{1,9})*)")


@dataclass(frozen=True)
class Term:
    """One mask by itself.

    causal: a query sees itself and what stands before it
    window: ``reach``: it sees so many on either side
    global: ``place``: this one sees everything and is seen by everybody, the others see nothing else
    block:  ``size`` and perhaps ``seed``: blocks of neighbours see the next ones, the first, and one by lot
    """

    name: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Mask:
    """What a query may see, besides what the model allows it.

    text:    as it was written: "causal&window:2+global:0"
    factors: a pair is seen if each of them allows it, and that does each that has one term which does
    """

    text: str
    factors: tuple[tuple[Term, ...], ...]


@dataclass(frozen=True)
class Variant:
    """One way to make weights of a head's queries and keys; with the usual values the model's own.

    score:       what a query and a key are scored by
    temperature: what scores are divided by before the softmax; 0: the largest has it all
    mask:        None for the model's own alone
    """

    score: Score = "scaled"
    temperature: float = 1.0
    mask: Mask | None = None

    @property
    def name(self) -> str:
        """As scripts call it: "scaled", "scaled@0.1", "cosine@5&window:2"."""
        heat = "" if self.temperature == 1 else f"@{self.temperature:g}"
        return f"{self.score}{heat}" + (f"&{self.mask.text}" if self.mask else "")

    @property
    def parts(self) -> tuple[str, str, str]:
        """As people read it: the score, the temperature ("" where there is none), the mask."""
        heat = "" if self.score == "linear" else f"T = {self.temperature:g}"
        return self.score, heat, self.mask.text if self.mask else "no other mask"


def variants_of(
    scores: str | None = None, temperatures: str | None = None, masks: str | None = None
) -> tuple[Variant, ...]:
    """Each score with each temperature under each mask; what is not given is the model's own.

    With nothing given they are the scores that have no parameters. (A kernel has no temperature: "linear" is
    there once for each mask.)
    Raises UsageError for what cannot be understood, and for too many.
    """
    nothing = scores is temperatures is masks is None
    asked = PLAIN if nothing else _scores("scaled" if scores is None else scores)
    if temperatures is not None and set(asked) == {"linear"}:
        raise UsageError(
            "--temperature: linear has no softmax, and so none: add a score that has, or leave it out"
        )
    combined = product(_masks(masks), asked, _temperatures("1" if temperatures is None else temperatures))
    made = (Variant(score, 1.0 if score == "linear" else heat, mask) for mask, score, heat in combined)
    found = tuple(dict.fromkeys(made))
    if len(found) > MOST:
        raise UsageError(
            f"{len(found)} variants are more than a page shows: give fewer scores, temperatures or masks, "
            f"at most {MOST} together"
        )
    return found


def rescored(variants: Sequence[Variant], score: str) -> tuple[Variant, ...]:
    """The variants with another score, each once."""
    (known,) = _scores(score)
    return tuple(dict.fromkeys(replace(variant, score=known) for variant in variants))


def titles(variants: Sequence[Variant]) -> list[str]:
    """What tells each of them from the others, as people read it; of one alone its score."""
    varied = [len({*column} - {""}) > 1 for column in zip(*(each.parts for each in variants), strict=True)]
    varied = varied if any(varied) else [True, False, False]
    return [
        ", ".join(part for part, told in zip(each.parts, varied, strict=True) if told and part)
        for each in variants
    ]


def _items(option: str, text: str) -> list[str]:
    items = [item.strip() for item in text.split(",")]
    if not all(items):
        raise UsageError(f"{option} {text!r} names nothing in one place: write a,b,c")
    return items


def _scores(text: str) -> tuple[Score, ...]:
    names = _items("--score", text)
    for name in names:
        if name not in SCORES:
            raise UsageError(f"--score {name!r} is none of {', '.join(SCORES)}{_nearest(name, SCORES)}")
    return tuple(score for name in names for score in SCORES if score == name)


def _temperatures(text: str) -> tuple[float, ...]:
    return tuple(_temperature(item) for item in _items("--temperature", text))


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(
            f"--temperature {text!r} is none: give numbers such as 0.1,1,5; 0 gives all to the largest score"
        )
    return value


def _masks(text: str | None) -> tuple[Mask | None, ...]:
    return (None,) if text is None else tuple(mask(item) for item in _items("--mask", text))


def mask(text: str) -> Mask:
    """The mask written as "causal", "window:2+global:0" or "causal&window:2": & is what both allow, + what
    either does, which goes first.

    Raises UsageError for what cannot be understood.
    """
    factors = tuple(tuple(_term(term, text) for term in factor.split("+")) for factor in text.split("&"))
    return Mask(text, factors)


def _term(text: str, whole: str) -> Term:
    found = _TERM.fullmatch(text.strip())
    name = found["name"] if found else text.strip().partition(":")[0]
    if name not in MASKS:
        raise UsageError(
            f"--mask {whole!r}: {name!r} is none of {', '.join(MASKS)}{_nearest(name, tuple(MASKS))}"
        )
    numbers = tuple(int(number) for number in found["numbers"].split(":")[1:]) if found else ()
    written, least, most = MASKS[name]
    if found is None or not least <= len(numbers) <= most:
        raise UsageError(f"--mask {whole!r}: write {written}, with whole numbers from 0 to 999999999")
    if name == "block" and numbers[0] == 0:
        raise UsageError(f"--mask {whole!r}: a block has 1 token or more")
    return Term(name, numbers)


def _nearest(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # a message alone needs it

    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
