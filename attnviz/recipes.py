"""How a picture or a number was made, in a form that a program can read and make again.

A Recipe holds no dates, absolute paths or user names. One that comes from a file is foreign data: it is
parsed against its schema and never becomes a shell line.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from attnviz.errors import InputError
from attnviz.facts import ModelFacts
from attnviz.inputs import Sample
from attnviz.venues import Medium

if TYPE_CHECKING:
    from attnviz.captures import Capture

SCHEMA = 1
LATER = ("aligning", "varying")

Kind = Literal["self", "cross"]
Mean = Literal["heads", "layers", "all"]
ViewName = Literal["heatmap", "maps", "atlas", "lines", "strip"]
"""Of what ``attnviz heatmap`` draws; "heatmap": the chosen maps, or an overview of every layer and head."""


@dataclass(frozen=True)
class Choice:
    """What of a capture is shown, as the user wrote it; applied in this order.

    layers, heads: which maps: "0,2-4,-1"; "0-3", or exact heads "3.5,7.1"; kind: "self" or "cross"
    tokens:  which part of the text: "0:40", in tokens
    special: what becomes of special tokens: "show", "hide", "renorm" (hidden, and the rows rescaled),
             each optionally with ":first" (the first token alone, a sink)
    words:   put sub-tokens together to words
    mean:    average over "heads", "layers" or "all"
    query:   whose row alone is shown: a token by its number in the text, else a token or a word
    """

    layers: str | None = None
    heads: str | None = None
    kind: Kind | None = None
    tokens: str | None = None
    special: str = "show"
    words: bool = False
    mean: Mean | None = None
    query: str | None = None

    @property
    def maps(self) -> bool:
        """Whether particular maps were asked for."""
        return any((self.layers, self.heads, self.mean))


@dataclass(frozen=True)
class Style:
    """How it is drawn.

    cmap:  name of a colour map of matplotlib; None for the one that suits what is drawn
    scale: "linear", "log" or "sqrt"; vmax: the weight at the top of the colours, None for what suits
    medium: what it is for; without a width figures for a talk or a poster are larger
    width: of a figure, in inches; None to fit what is drawn
    dpi:   dots an inch of a PNG; font_size: in points
    pages: an atlas goes over as many pages of a PDF as it takes, instead of one
    """

    cmap: str | None = None
    scale: Literal["linear", "log", "sqrt"] = "linear"
    vmax: float | None = None
    title: str | None = None
    medium: Medium = "paper"
    width: float | None = None
    dpi: int = 200
    font_size: float = 8.0
    pages: bool = False

    def settled(self, cmap: str = "viridis", vmax: float = 1.0) -> Self:
        """With a colour map and a top where none were asked for."""
        top = vmax if self.vmax is None else self.vmax
        return replace(self, cmap=self.cmap or cmap, vmax=top)


@dataclass(frozen=True)
class Listing:
    """Which heads a table shows, as the user wrote it.

    where:   what they must be: "induction>0.4 and layer<6"
    sort:    by which number, the largest first; "-entropy" the smallest first
    top:     how many of them
    columns: "previous,previous.baseline"
    grid:    the statistic that is shown as a colour instead of a table
    seed:    of the samples drawn for intervals
    """

    where: str | None = None
    sort: str | None = None
    top: int | None = None
    columns: str | None = None
    grid: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Comparing:
    """How heads of two models are compared, as the user wrote it.

    measure:  "js" or "cka"; match: "one-to-one", or each head's "nearest"
    as_is:    also what only one of the two may see
    seed:     of the samples drawn for the null and for intervals
    """

    measure: Literal["js", "cka"] = "js"
    match: Literal["one-to-one", "nearest"] = "one-to-one"
    as_is: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Aligning:
    """How words of a source and its translation are linked.

    threshold: the least weight that makes a link by itself, beside each target word's largest; None: none
    """

    threshold: float | None = None


@dataclass(frozen=True)
class Varying:
    """What else a head's queries and keys were made into, as the user wrote it (``attnviz.variation``)."""

    score: str | None = None
    temperature: str | None = None
    mask: str | None = None


@dataclass(frozen=True)
class Recipe:
    """How one picture or table was made.

    model:     name, revision, fingerprint of the weights, dtype; of several {"models": [...]}
    sample:    the text itself, or its sha256; of several {"samples": [...]}
    listing:   which heads, where it is of heads
    comparing: how models were compared, where it is of several
    aligning:  how words were linked, where it is of a translation
    varying:   which variants, where it is of those of a head
    reduction: what the choice did to the numbers: tokens in a group, the weight hidden, ...
    """

    command: str
    model: dict[str, Any]
    sample: dict[str, Any]
    choice: Choice = Choice()
    style: Style = Style()
    listing: Listing | None = None
    comparing: Comparing | None = None
    aligning: Aligning | None = None
    varying: Varying | None = None
    view: str = "heatmap"
    reduction: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    def entries(self) -> dict[str, Any]:
        """What JSON holds of it.

        Records that only some commands have, and that came later than the others, are there where they say
        something: so recipes without them are the bytes that they always were.
        """
        entries = asdict(self)
        return {name: value for name, value in entries.items() if name not in LATER or value is not None}

    def to_json(self) -> str:
        """One line of JSON, the same bytes for the same recipe."""
        return json.dumps(self.entries(), ensure_ascii=True, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises InputError for anything that is not a recipe of this schema."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise InputError(f"this is no recipe: {error}") from error
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise InputError(f"this is no recipe of schema {SCHEMA}, the one that this version reads")
        for name, record in (
            ("choice", Choice),
            ("style", Style),
            ("listing", Listing),
            ("comparing", Comparing),
            ("aligning", Aligning),
            ("varying", Varying),
        ):
            if data.get(name) is not None:
                _check_fields(record, data[name])
                data[name] = record(**data[name])
        _check_fields(cls, data)
        try:
            return cls(**data)
        except TypeError as error:
            raise InputError(f"this recipe is not whole: {error}") from error


def recipe(
    command: str,
    captures: "Capture | Sequence[Capture]",
    choice: Choice,
    style: Style,
    *,
    listing: Listing | None = None,
    aligning: Aligning | None = None,
    varying: Varying | None = None,
    view: str = "heatmap",
    reduction: dict[str, Any] | None = None,
    with_text: bool = True,
) -> Recipe:
    """The recipe of something made from captures; ``with_text=False`` keeps no text."""
    first, *others = captures if isinstance(captures, Sequence) else [captures]
    samples = [_sample_entry(capture.sample, capture.notes, with_text) for capture in (first, *others)]
    models = [model_entry(capture.model) for capture in (first, *others)]
    return Recipe(
        command=command,
        model=models[0] if all(model == models[0] for model in models) else {"models": models},
        sample={"samples": samples} if others else samples[0],
        choice=choice,
        style=style.settled(),
        listing=listing,
        aligning=aligning,
        varying=varying,
        view=view,
        reduction=reduction or {},
        versions=first.versions,
    )


def recipe_of_models(
    models: Sequence[ModelFacts],
    samples: Sequence[Sample],
    comparing: Comparing,
    style: Style,
    *,
    view: str,
    versions: dict[str, str],
) -> Recipe:
    """The recipe of something made from what several models saw of the same samples."""
    return Recipe(
        command="compare",
        model={"models": [model_entry(model) for model in models]},
        sample={"samples": [_sample_entry(sample) for sample in samples]},
        style=style.settled(),
        comparing=comparing,
        view=view,
        versions=versions,
    )


def model_entry(model: ModelFacts) -> dict[str, Any]:
    """What a recipe says of a model."""
    return {
        "name": model.name,
        "revision": model.revision,
        "fingerprint": model.fingerprint,
        "dtype": model.dtype,
    }


def _sample_entry(sample: Sample, notes: Sequence[str] = (), with_text: bool = True) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": sample.name, "chat": sample.chat, "notes": list(notes)}
    if sample.generate:
        entry["generate"] = sample.generate
    if sample.languages:
        entry["languages"] = sample.languages
    for key, text in (("text", sample.text), ("pair", sample.pair)):
        if text is not None and with_text:
            entry[key] = text
        elif text is not None:
            entry[f"{key}_sha256"] = text_digest(text)
    return entry


def text_digest(text: str) -> str:
    """The sha256 of a text's UTF-8, in hexadecimal: which text it was, without saying it."""
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_fields(record: type, data: object) -> None:
    """Raises InputError unless these are fields of the record, with values of their types."""
    hints = get_type_hints(record)
    if not isinstance(data, dict) or not set(data) <= set(hints):
        known = ", ".join(sorted(hints))
        raise InputError(f"this recipe has entries that are not known here: a {record.__name__} has {known}")
    for name, value in data.items():
        if not is_of(hints[name], value):
            raise InputError(f"this recipe is damaged: {name} is {value!r}")


def is_of(hint: Any, value: object) -> bool:
    """Whether a value read from JSON or TOML is what a field's annotation says."""
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return any(is_of(part, value) for part in get_args(hint))
    plain = get_origin(hint) or hint
    if plain is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, plain) and (plain is bool or not isinstance(value, bool))
