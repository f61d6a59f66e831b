"""What can be drawn of a plan: a table from a view's name to how it is checked, looked at and made.

The one place where a figure of a plan meets the views, the formats and the captions.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from attnviz.captures import Capture
from attnviz.errors import AttnvizError, InputError, UsageError
from attnviz.facts import LayerFacts
from attnviz.inputs import printable
from attnviz.plans.folder import Figure
from attnviz.plans.plan import DIFFERENCE, FigureEntry, Job
from attnviz.recipes import Choice, Listing, Recipe

if TYPE_CHECKING:
    from attnviz.recipes import ViewName
    from attnviz.render.rows import HeadTable
    from attnviz.render.views import HeadGrid, Page, View

PICTURES = (".pdf", ".png", ".svg")


Wanted = Mapping[str, tuple[int, ...]]
"""Numbers of heads by the name of their layer."""


@dataclass(frozen=True)
class Needs:
    """What must be seen of a sample for a figure of it.

    whole:    whole maps of these heads, by layer
    overview: maps of all heads, pooled where the text is long
    rollout:  attention rollout
    kept:     whole maps that are needed again when all samples have been seen
    """

    whole: Wanted = field(default_factory=dict)
    overview: bool = False
    rollout: bool = False
    kept: Wanted = field(default_factory=dict)

    def __or__(self, other: "Needs") -> "Needs":
        """What both need."""
        return Needs(
            _union(self.whole, other.whole),
            self.overview or other.overview,
            self.rollout or other.rollout,
            _union(self.kept, other.kept),
        )


def _union(one: Wanted, other: Wanted) -> Wanted:
    """The heads of both."""
    layers = dict.fromkeys((*one, *other))
    return {layer: tuple(sorted({*one.get(layer, ()), *other.get(layer, ())})) for layer in layers}


@dataclass(frozen=True)
class Kind:
    """One sort of figure.

    check: raises AttnvizError for what cannot be understood, before anything is loaded
    needs: what must be seen of each sample, of a model of these layers
    view:  the view of captures
    """

    check: Callable[[FigureEntry], None]
    needs: Callable[[FigureEntry, Sequence[LayerFacts]], Needs]
    view: Callable[[FigureEntry, Sequence[Capture]], "View"]


def check(figure: FigureEntry) -> None:
    """Raises InputError for an entry that cannot be drawn, whatever the model."""
    try:
        if figure.view not in KINDS:
            raise UsageError(f"no view {printable(figure.view)!r}; there are {', '.join(KINDS)}")
        if figure.against is not None and figure.view != DIFFERENCE:
            raise UsageError(f"against goes with view = {DIFFERENCE!r}")
        _check_suffix(figure)
        KINDS[figure.view].check(figure)
    except AttnvizError as error:
        raise InputError(f"{figure.section}: {error}") from error


def needs_of(figure: FigureEntry, layers: Sequence[LayerFacts]) -> Needs:
    """What must be seen of each sample that the figure is of."""
    return KINDS[figure.view].needs(figure, layers)


def check_place(job: Job, directory: Path, *, force: bool) -> None:
    """Raises OutputError where a file of another kind has the name of a figure."""
    from attnviz.render.files import checked

    path = directory / job.file
    if path.exists():
        checked(path, force=force)


def drawn(job: Job, captures: Sequence[Capture]) -> tuple[Figure, bytes]:
    """The figure's file and its entry.

    captures: of what the job is of, in its order. Raises AttnvizError if it cannot be drawn of these.
    """
    from attnviz.render import prose
    from attnviz.render.asdrawn import as_drawn
    from attnviz.render.files import formats_of

    suffix, style = PurePosixPath(job.file).suffix.lower(), job.figure.style
    view = as_drawn(KINDS[job.figure.view].view(job.figure, captures), style, suffix)
    data, told = formats_of(type(view))[suffix].write(view, style)
    recipe = view.recipe
    assert isinstance(recipe, Recipe)
    return Figure(
        file=job.file,
        sha256=hashlib.sha256(data).hexdigest(),
        recipe=recipe.entries(),
        hidden=recipe.reduction.get("hidden", {}),
        title=view.title,
        caption=prose.caption(recipe),
        alternative=prose.alternative_text(view),
        notes=tuple(told),
    ), data


def _check_suffix(figure: FigureEntry) -> None:
    suffix = PurePosixPath(figure.file).suffix.lower()
    if suffix not in PICTURES:
        raise UsageError(
            f"file {printable(figure.file)!r}: no picture is known by the suffix {suffix!r}; "
            f"these are: {', '.join(PICTURES)}"
        )


def _check_map(figure: FigureEntry) -> None:
    from attnviz.analysis import naming, reduce
    from attnviz.render import pages

    if figure.listing != Listing():
        raise UsageError("where, sort, top, columns, grid and seed are of tables: leave them out")
    naming.check(figure.choice)
    reduce.check(figure.choice)
    pages.check(figure.style)


def _check_view(figure: FigureEntry) -> None:
    from attnviz.render import pages

    _check_map(figure)
    if figure.style.pages and not (figure.view == "atlas" and figure.file.lower().endswith(".pdf")):
        raise UsageError('pages goes with view = "atlas" and a .pdf file: only a PDF has pages')
    pages.check_view(_name(figure), figure.choice)


def _name(figure: FigureEntry) -> "ViewName":
    """The view, as the command line calls it."""
    name: ViewName = figure.view  # type: ignore[assignment]  # it is one of these in KINDS
    return name


def _check_table(figure: FigureEntry) -> None:
    from attnviz.analysis import naming
    from attnviz.render import headpages

    if (figure.view == "grid") != (figure.listing.grid is not None):
        raise UsageError('grid = "STATISTIC" goes with view = "grid", which needs it')
    naming.check(figure.choice)
    headpages.check(figure.choice, figure.listing, figure.style)


def _check_rollout(figure: FigureEntry) -> None:
    from attnviz.render import rolloutpages

    _check_map(figure)
    rolloutpages.check(figure.choice, figure.style)


def _check_difference(figure: FigureEntry) -> None:
    from attnviz.render import differencepages

    _check_map(replace(figure, listing=replace(figure.listing, top=None)))
    differencepages.check(figure.choice, figure.style, figure.listing.top)


def _no_maps(_figure: FigureEntry, _layers: Sequence[LayerFacts]) -> Needs:
    return Needs()


def _chosen_maps(figure: FigureEntry, layers: Sequence[LayerFacts]) -> Needs:
    from attnviz.analysis.naming import wanted_heads

    if figure.choice == Choice(kind=figure.choice.kind, query=figure.choice.query):
        return Needs(overview=True)
    return Needs(wanted_heads(layers, figure.choice))


def _rolled_out(_figure: FigureEntry, _layers: Sequence[LayerFacts]) -> Needs:
    return Needs(rollout=True)


def _both_maps(figure: FigureEntry, layers: Sequence[LayerFacts]) -> Needs:
    from attnviz.analysis.naming import wanted_heads

    wanted = wanted_heads(layers, figure.choice)
    return Needs(wanted, kept=wanted)


def _maps(figure: FigureEntry, captures: Sequence[Capture]) -> "View":
    from attnviz.render.pages import heatmap_view

    return heatmap_view(captures[0], figure.choice, figure.style, _name(figure))


def _table(figure: FigureEntry, captures: Sequence[Capture]) -> "HeadTable":
    from attnviz.analysis.summary import summary
    from attnviz.render.headpages import head_table

    found = summary(captures, figure.choice, seed=figure.listing.seed)
    return head_table(found, figure.choice, figure.listing, figure.style)


def _grid(figure: FigureEntry, captures: Sequence[Capture]) -> "HeadGrid":
    from attnviz.analysis.summary import summary
    from attnviz.render.headpages import head_grid

    found = summary(captures, figure.choice, seed=figure.listing.seed)
    return head_grid(found, figure.choice, figure.listing, figure.style)


def _rollout(figure: FigureEntry, captures: Sequence[Capture]) -> "Page":
    from attnviz.render.rolloutpages import rollout_page

    return rollout_page(captures[0], figure.choice, figure.style)


def _difference(figure: FigureEntry, captures: Sequence[Capture]) -> "Page":
    from attnviz.render.differencepages import difference_page

    first, second = captures
    return difference_page(first, second, figure.choice, figure.style, figure.listing.top)


KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("heatmap", "maps", "atlas", "lines", "strip"), Kind(_check_view, _chosen_maps, _maps)),
    "heads": Kind(_check_table, _no_maps, _table),
    "grid": Kind(_check_table, _no_maps, _grid),
    DIFFERENCE: Kind(_check_difference, _both_maps, _difference),
    "rollout": Kind(_check_rollout, _rolled_out, _rollout),
}
