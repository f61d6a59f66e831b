"""How figures are made again: a table from the command in a recipe to what checks and makes its figures.

A recipe is foreign data. Everything in it is looked at before a model is loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from attnviz.aligning import align, alignment_view, check_align
from attnviz.analysis import naming, reduce
from attnviz.capturing import capture
from attnviz.comparing import check_comparing, compare, comparison_view
from attnviz.errors import InputError
from attnviz.inputs import Sample, check_texts
from attnviz.probing import induction, probe, probe_table, sink
from attnviz.recipes import Aligning, Comparing, Listing, Recipe, Style, Varying, ViewName
from attnviz.render import pages
from attnviz.render.rows import HeadTable, Steps, Table
from attnviz.render.views import HeadGrid, Page, View
from attnviz.studying import check_explain, check_variants, explain, variants
from attnviz.wishes import ALL, AUTO, WORDS

if TYPE_CHECKING:
    from attnviz.models.base import Source

    Sources = Sequence[Source]

MOST_DRAWN = 100_000
"""Sequences, or tokens of each, that a file may ask to be drawn."""


@dataclass(frozen=True)
class Kind:
    """How figures of one command are made again.

    check: raises UsageError for what cannot be understood, InputError for what is not all there
    drawn: what a file of this suffix holds
    view:  what the models of the recipe, in their order, show
    """

    check: Callable[[Recipe], None]
    drawn: Callable[[Recipe, str], type[View]]
    view: "Callable[[Recipe, Sources], View]"


def samples_of(recipe: Recipe) -> list[Sample]:
    """What was read. Raises InputError where only its digest was kept, or it is none."""
    if recipe.command == "probe" and recipe.view != "sink":
        return []  # relations bring their texts, and induction draws tokens
    entry = recipe.sample.get("texts") if recipe.command == "probe" else recipe.sample
    if not isinstance(entry, dict):
        raise damaged("it does not say what was read")
    several = entry.get("samples")
    samples = [_sample(each) for each in (several if isinstance(several, list) else [entry])]
    check_texts(samples)
    return samples


def damaged(why: str) -> InputError:
    """The error of a recipe in which something is missing, or is what no command writes."""
    return InputError(f"this recipe is damaged: {why}")


def _sample(entry: object) -> Sample:
    if not isinstance(entry, Mapping):
        raise damaged("a sample of it is none")
    if "text" not in entry and "text_sha256" in entry:
        raise InputError(
            "its text was left out of the file (only a digest is there): it cannot be made again"
        )
    kinds = {"text": str, "pair": str, "chat": bool, "name": str, "generate": int, "languages": str}
    given = {key: entry[key] for key in kinds if key in entry}
    wrong = [key for key, value in given.items() if type(value) is not kinds[key]]
    if "text" not in entry or wrong or given.get("generate", 0) < 0:
        raise damaged(f"its sample has no text, or another {', '.join(wrong)}")
    return Sample(**given)


def _only(recipe: Recipe) -> Sample:
    """The one sample of a figure of one."""
    samples = samples_of(recipe)
    if len(samples) != 1:
        raise damaged(f"it is of {len(samples)} samples, and a figure of its kind is of one")
    return samples[0]


def _style(recipe: Recipe) -> Style:
    """The style as it was asked for: a recipe names the usual top of the colours, too."""
    return replace(recipe.style, vmax=None) if recipe.style.vmax == 1 else recipe.style


def _top(recipe: Recipe) -> int | None:
    return recipe.listing.top if recipe.listing else None


def _one_page(_recipe: Recipe, _suffix: str) -> type[View]:
    return Page


def _one_table(_recipe: Recipe, _suffix: str) -> type[View]:
    return Table


def _check_heatmap(recipe: Recipe) -> None:
    _only(recipe)
    pages.check_view(_view_name(recipe), recipe.choice)
    naming.check(recipe.choice)
    reduce.check(recipe.choice)
    pages.check(recipe.style)


def _view_name(recipe: Recipe) -> ViewName:
    name: ViewName = recipe.view  # type: ignore[assignment]  # pages.check_view looks at it first
    return name


def _heatmap_kind(recipe: Recipe, _suffix: str) -> type[View]:
    return pages.kind_of(_view_name(recipe))


def _heatmap(recipe: Recipe, sources: "Sources") -> View:
    seen = capture(_only(recipe), model=sources[0], statistics=False, choice=recipe.choice, truncate=True)
    return pages.heatmap_view(seen, recipe.choice, recipe.style, _view_name(recipe))


def _check_heads(recipe: Recipe) -> None:
    from attnviz.render import headpages

    samples_of(recipe)
    naming.check(recipe.choice)
    headpages.check(recipe.choice, _listing(recipe), _style(recipe))


def _listing(recipe: Recipe) -> Listing:
    if recipe.listing is None:
        raise damaged("it does not say which heads")
    return recipe.listing


def _heads_kind(recipe: Recipe, _suffix: str) -> type[View]:
    return HeadTable if _listing(recipe).grid is None else HeadGrid


def _heads(recipe: Recipe, sources: "Sources") -> View:
    from attnviz.analysis.summary import summary
    from attnviz.render import headpages

    listing, choice = _listing(recipe), recipe.choice
    seen = capture(samples_of(recipe), model=sources[0], keep=None, truncate=True)
    made = headpages.head_table if listing.grid is None else headpages.head_grid
    return made(summary(seen, choice, seed=listing.seed), choice, listing, _style(recipe))


def _check_difference(recipe: Recipe) -> None:
    from attnviz.render import differencepages

    if len(samples_of(recipe)) != 2:
        raise damaged("a difference is of two")
    naming.check(recipe.choice)
    reduce.check(recipe.choice)
    differencepages.check(recipe.choice, _style(recipe), _top(recipe))


def _difference_kind(recipe: Recipe, suffix: str) -> type[View]:
    from attnviz.render import differencepages

    return differencepages.kind_of(recipe.choice, suffix)


def _difference(recipe: Recipe, sources: "Sources") -> View:
    """Of two texts by one model, or of one text by two."""
    from attnviz.render import differencepages

    keep = AUTO if recipe.choice.maps else ALL
    first, second = (
        capture(sample, model=source, keep=keep, statistics=False, choice=recipe.choice, truncate=True)
        for sample, source in zip(samples_of(recipe), (sources[0], sources[-1]), strict=True)
    )
    return differencepages.difference_page(first, second, recipe.choice, _style(recipe), _top(recipe))


def _check_alignment(recipe: Recipe) -> None:
    _only(recipe)
    pages.check(recipe.style)
    check_align(recipe.choice, threshold=_aligning(recipe).threshold)


def _aligning(recipe: Recipe) -> Aligning:
    if recipe.aligning is None:
        raise damaged("it does not say how words were linked")
    return recipe.aligning


def _alignment(recipe: Recipe, sources: "Sources") -> View:
    threshold = _aligning(recipe).threshold
    found = align(_only(recipe), model=sources[0], choice=recipe.choice, threshold=threshold, truncate=True)
    return alignment_view(found, style=recipe.style)


def _check_rollout(recipe: Recipe) -> None:
    from attnviz.render import rolloutpages

    _only(recipe)
    rolloutpages.check(recipe.choice, recipe.style)


def _rollout(recipe: Recipe, sources: "Sources") -> View:
    from attnviz.observe.rollout import Rollout
    from attnviz.observe.run import observe
    from attnviz.render.rolloutpages import rollout_page

    encoded = sources[0].encode(_only(recipe), truncate=True)
    return rollout_page(observe(sources[0], encoded, [Rollout()]), recipe.choice, recipe.style)


def _check_variants(recipe: Recipe) -> None:
    asked = _varying(recipe)
    _only(recipe)
    check_variants(asked.score, asked.temperature, asked.mask, recipe.choice, recipe.style)


def _varying(recipe: Recipe) -> Varying:
    if recipe.varying is None:
        raise damaged("it does not say which variants")
    return recipe.varying


def _variants(recipe: Recipe, sources: "Sources") -> View:
    asked = _varying(recipe)
    return variants(
        _only(recipe), model=sources[0], score=asked.score, temperature=asked.temperature, mask=asked.mask,
        choice=recipe.choice, style=recipe.style, truncate=True,
    )  # fmt: skip


def _check_explanation(recipe: Recipe) -> None:
    _only(recipe)
    if recipe.choice.query is None:
        raise damaged("it does not say of which query")
    check_explain(replace(recipe.choice, query=None), _style(recipe))


def _explanation(recipe: Recipe, sources: "Sources") -> View:
    choice, word = replace(recipe.choice, query=None), recipe.choice.query or ""
    return explain(_only(recipe), word, model=sources[0], choice=choice, style=_style(recipe), truncate=True)


def _explanation_kind(_recipe: Recipe, _suffix: str) -> type[View]:
    return Steps


def _check_comparison(recipe: Recipe) -> None:
    from attnviz.render import comparepages

    samples_of(recipe)
    check_comparing(_comparing(recipe))
    comparepages.check(recipe.view, _style(recipe), _top(recipe))


def _comparing(recipe: Recipe) -> Comparing:
    if recipe.comparing is None:
        raise damaged("it does not say how models were compared")
    return recipe.comparing


def _comparison_kind(recipe: Recipe, _suffix: str) -> type[View]:
    from attnviz.render import comparepages

    return comparepages.kind_of(recipe.view)


def _comparison(recipe: Recipe, sources: "Sources") -> View:
    from attnviz.render.comparepages import MAPS

    how, samples = _comparing(recipe), samples_of(recipe)
    sides = [
        capture(samples, model=source, keep=WORDS, statistics=False, truncate=True) for source in sources
    ]
    found = compare(sides, measure=how.measure, match=how.match, as_is=how.as_is, seed=how.seed)
    seen = [side[0] for side in sides] if recipe.view == MAPS else ()
    return comparison_view(found, recipe.view, seen=seen, style=_style(recipe), top=_top(recipe))


def _check_probe(recipe: Recipe) -> None:
    from attnviz.probes import BUILTIN
    from attnviz.render import headpages

    naming.check(recipe.choice)
    headpages.check(recipe.choice, Listing(), _style(recipe))
    _probing(recipe)
    if recipe.view == "sink":
        samples_of(recipe)
    if recipe.view == "relations" and recipe.sample.get("relations") != BUILTIN:
        raise InputError(
            "its relations are in a file of yours, of which only a digest is in this one: "
            "run attnviz probe --relations FILE again"
        )


def _probing(recipe: Recipe) -> dict[str, Any]:
    """How a probe was made: the options of the verb that makes it again."""
    asked: dict[str, Any] = {"choice": recipe.choice, "seed": _number(recipe.reduction, "seed", 0, 2**63)}
    if recipe.view == "relations":
        return asked
    if recipe.view not in ("induction", "sink"):
        raise damaged("it does not say of which probe it is")
    drawn = {name: _number(recipe.sample, name, 1, MOST_DRAWN) for name in ("sequences", "length")}
    return {**asked, **drawn, "top": _top(recipe), "style": _style(recipe)}


def _number(entry: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = entry.get(name)
    if type(value) is not int or not least <= value <= most:
        raise damaged(f"its {name} is no whole number from {least} to {most}")
    return value


def _probe(recipe: Recipe, sources: "Sources") -> View:
    asked = _probing(recipe)
    if recipe.view == "relations":
        found = probe(str(recipe.sample["relations"]), model=sources[0], truncate=True, **asked)
        return probe_table(found, style=_style(recipe))
    if recipe.view == "induction":
        return induction(model=sources[0], **asked)
    return sink(samples_of(recipe), model=sources[0], truncate=True, **asked)


KINDS: Mapping[str, Kind] = {
    "heatmap": Kind(_check_heatmap, _heatmap_kind, _heatmap),
    "heads": Kind(_check_heads, _heads_kind, _heads),
    "diff": Kind(_check_difference, _difference_kind, _difference),
    "align": Kind(_check_alignment, _one_page, _alignment),
    "rollout": Kind(_check_rollout, _one_page, _rollout),
    "variants": Kind(_check_variants, _one_page, _variants),
    "explain": Kind(_check_explanation, _explanation_kind, _explanation),
    "compare": Kind(_check_comparison, _comparison_kind, _comparison),
    "probe": Kind(_check_probe, _one_table, _probe),
}
