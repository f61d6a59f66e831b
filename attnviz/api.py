"""The verbs of ``import attnviz``. A command of the command line is ten lines of these."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnviz.analysis import naming, reduce, select
from attnviz.captures import Capture, Captures
from attnviz.files import begins_with
from attnviz.recipes import Choice, Listing, Style, ViewName
from attnviz.render import pages
from attnviz.render.rows import HeadTable
from attnviz.render.views import HeadGrid, HeadLines, Page, TokenStrip, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy import floating
    from numpy.typing import NDArray
    from torch import Tensor

    from attnviz.aligning import align, alignment_view, check_align, check_translates
    from attnviz.analysis.comparison import Comparison
    from attnviz.builtin.outcome import Outcome
    from attnviz.builtin.schedule import Progress
    from attnviz.builtin.tasks import Task
    from attnviz.capturing import capture, doctor, load_model
    from attnviz.comparing import check_comparing, compare, comparison_view
    from attnviz.costing import check_chart, check_cost, cost, cost_chart
    from attnviz.exporting import caption, export
    from attnviz.growing import check_growth, growth, growth_chart
    from attnviz.probing import induction, probe, probe_table, sink
    from attnviz.replaying import replay
    from attnviz.studying import check_explain, check_variants, explain, variants
    from attnviz.sweeping import sweep, sweep_chart

__all__ = ["align", "alignment_view", "caption", "capture", "check", "check_align",
           "check_chart", "check_comparing", "check_cost", "check_diff", "check_explain",
           "check_growth", "check_heads", "check_trained", "check_translates", "check_variants",
           "compare", "comparison_view", "cost", "cost_chart", "diff", "doctor", "explain",
           "export", "from_arrays", "growth", "growth_chart", "head_grid", "heads", "heatmap",
           "induction", "load", "load_model", "probe", "probe_table", "replay", "save", "sink",
           "sweep", "sweep_chart", "train", "variants"]  # fmt: skip

_ELSEWHERE = {
    "aligning": ("align", "alignment_view", "check_align", "check_translates"),
    "capturing": ("capture", "doctor", "load_model"),
    "comparing": ("check_comparing", "compare", "comparison_view"),
    "costing": ("check_chart", "check_cost", "cost", "cost_chart"),
    "exporting": ("caption", "export"),
    "growing": ("check_growth", "growth", "growth_chart"),
    "probing": ("induction", "probe", "probe_table", "sink"),
    "replaying": ("replay",),
    "studying": ("check_explain", "check_variants", "explain", "variants"),
    "sweeping": ("sweep", "sweep_chart"),
}
"""Verbs of modules of their own, by these: each is loaded when one of its verbs is first used."""


def __getattr__(name: str) -> Any:
    module = next((module for module, verbs in _ELSEWHERE.items() if name in verbs), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"attnviz.{module}"), name)


ZIP = b"PK\x03\x04"
"""What a ``.npz`` begins with."""


def check(choice: Choice, style: Style | None = None, view: ViewName = "heatmap") -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    pages.check_view(view, choice)
    naming.check(choice)
    reduce.check(choice)
    if style is not None:
        pages.check(style)


def diff(
    first: Capture,
    second: Capture,
    *,
    top: int | None = None,
    choice: Choice = Choice(),
    style: Style = Style(),
) -> Page:
    """What ``attnviz diff`` shows of two captures: of one model and two texts, or of two models and one text.

    top: how many heads, those that changed most: so many rows of the table (10), or of chosen maps so many
    Raises UsageError or SelectionError for a choice that means nothing here, InputError for captures that
    have nothing in common.
    """
    from attnviz.render import differencepages

    return differencepages.difference_page(first, second, choice, style, top)


def check_diff(choice: Choice, style: Style, *, top: int | None = None) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    from attnviz.render import differencepages

    check(choice)
    differencepages.check(choice, style, top)


def heatmap(
    seen: Capture, *, choice: Choice = Choice(), style: Style = Style(), view: ViewName = "heatmap"
) -> Page | HeadLines | TokenStrip:
    """What ``attnviz heatmap`` shows of a capture, ready to be drawn.

    view: "heatmap": the chosen maps, or an overview of every layer and head; "maps": every chosen map under
          its labels; "atlas": every chosen map, small, under its name; "lines": lines from queries to
          keys; "strip": the text in the colours of the weights that ``choice.query`` gives
    Raises UsageError or SelectionError for a choice that means nothing here.
    """
    return pages.heatmap_view(seen, choice, style, view)


def heads(
    seen: "Capture | Iterable[Capture]",
    *,
    where: str | None = None,
    sort: str | None = None,
    top: int | None = None,
    columns: str | None = None,
    seed: int = 0,
    choice: Choice = Choice(),
    style: Style = Style(),
) -> HeadTable:
    """What ``attnviz heads`` shows: a row a head, over one capture or the means over several.

    where:   which heads: "induction>0.4 and layer<6" (``attnviz.analysis.where``)
    sort:    by which number, the largest first; "-entropy" the smallest first; top: how many of them
    columns: "previous,previous.baseline"; else all that have a value
    seed:    of the samples drawn for the intervals, which are there from ten samples on
    Of a capture without statistics they are computed from its maps, where those of all heads were kept.
    Raises UsageError for what cannot be understood, SelectionError for a capture that holds neither.
    """
    from attnviz.analysis.summary import summary
    from attnviz.render import headpages

    listing = Listing(where=where, sort=sort, top=top, columns=columns, seed=seed)
    headpages.check(choice, listing, style)
    return headpages.head_table(summary(_measured(seen), choice, seed=seed), choice, listing, style)


def head_grid(
    seen: "Capture | Iterable[Capture]",
    metric: str,
    *,
    where: str | None = None,
    seed: int = 0,
    choice: Choice = Choice(),
    style: Style = Style(),
) -> HeadGrid:
    """One statistic of every head as a colour, layers downwards and heads to the right: ``heads --grid``.

    Raises as ``heads`` does.
    """
    from attnviz.analysis.summary import summary
    from attnviz.render import headpages

    listing = Listing(where=where, grid=metric, seed=seed)
    headpages.check(choice, listing, style)
    return headpages.head_grid(summary(_measured(seen), choice, seed=seed), choice, listing, style)


def check_heads(choice: Choice, listing: Listing, style: Style) -> None:
    """Raises UsageError for what cannot be understood, before a model is loaded."""
    from attnviz.render import headpages

    naming.check(choice)
    headpages.check(choice, listing, style)


def _measured(seen: "Capture | Iterable[Capture]") -> "Iterator[Capture]":
    """Each capture with its statistics, which of maps that were taken elsewhere nobody has computed yet."""
    for each in [seen] if isinstance(seen, Capture) else seen:
        yield each if each.statistics is not None or not each.maps else _from_maps(each)


def _from_maps(seen: Capture) -> Capture:
    from attnviz.observe.again import with_statistics

    for maps in seen.maps:
        select.check_weights(maps)
    return with_statistics(seen)


def load(file: str | Path) -> Capture | Captures:
    """What ``seen.save`` or ``attnviz capture`` wrote: one Capture, or several as a sequence.

    Maps stay in the file and are read when they are looked at. A foreign ``.npz`` with
    ``attention[layer, head, query, key]`` and ``tokens`` is taken too.
    Raises InputError if the file cannot be read, is damaged, or of a later schema.
    """
    from attnviz.stored import files

    path = Path(file)
    if begins_with(path, ZIP):
        return _foreign(path)
    captures = files.read(path)
    return captures if len(captures) > 1 else captures[0]


def _foreign(path: Path) -> Capture:
    """The capture in a ``.npz``, if its arrays fit into memory."""
    from attnviz.observe.memory import check_fits
    from attnviz.stored import npz

    check_fits(npz.needed(path), what=f"the arrays in {path.name}", instead="give a smaller file")
    return npz.read(path)


def from_arrays(
    attention: "NDArray[floating] | Tensor", tokens: "Sequence[str]", *, name: str = "arrays"
) -> Capture:
    """A capture of self-attention that was taken elsewhere, such as by another library.

    attention: ``[layers, heads, queries, keys]``, rows summing to 1, or to 0 where nothing is seen; a numpy
               array or a tensor of torch, copied
    tokens:    what was read, one for each query and key
    name:      what the model is called
    Assumed, since nobody says otherwise: each token is a word and none is special; where no layer has any
    weight after the diagonal, a query sees only itself and what is before it (a note says so).
    Raises InputError for what is no attention over these tokens.
    """
    from attnviz.stored import arrays

    return arrays.from_arrays(attention, tokens, name=name)


def save(
    view: "View | Comparison", file: str | Path, *, style: Style = Style(), force: bool = False
) -> tuple[str, ...]:
    """Writes a view as a picture (.png .pdf .svg) or its numbers, whole or not at all.

    Numbers are .json and .csv, of maps also .npz, of tables also .md and .tex. Of a comparison a picture
    shows all heads beside all, and numbers are those of the matches.

    force: replace an existing file of another kind too.
    Returns what its maker should be told, such as characters that no font here can draw.
    Raises OutputError if it cannot be written there, UsageError for what is no view.
    """
    from attnviz.render import files

    return files.save(view, Path(file), style, force=force)


def train(
    task: "str | Task[Any, Any]",
    directory: str | Path,
    *,
    report: "Callable[[Progress], None]" = lambda _: None,
    threads: int = 2,
    device: str = "auto",
    force: bool = False,
    shots: int = 0,
) -> None:
    """Trains a model into a directory; takes an interrupted training up again.

    task:    "encoder" trains ``builtin:encoder``; or a task of your own settings
    report:  told when work begins, and after every step
    device:  auto is the processor, on which the models that ship were trained
    force:   replace what the directory holds
    shots:   how many snapshots are kept on the way, for ``growth``
    Raises UsageError if there is no such model, ModelError if the directory holds another training or there
    is no such device, OutputError if the directory holds other files or cannot be written to.
    """
    from attnviz.builtin.tasks import task_of
    from attnviz.builtin.train import train
    from attnviz.models.devices import device_of

    task = task_of(task) if isinstance(task, str) else task
    where = device_of("cpu" if device == "auto" else device)
    train(Path(directory), task, report=report, threads=threads, device=where, force=force, shots=shots)


def check_trained(name: str, directory: str | Path | None = None) -> "Outcome":
    """What the model that ships, or one in a directory, has learnt: figures, and what they have to reach.

    name: "encoder"
    Raises UsageError if there is no such model, ModelError if the directory holds none of them.
    """
    from attnviz.builtin.store import shipped
    from attnviz.builtin.tasks import task_of

    return task_of(name).check(Path(directory) if directory else shipped(name))
